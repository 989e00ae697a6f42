"""Gives a simulated board's records to the judge, as a ledger would, and says what it raised and ended."""

from doorctl.core.types import WallTime
from doorctl.monitord.alarms.effects import Effect, End, Raise
from doorctl.monitord.alarms.judge import Judge
from doorctl.monitord.alarms.registered import Registered
from doorctl.monitord.alarms.state import ControllerState, decode_state, encode_state
from doorctl.seal.meaning import TokenPlain
from doorctl.wire.record import SUPERVISION_BIT, Kind, Token
from tests.monitord.board import Board, Made, Row, as_ledger_record, as_ledger_supervision


class Court:
    """One controller before its judge. Between two calls the state goes through its stored form."""

    def __init__(self, board: Board, *rows: Row) -> None:
        self.board = board
        self._tokens: dict[Token, TokenPlain] = {row.token: row.plain for row in rows}
        self._numbers: dict[tuple[bytes, int], set[bytes]] = {}
        self._ids = 0
        self._arrivals = 0
        self.registered = Registered()
        self.judge = Judge(board.controller, ControllerState(), self.registered, WallTime(board.now))

    def knows(self, *rows: Row) -> None:
        """Tokens that open at this monitor."""
        self._tokens |= {row.token: row.plain for row in rows}

    def take(self, *records: Made, at: int | None = None) -> list[str]:
        """What these say, in the order they come; repeats are ingest's to drop, as in life."""
        effects: list[Effect] = []
        for made in records:
            effects += self._one(made, self.board.now if at is None else at)
        return brief(effects)

    def effects(self, made: Made) -> list[Effect]:
        """The whole values."""
        return self._one(made, self.board.now)

    def wait(self, nanoseconds: int) -> list[str]:
        """Time passes and nothing comes."""
        self.board.now += nanoseconds
        return brief(self.judge.on_deadline(WallTime(self.board.now)))

    def _one(self, made: Made, now: int) -> list[Effect]:
        self._store_and_load()
        if made.header.sequence & SUPERVISION_BIT:
            self._arrivals += 1
            return self.judge.supervision(as_ledger_supervision(made, self._arrivals, now))
        here = self._numbers.setdefault((made.header.epoch, made.header.sequence), set())
        if made.hash in here:
            return []
        fork = bool(here)
        here.add(made.hash)
        self._ids += 1
        opened = self._tokens.get(made.body.token) if made.body.kind is Kind.ACCESS else None
        return self.judge.record(as_ledger_record(made, self._ids, now, fork=fork), opened)

    def _store_and_load(self) -> None:
        self.judge.state = decode_state(encode_state(self.judge.state))


def brief(effects: list[Effect]) -> list[str]:
    """`duress Ana` or `end silent`; announcements are left out."""
    told = []
    for effect in effects:
        if isinstance(effect, Raise):
            told.append(f"{effect.kind.value} {effect.person}".strip() + (" (over)" if effect.ended else ""))
        elif isinstance(effect, End):
            told.append(f"end {effect.condition.partition(':')[0]}")
    return told
