import os
import stat
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from doorctl.errors import OperatorError, StorageError
from doorctl.paths import Paths
from doorctl.seal import private_files
from doorctl.seal.keys import (
    create_controller_keys,
    create_monitor_keys,
    load_controller_keys,
    load_monitor_keys,
    load_record_and_receipt_keys,
    load_token_keys,
)
from doorctl.seal.public import controller_id
from tests.seal.sample import IDENTITY


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.under(tmp_path / "home")


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_controller_keys_come_back_from_their_files(paths: Paths) -> None:
    made = create_controller_keys(paths, simulated=False)
    loaded = load_controller_keys(paths)
    assert loaded.controller == made.controller == controller_id(made.identity.public_key(), simulated=False)
    assert loaded.identity.private_bytes_raw() == made.identity.private_bytes_raw()
    assert loaded.lookup == made.lookup
    assert len(loaded.lookup) == 32
    assert (loaded.simulated, loaded.kept_in) == (False, str(paths.keys))


def test_two_boards_share_nothing(tmp_path: Path) -> None:
    one = create_controller_keys(Paths.under(tmp_path / "a"), simulated=False)
    other = create_controller_keys(Paths.under(tmp_path / "b"), simulated=False)
    assert one.controller != other.controller
    assert one.lookup != other.lookup


def test_a_simulated_board_says_so_and_cannot_shed_it_without_another_id(paths: Paths) -> None:
    made = create_controller_keys(paths, simulated=True)
    assert load_controller_keys(paths).simulated
    identity = paths.keys / "identity.key"
    identity.write_bytes(identity.read_bytes().replace(b", simulated", b""))
    loaded = load_controller_keys(paths)
    assert not loaded.simulated
    assert loaded.controller != made.controller


@pytest.mark.usefixtures("open_umask")
def test_private_files_are_0600_in_0700_folders_whatever_the_umask(paths: Paths) -> None:
    create_controller_keys(paths, simulated=False)
    create_monitor_keys(paths.monitor_keys)
    for folder, names in (
        (paths.keys, {"identity.key", "lookup.key"}),
        (paths.monitor_keys, {"token.key", "record.key", "receipt.key"}),
    ):
        assert mode(folder) == 0o700
        assert {(path.name, mode(path)) for path in folder.iterdir()} == {(name, 0o600) for name in names}


def test_keys_are_never_overwritten(paths: Paths) -> None:
    create_controller_keys(paths, simulated=False)
    create_monitor_keys(paths.monitor_keys)
    before = {path: path.read_bytes() for folder in (paths.keys, paths.monitor_keys) for path in folder.iterdir()}
    with pytest.raises(OperatorError, match="never overwritten"):
        create_controller_keys(paths, simulated=False)
    with pytest.raises(OperatorError, match="never overwritten"):
        create_monitor_keys(paths.monitor_keys)
    with pytest.raises(OperatorError, match="never overwritten"):
        private_files.create_file(paths.keys / "identity.key", b"x")
    assert {path: path.read_bytes() for path in before} == before


def test_half_a_set_is_refused_before_anything_is_written(paths: Paths) -> None:
    paths.keys.mkdir(parents=True, mode=0o700)
    (paths.keys / "identity.key").write_text("an old one")
    with pytest.raises(OperatorError, match=r"identity\.key"):
        create_controller_keys(paths, simulated=False)
    assert not (paths.keys / "lookup.key").exists()


def test_a_link_is_not_followed(paths: Paths, tmp_path: Path) -> None:
    create_controller_keys(paths, simulated=False)
    real = paths.keys / "lookup.key"
    moved = real.rename(tmp_path / "elsewhere")
    real.symlink_to(moved)
    with pytest.raises(OperatorError, match=r"lookup\.key: cannot be opened"):
        load_controller_keys(paths)
    dangling = paths.keys / "new.key"
    dangling.symlink_to(tmp_path / "not there")
    with pytest.raises(OperatorError, match="never overwritten"):
        private_files.create_file(dangling, b"x")
    assert not (tmp_path / "not there").exists()


