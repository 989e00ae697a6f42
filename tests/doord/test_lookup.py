"""Factors to rows as doord does it: one path for a hit and a miss, damage as a value."""

from pathlib import Path

import pytest

from doorctl.core.effects import Code, Request
from doorctl.core.types import Card, Monotonic
from doorctl.doord.lookup import Found, RosterAccess
from doorctl.errors import InternalError, OperatorError
from doorctl.paths import Paths
from doorctl.seal.sealing import row_tag
from tests.doord.site import MadeSite, a_card
from tests.doord.virtual import STRETCH, VirtualLoop


def request(card: Card | None, code: str | None) -> Request:
    return Request(card=card, code=None if code is None else Code(code), at=Monotonic(0))


def find(loop: VirtualLoop, roster: RosterAccess, *requests: Request) -> list[Found]:
    async def all_of_them() -> list[Found]:
        try:
            return [await roster.find(one) for one in requests]
        finally:
            await roster.close()

    return loop.run_until_complete(all_of_them())


def test_each_way_to_be_known_finds_its_row(site: MadeSite, paths: Paths, loop: VirtualLoop) -> None:
    ana, gus = site.people["ana"], site.people["gus"]
    roster = RosterAccess(paths.roster, site.keys.lookup)
    found = find(
        loop,
        roster,
        request(ana.card, None),
        *(request(None, code) for code in ana.codes),
        *(request(ana.card, code) for code in ana.codes),
        request(gus.card, ana.code),
        request(None, "12345670"),
        request(a_card(999), None),
    )
    holders = [one.row.match.holder if one.row is not None else None for one in found]
    assert holders == [ana.holder] * 5 + [None] * 3
    assert all(one.readable for one in found)
    assert len({one.row_tag for one in found}) == len(found)
    assert [one.card is not None for one in found] == [True, False, False, True, True, True, False, True]
    tags = [one.row.row_tag for one in found if one.row is not None]
    assert tags == [one.row_tag for one in found[:5]]
    assert row_tag(bytes(32)) not in tags


def test_a_miss_takes_as_long_as_a_hit(site: MadeSite, paths: Paths, loop: VirtualLoop) -> None:
    ana = site.people["ana"]
    roster = RosterAccess(paths.roster, site.keys.lookup)

    async def story() -> list[int]:
        took = []
        for code in (ana.code, ana.codes[1], "12345670", "12345671", "1"):
            begun = loop.now
            await roster.find(request(None, code))
            took.append(loop.now - begun)
        await roster.close()
        return took

    assert len(set(loop.run_until_complete(story()))) == 1


def test_the_slowest_run_is_measured_in_its_own_thread(site: MadeSite, paths: Paths, loop: VirtualLoop) -> None:
    roster = RosterAccess(paths.roster, site.keys.lookup)

    async def story() -> None:
        assert await roster.slowest_stretch() == STRETCH
        await roster.close()

    loop.run_until_complete(story())
    assert loop.threads["stretch"].calls == 3


def test_facts_follow_the_file(site: MadeSite, paths: Paths, loop: VirtualLoop) -> None:
    roster = RosterAccess(paths.roster, site.keys.lookup)
    kept = paths.roster.read_bytes()

    async def story() -> list[tuple[int, int, bool]]:
        found = [(roster.facts.generation, roster.holders, roster.damage is None)]
        for content in (b"x" * len(kept), kept):
            paths.roster.write_bytes(content)
            await roster.refresh()
            found.append((roster.facts.generation, roster.holders, roster.damage is None))
        await roster.close()
        return found

    told = loop.run_until_complete(story())
    assert told == [(8, 7, True), (8, 7, False), (8, 7, True)], "the last good ones are told on"


def test_a_damaged_roster_matches_nobody_until_it_is_mended(site: MadeSite, paths: Paths, loop: VirtualLoop) -> None:
    ana, kept = site.people["ana"], paths.roster.read_bytes()
    paths.roster.write_bytes(b"x" * len(kept))
    roster = RosterAccess(paths.roster, site.keys.lookup)
    assert roster.parameters is None
    assert roster.damage is not None

    async def story() -> None:
        found = await roster.find(request(ana.card, ana.code))
        assert (found.row, found.readable, len(found.row_tag)) == (None, False, 16)
        assert await roster.slowest_stretch() == STRETCH, "by the floor's cost"
        paths.roster.write_bytes(kept)
        await roster.refresh()
        assert (await roster.find(request(ana.card, ana.code))).row is not None
        await roster.close()

    loop.run_until_complete(story())


def test_no_roster_at_all_is_the_operators_business(folder: Path) -> None:
    with pytest.raises(OperatorError, match="there is no roster"):
        RosterAccess(folder / "roster.db", bytes(32))


def test_a_request_without_a_factor_is_our_own_mistake(site: MadeSite, paths: Paths, loop: VirtualLoop) -> None:
    with pytest.raises(InternalError):
        find(loop, RosterAccess(paths.roster, site.keys.lookup), request(None, None))


def test_the_watchdog_looks_at_every_thread(site: MadeSite, paths: Paths, loop: VirtualLoop) -> None:
    roster = RosterAccess(paths.roster, site.keys.lookup)
    assert [thread.name for thread in roster.threads] == ["roster", "stretch"], "on a card's way"
    assert roster.digest_thread.name == "digest"
    loop.run_until_complete(roster.close())
