"""Files with fifteen mistakes: fifteen messages in the order of their lines, word for word as an operator sees them."""

from pathlib import Path

import pytest

from doorctl.config.reading import ConfigError, read_config

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", ["mistaken", "flawed"])
def test_fifteen_mistakes_are_fifteen_messages(name: str) -> None:
    """`flawed` is no TOML in nine places; these hide none of the other six."""
    with pytest.raises(ConfigError) as raised:
        read_config(HERE / f"{name}.toml")
    assert raised.value.told_by("doorctl") == (HERE / f"{name}.txt").read_text(encoding="utf-8").removesuffix("\n")
    assert len(raised.value.mistakes) == 15
    lines = [mistake.line for mistake in raised.value.mistakes]
    assert lines == sorted(lines)
    assert all(mistake.hint and mistake.key and mistake.span for mistake in raised.value.mistakes)
    assert str(raised.value).endswith(f"\n{name}.toml: 15 mistakes")
