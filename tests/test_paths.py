import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from doorctl.errors import OperatorError
from doorctl.paths import Paths
from tests.cli.board import as_nobody


def test_a_home_that_is_too_deep_for_sockets_is_refused_by_name() -> None:
    Paths.under(Path("/" + "x" * 80)).check_sockets()
    with pytest.raises(OperatorError, match="a socket's path has at most 107 bytes") as refused:
        Paths.under(Path("/" + "x" * 100)).check_sockets()
    assert refused.value.hint == "use a --home with a shorter path"


def test_the_service_s_own_places_fit() -> None:
    Paths.service().check_sockets()


def test_a_home_that_is_not_there_yet_is_fine(tmp_path: Path) -> None:
    assert Paths.chosen(str(tmp_path / "new" / "home")) == Paths.under(tmp_path / "new" / "home")


def test_a_home_that_is_a_link_to_a_folder_is_fine(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    assert Paths.chosen(str(tmp_path / "link")) == Paths.under(tmp_path / "link")


def test_a_home_that_is_a_ring_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ring").symlink_to(tmp_path / "ring")
    with pytest.raises(OperatorError, match=f"^--home: {tmp_path}/ring: too many levels of symbolic links$"):
        Paths.chosen(str(tmp_path / "ring"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")
@pytest.mark.parametrize(
    ("home", "told"), [("shut", "no right to enter this folder"), ("shut/home", "no right to enter a folder above it")]
)
def test_a_home_that_one_may_not_enter_is_refused(home: str, told: str) -> None:
    with TemporaryDirectory() as name:  # pytest's own folders nobody else may enter anyway
        Path(name).chmod(0o755)
        (Path(name) / "shut").mkdir(mode=0o600)
        with as_nobody(), pytest.raises(OperatorError) as refused:
            Paths.chosen(f"{name}/{home}")
    assert str(refused.value) == f"--home: {name}/{home}: {told}"
    assert refused.value.hint == "run it with sudo, as the folder's owner, or with a folder of your own"
