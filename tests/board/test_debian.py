"""What Debian's own tools say on a board that has worked all day: completion in its bash, its manuals, its files."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from doorctl.cli.completion_tree import command_tree
from doorctl.cli.main import build_parser
from tests.board.conftest import Site
from tests.docs.terminal import Terminal
from tests.system.wheelhouse import ROOT

pytestmark = pytest.mark.board

COMPLETION = "/usr/share/bash-completion/completions/doorctl"
"""Where the package bash-completion looks for a command of this name."""
TREE = command_tree(build_parser())


class Bash(Terminal):
    """The board's own, interactive; readline inserts everything that it would offer after TAB."""

    def __init__(self, site: Site) -> None:
        inside = [*site.board.entered(), "TERM=dumb", "PS1=", "bash", "--norc", "--noprofile", "-i"]
        super().__init__(["setsid", "--ctty", *inside], {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, Path("/"))
        self.run(f"source {COMPLETION}; bind '\"\\C-o\": insert-completions'")
        self.run('bind -x \'"\\C-g": printf "\\n<%s>\\n" "$READLINE_LINE"\'; bind \'set bell-style none\'')

    def offered(self, line: str) -> set[str]:
        return self.inserted(line, "\x0f\x07")


@pytest.fixture(scope="module")
def bash(site: Site) -> Iterator[Bash]:
    opened = Bash(site)
    yield opened
    opened.close()


def test_commands_doors_and_options_are_completed(bash: Bash) -> None:
    assert bash.offered("doorctl ") >= {one.path[-1] for one in TREE.verbs}
    assert bash.offered("doorctl wire-") == {"wire-test"}
    assert bash.offered("doorctl wire-test ") == {"front"}
    assert bash.offered("doorctl check --l") == {"--live"}
    assert bash.offered("doorctl holder add --gr") == {"--group"}


def test_every_manual_renders_without_a_warning(site: Site) -> None:
    pages = sorted(path.name for path in (ROOT / "docs" / "man").glob("*.[1-8]"))
    listed = site.board.run("dpkg -L doorctl | grep '^/usr/share/man/.*gz$'").split()
    assert sorted(Path(path).name.removesuffix(".gz") for path in listed) == pages
    names = " ".join(f"{name.rpartition('.')[2]}:{name.rpartition('.')[0]}" for name in pages)
    said = site.board.run(
        f"for one in {names}; do MANWIDTH=100 man --warnings=w -E UTF-8 -P cat ${{one%%:*}} ${{one#*:}} >/tmp/page "
        '|| echo "$one"; grep -q "^NAME" /tmp/page || echo "$one has no name"; done; rm /tmp/page'
    )
    assert said == ""


def test_the_files_are_those_of_the_package(site: Site) -> None:
    assert (site.board.run("dpkg --verify doorctl"), site.monitor.run("dpkg --verify doorctl")) == ("", "")
