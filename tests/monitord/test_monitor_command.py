"""`doorctl monitor …` as people type it; the console is played by the real application in the same test."""

import json
from pathlib import Path

import pytest

from doorctl.cli.main import main
from doorctl.monitord.settings import Address, Settings, parse_address, read_settings
from doorctl.paths import Paths
from doorctl.seal.keys import load_monitor_keys, read_controller_file, read_monitor_file, write_controller_file
from tests.monitord.board import Board
from tests.monitord.line import controller_file, new_identity

ADDRESS = ("--address", "monitor.example.net:7443")


def run(home: Path, *words: str) -> int:
    return main(["--home", str(home / "home"), "monitor", *words])


def error(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err.splitlines()[0]


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.under(tmp_path / "home")


def test_init_makes_all_that_a_monitor_needs(tmp_path: Path, paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    copy = tmp_path / "token.key"
    assert run(tmp_path, "init", *ADDRESS, "--token-key-copy", str(copy)) == 0
    public = read_monitor_file(paths.monitor_export)
    assert public.addresses == ("monitor.example.net:7443",)
    assert public.simulated is False
    assert public.keys == load_monitor_keys(paths.monitor_keys).public
    assert copy.read_bytes() == (paths.monitor_keys / "token.key").read_bytes()
    assert copy.stat().st_mode & 0o777 == 0o600
    assert read_settings(paths.monitor_config) == Settings(
        listen=Address(host="0.0.0.0", port=7443),  # noqa: S104  where boards come from
        console=Address(host="127.0.0.1", port=8443),
        simulated=False,
    )
    assert public.fingerprint in capsys.readouterr().out
    secret = [path for path in paths.monitor_keys.iterdir() if path.suffix in {".key", ".token"}]
    assert {path.stat().st_mode & 0o777 for path in secret} == {0o600}


def test_init_insists_on_the_copy(tmp_path: Path, paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "init", *ADDRESS) == 1
    assert "--token-key-copy: the token key needs an offline copy" in error(capsys)
    assert not paths.monitor_var.exists()


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("missing/token.key", "missing: no such folder"),
        ("home/monitor/var/token.key", "no such folder"),
        ("there.key", "is there already and is never overwritten"),
    ],
)
def test_init_makes_nothing_where_it_cannot_make_the_copy(
    tmp_path: Path, paths: Paths, capsys: pytest.CaptureFixture[str], place: str, message: str
) -> None:
    (tmp_path / "there.key").write_text("mine", encoding="ascii")
    assert run(tmp_path, "init", *ADDRESS, "--token-key-copy", str(tmp_path / place)) == 1
    assert message in error(capsys)
    assert not paths.monitor_keys.exists()


def test_init_is_once(tmp_path: Path, paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "init", "--simulated", *ADDRESS) == 0
    before = paths.monitor_export.read_bytes()
    assert run(tmp_path, "init", "--simulated", *ADDRESS) == 1
    assert "this monitor is made already" in error(capsys)
    assert paths.monitor_export.read_bytes() == before


def test_an_init_that_failed_can_be_repeated(tmp_path: Path, paths: Paths) -> None:
    copy = str(tmp_path / "token.key")
    assert run(tmp_path, "init", *ADDRESS, "--token-key-copy", copy) == 0
    first = read_monitor_file(paths.monitor_export).fingerprint
    paths.monitor_export.unlink()
    assert run(tmp_path, "init", *ADDRESS, "--token-key-copy", copy) == 0
    assert read_monitor_file(paths.monitor_export).fingerprint == first


