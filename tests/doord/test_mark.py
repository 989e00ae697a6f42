"""One bit that outlives a restart."""

from pathlib import Path

import pytest

from doorctl.doord.mark import Mark
from doorctl.errors import StorageError


def test_it_stands_until_it_is_cleared(tmp_path: Path) -> None:
    mark = Mark(tmp_path / "lockdown", unwritten="")
    found = []
    for on in (True, True, False, False):
        mark.write(on=on)
        found.append((mark.is_set(), Mark(tmp_path / "lockdown", unwritten="").is_set()))
    assert found == [(True, True), (True, True), (False, False), (False, False)]


def test_a_disk_that_refuses_is_told_with_what_it_means(tmp_path: Path) -> None:
    mark = Mark(tmp_path / "gone" / "lockdown", unwritten="a restart would forget it")
    with pytest.raises(StorageError) as error:
        mark.write(on=True)
    assert error.value.hint == "a restart would forget it"
    assert not mark.is_set()
