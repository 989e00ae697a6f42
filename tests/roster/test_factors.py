"""Factors: domains, refusals that tell nothing, calibration on made-up machines."""

import hashlib
import hmac
from collections.abc import Callable
from itertools import pairwise

import pytest

from doorctl.core.types import Card
from doorctl.roster.factors import (
    FLOOR,
    CardId,
    Stretched,
    StretchParameters,
    calibrate,
    card_id,
    lookup_card,
    lookup_card_and_code,
    lookup_code,
    measure,
    stretch,
)
from tests.roster.people import CHEAP, SALT

KEY = bytes(range(32))
CARD = Card(length=26, raw=0x2031234)
MS = 1_000_000

VECTORS = [
    "32b146c736ef22688055e2cfb2d967c33ef60913d7339f483ec96e6fbd2cc979",
    "7eecafb695e73d4c1a0b058071e389a117c649113375de0465dc23623ed96426",
    "bd179434b15263a86cdc2f4fc56488d7ed32b7d5880c04ca5374ff0993f262fb",
    "2468f4a7df20d9f359a44395d49ea42a447a5fccac690cf2fae4f01ea47bea99",
    "543ef8e7edf8bec6280532b03944c9b7f6d424f7a879d92163bb8da7912b67c2",
    "ed4ddab159731b3bceb87c0901fe1f1d0cf44ce69e97ec9c53b95bcd3a7e5bac",
]
"""card id, code stretched, code stretched with the card, and their three look-ups: rows out there depend on them."""


def test_the_vectors_of_the_roster_never_change() -> None:
    card = card_id(KEY, CARD)
    alone = stretch("48207814", site_salt=SALT, card=None, parameters=CHEAP)
    with_card = stretch("48207814", site_salt=SALT, card=card, parameters=CHEAP)

    assert [
        value.hex()
        for value in (
            card,
            alone,
            with_card,
            lookup_card(KEY, card),
            lookup_code(KEY, alone),
            lookup_card_and_code(KEY, card, with_card),
        )
    ] == VECTORS


def test_a_card_id_is_an_hmac_of_length_and_raw_value() -> None:
    message = b"doorctl v1 card\0" + (26).to_bytes(2, "big") + (0x2031234).to_bytes(4, "big")

    assert card_id(KEY, CARD) == hmac.digest(KEY, message, hashlib.sha256)


def test_leading_zeros_make_another_card() -> None:
    assert card_id(KEY, Card(length=26, raw=5)) != card_id(KEY, Card(length=27, raw=5))


@pytest.mark.parametrize("card", [Card(length=0, raw=0), Card(length=26, raw=1 << 26), Card(length=26, raw=-1)])
def test_a_card_that_is_none_is_refused_without_its_number(card: Card) -> None:
    with pytest.raises(ValueError, match=r"^card: its raw value does not fit its length$"):
        card_id(KEY, card)


@pytest.mark.parametrize("pin", ["", "12a4", "12 4", "١٢٣٤", "-123"])
def test_a_pin_that_is_none_is_refused_without_its_digits(pin: str) -> None:
    with pytest.raises(ValueError, match=r"^a PIN is one or more digits$"):
        stretch(pin, site_salt=SALT, card=None, parameters=CHEAP)


def test_short_keys_salts_and_factors_are_refused() -> None:
    card = card_id(KEY, CARD)
    with pytest.raises(ValueError, match="31 bytes"):
        card_id(KEY[:31], CARD)
    with pytest.raises(ValueError, match="15 bytes"):
        stretch("1234", site_salt=SALT[:15], card=None, parameters=CHEAP)
    with pytest.raises(ValueError, match="0 bytes"):
        stretch("1234", site_salt=SALT, card=CardId(b""), parameters=CHEAP)
    with pytest.raises(ValueError, match="33 bytes"):
        lookup_code(KEY, Stretched(bytes(33)))
    with pytest.raises(ValueError, match="1 bytes"):
        lookup_card_and_code(KEY, card, Stretched(b"x"))


