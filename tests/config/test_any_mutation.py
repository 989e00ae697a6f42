"""Whatever is done to a valid file: a Config, or an OperatorError that can be printed. Nothing else comes out."""

from pathlib import Path
from typing import Any

import pytest
import tomli
from hypothesis import given, settings
from hypothesis import strategies as st

from doorctl.config.advice import advice
from doorctl.config.reading import ConfigError, parse_config, read_config
from doorctl.config.types import Config
from doorctl.errors import OperatorError

EXAMPLES = [
    path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parents[2].joinpath("etc").glob("*.toml"))
]
ODD = [
    "0", "-1", "99999999999999999999", "0xffffffffffffffffffffffffffffffffffff", "inf", "nan", "true", '""', '"\\u0000"',
    '"GPIO17"', '"always"', "[]", "{}", "[[]]", "2026-01-01", "07:00", "2026-01-01T00:00:00Z", '["a", 1]', '"card"',
    "'''\n'''", "{ pin = 1 }", '"é\\u202e"', "[door.front]", "=", "#", "\n", "{", "]",
]  # fmt: skip


def answer(text: str) -> Config | None:
    """None where it was refused in words."""
    try:
        return parse_config(text, file="doorctl.toml")
    except ConfigError as error:
        refused = error
    assert refused.mistakes
    assert all(1 <= mistake.line <= text.count("\n") + 1 for mistake in refused.mistakes)
    assert all(line.isprintable() for line in refused.told_by("doorctl").split("\n"))
    return None


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 5
    assert all(answer(text) is not None for text in EXAMPLES)


@given(st.data())
@settings(max_examples=120, deadline=None)
def test_characters_and_words_replaced_anywhere(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(EXAMPLES))
    for _ in range(data.draw(st.integers(1, 3))):
        begin = data.draw(st.integers(0, len(text)))
        end = min(len(text), begin + data.draw(st.integers(0, 30)))
        text = text[:begin] + data.draw(st.sampled_from(ODD) | st.text(max_size=3)) + text[end:]
    config = answer(text)
    assert config is None or advice(config) is not None


@given(st.data())
@settings(max_examples=120, deadline=None)
def test_values_replaced_where_tomli_still_reads_them(data: st.DataObject) -> None:
    """Most random edits break the syntax; these do not, so that every reading method meets every type."""
    lines = data.draw(st.sampled_from(EXAMPLES)).split("\n")
    numbers = [number for number, line in enumerate(lines) if "=" in line and not line.startswith("#")]
    for number in data.draw(st.lists(st.sampled_from(numbers), min_size=1, max_size=4)):
        key = lines[number].partition("=")[0]
        edits = [f"{key}= {value}" for value in ODD[:24] if parses(f"{key}= {value}")]
        lines[number] = data.draw(st.sampled_from([*edits, "", f"x-{lines[number]}"]))
    config = answer("\n".join(lines))
    assert config is None or advice(config) is not None


@given(st.binary(max_size=200))
@settings(max_examples=60, deadline=None)
def test_any_bytes_in_the_file(tmp_path_factory: Any, raw: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(raw)
    with pytest.raises(OperatorError) as raised:
        read_config(path)
    assert raised.value.told_by("doorctl")


def parses(line: str) -> bool:
    try:
        tomli.loads(line)
    except ValueError:
        return False
    return True
