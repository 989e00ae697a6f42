"""What an installer is told of a reader's wires: one shape for two-wire readers and for lines. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A likely fault. Never a certain one: the same pulses can have several causes."""

    fault: str
    """For scripts and tests: the value of a Fault of hal.wiegand.wiring or hal.osdp.wiring."""
    words: str
    """What is likely wrong, and how it showed; never a frame's content."""
    do: str
    """What to try first."""
