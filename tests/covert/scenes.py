"""What can go on at a site while somebody types a code: scenes made of steps, drawn by hypothesis.

A scene never says which code is typed. It is acted once for each code of one holder, and what an onlooker could see of
each performance is compared (onlooker.py).
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final, Literal, assert_never

from hypothesis import strategies as st

from doorctl.config.types import Config
from doorctl.core.types import SECOND, WallTime
from doorctl.errors import OperatorError
from doorctl.roster.enrolment import RosterWriter
from doorctl.wire.handoff import Type
from tests.doord.house import House
from tests.doord.site import STRIKES, TAMPER, Person, a_card
from tests.doord.site import config as doors
from tests.roster.people import edit

Reader = Literal["front", "office", "side", "back"]
READERS: Final[tuple[Reader, ...]] = ("front", "office", "side", "back")
PEOPLE: Final = ("ana", "ben", "cy", "dee", "eve", "fay", "gus")
ANSWER_S: Final = 0.4
"""After the last key, until the door has answered, also where it waits for the disk."""


@dataclass(frozen=True, slots=True)
class Typed:
    """The code that is compared, at a reader; `card` is whose is shown before it."""

    reader: Reader
    card: Literal["own", "nobody's", "another's", "none"] = "own"
    ending: Literal["", "#", "*", "1"] = ""
    gap_ms: int = 100


@dataclass(frozen=True, slots=True)
class Begun:
    """Only the code's beginning; then ESC and all of it, or a wait until it is given up."""

    reader: Reader
    digits: int
    again: bool


@dataclass(frozen=True, slots=True)
class Wrong:
    """Codes of nobody, so many, as fast as the keypad sends; without keys: cards of nobody, which lock nothing out."""

    reader: Reader
    times: int
    keys: str


@dataclass(frozen=True, slots=True)
class Carded:
    """A card alone."""

    reader: Reader
    card: Literal["own", "nobody's", "another's"]


@dataclass(frozen=True, slots=True)
class Passer:
    """Somebody else with a right code."""

    reader: Reader


@dataclass(frozen=True, slots=True)
class Leaf:
    """The door opens or closes, by whoever."""

    door: Literal["front", "office", "side"]
    open_: bool


@dataclass(frozen=True, slots=True)
class Wedged:
    """Somebody goes out by the exit button and leaves the door open until it complains."""

    door: Literal["front", "office"]
    seconds: float


@dataclass(frozen=True, slots=True)
class Exit:
    """Somebody presses the exit button."""

    door: Literal["front", "office"]


@dataclass(frozen=True, slots=True)
class Order:
    """What an operator asks of the control socket."""

    what: Literal["lockdown", "restore", "unlock front", "hold office", "path test"]


@dataclass(frozen=True, slots=True)
class Edit:
    """Enrolment changes the holder's row while the daemon runs."""

    what: Literal["suspend", "resume", "no groups", "staff"]


@dataclass(frozen=True, slots=True)
class Happens:
    """What befalls the board."""

    what: Literal[
        "courier leaves", "courier comes", "courier is mute", "courier talks", "backlog wanted", "supervision wanted",
        "disk stalls", "disk is full", "disk works", "stretch is slow", "look-up is slow", "roster is gone",
        "roster is back", "clock jumps ahead", "clock jumps back", "restart", "tamper", "no tamper", "strike breaks",
        "strike is mended",
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing happens for a while."""

    seconds: float


Step = Typed | Begun | Wrong | Carded | Passer | Leaf | Wedged | Exit | Order | Edit | Happens | Pause


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One state of the site, and everything that goes on."""

    person: str = "ana"
    moment: WallTime
    config: tuple[tuple[str, str], ...] = ()
    """More lines for site and doors; see tests.doord.site.config."""
    courier: Literal["talks", "is mute", "is away"] = "talks"
    monitor_offset_s: int = 0
    steps: tuple[Step, ...]

    def doors(self) -> Config:
        return doors(**dict(self.config))


def _moment(*when: int) -> WallTime:
    return WallTime(round(datetime(*when, tzinfo=UTC).timestamp()) * SECOND)  # type: ignore[misc, arg-type]  # year to minute


WORKING_HOURS: Final = _moment(2027, 3, 10, 10, 0)
MOMENTS: Final = {
    "working hours": WORKING_HOURS,
    "night": _moment(2027, 3, 10, 23, 30),
    "a minute to seven": WallTime(_moment(2027, 3, 10, 7, 0) - 4 * SECOND),
    "week-end": _moment(2027, 3, 13, 12, 0),
    "before the last journal row": _moment(2027, 3, 1, 10, 0),
}
WARMED_UP: Final = _moment(2027, 3, 5, 0, 0)
"""When the journal that every scene begins with was made."""
_CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "site": ("", "holidays = [2027-03-10]\n"),
    "front": ("", 'interlock = ["office"]\n', 'time_unknown = "allow"\n', 'unlock = "hours"\n'),
    "office": ("", 'unlock = "hours"\n', 'interlock = ["front", "side"]\n'),
    "side": ("", 'unlock = "night"\n', 'time_unknown = "allow"\ninterlock = ["front"]\n'),
}
_EVENTS: Final = (
    "courier leaves", "courier comes", "courier is mute", "courier talks", "backlog wanted", "supervision wanted",
    "disk works", "roster is gone", "roster is back", "clock jumps ahead", "clock jumps back", "restart", "tamper",
    "no tamper", "strike breaks", "strike is mended",
)  # fmt: skip
_HINDRANCES: Final = ("disk stalls", "disk is full", "stretch is slow", "look-up is slow", "courier is mute")

