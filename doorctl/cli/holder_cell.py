"""Names in files that people open in a spreadsheet: none of them may be something that it computes.

A name that begins with `=` is a formula to a spreadsheet, and formulas fetch and send. Such names are refused at
enrolment (roster/holders.py); this is for refused lines, and for who was enrolled before that was so.
"""

from doorctl.roster.holders import is_formula


def cell(text: str) -> str:
    """The text as a field of a CSV file; an apostrophe before it makes a spreadsheet take it as text."""
    return f"'{text}" if is_formula(text) else text
