"""What the monitor of a test site has raised, by its own command."""

import json
from typing import Any

from doorctl.cli.sim_site import SimSite, command
from doorctl.monitord.alarms.kinds import AlarmKind


def alarms(site: SimSite) -> list[dict[str, Any]]:
    printed: list[dict[str, Any]] = json.loads(command(site.paths.var.parent, "--json", "monitor", "alarms"))
    return printed


def alarm_kinds(site: SimSite) -> set[AlarmKind]:
    return {AlarmKind(alarm["kind"]) for alarm in alarms(site)}
