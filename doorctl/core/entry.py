"""One reader's machine: cards and keys, in the mode in force, become requests. Never looks anything up.

How it works. What a factor does is two small tables below: whether a card is a request by itself, opens the
code window or is not asked for; and whether keys count always, only after a card, or never. The rest is four
rules, the same in every mode:

1. The last card shown counts. A second card in the window replaces the first, with a new window and no
   digits; an unreadable one counts as none and ends the entry.
2. A factor that the mode does not ask for is not taken: no effect, no light. Keys before a card at card + code
   are not kept either, or a stranger could type digits in front of the next holder's code.
3. An entry belongs to the mode it was begun in. When another mode is in force at the next event, what was begun
   is given up first, so a tightened mode never lets a looser entry through.
4. The code must begin within the window after the card, and each key follow the last within the key gap. ESC
   takes the digits back, keeps the card, and buys no time.

Outcomes depend only on the events' own times: a late loop first gives up what was due, then takes the event.
"""

from enum import Enum, auto
from typing import Final, assert_never

from doorctl.core.effects import Code, EntryEffect, Incomplete, Request, ShowIdle, ShowWaiting, Submit
from doorctl.core.events import BadFrame, CardRead, Key, KeyRead, ReaderEvent
from doorctl.core.keypad import KEY_GAP, Keypad
from doorctl.core.types import Card, Duration, Mode, Monotonic, Reason


class CardIs(Enum):
    """What a card means to a mode."""

    A_REQUEST = auto()
    THE_FIRST_FACTOR = auto()
    NOT_ASKED_FOR = auto()


class KeysCount(Enum):
    """When a mode takes keys."""

    ALWAYS = auto()
    AFTER_A_CARD = auto()
    NEVER = auto()


CARD_IS: Final = {
    Mode.CARD: CardIs.A_REQUEST,
    Mode.CODE: CardIs.NOT_ASKED_FOR,
    Mode.CARD_AND_CODE: CardIs.THE_FIRST_FACTOR,
    Mode.CARD_OR_CODE: CardIs.A_REQUEST,
}
KEYS_COUNT: Final = {
    Mode.CARD: KeysCount.NEVER,
    Mode.CODE: KeysCount.ALWAYS,
    Mode.CARD_AND_CODE: KeysCount.AFTER_A_CARD,
    Mode.CARD_OR_CODE: KeysCount.ALWAYS,
}


class Entry:
    """What was given so far at one reader."""

    __slots__ = ("_card", "_keypad", "_mode", "_window", "_window_ends")

    def __init__(self, *, code_length: int, code_window: Duration, key_gap: Duration = KEY_GAP) -> None:
        self.follow(code_window)
        self._keypad = Keypad(length=code_length, gap=key_gap)
        self._card: Card | None = None
        self._window_ends = Monotonic(0)
        self._mode: Mode | None = None

    def __repr__(self) -> str:
        return f"<Entry begun={self.begun}>"

    def follow(self, code_window: Duration) -> None:
        """Another window for the code of the next card; what was begun keeps its own."""
        if code_window <= 0:
            raise ValueError(f"entry: code window {code_window} ns must be positive")
        self._window = code_window

    @property
    def begun(self) -> bool:
        """Whether something was given and more is expected."""
        return self._card is not None or self._keypad.begun

    def receive(self, event: ReaderEvent, mode: Mode) -> list[EntryEffect]:
        """What one event does, given the mode in force at its time."""
        effects = self.on_deadline(event.at)
        if self.begun and mode is not self._mode:
            effects += self._give_up(event.at)
        self._mode = mode
        match event:
            case CardRead():
                return effects + self._on_card(event, mode)
            case KeyRead():
                return effects + self._on_key(event, mode)
            case BadFrame():
                return effects + self._on_bad_frame(event, mode)
            case _:
                assert_never(event)

    def next_deadline(self) -> Monotonic | None:
        """When `on_deadline` has something to give up; None while nothing is begun."""
        due = self._keypad.next_deadline()
        if due is not None or self._card is None:
            return due
        return self._window_ends

    def on_deadline(self, now: Monotonic) -> list[EntryEffect]:
        """Give up an entry whose time is over; nothing before that."""
        due = self.next_deadline()
        return [] if due is None or now < due else self._give_up(due)

    def reset(self) -> None:
        """Forget everything without a word: the reader was disarmed."""
        self._card = None
        self._keypad.clear()

    def _on_card(self, event: CardRead, mode: Mode) -> list[EntryEffect]:
        role = CARD_IS[mode]
        match role:
            case CardIs.A_REQUEST:
                return self._submit(event.card, None, event.at)
            case CardIs.THE_FIRST_FACTOR:
                self._keypad.clear()
                self._card = event.card
                self._window_ends = Monotonic(event.at + self._window)
                return [ShowWaiting()]
            case CardIs.NOT_ASKED_FOR:
                return []
            case _:
                assert_never(role)

    def _on_key(self, event: KeyRead, mode: Mode) -> list[EntryEffect]:
        if not self._keys_count(mode):
            return []
        was_begun = self.begun
        code = self._keypad.press(event.key, event.at)
        if code is not None:
            return self._submit(self._card, code, event.at)
        if event.key is Key.ESC:
            # With a card, its own window is what is left, and it may be over already.
            taken_back: list[EntryEffect] = [ShowIdle()] if was_begun and not self.begun else []
            return self.on_deadline(event.at) or taken_back
        return [ShowWaiting()] if self.begun and not was_begun else []

    def _on_bad_frame(self, event: BadFrame, mode: Mode) -> list[EntryEffect]:
        if CARD_IS[mode] is CardIs.NOT_ASKED_FOR:
            return []
        self.reset()
        return [Incomplete(reason=Reason.BAD_FORMAT, at=event.at)]

    def _keys_count(self, mode: Mode) -> bool:
        count = KEYS_COUNT[mode]
        return count is KeysCount.ALWAYS or (count is KeysCount.AFTER_A_CARD and self._card is not None)

    def _submit(self, card: Card | None, code: Code | None, at: Monotonic) -> list[EntryEffect]:
        self.reset()
        return [Submit(request=Request(card=card, code=code, at=at))]

    def _give_up(self, at: Monotonic) -> list[EntryEffect]:
        self.reset()
        return [Incomplete(reason=Reason.INCOMPLETE, at=at)]
