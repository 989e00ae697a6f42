"""Looks for what must not be there: words that name the meaning, codes, card numbers; in files, names and texts.

Files are searched as bytes, so a database's tables, free pages and write-ahead log are as good as text. A code also
counts in groups of three, as people write it down, and where it stands in hexadecimal of its digits.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from doorctl.core.types import Card

WORDS: Final = re.compile(rb"duress|coerc|panic|hold-?up", re.IGNORECASE)
FACILITY_BITS: Final = 24
"""Of H10301: its number without parity."""


class Needles:
    """What nobody at the door may find, and where it was found."""

    def __init__(self, codes: Iterable[str], cards: Iterable[Card]) -> None:
        patterns = {"a word": WORDS.pattern}
        for number, code in enumerate(codes):
            patterns[f"code {number}"] = b"|".join(re.escape(form) for form in forms_of_code(code))
        for number, card in enumerate(cards):
            patterns[f"card {number}"] = b"|".join(forms_of_card(card))
        self._patterns = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in patterns.items()}

    def in_bytes(self, haystack: bytes) -> set[str]:
        """Names of the needles in it."""
        return {name for name, pattern in self._patterns.items() if pattern.search(haystack)}

    def in_texts(self, texts: Mapping[str, str]) -> dict[str, set[str]]:
        """By the text's name."""
        found = {name: self.in_bytes(text.encode()) for name, text in texts.items()}
        return {name: needles for name, needles in found.items() if needles}

    def below(self, folder: Path, *, but: Iterable[Path] = ()) -> dict[str, set[str]]:
        """By file, in names and contents, everywhere below a folder but for some that are the monitor's."""
        found = {}
        for path in sorted(folder.rglob("*")):
            if any(path.is_relative_to(other) for other in but):
                continue
            name = str(path.relative_to(folder))
            needles = self.in_bytes(name.encode())
            if path.is_file():
                needles |= self.in_bytes(path.read_bytes())
            if needles:
                found[name] = needles
        return found


def forms_of_code(code: str) -> set[bytes]:
    """As typed, as shown, as UTF-16, as hexadecimal of its ASCII, and as a list of digits."""
    grouped = " ".join(code[i : i + 3] for i in range(0, len(code), 3))
    listed = ", ".join(code)
    quoted = ", ".join(f"'{digit}'" for digit in code)
    return {
        code.encode(),
        grouped.encode(),
        code.encode("utf-16-le"),
        code.encode().hex().encode(),
        listed.encode(),
        quoted.encode(),
    }


def forms_of_card(card: Card) -> set[bytes]:
    """Its raw value in decimal and hexadecimal, all its bits, its number, and facility with number."""
    number = (card.raw >> 1) & 0xFFFF
    facility = (card.raw >> 17) & 0xFF
    return {
        rb"(?<!\d)%d(?!\d)" % card.raw,
        rb"(?<![0-9a-f])0?%x(?![0-9a-f])" % card.raw,
        rb"%s" % format(card.raw, f"0{card.length}b").encode(),
        rb"(?<![\d.:])%d(?!\d)" % number,
        rb"(?<!\d)%d[:/,. -]%d(?!\d)" % (facility, number),
    }
