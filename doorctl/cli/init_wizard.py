"""doorctl init --wizard: a first configuration by asking.

Every answer is checked as it is given, by the code that doord reads with. The file is written once, whole, at the very
end, and never over another.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from doorctl.cli.init_dialogue import Dialogue, Question, say
from doorctl.cli.init_draft import FILE, Draft, Put, Tree, pin_of, text_of
from doorctl.config.advice import advice
from doorctl.config.key import Choice
from doorctl.config.keys import key_at
from doorctl.config.reading import parse_config
from doorctl.config.site_reading import zones
from doorctl.errors import OperatorError

_MOST_DOORS: Final = 8
"""A header has lines for so many, with some left over."""
_NAMES: Final = ("front", "back", "side", "yard", "store", "office", "lab", "garage")
_NONE: Final = "none"
_LONGEST_NUMBER: Final = 9
"""Digits of an answer that is read as a number."""
_WELCOME: Final = (
    "This writes a first configuration. ENTER takes what stands in brackets, `?` explains a question,",
    "Ctrl-C ends it and writes nothing.",
    "",
)


def ask_and_write(path: Path, *, mock: bool) -> None:
    """Ask, show, write; OperatorError where a file is there already, or where it was not wanted in the end."""
    if path.exists():
        raise OperatorError(
            f"{path}: is there already", hint="edit it, or move it away; `doorctl check` finds mistakes"
        )
    say(*_WELCOME)
    draft = Draft({"site": {}, "monitor": {"file": "monitor.toml"}, **({"hal": {"backend": "mock"}} if mock else {})})
    dialogue = Dialogue(draft)
    _ask_site(dialogue)
    for number in range(dialogue.count("how many doors", ("door",), default=1, most=_MOST_DOORS)):
        _ask_door(dialogue, number)
    _ask_schedule(dialogue)
    _ask_group(dialogue)
    text = text_of(draft.tree)
    config = parse_config(text, file=FILE)
    say("", text, *(f"{FILE}: warning: {warning}" for warning in advice(config)))
    if not dialogue.agreed(f"write this to {path}"):
        raise OperatorError("nothing was written", hint="run it again; every answer can be another")
    _write(path, text)


def _ask_site(dialogue: Dialogue) -> None:
    dialogue.ask(Question(words="site id", about=("site", "id"), put=_at("site", "id"), default="my-site"))
    zone = Question(
        words="time zone", about=("site", "timezone"), put=_at("site", "timezone"), default=zone_here(Path("/etc"))
    )
    dialogue.ask(zone)


def _ask_door(dialogue: Dialogue, number: int) -> None:
    taken = dialogue.draft.tree.get("door", {})
    free = [name for name in _NAMES if name not in taken]
    words = f"door {number + 1}: name"
    question = Question(words=words, about=("door",), put=_new("door"), default=free[0], taken=tuple(taken))
    name = dialogue.ask(question)
    _ask_reader(dialogue, name)
    _ask_strike(dialogue, name)
    for key, words in (("contact", "pin of the door contact"), ("rex", "pin of the button that lets people out")):
        spare = dialogue.draft.spare(key) or _NONE
        _ask(dialogue, name, f"{words}, or none", (key,), default=spare, change=pin_of, optional=True)


def _ask_reader(dialogue: Dialogue, door: str) -> None:
    reader = "reader"
    kind = Question(
        words=f"{door}: type of the reader: wiegand or osdp",
        about=("door", door, reader),
        put=_reader_type(door),
        default="wiegand",
    )
    on_wires = dialogue.ask(kind) == "wiegand"
    if on_wires:
        spare = dialogue.draft.spare("wiegand")
        _ask(dialogue, door, "its data lines D0 and D1", (reader, "wiegand"), default=spare, change=_pins)
    else:
        _ask(dialogue, door, "the serial port of its line", (reader, "osdp"), default="/dev/ttyAMA0")
        _ask(dialogue, door, "its address on the line", (reader, "address"), default="0", change=_number)
    _ask(dialogue, door, "what opens the door", (reader, "mode"), default="card+code")
    if not on_wires:
        return
    mode = dialogue.draft.tree["door"][door][reader]["mode"]
    if "card" in mode:
        _ask(dialogue, door, "card format", (reader, "format"), default="H10301")
    if "code" in mode:
        _ask(dialogue, door, "how the keypad sends keys", (reader, "keypad"), default="8-bit")


def _ask_strike(dialogue: Dialogue, door: str) -> None:
    spare = dialogue.draft.spare("strike")
    _ask(dialogue, door, "pin of the strike", ("strike", "pin"), default=spare, change=pin_of)
    _ask(dialogue, door, "what the strike does without power", ("strike", "type"), default="fail-secure")
    _ask(dialogue, door, "how people get out without software", ("egress",), default=None)


def _ask_schedule(dialogue: Dialogue) -> None:
    question = Question(words="a schedule: name, or none", about=("schedule",), put=_new("schedule"), default="office")
    if (name := dialogue.ask(question)) == _NONE:
        return
    days: dict[str, str] = {}

    def note_days(tree: Tree, answer: str) -> None:
        days["days"] = answer
        tree["schedule"][name] = {answer: []}

    def put_hours(tree: Tree, answer: str) -> None:
        windows = [part.strip() for part in answer.split(",")]
        tree["schedule"][name] = {days["days"]: windows[0] if len(windows) == 1 else windows}

    about = ("schedule", name, "mon-fri")
    dialogue.ask(Question(words=f"{name}: days", about=about, put=note_days, default="mon-fri"))
    hours = Question(words=f"{name}: hours, commas between", about=about, put=put_hours, default="07:00-19:00")
    dialogue.ask(hours)


def _ask_group(dialogue: Dialogue) -> None:
    question = Question(words="a group of people: name", about=("group",), put=_new("group"), default="staff")
    name = dialogue.ask(question)
    schedules = list(dialogue.draft.tree.get("schedule", {}))
    for door in dialogue.draft.tree["door"]:
        words = f"when {name} may open {door}: {' or '.join([*schedules, 'always'])}"
        put, about = _at("group", name, door), ("group", name, door)
        dialogue.ask(Question(words=words, about=about, put=put, default=[*schedules, "always"][0]))


def _ask(
    dialogue: Dialogue, door: str, words: str, key: tuple[str, ...], *, default: str | None, change: Any = str,
    optional: bool = False,
) -> None:  # fmt: skip
    place = ("door", door, *key)
    if isinstance(kind := key_at(place).kind, Choice):
        words = f"{words}: {' or '.join(word for word in kind.words if word not in kind.refused)}"
    put = _at(*place, change=change, unless=_NONE if optional else None)
    dialogue.ask(Question(words=f"{door}: {words}", about=place, put=put, default=default))


def _at(*place: str, change: Any = str, unless: str | None = None) -> Put:
    """Puts an answer at a place."""

    def put(tree: Tree, answer: str) -> None:
        if answer == unless:
            return
        for part in place[:-1]:
            tree = tree.setdefault(part, {})
        tree[place[-1]] = change(answer)

    return put


def _new(table: str) -> Put:
    """Begins a named table."""

    def put(tree: Tree, answer: str) -> None:
        if answer != _NONE:
            tree.setdefault(table, {})[answer] = {}

    return put


def _reader_type(door: str) -> Put:
    """A type is no key of its own; of any other the reading code says what it thinks."""

    def put(tree: Tree, answer: str) -> None:
        tree["door"][door]["reader"] = {} if answer in ("wiegand", "osdp") else {answer: answer}

    return put


def _pins(answer: str) -> list[str]:
    return [pin_of(part) for part in answer.replace(",", " ").split()]


def _number(answer: str) -> int | str:
    """Anything else stays as it is, to be refused."""
    return int(answer) if answer.isascii() and answer.isdecimal() and len(answer) <= _LONGEST_NUMBER else answer


def zone_here(etc: Path) -> str:
    """The zone that this machine is set to; UTC where it does not say."""
    with suppress(OSError):
        zone = str((etc / "localtime").readlink()).partition("zoneinfo/")[2]
        if zone in zones():
            return zone
    return "UTC"


def _write(path: Path, text: str) -> None:
    """All of it or nothing, and never over another: a link fails where the name is taken."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.link(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
