"""The systemd files: parsed strictly here, verified by systemd itself where it is installed."""

import configparser
import os
import pwd
import shutil
import subprocess
from pathlib import Path

import pytest

SYSTEMD = Path(__file__).parents[2] / "systemd"
UNITS = {path.name: path for path in sorted(SYSTEMD.glob("*.service"))}
HARDENING = {
    "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes", "DevicePolicy": "closed",
    "NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "AmbientCapabilities": "", "ProtectKernelTunables": "yes",
    "ProtectKernelModules": "yes", "ProtectKernelLogs": "yes", "ProtectControlGroups": "yes", "ProtectClock": "yes",
    "ProtectHostname": "yes", "ProtectProc": "invisible", "LockPersonality": "yes", "MemoryDenyWriteExecute": "yes",
    "RestrictNamespaces": "yes", "RestrictRealtime": "yes", "RestrictSUIDSGID": "yes", "RemoveIPC": "yes",
    "KeyringMode": "private", "SystemCallArchitectures": "native", "LimitCORE": "0", "UMask": "0077",
}  # fmt: skip
ALIVE = {"Type": "notify", "NotifyAccess": "main", "Restart": "always"}
WATCHDOG = {"doorctl.service": "6", "doorctl-courier.service": "30", "doorctl-monitor.service": "30"}


def sections(unit: Path) -> dict[str, dict[str, list[str]]]:
    """Section → directive → values in order; a line that is neither is an error."""
    found: dict[str, dict[str, list[str]]] = {}
    current: dict[str, list[str]] | None = None
    for line in unit.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            assert line.endswith("]")
            assert line[1:-1] not in found
            current = found.setdefault(line[1:-1], {})
            continue
        name, equals, value = line.partition("=")
        assert equals
        assert name.isalnum()
        assert current is not None
        current.setdefault(name, []).append(value)
    return found


def service(name: str) -> dict[str, list[str]]:
    return sections(UNITS[name])["Service"]


def test_the_three_services_are_there() -> None:
    assert list(UNITS) == ["doorctl-courier.service", "doorctl-monitor.service", "doorctl.service"]


@pytest.mark.parametrize("name", UNITS)
def test_each_is_kept_alive_and_hardened(name: str) -> None:
    unit = sections(UNITS[name])
    assert set(unit) == {"Unit", "Service", "Install"}
    assert unit["Unit"]["StartLimitIntervalSec"] == ["0"]
    told = {directive: value for directive, (value, *_) in unit["Service"].items()}
    assert {directive: told.get(directive) for directive in HARDENING | ALIVE} == HARDENING | ALIVE
    assert told["WatchdogSec"] == WATCHDOG[name]
    assert unit["Service"]["SystemCallFilter"] == ["@system-service", "~@privileged"]


def test_each_has_a_user_of_its_own() -> None:
    users = {name: service(name)["User"] for name in UNITS}
    assert users == {
        "doorctl.service": ["doorctl"],
        "doorctl-courier.service": ["doorctl-courier"],
        "doorctl-monitor.service": ["doorctl-monitor"],
    }


def test_a_reload_waits_for_its_outcome() -> None:
    assert service("doorctl.service")["Type"] == ["notify"]
    assert service("doorctl.service")["ExecReload"] == ["/opt/doorctl/bin/doorctl reload"]


def test_doord_has_pins_and_no_network() -> None:
    doord = service("doorctl.service")
    assert doord["PrivateNetwork"] == ["yes"]
    assert doord["RestrictAddressFamilies"] == ["AF_UNIX"]
    lines = ["char-ttyAMA rw", "char-ttyS rw", "char-ttyUSB rw", "char-ttyACM rw"]
    assert doord["DeviceAllow"] == ["char-gpiochip rw", *lines]
    assert doord["SupplementaryGroups"] == ["gpio dialout"]
    assert doord["WorkingDirectory"] == [f"/run/{doord['RuntimeDirectory'][0]}"]
    assert doord["RuntimeDirectoryMode"] == ["0700"]
    writable = doord["ReadWritePaths"][0].split()
    assert writable == ["/run/doorctl", "/var/lib/doorctl/journal", "/var/lib/doorctl/roster", "-/var/lib/doorctl/osdp"]


def test_the_courier_has_a_network_and_nothing_of_the_doors() -> None:
    courier = service("doorctl-courier.service")
    assert courier["PrivateDevices"] == ["yes"]
    assert "DeviceAllow" not in courier
    assert "ReadWritePaths" not in courier
    assert "SupplementaryGroups" not in courier
    hidden = {path.removeprefix("-") for path in courier["InaccessiblePaths"][0].split()}
    assert hidden == {f"/var/lib/doorctl/{name}" for name in ("keys", "roster", "journal", "osdp")}


