"""The courier reads two lines of the installer's file by itself; it and the whole configuration must agree on them."""

from pathlib import Path

import pytest

from doorctl.config.reading import read_config
from doorctl.core.types import SECOND
from doorctl.courierd.config import read_link
from tests.config.making import VALID, read


@pytest.mark.parametrize(
    "lines", ['file = "monitor.toml"', "", 'file = "elsewhere/m.toml"\nsupervision_s = 10', "supervision_s = 59.5"]
)
def test_both_read_the_same(tmp_path: Path, lines: str) -> None:
    text = VALID.replace('file = "monitor.toml"', lines)
    path = tmp_path / "doorctl.toml"
    path.write_text(text)
    link, whole = read_link(path), read(text).monitor
    assert (link.file, link.supervision) == (whole.file, whole.supervision)


def test_both_skip_the_mark_that_windows_puts_first(tmp_path: Path) -> None:
    path = tmp_path / "doorctl.toml"
    path.write_text(VALID.replace('file = "monitor.toml"', "supervision_s = 10"), encoding="utf-8-sig")
    assert path.read_bytes().startswith(b"\xef\xbb\xbf[site]")
    link, whole = read_link(path), read_config(path).monitor
    assert (link.file, link.supervision) == (whole.file, whole.supervision) == ("monitor.toml", 10 * SECOND)
