import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorctl.errors import MalformedError
from doorctl.wire.handoff import FROM_COURIER, FROM_DOOR, PAYLOAD_SIZE, Message, Parser, Type


def message(type_: Type, fill: int = 0) -> Message:
    return Message(type=type_, payload=bytes([fill]) * PAYLOAD_SIZE[type_])


def messages(types: frozenset[Type]) -> st.SearchStrategy[list[Message]]:
    return st.lists(st.builds(message, st.sampled_from(sorted(types, key=str)), st.integers(0, 255)), max_size=6)


SIDES = pytest.mark.parametrize("side", [FROM_DOOR, FROM_COURIER], ids=["from doord", "from courierd"])


def test_every_type_has_a_size_and_one_side_that_may_say_it() -> None:
    assert set(PAYLOAD_SIZE) == set(Type) == FROM_DOOR | FROM_COURIER
    assert not FROM_DOOR & FROM_COURIER
    assert len({type_.value for type_ in Type}) == len(Type)
    assert {len(type_.value) for type_ in Type} == {1}


@SIDES
@given(data=st.data())
def test_messages_come_back_however_the_bytes_are_cut(side: frozenset[Type], data: st.DataObject) -> None:
    sent = data.draw(messages(side))
    stream = b"".join(one.encode() for one in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    parser = Parser(side)
    received = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        received += parser.feed(stream[start:end])
    assert received == sent


@SIDES
def test_byte_by_byte(side: frozenset[Type]) -> None:
    sent = [message(type_, 7) for type_ in sorted(side, key=str)]
    parser = Parser(side)
    received = [one for byte in b"".join(m.encode() for m in sent) for one in parser.feed(bytes([byte]))]
    assert received == sent


@SIDES
@given(st.lists(st.binary(max_size=60), max_size=8))
def test_reading_is_total(side: frozenset[Type], pieces: list[bytes]) -> None:
    parser = Parser(side)
    received: list[Message] = []
    whole = b"".join(pieces)
    try:
        for piece in pieces:
            received += parser.feed(piece)
    except MalformedError:
        return
    assert whole.startswith(b"".join(one.encode() for one in received))


@pytest.mark.parametrize("type_", Type)
def test_a_side_may_not_say_what_is_the_others(type_: Type) -> None:
    parser = Parser(FROM_COURIER if type_ in FROM_DOOR else FROM_DOOR)
    with pytest.raises(MalformedError, match="unknown type byte"):
        parser.feed(message(type_).encode())


def test_a_stream_that_went_wrong_stays_wrong() -> None:
    parser = Parser(FROM_COURIER)
    with pytest.raises(MalformedError, match="0x21"):
        parser.feed(b"!")
    for later in (message(Type.SUPERVISION_WANTED).encode(), b""):
        with pytest.raises(MalformedError, match="0x21"):
            parser.feed(later)


@pytest.mark.parametrize("type_", Type)
def test_a_payload_of_another_size_is_our_own_fault(type_: Type) -> None:
    with pytest.raises(ValueError, match=type_.name):
        Message(type=type_, payload=bytes(PAYLOAD_SIZE[type_] + 1)).encode()


def test_nothing_is_said_before_a_message_is_whole() -> None:
    encoded = message(Type.FRESH, 1).encode()
    parser = Parser(FROM_DOOR)
    assert parser.feed(encoded[:-1]) == []
    assert parser.feed(b"") == []
    assert parser.feed(encoded[-1:] + message(Type.BACKLOG_END).encode()) == [
        message(Type.FRESH, 1),
        message(Type.BACKLOG_END),
    ]