def test_every_input_changes_the_stretched_pin() -> None:
    def one(
        pin: str = "1234", salt: bytes = SALT, card: CardId | None = None, parameters: StretchParameters = CHEAP
    ) -> Stretched:
        return stretch(pin, site_salt=salt, card=card, parameters=parameters)

    results = {
        one(),
        one(pin="01234"),
        one(salt=bytes(16)),
        one(card=CardId(bytes(32))),
        one(card=CardId(b"\1" * 32)),
        one(parameters=StretchParameters(memory_kib=16, iterations=1, lanes=1)),
        one(parameters=StretchParameters(memory_kib=8, iterations=2, lanes=1)),
    }

    assert len(results) == 7
    assert {len(result) for result in results} == {32}


def test_kinds_of_look_up_never_meet() -> None:
    same = bytes(32)

    lookups = {
        lookup_card(KEY, CardId(same)),
        lookup_code(KEY, Stretched(same)),
        lookup_card_and_code(KEY, CardId(same), Stretched(same)),
    }

    assert len(lookups) == 3


def test_parameters_that_argon2_would_refuse_are_refused_early() -> None:
    for memory_kib, iterations, lanes in ((7, 1, 1), (8, 0, 1), (8, 1, 0), (8, 1, 2)):
        with pytest.raises(ValueError, match="argon2id"):
            StretchParameters(memory_kib=memory_kib, iterations=iterations, lanes=lanes)


def machine(ns_per_mib_pass: float) -> Callable[[StretchParameters], int]:
    """A machine whose time is the work."""
    return lambda p: int(p.memory_kib * p.iterations * ns_per_mib_pass / 1024)


@pytest.mark.parametrize(
    ("ns_per_mib_pass", "expected"),
    [
        (0.1 * MS, StretchParameters(memory_kib=65_536, iterations=15, lanes=1)),
        (0.7 * MS, StretchParameters(memory_kib=65_536, iterations=2, lanes=1)),
        (1.0 * MS, StretchParameters(memory_kib=47_104, iterations=2, lanes=1)),
        (1.5 * MS, StretchParameters(memory_kib=32_768, iterations=2, lanes=1)),
        (2.0 * MS, StretchParameters(memory_kib=19_456, iterations=2, lanes=1)),
        (2.6 * MS, StretchParameters(memory_kib=19_456, iterations=2, lanes=1)),
        (50.0 * MS, FLOOR),
    ],
)
def test_calibration_takes_memory_first_then_passes_and_never_less_than_the_floor(
    ns_per_mib_pass: float, expected: StretchParameters
) -> None:
    assert calibrate(100 * MS, measured=machine(ns_per_mib_pass)) == expected


def test_calibration_stays_within_the_target_and_uses_what_it_can() -> None:
    for target_ms in (60, 100, 150, 250, 1000):
        run = machine(0.4 * MS)
        chosen = calibrate(target_ms * MS, measured=run)
        one_more = StretchParameters(memory_kib=chosen.memory_kib, iterations=chosen.iterations + 1, lanes=1)
        assert run(chosen) <= target_ms * MS < run(one_more)


def test_one_interruption_does_not_spoil_a_calibration() -> None:
    runs = 0

    def interrupted(parameters: StretchParameters) -> int:
        nonlocal runs
        runs += 1
        return machine(0.7 * MS)(parameters) + (500 * MS if runs == 1 else 0)

    assert calibrate(100 * MS, measured=interrupted).memory_kib == 65_536


def test_calibration_ends_where_the_clock_stands_still() -> None:
    assert calibrate(100 * MS, measured=lambda _: 0).iterations <= 1_024


def test_the_measure_takes_longer_for_more_work() -> None:
    costs = [StretchParameters(memory_kib=1024, iterations=passes, lanes=1) for passes in (1, 10, 100)]

    assert all(less < more for less, more in pairwise(min(measure(cost) for _ in range(3)) for cost in costs))
