"""Everything that somebody at the door, at the board or on its lines could see of one performance of a scene.

The onlooker has a stop-watch good to the nanosecond, reads every file's size and every log line, asks `doorctl log`
and `status`, and sees each message to the courier. More than that: the sealed records are opened as only the monitor
could, and everything in them but the token is compared as well.
"""

import argparse
import contextlib
import io
import json
import logging
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, fields, replace
from itertools import count
from pathlib import Path
from typing import Final

import pytest

from doorctl.cli import log as log_command
from doorctl.cli import status as status_command
from doorctl.config import reading
from doorctl.core.types import SECOND
from doorctl.journal.rows import LogRow
from doorctl.paths import Paths
from doorctl.seal.meaning import Meaning
from doorctl.wire.detail import StartDetail, SupervisionDetail
from doorctl.wire.handoff import Type
from doorctl.wire.record import NO_HASH, Body, Kind, RowTag, Token, parse_header
from doorctl.wire.sizes import RECORD_SIZE, ROW_TAG_SIZE, TOKEN_SIZE
from tests.covert.scenes import WARMED_UP, Scene, act
from tests.doord.courier import CARRYING
from tests.doord.house import House, running
from tests.doord.site import MadeSite
from tests.doord.virtual import VirtualLoop, virtual_time

