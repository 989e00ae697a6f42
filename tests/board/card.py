"""A machine's SD card: an ext4 file system in a file, which can fill, stand still, turn read-only, die, and be mended.

What happens to it is what the kernel does with a card: nothing of doorctl's is replaced. Its owner is the host, so a
machine that hangs keeps nobody from ending the story.
"""

import fcntl
import os
import struct
import subprocess
from pathlib import Path
from typing import Final, Self

from tests.board.rig import Container, until

SIZE: Final = 32 * 1024 * 1024
SHUTDOWN: Final = 0x8004587D
"""FS_IOC_SHUTDOWN of linux/fs.h: from then on every read and write fails."""
WITHOUT_FLUSH: Final = struct.pack("I", 2)
BALLAST: Final = "ballast"
MENDED: Final = (0, 1)
"""e2fsck(8): without errors, or with errors that were corrected."""


class Card:
    """One, in the machine's folder `place`. A context manager: it is in there inside, and gone afterwards."""

    def __init__(self, machine: Container, image: Path, place: str) -> None:
        self._machine, self._image, self._place = machine, image, place

    def __enter__(self) -> Self:
        with self._image.open("wb") as file:
            file.truncate(SIZE)
        said("mkfs.ext4", "-q", "-m", "0", "-E", "nodiscard", str(self._image))
        self._device = Path(said("losetup", "--find", "--show", str(self._image)).strip())
        number = os.minor(self._device.stat().st_rdev)
        self._machine.run(f"mkdir -p {self._place}; test -e {self._device} || mknod {self._device} b 7 {number}")
        self.insert()
        return self

    def __exit__(self, *_: object) -> None:
        self.thaw()
        self.pull()
        said("losetup", "--detach", str(self._device))

    def insert(self) -> None:
        """As /etc/fstab does it on a Debian: an error turns it read-only."""
        self._machine.run(f"mount -o errors=remount-ro {self._device} {self._place}")

    def pull(self) -> None:
        """Out of the machine; a process that has it open keeps it."""
        self._machine.run(f"umount --lazy {self._place}", check=False)

    def move_to(self, place: str) -> None:
        """Into another folder of the machine."""
        self.pull()
        self._place = place
        self.insert()

    def freeze(self) -> None:
        """Whoever writes waits, in the kernel, out of every signal's reach."""
        self._machine.run(f"fsfreeze -f {self._place}")

    def thaw(self) -> None:
        """Nothing where it moves."""
        told = self._machine.run(f"fsfreeze -u {self._place}", check=False)
        assert told == "" or "Invalid argument" in told, told

    def fill(self) -> None:
        told = self._machine.run(f"dd if=/dev/zero of={self._place}/{BALLAST} bs=1k", check=False)
        assert "No space left on device" in told

    def empty(self) -> None:
        self._machine.path(f"{self._place}/{BALLAST}").unlink()

    def turn_read_only(self) -> None:
        """What an error of the card makes of it."""
        Path(f"/sys/fs/ext4/{self._device.name}/trigger_fs_error").write_text("worn out", encoding="ascii")
        assert "Read-only file system" in self._machine.run(f"touch {self._place}/probe", check=False)

    def die(self) -> None:
        """It answers nothing but errors."""
        folder = os.open(self._machine.path(self._place), os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(folder, SHUTDOWN, WITHOUT_FLUSH)
        finally:
            os.close(folder)
        assert "Input/output error" in self._machine.run(f"touch {self._place}/probe", check=False)

    def mend(self) -> None:
        """Out, looked at, and in again; whoever has it open must let go of it by now."""
        self.pull()
        until(self._looked_at, 30, f"{self._device} is in use")
        self.insert()

    def _looked_at(self) -> bool:
        done = subprocess.run(["e2fsck", "-f", "-y", str(self._device)], check=False, capture_output=True)
        return done.returncode in MENDED


def said(*command: str) -> str:
    """What a program of this machine prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
