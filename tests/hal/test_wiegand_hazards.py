"""Cards that are damaged on their way: none is ever taken for another, and the naive ways are seen to fail."""

import pytest

from tests.bench.wiegand_decoders import at_length, by_the_rules, fixed_timeout
from tests.bench.wiegand_hazards import HAZARD_NAMES, SETS, Score, score

TRIALS = 2_000

every_set = pytest.mark.parametrize("card_set", SETS)


@every_set
@pytest.mark.parametrize("hazard", HAZARD_NAMES)
def test_no_hazard_makes_a_wrong_card(hazard: str, card_set: str) -> None:
    result = score(by_the_rules, hazard=hazard, card_set=card_set, trials=TRIALS)
    assert result.wrong == 0
    assert hazard != "none" or result == Score(read=TRIALS, missed=0, wrong=0)


@pytest.mark.soak
@every_set
@pytest.mark.parametrize("hazard", HAZARD_NAMES)
def test_no_hazard_makes_a_wrong_card_in_twenty_thousand(hazard: str, card_set: str) -> None:
    assert score(by_the_rules, hazard=hazard, card_set=card_set, trials=20_000, seed=2).wrong == 0


@every_set
def test_the_hazards_are_real_for_naive_decoders(card_set: str) -> None:
    timed_out = score(fixed_timeout, hazard="lost bit + glitch", card_set=card_set, trials=TRIALS)
    too_early = score(at_length, hazard="overlong", card_set=card_set, trials=TRIALS)
    assert timed_out.wrong > TRIALS // 10
    assert too_early.wrong > TRIALS // 10
