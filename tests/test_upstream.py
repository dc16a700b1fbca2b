"""What may stand between us and the API, on a real socket: caches, packers, and bombs."""

import gzip
import socket
import threading
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import anyio
import pytest
from pydantic import SecretStr

from smoc_mcp import errors
from smoc_mcp.api.client import SmocClient
from smoc_mcp.api.models import ApiAnswer
from tests.serving import KEY

pytestmark = pytest.mark.anyio

BODY = b'{"data":[{"id":"a"}],"leadsCount":1,"customerCount":0}'
MEGABYTE = 1024 * 1024


class Upstream:
    """A server that answers every request with the same bytes, and keeps the requests."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.heads: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def serve(self) -> None:
        while True:
            try:
                connection = self._socket.accept()[0]
            except OSError:
                return
            # A client that has read enough goes away.
            with connection, suppress(OSError):
                self.heads.append(connection.recv(65_536).decode("latin-1").lower())
                connection.sendall(self.answer)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@contextmanager
def upstream(body: bytes = BODY, *headers: str, status: str = "200 OK") -> Iterator[Upstream]:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    server = Upstream("\r\n".join([*lines, "", ""]).encode() + body)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()


@asynccontextmanager
async def client(server: Upstream) -> AsyncIterator[SmocClient]:
    async with SmocClient(server.url, SecretStr(KEY), 10) as opened:
        yield opened


async def asked(server: Upstream, limit: int = 500) -> ApiAnswer:
    async with client(server) as opened:
        return await opened.fetch_contacts(None, limit)


async def refused(server: Upstream, limit: int = 500) -> errors.UpstreamError:
    with anyio.fail_after(20), pytest.raises(errors.UpstreamError) as raised:
        await asked(server, limit)
    return raised.value


async def test_a_cache_on_the_way_is_told_not_to_answer_by_itself() -> None:
    with upstream() as server:
        await asked(server)
    assert "\r\ncache-control: no-cache\r\n" in server.heads[0]


@pytest.mark.parametrize(
    ("headers", "answered", "age"),
    [
        ((), None, 0),
        (("Date: Sun, 06 Nov 1994 08:49:37 GMT", "Age: 86000"), 784111777000000, 86_000),
        (("Date: Sun, 06 Nov 1994 09:49:37 +0100",), 784111777000000, 0),
        (("Date: Sun, 06 Nov 1994 08:49:37 -0000",), 784111777000000, 0),
        (("Date: yesterday", "Age: long"), None, 0),
        (("Date: Sun, 99 Nov 1994 08:49:37 GMT", "Age: -5"), None, 0),
        (("Date: Sun, 06 Nov 1894 08:49:37 GMT", "Age: 1.5"), None, 0),
        (("Date: ", f"Age: {'9' * 5_000}"), None, 2**31),
    ],
)
async def test_an_answer_tells_the_clock_of_the_api_and_how_long_a_cache_has_held_it(
    headers: tuple[str, ...], answered: int | None, age: int
) -> None:
    with upstream(BODY, *headers) as server:
        answer = await asked(server)
    assert (answer.answered, answer.age) == (answered, age)


async def test_more_contacts_than_were_asked_for_are_no_answer() -> None:
    with upstream(BODY.replace(b'{"id":"a"}', b'{"id":"a"},{"id":"b"}')) as server:
        error = await refused(server, 1)
        assert len((await asked(server, 2)).contacts) == 2
    assert isinstance(error, errors.UnreadableAnswerError)
    assert "more contacts than the 1 that were asked for" in str(error)


async def test_a_body_that_is_packed_once_is_unpacked() -> None:
    for name in ("gzip", "GZIP", "x-gzip"):
        with upstream(gzip.compress(BODY), f"Content-Encoding: {name}") as server:
            assert (await asked(server)).contacts[0].contact.id == "a"
    with upstream(BODY, "Content-Encoding: identity") as server:
        assert (await asked(server)).leads == 1


@pytest.mark.parametrize("name", ["gzip, gzip", "deflate", "br", "gzip, identity", "zstd"])
async def test_a_body_that_is_packed_in_another_way_is_not_unpacked(name: str) -> None:
    with upstream(gzip.compress(gzip.compress(BODY)), f"Content-Encoding: {name}") as server:
        error = await refused(server)
    assert type(error) is errors.UnreadableAnswerError
    assert "packed in a way that was not asked for" in str(error)
    assert len(server.heads) == 1


async def test_a_refusal_is_understood_however_its_body_is_packed() -> None:
    with upstream(b"?", "Content-Encoding: br", status="403 Forbidden") as server:
        assert type(await refused(server)) is errors.KeyWithoutCompanyError


async def test_a_packed_body_that_breaks_off_is_cut_off() -> None:
    for body in (gzip.compress(BODY)[:-9], b"no gzip at all"):
        with upstream(body, "Content-Encoding: gzip") as server:
            assert type(await refused(server)) is errors.CutOffAnswerError


def bomb(megabytes: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    zeros = bytes(MEGABYTE)
    return b"".join([packer.compress(zeros) for _ in range(megabytes)]) + packer.flush()


async def test_a_bomb_costs_no_more_memory_than_the_most_that_we_hold() -> None:
    small = bomb(1_000)
    assert len(small) < 1.1 * MEGABYTE
    with upstream(small, "Content-Encoding: gzip") as server:
        tracemalloc.start()
        try:
            error = await refused(server)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert type(error) is errors.OversizedAnswerError
    # What grows is copied once while it grows.
    assert peak < (2 * 64 + 16) * MEGABYTE


async def test_what_follows_a_packed_body_is_not_held() -> None:
    body = gzip.compress(BODY) + bytes(65 * MEGABYTE)
    with upstream(body, "Content-Encoding: gzip") as server:
        assert type(await refused(server)) is errors.OversizedAnswerError


async def test_a_wait_that_is_over_is_never_said_to_be_0_seconds() -> None:
    past = "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT"
    with upstream(b"", past, status="429 Too Many Requests") as server:
        assert "Ask again in a minute." in str(await refused(server))