readers = st.sampled_from(READERS)


def typed_at(reader: st.SearchStrategy[Reader]) -> st.SearchStrategy[Typed]:
    """The code, mostly as its holder would give it."""
    cards = st.sampled_from(("own", "own", "own", "another's", "nobody's", "none"))
    return st.builds(
        Typed, reader, cards, st.sampled_from(("", "", "", "#", "*", "1")), st.sampled_from((100, 100, 40))
    )


def wrong_at(reader: st.SearchStrategy[Reader]) -> st.SearchStrategy[Wrong]:
    """From one slip to a machine at the keypad."""
    return st.builds(Wrong, reader, st.integers(1, 7), st.sampled_from(("1#", "12345670", "00000000", "99999999")))


def the_moment(reader: Reader) -> st.SearchStrategy[tuple[Step, ...]]:
    """The code at this reader, and what makes the moment difficult."""
    difficulty: st.SearchStrategy[Step | None] = st.one_of(
        st.none(),
        st.none(),
        wrong_at(st.just(reader)),
        st.builds(Wrong, st.just(reader), st.integers(3, 4), st.just("12345670")),
        st.builds(Happens, st.sampled_from(_HINDRANCES)),
        st.builds(Happens, st.sampled_from(("disk stalls", "disk is full"))),
        st.builds(Order, st.sampled_from(("lockdown", "hold office"))),
        st.builds(Wedged, st.sampled_from(("front", "office")), st.sampled_from((1.0, 6.0, 9.0))),
    )
    code = typed_at(st.just(reader))
    return st.builds(lambda before, code: (code,) if before is None else (before, code), difficulty, code)


steps = st.one_of(
    typed_at(readers),
    st.builds(Begun, readers, st.integers(1, 7), st.booleans()),
    wrong_at(readers),
    st.builds(Carded, readers, st.sampled_from(("own", "nobody's", "another's"))),
    st.builds(Passer, readers),
    st.builds(Leaf, st.sampled_from(("front", "office", "side")), st.booleans()),
    st.builds(Exit, st.sampled_from(("front", "office"))),
    st.builds(Order, st.sampled_from(("lockdown", "restore", "unlock front", "hold office", "path test"))),
    st.builds(Edit, st.sampled_from(("suspend", "resume", "no groups", "staff"))),
    st.builds(Happens, st.sampled_from(_EVENTS)),
    st.builds(Happens, st.sampled_from(_EVENTS)),
    st.builds(Pause, st.sampled_from((0.2, 1.0, 5.0, 11.0))),
)
scenes = st.builds(
    Scene,
    person=st.sampled_from(("ana", "ana", "ana", "ana", *PEOPLE)),
    moment=st.sampled_from(list(MOMENTS.values())),
    config=st.fixed_dictionaries({key: st.sampled_from(lines) for key, lines in _CHOICES.items()}).map(
        lambda chosen: tuple(chosen.items())
    ),
    courier=st.sampled_from(("talks", "talks", "is mute", "is away")),
    monitor_offset_s=st.sampled_from((0, 0, 0, 3600)),
    steps=st.builds(
        lambda before, moment, after: (*before, *moment, *after),
        st.lists(steps, max_size=3),
        readers.flatmap(the_moment),
        st.lists(steps, max_size=2),
    ),
)


