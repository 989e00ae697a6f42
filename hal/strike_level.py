"""Which level of its pin secures a strike and which releases it: two bits, four rows (docs/hal-backend.md). Pure."""

from hal.ports import StrikeType


def strike_level(strike_type: StrikeType, *, active_high: bool, released: bool) -> int:
    """0 or 1; `active_high`: a high pin powers the strike."""
    powered = released is (strike_type is StrikeType.FAIL_SECURE)
    return int(powered is active_high)
