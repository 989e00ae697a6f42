"""How many alarms there are, and how many notes apart from them: a note is for information and never an alarm. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Of what somebody asked for."""

    alarms: int = 0
    notes: int = 0

    @property
    def total(self) -> int:
        """All entries."""
        return self.alarms + self.notes

    def __str__(self) -> str:
        """`2 alarms, 1 note` in words; the notes only where there are any, the alarms only where not notes alone."""
        told = [_told(self.notes, "note")] if self.notes else []
        if self.alarms or not told:
            told.insert(0, _told(self.alarms, "alarm"))
        return ", ".join(told)


def _told(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")
