import contextlib
import http.client
import http.server
import os
import socket
import threading
from collections.abc import Iterator

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorctl.errors import InternalError, MalformedError
from doorctl.wire.http import MAX_HEADER_SIZE, Client, Refusal, Request, RequestRefusedError, Route, Server, batch_body
from doorctl.wire.sizes import BATCH_RECORDS, RECEIPT_SIZE, RECORD_SIZE

RECORD = os.urandom(RECORD_SIZE)
RECEIPT = os.urandom(RECEIPT_SIZE)
RECORD_REQUEST = (
    b"POST /v1/record HTTP/1.1\r\nhost: monitor\r\ncontent-type: application/octet-stream\r\n"
    b"content-length: 2048\r\n\r\n" + RECORD
)
RECORD_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: 192\r\n\r\n" + RECEIPT


def post(
    target: str = "/v1/record", *, method: str = "POST", headers: str | None = None, body: bytes = RECORD
) -> bytes:
    chosen = f"content-length: {len(body)}\r\n" if headers is None else headers
    return f"{method} {target} HTTP/1.1\r\nhost: x\r\n{chosen}\r\n".encode() + body


def feed(server: Server, untrusted: bytes, size: int) -> list[Request | None]:
    return [server.receive(untrusted[at : at + size]) for at in range(0, len(untrusted), size)]


