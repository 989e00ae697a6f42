"""Faults planted at a monitor that does not run: doctor names each, with a hint."""

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest

from doorctl.cli.main import main
from doorctl.cli.monitor_copy import note_copies, noted_copies, token_fingerprints
from doorctl.core.types import SECOND, WallTime
from doorctl.errors import StorageError
from doorctl.monitord.alarms.store import AlarmStore
from doorctl.monitord.ledger import LedgerWriter, Verified
from doorctl.paths import Paths
from doorctl.seal.keys import create_monitor_keys, read_controller_file
from tests.cli.board import Board
from tests.cli.doctors import Findings, doctor, new, of
from tests.monitord.board import Board as MadeBoard

Plant = Callable[[Paths], object]


class Case(NamedTuple):
    """A fault, and how doctor is to name it."""

    plant: Plant
    check: str
    verdict: str
    words: str
    hint: str


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A monitor for real doors with its databases, as after its first start; never changed."""
    home = tmp_path_factory.mktemp("monitor")
    arguments = ["--address", "127.0.0.1:9", "--console", "127.0.0.1:11", "--token-key-copy", str(home / "safe.key")]
    assert main(["--home", str(home), "monitor", "init", "--json", *arguments]) == 0
    paths = Paths.under(home)
    LedgerWriter(paths.ledger).close()
    AlarmStore(paths.alarms).close()
    return home


@pytest.fixture
def monitor(made: Path, tmp_path: Path) -> Board:
    """A copy to break."""
    shutil.copytree(made, tmp_path / "monitor")
    return Board(home=tmp_path / "monitor")


@pytest.fixture(scope="module")
def baseline(made: Path) -> Findings:
    """What doctor says of a monitor that is well and does not run."""
    with pytest.MonkeyPatch.context() as patch, (made / "told").open("w+") as out:
        patch.setattr("sys.stdout", out)
        main(["--home", str(made), "doctor", "--json"])
        out.seek(0)
        told: Findings = json.load(out)["findings"]
    return told


def settings(old: str, fresh: str) -> Plant:
    def plant(paths: Paths) -> None:
        text = paths.monitor_config.read_text()
        assert old in text
        paths.monitor_config.write_text(text.replace(old, fresh))

    return plant


def gone(name: str) -> Plant:
    return lambda paths: (paths.monitor_keys / name).unlink()


def opened(name: str) -> Plant:
    return lambda paths: (paths.monitor_keys / name).chmod(0o644)


def other_keys(paths: Paths) -> None:
    create_monitor_keys(paths.monitor_var / "other")
    for name in ("token.key", "record.key", "receipt.key"):
        shutil.copy(paths.monitor_var / "other" / name, paths.monitor_keys / name)


def console_token_short(paths: Paths) -> None:
    (paths.monitor_keys / "console.token").write_text("short")


def page_overwritten(path: Path) -> None:
    with path.open("r+b") as stream:
        stream.seek(4096)
        stream.write(b"\xff" * 4096)


def header_overwritten(path: Path) -> None:
    with path.open("r+b") as stream:
        stream.write(b"x" * 100)


CASES = {
    "settings wrong": Case(
        settings("simulated = false", "simulated = 0"), "settings", "wrong", "monitor.simulated: expected true or false", "docs/operations.md"
    ),
    "settings missing": Case(
        lambda paths: paths.monitor_config.unlink(), "settings", "wrong", "no such file", "doorctl monitor init"
    ),
    "console for everybody": Case(
        settings("127.0.0.1:11", "0.0.0.0:11"), "settings", "wrong", "the console listens on 0.0.0.0:11", "proxy"
    ),
    "token key that others may read": Case(
        opened("token.key"), "keys", "wrong", "token.key: expected mode 0600, found 0644", "chmod 0600"
    ),
    "console's key that others may read": Case(
        opened("console.token"), "keys", "wrong", "console.token: expected mode 0600, found 0644", "chmod 0600"
    ),
    "console's key that is none": Case(
        console_token_short, "keys", "wrong", "console.token: expected at least 32 characters", "docs/operations.md"
    ),
    "token key missing": Case(gone("token.key"), "keys", "wrong", "token.key: there is no such file", "offline copy"),
    "receipt key missing": Case(gone("receipt.key"), "keys", "wrong", "receipt.key: there is no such file", "backup"),
    "token key without a copy": Case(
        lambda paths: (paths.monitor_var / "token-key-copies.json").unlink(), "token key copy", "wrong",
        "nothing says that it has an offline copy", "--token-key-copy",
    ),
    "other keys than boards were given": Case(
        other_keys, "public half", "wrong", "of other keys than those in", "put the right keys back"
    ),
    "ledger damaged": Case(
        lambda paths: page_overwritten(paths.ledger), "databases", "wrong", "ledger.db: damaged", "backup"
    ),
    "alarms no database": Case(
        lambda paths: header_overwritten(paths.alarms), "databases", "wrong", "alarms.db: damaged", "backup"
    ),
    "ledger missing": Case(
        lambda paths: paths.ledger.unlink(), "databases", "wrong", "ledger.db: there is none", "doorctl-monitor"
    ),
}  # fmt: skip


def test_a_monitor_that_is_well_and_does_not_run(baseline: Findings) -> None:
    assert list(of(baseline, "wrong")) == [
        "nobody answers at the console's address 127.0.0.1:11",
        "nobody answers at the ingest's address 127.0.0.1:9",
    ]
    assert list(of(baseline, "warning")) == ["no board is trusted"]
    assert {finding["side"] for finding in baseline} == {"monitor"}


@pytest.mark.parametrize("fault", CASES)
def test_a_planted_fault_is_named(
    monitor: Board, capsys: pytest.CaptureFixture[str], baseline: Findings, fault: str
) -> None:
    case = CASES[fault]
    case.plant(monitor.paths)
    found = new(doctor(monitor, capsys, "--monitor"), baseline)
    named = [(check, verdict) for check, verdict, words, hint in found if case.words in words and case.hint in hint]
    assert (case.check, case.verdict) in named, found
    assert all(hint for _, _, _, hint in found)


def trusted(board: Board, monitor: Board) -> str:
    """A board that this monitor trusts; its short number."""
    monitor.paths.controllers.mkdir(mode=0o700, exist_ok=True)
    shutil.copy(board.paths.controller_public, monitor.paths.controllers / "one.toml")
    return read_controller_file(board.paths.controller_public).controller.hex()[:8]


def heard(monitor: Board, board: Board, *, ago_s: int) -> None:
    controller = read_controller_file(board.paths.controller_public).controller
    sample = MadeBoard()
    made = sample.start()
    writer = LedgerWriter(monitor.paths.ledger)
    writer.store(
        [
            Verified(
                header=replace(made.header, controller=controller), body=made.body, signature=bytes(64),
                hash=made.hash, received=WallTime(time.time_ns() - ago_s * SECOND),
            )
        ]
    )  # fmt: skip
    writer.close()


def test_boards_that_are_silent(monitor: Board, made_board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    short = trusted(made_board, monitor)
    found = doctor(monitor, capsys)
    assert list(of(found, "warning", "boards")) == [f"demo-site ({short}): trusted, and was never heard of"]
    heard(monitor, made_board, ago_s=3600)
    found = doctor(monitor, capsys)
    assert list(of(found, "wrong", "boards")) == [f"demo-site ({short}): silent for 60 minutes"]


def test_a_board_that_is_heard_of(monitor: Board, made_board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    short = trusted(made_board, monitor)
    heard(monitor, made_board, ago_s=60)
    assert list(of(doctor(monitor, capsys), "ok", "boards")) == [f"demo-site ({short}): heard of within 300 s"]


def test_a_trusted_boards_file_that_is_none(
    monitor: Board, made_board: Board, capsys: pytest.CaptureFixture[str]
) -> None:
    monitor.paths.controllers.mkdir(mode=0o700, exist_ok=True)
    trusted(made_board, monitor)
    (monitor.paths.controllers / "a.toml").write_text("nonsense")
    found = doctor(monitor, capsys)
    (words,) = of(found, "wrong", "boards")
    assert "a.toml" in words
    assert len(of(found, "warning", "boards")) == 1, "the next is looked at all the same"


def test_a_damaged_ledger_does_not_hide_the_alarms(monitor: Board, capsys: pytest.CaptureFixture[str]) -> None:
    page_overwritten(monitor.paths.ledger)
    assert [words.partition(":")[0] for words in of(doctor(monitor, capsys), "ok", "databases")] == ["alarms.db"]


def test_a_copy_is_noted_when_it_is_made(monitor: Board) -> None:
    (key,) = token_fingerprints(monitor.paths.monitor_keys)
    assert list(noted_copies(monitor.paths)) == [key]
    note = monitor.paths.monitor_var / "token-key-copies.json"
    assert note.stat().st_mode & 0o777 == 0o600
    assert "safe.key" not in note.read_text(), "not where it lies"


def test_a_copy_that_is_shown_again_is_noted_with_its_day(monitor: Board) -> None:
    before = noted_copies(monitor.paths)
    note_copies(monitor.paths, ["ab"], date(2027, 3, 1))
    assert noted_copies(monitor.paths) == before | {"ab": date(2027, 3, 1)}
    note_copies(monitor.paths, ["ab"], date(2027, 4, 1))
    assert noted_copies(monitor.paths) == before | {"ab": date(2027, 4, 1)}


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}', '{"a": "yesterday"}', "3"])
def test_a_note_that_is_none_says_nothing(monitor: Board, text: str) -> None:
    (monitor.paths.monitor_var / "token-key-copies.json").write_text(text)
    assert noted_copies(monitor.paths) == {}


def test_a_note_that_cannot_be_written(monitor: Board) -> None:
    shutil.rmtree(monitor.paths.monitor_var)
    with pytest.raises(StorageError, match="cannot be written"):
        note_copies(monitor.paths, ["ab"], date(2027, 3, 1))
