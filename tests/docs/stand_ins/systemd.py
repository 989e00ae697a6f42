#!/usr/bin/env python3
"""Stands in for systemd's programs on a machine of a test, as systemctl, systemd-run, udevadm, sudo, sudoedit …

It reads the unit files that the documents had installed and starts what they say, as the user they name, and waits for
READY=1. It refuses whatever it does not know, so that no line of a document passes by being ignored.
"""

import grp
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NoReturn

UNITS = Path("/etc/systemd/system")
RUNNING = Path("/run/stand-ins")
READY_WITHIN_S = 60
RULES = Path("/etc/udev/rules.d")


def main() -> int:
    """Act as the program whose name this was called by."""
    name, arguments = Path(sys.argv[0]).name, sys.argv[1:]
    RUNNING.mkdir(exist_ok=True)
    with RUNNING.joinpath("calls").open("a") as calls:
        calls.write(json.dumps([name, *arguments]) + "\n")
    return {"systemctl": systemctl, "systemd-run": systemd_run, "udevadm": udevadm, "sudo": sudo, "sudoedit": sudoedit}[
        name
    ](arguments)


def refuse(what: str) -> NoReturn:
    sys.exit(f"{Path(sys.argv[0]).name}: {what}")


def sudo(arguments: list[str]) -> int:
    """We are root already; a command that takes the pins itself gets the made-up ones, as doord does."""
    if arguments[0].startswith("-"):
        refuse(f"not known here: {arguments[0]}")
    pins = {"PYTHONPATH": os.environ["STAND_INS_PYTHONPATH"]} if {"wire-test", "--live"} & {*arguments} else {}
    os.execvpe(arguments[0], arguments, os.environ | pins)  # noqa: S606  sudo starts no shell either


def sudoedit(arguments: list[str]) -> int:
    """Nobody edits; the file must be there."""
    (path,) = map(Path, arguments)
    return 0 if path.is_file() else refuse(f"{path}: no such file")


def udevadm(arguments: list[str]) -> int:
    match arguments:
        case ["control", "--reload"]:
            rules = [line for path in RULES.glob("*.rules") for line in path.read_text().splitlines()]
            known = re.compile(r'(\w+(==|=)"[^"]*"(, )?)+|#.*|')
            return 0 if rules and all(known.fullmatch(line) for line in rules) else refuse("no rules, or bad ones")
        case ["trigger", "--subsystem-match=gpio"]:
            return 0
        case _:
            refuse(f"not known here: {arguments}")


def systemd_run(arguments: list[str]) -> int:
    """`-t -p LoadCredentialEncrypted=NAME:PATH … COMMAND`: the command with its credentials."""
    command, folder = list(arguments), Path(tempfile.mkdtemp(prefix="credentials-", dir="/run"))
    while command[0].startswith("-"):
        match command.pop(0):
            case "-t" | "--pty" | "--wait" | "--quiet" | "--collect":
                pass
            case "-p":
                load_credential(command.pop(0), folder)
            case other:
                refuse(f"not known here: {other}")
    try:
        return subprocess.run(command, env=os.environ | {"CREDENTIALS_DIRECTORY": str(folder)}, check=False).returncode
    finally:
        shutil.rmtree(folder)


def load_credential(setting: str, folder: Path) -> None:
    key, _, value = setting.partition("=")
    if key != "LoadCredentialEncrypted":
        refuse(f"not known here: {setting}")
    name, path = value.split(":")
    subprocess.run(["systemd-creds", "decrypt", f"--name={name}", path, str(folder / name)], check=True)
    (folder / name).chmod(0o400)


def systemctl(arguments: list[str]) -> int:
    """What a person asks of it."""
    verb, *names = [one.removesuffix(".service") for one in arguments if not one.startswith("-")]
    options = {one for one in arguments if one.startswith("-")}
    if options - {"--now", "--no-pager"}:
        refuse(f"not known here: {options}")
    if verb == "daemon-reload":
        return 0
    for name in names:
        if not (UNITS / f"{name}.service").is_file():
            refuse(f"Unit {name}.service could not be found.")
    return max([done(verb, name, now="--now" in options) for name in names], default=1)


def done(verb: str, name: str, *, now: bool) -> int:
    """To one unit; the exit code."""
    if verb in ("stop", "restart") or (verb == "disable" and now):
        stop(name)
    if verb == "enable":
        verify(name)
    if verb in ("start", "restart") or (verb == "enable" and now):
        start(name)
    if verb in ("status", "is-active"):
        sys.stdout.write("active\n" if running(name) else "inactive\n")
        return 0 if running(name) else 3
    if verb == "reload":
        return reload(name)
    if verb not in ("start", "stop", "restart", "enable", "disable"):
        refuse(f"not known here: {verb}")
    return 0


