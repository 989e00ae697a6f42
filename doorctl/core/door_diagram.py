"""The door's two tables as Markdown and Mermaid, for docs/door.md. Pure: text out, nothing written anywhere."""

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Final, TypeVar, assert_never

from doorctl.core.door_tables import (
    LEAF_CLOCKS,
    LEAF_TABLE,
    LIGHT,
    LOCK_CLOCKS,
    LOCK_TABLE,
    ORDER,
    RELEASED,
    Clock,
    Leaf,
    Lock,
    Step,
    StepEffect,
)
from doorctl.core.effects import ReleaseStrike, Report, SecureStrike

BEGIN: Final = "<!-- drawn from doorctl/core/door_tables.py by docs/draw_door.py: do not edit -->"
END: Final = "<!-- end of what is drawn -->"

_S = TypeVar("_S", bound=Enum)
_T = TypeVar("_T", bound=Enum)


def drawn() -> str:
    """All that docs/door.md takes from the tables, between BEGIN and END."""
    parts = (
        BEGIN,
        "## The lock\n",
        _diagram(LOCK_TABLE),
        _lock_states(),
        _steps(LOCK_TABLE),
        "## The leaf\n",
        _diagram(LEAF_TABLE),
        _leaf_states(),
        _steps(LEAF_TABLE),
        "## The order in force\n",
        _orders(),
        END,
    )
    return "\n".join(parts) + "\n"


def _diagram(table: Mapping[_S, Mapping[_T, Step[_S]]]) -> str:
    """Arrows between different states; one arrow a pair, with all that takes it."""
    first = next(iter(table))
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {first.name}"]
    for state, steps in table.items():
        arrows: dict[_S, list[str]] = {}
        for trigger, step in steps.items():
            if step.to is not state:
                arrows.setdefault(step.to, []).append(_plain(trigger))
        lines += [f"    {state.name} --> {to.name}: {', '.join(names)}" for to, names in arrows.items()]
    return "\n".join([*lines, "```\n"])


def _lock_states() -> str:
    rows = (
        (state.name, "released" if state in RELEASED else "secured", LIGHT[state].value, _clocks(LOCK_CLOCKS[state]))
        for state in Lock
    )
    return _markdown(("state", "strike", "light", "clocks that run"), rows)


def _leaf_states() -> str:
    rows = ((state.name, _clocks(LEAF_CLOCKS[state])) for state in Leaf)
    return _markdown(("state", "clock that runs while watched"), rows)


def _clocks(running: frozenset[Clock]) -> str:
    return ", ".join(clock.value for clock in Clock if clock in running)


def _steps(table: Mapping[_S, Mapping[_T, Step[_S]]]) -> str:
    return _markdown(("state", "event", "next state", "effects", "sound", "clock begun"), _step_rows(table))


def _step_rows(table: Mapping[_S, Mapping[_T, Step[_S]]]) -> Iterator[tuple[str, ...]]:
    for state, steps in table.items():
        for trigger, step in steps.items():
            yield (
                state.name,
                trigger.value,
                "stays" if step.to is state else step.to.name,
                ", ".join(_effect(effect) for effect in step.effects),
                "" if step.sound is None else step.sound.value,
                "" if step.starts is None else step.starts.value,
            )


def _orders() -> str:
    rows = (
        ("none" if hold is None else hold.value, "on" if scheduled else "off", _plain(order))
        for (hold, scheduled), order in ORDER.items()
    )
    return _markdown(("operator's hold", "unlock schedule", "order"), rows)


def _effect(effect: StepEffect) -> str:
    match effect:
        case ReleaseStrike():
            return "release the strike"
        case SecureStrike():
            return "secure the strike"
        case Report():
            return f"report {effect.happening.value}"
        case _:
            assert_never(effect)


def _plain(trigger: Enum) -> str:
    """Mermaid ends a label's name at a colon."""
    return str(trigger.value).removeprefix("order: ")


def _markdown(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"
