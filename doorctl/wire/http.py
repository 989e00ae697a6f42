"""HTTP/1.1 of one size: what courier and ingest put between TLS and records. Sans-IO, over h11.

    POST /v1/record     1 record  (2,048 bytes)   → 200,  1 receipt  (192 bytes)
    POST /v1/records   64 records (131,072 bytes) → 200, 64 receipts (12,288 bytes)

One exact header set each way, no Date, no host name, nothing of variable length: all requests of a route have one
size and all answers have one size, whatever they say; a refused record is answered 200 with a receipt that says so.
Anything else gets one of four fixed refusals and the connection ends. One request at a time, kept alive.
This file never opens a socket, and never looks into a record or a receipt.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

import h11

from doorctl.errors import InternalError, MalformedError
from doorctl.wire.sizes import BATCH_RECORDS, RECEIPT_SIZE, RECORD_SIZE

MAX_HEADER_SIZE: Final = 4096
"""Request or status line and all headers; ours take less than 120 bytes, the rest is room for other implementations."""

_HOST = b"monitor"
"""HTTP/1.1 demands a Host; a fixed one, since an address would give requests different sizes on different boards."""
_CONTENT_TYPE = (b"content-type", b"application/octet-stream")


class Route(Enum):
    """What may be asked; the value is the request's target."""

    RECORD = "/v1/record"
    RECORDS = "/v1/records"

    @property
    def places(self) -> int:
        """Records in a request and receipts in its answer."""
        match self:
            case Route.RECORD:
                return 1
            case Route.RECORDS:
                return BATCH_RECORDS

    @property
    def request_size(self) -> int:
        """Bytes in a request's body, always."""
        return self.places * RECORD_SIZE

    @property
    def answer_size(self) -> int:
        """Bytes in an answer's body, always."""
        return self.places * RECEIPT_SIZE


class Refusal(Enum):
    """Answers to what is not our protocol: status, reason."""

    BAD_REQUEST = (400, b"Bad Request")
    NOT_FOUND = (404, b"Not Found")
    METHOD_NOT_ALLOWED = (405, b"Method Not Allowed")
    CONTENT_TOO_LARGE = (413, b"Content Too Large")

    def encode(self) -> bytes:
        """The whole answer; the connection is to be closed behind it."""
        status, reason = self.value
        allow = b"allow: POST\r\n" if self is Refusal.METHOD_NOT_ALLOWED else b""
        head = b"HTTP/1.1 %d %b\r\n%bconnection: close\r\ncontent-type: text/plain\r\ncontent-length: %d\r\n\r\n%b\n"
        return head % (status, reason, allow, len(reason) + 1, reason)


class RequestRefusedError(MalformedError):
    """A client sent what is not our protocol; write `answer`, then close."""

    def __init__(self, message: str, refusal: Refusal) -> None:
        super().__init__(f"http: {message}")
        self.refusal = refusal
        self.answer = refusal.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One whole request: as many records as its route has places, not yet looked into."""

    route: Route
    untrusted_records: tuple[bytes, ...]


def batch_body(records: Sequence[bytes], random_bytes: Callable[[int], bytes]) -> bytes:
    """A backlog request's body: 1 to 64 records, then random filler in the unused places."""
    if not 1 <= len(records) <= BATCH_RECORDS:
        raise InternalError(f"http: {len(records)} records in a batch, expected 1 to {BATCH_RECORDS}")
    return b"".join(records) + random_bytes((BATCH_RECORDS - len(records)) * RECORD_SIZE)


