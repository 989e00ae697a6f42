"""The helper that secures a dead doord's strikes: real processes over lines that keep their last level."""

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorctl.cli.ask import ask
from doorctl.doord.strike_record import SecuredStrike, StrikeRecord, parse_strikes
from doorctl.errors import MalformedError, OperatorError
from hal.lgpio_levels import LineLevel
from tests.doord.metal import CONFIG, PATIENCE_S, STAND_INS, Metal

pytestmark = pytest.mark.system
LABEL = "pinctrl-bcm2711"


def strike(door: str, line: int, level: int, *, chip: int = 0, label: str = LABEL) -> SecuredStrike:
    return SecuredStrike(door=door, at=LineLevel(chip=f"gpiochip{chip}", label=label, line=line, level=level))


def left(metal: Metal, *strikes: SecuredStrike) -> None:
    """What a doord leaves that is killed."""
    record = StrikeRecord.locked(metal.paths.strikes)
    record.write(strikes)
    record.close()


def recorded(metal: Metal) -> tuple[SecuredStrike, ...]:
    return parse_strikes(metal.paths.strikes.read_bytes())


@pytest.fixture
def metal(folder: Path) -> Metal:
    return Metal(folder, {0: LABEL})


def test_a_doord_killed_with_strikes_released_leaves_them_secured(metal: Metal) -> None:
    metal.enrolled(LABEL)
    with metal.doord() as (doord, _):
        for door in ("front", "side"):
            assert ask(metal.paths, "unlock", door=door, seconds=3600)["ok"]
        assert (metal.history(17)[-1], metal.history(18)[-1]) == ("1", "1")
        before = metal.history(17), metal.history(18)
        living = metal.helper("success")
        assert (living.returncode, living.stderr) == (
            0,
            "doord-secure: a doord lives, and its strikes are its own: nothing was done\n",
        )
        assert (metal.history(17), metal.history(18)) == before
        doord.kill()
        doord.wait(PATIENCE_S)
    assert (metal.history(17)[-1], metal.history(18)[-1]) == ("1", "1"), "a killed process secures nothing"
    metal.paths.config.write_text("no longer = [a configuration")
    done = metal.helper()
    assert (done.returncode, done.stderr.splitlines()) == (
        0,
        [
            "doord-secure: front: secured (gpiochip0 line 17 is low)",
            "doord-secure: side: secured (gpiochip0 line 18 is low)",
        ],
    )
    assert (metal.history(17)[-1], metal.history(18)[-1]) == ("0", "0")
    assert recorded(metal) == ()
    before = metal.history(17), metal.history(18)
    assert (metal.helper().returncode, metal.history(17), metal.history(18)) == (0, *before), "once is enough"

    metal.paths.config.write_text(CONFIG.format(chip=LABEL))
    with metal.doord() as (doord, _):
        assert recorded(metal) == (strike("front", 17, 0), strike("side", 18, 0))
        assert ask(metal.paths, "unlock", door="side")["ok"]
        doord.terminate()
        assert doord.wait(PATIENCE_S) == 0
    assert recorded(metal) == (), "one that ends has secured its strikes itself"
    assert metal.history(17)[-1] == "input"


def test_without_a_record_the_configuration_says_which_lines(metal: Metal) -> None:
    metal.enrolled(LABEL)
    done = metal.helper("exit-code")
    assert (done.returncode, metal.history(17), metal.history(18)) == (0, ["0"], ["0"])
    assert recorded(metal) == (), "and not again at each start that fails"
    assert (metal.helper("exit-code").returncode, metal.history(17)) == (0, ["0"])


@pytest.mark.parametrize("broken", [None, "strike = ["])
def test_without_both_it_says_so_and_moves_nothing(metal: Metal, broken: str | None) -> None:
    if broken is not None:
        metal.paths.config.write_text(broken)
    metal.paths.strikes.write_bytes(b'[{"door": "front", "ch')
    done = metal.helper()
    assert done.returncode == 1
    assert "doorctl.toml" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(metal.chips.glob("gpiochip0/[0-9]*"))


def test_a_board_of_made_up_lines_has_nothing_to_secure(metal: Metal) -> None:
    metal.paths.config.write_text(
        '[site]\nid = "x"\ntimezone = "UTC"\n[hal]\nbackend = "mock"\n[door.front]\n'
        'strike = { pin = "GPIO17", type = "fail-secure", release_s = 5 }\negress = "mechanical"\n'
        'reader = { wiegand = ["GPIO4", "GPIO5"], format = "H10301", mode = "card" }\n'
    )
    done = metal.helper()
    assert (done.returncode, done.stderr, metal.history(17)) == (0, "", [])


