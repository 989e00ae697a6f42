"""The story of `make tour`: it ends with 0, and with something else when a promise is broken on purpose."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.system


def _tour(*more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "doorctl.cli.main", "sim", "--tour", *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False, stdin=subprocess.DEVNULL)


@pytest.mark.soak  # tests/docs runs it as README has it, each time
def test_the_story_is_told_to_its_end() -> None:
    told = _tour()
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stderr == ""
    assert told.stdout.rstrip().endswith("every promise held")
    assert "nothing differs" in told.stdout


@pytest.mark.parametrize(
    ("sabotage", "promise"),
    [
        ("tell", "an onlooker could tell the codes apart"),
        pytest.param("alarm", "calls for help, 0 alarms", marks=pytest.mark.soak),
        pytest.param("record", "calls for help", marks=pytest.mark.soak),
    ],
)
def test_a_broken_promise_ends_the_story(sabotage: str, promise: str) -> None:
    told = _tour("--sabotage", sabotage)
    assert told.returncode == 1, told.stdout + told.stderr
    assert promise in told.stderr
    assert "every promise held" not in told.stdout