def test_a_restart_of_doord_leaves_the_couriers_memory() -> None:
    unit = sections(UNITS["doorctl-courier.service"])["Unit"]
    assert not {"BindsTo", "PartOf", "Requires", "Requisite"} & set(unit)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
@pytest.mark.parametrize("name", UNITS)
def test_systemd_takes_it(name: str, tmp_path: Path) -> None:
    text = UNITS[name].read_text(encoding="utf-8").replace("/opt/doorctl/bin/", f"{tmp_path}/")
    for program in ("python", "doorctl"):
        (tmp_path / program).touch(mode=0o755)
    unit = tmp_path / name
    unit.write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def lines_of(name: str) -> list[list[str]]:
    text = (SYSTEMD / name).read_text(encoding="utf-8")
    return [line.split(maxsplit=6) for line in text.splitlines() if line and not line.startswith("#")]


def test_every_user_and_group_that_is_named_is_made() -> None:
    board = {(kind, name) for kind, name, *_ in lines_of("sysusers.d/doorctl.conf")}
    monitor = {(kind, name) for kind, name, *_ in lines_of("sysusers.d/doorctl-monitor.conf")}
    groups = {"doorctl-read", "doorctl-operate", "doorctl-enrol", "gpio", "dialout"}
    assert board == {*(("g", name) for name in groups), ("u", "doorctl"), ("u", "doorctl-courier")}
    assert monitor == {("u", "doorctl-monitor")}
    made = {name for _, name in board} | {"root"}
    assert all({user, group} <= made for _, _, _, user, group, _ in lines_of("tmpfiles.d/doorctl.conf"))


def test_folders_have_the_designs_owners_and_modes() -> None:
    folders = {
        path: (kind, mode, user, group) for kind, path, mode, user, group, _ in lines_of("tmpfiles.d/doorctl.conf")
    }
    assert folders == {
        "/etc/doorctl": ("d", "0755", "root", "root"),
        "/var/lib/doorctl": ("d", "0755", "root", "root"),
        "/var/lib/doorctl/keys": ("d", "0700", "doorctl", "doorctl"),
        "/var/lib/doorctl/courier": ("d", "0700", "doorctl-courier", "doorctl-courier"),
        "/var/lib/doorctl/osdp": ("d", "0700", "doorctl", "doorctl"),
        "/var/lib/doorctl/roster": ("d", "2770", "root", "doorctl"),
        "/var/lib/doorctl/journal": ("d", "2750", "doorctl", "doorctl-read"),
        "/run/doorctl": ("d", "2755", "doorctl", "doorctl-courier"),
    }


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("systemd-tmpfiles") is None or shutil.which("systemd-sysusers") is None,
    reason="needs root and systemd's tools",
)
def test_systemds_own_tools_make_them(tmp_path: Path) -> None:
    etc = tmp_path / "etc"
    etc.mkdir()
    for tool, options, file in (
        ("systemd-sysusers", [], "sysusers.d/doorctl.conf"),
        ("systemd-tmpfiles", ["--create"], "tmpfiles.d/doorctl.conf"),
    ):
        done = subprocess.run(
            [tool, *options, f"--root={tmp_path}", str(SYSTEMD / file)], check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    users = {line.split(":")[0]: int(line.split(":")[2]) for line in (etc / "passwd").read_text().splitlines()}
    groups = {line.split(":")[0]: int(line.split(":")[2]) for line in (etc / "group").read_text().splitlines()}
    root = pwd.getpwuid(0)
    users["root"], groups["root"] = root.pw_uid, root.pw_gid
    for _, path, mode, user, group, _ in lines_of("tmpfiles.d/doorctl.conf"):
        status = (tmp_path / path.removeprefix("/")).stat()
        assert (status.st_mode & 0o7777, status.st_uid, status.st_gid) == (int(mode, 8), users[user], groups[group])


def test_pins_belong_to_the_group_that_doord_is_in() -> None:
    (rule,) = lines_of("udev/60-doorctl.rules")
    assert " ".join(rule) == 'SUBSYSTEM=="gpio", KERNEL=="gpiochip*", GROUP="gpio", MODE="0660"'


def test_no_unit_is_read_as_something_else_by_a_plain_parser() -> None:
    """Continuation lines and doubled sections would be; there are none."""
    for unit in UNITS.values():
        parser = configparser.RawConfigParser(strict=False, interpolation=None)
        parser.optionxform = str  # type: ignore[assignment]  # directives are case-sensitive
        parser.read(unit, encoding="utf-8")
        assert {section: set(parser[section]) for section in parser.sections()} == {
            section: set(directives) for section, directives in sections(unit).items()
        }
