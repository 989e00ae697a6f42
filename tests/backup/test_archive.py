"""The archive is a tar to everybody else, and to us exactly what we would have written, or refused."""

import hashlib
import tarfile
from io import BytesIO

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorctl.backup.archive import BLOCK, header, read_manifest, read_member, write_archive
from doorctl.backup.manifest import LARGEST_MEMBER, MemberName, parse_manifest
from doorctl.errors import MalformedError
from tests.backup.making import FILES, archive_of, files_of, manifest_of

ARCHIVE = archive_of(FILES)


def test_what_was_written_is_read() -> None:
    assert files_of(ARCHIVE) == FILES


def test_any_tar_reads_it() -> None:
    with tarfile.open(fileobj=BytesIO(ARCHIVE)) as tar:
        members = tar.getmembers()
        assert [member.name for member in members] == ["manifest.json", *FILES, "manifest.sha256"]
        assert {member.mode for member in members} == {0o600}
        for name, content in FILES.items():
            stream = tar.extractfile(name)
            assert stream is not None
            assert stream.read() == content


@pytest.mark.parametrize("size", [0, 8**11 - 1, 8**11, 8**12, LARGEST_MEMBER])
def test_a_header_is_what_tarfile_writes(size: int) -> None:
    """Eleven octal digits where they do; behind 8 GiB, which a ledger reaches in time, a binary number."""
    info = tarfile.TarInfo("ledger.db")
    info.size, info.mode = size, 0o600
    theirs = info.tobuf(tarfile.GNU_FORMAT)
    ours = header(info.name, info.size)
    assert ours[:124] == theirs[:124]
    assert ours[124:136] == theirs[124:136]
    assert len(ours) == BLOCK
    assert tarfile.TarInfo.frombuf(ours, "ascii", "strict").size == size


def test_a_member_of_more_than_8_gib_is_read_as_it_was_written() -> None:
    """All but its bytes: its header, and what stands behind it."""
    member = msgspec.structs.replace(manifest_of({"ledger.db": b""}).members[0], size=8**11 + 1)
    manifest = msgspec.structs.replace(manifest_of({}), members=(member,))
    sink = BytesIO()
    write_archive(sink, manifest, lambda _member: iter([b"ledger"]))
    source = BytesIO(sink.getvalue())
    found, _ = read_manifest(source)
    assert found == manifest
    with pytest.raises(MalformedError, match="cut short"):
        next(read_member(source, found.members[0]))
    assert source.tell() == len(sink.getvalue()), "the header was taken, and its bytes were begun"


@given(place=st.integers(0, len(ARCHIVE) - 1), mask=st.integers(1, 255))
def test_no_byte_can_be_another(place: int, mask: int) -> None:
    damaged = bytearray(ARCHIVE)
    damaged[place] ^= mask
    with pytest.raises(MalformedError):
        files_of(bytes(damaged))


@given(size=st.integers(0, len(ARCHIVE) - 1))
def test_cut_anywhere_it_is_refused(size: int) -> None:
    with pytest.raises(MalformedError):
        files_of(ARCHIVE[:size])


def test_something_behind_the_end_is_refused() -> None:
    with pytest.raises(MalformedError, match="behind the end"):
        files_of(ARCHIVE + b"\0")


@given(st.binary(max_size=3 * BLOCK))
def test_anything_else_is_refused(untrusted: bytes) -> None:
    with pytest.raises(MalformedError):
        read_manifest(BytesIO(untrusted))


@pytest.mark.parametrize(
    "name",
    ["../doorctl.toml", "/etc/passwd", "etc/../../x", "etc//x", "etc/.x", ".x", "a/b/c", "", "x\n", "manifest.json", "é", "x" * 101],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    """A forger fits everything to it: the digest, the headers, the end."""
    manifest = manifest_of({"x": b""})
    member = manifest.members[0]
    forged = manifest.encode().replace(b'"name": "x"', f'"name": {_json(name)}'.encode())
    assert member.name == MemberName("x")
    with pytest.raises(MalformedError, match="a name that none has"):
        parse_manifest(forged)


def _json(text: str) -> str:
    import json

    return json.dumps(text)


def test_a_member_that_stands_twice_is_refused() -> None:
    manifest = manifest_of({"x": b"", "y": b""})
    with pytest.raises(MalformedError, match="twice"):
        parse_manifest(manifest.encode().replace(b'"name": "y"', b'"name": "x"'))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"version": 1', b'"version": 2'),
        (b'"version": 1', b'"version": 1, "more": 1'),
        (b'"role": "board"', b'"role": "house"'),
        (b'"size": 0', b'"size": -1'),
        (b'"size": 0', f'"size": {LARGEST_MEMBER + 1}'.encode()),
        (b'"sha256": "e3', b'"sha256": "E3'),
        (b'"simulated": true', b'"simulated": 1'),
        (b'"created": 18', b'"created": -18'),
        (b'"created": 1', b'"created": 1000000000000000000000000000000'),
        (b'"created": 1', b'"created": 10'),
        (b'"my-site"', rb'"my-site\nsealed with a passphrase"'),
        (b'"my-site"', rb'"my-site\u001b[2J"'),
        (b'"my-site"', rb'"my-site\u202e"'),
        (b'"0.1.0"', rb'"0.1\r"'),
        (b'"00000000000000000000000000000000"', rb'"\u0007"'),
        (b'"monitor.toml"', rb'"monitor.toml\n"'),
    ],
)
def test_a_manifest_is_read_strictly(old: bytes, new: bytes) -> None:
    encoded = manifest_of({"x": b""}).encode()
    assert old in encoded
    with pytest.raises(MalformedError):
        parse_manifest(encoded.replace(old, new))


def test_a_manifest_says_what_follows() -> None:
    manifest, encoded = read_manifest(BytesIO(ARCHIVE))
    assert manifest == manifest_of(FILES)
    assert manifest.size == sum(map(len, FILES.values()))
    assert hashlib.sha256(encoded).hexdigest().encode() in ARCHIVE
