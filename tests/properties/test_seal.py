"""Whatever is sealed comes back as it was, and says nothing by its size or its clear part."""

from dataclasses import replace
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from doorctl.core.types import HolderId
from doorctl.seal.meaning import CodeLookups, Meaning, TokenPlain, fit_label, seal_rows
from doorctl.seal.opening import open_record, open_token, sign_receipt
from doorctl.seal.receipts import verify_receipt
from doorctl.seal.roster_tree import RosterTree, roster_digest
from doorctl.seal.sealing import seal_record
from doorctl.wire.receipt import Receipt
from doorctl.wire.record import (
    Body,
    Header,
    RowTag,
)
from tests.seal.sample import IDENTITY, MONITOR, PUBLIC, RECORD_KEYS
from tests.wire.strategies import BODIES, HEADERS, RECEIPTS, exactly

PLAINS = st.builds(
    TokenPlain,
    holder=exactly(16),
    label=st.text().map(fit_label),
    meaning=st.sampled_from(Meaning),
    issued=st.dates(min_value=date(1970, 1, 1)),
    row_tag=exactly(16).map(RowTag),
)


@given(HEADERS, BODIES)
@settings(max_examples=120, deadline=None)
def test_any_record_opens_to_what_was_sealed(header: Header, body: Body) -> None:
    record = seal_record(header=header, body=body, identity=IDENTITY, monitor=PUBLIC)
    assert len(record) == 2048
    assert record[:48] == header.encode()
    opened = open_record(record, record_keys=RECORD_KEYS, controller_identity=IDENTITY.public_key())
    assert opened == (header, body)


@given(HEADERS, BODIES, BODIES)
@settings(max_examples=40, deadline=None)
def test_the_clear_part_knows_nothing_of_the_body(header: Header, one: Body, other: Body) -> None:
    records = [seal_record(header=header, body=body, identity=IDENTITY, monitor=PUBLIC) for body in (one, other)]
    assert records[0][:48] == records[1][:48]
    assert len(records[0]) == len(records[1])


@given(RECEIPTS)
@settings(max_examples=120, deadline=None)
def test_any_receipt_comes_back(receipt: Receipt) -> None:
    untrusted = sign_receipt(receipt, MONITOR.receipt)
    assert len(untrusted) == 192
    assert verify_receipt(untrusted, PUBLIC) == receipt


@given(PLAINS)
@settings(max_examples=150, deadline=None)
def test_any_token_comes_back(plain: TokenPlain) -> None:
    assert TokenPlain.parse(plain.encode()) == plain


@given(st.text())
def test_a_label_always_fits_and_is_the_names_beginning(label: str) -> None:
    fitted = fit_label(label)
    assert len(fitted.encode()) <= 40
    assert "".join(character for character in label if character.isprintable()).startswith(fitted)


LOOKUPS = st.none() | exactly(32)
CODE_LOOKUPS = st.builds(
    CodeLookups,
    meaning=st.sampled_from([Meaning.NORMAL, Meaning.DURESS]),
    alone=LOOKUPS,
    with_card=LOOKUPS,
)


@given(LOOKUPS, st.lists(CODE_LOOKUPS, max_size=3), st.text(max_size=60))
@settings(max_examples=40, deadline=None)
def test_a_meaning_changes_nothing_that_the_board_can_see(
    card: bytes | None, codes: list[CodeLookups], label: str
) -> None:
    def visible(meaning: Meaning) -> tuple[set[bytes], set[int], int]:
        given_codes = [replace(code, meaning=meaning) for code in codes]
        rows = seal_rows(
            holder=HolderId("ana"),
            label=label,
            issued=date(2026, 7, 1),
            card=card,
            codes=given_codes,
            monitor=PUBLIC,
        )
        real = {factor for code in codes for factor in (code.alone, code.with_card)} | {card}
        return {lookup for lookup, _ in rows if lookup in real}, {len(token) for _, token in rows}, len(rows)

    assert visible(Meaning.NORMAL) == visible(Meaning.DURESS)


@given(card=LOOKUPS, codes=st.lists(CODE_LOOKUPS, max_size=3))
@settings(max_examples=40, deadline=None)
def test_every_row_is_what_its_slot_says(card: bytes | None, codes: list[CodeLookups]) -> None:
    expected = [Meaning.NORMAL] if card is not None else []
    expected += [code.meaning for code in codes for factor in (code.alone, code.with_card) if factor is not None]
    rows = seal_rows(
        holder=HolderId("ana"), label="Ana", issued=date(2026, 7, 1), card=card, codes=codes, monitor=PUBLIC
    )  # fmt: skip
    opened = [open_token(token, (MONITOR.token,)) for _, token in rows]
    meanings = [TokenPlain.parse(plain).meaning for plain in opened if plain is not None]
    assert sorted(meanings) == sorted(expected + [Meaning.DECOY] * (7 - len(expected)))


@given(st.lists(exactly(16)), st.randoms(use_true_random=False))
def test_the_roster_digest_has_no_order(entries: list[bytes], random: object) -> None:
    shuffled = list(entries)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' own Random
    assert roster_digest(shuffled) == roster_digest(entries)


_FEW_LEAVES = st.builds(lambda first, rest: bytes([first, first]) + rest, st.integers(0, 2), exactly(14))


@given(st.lists(st.tuples(st.booleans(), st.one_of(exactly(16), _FEW_LEAVES), st.booleans()), max_size=30))
def test_a_tree_that_is_followed_has_the_digest_of_what_is_there(changes: list[tuple[bool, bytes, bool]]) -> None:
    tree, live = RosterTree(), set[bytes]()
    for adds, entry, looked_at in changes:
        if adds:
            tree.add(entry)
            live.add(entry)
        else:
            gone = min(live, default=entry)
            tree.discard(gone)
            live.discard(gone)
        if looked_at:
            assert tree.digest() == roster_digest(live)
    assert tree.digest() == roster_digest(live)
