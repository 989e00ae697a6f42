"""One reader of one door: hal's events in, requests to Access, answers shown. One entry in flight at a time.

While an entry waits for its answer, what is shown to this reader is dropped: the light says so, and neither a second
card nor more keys can change how long the answer takes. Other readers are not affected.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, assert_never

from doorctl.core.decision import Granted
from doorctl.core.effects import EntryEffect, Incomplete, Light, ShowIdle, ShowWaiting, Submit
from doorctl.core.entry import Entry
from doorctl.core.events import BadFrame, CardRead, Key, KeyRead
from doorctl.core.types import Card, Duration, Mode, Monotonic, Reason
from doorctl.doord.access import Access, Place, Ruling
from doorctl.doord.worker import Spawn
from doorctl.errors import OperatorError
from hal import events, ports
from hal.errors import HalError
from hal.wiegand.tally import Why

DENIED_BEEP_MS: Final = (100, 100, 100, 100, 100)
"""Three short beeps: refused, whatever the reason."""
DENIED_SHOWN_S: Final = 1.5
MISUSE_STANDS_S: Final = 60.0
"""After the last time; once a frame would be a record for each of an attacker's."""
_BAD_CARD: Final = frozenset({Why.FORMAT.value, Why.COMPLEMENT.value})
"""A whole frame of the right length that the format refuses; anything else is noise, and only counted."""


