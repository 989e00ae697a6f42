"""A door whose reader is on an RS-485 line: it opens, refuses and is seen like any other, and its keys are kept."""

import asyncio
from typing import Final

import pytest

from doorctl.cli.status import lines
from doorctl.config.advice import advice
from doorctl.config.reading import parse_config
from doorctl.config.types import BusPlace, Config
from doorctl.core.types import Outcome, ReaderName
from doorctl.errors import OperatorError
from doorctl.paths import Paths
from doorctl.seal import private_files
from doorctl.seal.reader_keys import ReaderKeys, ReaderKeyStore
from doorctl.wire.detail import Act, FaultCode, FaultDetail, OperatorDetail, parse_detail
from doorctl.wire.record import Kind
from hal.mock_commands import Osdp
from hal.mock_drive import perform
from hal.osdp.session import ReaderSettings
from tests.doord.conftest import Play
from tests.doord.house import House
from tests.doord.rings import ring_of
from tests.doord.site import DOORS, SOUNDERS, MadeSite
from tests.doord.virtual import VirtualLoop

VAULT: Final = """\
[door.vault]
strike  = { pin = "GPIO21", type = "fail-secure", release_s = 3 }
egress  = "mechanical"
reader  = { osdp = "/dev/ttyAMA0", address = 1, mode = "card+code", baud = 115200 }

[schedule.hours]
"""
PLACE: Final = "/dev/ttyAMA0 address 1"
VAULT_READER: Final = ReaderName("vault")


def with_vault(reader: str = "") -> Config:
    text = DOORS.format(site="", front="", office="", side="").replace("[schedule.hours]\n", VAULT)
    text = text.replace("[group.staff]\n", '[group.staff]\nvault  = "always"\n')
    return parse_config(text.replace("baud = 115200", f"baud = 115200{reader}"), file="doorctl.toml")


def vault_strike(house: House) -> list[bool | None]:
    return [level for pin, level, _ in house.outputs("GPIO21")]


def test_a_card_and_a_code_open_it_and_the_record_reaches_the_monitor(play: Play, site: MadeSite) -> None:
    async def story(house: House) -> None:
        ana = site.people["ana"]
        await house.enter("vault", ana.card, ana.code)
        await house.wait(1.0)
        assert vault_strike(house)[-1] is True
        bodies = [house.monitor.open(record)[1] for record in house.courier.records()]
        assert [(body.kind, body.outcome) for body in bodies if body.door == "vault"] == [
            (Kind.ACCESS, Outcome.GRANTED)
        ]
        await house.wait(4.0)
        assert vault_strike(house)[-1] is False

    play(story, config=with_vault())


def test_the_key_of_a_made_up_reader_is_made_once_and_kept(play: Play, site: MadeSite, paths: Paths) -> None:
    store = ReaderKeyStore(paths.reader_keys, site.keys)

    async def story(house: House) -> None:
        first = store.load(PLACE)
        assert first.current is not None
        await house.restart()
        await house.armed()
        assert store.load(PLACE) == first == house.doord.ring.keys(VAULT_READER)

    play(story, config=with_vault())


@pytest.mark.parametrize("allow_plain", ["", ", allow_plain = true"])
def test_a_spoilt_key_file_disarms_its_reader_alone_and_makes_it_no_plain_one(
    site: MadeSite, paths: Paths, loop: VirtualLoop, allow_plain: str
) -> None:
    paths.reader_keys.mkdir(mode=0o700)
    private_files.create_file(paths.reader_keys / "ttyAMA0-address-1-a62751cc.key", b"spoilt")

    async def story() -> None:
        house = House(site, paths, with_vault(allow_plain), loop)
        await house.start()
        try:
            await house.wait(2.0)
            status = await house.status()
            states = {reader["name"]: reader["state"] for door in status["doors"] for reader in door["readers"]}
            assert states.pop("vault") == "offline"
            assert set(states.values()) == {"reading"}
            faults = {fault.partition(":")[0] for fault in status["faults"]}
            assert faults == {"key vault", "reader vault"}
        finally:
            await house.stop()

    loop.run_until_complete(story())


