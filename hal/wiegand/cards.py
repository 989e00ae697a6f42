"""Card formats as data: which bit of a frame means what, and which frames a format refuses.

A format is never guessed from a frame: H10306, N10002 and BQT34 have one shape and pass each other's
checks every time, and so do H10301 and ind26, or H10302, H10304 and MDI37. It is configured per reader.
A credential is (bit length, raw value); fields are for people to read, they lose bits that no field names.

Must never: decide who a card belongs to, or put a card number into an exception or a repr.
"""

import difflib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from importlib import resources
from types import MappingProxyType
from typing import Any, Final

from hal.errors import ConfigurationError

_LENGTH: Final = re.compile(r"(?:wiegand|wieg|w|wg|standard|std|hid)?[ _-]*([0-9]{2})[ _-]*(?:bits?)?")
"""What people write who know their cards' length and no format's name: `wiegand26`, `26-bit`, `w26`, `26`."""
_USUAL: Final = {26: ("H10301",), 34: ("H10306",), 37: ("H10302", "H10304")}
"""What makers of readers mean by a length alone; of other lengths every format may be meant."""


class Refusal(Enum):
    """Why a frame is not of a format."""

    LENGTH = "length"
    FIXED = "fixed bits"
    PARITY = "parity"
    CHECKSUM = "checksum"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFields:
    """A frame taken apart. `parity_holds` is false only where parity is not enforced, for a counter."""

    format: str
    values: Mapping[str, int] = field(repr=False)
    parity_holds: bool

    def __str__(self) -> str:
        """What an operator reads off the card: `H10301 12:3456`; what most formats lack comes last, by name."""
        shown = [str(self.values[name]) for name in ("facility", "card") if name in self.values]
        others = [f"{name} {value}" for name, value in self.values.items() if name not in {"facility", "card"}]
        return " ".join([self.format, ":".join(shown), *others])


@dataclass(frozen=True, slots=True, kw_only=True)
class ParityGroup:
    """`mask` covers the group and its parity bit; together they hold an odd or an even number of ones."""

    parity_bit: int
    """As a mask of one bit."""
    mask: int
    odd: bool

    def holds(self, raw: int) -> bool:
        """Whether the group counts as it should."""
        return (raw & self.mask).bit_count() & 1 == self.odd


@dataclass(frozen=True, slots=True, kw_only=True)
class Xor8:
    """A checksum byte: the exclusive or of the whole bytes before it. Both are given as right shifts of the frame."""

    byte_shifts: tuple[int, ...]
    checksum_shift: int

    def of(self, raw: int) -> int:
        """The byte that should stand at `checksum_shift`."""
        result = 0
        for shift in self.byte_shifts:
            result ^= raw >> shift & 0xFF
        return result

    def holds(self, raw: int) -> bool:
        """Whether it does."""
        return raw >> self.checksum_shift & 0xFF == self.of(raw)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFormat:
    """One layout of bits. Bit 0 is sent first and is the most significant bit of the raw value."""

    name: str
    bits: int
    description: str
    fields: Mapping[str, tuple[int, ...]]
    """Right shifts of each field's bits, most significant first."""
    fixed_mask: int
    fixed_value: int
    parity: tuple[ParityGroup, ...]
    """In the order of setting them: a later group may cover an earlier parity bit."""
    checksum: Xor8 | None

    def decode(self, length: int, raw: int, *, check_parity: bool = True) -> CardFields | Refusal:
        """Take a frame apart, or say why it is not of this format."""
        refusal = self.refusal(length, raw, check_parity=check_parity)
        if refusal is not None:
            return refusal
        values = {name: _gather(raw, shifts) for name, shifts in self.fields.items()}
        return CardFields(format=self.name, values=values, parity_holds=self.parity_holds(raw))

    def refusal(self, length: int, raw: int, *, check_parity: bool = True) -> Refusal | None:
        """The first thing that is wrong with a frame; None where nothing is. Some readers send wrong parity."""
        if length != self.bits or not 0 <= raw < 1 << self.bits:
            return Refusal.LENGTH
        if raw & self.fixed_mask != self.fixed_value:
            return Refusal.FIXED
        if check_parity and not self.parity_holds(raw):
            return Refusal.PARITY
        if self.checksum is not None and not self.checksum.holds(raw):
            return Refusal.CHECKSUM
        return None

    def parity_holds(self, raw: int) -> bool:
        """Whether every parity group counts as it should."""
        return all(group.holds(raw) for group in self.parity)

    def encode(self, values: Mapping[str, int]) -> tuple[int, int]:
        """(length, raw) of a card with these fields, all of them; bits that no field names are 0.

        Raises ConfigurationError, without the number, for a missing or unknown field or one that does not fit.
        """
        if values.keys() != self.fields.keys():
            raise ConfigurationError(f"{self.name}: expected the fields {', '.join(self.fields)}")
        raw = self.fixed_value
        for name, shifts in self.fields.items():
            if not 0 <= values[name] < 1 << len(shifts):
                raise ConfigurationError(f"{self.name}: {name} does not fit into {len(shifts)} bits")
            raw |= _scatter(values[name], shifts)
        if raw & self.fixed_mask != self.fixed_value:
            raise ConfigurationError(f"{self.name}: a field contradicts the bits that are fixed in this format")
        for group in self.parity:
            if not group.holds(raw):
                raw ^= group.parity_bit
        if self.checksum is not None:
            raw |= self.checksum.of(raw) << self.checksum.checksum_shift
        return self.bits, raw