def test_a_folder_that_others_may_look_into_is_refused(paths: Paths) -> None:
    paths.keys.mkdir(parents=True)
    paths.keys.chmod(0o750)
    with pytest.raises(OperatorError, match="expected mode 0700, found 0750"):
        create_controller_keys(paths, simulated=False)


@pytest.mark.parametrize("wrong", [0o640, 0o604, 0o620, 0o660])
def test_a_key_that_others_may_read_or_write_is_refused(paths: Paths, wrong: int) -> None:
    create_controller_keys(paths, simulated=False)
    (paths.keys / "lookup.key").chmod(wrong)
    with pytest.raises(OperatorError, match=f"expected mode 0600, found {wrong:04o}"):
        load_controller_keys(paths)


def test_what_is_no_plain_file_or_too_long_is_refused(paths: Paths) -> None:
    create_controller_keys(paths, simulated=False)
    lookup = paths.keys / "lookup.key"
    lookup.unlink()
    os.mkfifo(lookup, 0o600)
    with pytest.raises(OperatorError, match="not a plain file"):
        load_controller_keys(paths)
    lookup.unlink()
    private_files.create_file(lookup, bytes(private_files.LARGEST + 1))
    with pytest.raises(OperatorError, match="too long"):
        load_controller_keys(paths)


@pytest.mark.parametrize("name", ["identity.key", "lookup.key"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda text: b"",
        lambda text: text[:-30],
        lambda text: b"doorctl monitor token key" + text[text.index(b"\n") :],
        lambda text: text.partition(b"\n")[0] + b"\nc2VjcmV0LW51bWJlci00Mg==\n",
        lambda text: text.partition(b"\n")[0] + b"\nsecret-number-42\xff\n",
    ],
)
def test_a_damaged_key_is_named_and_not_quoted(paths: Paths, name: str, damage: object) -> None:
    create_controller_keys(paths, simulated=False)
    path = paths.keys / name
    assert callable(damage)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(OperatorError, match=name) as caught:
        load_controller_keys(paths)
    assert "secret" not in str(caught.value)
    assert "c2Vj" not in str(caught.value)


def test_a_missing_key_is_named(paths: Paths) -> None:
    with pytest.raises(OperatorError, match=r"identity\.key: there is no such file"):
        load_controller_keys(paths)


def test_a_disk_that_cannot_be_written_is_a_storage_error(paths: Paths) -> None:
    paths.var.parent.mkdir(parents=True)
    paths.var.write_text("a file where a folder should be")
    with pytest.raises(StorageError, match="cannot be made"):
        create_controller_keys(paths, simulated=False)


def test_systemd_credentials_come_first(paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create_controller_keys(paths, simulated=False)
    other = Paths.under(tmp_path / "other")
    credentials = create_controller_keys(other, simulated=False)
    for path in other.keys.iterdir():
        path.chmod(0o440)  # how systemd shows a credential with an ACL for the unit's user
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(other.keys))
    loaded = load_controller_keys(paths)
    assert (loaded.controller, loaded.kept_in) == (credentials.controller, "systemd credential")
    assert loaded.lookup == credentials.lookup