def test_a_prepared_key_is_on_the_disk_and_stays_the_same_until_it_has_worked(site: MadeSite, paths: Paths) -> None:
    async def story() -> None:
        faults: dict[str, str | None] = {}
        ring = ring_of(paths, site.keys, simulated=False, faults=faults)
        store, name = ReaderKeyStore(paths.reader_keys, site.keys), VAULT_READER
        place = BusPlace(device="/dev/ttyAMA0", address=1, baud=9600, rts_drives=False, allow_plain=True)
        assert ring.settings(name, place) == ReaderSettings(address=1, allow_plain=True)
        pending = await ring.prepare(name)
        assert store.load(PLACE) == ReaderKeys(pending=pending)
        assert await ring.prepare(name) == pending
        again = ring_of(paths, site.keys, simulated=False)
        assert again.settings(name, place) == ReaderSettings(address=1, new_key=pending, allow_plain=True)
        ring.counts(name, pending)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert store.load(PLACE) == ring.keys(name) == ReaderKeys(current=pending)
        assert faults == {"key vault": None}

    asyncio.run(story())


def reset(house: House) -> None:
    """The reader on the wall forgets its key."""
    perform(house.doord.board, Osdp(reader="vault", power="reset"))


def test_a_reader_without_its_key_is_installed_again_by_who_was_shown_it(play: Play, site: MadeSite) -> None:
    async def story(house: House) -> None:
        before = house.doord.ring.keys(VAULT_READER)
        reset(house)
        await house.wait(10.0)
        (vault,) = [one for one in (await house.ask("readers"))["readers"] if one["name"] == "vault"]
        assert (vault["online"], vault["secure"], vault["key"], vault["state"]) == (
            False,
            False,
            "installed",
            "offline",
        )
        who = (await house.ask("reader-who", door="vault"))["identity"]
        assert who["words"] == "vendor d00c1e, model 1 version 1, serial 1, firmware 0.1.0"
        installed = await house.ask("reader-install", door="vault", words=who["words"])
        assert installed == {"reader": "vault", "identity": who}
        after = house.doord.ring.keys(VAULT_READER)
        assert after.current not in {None, before.current}
        await house.wait(0.1)
        assert ReaderKeyStore(house.paths.reader_keys, site.keys).load(PLACE) == after
        assert [row.detail for row in house.log() if row.event == "operator"] == ["install reader vault, by uid 0"]
        ana = site.people["ana"]
        await house.enter("vault", ana.card, ana.code)
        await house.wait(1.0)
        assert vault_strike(house)[-1] is True

    play(story, config=with_vault())


def test_a_new_key_over_the_old_one(play: Play, site: MadeSite) -> None:
    async def story(house: House) -> None:
        before = house.doord.ring.keys(VAULT_READER).current
        assert (await house.ask("reader-rekey", door="vault"))["reader"] == "vault"
        after = house.doord.ring.keys(VAULT_READER)
        assert after.pending is None
        assert after.current not in {None, before}
        assert house.doord.board.made_up["vault"].key == after.current
        acts = [house.monitor.open(record)[1] for record in house.courier.records()]
        details = [parse_detail(body.kind, body.detail) for body in acts if body.kind is Kind.OPERATOR]
        assert details == [OperatorDetail(act=Act.REKEY_READER, uid=0)]

    play(story, config=with_vault())


def test_no_key_goes_to_another_reader_than_the_one_that_was_shown(play: Play) -> None:
    async def story(house: House) -> None:
        reset(house)
        await house.wait(10.0)
        before = house.doord.ring.keys(VAULT_READER)
        with pytest.raises(OperatorError, match="another reader answers now: vendor d00c1e"):
            await house.ask("reader-install", door="vault", words="vendor 000000, model 9 version 9, serial 9")
        assert house.doord.ring.keys(VAULT_READER) == before
        assert house.doord.board.made_up["vault"].key is None

    play(story, config=with_vault())


