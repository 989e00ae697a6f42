"""A small backup in memory, and every way to look at one."""

import hashlib
from collections import deque
from collections.abc import Iterator
from io import BytesIO

from doorctl.backup.archive import read_end, read_manifest, read_member, write_archive
from doorctl.backup.envelope import TITLE, SealedReader, SealedWriter
from doorctl.backup.manifest import VERSION, Manifest, Member, MemberName, Role
from doorctl.core.types import WallTime

FILES = {"etc/doorctl.toml": b"[site]\n", "keys/lookup.key": b"k" * 64, "roster/roster.db": bytes(range(256)) * 600}
PASSPHRASE = b"correct horse battery staple"


def manifest_of(files: dict[str, bytes]) -> Manifest:
    members = tuple(
        Member(name=MemberName(name), size=len(content), sha256=hashlib.sha256(content).hexdigest())
        for name, content in files.items()
    )
    return Manifest(
        version=VERSION, doorctl="0.1.0", role=Role.BOARD, name="my-site", identity="00" * 16, simulated=True,
        created=WallTime(1_800_000_000_000_000_000), monitor_file="monitor.toml", token_keys=(), members=members,
    )  # fmt: skip


def archive_of(files: dict[str, bytes], manifest: Manifest | None = None) -> bytes:
    def content_of(member: Member) -> Iterator[bytes]:
        yield files[member.name]

    sink = BytesIO()
    write_archive(sink, manifest or manifest_of(files), content_of)
    return sink.getvalue()


def files_of(archive: bytes) -> dict[str, bytes]:
    """All of it, or PeerError."""
    return _read(BytesIO(archive))


def sealed(content: bytes) -> bytes:
    sink = BytesIO()
    writer = SealedWriter(sink, PASSPHRASE)
    writer.write(content)
    writer.finish()
    return sink.getvalue()


def unsealed(content: bytes, passphrase: bytes = PASSPHRASE) -> bytes:
    """All of it, or PeerError."""
    source = BytesIO(content)
    assert source.read(len(TITLE)) == TITLE
    reader = SealedReader(source, passphrase)
    pieces: deque[bytes] = deque()
    while piece := reader.read(1000):
        pieces.append(piece)
    return b"".join(pieces)


def _read(source: BytesIO) -> dict[str, bytes]:
    manifest, encoded = read_manifest(source)
    found = {str(member.name): b"".join(read_member(source, member)) for member in manifest.members}
    read_end(source, encoded)
    return found
