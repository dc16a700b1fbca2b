"""Callers over HTTP: told apart by their keys, and remembered only as long as there is room."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from pydantic import SecretStr

from smoc_mcp.http import limits
from smoc_mcp.http.access import OwnKey, ServerKey
from smoc_mcp.http.serve import app_of
from smoc_mcp.http.settings import HttpSettings
from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from smoc_mcp.settings import Settings
from tests.serving import KEY

pytestmark = pytest.mark.anyio

SECRETS = tuple(f"secret-of-caller-{n}" for n in range(4))
MOST = 3


@pytest.fixture
def api() -> Iterator[str]:
    with run_in_thread(Sandbox(keys={KEY: Company("Small", seed=8, size=3)})) as url:
        yield url


@pytest.fixture
async def server(api: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of a server where each of a few callers may call once a minute."""
    monkeypatch.setattr(limits, "MOST_CALLERS", MOST)
    settings = Settings.from_env({"SMOC_API_KEY": KEY, "SMOC_BASE_URL": api})
    access = ServerKey(SecretStr(KEY), tuple(map(SecretStr, SECRETS)))
    app = app_of(settings, HttpSettings(calls_per_minute=1), access, 8000)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://localhost:8000"
        ) as client,
    ):
        yield client


async def call(server: httpx.AsyncClient, secret: str) -> int:
    """Return the status of a call that is counted, though it is no message."""
    answer = await server.post("/mcp", content=b"{}", headers={"authorization": f"Bearer {secret}"})
    return answer.status_code


async def test_only_so_many_callers_are_remembered_and_the_longest_silent_is_forgotten(
    server: httpx.AsyncClient,
) -> None:
    for secret in SECRETS[:MOST]:
        assert await call(server, secret) != 429
    # So that the second is the one that was silent longest.
    assert await call(server, SECRETS[0]) == 429
    assert await call(server, SECRETS[MOST]) != 429
    assert await call(server, SECRETS[0]) == 429
    assert await call(server, SECRETS[1]) != 429


async def test_no_two_keys_share_a_company() -> None:
    keys = [f"key-of-company-{n}" for n in range(3_000)]
    callers = [await OwnKey().admit({"x-smoc-token": key}) for key in keys]
    assert len({caller.company for caller in callers}) == len(keys)
    assert not any(key in caller.company for key, caller in zip(keys, callers, strict=True))
    # So many bits that no two keys meet by chance, nor because somebody tries.
    assert all(len(caller.company) == 64 for caller in callers)
