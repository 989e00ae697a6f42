"""Drawing codes: uniform, with a check digit, never one that is taken. Knows nothing of what a code will mean."""

import secrets
from collections.abc import Callable
from typing import Final

from doorctl.errors import OperatorError
from doorctl.seal.damm import check_digit

SHORTEST: Final = 4
LONGEST: Final = 12
MOST_DRAWS: Final = 50
"""In a space that is half full, 50 draws in a row are taken once in 10^15 times; each costs one Argon2id."""


def code_space(length: int) -> int:
    """How many codes there are of this length: the check digit adds none."""
    if not SHORTEST <= length <= LONGEST:
        raise OperatorError(
            f"codes.length: expected {SHORTEST} to {LONGEST} digits, found {length}",
            hint="8 where any door takes a code alone, else 6",
        )
    return int(10 ** (length - 1))


def draw_code(length: int, *, taken: Callable[[str], bool]) -> str:
    """One code of this site that is not taken; OperatorError where the space is too full to find one."""
    space = code_space(length)
    for _ in range(MOST_DRAWS):
        digits = f"{secrets.randbelow(space):0{length - 1}}"
        code = digits + check_digit(digits)
        if not taken(code):
            return code
    raise OperatorError(
        f"codes.length: {MOST_DRAWS} draws in a row gave only codes that are taken",
        hint="codes of this length are used up: make codes.length greater and draw everyone's codes anew",
    )


def chance_of_guess(live_codes: int, length: int) -> float:
    """The chance that one try at a door that takes a code alone hits a live code.

    The guesser is taken to know the check digit, so it does not help us here.
    """
    return min(1.0, live_codes / code_space(length))