_NO_TOKEN: Final = Token(bytes(TOKEN_SIZE))
_NO_TAG: Final = RowTag(bytes(ROW_TAG_SIZE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The board after one step."""

    status: str
    """As `doorctl status --json` prints it."""
    status_text: str
    files: tuple[tuple[str, int, int], ...]
    """Name, size and mode of everything below the home."""
    pages: tuple[tuple[int, ...], ...]
    """Page count and free pages of both databases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """All of it."""

    outputs: tuple[tuple[str, bool | None, int], ...]
    looks: tuple[Look, ...]
    messages: tuple[tuple[int, str, int, int], ...]
    """To the courier: when, type, size, and the number in its clear header."""
    bodies: tuple[Body, ...]
    """As the monitor opens them, without token, row tag, and hashes over sealed bytes."""
    rows: tuple[LogRow, ...]
    log_text: str
    log_json: str
    said: tuple[str, ...]
    """Every line that was logged, at debug level."""
    meanings: tuple[Meaning | None, ...] = field(compare=False)
    """What only the monitor sees: of each body's token."""


def assert_alike(everyday: Seen, other: Seen) -> None:
    """Equal but for what only the monitor can see; and there a row's token is a row's token."""
    for field_ in fields(Seen):
        if field_.compare:
            assert getattr(everyday, field_.name) == getattr(other, field_.name), field_.name
    assert {Meaning.NORMAL, None}.issuperset(everyday.meanings)
    changed = [pair for pair in zip(everyday.meanings, other.meanings, strict=True) if pair[0] is not pair[1]]
    assert set(changed) <= {(Meaning.NORMAL, Meaning.DURESS)}


class Stage:
    """A site that scenes are acted at, always from the same files in the same place."""

    def __init__(self, site: MadeSite, place: Path) -> None:
        """`place` is a folder that does not exist yet."""
        self.site, self._place = site, place
        self._warm = place.with_name("warm")
        site.copy(place)
        with virtual_time(WARMED_UP) as loop:
            loop.run_until_complete(self._warm_up(loop))
        place.rename(self._warm)

    def perform(self, scene: Scene, code_number: int, *, after_start: Callable[[House], None] | None = None) -> Seen:
        """Act the scene with that code of the person; what was seen of it."""
        paths = replace(self.site, home=self._warm).copy(self._place)
        code = self.site.people[scene.person].codes[code_number]
        epochs = (number.to_bytes(8, "big") for number in count(1))
        try:
            with virtual_time(scene.moment, epochs=epochs) as loop, listening() as said:
                house = House(self.site, paths, scene.doors(), loop)
                looks = loop.run_until_complete(_perform(scene, house, code, after_start))
                return _seen(house, scene, looks, said)
        finally:
            shutil.rmtree(self._place)

    async def _warm_up(self, loop: VirtualLoop) -> None:
        """Everything that a first start tells is told, and most of it receipted."""
        paths = Paths.under(self._place)
        async with running(self.site, paths, loop) as house:
            ana = self.site.people["ana"]
            await house.enter("front", ana.card, ana.code)
            await house.wait(1)
            house.courier.leave()
            await house.enter("office", None, ana.code)
            await house.wait(3)


async def _perform(
    scene: Scene, house: House, code: str, after_start: Callable[[House], None] | None
) -> tuple[Look, ...]:
    person = house.site.people[scene.person]
    house.courier.keeps = house.courier.receipts = scene.courier == "talks"
    house.courier.monitor_offset = scene.monitor_offset_s * SECOND
    house.whole_frames = True
    await house.start()
    if after_start is not None:
        after_start(house)
    looks = []
    try:
        if scene.courier != "is away":
            await house.courier.connect(house.paths.courier_socket)
        await house.armed()
        for step in scene.steps:
            await act(step, house, person, code)
            looks.append(await _look(house))
        await house.wait(3)
        looks.append(await _look(house))
    finally:
        house.loop.threads["journal"].disk_takes_nothing = False
        await house.stop()
    return tuple(looks)


async def _look(house: House) -> Look:
    status = await house.status()
    home = house.paths.etc.parent
    return Look(
        status=json.dumps(status),
        status_text="\n".join(status_command.lines(status)),
        files=tuple(
            (str(path.relative_to(home)), (found := path.lstat()).st_size, found.st_mode)
            for path in sorted(home.rglob("*"))
        ),
        pages=tuple(_pages(path) for path in (house.paths.journal, house.paths.roster) if path.exists()),
    )


def _pages(path: Path) -> tuple[int, ...]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return tuple(connection.execute(f"PRAGMA {what}").fetchone()[0] for what in ("page_count", "freelist_count"))


def _seen(house: House, scene: Scene, looks: tuple[Look, ...], said: list[str]) -> Seen:
    carried = [heard for heard in house.courier.heard if heard.type in CARRYING | {Type.SUPERVISION}]
    opened = [house.monitor.open(heard.payload)[1] for heard in carried]
    return Seen(
        outputs=tuple(house.outputs()),
        looks=looks,
        messages=tuple(
            (heard.at, heard.type.name, len(heard.payload), _number(heard.payload)) for heard in house.courier.heard
        ),
        bodies=tuple(_without_chance(body) for body in opened),
        rows=tuple(house.log()),
        log_text=_log(house, scene, as_json=False),
        log_json=_log(house, scene, as_json=True),
        said=tuple(said),
        meanings=tuple(house.monitor.meaning(body.token) for body in opened),
    )


def _without_chance(body: Body) -> Body:
    """Without the token, and without what is drawn or hashed from what is drawn."""
    detail = body.detail
    if body.kind is Kind.SUPERVISION:
        detail = replace(SupervisionDetail.parse(detail), receipted_hash=NO_HASH).encode()
    elif body.kind is Kind.START:
        detail = replace(StartDetail.parse(detail), previous_hash=NO_HASH).encode()
    return replace(body, detail=detail, token=_NO_TOKEN, row_tag=_NO_TAG, previous=NO_HASH)


def _number(payload: bytes) -> int:
    return parse_header(payload).sequence if len(payload) == RECORD_SIZE else -1


def _log(house: House, scene: Scene, *, as_json: bool) -> str:
    home = str(house.paths.etc.parent)
    arguments = argparse.Namespace(home=home, json=as_json, lines=10_000, since=None, door=None, follow=False)
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as printed:
        patch.setattr(reading, "read_config", lambda _: scene.doors())
        assert log_command.run(arguments) == 0
    return printed.getvalue()


@contextlib.contextmanager
def listening() -> Iterator[list[str]]:
    """Everything that any logger says."""
    said: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(self.format(record))

    ear, root = Ear(logging.DEBUG), logging.getLogger()
    ear.setFormatter(logging.Formatter("%(name)s: %(levelname)s: %(message)s"))
    before = root.level
    root.addHandler(ear)
    root.setLevel(logging.DEBUG)
    try:
        yield said
    finally:
        root.setLevel(before)
        root.removeHandler(ear)
