"""A door whose reader is on an RS-485 line: it opens, refuses and is seen like any other, and its keys are kept."""

import asyncio
from typing import Final

import pytest

from doorctl.config.reading import parse_config
from doorctl.config.types import BusPlace, Config
from doorctl.core.types import Outcome, ReaderName
from doorctl.paths import Paths
from doorctl.seal import private_files
from doorctl.seal.reader_keys import ReaderKeys, ReaderKeyStore
from doorctl.wire.record import Kind
from hal.osdp.session import ReaderSettings
from tests.doord.conftest import Play
from tests.doord.house import House
from tests.doord.rings import ring_of
from tests.doord.site import DOORS, MadeSite
from tests.doord.virtual import VirtualLoop

VAULT: Final = """\
[door.vault]
strike  = { pin = "GPIO21", type = "fail-secure", release_s = 3 }
egress  = "mechanical"
reader  = { osdp = "/dev/ttyAMA0", address = 1, mode = "card+code", baud = 115200 }

[schedule.hours]
"""
PLACE: Final = "/dev/ttyAMA0 address 1"


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
        assert store.load(PLACE) == first == house.doord.ring.keys(ReaderName("vault"))

    play(story, config=with_vault())


@pytest.mark.parametrize("allow_plain", ["", ", allow_plain = true"])
def test_a_spoilt_key_file_disarms_its_reader_alone_and_makes_it_no_plain_one(
    site: MadeSite, paths: Paths, loop: VirtualLoop, allow_plain: str
) -> None:
    paths.reader_keys.mkdir(mode=0o700)
    private_files.create_file(paths.reader_keys / "dev%2FttyAMA0-1.key", b"spoilt")

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
        store, name = ReaderKeyStore(paths.reader_keys, site.keys), ReaderName("vault")
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
