"""Enrolling many people from a file: how long, and how much memory, sealers and all."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from doorctl.cli.sim_site import SimSite
from tests.cli.memory import Peak
from tests.cli.people_file import many, people_file

PEOPLE = 10_000


def lines(site: SimSite, folder: Path) -> Iterator[str]:
    """The report, a line at a time; the site is made."""
    file = people_file(folder, *many(PEOPLE))
    arguments = ["doorctl.cli.main", "--home", str(site.paths.var.parent), "holder", "import", file, "--json"]
    with (
        subprocess.Popen([sys.executable, "-m", *arguments], stdout=subprocess.PIPE, text=True) as running,
        Peak(running.pid) as peak,
    ):
        said = json.loads(running.communicate()[0])
    each = 1000 * said["seconds"] / said["enrolled"]
    yield f"{f'import of {PEOPLE:,} people':36}{said['seconds']:8.1f} s     {each:6.2f} ms each"
    yield f"{'  memory':36}{peak.own_mib:8.0f} MiB   {peak.together_mib:6.0f} MiB with its sealers (PSS)"
