"""Keys of OSDP readers on the disk: what comes back, what never does, and what a broken disk leaves."""

import base64
import errno
from pathlib import Path
from typing import Final

import pytest

from doorctl.errors import OperatorError, StorageError
from doorctl.paths import Paths
from doorctl.seal import private_files
from doorctl.seal.keys import ControllerKeys, create_controller_keys
from doorctl.seal.reader_keys import KEY_SIZE, ReaderKeys, ReaderKeyStore, new_key

PLACE: Final = "/dev/ttyAMA0 address 1"
OTHER: Final = "/dev/ttyAMA0 address 2"
FILE: Final = "ttyAMA0-address-1-a62751cc.key"
BOTH: Final = ReaderKeys(current=bytes(range(16)), pending=bytes(range(16, 32)))


def board(folder: Path) -> tuple[Paths, ControllerKeys]:
    paths = Paths.under(folder)
    return paths, create_controller_keys(paths, simulated=True)


@pytest.fixture
def store(tmp_path: Path) -> ReaderKeyStore:
    paths, keys = board(tmp_path)
    return ReaderKeyStore(paths.reader_keys, keys)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Paths.under(tmp_path).reader_keys


@pytest.mark.parametrize(
    "keys", [ReaderKeys(), ReaderKeys(current=BOTH.current), ReaderKeys(pending=BOTH.pending), BOTH], ids=range(4)
)
def test_what_is_stored_comes_back_and_takes_the_place_of_what_was_there(
    store: ReaderKeyStore, folder: Path, keys: ReaderKeys
) -> None:
    assert store.load(PLACE) == ReaderKeys()
    store.store(PLACE, ReaderKeys(current=new_key()))
    store.store(PLACE, keys)
    assert (store.load(PLACE), store.load(OTHER)) == (keys, ReaderKeys())
    assert [(file.name, file.stat().st_mode & 0o777) for file in folder.iterdir()] == [(FILE, 0o600)]
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_file_has_no_key_in_it_and_says_nothing_by_its_size(store: ReaderKeyStore, folder: Path) -> None:
    sizes = set()
    for keys in (ReaderKeys(), BOTH, BOTH):
        store.store(PLACE, keys)
        content = (folder / FILE).read_bytes()
        sizes.add(len(content))
        wrapped = base64.b64decode(content.partition(b"\n")[2])
        for key in (BOTH.current, BOTH.pending):
            assert key is not None
            assert key not in wrapped
    assert len(sizes) == 1


def test_keys_are_not_in_a_repr() -> None:
    assert repr(BOTH) == "ReaderKeys()"
    assert (len(new_key()), new_key() == new_key()) == (KEY_SIZE, False)


def test_a_file_opens_at_its_own_board_and_place_only(store: ReaderKeyStore, folder: Path, tmp_path: Path) -> None:
    store.store(PLACE, BOTH)
    content = (folder / FILE).read_bytes()
    elsewhere, keys = board(tmp_path / "other")
    elsewhere.reader_keys.mkdir(mode=0o700)
    private_files.create_file(elsewhere.reader_keys / FILE, content)
    private_files.create_file(folder / "ttyAMA0-address-2-dae0ea8c.key", content)
    for opened, place in ((ReaderKeyStore(elsewhere.reader_keys, keys), PLACE), (store, OTHER)):
        with pytest.raises(OperatorError, match="expected a reader's key that this board has wrapped") as raised:
            opened.load(place)
        assert raised.value.hint is not None


@pytest.mark.parametrize("content", [b"", b"doorctl reader key 1\n", b"doorctl reader key 1\n!!!!\n", b"x" * 200])
def test_what_is_no_key_file_is_said(store: ReaderKeyStore, folder: Path, content: bytes) -> None:
    folder.mkdir(mode=0o700)
    private_files.create_file(folder / FILE, content)
    with pytest.raises(OperatorError, match="found something else"):
        store.load(PLACE)


def test_a_changed_byte_is_seen(store: ReaderKeyStore, folder: Path) -> None:
    store.store(PLACE, BOTH)
    title, _, encoded = (folder / FILE).read_bytes().partition(b"\n")
    wrapped = bytearray(base64.b64decode(encoded))
    wrapped[20] ^= 1
    (folder / FILE).write_bytes(title + b"\n" + base64.b64encode(wrapped) + b"\n")
    with pytest.raises(OperatorError, match="found something else"):
        store.load(PLACE)


def test_a_full_disk_leaves_the_old_file_and_no_other(
    store: ReaderKeyStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.store(PLACE, BOTH)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StorageError, match="No space left on device"):
        store.store(PLACE, ReaderKeys(current=new_key()))
    monkeypatch.undo()
    assert store.load(PLACE) == BOTH
    assert [file.name for file in folder.iterdir()] == [FILE]


@pytest.mark.parametrize(
    "device", ["/dev/serial/by-id/usb-a_b-if00", "/dev/../../etc/passwd", "/dev/a/b", "/dev/a%2Fb"]
)
def test_a_devices_name_is_no_path(store: ReaderKeyStore, folder: Path, device: str) -> None:
    store.store(f"{device} address 7", BOTH)
    assert store.load(f"{device} address 7") == BOTH
    assert [file.parent for file in folder.rglob("*")] == [folder]
