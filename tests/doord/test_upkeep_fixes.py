"""The journal is tidied also where no two seconds are quiet, and never while a record waits for it."""

from itertools import pairwise

import pytest

from doorctl.core.types import SECOND, Duration, WallTime
from doorctl.doord import upkeep
from tests.doord.conftest import Play
from tests.doord.house import House


async def restless(house: House, seconds: int) -> list[int]:
    """A leaf that never rests; the log's size each second."""
    sizes = []
    for second in range(seconds):
        house.leaf("front", open_=second % 2 == 0)
        await house.wait(1)
        sizes.append(house.doord.journal.wal_size())
    house.leaf("front", open_=False)
    return sizes


def test_the_log_is_folded_though_it_is_never_quiet(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "WAL_MOST", 300_000)
    monkeypatch.setattr(upkeep, "LOOK_EVERY", 4)

    async def story(house: House) -> None:
        sizes = await restless(house, 60)
        assert max(sizes) < 500_000
        assert any(after < before for before, after in pairwise(sizes))

    play(story)


def test_old_records_go_though_it_is_never_quiet(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "PRUNE_EVERY", Duration(5 * SECOND))

    async def story(house: House) -> None:
        calls = 0
        prune = house.doord.journal.prune

        def counted(now: WallTime, *, keep_log: Duration | None) -> int:
            nonlocal calls
            assert house.recorder.waiting == 0
            calls += 1
            assert keep_log == house.config.log.keep
            return prune(now, keep_log=keep_log)

        monkeypatch.setattr(house.doord.journal, "prune", counted)
        await restless(house, 20)
        assert 1 <= calls <= 5

    play(story)