def test_a_wire_test_killed_with_its_strike_released_leaves_it_to_be_secured(metal: Metal) -> None:
    """And what a doord left of another door stays to be done."""
    metal.enrolled(LABEL)
    left(metal, strike("front", 17, 0), strike("side", 18, 0))
    with subprocess.Popen(
        [sys.executable, "-m", "doorctl.cli.main", "--home", str(metal.home), "wire-test", "front", "--yes", "--seconds", "1"],
        env=metal.environment(), cwd=metal.folder / "cwd", stdout=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        while metal.history(17)[-1:] != ["1"]:
            assert process.poll() is None
        process.kill()
    assert recorded(metal) == (strike("side", 18, 0), strike("front", 17, 0))
    assert metal.helper().returncode == 0
    assert (metal.history(17)[-1], metal.history(18)) == ("0", ["0"])
    assert recorded(metal) == ()


def test_a_wire_test_that_ends_has_secured_its_own_strike_only(metal: Metal) -> None:
    metal.enrolled(LABEL)
    left(metal, strike("front", 17, 0), strike("side", 18, 0))
    subprocess.run(
        [sys.executable, "-m", "doorctl.cli.main", "--home", str(metal.home), "wire-test", "front", "--yes", "--seconds", "1"],
        env=metal.environment(), cwd=metal.folder / "cwd", stdout=subprocess.DEVNULL, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert recorded(metal) == (strike("side", 18, 0),)
    levels = [level for level in metal.history(17) if level != "input"]
    assert levels == ["0", "1", "0", "0"], "claimed, released, secured, and at the end once more"


def test_one_chip_that_is_gone_keeps_no_other_strike_released(folder: Path) -> None:
    metal = Metal(folder, {0: "elsewhere", 4: LABEL, 5: "an expander"})
    here, there = strike("front", 17, 0, chip=4), strike("vault", 3, 1, chip=5, label="an expander")
    gone, other = strike("gate", 2, 0, chip=9), strike("shed", 2, 0, chip=0)
    left(metal, gone, here, other, there)
    done = metal.helper()
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "doord-secure: error: gate: not secured: gpiochip9 line 2: can not open gpiochip",
        "doord-secure: front: secured (gpiochip4 line 17 is low)",
        "doord-secure: error: shed: not secured: gpiochip0 is 'elsewhere' now, not 'pinctrl-bcm2711'",
        "doord-secure: vault: secured (gpiochip5 line 3 is high)",
    ]
    assert (metal.history(17, 4), metal.history(3, 5), metal.history(2, 0)) == (["0"], ["1"], [])
    assert recorded(metal) == (gone, other), "those that were secured are not powered again at the next try"
    assert metal.helper().returncode == 1
    assert (metal.history(17, 4), metal.history(3, 5)) == (["0"], ["1"])


def test_a_line_that_another_process_holds_is_not_taken(metal: Metal) -> None:
    left(metal, strike("front", 17, 0), strike("side", 18, 0))
    with (metal.chips / "gpiochip0" / "17").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = metal.helper()
    assert (done.returncode, metal.history(17), metal.history(18)) == (1, [], ["0"])
    assert "error: front: not secured: gpiochip0 line 17: GPIO busy" in done.stderr


def test_it_loads_no_more_than_it_needs(metal: Metal) -> None:
    """What it needs not is what makes it late, or fails with what killed doord."""
    left(metal, strike("front", 17, 0))
    script = (
        "import sys; from doorctl.doord.secure import main; code = main(sys.argv[1:]);"
        "sys.exit(str(sorted(sys.modules.keys() & {'gpiozero', 'msgspec', 'cryptography', 'asyncio', 'logging', 'sqlite3'})) "
        "if code == 0 else 'failed')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "--home", str(metal.home)],
        env=metal.environment(), cwd=metal.folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.stderr.splitlines()[-1] == "[]"


def test_a_library_that_is_not_there_is_said(metal: Metal) -> None:
    left(metal, strike("front", 17, 0))
    (metal.folder / "lgpio.py").write_text("raise OSError('no folder for a FIFO')")
    done = subprocess.run(
        [sys.executable, "-m", "doorctl.doord.secure", "--home", str(metal.home)],
        env=metal.environment() | {"PYTHONPATH": os.pathsep.join([str(metal.folder), str(STAND_INS)])},
        cwd=metal.folder / "cwd", capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("doord-secure: error: gpio: lgpio does not load (no folder for a FIFO)")
    assert recorded(metal) == (strike("front", 17, 0),)


def test_a_second_doord_does_not_get_the_record(metal: Metal) -> None:
    first = StrikeRecord.locked(metal.paths.strikes)
    first.write([strike("front", 17, 0)])
    with pytest.raises(OperatorError, match="in use by another doord"):
        StrikeRecord.locked(metal.paths.strikes)
    first.close()
    again = StrikeRecord.locked(metal.paths.strikes)
    assert again.read() == (strike("front", 17, 0),)
    again.close()


@settings(max_examples=40)
@given(
    st.binary(max_size=80)
    | st.recursive(st.integers() | st.text(max_size=5), st.lists).map(lambda v: json.dumps(v).encode())
)
def test_any_other_bytes_are_no_record(untrusted: bytes) -> None:
    try:
        found = parse_strikes(untrusted)
    except MalformedError:
        return
    assert found == ()


@pytest.mark.parametrize(
    "change",
    [
        {"line": -1}, {"line": 1000}, {"line": True}, {"line": "17"}, {"level": 2}, {"chip": "gpiochip"},
        {"chip": "/dev/sda"}, {"chip": "gpiochip²"}, {"label": None}, {"more": 1}, {"door": 3},
    ],
)  # fmt: skip
def test_a_member_that_is_not_as_written_is_no_record(change: dict[str, Any]) -> None:
    good = {"door": "front", "chip": "gpiochip0", "label": LABEL, "line": 17, "level": 0}
    assert parse_strikes(json.dumps([good]).encode()) == (strike("front", 17, 0),)
    with pytest.raises(MalformedError):
        parse_strikes(json.dumps([good, good | change]).encode())
