"""Which files are a board's: the keys of its OSDP readers are, however many; nothing else that lies beside them is."""

from pathlib import Path

import pytest

from doorctl.backup.contents import Contents
from doorctl.backup.manifest import MemberName, Role
from doorctl.errors import MalformedError
from doorctl.paths import Paths
from doorctl.seal.keys import create_controller_keys
from doorctl.seal.reader_keys import ReaderKeys, ReaderKeyStore

LONGEST = "/dev/serial/by-id/usb-Silicon_Labs_CP2102_USB_to_UART_Bridge_Controller_0001-if00-port0"


def test_the_keys_of_its_readers_are_in_a_backup_of_a_board(tmp_path: Path) -> None:
    paths = Paths.under(tmp_path)
    store = ReaderKeyStore(paths.reader_keys, create_controller_keys(paths, simulated=True))
    for place in ("/dev/ttyAMA0 address 1", f"{LONGEST} address 126"):
        store.store(place, ReaderKeys(current=bytes(16)))
    (paths.reader_keys / ".unfinished.key").touch()
    contents = Contents(paths, Role.BOARD)
    found = [part for part in contents.parts() if part.path.parent == paths.reader_keys]
    assert [part.name for part in found] == [f"osdp/{name}" for name in sorted(path.name for path in _shown(paths))]
    assert len(found) == 2
    for part in found:
        assert len(part.name) <= 100
        assert (contents.place_of(part.name), part.mode, part.needed) == (part, 0o600, False)
    assert not [part for part in Contents(paths, Role.MONITOR).parts() if part.path.parent == paths.reader_keys]


def _shown(paths: Paths) -> list[Path]:
    return [path for path in paths.reader_keys.iterdir() if not path.name.startswith(".")]


@pytest.mark.parametrize("name", ["osdp/../../etc/passwd", "osdp/x.key", "osdp/.a-00000000.key", "osdp/a-0000000g.key"])
def test_no_other_name_is_written_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(MalformedError):
        Contents(Paths.under(tmp_path), Role.BOARD).place_of(MemberName(name))
