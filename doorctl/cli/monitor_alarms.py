"""doorctl monitor alarms and controllers: a client of the running monitor's console on this machine."""

import argparse
import getpass
import http.client
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from doorctl.errors import DoorctlError, OperatorError, PeerError
from doorctl.monitord.alarms.access import load_token
from doorctl.monitord.alarms.counts import Count
from doorctl.monitord.settings import Address, parse_address, read_settings
from doorctl.monitord.supervisor import ports_path
from doorctl.paths import Paths

_TIMEOUT_S: Final = 10.0
_SILENCE_S: Final = 40.0
"""The console says something every 15 s."""
_PAUSE_S: Final = 1.0
_NO_MONITOR: Final = "is `doorctl monitor run` running on this machine"


class Client:
    """Asks the console."""

    def __init__(self, paths: Paths) -> None:
        self._address = _console(paths)
        self._headers = {"authorization": f"Bearer {load_token(paths.monitor_keys)}"}

    def get(self, target: str) -> Any:
        """What the console answers, as JSON."""
        return self._ask("GET", target, None)

    def post(self, target: str, value: object) -> Any:
        """The same with a body."""
        return self._ask("POST", target, json.dumps(value))

    def events(self, after: int) -> Iterator[dict[str, Any]]:
        """Alarms as they change, for ever; comes back after a cut without missing one.

        After a restore the monitor's numbers mean something else: all that it shows is told again, oldest first.
        """
        number = str(after)
        while True:
            connection = http.client.HTTPConnection(self._address.host, self._address.port, timeout=_SILENCE_S)
            try:
                connection.request("GET", "/api/events", headers=self._headers | {"last-event-id": number})
                at, event = number, ""
                for name, value in _fields(connection.getresponse()):
                    if name == "id":
                        at = value
                    elif name == "event":
                        event = value
                    elif name == "data":
                        yield from self._anew() if event == "reload" else [json.loads(value)]
                        number = at  # not before: what could not be told is asked for again
            except (OSError, http.client.HTTPException) as error:
                print(f"doorctl: {self._address}: {error}; trying again", file=sys.stderr)
            except DoorctlError as error:
                print(f"doorctl: {error}; trying again", file=sys.stderr)
            finally:
                connection.close()
            time.sleep(_PAUSE_S)

    def _anew(self) -> Iterator[dict[str, Any]]:
        print(
            f"doorctl: {self._address}: its numbers went back, as after a restore; its alarms once more",
            file=sys.stderr,
        )
        yield from reversed(self.get("/api/alarms")["alarms"])

    def _ask(self, method: str, target: str, body: str | None) -> Any:
        connection = http.client.HTTPConnection(self._address.host, self._address.port, timeout=_TIMEOUT_S)
        try:
            connection.request(method, target, body=body, headers=self._headers)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise OperatorError(f"{self._address}: no console there: {error}", hint=_NO_MONITOR) from error
        finally:
            connection.close()
        try:
            found = json.loads(text)
        except ValueError as error:
            raise PeerError(f"{self._address}: the console answered {answer.status}", hint=_NO_MONITOR) from error
        if answer.status != http.client.OK:
            raise OperatorError(f"{self._address}: {found.get('error', answer.status)}")
        return found


def alarms(args: argparse.Namespace) -> int:
    """Show, follow or acknowledge."""
    client = Client(Paths.chosen(args.home))
    if args.ack is not None:
        alarm = client.post(f"/api/alarms/{args.ack}/ack", {"who": args.who or person(os.environ)})
        print(json.dumps(alarm) if args.json else line(alarm))
        return 0
    found = client.get(f"/api/alarms?limit={args.limit}")
    if args.json and not args.follow:
        print(json.dumps(found["alarms"], indent=2))
        return 0
    for alarm in reversed(found["alarms"]) if args.follow else found["alarms"]:
        print(json.dumps(alarm) if args.json else line(alarm))
    if not args.json and not args.follow:
        print("\n".join([_told(found), *_hint(found["alarms"])]))
    if args.follow:
        sys.stdout.flush()
        for alarm in client.events(found["change"]):
            print(json.dumps(alarm) if args.json else line(alarm), flush=True)
    return 0


def _told(found: Mapping[str, Any]) -> str:
    """How many of them wait, in the words of the page."""
    waiting = Count(alarms=found["open"], notes=found["notes"])
    if waiting.total:
        return f"{waiting} to look at"
    return "nothing to look at" if found["alarms"] else "no alarms"


def _hint(alarms: list[dict[str, Any]]) -> Iterator[str]:
    """How to acknowledge, with the number that stands on top; nothing where none of those shown waits."""
    new = [alarm["id"] for alarm in alarms if alarm["state"] == "new"]
    if new:
        yield f"  hint: `doorctl monitor ack {new[0]}` says that somebody has seen it and acts"


def controllers(args: argparse.Namespace) -> int:
    """Show every board and how it is."""
    found = Client(Paths.chosen(args.home)).get("/api/controllers")["controllers"]
    if args.json:
        print(json.dumps(found, indent=2))
        return 0
    for one in found:
        heard = one["last_supervision"] or "never"
        waiting = "" if one["pending"] is None else f", {one['pending']} waiting there"
        name = (one["site"] or "-") + (" (simulated)" if one["simulated"] else "")
        print(f"{name}  {one['controller'][:16]}  {one['health']}, last heard {heard}{waiting}")
    if not found:
        print("no controllers; `doorctl monitor trust controller.toml` adds one")
    return 0


def person(environ: Mapping[str, str]) -> str:
    """Who sits here. The token is the monitor's own, so this is run with sudo, and root is nobody's name."""
    return environ.get("SUDO_USER") or getpass.getuser()


def line(alarm: dict[str, Any]) -> str:
    """One alarm for a terminal; its moment is UTC."""
    where = "/".join(part for part in (alarm["site"] or alarm["controller"][:8], alarm["door"]) if part)
    state = alarm["state"] if alarm["state"] == "new" else f"acknowledged by {alarm['acknowledged_by']}"
    lasting = ", lasting" if alarm["standing"] else ", over" if alarm["ended"] else ""
    return (
        f"#{alarm['id']} {alarm['event']} {alarm['severity'].upper()} {where}: "
        f"{alarm['title']}: {alarm['text']} [{state}{lasting}]"
    )


def _console(paths: Paths) -> Address:
    try:
        running = json.loads(ports_path(paths).read_text(encoding="utf-8"))
        return parse_address(str(running["console"]), where="console")
    except (FileNotFoundError, ValueError, KeyError):
        return read_settings(paths.monitor_config).console


def _fields(answer: http.client.HTTPResponse) -> Iterator[tuple[str, str]]:
    """Names and values of a stream of server-sent events; our console sends one line of data an event."""
    if answer.status != http.client.OK:
        raise http.client.HTTPException(f"the console answered {answer.status}")
    for raw in answer:
        name, colon, value = raw.decode("utf-8", "replace").rstrip("\r\n").partition(":")
        if colon and name:
            yield name, value.removeprefix(" ")
