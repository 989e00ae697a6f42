"""One file with fifteen mistakes: fifteen messages in the order of its lines, word for word as an operator sees them."""

from pathlib import Path

import pytest

from doorctl.config.reading import ConfigError, read_config

HERE = Path(__file__).parent


def test_fifteen_mistakes_are_fifteen_messages() -> None:
    with pytest.raises(ConfigError) as raised:
        read_config(HERE / "mistaken.toml")
    assert raised.value.told_by("doorctl") == (HERE / "mistaken.txt").read_text(encoding="utf-8").removesuffix("\n")
    assert len(raised.value.mistakes) == 15
    lines = [mistake.line for mistake in raised.value.mistakes]
    assert lines == sorted(lines)
    assert str(raised.value).endswith("\nmistaken.toml: 15 mistakes")