def split_everywhere(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    return ((data[:at], data[at:]) for at in range(1, len(data)))


# Both halves against each other


def test_the_request_and_the_answer_are_these_bytes() -> None:
    client, server = Client(), Server()
    assert client.request(Route.RECORD, RECORD) == RECORD_REQUEST
    assert server.receive(RECORD_REQUEST) == Request(route=Route.RECORD, untrusted_records=(RECORD,))
    assert server.respond([RECEIPT]) == RECORD_ANSWER
    assert client.receive(RECORD_ANSWER) == (RECEIPT,)


def test_split_at_every_byte_makes_no_difference() -> None:
    for first, second in split_everywhere(RECORD_REQUEST):
        server = Server()
        assert server.receive(first) is None
        assert server.receive(second) == Request(route=Route.RECORD, untrusted_records=(RECORD,))
    for first, second in split_everywhere(RECORD_ANSWER):
        client = Client()
        client.request(Route.RECORD, RECORD)
        assert client.receive(first) is None
        assert client.receive(second) == (RECEIPT,)


def test_byte_by_byte() -> None:
    client, server = Client(), Server()
    asked = [server.receive(bytes([byte])) for byte in client.request(Route.RECORD, RECORD)]
    assert [one for one in asked if one] == [Request(route=Route.RECORD, untrusted_records=(RECORD,))]
    assert asked[-1] is not None
    answered = [client.receive(bytes([byte])) for byte in server.respond([RECEIPT])]
    assert [one for one in answered if one] == [(RECEIPT,)]
    assert answered[-1] is not None


def test_one_connection_carries_many_requests_of_both_routes() -> None:
    client, server = Client(), Server()
    sizes = set()
    for turn in range(20):
        route = Route.RECORDS if turn % 3 == 0 else Route.RECORD
        records = [os.urandom(RECORD_SIZE) for _ in range(route.places)]
        receipts = [os.urandom(RECEIPT_SIZE) for _ in range(route.places)]
        request = client.request(route, b"".join(records))
        assert server.receive(request) == Request(route=route, untrusted_records=tuple(records))
        answer = server.respond(receipts)
        assert client.receive(answer) == tuple(receipts)
        sizes.add((route, len(request), len(answer)))
    assert sizes == {(Route.RECORD, 2153, 272), (Route.RECORDS, 131180, 12370)}
    assert (client.closing, client.owed, server.closed) == (False, False, False)


def test_a_batch_has_one_size_and_random_bytes_in_unused_places() -> None:
    records = [os.urandom(RECORD_SIZE) for _ in range(BATCH_RECORDS)]
    filler = iter([b"\xaa" * RECORD_SIZE * 63, b""])
    assert batch_body(records[:1], lambda _size: next(filler)) == records[0] + b"\xaa" * RECORD_SIZE * 63
    assert {len(batch_body(records[:count], os.urandom)) for count in range(1, 65)} == {Route.RECORDS.request_size}
    for count in (0, BATCH_RECORDS + 1):
        with pytest.raises(InternalError):
            batch_body([RECORD] * count, os.urandom)


# What a server refuses


@pytest.mark.parametrize(
    ("untrusted", "refusal"),
    [
        pytest.param(post("/"), Refusal.NOT_FOUND, id="root"),
        pytest.param(post("/v1/record?x=1"), Refusal.NOT_FOUND, id="query"),
        pytest.param(post("/v1/RECORD"), Refusal.NOT_FOUND, id="case"),
        pytest.param(post("http://monitor/v1/record"), Refusal.NOT_FOUND, id="absolute"),
        pytest.param(post(method="GET", body=b""), Refusal.METHOD_NOT_ALLOWED, id="get"),
        pytest.param(post(method="PUT"), Refusal.METHOD_NOT_ALLOWED, id="put"),
        pytest.param(post(method="post"), Refusal.METHOD_NOT_ALLOWED, id="lower-case"),
        pytest.param(post(body=RECORD + b"x"), Refusal.CONTENT_TOO_LARGE, id="one-byte-more"),
        pytest.param(post("/v1/records", body=bytes(65 * RECORD_SIZE)), Refusal.CONTENT_TOO_LARGE, id="65-records"),
        pytest.param(post(headers="content-length: 99999999999999999999\r\n"), Refusal.CONTENT_TOO_LARGE, id="huge"),
        pytest.param(post(body=RECORD[:-1]), Refusal.BAD_REQUEST, id="one-byte-less"),
        pytest.param(post("/v1/records", body=RECORD), Refusal.BAD_REQUEST, id="a-short-batch"),
        pytest.param(post(headers=""), Refusal.BAD_REQUEST, id="no-length"),
        pytest.param(post(headers="transfer-encoding: chunked\r\n"), Refusal.BAD_REQUEST, id="chunked"),
        pytest.param(
            post(headers="transfer-encoding: chunked\r\ncontent-length: 2048\r\n"), Refusal.BAD_REQUEST, id="smuggled"
        ),
        pytest.param(
            post(headers="content-length: 2048\r\ncontent-length: 2047\r\n"), Refusal.BAD_REQUEST, id="two-lengths"
        ),
        pytest.param(
            post(headers="content-length: 2048\r\nexpect: 100-continue\r\n"), Refusal.BAD_REQUEST, id="expect"
        ),
        pytest.param(post() + b"P", Refusal.BAD_REQUEST, id="pipelined"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", Refusal.BAD_REQUEST, id="tls"),
        pytest.param(b"POST /v1/record HTTP/2.0\r\n\r\n", Refusal.BAD_REQUEST, id="no-host"),
        pytest.param(post(headers=f"x: {'a' * MAX_HEADER_SIZE}\r\n"), Refusal.BAD_REQUEST, id="long-header"),
    ],
)
def test_what_is_not_our_protocol_is_refused(untrusted: bytes, refusal: Refusal) -> None:
    with pytest.raises(RequestRefusedError) as caught:
        Server().receive(untrusted)
    assert caught.value.refusal is refusal
    assert caught.value.answer == refusal.encode()


def test_a_refusal_is_read_by_a_stranger() -> None:
    for refusal in Refusal:
        stranger = h11.Connection(h11.CLIENT)
        stranger.send(h11.Request(method="POST", target="/", headers=[("host", "x"), ("content-length", "0")]))
        stranger.send(h11.EndOfMessage())
        stranger.receive_data(refusal.encode())
        response, data, end = stranger.next_event(), stranger.next_event(), stranger.next_event()
        assert isinstance(response, h11.Response)
        assert (response.status_code, isinstance(data, h11.Data), isinstance(end, h11.EndOfMessage)) == (
            refusal.value[0], True, True,
        )  # fmt: skip
        assert stranger.their_state is h11.MUST_CLOSE


def test_the_header_bound_does_not_depend_on_how_the_bytes_are_cut() -> None:
    length = "content-length: 2048\r\n"
    empty = len(post(headers=f"{length}x: \r\n", body=b""))
    fits = post(headers=f"{length}x: {'a' * (MAX_HEADER_SIZE - empty)}\r\n")
    over = post(headers=f"{length}x: {'a' * (MAX_HEADER_SIZE - empty + 1)}\r\n")
    for size in (1, 1000, 4095, 4096, 4097, len(over)):
        assert feed(Server(), fits, size)[-1] == Request(route=Route.RECORD, untrusted_records=(RECORD,))
        with pytest.raises(RequestRefusedError):
            feed(Server(), over, size)


def test_an_endless_header_is_refused_at_the_bound() -> None:
    begun = b"POST /v1/record HTTP/1.1\r\nx: "
    fits = begun + b"a" * (MAX_HEADER_SIZE - len(begun))
    server = Server()
    assert feed(server, fits, 1) == [None] * MAX_HEADER_SIZE
    with pytest.raises(RequestRefusedError):
        server.receive(b"a")


def test_bytes_before_the_answer_are_refused() -> None:
    server = Server()
    server.receive(RECORD_REQUEST)
    with pytest.raises(RequestRefusedError):
        server.receive(b"P")


@pytest.mark.parametrize("sent", [0, len(RECORD_REQUEST)])
def test_a_client_that_closes_between_requests_is_gone(sent: int) -> None:
    server = Server()
    feed(server, RECORD_REQUEST[:sent], RECORD_SIZE)
    assert server.receive(b"") is None
    assert server.closed


@pytest.mark.parametrize("sent", [1, 50, 2000])
def test_a_client_that_closes_in_a_request_is_refused(sent: int) -> None:
    server = Server()
    server.receive(RECORD_REQUEST[:sent])
    with pytest.raises(RequestRefusedError):
        server.receive(b"")


def test_a_client_that_asks_to_close_gets_its_answer_first() -> None:
    server = Server()
    assert server.receive(post(headers="content-length: 2048\r\nconnection: close\r\n")) is not None
    assert not server.closed
    assert server.respond([RECEIPT]).endswith(RECEIPT)
    assert server.closed


def test_a_server_answers_once_and_with_the_right_size() -> None:
    server = Server()
    with pytest.raises(InternalError):
        server.respond([RECEIPT])
    server.receive(RECORD_REQUEST)
    with pytest.raises(InternalError):
        server.respond([RECEIPT, RECEIPT])
    with pytest.raises(InternalError):
        server.respond([RECEIPT[:-1]])
    assert server.respond([RECEIPT]) == RECORD_ANSWER


@settings(max_examples=150)
@given(untrusted=st.binary(max_size=300), position=st.integers(0, len(RECORD_REQUEST) - 1))
def test_any_bytes_are_refused_or_waited_for_and_never_an_accident(untrusted: bytes, position: int) -> None:
    for stream in (untrusted, RECORD_REQUEST[:position] + untrusted + RECORD_REQUEST[position:]):
        request: Request | None = None
        with contextlib.suppress(RequestRefusedError):
            request = Server().receive(stream)
        assert request is None or len(request.untrusted_records) == request.route.places


# What a client refuses


@pytest.mark.parametrize(
    "untrusted",
    [
        pytest.param(Refusal.NOT_FOUND.encode(), id="404"),
        pytest.param(RECORD_ANSWER.replace(b"200 OK", b"204 No"), id="204"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + RECORD_ANSWER, id="continue"),
        pytest.param(b"HTTP/1.1 301 Moved\r\nlocation: /\r\ncontent-length: 0\r\n\r\n", id="redirect"),
        pytest.param(RECORD_ANSWER.replace(b"192", b"191"), id="short"),
        pytest.param(RECORD_ANSWER.replace(b"192", b"193"), id="long"),
        pytest.param(RECORD_ANSWER.replace(b"content-length: 192", b"transfer-encoding: chunked"), id="chunked"),
        pytest.param(RECORD_ANSWER.replace(b"\r\n\r\n", b"\r\ntransfer-encoding: chunked\r\n\r\n"), id="smuggled"),
        pytest.param(RECORD_ANSWER.replace(b"content-length: 192\r\n", b""), id="until-close"),
        pytest.param(RECORD_ANSWER + b"H", id="more"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n\r\n", id="ssh"),
        pytest.param(
            RECORD_ANSWER.replace(b"\r\n\r\n", b"\r\nx: " + b"a" * MAX_HEADER_SIZE + b"\r\n\r\n"), id="long-header"
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\nx: " + b"a" * MAX_HEADER_SIZE, id="endless-header"),
    ],
)
def test_an_answer_that_is_not_our_protocol_is_malformed(untrusted: bytes) -> None:
    client = Client()
    client.request(Route.RECORD, RECORD)
    with pytest.raises(MalformedError):
        client.receive(untrusted)


def test_a_monitor_that_speaks_unasked_is_malformed() -> None:
    client = Client()
    assert client.receive(b"") is None
    with pytest.raises(MalformedError):
        client.receive(b"H")


def test_a_monitor_that_closes_in_an_answer_is_malformed() -> None:
    client = Client()
    client.request(Route.RECORD, RECORD)
    client.receive(RECORD_ANSWER[:-1])
    with pytest.raises(MalformedError):
        client.receive(b"")


def test_a_client_asks_one_thing_at_a_time_and_of_the_right_size() -> None:
    client = Client()
    with pytest.raises(InternalError):
        client.request(Route.RECORDS, RECORD)
    client.request(Route.RECORD, RECORD)
    assert client.owed
    with pytest.raises(InternalError):
        client.request(Route.RECORD, RECORD)


# Against strangers


def test_h11_as_a_stranger_on_either_side() -> None:
    stranger = h11.Connection(h11.SERVER)
    client = Client()
    stranger.receive_data(client.request(Route.RECORDS, bytes(Route.RECORDS.request_size)))
    assert isinstance(stranger.next_event(), h11.Request)
    received = b""
    while isinstance(event := stranger.next_event(), h11.Data):
        received += event.data
    assert (len(received), type(event)) == (Route.RECORDS.request_size, h11.EndOfMessage)
    head = h11.Response(status_code=200, headers=[("Date", "now"), ("Content-Length", "12288"), ("Server", "else")])
    answer = (stranger.send(head) or b"") + (stranger.send(h11.Data(data=bytes(12288))) or b"")
    assert client.receive(answer + (stranger.send(h11.EndOfMessage()) or b"")) == (bytes(RECEIPT_SIZE),) * 64


class _Monitor(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.server.seen.append((self.path, self.rfile.read(int(self.headers["content-length"]))))  # type: ignore[attr-defined]  # set by the test
        self.send_response(200)
        self.send_header("Content-Length", str(RECEIPT_SIZE))
        self.end_headers()
        self.wfile.write(RECEIPT)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
        pass


def test_against_the_standard_librarys_server() -> None:
    seen: list[tuple[str, bytes]] = []
    with http.server.HTTPServer(("127.0.0.1", 0), _Monitor) as monitor:
        monitor.seen = seen  # type: ignore[attr-defined]  # read by the handler
        thread = threading.Thread(target=monitor.handle_request)
        thread.start()
        with socket.create_connection(("127.0.0.1", monitor.server_port), timeout=10) as connection:
            client = Client()
            answers = []
            for _ in range(3):
                connection.sendall(client.request(Route.RECORD, RECORD))
                while (receipts := client.receive(connection.recv(100))) is None:
                    pass
                answers.append(receipts)
        thread.join()
    assert answers == [(RECEIPT,)] * 3
    assert seen == [("/v1/record", RECORD)] * 3


def test_against_the_standard_librarys_client() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve_until_refused, args=(listener,))
        thread.start()
        connection = http.client.HTTPConnection("127.0.0.1", listener.getsockname()[1], timeout=10)
        answers = []
        for target, body in (("/v1/record", RECORD), ("/v1/record", RECORD), ("/metrics", b"")):
            connection.request("POST", target, body)
            with connection.getresponse() as response:
                answers.append((response.status, response.read()))
        connection.close()
        thread.join()
    assert answers == [(200, RECEIPT), (200, RECEIPT), (404, b"Not Found\n")]


def _serve_until_refused(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    server = Server()
    with connection:
        try:
            while untrusted := connection.recv(1000):
                if server.receive(untrusted) is not None:
                    connection.sendall(server.respond([RECEIPT]))
        except RequestRefusedError as error:
            connection.sendall(error.answer)
