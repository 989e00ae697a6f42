"""What holds of every card format for every card."""

from hypothesis import given
from hypothesis import strategies as st

from hal.wiegand.cards import FORMATS, CardFields, CardFormat, Refusal

formats = st.sampled_from(list(FORMATS.values()))


@st.composite
def fields_of(draw: st.DrawFn) -> tuple[CardFormat, dict[str, int]]:
    """A format and values for its fields, fixed bits as they must be."""
    card_format = draw(formats)
    values = {}
    for name, shifts in card_format.fields.items():
        values[name] = 0
        for shift, free in zip(
            shifts, draw(st.lists(st.booleans(), min_size=len(shifts), max_size=len(shifts))), strict=True
        ):
            fixed = card_format.fixed_mask >> shift & 1
            values[name] = values[name] << 1 | (card_format.fixed_value >> shift & 1 if fixed else free)
    return card_format, values


@given(made=fields_of())
def test_decode_undoes_encode(made: tuple[CardFormat, dict[str, int]]) -> None:
    card_format, values = made
    length, raw = card_format.encode(values)
    assert card_format.decode(length, raw) == CardFields(format=card_format.name, values=values, parity_holds=True)


@given(card_format=formats, data=st.data())
def test_any_frame_is_a_card_or_refused_and_its_fields_make_it_again(
    card_format: CardFormat, data: st.DataObject
) -> None:
    raw = data.draw(st.integers(0, (1 << card_format.bits) - 1))
    decoded = card_format.decode(card_format.bits, raw)
    if isinstance(decoded, Refusal):
        assert decoded is card_format.refusal(card_format.bits, raw)
        return
    again = card_format.encode(decoded.values)[1]
    assert card_format.decode(card_format.bits, again) == decoded


@given(made=fields_of(), data=st.data())
def test_a_flip_inside_a_parity_group_is_refused(made: tuple[CardFormat, dict[str, int]], data: st.DataObject) -> None:
    card_format, values = made
    length, raw = card_format.encode(values)
    flip = 1 << data.draw(st.integers(0, length - 1))
    watched = any(group.mask & flip for group in card_format.parity)
    assert card_format.parity_holds(raw ^ flip) == (not watched)
    assert not watched or isinstance(card_format.decode(length, raw ^ flip), Refusal)
