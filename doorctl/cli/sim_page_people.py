"""Who can be played at the page, and the visitor's own people: enrolled and removed as a real site does it.

The demo's people have their codes on show, because somebody has to press the keys. A person that a visitor enrols is
treated as on a real site: the codes are in one answer, once, and then only the simulation's hands know them.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final

from doorctl.cli.sim_page_feed import Event, Feed
from doorctl.cli.sim_site import Person
from doorctl.core.types import HolderId
from doorctl.errors import OperatorError

MOST_OWN: Final = 6
_FIRST_CARD: Final = 4001


class People:
    """The site's people; `run` blocking work in threads, one at a time."""

    def __init__(
        self,
        people: dict[HolderId, Person],
        enrol: Callable[[str, int], Person],
        remove: Callable[[HolderId], None],
        feed: Feed,
    ) -> None:
        """`enrol` and `remove` block, and keep `people` up to date."""
        self.people, self._enrol, self._remove, self._feed = people, enrol, remove, feed
        self._demo = frozenset(people)
        self._turn = asyncio.Lock()
        self._next_card = _FIRST_CARD

    def everything(self) -> Iterable[Event]:
        """For a browser that comes."""
        yield "people", self.view()

    def view(self) -> list[dict[str, Any]]:
        """Everybody, the demo's first; codes of the demo's people only."""
        return [self._plain(person) for person in self.people.values()]

    async def add(self, label: str) -> dict[str, Any]:
        """Enrol somebody with the next card of the desk; the answer has the codes, this once."""
        async with self._turn:
            if len(self.people) - len(self._demo) >= MOST_OWN:
                raise OperatorError(f"{MOST_OWN} people of your own are here already", hint="remove one first")
            person = await asyncio.to_thread(self._enrol, label, self._next_card)
            self._next_card += 1
            self._feed.publish("people", self.view())
            return self._plain(person) | {"code": person.code, "duress_code": person.duress_code}

    async def remove(self, untrusted_holder: str) -> None:
        """One of the visitor's own; OperatorError for anybody else."""
        holder = HolderId(untrusted_holder)
        async with self._turn:
            if holder not in self.people:
                raise OperatorError("that person is not enrolled", hint="the list shows who is")
            if holder in self._demo:
                raise OperatorError("the demo's own people stay", hint="remove somebody you enrolled")
            await asyncio.to_thread(self._remove, holder)
            self._feed.publish("people", self.view())

    def _plain(self, person: Person) -> dict[str, Any]:
        own = person.holder not in self._demo
        return {
            "holder": person.holder,
            "label": person.label,
            "card": person.card is not None,
            "code": None if own else person.code,
            "duress_code": None if own else person.duress_code,
            "own": own,
        }
