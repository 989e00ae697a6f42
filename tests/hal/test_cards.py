"""Card formats: known cards of the world, round trips, every refusal, and the packaged data's sanity."""

import pytest

from hal.errors import ConfigurationError
from hal.wiegand.cards import (
    FORMATS,
    CardFields,
    CardFormat,
    CardPolicy,
    Refusal,
    find_format,
    format_from,
    nearest_formats,
)

H10301 = FORMATS["H10301"]
DISPUTED = {"HPP32", "H10320", "BC40"}
UNCHECKED = {
    *("ind27", "indasc27", "Tecom27", "ind29", "ADT31", "HCP32", "Kantech", "WIE32", "Optus34", "SMP34"),
    *("P10004", "Casi40", "IR56"),
}
"""Formats whose maker's check is not known: any frame of the length passes."""


def checked_places(card_format: CardFormat) -> list[int]:
    """Shifts of the bits that a parity group covers."""
    covered = 0
    for group in card_format.parity:
        covered |= group.mask
    return [shift for shift in range(card_format.bits) if covered >> shift & 1]


def some_card(card_format: CardFormat) -> int:
    """A card with alternating ones in its fields, as far as fixed bits let it."""
    values = {}
    for name, shifts in card_format.fields.items():
        values[name] = 0
        for place, shift in enumerate(shifts):
            fixed = card_format.fixed_mask >> shift & 1
            bit = card_format.fixed_value >> shift & 1 if fixed else place & 1
            values[name] = values[name] << 1 | bit
    return card_format.encode(values)[1]


every_format = pytest.mark.parametrize("card_format", FORMATS.values(), ids=FORMATS.keys())


@pytest.mark.parametrize(
    ("published", "name", "shown"),
    [
        # captures and examples that people publish for their readers, with HID's preamble above the card's bits
        (0x2006EC0C86, "H10301", "H10301 118:1603"),
        (0x2006002A0B, "H10301", "H10301 0:5381"),
        (0x2E0EC00C87, "C1k35s", "C1k35s 118:1603"),
        (0x01F0760643C3, "P10001", "P10001 118:1603"),
        (0x01400076000C86, "C1k48s", "C1k48s 118:1603"),
    ],
)
def test_published_cards_are_understood(published: int, name: str, shown: str) -> None:
    card_format = FORMATS[name]
    raw = published & (1 << card_format.bits) - 1
    decoded = card_format.decode(card_format.bits, raw)
    assert isinstance(decoded, CardFields)
    assert str(decoded) == shown
    assert decoded.parity_holds
    assert card_format.encode(decoded.values) == (card_format.bits, raw)


def test_all_undisputed_formats_ship_and_no_other() -> None:
    assert len(FORMATS) == 40
    assert not DISPUTED & FORMATS.keys()
    assert {card_format.bits for card_format in FORMATS.values()} == {
        *(26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 42, 46, 48, 56),
    }


@every_format
def test_no_two_fields_share_a_bit_and_only_fixed_bits_lie_in_fields(card_format: CardFormat) -> None:
    places = [shift for shifts in card_format.fields.values() for shift in shifts]
    assert len(places) == len(set(places))
    parity_bits = [group.parity_bit.bit_length() - 1 for group in card_format.parity]
    assert not set(parity_bits) & set(places)
    assert card_format.fixed_value & ~card_format.fixed_mask == 0
    assert not any(card_format.fixed_mask & group.parity_bit for group in card_format.parity)


@every_format
def test_a_card_round_trips(card_format: CardFormat) -> None:
    raw = some_card(card_format)
    decoded = card_format.decode(card_format.bits, raw)
    assert isinstance(decoded, CardFields)
    assert card_format.encode(decoded.values) == (card_format.bits, raw)


@every_format
def test_every_flip_inside_a_parity_group_is_refused(card_format: CardFormat) -> None:
    raw = some_card(card_format)
    answers = {card_format.decode(card_format.bits, raw ^ 1 << shift) for shift in checked_places(card_format)}
    assert answers <= {Refusal.PARITY, Refusal.FIXED}
    assert bool(answers) == bool(card_format.parity)


@every_format
def test_one_bit_more_or_less_is_refused(card_format: CardFormat) -> None:
    raw = some_card(card_format)
    assert card_format.decode(card_format.bits + 1, raw) is Refusal.LENGTH
    assert card_format.decode(card_format.bits - 1, raw >> 1) is Refusal.LENGTH
    assert card_format.decode(card_format.bits, raw | 1 << card_format.bits) is Refusal.LENGTH
    assert card_format.decode(card_format.bits, -1) is Refusal.LENGTH


def test_formats_without_a_known_check_are_those_we_know_of() -> None:
    unchecked = {
        name for name, known in FORMATS.items() if not known.parity and known.checksum is None and not known.fixed_mask
    }
    assert unchecked == UNCHECKED


def test_a_checksum_byte_is_checked() -> None:
    p10001 = FORMATS["P10001"]
    length, raw = p10001.encode({"facility": 118, "card": 1603})
    refusals = [p10001.decode(length, raw ^ 1 << shift) for shift in range(length)]
    assert refusals == [Refusal.CHECKSUM] * 36 + [Refusal.FIXED] * 4


