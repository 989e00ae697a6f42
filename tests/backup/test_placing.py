"""A note of a restore is obeyed only where a restore can have written it, and names nothing outside of its role."""

import os
from pathlib import Path

import pytest

from doorctl.backup.contents import Contents
from doorctl.backup.manifest import MemberName, Role
from doorctl.backup.placing import Placement, finish_interrupted
from doorctl.errors import DoorctlError
from doorctl.paths import Paths

GATE = MemberName("etc/monitord.toml")
NAMES = (MemberName("keys/tls.crt"), MemberName("controllers/front.toml"), GATE)
_DECIDED = (
    '{"digest": "ab", "new_identity": false, "monitor_file": "monitor.toml", "aside": 1, '
    '"names": ["keys/tls.crt", "etc/monitord.toml"], "obsolete": []}'
)


class Killed(BaseException):
    """In the middle of renaming."""


@pytest.fixture
def contents(tmp_path: Path) -> Contents:
    found = Contents(Paths.under(tmp_path / "home"), Role.MONITOR)
    found.home.mkdir(parents=True)
    return found


@pytest.fixture
def note(contents: Contents) -> Path:
    return contents.home / ".restore.json"


def _staged(contents: Contents, *names: MemberName) -> None:
    for name in names:
        path = contents.place_of(name).path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_name(f".{path.name}.restoring").write_bytes(b"restored")


def _written(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_was_decided_is_ended(contents: Contents, note: Path) -> None:
    _staged(contents, NAMES[0], GATE)
    _written(note, _DECIDED)
    ended = finish_interrupted(contents)
    assert ended is not None
    assert ended.digest == "ab"
    assert _files(contents.paths.monitor_var) == {"keys/tls.crt": b"restored"}
    assert contents.gate.read_bytes() == b"restored"


def test_a_new_file_of_a_family_is_ended_too(contents: Contents, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in nobody's list of files that are there, and has its place all the same."""
    rename = Path.rename

    def killed(old: Path, new: Path) -> Path:
        if new.name == "front.toml":
            raise Killed
        return rename(old, new)

    with Placement(contents) as placement, monkeypatch.context() as patch:
        for name in NAMES:
            placement.stage(contents.place_of(name), [name.encode()])
        patch.setattr(Path, "rename", killed)
        with pytest.raises(Killed):
            placement.decide("ab", kept=[], new_identity=False)
    assert not contents.gate.exists()
    assert finish_interrupted(contents) is not None
    assert {name: contents.place_of(name).path.read_bytes() for name in NAMES} == {n: n.encode() for n in NAMES}


def test_a_note_moves_nothing_elsewhere(contents: Contents, note: Path, tmp_path: Path) -> None:
    """As whoever owns the folder could write it: paths of their own choice."""
    precious, target = tmp_path / "precious", tmp_path / "target"
    precious.write_text("precious")
    _written(
        note,
        f'{{"digest": "", "aside": 1, "obsolete": [], "moves": [{{"staged": "{precious}", "target": "{target}",'
        ' "companions": []}]}',
    )
    with pytest.raises(DoorctlError, match=r"\.restore\.json: not what a restore wrote"):
        finish_interrupted(contents)
    assert (precious.read_text(), target.exists()) == ("precious", False)


@pytest.mark.parametrize(
    ("old", "forged"),
    [
        ("keys/tls.crt", "etc/doorctl.toml"),
        ("keys/tls.crt", "../precious"),
        ("keys/tls.crt", "controllers/../../precious.toml"),
        ('"obsolete": []', '"obsolete": ["keys/identity.key"]'),
        ('"names": ["keys/tls.crt", "etc/monitord.toml"]', '"names": []'),
        ('"aside": 1', '"aside": -1'),
        ('"aside": 1', '"aside": "1/../x"'),
        ('"monitor_file": "monitor.toml"', '"monitor_file": "../x"'),
        ('"aside": 1', '"aside": 1, "more": 1'),
    ],
)
def test_a_note_names_only_what_its_role_has(contents: Contents, note: Path, old: str, forged: str) -> None:
    _staged(contents, NAMES[0], GATE)
    assert old in _DECIDED
    _written(note, _DECIDED.replace(old, forged))
    before = _files(contents.paths.monitor_var.parent)
    with pytest.raises(DoorctlError, match=r"\.restore\.json: not what a restore wrote"):
        finish_interrupted(contents)
    assert _files(contents.paths.monitor_var.parent) == before


def test_a_note_that_others_could_write_is_refused(contents: Contents, note: Path) -> None:
    _staged(contents, GATE)
    _written(note, _DECIDED, 0o620)
    with pytest.raises(DoorctlError, match=r"\.restore\.json: not what a restore wrote"):
        finish_interrupted(contents)
    assert not contents.gate.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_note_of_somebody_elses_is_refused(contents: Contents, note: Path) -> None:
    _staged(contents, GATE)
    os.chown(_written(note, _DECIDED), 65533, 65533)
    with pytest.raises(DoorctlError, match=r"\.restore\.json: not what a restore wrote"):
        finish_interrupted(contents)
    assert not contents.gate.exists()


def test_a_note_that_is_a_link_is_refused(contents: Contents, note: Path, tmp_path: Path) -> None:
    _staged(contents, GATE)
    note.symlink_to(_written(tmp_path / "note", _DECIDED))
    with pytest.raises(DoorctlError, match=r"\.restore\.json: not what a restore wrote"):
        finish_interrupted(contents)
    assert not contents.gate.exists()
