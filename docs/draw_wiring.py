"""Draws the wires of docs/install.md: the picture docs/wiring.svg, and the page's table and configuration.

`python docs/draw_wiring.py`; tests/docs/test_wiring.py checks that it was run. The pins are those of
etc/raspberry-pi.toml, read as doord reads it; which header pin a line has, and where its wire goes, stands here.
"""  # noqa: INP001  a script beside the page, in no package

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from doorctl.config.reading import read_config
from doorctl.config.types import Config, DataLines, Input

DOCS: Final = Path(__file__).parent
PICTURE: Final = DOCS / "wiring.svg"
PAGE: Final = DOCS / "install.md"
CONFIG: Final = DOCS.parent / "etc" / "raspberry-pi.toml"
HEADER: Final = {"GPIO17": 11, "GPIO27": 13, "GPIO22": 15, "GPIO23": 16, "GPIO24": 18}
"""Where a line is on the 40-pin header of every Raspberry Pi since the B+ (pinout.xyz)."""
POWER: Final = {1: "3.3 V", 2: "5 V", 4: "5 V", 6: "GND", 14: "GND", 20: "GND"}
"""Header pins that are no line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """One between the header and what stands around it."""

    pin: int
    what: str
    """GPIO17, or 5 V."""
    to: str
    key: str = ""
    """In the configuration."""
    y: int
    """Where it leaves the header in the picture."""


def wires(config: Config) -> tuple[Wire, ...]:
    """Every one, as the configuration has its lines."""
    (door,) = config.doors
    (reader,) = door.readers
    assert isinstance(door.contact, Input)
    assert isinstance(door.rex, Input)
    assert isinstance(reader.wiring, DataLines)
    lines = (
        (door.strike.pin, "relay board, IN; 10 kΩ from IN to GND", "strike", 240),
        (reader.wiring.d0, "level shifter, LV1; behind it D0, green", "wiegand, the first", 530),
        (reader.wiring.d1, "level shifter, LV2; behind it D1, white", "wiegand, the second", 580),
        (door.contact.pin, "door contact, with 1 kΩ in the wire", "contact", 275),
        (door.rex.pin, "exit button, with 1 kΩ in the wire", "rex", 505),
    )
    powers = (
        (4, "relay board, VCC", 150), (6, "relay board, GND", 195), (1, "level shifter, LV", 430),
        (2, "level shifter, HV", 480), (20, "level shifter, both GND, and 0 V of the reader's supply", 630),
        (14, "door contact and exit button, other wire", 390),
    )  # fmt: skip
    return (
        *(Wire(pin=HEADER[line], what=line, to=to, key=key, y=y) for line, to, key, y in lines),
        *(Wire(pin=pin, what=POWER[pin], to=to, y=y) for pin, to, y in powers),
    )


# The picture: boxes, wires with corners, and words, in this order, so that words are never under a wire.

WIDTH, HEIGHT = 1290, 850
STYLE: Final = """\
svg { color-scheme: light dark }
.paper { fill: #ffffff } .box { fill: #f4f6f8; stroke: #3c4650; stroke-width: 2 }
text { font: 20px system-ui, "DejaVu Sans", sans-serif; fill: #1b2228 }
.name { font-weight: 700; font-size: 22px } .small { font-size: 18px; fill: #48535d }
.wire { fill: none; stroke-width: 3 } .part { fill: #ffffff; stroke: #1b2228; stroke-width: 2 }
.solid { fill: #1b2228; stroke: #1b2228; stroke-width: 2 }
.plus { stroke: #c62828 } .ground { stroke: #3c4650 } .signal { stroke: #1565c0 } .green { stroke: #2e7d32 }
.white { stroke: #8a6d3b } .strike { stroke: #b35900 }
.dot { fill: #3c4650 }
@media (prefers-color-scheme: dark) {
.paper { fill: #0d1117 } .box { fill: #1b222b; stroke: #9aa7b3 } text { fill: #e8edf2 } .small { fill: #b4bfca }
.part { fill: #0d1117; stroke: #e8edf2 } .solid { fill: #e8edf2; stroke: #e8edf2 }
.plus { stroke: #ff7b72 } .ground { stroke: #9aa7b3 } .signal { stroke: #79b8ff } .green { stroke: #56d364 }
.white { stroke: #e3c78a } .strike { stroke: #ffa657 } .dot { fill: #9aa7b3 }
}
"""
PI: Final = (370, 100, 250, 570)
RELAY: Final = (740, 100, 130, 200)
SHIFTER: Final = (740, 390, 130, 280)
LOCK_SUPPLY: Final = (1000, 100, 180, 70)
STRIKE: Final = (1000, 225, 180, 70)
READER: Final = (1000, 440, 180, 230)
READER_SUPPLY: Final = (1000, 740, 180, 70)
CONTACT: Final = (20, 235, 200, 120)
BUTTON: Final = (20, 425, 200, 120)
Box = tuple[int, int, int, int]


def box(place: Box, *said: str) -> str:
    """With its name above it, and what it must be below the name's line."""
    x, y, wide, high = place
    name, *more = said
    words = [f'<text class="name" x="{x}" y="{y - 12}">{name}</text>']
    words += [
        f'<text class="small" x="{x}" y="{y + high + 22 + 20 * number}">{line}</text>'
        for number, line in enumerate(more)
    ]
    return "\n".join([f'<rect class="box" x="{x}" y="{y}" width="{wide}" height="{high}" rx="6"/>', *words])


def wire(kind: str, *corners: tuple[int, int]) -> str:
    """A line along its corners."""
    path = " ".join(f"{x},{y}" for x, y in corners)
    return f'<polyline class="wire {kind}" points="{path}"/>'


def text(x: int, y: int, said: str, *, end: bool = False, small: bool = False) -> str:
    """At the height of a wire; `end`: up to x."""
    anchor = ' text-anchor="end"' if end else ""
    kind = ' class="small"' if small else ""
    return f'<text{kind} x="{x}" y="{y + 6}"{anchor}>{said}</text>'


def joint(x: int, y: int) -> str:
    """Wires that touch."""
    return f'<circle class="dot" cx="{x}" cy="{y}" r="6"/>'


def resistor(x: int, y: int, *, upright: bool = False) -> str:
    """Its middle at x, y."""
    wide, high = (16, 30) if upright else (40, 16)
    return f'<rect class="part" x="{x - wide // 2}" y="{y - high // 2}" width="{wide}" height="{high}"/>'


def picture(config: Config) -> str:
    """The whole file."""
    at = {found.pin: found for found in wires(config)}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="t">',
        '<title id="t">How the wires of docs/install.md go; its table says the same</title>',
        f"<style>\n{STYLE}</style>",
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>',
        "<!-- drawn by docs/draw_wiring.py from etc/raspberry-pi.toml: do not edit -->",
        *_boxes(),
        *_at_the_door(at),
        *_strike(at),
        *_reader(at),
        *_words(at),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _boxes() -> list[str]:
    return [
        box(PI, "Raspberry Pi", "numbers: pins of the header"),
        box(RELAY, "Relay board"),
        box(SHIFTER, "Level shifter", "3.3 V | 5 V"),
        box(LOCK_SUPPLY, "12 V for the strike"),
        box(STRIKE, "Strike, fail-secure"),
        box(READER, "Wiegand reader"),
        box(READER_SUPPLY, "12 V for the reader"),
        box(CONTACT, "Door contact", "closed while the door is"),
        box(BUTTON, "Exit button", "closed while pressed"),
    ]


def _at_the_door(at: dict[int, Wire]) -> list[str]:
    """The inputs: a switch each, between a line and ground."""
    contact, button, ground = at[13].y, at[15].y, at[14].y
    return [
        wire("signal", (220, contact), (370, contact)), resistor(315, contact),
        wire("signal", (220, button), (370, button)), resistor(315, button),
        wire("ground", (220, 325), (260, 325), (260, ground)), wire("ground", (220, 455), (260, 455), (260, ground)),
        wire("ground", (260, ground), (370, ground)), joint(260, ground),
        text(292, contact - 26, "1 kΩ", small=True), text(292, button - 26, "1 kΩ", small=True),
    ]  # fmt: skip


def _strike(at: dict[int, Wire]) -> list[str]:
    """The relay, and behind it a circuit that touches nothing of the board."""
    return [
        wire("plus", (620, at[4].y), (740, at[4].y)), wire("ground", (620, at[6].y), (740, at[6].y)),
        wire("signal", (620, at[11].y), (740, at[11].y)),
        wire("ground", (680, at[6].y), (680, at[11].y)), joint(680, at[6].y), joint(680, at[11].y),
        resistor(680, 217, upright=True), text(658, 270, "10 kΩ", small=True),
        wire("strike", (870, 135), (1000, 135)),
        '<rect class="part" x="912" y="127" width="46" height="16"/>', text(898, 109, "fuse 1 A", small=True),
        wire("strike", (870, 260), (1000, 260)), wire("strike", (1180, 260), (1260, 260), (1260, 135), (1180, 135)),
        wire("strike", (960, 260), (960, 325), (1260, 325), (1260, 260)), joint(960, 260), joint(1260, 260),
        '<path class="solid" d="M1098 313 L1076 325 L1098 337 Z"/>', '<path class="solid" d="M1074 312 V338"/>',
        text(962, 352, "diode 1N4007, band at +", small=True),
    ]  # fmt: skip


def _reader(at: dict[int, Wire]) -> list[str]:
    """Two lines through the shifter, and the ground that both sides must have in common."""
    ground = at[20].y
    return [
        wire("plus", (620, at[1].y), (740, at[1].y)), wire("plus", (620, at[2].y), (740, at[2].y)),
        wire("signal", (620, at[16].y), (740, at[16].y)), wire("signal", (620, at[18].y), (740, at[18].y)),
        wire("ground", (620, ground), (740, ground)),
        wire("green", (870, at[16].y), (1000, at[16].y)), wire("white", (870, at[18].y), (1000, at[18].y)),
        wire("ground", (870, ground), (1000, ground)), wire("ground", (935, ground), (935, 775), (1000, 775)),
        joint(935, ground), wire("plus", (1180, 480), (1260, 480), (1260, 775), (1180, 775)),
        text(896, at[16].y - 18, "green", small=True), text(896, at[18].y - 18, "white", small=True),
        text(768, 740, "common ground", small=True),
    ]  # fmt: skip


def _words(at: dict[int, Wire]) -> list[str]:
    """What stands at each end, inside its box."""
    left, right = (13, 14, 15), {4: "VCC", 6: "GND", 11: "IN", 1: "LV", 2: "HV", 16: "LV1", 18: "LV2", 20: "GND"}
    said = [text(382, at[pin].y, f"{pin} · {at[pin].what}") for pin in left]
    said += [text(608, at[pin].y, f"{at[pin].what} · {pin}", end=True) for pin in right]
    said += [text(752, at[pin].y, name) for pin, name in right.items()]
    said += [text(858, at[pin].y, name, end=True) for pin, name in ((16, "HV1"), (18, "HV2"), (20, "GND"))]
    said += [text(858, 135, "COM", end=True), text(858, 260, "NO", end=True)]
    said += [text(1012, at[pin].y, name) for pin, name in ((16, "D0"), (18, "D1"), (20, "0 V"))]
    said += [text(1012, y, "+") for y in (135, 260)] + [text(1168, y, "−", end=True) for y in (135, 260)]
    said += [text(1168, 480, "+12 V", end=True), text(1012, 775, "−"), text(1168, 775, "+", end=True)]
    return said


def table(config: Config) -> str:
    """The same wires in words."""
    rows = [f"| {one.pin} | {one.what} | {one.to} | {f'`{one.key}`' if one.key else ''} |" for one in wires(config)]
    return "\n".join(["| header pin | is | its wire goes to | in the file |", "|---|---|---|---|", *rows])


def listing() -> str:
    """The file as it is."""
    return f"```toml\n{CONFIG.read_text(encoding='utf-8')}```"


def drawn(page: str, config: Config) -> str:
    """The page with both; everything else as it was."""
    for name, now in (("wires", table(config)), ("configuration", listing())):
        begin, end = f"<!-- {name}: drawn by docs/draw_wiring.py, do not edit -->\n", f"<!-- end of {name} -->\n"
        before, rest = page.split(begin)
        _, after = rest.split(end)
        page = f"{before}{begin}{now}\n{end}{after}"
    return page


def main() -> None:
    """Write both."""
    config = read_config(CONFIG)
    PICTURE.write_text(picture(config), encoding="utf-8")
    PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8"), config), encoding="utf-8")


if __name__ == "__main__":
    main()
