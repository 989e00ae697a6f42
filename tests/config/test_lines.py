"""Where keys stand, in every way that TOML lets people write them."""

import tomli
from hypothesis import given
from hypothesis import strategies as st

from doorctl.config.lines import Place, Span, Spot, key_spots, line_of, spot_of, statements
from tests.config.making import cut

TEXT = '''\
# a comment with [brackets] and = signs
top = 1
[door.front]   # [not.this]
strike = { pin = "GPIO17", "type" = 'fail-secure', deep = { x = 1 } }
"quoted.key" = """
[inside.a.string]
key = 1
"""
readers = {
  in = { wiegand = ["A",
                    "B"],
         mode = "card" },
  out = {},
}
raw = \'\'\'
also = "inside\'\'\'
nested = [
  ["[x]", { y = 1 }],
]
dotted . name = 3
[[array]]
a = 1
[ door . "back \\u0041" ]
b = 2
'''


def lines_of(text: str) -> dict[Place, int]:
    return {place: spot.key.line for place, spot in key_spots(text).items()}


def test_every_key_has_its_line() -> None:
    assert lines_of(TEXT) == {
        ("top",): 2,
        ("door",): 3,
        ("door", "front"): 3,
        ("door", "front", "strike"): 4,
        ("door", "front", "strike", "pin"): 4,
        ("door", "front", "strike", "type"): 4,
        ("door", "front", "strike", "deep"): 4,
        ("door", "front", "strike", "deep", "x"): 4,
        ("door", "front", "quoted.key"): 5,
        ("door", "front", "readers"): 9,
        ("door", "front", "readers", "in"): 10,
        ("door", "front", "readers", "in", "wiegand"): 10,
        ("door", "front", "readers", "in", "mode"): 12,
        ("door", "front", "readers", "out"): 13,
        ("door", "front", "raw"): 15,
        ("door", "front", "nested"): 17,
        ("door", "front", "nested", "y"): 18,
        ("door", "front", "dotted"): 20,
        ("door", "front", "dotted", "name"): 20,
        ("array",): 21,
        ("array", "a"): 22,
        ("door", "back A"): 23,
        ("door", "back A", "b"): 24,
    }


def pointed_at(text: str) -> dict[Place, tuple[str, str | None]]:
    """What each key's and value's columns cut out of their line."""
    return {
        place: (cut(text, spot.key), None if spot.value is None else cut(text, spot.value))
        for place, spot in key_spots(text).items()
    }


def test_every_value_has_its_columns() -> None:
    text = """\
[ door . front ]   # a comment
strike = { pin = "GPIO17", release_s = -0.5, on = [1, 2] } # said
  "a b"	=	2026-12-25
long = [
  1,
]
mixed = [ { x = 1 }, "é", true ]
text = '''one
two'''
"""
    assert pointed_at(text) == {
        ("door",): ("door . front", None),
        ("door", "front"): ("door . front", None),
        ("door", "front", "strike"): ("strike", '{ pin = "GPIO17", release_s = -0.5, on = [1, 2] }'),
        ("door", "front", "strike", "pin"): ("pin", '"GPIO17"'),
        ("door", "front", "strike", "release_s"): ("release_s", "-0.5"),
        ("door", "front", "strike", "on"): ("on", "[1, 2]"),
        ("door", "front", "a b"): ('"a b"', "2026-12-25"),
        ("door", "front", "long"): ("long", "["),
        ("door", "front", "mixed"): ("mixed", '[ { x = 1 }, "é", true ]'),
        ("door", "front", "mixed", "x"): ("x", "1"),
        ("door", "front", "text"): ("text", "'''one"),
    }


def test_what_has_no_line_has_that_of_what_is_around_it() -> None:
    third, seventh = (Spot(key=Span(line=line, begin=1, end=5)) for line in (3, 7))
    found = {("door",): third, ("door", "front"): seventh}
    assert line_of(found, ("door", "front", "egress")) == 7
    assert line_of(found, ("door", "back")) == 3
    assert line_of(found, ("site",)) == 1
    assert spot_of(found, ("door", "front", "egress")) == seventh
    assert spot_of(found, ("site",)) is None


def test_statements_end_where_no_bracket_is_open() -> None:
    text = 'a = 1\nb = [\n  "]", # ]\n]\n\nc = """\n[\n"""\nd = {\n x = 1'
    assert list(statements(text)) == [(1, 1), (2, 4), (5, 5), (6, 8), (9, None)]


@given(st.text(alphabet="ab\"'\\=[]{},.#\n \t1", max_size=80))
def test_any_text_gives_lines_that_are_there(text: str) -> None:
    lines = text.split("\n")
    for spot in key_spots(text).values():
        for span in (spot.key, spot.value):
            if span is not None:
                assert 1 <= span.line <= len(lines)
                assert 1 <= span.begin <= span.end <= len(lines[span.line - 1]) + 1
    ends = [end or len(lines) for _, end in statements(text)]
    assert ends == sorted(ends)
    assert ends[-1] == len(lines)


keys = st.text(alphabet="abc-", min_size=1, max_size=3)
values = st.recursive(
    st.sampled_from(["1", '"x"', "'#'", "true", '"[k]"', '"""\n[t]\n"""']),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(keys, inner, max_size=3).map(
            lambda table: "{" + ", ".join(f"{key} = {value}" for key, value in table.items()) + "}"
        )
    ),
    max_leaves=6,
)


@given(st.dictionaries(keys, st.dictionaries(keys, values, max_size=3), max_size=3))
def test_every_key_that_tomli_reads_is_found(tables: dict[str, dict[str, str]]) -> None:
    text = "".join(
        f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in table.items()) for name, table in tables.items()
    )
    assert set(places(tomli.loads(text))) <= set(key_spots(text))


def places(tree: dict[str, object], around: Place = ()) -> list[Place]:
    found: list[Place] = []
    for key, value in tree.items():
        place = (*around, key)
        found.append(place)
        if isinstance(value, dict):
            found += places(value, place)
    return found