def test_formats_of_one_shape_pass_each_other_so_none_is_guessed() -> None:
    for twins in (["H10301", "ind26"], ["H10306", "N10002", "BQT34"], ["H10302", "H10304", "MDI37"]):
        for one in twins:
            raw = some_card(FORMATS[one])
            assert [FORMATS[other].refusal(FORMATS[one].bits, raw) for other in twins] == [None] * len(twins)


def test_parity_can_be_left_unchecked_and_says_whether_it_held() -> None:
    length, raw = H10301.encode({"facility": 12, "card": 3456})
    wrong = raw ^ 1 << 25
    assert H10301.decode(length, wrong) is Refusal.PARITY
    lenient = H10301.decode(length, wrong, check_parity=False)
    assert lenient == CardFields(format="H10301", values={"facility": 12, "card": 3456}, parity_holds=False)


def test_a_policy_takes_its_formats_and_counts_the_parity_it_overlooks() -> None:
    length, raw = H10301.encode({"facility": 12, "card": 3456})
    strict, lenient = CardPolicy(H10301, FORMATS["P10001"]), CardPolicy(H10301, FORMATS["P10001"], check_parity=False)
    frames = [(length, raw), (length, raw ^ 2), (40, 0), (34, 0)]
    assert [strict(*frame) for frame in frames] == [True, False, False, False]
    assert [lenient(*frame) for frame in frames] == [True, True, False, False]
    assert (strict.lengths, strict.wrong_parity, lenient.wrong_parity) == (frozenset({26, 40}), 0, 1)


def test_leading_zeros_belong_to_the_card() -> None:
    assert H10301.encode({"facility": 0, "card": 0}) == (26, 1)
    assert H10301.decode(26, 1) == CardFields(format="H10301", values={"facility": 0, "card": 0}, parity_holds=True)
    assert H10301.decode(25, 1) is Refusal.LENGTH


def test_what_people_read_names_the_rarer_fields() -> None:
    kastle = FORMATS["Kastle"]
    raw = kastle.encode({"facility": 12, "card": 3456, "issue": 3})[1]
    assert str(kastle.decode(32, raw)) == "Kastle 12:3456 issue 3"
    assert str(FORMATS["H10302"].decode(*FORMATS["H10302"].encode({"card": 42}))) == "H10302 42"


def test_a_card_number_is_in_no_repr() -> None:
    assert repr(H10301.decode(*H10301.encode({"facility": 12, "card": 3456}))) == (
        "CardFields(format='H10301', parity_holds=True)"
    )


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("H10301", {"card": 5}, "H10301: expected the fields facility, card"),
        ("H10302", {"card": 5, "facility": 1}, "H10302: expected the fields card"),
        ("H10301", {"facility": 256, "card": 5}, "H10301: facility does not fit into 8 bits"),
        ("H10301", {"facility": 5, "card": -1}, "H10301: card does not fit into 16 bits"),
        ("S12906b", {"facility": 5, "card": 1}, "S12906b: a field contradicts the bits that are fixed in this format"),
    ],
)
def test_fields_that_do_not_fit_are_refused_without_their_number(
    name: str, values: dict[str, int], message: str
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        FORMATS[name].encode(values)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        *((written, ("H10301",)) for written in ("wiegand26", "Wiegand 26", "26-bit", "26 bits", "26bit", "26", "w26")),
        ("wiegand34", ("H10306",)),
        ("37-bit", ("H10302", "H10304")),
        ("27-bit", ("ind27", "indasc27", "Tecom27")),
        ("99-bit", ()),
        ("wie32", ("WIE32",)),
    ],
)
def test_a_length_means_its_usual_formats(written: str, meant: tuple[str, ...]) -> None:
    assert nearest_formats(written, limit=1) == meant


def test_a_wrong_name_is_answered_with_the_nearest() -> None:
    assert find_format("H10301") is H10301
    assert nearest_formats("h10301")[0] == "H10301"
    assert nearest_formats("Corporate") == ()
    with pytest.raises(ConfigurationError, match=r"^unknown card format 'H1301', did you mean H10301 or "):
        find_format("H1301")
    with pytest.raises(ConfigurationError, match=r"^unknown card format 'wiegand'$"):
        find_format("wiegand")


@pytest.mark.parametrize("listed", ["1-26", "3,3", "-1"])
def test_a_layout_that_does_not_fit_its_length_is_refused(listed: str) -> None:
    entry = {"name": "odd", "bits": 26, "description": "", "fields": {"card": listed}}
    with pytest.raises((ConfigurationError, ValueError)):
        format_from(entry)


def test_an_unknown_checksum_is_refused() -> None:
    entry = {"name": "odd", "bits": 16, "description": "", "fields": {"card": "0-7"}}
    with pytest.raises(ConfigurationError, match="unknown checksum 'crc'"):
        format_from({**entry, "checksum": {"kind": "crc", "over": "0-7", "at": "8-15"}})
