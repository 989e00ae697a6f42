"""Where keys stand, in every way that TOML lets people write them."""

import tomli
from hypothesis import given
from hypothesis import strategies as st

from doorctl.config.lines import Place, key_lines, line_of

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


def test_every_key_has_its_line() -> None:
    assert key_lines(TEXT) == {
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


def test_what_has_no_line_has_that_of_what_is_around_it() -> None:
    found = {("door",): 3, ("door", "front"): 7}
    assert line_of(found, ("door", "front", "egress")) == 7
    assert line_of(found, ("door", "back")) == 3
    assert line_of(found, ("site",)) == 1


@given(st.text(alphabet="ab\"'\\=[]{},.#\n \t1", max_size=80))
def test_any_text_gives_lines_that_are_there(text: str) -> None:
    lines = key_lines(text).values()
    assert all(1 <= line <= text.count("\n") + 1 for line in lines)


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
    assert set(places(tomli.loads(text))) <= set(key_lines(text))


def places(tree: dict[str, object], around: Place = ()) -> list[Place]:
    found: list[Place] = []
    for key, value in tree.items():
        place = (*around, key)
        found.append(place)
        if isinstance(value, dict):
            found += places(value, place)
    return found
