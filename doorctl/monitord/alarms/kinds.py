"""Every kind of alarm: how grave it is, whether it is a condition that can end, and what it means to an operator.

`CATALOGUE` is the whole table; the pages and the command line take their words from it.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Final


class Severity(IntEnum):
    """How an alarm is shown and in which order; the highest first."""

    NOTE = 1
    WARNING = 2
    SERIOUS = 3
    CRITICAL = 4


class AlarmKind(Enum):
    """What an alarm is about; the value is stored and shown in JSON: never rename."""

    DURESS = "duress"
    DECOY = "decoy"
    UNREGISTERED = "unregistered"
    REVOKED = "revoked"
    UNOPENABLE = "unopenable"
    ROW_TAG = "row-tag"
    FORK = "fork"
    CLONE = "clone"
    CHAIN = "chain"
    GAP = "gap"
    STALLED = "stalled"
    ROSTER = "roster"
    ROLLBACK = "rollback"
    SILENT = "silent"
    CLOCK = "clock"
    FORCED_OPEN = "forced-open"
    HELD_OPEN = "held-open"
    TAMPER = "tamper"
    STORAGE = "storage"
    READER = "reader"
    STRIKE = "strike"
    MISUSE = "misuse"
    LOSS = "loss"
    GUESSING = "guessing"
    TEST = "test"
    COLOCATED = "colocated"


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """One line of the catalogue."""

    severity: Severity
    standing: bool
    """A condition: it is not raised again while it lasts, and it can end by itself. Else: an event, each its own."""
    title: str
    means: str


CATALOGUE: Final[dict[AlarmKind, About]] = {
    AlarmKind.DURESS: About(
        severity=Severity.CRITICAL, standing=False, title="Duress code",
        means="A holder gave a duress code, whether the door opened or refused. Follow the response plan: "
        "police first, no call back to the site.",
    ),
    AlarmKind.DECOY: About(
        severity=Severity.SERIOUS, standing=False, title="Decoy row used",
        means="No card or code reaches this row: somebody read the roster and made a record with it.",
    ),
    AlarmKind.UNREGISTERED: About(
        severity=Severity.SERIOUS, standing=True, title="Row never enrolled",
        means="A row was used that no enrolment announced: the roster on the board was changed behind its back. "
        "Ends when its enrolment arrives late.",
    ),
    AlarmKind.REVOKED: About(
        severity=Severity.SERIOUS, standing=False, title="Revoked row used",
        means="A row was used after it had been taken away: an old roster or an old row was put back.",
    ),
    AlarmKind.UNOPENABLE: About(
        severity=Severity.SERIOUS, standing=False, title="Row cannot be opened",
        means="A matched row's token is not sealed to this monitor: what it meant cannot be known.",
    ),
    AlarmKind.ROW_TAG: About(
        severity=Severity.SERIOUS, standing=False, title="Row swapped",
        means="A token was found under a row that is not its own: rows were exchanged on the board.",
    ),
    AlarmKind.FORK: About(
        severity=Severity.SERIOUS, standing=False, title="Two records with one number",
        means="A controller signed two different records under the same number: its keys are in two places.",
    ),
    AlarmKind.CLONE: About(
        severity=Severity.SERIOUS, standing=False, title="Controller lives twice",
        means="Two boards run with the keys and the history of one: a copy was started.",
    ),
    AlarmKind.CHAIN: About(
        severity=Severity.SERIOUS, standing=False, title="Chain of records broken",
        means="A record does not follow from the one before it: history was changed, or a journal was lost.",
    ),
    AlarmKind.GAP: About(
        severity=Severity.WARNING, standing=True, title="Records missing here",
        means="The board was given receipts for records that are not in the ledger, as after a restored backup. "
        "They are asked for; ends when they are here.",
    ),
    AlarmKind.STALLED: About(
        severity=Severity.WARNING, standing=True, title="Backlog stands still",
        means="The board still waits for receipts of old records while its line works: something withholds them.",
    ),
    AlarmKind.ROSTER: About(
        severity=Severity.SERIOUS, standing=True, title="Roster differs",
        means="The rows on the board are not those that enrolment announced: some were deleted, added or changed. "
        "Ends when announcements that fit arrive late.",
    ),
    AlarmKind.ROLLBACK: About(
        severity=Severity.SERIOUS, standing=False, title="Roster went back",
        means="The roster on the board is older than it was before: a backup or an old copy was put back.",
    ),
    AlarmKind.SILENT: About(
        severity=Severity.WARNING, standing=True, title="Controller silent",
        means="Three supervisions in a row are missing: power, network, or somebody cut the line.",
    ),
    AlarmKind.CLOCK: About(
        severity=Severity.WARNING, standing=True, title="Clock wrong",
        means="The board's clock is off by more than a minute, or it does not know the time.",
    ),
    AlarmKind.FORCED_OPEN: About(
        severity=Severity.SERIOUS, standing=True, title="Door forced open",
        means="The door opened without a release. Ends when it is closed.",
    ),
    AlarmKind.HELD_OPEN: About(
        severity=Severity.WARNING, standing=True, title="Door held open",
        means="The door is open longer than it may be. Ends when it is closed.",
    ),
    AlarmKind.TAMPER: About(
        severity=Severity.SERIOUS, standing=True, title="Tamper",
        means="A tamper contact opened: somebody is at the reader or the controller's housing.",
    ),
    AlarmKind.STORAGE: About(
        severity=Severity.WARNING, standing=True, title="Storage fault",
        means="The board's disk or roster failed, or did not answer in time; the door goes on.",
    ),
    AlarmKind.STRIKE: About(
        severity=Severity.SERIOUS, standing=True, title="Strike or lamp fault",
        means="A strike or an indicator does not take orders: the door may stand secured or released whatever is "
        "decided. Send somebody to look.",
    ),
    AlarmKind.MISUSE: About(
        severity=Severity.SERIOUS, standing=True, title="Reader line misused",
        means="Somebody on a reader's line does what the reader would not: forges, replays, asks for a weaker key, or "
        "the reader was exchanged. Nothing of it was believed; look at the reader and its cable.",
    ),
    AlarmKind.READER: About(
        severity=Severity.WARNING, standing=True, title="Reader or courier fault",
        means="A reader is disarmed by a fault, or the board's network part is gone.",
    ),
    AlarmKind.LOSS: About(
        severity=Severity.WARNING, standing=False, title="Records lost",
        means="The board's memory was full, and the oldest records gave way; the record says how many.",
    ),
    AlarmKind.GUESSING: About(
        severity=Severity.SERIOUS, standing=False, title="Codes are guessed",
        means="More wrong codes at the site than people make by mistake.",
    ),
    AlarmKind.TEST: About(
        severity=Severity.NOTE, standing=False, title="Path test arrived",
        means="Somebody tested the path with `doorctl test-alarm`; the number is the one they were shown.",
    ),
    AlarmKind.COLOCATED: About(
        severity=Severity.NOTE, standing=True, title="Monitor on the door's board",
        means="The monitor's keys are on the door's own board: the door can know.",
    ),
}  # fmt: skip
assert CATALOGUE.keys() == set(AlarmKind)
