"""The configuration that `doorctl init` begins with; `doorctl check` accepts it as it is, and a test says so."""

from pathlib import Path
from typing import Final

BOARD: Final = """\
# doorctl.toml: one board, its doors, who may open them when. `doorctl check` finds every mistake in it.

[site]
id = "my-site"
timezone = "UTC"                   # as in "Europe/Lisbon"
# holidays = [2026-12-25, 2027-01-01]

[monitor]
file = "monitor.toml"

# One table a door. Pins are the chip's lines (GPIO17), not the header's numbers.
[door.front]
reader  = { wiegand = ["GPIO14", "GPIO15"], format = "H10301", keypad = "8-bit", mode = "card+code" }
strike  = { pin = "GPIO17", type = "fail-secure", release_s = 5 }
egress  = "mechanical"             # people get out without software: a handle; or "wired"
contact = "GPIO27"
rex     = "GPIO22"

[schedule.office]
mon-fri = "07:00-19:00"

[group.staff]
front = "office"
"""

MOCK: Final = """\
# doorctl.toml of a simulated board: no hardware is touched, and no real monitor takes its records.

[site]
id = "demo-site"
timezone = "UTC"

[monitor]
file = "monitor.toml"

[hal]
backend = "mock"

[door.front]
strike  = { pin = "GPIO17", type = "fail-secure", release_s = 5 }
egress  = "mechanical"
contact = "GPIO27"
rex     = "GPIO22"
tamper  = { pin = "GPIO23", active = "low" }
[door.front.reader]
wiegand = ["GPIO4", "GPIO5"]
format  = "H10301"
keypad  = "8-bit"
mode    = "card+code"
led     = "GPIO6"
buzzer  = "GPIO7"

[door.office]
strike  = { pin = "GPIO18", type = "fail-secure", release_s = 5 }
egress  = "mechanical"
contact = "GPIO24"
rex     = "GPIO25"
[door.office.reader]
wiegand = ["GPIO8", "GPIO9"]
keypad  = "4-bit"
mode    = "code"
led     = "GPIO10"
buzzer  = "GPIO11"

[door.vault]
strike  = { pin = "GPIO19", type = "fail-secure", release_s = 5 }
egress  = "mechanical"
contact = "GPIO26"
[door.vault.reader]
osdp    = "/dev/ttyAMA0"
address = 1
baud    = 38400
mode    = "card+code"

[group.staff]
front  = "always"
office = "always"
vault  = "always"
"""


def write_template(path: Path, *, mock: bool) -> None:
    """Write the first configuration; never over another."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8") as file:
        file.write(MOCK if mock else BOARD)