def verify(name: str) -> None:
    """systemd's own opinion of the unit."""
    if shutil.which("systemd-analyze"):
        path = str(UNITS / f"{name}.service")
        done = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True, check=False)
        # other units of the machine are not this project's business, nor that no manual page is in MANPATH yet
        ours = [line for line in done.stderr.splitlines() if line.startswith((path, f"{name}.service"))]
        if found := [line for line in ours if "man" not in line]:
            refuse("\n".join(found))


def settings(name: str) -> dict[str, list[str]]:
    """A unit's settings, each with all its values."""
    found: dict[str, list[str]] = {}
    for line in (UNITS / f"{name}.service").read_text().splitlines():
        if "=" in line and not line.startswith(("#", "[")):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def running(name: str) -> int | None:
    try:
        pid = int((RUNNING / f"{name}.pid").read_text())
        os.kill(pid, 0)
        return None if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z" else pid
    except (OSError, ValueError):
        return None


def stop(name: str) -> None:
    pid = running(name)
    if pid is None:
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + 30
    while running(name) is not None:
        if time.monotonic() > deadline:
            refuse(f"{name} does not end")
        time.sleep(0.02)


def reload(name: str) -> int:
    """The unit's own command, as its user; what it says is in its log."""
    if running(name) is None:
        refuse(f"{name}.service is not active, cannot reload.")
    unit = settings(name)
    user = pwd.getpwnam(unit["User"][0])
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHONPATH": os.environ["STAND_INS_PYTHONPATH"]}
    with (RUNNING / f"{name}.log").open("ab") as log:
        code = subprocess.run(
            unit["ExecReload"][0].split(), env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            user=user.pw_uid, group=user.pw_gid, extra_groups=[], check=False,
        ).returncode  # fmt: skip
    return 0 if code == 0 else refuse(f"Job for {name}.service failed.")


def start(name: str) -> None:
    """As the unit says; returns once it is ready."""
    if running(name):
        return
    unit = settings(name)
    user = pwd.getpwnam(unit["User"][0])
    for key, base in (("RuntimeDirectory", "/run"), ("StateDirectory", "/var/lib")):
        for folder in unit.get(key, []):
            give(Path(base) / folder, user, int(unit.get(f"{key}Mode", ["0755"])[0], 8))
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHONPATH": os.environ["STAND_INS_PYTHONPATH"]}
    if "LoadCredentialEncrypted" in unit:
        environment["CREDENTIALS_DIRECTORY"] = str(credentials(name, unit["LoadCredentialEncrypted"], user))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        path = RUNNING / f"{name}.notify"
        path.unlink(missing_ok=True)
        told.bind(str(path))
        path.chmod(0o666)
        told.settimeout(0.2)
        process = launched(name, unit, user, environment | {"NOTIFY_SOCKET": str(path)})
        (RUNNING / f"{name}.pid").write_text(str(process.pid))
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if b"READY=1" in told.recv(4096):
                    return
            except TimeoutError:
                continue
    refuse(f"Job for {name}.service failed:\n{(RUNNING / f'{name}.log').read_text()}")


def launched(
    name: str, unit: dict[str, list[str]], user: pwd.struct_passwd, environment: dict[str, str]
) -> "subprocess.Popen[bytes]":
    groups = [
        user.pw_gid,
        *(grp.getgrnam(one).gr_gid for line in unit.get("SupplementaryGroups", []) for one in line.split()),
    ]
    with (RUNNING / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            unit["ExecStart"][0].split(), env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            cwd=unit["WorkingDirectory"][0], start_new_session=True, user=user.pw_uid, group=user.pw_gid,
            extra_groups=groups, umask=int(unit["UMask"][0], 8),
        )  # fmt: skip


def credentials(name: str, values: list[str], user: pwd.struct_passwd) -> Path:
    """A folder that only the unit's user reads."""
    folder = Path(f"/run/credentials/{name}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for value in values:
        load_credential(f"LoadCredentialEncrypted={value}", folder)
    give(folder, user, 0o700)
    return folder


def give(folder: Path, user: pwd.struct_passwd, mode: int) -> None:
    """A folder and what is in it, to the user."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(mode)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)


if __name__ == "__main__":
    sys.exit(main())
