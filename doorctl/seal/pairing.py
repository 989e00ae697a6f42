"""The two files that pairing carries by hand: the monitor's public half and a board's public half, in TOML.

Nothing in them is secret; what matters is that they are the right ones, so each says its fingerprint, and people
compare it on both sides. Reading is strict: an unknown key, a cut text or a fingerprint that does not fit is refused.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from doorctl.errors import OperatorError
from doorctl.seal import domains
from doorctl.seal.certificates import certificate_from_pem, certificate_to_pem
from doorctl.seal.public import (
    MonitorPublic,
    RecordPublic,
    controller_id,
    ed25519_from_raw,
    grouped,
    x25519_from_raw,
)
from doorctl.seal.toml_table import Table, base64_lines, is_address, read_table, replace_file
from doorctl.wire.record import ControllerId

VERSION: Final = 1
MOST_ADDRESSES: Final = 2
"""One monitor, reached over one or two lines."""
LONGEST_SITE: Final = 64
"""Characters; a page of the monitor shows it."""
LONGEST_ZONE: Final = 64
"""Characters; the longest name of the IANA database has 32."""
_ZONE: Final = re.compile(r"(?:[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*)?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorFile:
    """etc/monitor.toml: where the monitor is and what it is."""

    addresses: tuple[str, ...]
    """One or two `host:port`; may be edited by hand, no fingerprint covers them."""
    certificate_der: bytes
    keys: MonitorPublic
    simulated: bool

    @property
    def fingerprint(self) -> str:
        """One over all three keys, the certificate and `simulated`, as people compare it."""
        parts = (
            self.keys.token_fingerprint, self.keys.record_fingerprint, self.keys.receipt_fingerprint,
            hashlib.sha256(self.certificate_der).digest(), bytes([self.simulated]),
        )  # fmt: skip
        return grouped(hashlib.sha256(domains.MONITOR_FINGERPRINT + b"".join(parts)).digest())


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerFile:
    """etc/controller.toml: who a board is."""

    controller: ControllerId
    identity: Ed25519PublicKey
    certificate_der: bytes
    """The courier's client certificate."""
    site: str
    timezone: str = ""
    """The site's, in which the monitor tells its times; empty where the file does not say. No fingerprint covers it."""
    simulated: bool

    @property
    def fingerprint(self) -> str:
        """One over id, identity, certificate and `simulated`, as people compare it."""
        parts = (
            self.controller, self.identity.public_bytes_raw(),
            hashlib.sha256(self.certificate_der).digest(), bytes([self.simulated]),
        )  # fmt: skip
        return grouped(hashlib.sha256(domains.CONTROLLER_FINGERPRINT + b"".join(parts)).digest())


def write_monitor_file(path: Path, monitor: MonitorFile) -> None:
    """Write or replace the monitor's file, whole or not at all."""
    addresses = ", ".join(f'"{address}"' for address in monitor.addresses)
    if not 1 <= len(monitor.addresses) <= MOST_ADDRESSES or not all(map(is_address, monitor.addresses)):
        raise OperatorError(
            f"{path.name}: addresses: expected one or two host:port, found {addresses or 'none'}",
            hint='for example "monitor.example.net:7443"',
        )
    text = f"""\
# The public half of a doorctl monitor, made by `doorctl monitor init`. Carry it to each board as monitor.toml.
# Nothing here is secret. Before a board trusts it, compare the fingerprint with the one the monitor shows.
version = {VERSION}
fingerprint = "{monitor.fingerprint}"

# Where the monitor is reached, host:port, one or two. The fingerprint does not cover this line.
addresses = [{addresses}]

# true: made by the simulator, never to be used for a real door
simulated = {_boolean(value=monitor.simulated)}

# What the line's other end must show (P-256, pinned whole).
certificate = \"\"\"
{certificate_to_pem(monitor.certificate_der)}\"\"\"

[keys]
# Rows' tokens are sealed to this (X25519).
token = "{base64_lines(monitor.keys.token.public_bytes_raw())}"

# The monitor signs receipts with this (Ed25519).
receipt = "{base64_lines(monitor.keys.receipt.public_bytes_raw())}"

# Records are sealed to this (ML-KEM-768, then X25519).
record = \"\"\"
{base64_lines(monitor.keys.record.raw)}
\"\"\"
"""
    replace_file(path, text)


