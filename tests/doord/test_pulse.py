"""Which thread will not come back: looks a second apart, and what each of them came to."""

import pytest

from doorctl.core.types import SECOND, Duration, Monotonic
from doorctl.doord.pulse import LONGEST_WORK, STILL, Pulse, Sight, Verdict

W, D, S, X = Verdict.WELL, Verdict.DISK, Verdict.STUCK, Verdict.DEAD
LONG = LONGEST_WORK // SECOND


def looks(*sights: tuple[bool, int, str, int] | tuple[bool, int, str, int, int]) -> list[Verdict]:
    pulse = Pulse()
    return [
        pulse.look(
            Sight(asked=asked, steps=steps, state=state, moved=moved, worked=Duration(sum(worked) * SECOND)),
            Monotonic(second * SECOND),
        )
        for second, (asked, steps, state, moved, *worked) in enumerate(sights)
    ]


def test_five_seconds_and_ten_at_most() -> None:
    assert STILL == 5 * SECOND


@pytest.mark.parametrize(
    ("sights", "verdicts"),
    [
        pytest.param([(False, 0, "?", 0)] * 9, [W] * 9, id="idle"),
        pytest.param([(True, 1, "S", 5)] * 7, [W] * 5 + [S] * 2, id="waits for what never comes"),
        pytest.param([(False, 0, "?", 0), *[(True, 1, "S", 5)] * 6], [W] * 6 + [S], id="after an idle time"),
        pytest.param([(True, 1, "S", n) for n in range(9)], [W] * 9, id="waits, and gets what it waits for"),
        pytest.param([(True, n, "S", 5) for n in range(9)], [W] * 9, id="call after call"),
        pytest.param([(True, 1, "R", 5)] * 9, [W] * 9, id="others have the processor"),
        pytest.param([(True, 1, "D", 5)] * 9, [W] * 5 + [D] * 4, id="waits for the disk"),
        pytest.param([*[(True, 1, "D", 5)] * 3, *[(True, 1, "S", 5)] * 6], [W] * 7 + [S] * 2, id="then for another"),
        pytest.param([(True, 1, "SSSD"[n % 4], 5) for n in range(40)], [W] * 40, id="a slow disk"),
        pytest.param([(True, 1, "R", n, 9 + n) for n in range(LONG + 2)], [W] * LONG + [S] * 2, id="computes for ever"),
        pytest.param([(True, 1, "R", n, n // 2) for n in range(2 * LONG)], [W] * 2 * LONG, id="half the processor"),
        pytest.param(
            [(True, n // LONG, "R", n, n) for n in range(4 * LONG)], [W] * 4 * LONG, id="one work after another"
        ),
        pytest.param([(True, 1, "S", 5), (True, 1, "", 0)], [W, X], id="is gone"),
        pytest.param([(False, 0, "", 0), (True, 1, "", 0)], [W, X], id="was gone"),
    ],
)
def test_verdicts(
    sights: list[tuple[bool, int, str, int] | tuple[bool, int, str, int, int]], verdicts: list[Verdict]
) -> None:
    assert looks(*sights) == verdicts
