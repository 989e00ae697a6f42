"""The package goes from a board that works, comes back, and goes for good. Last, since it takes the site along."""

from pathlib import Path

import pytest

from tests.board.conftest import Site
from tests.board.rig import until
from tests.board.test_units import by_card

pytestmark = pytest.mark.board

KEPT = ("/etc/doorctl/doorctl.toml", "/var/lib/doorctl/keys/identity.key", "/var/lib/doorctl/roster/roster.db")


def test_what_is_removed_comes_back_as_it_was(site: Site, package: Path) -> None:
    site.board.run("apt-get remove -y doorctl")
    assert site.board.run("systemctl is-active doorctl doorctl-courier", check=False).split() == ["inactive"] * 2
    assert [name for name in KEPT if not site.board.path(name).exists()] == []
    site.board.run(f"apt-get install -y /media/stick/{package.name}")
    until(lambda: site.board.main_pid("doorctl") > 1, 30, "doord does not come back")
    by_card(site)


def test_what_is_purged_is_gone(site: Site) -> None:
    site.board.run("apt-get purge -y doorctl")
    left = site.board.run("find /etc /usr /var/lib /run -xdev -name '*doorctl*' -not -path '/var/lib/dpkg/*'").split()
    assert left == []
    assert site.board.run("grep -c doorctl /etc/passwd /etc/group", check=False).split() == [
        "/etc/passwd:0", "/etc/group:0",
    ]  # fmt: skip