def read_monitor_file(path: Path) -> MonitorFile:
    """The monitor's file; OperatorError names file, key, expected and found."""
    top = read_table(path, hint="copy the file again from the monitor, where `doorctl monitor init` wrote it")
    _version(top)
    addresses = top.texts("addresses")
    if not 1 <= len(addresses) <= MOST_ADDRESSES:
        raise top.error("addresses", "one or two host:port", f"{len(addresses)} of them")
    for address in addresses:
        if not is_address(address):
            raise top.error("addresses", "host:port", f'"{address}"')
    keys = top.table("keys")
    monitor = MonitorFile(
        addresses=addresses,
        certificate_der=top.parsed("certificate", "one P-256 certificate in PEM", certificate_from_pem),
        simulated=top.boolean("simulated"),
        keys=MonitorPublic(
            token=keys.raw("token", "an X25519 public key in base64", x25519_from_raw),
            record=keys.raw("record", "an ML-KEM-768 and an X25519 public key in base64", RecordPublic.from_raw),
            receipt=keys.raw("receipt", "an Ed25519 public key in base64", ed25519_from_raw),
        ),
    )
    _same_fingerprint(top, monitor.fingerprint)
    keys.finish()
    top.finish()
    return monitor


def write_controller_file(path: Path, controller: ControllerFile) -> None:
    """Write or replace a board's file, whole or not at all."""
    if not _is_site(controller.site):
        raise OperatorError(f'{path.name}: site: expected a printable name, found "{controller.site}"')
    if not _is_zone(controller.timezone):
        raise OperatorError(f'{path.name}: timezone: expected a zone\'s name, found "{controller.timezone}"')
    text = f"""\
# The public half of a doorctl controller, made by `doorctl init`. Carry it to the monitor: `doorctl monitor trust`.
# Nothing here is secret. Before the monitor trusts it, compare the fingerprint with the one the board shows.
version = {VERSION}
fingerprint = "{controller.fingerprint}"

# Follows from the identity key, so that no other board can claim it.
controller = "{controller.controller.hex()}"

site = "{controller.site}"

# In which the monitor tells this site's times. Neither this nor the site is covered by the fingerprint.
timezone = "{controller.timezone}"

# true: made by the simulator, every record says so
simulated = {_boolean(value=controller.simulated)}

# Records are signed with this (Ed25519).
identity = "{base64_lines(controller.identity.public_bytes_raw())}"

# What the board's courier shows on the line (P-256, pinned whole).
certificate = \"\"\"
{certificate_to_pem(controller.certificate_der)}\"\"\"
"""
    replace_file(path, text)


def read_controller_file(path: Path) -> ControllerFile:
    """A board's file; OperatorError names file, key, expected and found."""
    top = read_table(path, hint="copy the file again from the board, where `doorctl init` wrote it")
    _version(top)
    site = top.text("site")
    if not _is_site(site):
        raise top.error("site", f"a printable name of at most {LONGEST_SITE} characters", "another text")
    timezone = top.text("timezone") if top.has("timezone") else ""
    if not _is_zone(timezone):
        raise top.error("timezone", 'a zone such as "Europe/Lisbon"', "another text")
    controller = ControllerFile(
        controller=ControllerId(top.hexadecimal("controller")),
        identity=top.raw("identity", "an Ed25519 public key in base64", ed25519_from_raw),
        certificate_der=top.parsed("certificate", "one P-256 certificate in PEM", certificate_from_pem),
        site=site,
        timezone=timezone,
        simulated=top.boolean("simulated"),
    )
    expected = controller_id(controller.identity, simulated=controller.simulated)
    if controller.controller != expected:
        raise top.error("controller", f"{expected.hex()}, which follows from identity", controller.controller.hex())
    _same_fingerprint(top, controller.fingerprint)
    top.finish()
    return controller


def _version(top: Table) -> None:
    version = top.integer("version")
    if version != VERSION:
        raise top.error("version", str(VERSION), str(version))


def _same_fingerprint(top: Table, computed: str) -> None:
    written = top.text("fingerprint")
    if written != computed:
        raise top.error("fingerprint", f"{computed}, which the keys in this file have", f'"{written}"')


def _is_site(site: str) -> bool:
    return 0 < len(site) <= LONGEST_SITE and site.isprintable() and '"' not in site and "\\" not in site


def _is_zone(timezone: str) -> bool:
    """What could be a name of the IANA database: another computer's may have more of them. Empty is none."""
    return len(timezone) <= LONGEST_ZONE and _ZONE.fullmatch(timezone) is not None


def _boolean(*, value: bool) -> str:
    return "true" if value else "false"