class CardPolicy:
    """Which frames one reader's configuration takes for cards: the decoder's `accept`."""

    __slots__ = ("_check_parity", "_formats", "lengths", "wrong_parity")

    def __init__(self, *formats: CardFormat, check_parity: bool = True) -> None:
        self._formats = formats
        self._check_parity = check_parity
        self.lengths = frozenset(card_format.bits for card_format in formats)
        self.wrong_parity = 0
        """Frames taken in spite of their parity, where it is not checked: a reader that sends it wrong, or noise."""

    def __call__(self, length: int, raw: int) -> bool:
        """Whether one of the formats takes the frame."""
        if any(card_format.refusal(length, raw) is None for card_format in self._formats):
            return True
        if self._check_parity:
            return False
        taken = any(card_format.refusal(length, raw, check_parity=False) is None for card_format in self._formats)
        self.wrong_parity += taken
        return taken


def find_format(name: str) -> CardFormat:
    """The format of this name; ConfigurationError names the nearest ones."""
    try:
        return FORMATS[name]
    except KeyError:
        nearest = nearest_formats(name)
        meant = f", did you mean {' or '.join(nearest)}?" if nearest else ""
        raise ConfigurationError(f"unknown card format {name!r}{meant}") from None


def nearest_formats(name: str, limit: int = 3) -> tuple[str, ...]:
    """Formats whose names look like `name`, the likeliest first; case does not count.

    Where `name` is a length, those of this length that are usual, however many they are.
    """
    if length := _LENGTH.fullmatch(name.casefold()):
        bits = int(length[1])
        return _USUAL.get(bits) or tuple(known.name for known in FORMATS.values() if known.bits == bits)
    by_folded = {known.casefold(): known for known in FORMATS}
    close = difflib.get_close_matches(name.casefold(), by_folded, n=limit, cutoff=0.6)
    return tuple(by_folded[folded] for folded in close)


def load_formats() -> Mapping[str, CardFormat]:
    """The packaged formats by name, in the file's order (by length)."""
    text = resources.files("hal.wiegand").joinpath("formats.json").read_text(encoding="utf-8")
    return MappingProxyType({entry["name"]: format_from(entry) for entry in json.loads(text)["formats"]})


def format_from(entry: Mapping[str, Any]) -> CardFormat:
    """One entry of formats.json; ConfigurationError if its layout does not fit its length."""
    name, bits = str(entry["name"]), int(entry["bits"])

    def shifts(listed: str) -> tuple[int, ...]:
        places = tuple(_places(listed))
        if len(set(places)) != len(places) or not all(0 <= place < bits for place in places):
            raise ConfigurationError(f"{name}: {listed!r} are not {bits} different bits or fewer")
        return tuple(bits - 1 - place for place in places)

    fixed = [(shifts(str(place))[0], value) for place, value in entry.get("fixed", ())]
    return CardFormat(
        name=name,
        bits=bits,
        description=str(entry["description"]),
        fields=MappingProxyType({field_name: shifts(listed) for field_name, listed in entry["fields"].items()}),
        fixed_mask=_mask(shift for shift, _ in fixed),
        fixed_value=_mask(shift for shift, value in fixed if value),
        parity=tuple(
            ParityGroup(
                parity_bit=_mask(shifts(str(group["bit"]))),
                mask=_mask(shifts(f"{group['bit']},{group['over']}")),
                odd={"odd": True, "even": False}[group["kind"]],
            )
            for group in entry.get("parity", ())
        ),
        checksum=_checksum(entry["checksum"], shifts) if "checksum" in entry else None,
    )


def _checksum(entry: Mapping[str, str], shifts: Callable[[str], tuple[int, ...]]) -> Xor8:
    """The only kind of checksum there is so far; the last bit of each byte gives its shift."""
    if entry["kind"] != "xor8":
        raise ConfigurationError(f"unknown checksum {entry['kind']!r}")
    return Xor8(byte_shifts=shifts(entry["over"])[7::8], checksum_shift=shifts(entry["at"])[-1])


def _places(listed: str) -> Iterable[int]:
    """The numbers of `1-8,12`, in the order written."""
    for part in listed.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def _mask(shifts: Iterable[int]) -> int:
    """A number with these bits set."""
    return sum(1 << shift for shift in shifts)


def _gather(raw: int, shifts: tuple[int, ...]) -> int:
    """A field's value out of the frame."""
    value = 0
    for shift in shifts:
        value = value << 1 | raw >> shift & 1
    return value


def _scatter(value: int, shifts: tuple[int, ...]) -> int:
    """A field's bits at their places in the frame."""
    return _mask(shift for place, shift in enumerate(reversed(shifts)) if value >> place & 1)


FORMATS: Mapping[str, CardFormat] = load_formats()
"""Every format that ships, by name."""
