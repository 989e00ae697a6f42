"""The courier as a process of its own: `python -m doorctl.courierd --home DIR`."""

import asyncio
import contextlib
import ssl
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from doorctl.courierd.config import Address
from doorctl.paths import Paths
from doorctl.seal.certificates import create_tls
from tests.courierd.lying_monitor import Certificates

PATIENCE_S = 20


def furnish(home: Path, address: Address) -> Certificates:
    """A home with what a courier reads: its keys and monitor.toml."""
    paths = Paths.under(home)
    paths.etc.mkdir(parents=True)
    paths.run.mkdir(parents=True)
    keys = paths.courier_keys
    monitor_der = create_tls(keys / "monitor.key", keys / "monitor.crt", name="monitor")
    courier_der = create_tls(keys / "tls.key", keys / "tls.crt", name="courier")
    point(home, address, monitor_der)
    return Certificates(folder=keys, monitor_der=monitor_der, courier_der=courier_der)


def point(home: Path, address: Address, certificate_der: bytes) -> None:
    """Write monitor.toml."""
    pem = ssl.DER_cert_to_PEM_cert(certificate_der)
    Paths.under(home).monitor_public.write_text(f'addresses = ["{address}"]\ncertificate = """\n{pem}"""\n')


async def started(home: Path, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "doorctl.courierd", "--home", str(home), *arguments, stderr=asyncio.subprocess.PIPE
    )


@contextlib.asynccontextmanager
async def running(home: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """The same, gone afterwards, also where the test fails."""
    process = await started(home)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def ended(process: asyncio.subprocess.Process) -> tuple[int, list[str]]:
    """(exit status, lines on stderr)."""
    async with asyncio.timeout(PATIENCE_S):
        _, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, errors.decode().splitlines()
