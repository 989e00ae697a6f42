"""Promise 4: nothing that arrives from the network, or is replayed from a disk, ever moves a strike by itself."""

import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorctl.paths import Paths
from doorctl.wire.handoff import FROM_COURIER, PAYLOAD_SIZE, PathState, Type
from tests.doord.conftest import Play
from tests.doord.house import House, running, short_folder
from tests.doord.site import STRIKES, MadeSite
from tests.doord.virtual import virtual_time


def strikes(house: House) -> list[tuple[str, bool | None, int]]:
    return house.outputs(*STRIKES.values())


async def a_full_journal(house: House) -> list[bytes]:
    """Grants, denials and an operator's unlock, all in the journal; then quiet."""
    ana = house.site.people["ana"]
    for reader, card in (("front", ana.card), ("office", None), ("side", None)):
        await house.enter(reader, card, ana.code)
        await house.wait(4)
    await house.ask("unlock", door="front")
    await house.wait(10)
    return house.courier.records()


@settings(max_examples=60, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    said=st.lists(
        st.one_of(
            st.sampled_from(sorted(FROM_COURIER, key=lambda type_: type_.value)).flatmap(
                lambda type_: st.binary(min_size=PAYLOAD_SIZE[type_], max_size=PAYLOAD_SIZE[type_]).map(
                    lambda payload: type_.value + payload
                )
            ),
            st.sampled_from(list(Type)).map(lambda type_: type_.value + bytes(PAYLOAD_SIZE[type_])),
            st.binary(max_size=300),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_no_bytes_on_the_couriers_socket_move_a_strike(said: list[bytes], site: MadeSite) -> None:
    with short_folder() as folder, virtual_time() as loop:
        paths = site.copy(folder / "h")

        async def story() -> None:
            async with running(site, paths, loop) as house:
                before = strikes(house)
                for bytes_ in said:
                    if not house.courier.connected:
                        await house.courier.connect(house.paths.courier_socket)
                    house.courier.write(bytes_)
                    await house.wait(0.1)
                await house.wait(2)
                assert strikes(house) == before
                ana = site.people["ana"]
                await house.enter("office", None, ana.code)
                await house.wait(0.5)
                assert house.released("office"), "and the door still works"

        loop.run_until_complete(story())


def test_the_doors_own_records_sent_back_move_nothing(play: Play) -> None:
    async def story(house: House) -> None:
        records = await a_full_journal(house)
        before = strikes(house)
        receipts = [house.monitor.receipt(record) for record in records]
        for type_ in (Type.FRESH, Type.HOLD, Type.BACKLOG, Type.SUPERVISION):
            for record in records[-3:]:
                house.courier.say(type_, record)
                await house.wait(0.1)
                assert not house.courier.connected, "a courier has no such words"
                await house.courier.connect(house.paths.courier_socket)
        for receipt in receipts * 2:
            house.courier.say(Type.RECEIPT, receipt)
        for state in PathState:
            house.courier.say(Type.PATH, bytes([state.value]))
        house.courier.say(Type.BACKLOG_WANTED, (64).to_bytes(2, "big"))
        house.courier.say(Type.SUPERVISION_WANTED)
        await house.wait(5)
        assert strikes(house) == before
        assert (await house.status())["path"]["courier_malformed"] == 12

    play(story)


@pytest.mark.parametrize("receipted", [True, False])
def test_a_start_on_an_old_journal_moves_nothing(site: MadeSite, paths: Paths, play: Play, receipted: bool) -> None:
    """A journal restored from a backup, a copied disk, a restart: what lies there was done once."""

    async def story(house: House) -> None:
        house.courier.receipts = receipted
        await a_full_journal(house)
        await house.stop()
        saved = paths.journal.parent.with_name("saved")
        shutil.copytree(paths.journal.parent, saved)
        await house.start()
        await house.armed()
        shutil.copytree(saved, paths.journal.parent, dirs_exist_ok=True, ignore=lambda *_: ["journal.db.lock"])
        await house.restart()
        started = house.now
        await house.courier.connect(house.paths.courier_socket)
        house.courier.say(Type.BACKLOG_WANTED, (64).to_bytes(2, "big"))
        await house.wait(30)
        moved = {(pin, level) for pin, level, at in strikes(house) if at >= started}
        assert moved <= {(pin, False) for pin in STRIKES.values()}, "secured at the start, and nothing else"
        assert not any(house.released(door) for door in ("front", "office", "side", "back"))

    play(story)


def test_a_forgotten_request_is_not_taken_up_again(play: Play) -> None:
    """Card and half a code, then a restart: nobody is let in by what is left of it."""

    async def story(house: House) -> None:
        ana = house.site.people["ana"]
        await house.enter("front", ana.card, ana.code[:4])
        await house.restart()
        await house.armed()
        await house.enter("front", None, ana.code[4:])
        await house.wait(2)
        assert house.releases("front") == []

    play(story)


def test_a_restart_in_the_middle_of_an_answer_releases_nothing(play: Play) -> None:
    async def story(house: House) -> None:
        ana = house.site.people["ana"]
        await house.enter("front", ana.card, ana.code)
        await house.wait(0.1)  # decided, recorded, not yet answered
        await house.restart()
        await house.wait(5)
        assert house.releases("front") == []
        assert [row.event for row in house.log()][-2:] == ["access", "start"]

    play(story)