class Client:
    """The courier's end of one connection."""

    def __init__(self) -> None:
        self._connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEADER_SIZE)
        self._header = _HeaderBound()
        self._route: Route | None = None
        self._body = bytearray()

    @property
    def owed(self) -> bool:
        """Whether an answer is owed to the last request."""
        return self._route is not None

    @property
    def closing(self) -> bool:
        """No further request can follow on this connection: the monitor said so with its answer."""
        return self._connection.our_state in (h11.MUST_CLOSE, h11.CLOSED, h11.ERROR)

    def request(self, route: Route, body: bytes) -> bytes:
        """The bytes to write; InternalError if one is unanswered or the body has not the route's size."""
        if self.owed or self.closing or len(body) != route.request_size:
            raise InternalError(f"http: {len(body)} bytes to {route.value} while {self._connection.our_state}")
        self._route = route
        head = h11.Request(method=b"POST", target=route.value.encode(), headers=_headers(len(body), host=True))
        return _sent(self._connection, head, body)

    def receive(self, untrusted: bytes) -> tuple[bytes, ...] | None:
        """The receipts once the answer is whole, else None; MalformedError, for good, if it is not our protocol.

        Empty bytes mean that the monitor closed: MalformedError where an answer was owed.
        """
        if self._route is None:
            if untrusted:
                raise MalformedError("http: the monitor spoke without being asked")
            return None
        try:
            self._connection.receive_data(untrusted)
            return self._read_answer(self._route, len(untrusted))
        except h11.RemoteProtocolError as error:
            raise MalformedError(f"http: {error}") from error

    def _read_answer(self, route: Route, fed: int) -> tuple[bytes, ...] | None:
        self._header.fed(fed)
        while True:
            match self._connection.next_event():
                case h11.NEED_DATA:
                    if self._header.exceeded:
                        raise MalformedError(f"http: more than {MAX_HEADER_SIZE} header bytes")
                    return None
                case h11.Response() as response:
                    if self._header.ended(self._connection):
                        raise MalformedError(f"http: more than {MAX_HEADER_SIZE} header bytes")
                    _check_answer(response, route)
                case h11.Data(data=data):
                    self._body += data
                case h11.EndOfMessage():
                    return self._answered(route)
                case event:
                    raise MalformedError(f"http: unexpected {type(event).__name__}")

    def _answered(self, route: Route) -> tuple[bytes, ...]:
        if self._connection.trailing_data[0]:
            raise MalformedError("http: bytes after the answer")
        receipts = _cut(bytes(self._body), route.places)
        self._route = None
        self._body.clear()
        self._header = _HeaderBound()
        if self._connection.our_state is h11.DONE:
            self._connection.start_next_cycle()
        return receipts


class Server:
    """The monitor's end of one connection."""

    def __init__(self) -> None:
        self._connection = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEADER_SIZE)
        self._header = _HeaderBound()
        self._route: Route | None = None
        self._body = bytearray()
        self._owes = False
        self._closed = False

    @property
    def closed(self) -> bool:
        """Nothing more will be read or may be written: the client closed, or asked for it and got its answer."""
        return self._closed

    def receive(self, untrusted: bytes) -> Request | None:
        """A request once it is whole, else None; RequestRefusedError, for good, if it is not our protocol.

        Empty bytes mean that the client closed. A request is to be answered before more bytes are fed.
        """
        if self._owes:
            if untrusted:
                raise RequestRefusedError("a request before the last one was answered", Refusal.BAD_REQUEST)
            self._closed = True
            return None
        try:
            self._connection.receive_data(untrusted)
            return self._read_request(len(untrusted))
        except h11.RemoteProtocolError as error:
            raise RequestRefusedError(str(error), Refusal.BAD_REQUEST) from error

    def respond(self, receipts: Sequence[bytes]) -> bytes:
        """The bytes to write; InternalError unless a request is owed exactly these receipts."""
        body = b"".join(receipts)
        if not self._owes or self._route is None or len(body) != self._route.answer_size:
            raise InternalError(f"http: {len(receipts)} receipts are no answer to {self._route}")
        head = h11.Response(status_code=200, reason=b"OK", headers=_headers(len(body)))
        written = _sent(self._connection, head, body)
        self._owes = False
        self._route = None
        self._body.clear()
        self._header = _HeaderBound()
        if self._connection.our_state is h11.DONE and self._connection.their_state is h11.DONE:
            self._connection.start_next_cycle()
        else:
            self._closed = True
        return written

    def _read_request(self, fed: int) -> Request | None:
        self._header.fed(fed)
        while True:
            match self._connection.next_event():
                case h11.NEED_DATA:
                    if self._header.exceeded:
                        raise RequestRefusedError("too many header bytes", Refusal.BAD_REQUEST)
                    return None
                case h11.Request() as request:
                    if self._header.ended(self._connection):
                        raise RequestRefusedError("too many header bytes", Refusal.BAD_REQUEST)
                    self._route = _judge(request)
                case h11.Data(data=data):
                    self._body += data
                case h11.EndOfMessage():
                    return self._whole_request()
                case _:
                    self._closed = True
                    return None

    def _whole_request(self) -> Request:
        if self._connection.trailing_data[0]:
            raise RequestRefusedError("bytes after the request", Refusal.BAD_REQUEST)
        if self._route is None:
            raise InternalError("http: a request ended without a route")
        self._owes = True
        return Request(route=self._route, untrusted_records=_cut(bytes(self._body), self._route.places))


