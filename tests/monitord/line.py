"""A courier's end of the line, played by a test: pinned mutual TLS and HTTP of one size."""

import asyncio
import os
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from doorctl.seal.keys import ControllerFile, create_tls
from doorctl.seal.public import MonitorPublic
from doorctl.seal.receipts import verify_receipt
from doorctl.wire.http import Client, Route, batch_body
from doorctl.wire.receipt import Receipt
from tests.monitord.board import Board


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A TLS certificate and its key."""

    key: Path
    certificate: Path
    der: bytes


def new_identity(folder: Path, name: str) -> Identity:
    key, certificate = folder / f"{name}-keys" / "tls.key", folder / f"{name}-keys" / "tls.crt"
    return Identity(key=key, certificate=certificate, der=create_tls(key, certificate, name=name))


def controller_file(board: Board, identity: Identity) -> ControllerFile:
    return ControllerFile(
        controller=board.controller, identity=board.identity.public_key(), certificate_der=identity.der,
        site=board.name, timezone="Europe/Lisbon", simulated=board.simulated,
    )  # fmt: skip


class Line:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self._http = Client()
        self.answers: list[bytes] = []
        """Every answer as it came out of TLS."""

    @classmethod
    async def open(cls, port: int, identity: Identity | None) -> "Line":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if identity is not None:
            context.load_cert_chain(identity.certificate, identity.key)
        return cls(*await asyncio.open_connection("127.0.0.1", port, ssl=context))

    async def send(self, *records: bytes, route: Route = Route.RECORD) -> list[bytes]:
        """The receipts, unread."""
        body = records[0] if route is Route.RECORD else batch_body(records, os.urandom)
        return await self.body(route, body)

    async def body(self, route: Route, body: bytes) -> list[bytes]:
        self.writer.write(self._http.request(route, body))
        answer = b""
        while True:
            data = await self.reader.read(65_536)
            answer += data
            receipts = self._http.receive(data)
            if receipts is not None:
                self.answers.append(answer)
                return list(receipts)

    async def close(self) -> None:
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except OSError:
            return


def read_receipts(receipts: Sequence[bytes], monitor: MonitorPublic) -> list[Receipt]:
    return [verify_receipt(receipt, monitor) for receipt in receipts]