@pytest.mark.parametrize(
    "words",
    [
        ("--address", "nonsense"),
        ("--listen", "[::1]"),
        ("--console", 'x"\nlisten = "y:1'),
        ("--console", "x\ny:1"),
        ("--address", 'x"y:1'),
        ("--address", "x\\y:1"),
        ("--address", "x y:1"),
    ],
)
def test_init_makes_nothing_of_a_wrong_address(
    tmp_path: Path, paths: Paths, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert run(tmp_path, "init", "--simulated", *ADDRESS, *words) == 1
    told = error(capsys)
    assert "expected host:port, got " in told
    assert told.isprintable()
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("init", "--address", "monitor.example.net:7443"),
        ("init", "--simulated", "--address", "monitor.example.net:7444"),
        ("init", "--simulated", *ADDRESS, "--listen", "127.0.0.1:7443"),
        ("init", "--simulated", *ADDRESS, "--console", "127.0.0.1:8444"),
    ],
)
def test_an_init_that_failed_is_not_repeated_as_another_monitor(
    tmp_path: Path, paths: Paths, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert run(tmp_path, "init", "--simulated", *ADDRESS) == 0
    paths.monitor_export.unlink()
    before = paths.monitor_config.read_bytes()
    copy = tmp_path / "token.key"
    assert run(tmp_path, *words, "--token-key-copy", str(copy)) == 1
    assert "began with other settings" in error(capsys)
    assert (paths.monitor_config.read_bytes(), copy.exists(), paths.monitor_export.exists()) == (before, False, False)


def test_an_init_that_failed_at_its_keys_remembers_what_it_was(
    tmp_path: Path, paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    paths.monitor_var.mkdir(parents=True)
    paths.monitor_keys.write_text("in the way", encoding="ascii")
    assert run(tmp_path, "init", "--simulated", *ADDRESS) == 1
    paths.monitor_keys.unlink()
    capsys.readouterr()
    assert run(tmp_path, "init", *ADDRESS, "--token-key-copy", str(tmp_path / "token.key")) == 1
    assert "began with other settings" in error(capsys)
    assert run(tmp_path, "init", "--simulated", *ADDRESS) == 0


def _offered(folder: Path, *, simulated: bool) -> Path:
    board = Board(name="harbour-st", simulated=simulated)
    path = folder / "controller.toml"
    write_controller_file(path, controller_file(board, new_identity(folder, "courier")))
    return path


def test_trust_shows_both_fingerprints_and_takes_the_file(
    tmp_path: Path, paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, "init", "--simulated", *ADDRESS)
    offered = _offered(tmp_path, simulated=True)
    capsys.readouterr()
    assert run(tmp_path, "trust", str(offered), "--yes") == 0
    told = capsys.readouterr().out
    file = read_controller_file(offered)
    assert file.fingerprint in told
    assert read_monitor_file(paths.monitor_export).fingerprint in told
    assert [read_controller_file(path) for path in paths.controllers.iterdir()] == [file]


def test_trust_without_an_answer_changes_nothing(
    tmp_path: Path, paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, "init", "--simulated", *ADDRESS)
    assert run(tmp_path, "trust", str(_offered(tmp_path, simulated=True))) == 1
    assert "not confirmed: nothing was changed" in error(capsys)
    assert list(paths.controllers.iterdir()) == []


def test_doors_and_simulations_never_share_a_monitor(
    tmp_path: Path, paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, "init", "--simulated", *ADDRESS)
    assert run(tmp_path, "trust", str(_offered(tmp_path, simulated=False)), "--yes") == 1
    assert "controller.toml: of a real board; this monitor is for simulated ones" in error(capsys)
    assert list(paths.controllers.iterdir()) == []


@pytest.mark.parametrize("words", [("alarms",), ("alarms", "--ack", "3"), ("controllers",)])
def test_without_a_running_monitor_it_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    run(tmp_path, "init", "--simulated", *ADDRESS, "--console", "127.0.0.1:1")
    assert run(tmp_path, *words) == 1
    told = capsys.readouterr().err
    assert "127.0.0.1:1: no console there" in told
    assert "hint: is `doorctl monitor run` running on this machine" in told


@pytest.mark.parametrize("words", [("run",), ("trust", "x.toml"), ("alarms",)])
def test_before_init_every_command_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert run(tmp_path, *words) == 1
    assert "monitord.toml: no such file" in error(capsys)


def test_json_where_a_script_wants_it(tmp_path: Path, paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--home", str(tmp_path / "home"), "--json", "monitor", "init", "--simulated", *ADDRESS]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "fingerprint": read_monitor_file(paths.monitor_export).fingerprint,
        "file": str(paths.monitor_export),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[ingest]\nlisten = "a:1"\n[console]\nlisten = "a:1"', "section [monitor] is missing"),
        (
            '[ingest]\nlisten = "x"\n[console]\nlisten = "a:1"\n[monitor]\nsimulated = true',
            'expected host:port, got "x"',
        ),
        ('[ingest]\nlisten = 7\n[console]\nlisten = "a:1"\n[monitor]\nsimulated = true', 'expected "host:port", got 7'),
        (
            '[ingest]\nlisten = "a:1"\n[console]\nlisten = "a:1"\n[monitor]\nsimulated = 1',
            "expected true or false, got 1",
        ),
        (
            '[ingest]\nlisten = "a:1"\nx = 1\n[console]\nlisten = "a:1"\n[monitor]\nsimulated = true',
            "ingest.x is unknown",
        ),
        ('[ingest]\n[console]\nlisten = "a:1"\n[monitor]\nsimulated = true', "ingest.listen is missing"),
        (
            '[ingest]\nlisten = "a:1"\n[console]\nlisten = "a:1"\n[monitor]\nsimulated = true\n[odd]',
            "odd: unknown section",
        ),
        ("ingest = [", "monitord.toml: "),
    ],
)
def test_a_wrong_file_is_refused_with_its_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    run(tmp_path, "init", "--simulated", *ADDRESS)
    Paths.under(tmp_path / "home").monitor_config.write_text(text, encoding="utf-8")
    assert run(tmp_path, "run") == 1
    assert message in error(capsys)


@pytest.mark.parametrize("port", ["65536", "99999", "-1", "abc", "", "٧٤٤٣", "9" * 5000])
@pytest.mark.parametrize(("option", "lowest"), [("--address", 1), ("--listen", 0), ("--console", 0)])
def test_init_says_which_ports_there_are(
    tmp_path: Path, paths: Paths, capsys: pytest.CaptureFixture[str], option: str, lowest: int, port: str
) -> None:
    assert run(tmp_path, "init", "--simulated", "--address", "a:1", option, f"b:{port}") == 1
    assert error(capsys) == (
        f'doorctl: error: {option}: expected host:port with a port from {lowest} to 65535, got "b:{port}"'
    )
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("addresses", "told"),
    [
        (["a:0"], 'expected host:port with a port from 1 to 65535, got "a:0"'),
        (["a:1", "b:1", "c:1"], "expected one or two that differ, got a:1, b:1, c:1"),
        (["a:1", "a:1"], "expected one or two that differ, got a:1, a:1"),
    ],
)
def test_init_makes_nothing_that_no_courier_would_take(
    tmp_path: Path, paths: Paths, capsys: pytest.CaptureFixture[str], addresses: list[str], told: str
) -> None:
    words = [word for address in addresses for word in ("--address", address)]
    assert run(tmp_path, "init", "--simulated", *words) == 1
    assert error(capsys) == f"doorctl: error: --address: {told}"
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:0", Address(host="127.0.0.1", port=0)),
        ("[::1]:7443", Address(host="::1", port=7443)),
        ("monitor.example.net:65535", Address(host="monitor.example.net", port=65535)),
    ],
)
def test_addresses_read_and_written(text: str, address: Address) -> None:
    assert parse_address(text, where="--address") == address
    assert str(address) == text
