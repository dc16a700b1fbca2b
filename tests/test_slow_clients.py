"""Clients that send their requests byte by byte: they are hung up on, and nobody else notices."""

import socket
import threading
from collections.abc import Iterator

import httpx2
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from smoc_mcp.http import slow_clients


async def echo(request: Request) -> Response:
    return Response(await request.body())


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """Serve with the protocol, as patient as a test can wait for."""
    monkeypatch.setattr(slow_clients, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(slow_clients, "BODY_SECONDS", 0.5)
    listener = socket.create_server(("127.0.0.1", 0))
    app = Starlette(routes=[Route("/", echo, methods=["POST"])])
    config = uvicorn.Config(app, http=slow_clients.PatientProtocol, log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield listener.getsockname()
    server.should_exit = True
    thread.join(10)
    listener.close()


HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n"


@pytest.mark.parametrize(
    "sent",
    [b"", b"POST / HT", HEAD, HEAD + b"\r\n", HEAD + b"\r\n12345"],
    ids=["nothing", "half a line", "half a head", "no body", "half a body"],
)
def test_a_request_that_does_not_come_is_not_waited_for(
    address: tuple[str, int], sent: bytes
) -> None:
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(sent)
        assert connection.recv(100) == b""


def test_one_byte_at_a_time_does_not_buy_more_time(address: tuple[str, int]) -> None:
    with socket.create_connection(address) as connection:
        connection.settimeout(0.02)
        connection.sendall(HEAD)
        assert any(is_hung_up_on(connection) for _ in range(500))


def is_hung_up_on(connection: socket.socket) -> bool:
    """Send a byte, and return whether the other end is gone."""
    try:
        connection.sendall(b"X")
        return connection.recv(100) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def test_a_whole_request_is_answered_while_others_dawdle(address: tuple[str, int]) -> None:
    others = [socket.create_connection(address) for _ in range(50)]
    for other in others:
        other.sendall(HEAD)
    url = f"http://{address[0]}:{address[1]}/"
    with httpx2.Client() as http:
        assert [http.post(url, content=b"x" * n).text for n in (1, 100_000)] == ["x", "x" * 100_000]
    for other in others:
        other.settimeout(10)
        assert other.recv(100) == b""
        other.close()


def test_a_connection_is_kept_for_the_next_request(address: tuple[str, int]) -> None:
    request = HEAD + b"\r\n0123456789"
    with socket.create_connection(address, timeout=10) as connection:
        for _ in range(2):
            connection.sendall(request)
            answer = b""
            while not answer.endswith(b"0123456789"):
                answer += connection.recv(1_000)
            assert answer.startswith(b"HTTP/1.1 200")
