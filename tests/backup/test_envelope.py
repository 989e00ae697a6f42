"""A sealed backup: nothing of it can be read without the passphrase, changed, moved, left out or cut off."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorctl.backup import envelope
from doorctl.backup.envelope import CHUNK, TITLE
from doorctl.errors import MalformedError, PeerError, UnverifiedError
from tests.backup.making import sealed, unsealed

LONG = bytes(range(256)) * 1024
_TAG = 16
_OPENING = len(TITLE) + 16


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of keys are made here."""
    monkeypatch.setattr(envelope, "_MEMORY_KIB", 32)
    monkeypatch.setattr(envelope, "_PASSES", 1)


@pytest.mark.parametrize("size", [1, 1000, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5])
def test_what_was_sealed_is_read(size: int) -> None:
    content = LONG[:size]
    result = sealed(content)
    assert unsealed(result) == content
    chunks = -(-size // CHUNK)
    assert len(result) == _OPENING + size + chunks * _TAG


def test_two_of_the_same_differ() -> None:
    assert sealed(LONG) != sealed(LONG)
    assert LONG[:64] not in sealed(LONG)


def test_another_passphrase_does_not_open_it() -> None:
    with pytest.raises(UnverifiedError, match="the passphrase does not open it"):
        unsealed(sealed(LONG), b"correct horse battery stable")


@given(st.data())
def test_no_byte_can_be_another(data: st.DataObject) -> None:
    content = bytearray(sealed(LONG))
    place = data.draw(st.integers(len(TITLE), len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(UnverifiedError):
        unsealed(bytes(content))


@given(st.data())
def test_cut_anywhere_it_is_refused(data: st.DataObject) -> None:
    content = sealed(LONG)
    size = data.draw(st.integers(len(TITLE), len(content) - 1))
    with pytest.raises(PeerError):
        unsealed(content[:size])


def test_cut_between_two_chunks_it_is_refused() -> None:
    content = sealed(LONG)
    with pytest.raises(UnverifiedError, match="damaged or cut"):
        unsealed(content[: _OPENING + 2 * (CHUNK + _TAG)])


def test_chunks_keep_their_places() -> None:
    content, size = sealed(LONG), CHUNK + _TAG
    first, second = _OPENING + size, _OPENING + 2 * size
    swapped = content[:_OPENING] + content[first:second] + content[_OPENING:first] + content[second:]
    with pytest.raises(UnverifiedError):
        unsealed(swapped)
    with pytest.raises(UnverifiedError):
        unsealed(content[:_OPENING] + content[first:])


def test_something_behind_the_end_is_refused() -> None:
    with pytest.raises(UnverifiedError):
        unsealed(sealed(LONG) + b"\0")


def test_a_title_alone_is_refused() -> None:
    with pytest.raises(MalformedError, match="cut short"):
        unsealed(TITLE)