def test_what_cannot_be_done_is_said(play: Play) -> None:
    async def story(house: House) -> None:
        for operation, request, told in (
            ("reader-who", {"door": "front"}, "front: is a Wiegand reader, which has no key"),
            ("reader-rekey", {"door": "cellar"}, "there is no reader at 'cellar'"),
            ("reader-install", {"door": "vault", "words": ""}, "vault: is installed and online"),
            ("reader-test", {"door": "vault", "wait_s": 1}, "vault: no card was shown in time"),
        ):
            with pytest.raises(OperatorError, match=told):
                await house.ask(operation, **request)
        perform(house.doord.board, Osdp(reader="vault", line="cut"))
        await house.wait(20.0)
        with pytest.raises(OperatorError, match="vault: nobody answers at /dev/ttyAMA0 address 1"):
            await house.ask("reader-who", door="vault")
        with pytest.raises(OperatorError, match="vault: is not online with a key"):
            await house.ask("reader-rekey", door="vault")
        with pytest.raises(OperatorError, match="vault: is offline"):
            await house.ask("reader-test", door="vault")
        perform(house.doord.board, Osdp(reader="vault", line="mend"))
        await house.wait(3.0)
        assert (await house.status())["faults"] == []

    play(story, config=with_vault())


@pytest.mark.parametrize("door", ["vault", "front"])
def test_a_test_beeps_and_tells_of_a_card_that_opens_nothing(play: Play, site: MadeSite, door: str) -> None:
    async def story(house: House) -> None:
        testing = asyncio.ensure_future(house.ask("reader-test", door=door))
        await house.wait(0.5)
        house.card(door, site.people["ana"].card)
        assert await testing == {"reader": door, "length": 26}
        await house.wait(2.0)
        assert not any(row.event == "access" for row in house.log())
        sounder = f"{door} buzzer" if door == "vault" else SOUNDERS[door]
        assert True in [level for _, level, _ in house.outputs(sounder)]

    play(story, config=with_vault())


def test_its_cover_is_a_tamper_contact_without_configuration(play: Play) -> None:
    async def story(house: House) -> None:
        perform(house.doord.board, Osdp(reader="vault", tamper=True))
        await house.wait(1.0)
        assert (await house.status())["faults"] == ["tamper reader vault: active"]
        perform(house.doord.board, Osdp(reader="vault", tamper=False))
        await house.wait(1.0)
        assert (await house.status())["faults"] == []
        told = [(row.door, row.detail) for row in house.log() if row.event == "tamper"]
        assert told == [("vault", "began"), ("vault", "ended")]
        bodies = [house.monitor.open(record)[1] for record in house.courier.records()]
        details = [parse_detail(body.kind, body.detail) for body in bodies if body.kind is Kind.FAULT]
        assert details == [FaultDetail(code=FaultCode.TAMPER, began=began) for began in (True, False)]

    play(story, config=with_vault())


def test_a_plain_reader_reads_and_everybody_is_told_until_it_has_a_key(play: Play, site: MadeSite) -> None:
    config = with_vault(", allow_plain = true")
    assert [line for line in advice(config) if "MAY READ IN CLEAR" in line] != []

    async def story(house: House) -> None:
        ana = site.people["ana"]
        await house.enter("vault", ana.card, ana.code)
        await house.wait(1.0)
        assert vault_strike(house)[-1] is True
        told = lines(await house.status())
        assert [line for line in told if line.startswith("IN CLEAR: reader vault is not secured")] != []
        assert "  reader vault: reading, OSDP /dev/ttyAMA0 address 1, IN CLEAR" in told
        words = (await house.ask("reader-who", door="vault"))["identity"]["words"]
        await house.ask("reader-install", door="vault", words=words)
        await house.wait(1.0)
        told = lines(await house.status())
        assert not [line for line in told if "IN CLEAR" in line]
        assert "  reader vault: reading, OSDP /dev/ttyAMA0 address 1, secured" in told

    play(story, config=config)