def test_a_set_of_keys_is_never_half_from_each_place(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_controller_keys(paths, simulated=False)
    folder = tmp_path / "credentials"
    folder.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    assert load_controller_keys(paths).kept_in == str(paths.keys)
    (folder / "identity.key").write_bytes((paths.keys / "identity.key").read_bytes())
    (folder / "identity.key").chmod(0o400)
    with pytest.raises(OperatorError, match=r"credentials/lookup\.key: there is no such file"):
        load_controller_keys(paths)


def test_a_credential_that_everybody_may_read_is_refused(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    create_controller_keys(paths, simulated=False)
    (paths.keys / "identity.key").chmod(0o444)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(paths.keys))
    with pytest.raises(OperatorError, match="expected mode"):
        load_controller_keys(paths)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize(
    ("sudo", "daemon", "owner"),
    [("12345", "doorctl", (12_345, 23_456)), ("", "doorctl", (12_345, 23_456)), ("", "mallory", (0, 0))],
    ids=["who called sudo", "the daemon", "anybody else"],
)
def test_root_makes_keys_for_whose_they_may_be(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, sudo: str, daemon: str, owner: tuple[int, int]
) -> None:
    monkeypatch.setenv("SUDO_UID", sudo)
    monkeypatch.setattr("pwd.getpwuid", lambda _: SimpleNamespace(pw_name=daemon))
    paths.var.mkdir(parents=True)
    os.chown(paths.var, 12_345, 23_456)
    create_controller_keys(paths, simulated=False)
    owners = {(path.stat().st_uid, path.stat().st_gid) for path in (paths.keys, *paths.keys.iterdir())}
    assert owners == {owner}


def test_monitor_keys_come_back_from_their_files(tmp_path: Path) -> None:
    made = create_monitor_keys(tmp_path / "keys")
    assert load_monitor_keys(tmp_path / "keys").public == made.public
    ingest = load_record_and_receipt_keys(tmp_path / "keys")
    assert list(ingest.record) == [made.public.record_key_id]
    assert ingest.receipt_key_id == made.public.receipt_key_id
    assert [key.public_key() for key in load_token_keys(tmp_path / "keys")] == [made.public.token]


def test_old_keys_stay_beside_the_new(tmp_path: Path) -> None:
    old = create_monitor_keys(tmp_path / "keys")
    for kind in ("token", "record"):
        (tmp_path / "keys" / f"{kind}.key").rename(tmp_path / "keys" / f"{kind}-2024.key")
    (tmp_path / "keys" / "receipt.key").rename(tmp_path / "keys" / "receipt-2024.key")
    new = create_monitor_keys(tmp_path / "keys")
    assert [key.public_key() for key in load_token_keys(tmp_path / "keys")] == [new.public.token, old.public.token]
    ingest = load_record_and_receipt_keys(tmp_path / "keys")
    assert set(ingest.record) == {new.public.record_key_id, old.public.record_key_id}
    assert ingest.receipt_key_id == new.public.receipt_key_id


def test_a_monitor_key_in_anothers_place_is_refused(tmp_path: Path) -> None:
    create_monitor_keys(tmp_path / "keys")
    (tmp_path / "keys" / "receipt.key").replace(tmp_path / "keys" / "token.key")
    with pytest.raises(OperatorError, match=r"token\.key: expected a file that begins with"):
        load_token_keys(tmp_path / "keys")


@pytest.mark.parametrize("name", ["record.key", "token.key", "receipt.key"])
def test_a_key_of_another_kind_under_the_right_title_is_refused(tmp_path: Path, name: str) -> None:
    create_monitor_keys(tmp_path / "keys")
    create_controller_keys(Paths.under(tmp_path / "board"), simulated=False)
    other = "token.key" if name == "receipt.key" else "receipt.key"
    pem = (tmp_path / "keys" / other).read_bytes().partition(b"\n")[2]
    path = tmp_path / "keys" / name
    path.write_bytes(path.read_bytes().partition(b"\n")[0] + b"\n" + pem)
    with pytest.raises(OperatorError, match=f"{name}: expected an? .* key, found one of another kind"):
        load_monitor_keys(tmp_path / "keys")


def test_no_repr_shows_a_secret(paths: Paths) -> None:
    board, monitor = create_controller_keys(paths, simulated=True), create_monitor_keys(paths.monitor_keys)
    shown = f"{board!r} {monitor!r} {load_record_and_receipt_keys(paths.monitor_keys)!r}"
    assert "lookup" not in shown
    assert "identity" not in shown
    assert "PrivateKey" not in shown


def test_the_controller_id_follows_from_the_identity() -> None:
    public = IDENTITY.public_key()
    assert len(controller_id(public, simulated=False)) == 16
    assert controller_id(public, simulated=False) != controller_id(public, simulated=True)