async def act(step: Step, house: House, person: Person, code: str) -> None:
    """Do one step; returns when the door has answered."""
    match step:
        case Typed() | Begun() | Wrong() | Carded() | Passer():
            await _at_a_reader(step, house, person, code)
        case Leaf(door, open_):
            house.leaf(door, open_=open_)
            await house.wait(0.3)
        case Wedged(door, seconds):
            await house.rex(door)
            house.leaf(door, open_=True)
            await house.wait(seconds)
        case Exit(door):
            await house.rex(door)
        case Order(what):
            await _order(what, house)
        case Edit(what):
            _edit(what, house, person)
        case Happens(what):
            await _befall(what, house)
        case Pause(seconds):
            await house.wait(seconds)
        case _:
            assert_never(step)


async def _at_a_reader(step: Typed | Begun | Wrong | Carded | Passer, house: House, person: Person, code: str) -> None:
    cards = {"own": person.card, "nobody's": a_card(999), "another's": house.site.people["fay"].card, "none": None}
    takes_cards = step.reader != "office"
    match step:
        case Typed(reader, whose, ending, gap_ms):
            await house.enter(reader, cards[whose] if takes_cards else None, code + ending, gap_ms=gap_ms)
        case Begun(reader, digits, again):
            await house.enter(reader, person.card if reader == "front" else None, code[:digits] + "*" * again)
            await house.wait(0.2 if again else 11)
            if again:
                await house.enter(reader, None, code)
        case Wrong(reader, times, keys):
            for _ in range(times):
                card = person.card if reader == "front" else None
                await house.enter(reader, card if keys else cards["nobody's"], keys or None, gap_ms=40)
                await house.wait(ANSWER_S)
        case Carded(reader, whose):
            await house.enter(reader, cards[whose], None)
        case Passer(reader):
            passer = house.site.people["gus"]
            await house.enter(reader, passer.card if takes_cards else None, passer.code)
    await house.wait(ANSWER_S)


async def _order(what: str, house: House) -> None:
    try:
        match what:
            case "lockdown" | "restore":
                await house.ask("lockdown", on=what == "lockdown")
            case "unlock front":
                await house.ask("unlock", door="front")
            case "hold office":
                await house.ask("unlock", door="office", seconds=3)
            case _:
                await house.ask("test-alarm", wait_s=1)
    except OperatorError as refused:
        if "interlocked" not in str(refused) and not house.doord.lockdown.is_set():
            raise


def _edit(what: str, house: House, person: Person) -> None:
    try:
        writer = RosterWriter.open(house.paths.roster, today=date(2027, 3, 5))
    except OperatorError:
        assert not house.paths.roster.exists()
        return
    with writer:
        match what:
            case "suspend" | "resume":
                edit(writer, person.holder, suspended=what == "suspend")
            case _:
                edit(writer, person.holder, groups=[] if what == "no groups" else ["staff"])


async def _befall(what: str, house: House) -> None:  # noqa: C901, PLR0912  a table of one-liners
    threads, courier = house.loop.threads, house.courier
    away = house.paths.roster.with_suffix(".away")
    match what:
        case "courier leaves":
            courier.leave()
        case "courier comes" if not courier.connected:
            await courier.connect(house.paths.courier_socket)
        case "courier is mute" | "courier talks":
            courier.keeps = courier.receipts = what == "courier talks"
        case "backlog wanted" if courier.connected:
            courier.say(Type.BACKLOG_WANTED, (64).to_bytes(2, "big"))
        case "supervision wanted" if courier.connected:
            courier.say(Type.SUPERVISION_WANTED)
        case "disk stalls":
            house.loop.stall("journal", 4 * SECOND)  # typing takes the first one or two
        case "disk is full" | "disk works":
            threads["journal"].disk_takes_nothing = what == "disk is full"
        case "stretch is slow" | "look-up is slow":
            threads["stretch" if what == "stretch is slow" else "roster"].next_takes = 1_333_000_000
        case "roster is gone" if house.paths.roster.exists():
            house.paths.roster.rename(away)
        case "roster is back" if away.exists():
            away.rename(house.paths.roster)
        case "clock jumps ahead" | "clock jumps back":
            house.loop.set_wall(house.loop.wall + (7200 if what == "clock jumps ahead" else -7200) * SECOND)
        case "restart" if house.paths.roster.exists() and not threads["journal"].disk_takes_nothing:
            await house.restart()
        case "tamper" | "no tamper":
            house.input(TAMPER, what == "tamper")
        case "strike breaks" | "strike is mended":
            house.breaks(STRIKES["front"], unwritable=what == "strike breaks")
        case _:
            pass  # it is so already
    await house.wait(0.05)