class _HeaderBound:
    """Counts the header bytes of one message, so that the bound is the same however the bytes were cut up.

    h11's own bound holds only for what is incomplete after a read; a whole header may pass it in one piece.
    """

    def __init__(self) -> None:
        self._fed = 0
        self._counting = True

    @property
    def exceeded(self) -> bool:
        return self._counting and self._fed > MAX_HEADER_SIZE

    def fed(self, size: int) -> None:
        if self._counting:
            self._fed += size

    def ended(self, connection: h11.Connection) -> bool:
        """The header is whole: what h11 still buffers was not of it. Whether the bound was broken."""
        self._counting = False
        return self._fed - len(connection.trailing_data[0]) > MAX_HEADER_SIZE


def _headers(size: int, *, host: bool = False) -> list[tuple[bytes, bytes]]:
    first = [(b"host", _HOST)] if host else []
    return [*first, _CONTENT_TYPE, (b"content-length", b"%d" % size)]


def _sent(connection: h11.Connection, head: h11.Request | h11.Response, body: bytes) -> bytes:
    """Head and body as one piece, so that TLS cuts it into the same records every time."""
    events = (head, h11.Data(data=body), h11.EndOfMessage())
    return b"".join(connection.send(event) or b"" for event in events)


def _judge(request: h11.Request) -> Route:
    """The route of a request that is of our protocol by its header alone, before a byte of body is kept."""
    try:
        route = Route(request.target.decode("ascii"))
    except ValueError:
        raise RequestRefusedError("unknown target", Refusal.NOT_FOUND) from None
    if request.method != b"POST":
        raise RequestRefusedError("only POST is known here", Refusal.METHOD_NOT_ALLOWED)
    headers = dict(request.headers)
    if b"transfer-encoding" in headers or b"expect" in headers or b"content-length" not in headers:
        raise RequestRefusedError("not one body of a stated length", Refusal.BAD_REQUEST)
    size = int(headers[b"content-length"])
    if size > route.request_size:
        raise RequestRefusedError(f"a body of {size} bytes", Refusal.CONTENT_TOO_LARGE)
    if size != route.request_size:
        raise RequestRefusedError(f"a body of {size} bytes", Refusal.BAD_REQUEST)
    return route


def _check_answer(response: h11.Response, route: Route) -> None:
    if response.status_code != 200:  # noqa: PLR2004  OK, RFC 9110 15.3.1
        raise MalformedError(f"http: the monitor answered {response.status_code}")
    headers = dict(response.headers)
    if b"transfer-encoding" in headers or headers.get(b"content-length") != b"%d" % route.answer_size:
        raise MalformedError(f"http: not one body of {route.answer_size} bytes")


def _cut(body: bytes, places: int) -> tuple[bytes, ...]:
    size = len(body) // places
    return tuple(body[start : start + size] for start in range(0, len(body), size))