class ReaderUnit:
    """Translates, collects an entry, and shows its answer."""

    def __init__(
        self,
        *,
        place: Place,
        reader: ports.Reader,
        indicator: ports.Indicator | None,
        entry: Entry,
        access: Access,
        mode: Callable[[], Mode],
        ruling: Callable[[], Ruling],
        granted: Callable[[], None],
        changed: Callable[[], None],
        fault: Callable[[str, str | None], None],
        spawn: Spawn,
    ) -> None:
        """`granted()` moves the door machine; `changed()` re-arms its timer; `fault(name, text)` sets or clears one."""
        self.place = place
        self.reader = reader
        self._indicator = indicator
        self._entry = entry
        self._access = access
        self._mode, self._ruling, self._granted = mode, ruling, granted
        self._changed, self._fault, self._spawn = changed, fault, spawn
        self._light = Light.IDLE
        """The door's own."""
        self._cover: Light | None = None
        """What this reader shows instead: an entry that waits for more, or a denial."""
        self._uncovering: asyncio.TimerHandle | None = None
        self._busy = False
        self._capture: asyncio.Future[Card] | None = None
        self.state = "arming"
        self._misuse_over: asyncio.TimerHandle | None = None
        self.misused = 0
        """Times that somebody on its line did what it would not."""
        self.dropped = 0
        """Events that came while an answer was due."""

    def follow(self, code_window: Duration) -> None:
        """Another window for the code of the next card."""
        self._entry.follow(code_window)

    def start(self) -> None:
        """Begin to read."""
        self.reader.start(self._deliver)

    def close(self) -> None:
        """Stop reading, dark and silent."""
        self._stay_covered()
        if self._misuse_over is not None:
            self._misuse_over.cancel()
        self.reader.close()
        if self._indicator is not None:
            self._indicator.close()

    def next_deadline(self) -> Monotonic | None:
        """When the entry in hand is to be given up."""
        return self._entry.next_deadline()

    def on_deadline(self, now: Monotonic) -> None:
        """Give up an entry whose time is over."""
        self._apply(self._entry.on_deadline(now))

    def show(self, light: Light, beep_ms: tuple[int, ...] | None) -> None:
        """The door's own light and sound; an idle door's light waits until an entry or a denial is over."""
        self._light = light
        if self._cover is None or light is not Light.IDLE:
            self._uncover()
        if beep_ms is not None:
            self._beep(beep_ms)

    async def next_card(self, within: Duration, *, beep_ms: tuple[int, ...] = ()) -> Card | None:
        """The next card shown here, which then opens nothing; None where none came in time."""
        if self._capture is not None:
            raise OperatorError(
                f"{self.place.reader}: somebody else waits for a card here", hint="try again after them"
            )
        self._capture = asyncio.get_running_loop().create_future()
        self._entry.reset()
        self._cover_with(Light.WAITING)
        if beep_ms:
            self._beep(beep_ms)
        try:
            return await asyncio.wait_for(self._capture, within / 1e9)
        except TimeoutError:
            # the door stays as it is: nothing was shown, and nothing shown here would have opened it
            return None
        finally:
            self._capture = None
            self._uncover()

    def _deliver(self, event: events.ReaderEvent) -> None:
        match event:
            case events.CardBits():
                self._card(Card(length=event.length, raw=event.raw), Monotonic(event.at))
            case events.KeyPressed():
                self._take(KeyRead(key=Key(event.key.value), at=Monotonic(event.at)))
            case events.FrameRefused():
                if event.why in _BAD_CARD:
                    self._take(BadFrame(at=Monotonic(event.at)))
            case events.ReaderArmed():
                self.state = "reading"
                self._fault(f"reader {self.place.reader}", None)
            case events.ReaderFault():
                self.state = event.kind.value
                self._entry.reset()
                if self._cover is Light.WAITING and not self._busy:
                    self._uncover()
                self._fault(f"reader {self.place.reader}", event.kind.value)
            case events.ReaderMisused():
                self._misused(event.how)
            case _:
                assert_never(event)

    def _misused(self, how: str) -> None:
        """A fault of its own, over when the line was honest for a while; what was done has changed nothing."""
        self.misused += 1
        if self._misuse_over is not None:
            self._misuse_over.cancel()
        name = f"misuse {self.place.reader}"
        self._misuse_over = asyncio.get_running_loop().call_later(MISUSE_STANDS_S, self._fault, name, None)
        self._fault(name, how)

    def _card(self, card: Card, at: Monotonic) -> None:
        if self._capture is not None:
            if not self._capture.done():
                self._capture.set_result(card)
            return
        self._take(CardRead(card=card, at=at))

    def _take(self, event: CardRead | KeyRead | BadFrame) -> None:
        if self._busy or self._capture is not None:
            self.dropped += 1
            return
        self._apply(self._entry.receive(event, self._mode()))
        self._changed()

    def _apply(self, effects: list[EntryEffect]) -> None:
        """In order, up to the first answer: an event that gives up what was begun is not taken as well."""
        for done, effect in enumerate(effects, start=1):
            match effect:
                case Submit():
                    self._begin(self._answer(effect, self._ruling()))
                case Incomplete():
                    self._begin(self._refuse(effect.reason, effect.at))
                case ShowWaiting():
                    self._cover_with(Light.WAITING)
                case ShowIdle():
                    self._uncover()
                case _:
                    assert_never(effect)
            if self._busy:
                if done < len(effects):
                    self.dropped += 1
                    self._entry.reset()
                return

    def _begin(self, answer: Coroutine[Any, Any, None]) -> None:
        self._busy = True
        self._spawn(answer, name=f"answer {self.place.reader}")

    async def _answer(self, submit: Submit, ruling: Ruling) -> None:
        try:
            decision = await self._access.answer(submit.request, self.place, ruling)
        finally:
            self._busy = False
        if isinstance(decision, Granted):
            self._granted()
            self._uncover()
        else:
            self._show_denied()

    async def _refuse(self, reason: Reason, at: Monotonic) -> None:
        try:
            await self._access.refuse(reason, at, self.place)
        finally:
            self._busy = False
        self._show_denied()

    def _show_denied(self) -> None:
        self._cover_with(Light.DENIED)
        self._uncovering = asyncio.get_running_loop().call_later(DENIED_SHOWN_S, self._uncover)
        self._beep(DENIED_BEEP_MS)

    def _cover_with(self, light: Light) -> None:
        """Show this until uncovered."""
        self._stay_covered()
        self._cover = light
        self._light_now(light)

    def _stay_covered(self) -> None:
        if self._uncovering is not None:
            self._uncovering.cancel()
            self._uncovering = None

    def _uncover(self) -> None:
        """Show the door's own light again."""
        self._stay_covered()
        self._cover = None
        self._light_now(self._light)

    def _light_now(self, light: Light) -> None:
        if (indicator := self._indicator) is not None:
            self._order("lamp", lambda on_fault: indicator.light(ports.Light(light.value), on_fault))

    def _beep(self, pattern_ms: tuple[int, ...]) -> None:
        if (indicator := self._indicator) is not None:
            self._order("sounder", lambda on_fault: indicator.beep(pattern_ms, on_fault))

    def _order(self, what: str, order: Callable[[Callable[[HalError], None]], None]) -> None:
        name = f"{what} {self.place.reader}"
        try:
            order(lambda error: self._fault(name, str(error)))
        except HalError as error:
            # the door stays as it is: a dark lamp or a silent sounder locks nobody in or out
            self._fault(name, str(error))
        else:
            self._fault(name, None)
