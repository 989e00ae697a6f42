"""The check digit of every code (H. M. Damm, 2004): one wrong key or two swapped neighbours are never a live code.

TABLE is a weakly totally anti-symmetric quasigroup of order 10: (i∗x)∗y = (i∗y)∗x only where x = y. Feeding a
code's digits through it, from 0, ends at 0 for a code with its right check digit. tests/seal/test_damm.py proves
the table's properties and, for every code of seven digits, the promise itself.
"""

from typing import Final

TABLE: Final = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)
"""Damm's own, from his dissertation (Totally anti-symmetrische Quasigruppen, Marburg 2004): zeros on the diagonal,
so that the digit which leads back to 0 is the interim digit itself."""


def check_digit(digits: str) -> str:
    """The digit to put behind `digits` (ASCII 0–9, ValueError for anything else)."""
    if not (digits.isascii() and (digits.isdigit() or not digits)):
        raise ValueError("check digit: not decimal digits")
    interim = 0
    for digit in digits:
        interim = TABLE[interim][int(digit)]
    return str(interim)


def valid(code: str) -> bool:
    """Whether a code ends in its check digit. For reports and tests: at the door a failed digit skips no work."""
    return code.isascii() and code.isdigit() and check_digit(code) == "0"
