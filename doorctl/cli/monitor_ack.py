"""doorctl monitor ack: acknowledge alarms at the running monitor's console, as its page does.

The alarms process alone writes alarms.db, so this asks it: the first name stays, every page sees it at once, and the
look is kept like the page's.
"""

import argparse
import json
import os
from typing import Any, Final

from doorctl.cli.monitor_alarms import Client, line, person
from doorctl.errors import OperatorError
from doorctl.paths import Paths

_NUMBERS: Final = "`doorctl monitor alarms` shows the numbers"


def acknowledge(args: argparse.Namespace) -> int:
    """Every alarm named, or none where one of them is not known."""
    client = Client(Paths.chosen(args.home))
    known = [_known(client, number) for number in dict.fromkeys(args.alarms)]
    who = args.who or person(os.environ)
    done = []
    for before in known:
        after = client.post(f"/api/alarms/{before['id']}/ack", {"who": who})
        done.append(after)
        if not args.json:  # one by one, so that a monitor that goes away in between leaves no doubt
            earlier = before["state"] != "new"
            print(line(after) + (" (it was before, and the first name stays)" if earlier else ""), flush=True)
    if args.json:
        print(json.dumps(done, indent=2))
    return 0


def _known(client: Client, alarm: int) -> Any:
    """As it is before; alarms are never deleted, so what is known now is acknowledged then."""
    try:
        return client.get(f"/api/alarms/{alarm}")
    except OperatorError as error:
        raise OperatorError(f"alarm {alarm}: {error}", hint=error.hint or _NUMBERS) from error
