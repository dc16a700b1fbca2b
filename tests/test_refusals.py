"""How the server says no, and that something failed which nobody foresaw.

What is not foreseen is made to happen by handing the server a directory that cannot be found.
"""

import logging
from collections.abc import Awaitable, Callable, Iterator
from importlib.metadata import version
from typing import Any, Literal, TypedDict

import pytest
from mcp import Client, MCPError
from mcp.server.mcpserver.tools import Tool
from mcp_types import PromptReference

from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from smoc_mcp.server import prompts
from smoc_mcp.server.server import build_server
from smoc_mcp.server.tool_factory import define_tool
from smoc_mcp.views.lists import View, Views
from tests.serving import KEY, memory_server, refusal, text_of

pytestmark = pytest.mark.anyio

Era = Literal["auto", "legacy"]
ERAS = pytest.mark.parametrize("mode", ["auto", "legacy"])
SECRET = "Zoë Strange <zoe@example.com>"


class _Odd(TypedDict):
    count: int


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with run_in_thread(Sandbox(keys={KEY: Company("Small", seed=8, size=20)})) as address:
        yield address


def broken(mode: Era, *more_tools: Tool) -> Client:
    """Return a client of a server in which nothing can be answered, for no reason of ours."""

    def find() -> ContactDirectory:
        raise ZeroDivisionError(SECRET)

    return Client(build_server(find, Views(), more_tools=more_tools), mode=mode)


def tracebacks(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.name for record in caplog.records if record.exc_info]


def check_sentence(said: str, what: str) -> None:
    assert said == (
        f"{what} failed unexpectedly. Ask again; if it fails again, report it with the version "
        f"(smoc-mcp {version('smoc-mcp')})."
    )


@ERAS
async def test_a_tool_that_fails_unexpectedly_says_so_and_the_log_has_it_once(
    mode: Era, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with broken(mode) as client:
        said = await refusal(client, "contacts_list")
        again = await refusal(client, "contacts_stats")
    check_sentence(said, "contacts_list")
    check_sentence(again, "contacts_stats")
    assert tracebacks(caplog) == ["smoc_mcp.server.unexpected"] * 2


@ERAS
async def test_a_result_that_is_not_of_its_schema_is_told_in_a_sentence(
    mode: Era, caplog: pytest.LogCaptureFixture
) -> None:
    async def odd() -> View[Any]:
        return View({"count": SECRET}, "text")

    async with broken(mode, define_tool(odd, "Odd", "Odd.", _Odd)) as client:
        said = await refusal(client, "odd")
    check_sentence(said, "odd")
    assert tracebacks(caplog) == ["smoc_mcp.server.unexpected"]


@ERAS
@pytest.mark.parametrize(
    ("what", "ask"),
    [
        ("smoc://company", lambda c: c.read_resource("smoc://company")),
        ("smoc://contacts/{id}", lambda c: c.read_resource("smoc://contacts/x")),
        ("prompts/get", lambda c: c.get_prompt("weekly_review")),
        (
            "completion/complete",
            lambda c: c.complete(
                PromptReference(name="contact_brief"), {"name": "contact", "value": ""}
            ),
        ),
    ],
    ids=["company", "contact", "prompt", "completion"],
)
async def test_whatever_else_fails_unexpectedly_says_so_and_the_log_has_it_once(
    what: str,
    ask: Callable[[Client], Awaitable[object]],
    mode: Era,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A prompt asks no directory: it fails where it cuts a value.
    monkeypatch.setattr(prompts, "DETAIL_CHARS", None)
    async with broken(mode) as client:
        with pytest.raises(MCPError) as failed:
            await ask(client)
    assert failed.value.code == -32603
    check_sentence(failed.value.message, what)
    assert tracebacks(caplog) == ["smoc_mcp.server.unexpected"]


@ERAS
@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("contacts_list", {"limit": 101}),
        ("contacts_list", {"colour": "red"}),
        ("contacts_get", {}),
        ("contacts_list", {"cursor": "made up"}),
    ],
)
async def test_a_refused_call_comes_in_the_envelope_of_an_answered_one(
    url: str, mode: Era, tool: str, arguments: dict[str, Any]
) -> None:
    async with memory_server(url, mode=mode) as client:
        answered = await client.call_tool("contacts_list", {"limit": 1})
        refused = await client.call_tool(tool, arguments)
        after = await client.call_tool("contacts_list", {"limit": 1})
    assert (answered.is_error, refused.is_error, after.is_error) == (False, True, False)
    assert text_of(refused)
    sent = refused.model_dump(by_alias=True, exclude_unset=True)
    usual = answered.model_dump(by_alias=True, exclude_unset=True)
    assert sent.keys() | {"_meta"} == usual.keys() - {"structuredContent"} | {"_meta"}
    kind = {"smoc-mcp/failure": "input"}
    assert sent["_meta"] == {**usual.get("_meta", {}), **kind}
    assert sent.get("resultType") == usual.get("resultType")
    assert ("resultType" in sent) == (mode == "auto")
