"""The conformance suite's own fixtures, served through our HTTP stack.

    python tests/conformance/fixtures.py

The suite calls tools, prompts and resources that a server of contacts does not have:
test_simple_text and the like. Here they are, behind the gate and the socket of the real server.
"""

import base64
import json
import socket
import sys
import warnings
from typing import Annotated, Any

import anyio
from mcp.server.mcpserver import Audio, Context, Image, MCPServer, Resolve, Sample, UserMessage
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.shared.exceptions import MCPDeprecationWarning
from mcp_types import (
    Completion,
    CreateMessageRequest,
    CreateMessageRequestParams,
    CreateMessageResult,
    ElicitRequest,
    ElicitRequestFormParams,
    EmbeddedResource,
    EmptyResult,
    InputRequest,
    InputRequiredResult,
    ListRootsRequest,
    RequestParams,
    SamplingMessage,
    SetLevelRequestParams,
    SubscribeRequestParams,
    TextContent,
    TextResourceContents,
    UnsubscribeRequestParams,
)
from pydantic import BaseModel, Field, SecretStr

from smoc_mcp.http.access import Anybody
from smoc_mcp.http.app import build_app, run
from smoc_mcp.http.companies import Companies
from smoc_mcp.http.settings import HttpSettings
from smoc_mcp.http.transport import PATH
from smoc_mcp.opening import open_directory
from smoc_mcp.settings import Settings

Ctx = Context[Any, Any]
Answer = str | InputRequiredResult

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
)
WAV = base64.b64decode("UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQIAAAAAAA==")
STEP_SECONDS = 0.05

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


def json_schema_2020_12_tool() -> str:
    """Return a text; only the schema of its arguments matters."""
    return "ok"


with_schema = Tool.from_function(json_schema_2020_12_tool, structured_output=False)
with_schema.parameters = SCHEMA
server: MCPServer[Any] = MCPServer("fixtures", version="1", tools=[with_schema], log_level="ERROR")
tool = server.tool(structured_output=False)


def text_at(uri: str, text: str, mime_type: str = "text/plain") -> EmbeddedResource:
    """Return a text as a resource inside an answer."""
    contents = TextResourceContents(uri=uri, text=text, mime_type=mime_type)
    return EmbeddedResource(type="resource", resource=contents)


# Tools that only answer.


@tool
def test_simple_text() -> str:
    """Return a text."""
    return "This is a simple text response for testing."


@tool
def test_image_content() -> Image:
    """Return an image."""
    return Image(data=PNG, format="png")


@tool
def test_audio_content() -> Audio:
    """Return a sound."""
    return Audio(data=WAV, format="wav")


@tool
def test_embedded_resource() -> EmbeddedResource:
    """Return a resource."""
    return text_at("test://embedded-resource", "This is an embedded resource content.")


@tool
def test_multiple_content_types() -> list[Any]:
    """Return a text, an image and a resource."""
    mixed = text_at(
        "test://mixed-content-resource", '{"test":"data","value":123}', "application/json"
    )
    return ["Multiple content types test:", Image(data=PNG, format="png"), mixed]


@tool
def test_error_handling() -> str:
    """Fail."""
    raise ToolError("This tool intentionally returns an error for testing")


@tool
def test_custom_header(
    region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})],
) -> str:
    """Return the argument that clients send as a header, too."""
    return region


# Tools that say something meanwhile.


@tool
async def test_tool_with_logging(ctx: Ctx) -> str:
    """Log three times."""
    for said in ("started", "processing data", "completed"):
        await ctx.info(f"Tool execution {said}")
        await anyio.sleep(STEP_SECONDS)
    return "logged"


@tool
async def test_logging_tool(ctx: Ctx) -> str:
    """Log once."""
    await ctx.info("Tool execution started")
    return "logged"


@tool
async def test_tool_with_progress(ctx: Ctx) -> str:
    """Report progress three times."""
    for done in (0, 50, 100):
        await ctx.report_progress(done, 100)
        await anyio.sleep(STEP_SECONDS)
    return "done"


@tool
async def test_trigger_tool_change(ctx: Ctx) -> str:
    """Tell subscribers that the tools have changed."""
    await ctx.notify_tools_changed()
    return "told"


@tool
async def test_trigger_prompt_change(ctx: Ctx) -> str:
    """Tell subscribers that the prompts have changed."""
    await ctx.notify_prompts_changed()
    return "told"


# Tools that ask the client while they run, as until 2025-11-25.


class User(BaseModel):
    username: str = Field(description="User's response")
    email: str = Field(description="User's email address")


class Defaults(BaseModel):
    name: str = "John Doe"
    age: int = 30
    score: float = 95.5
    status: str = Field("active", json_schema_extra={"enum": ["active", "inactive", "pending"]})
    verified: bool = True


def one_of(**schema: Any) -> Any:
    """Return a field whose choices a schema names."""
    return Field(json_schema_extra=schema)


CHOICES = ["option1", "option2", "option3"]
TITLED = [{"const": f"value{n}", "title": f"Choice {n}"} for n in (1, 2, 3)]


class Enums(BaseModel):
    untitledSingle: str = one_of(enum=CHOICES)  # noqa: N815
    titledSingle: str = one_of(oneOf=TITLED)  # noqa: N815
    legacyEnum: str = one_of(enum=CHOICES, enumNames=["One", "Two", "Three"])  # noqa: N815
    untitledMulti: list[str] = one_of(items={"type": "string", "enum": CHOICES})  # noqa: N815
    titledMulti: list[str] = one_of(items={"anyOf": TITLED})  # noqa: N815


def sampling(prompt: str, most: int = 100) -> CreateMessageRequestParams:
    """Return what asks the client's model."""
    said = SamplingMessage(role="user", content=TextContent(type="text", text=prompt))
    return CreateMessageRequestParams(messages=[said], max_tokens=most)


@tool
async def test_sampling(prompt: str, ctx: Ctx) -> str:
    """Return what the client's model says."""
    asked = CreateMessageRequest(params=sampling(prompt))
    result = await ctx.session.send_request(asked, CreateMessageResult)
    return f"LLM response: {result.content}"


@tool
async def test_elicitation(message: str, ctx: Ctx) -> str:
    """Return what the user says."""
    return f"User response: {await ctx.elicit(message, User)}"


@tool
async def test_elicitation_sep1034_defaults(ctx: Ctx) -> str:
    """Return what the user makes of a form with defaults."""
    return f"Elicitation completed: {await ctx.elicit('Please fill in', Defaults)}"


@tool
async def test_elicitation_sep1330_enums(ctx: Ctx) -> str:
    """Return what the user chooses."""
    return f"Elicitation completed: {await ctx.elicit('Please choose', Enums)}"


# Tools that answer with a question, as from 2026-07-28.


def form(message: str, name: str, kind: str = "string") -> ElicitRequest:
    """Return what asks the user for one thing."""
    schema = {"type": "object", "properties": {name: {"type": kind}}, "required": [name]}
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=schema))


def missing(
    ctx: Ctx, state: str | None = None, **questions: InputRequest
) -> InputRequiredResult | None:
    """Return the questions, unless all have been answered."""
    if questions.keys() <= (ctx.input_responses or {}).keys():
        return None
    return InputRequiredResult(input_requests=questions, request_state=state)


def ask_model() -> Sample:
    """Return what needs a client whose model can be asked."""
    params = sampling("Hello")
    return Sample(params.messages, max_tokens=params.max_tokens)


@tool
def test_missing_capability(said: Annotated[CreateMessageResult, Resolve(ask_model)]) -> str:
    """Return what the client's model says, if it offers one."""
    return f"LLM response: {said.content}"


@tool
def test_streaming_elicitation(ctx: Ctx) -> Answer:
    """Ask the user."""
    return missing(ctx, value=form("A value?", "value")) or "done"


@tool
def test_input_required_result_elicitation(ctx: Ctx) -> Answer:
    """Greet the user."""
    asked = missing(ctx, user_name=form("What is your name?", "name"))
    return asked or f"Hello, {(ctx.input_responses or {})['user_name']}!"


@tool
def test_input_required_result_sampling(ctx: Ctx) -> Answer:
    """Ask the client's model."""
    question = CreateMessageRequest(params=sampling("What is the capital of France?"))
    asked = missing(ctx, capital_question=question)
    return asked or f"{(ctx.input_responses or {})['capital_question']}"


@tool
def test_input_required_result_list_roots(ctx: Ctx) -> Answer:
    """Ask for the client's roots."""
    asked = missing(ctx, client_roots=ListRootsRequest())
    return asked or f"{(ctx.input_responses or {})['client_roots']}"


@tool
def test_input_required_result_request_state(ctx: Ctx) -> Answer:
    """Ask the user, and want the state back."""
    asked = missing(ctx, "kept", confirm=form("Please confirm", "ok", "boolean"))
    return asked or f"state-{'ok' if ctx.request_state == 'kept' else 'lost'}"


@tool
def test_input_required_result_tampered_state(ctx: Ctx) -> Answer:
    """Ask the user, and want the state back as it was."""
    return test_input_required_result_request_state(ctx)


@tool
def test_input_required_result_multiple_inputs(ctx: Ctx) -> Answer:
    """Ask three things at once."""
    asked = missing(
        ctx,
        "kept",
        user_name=form("What is your name?", "name"),
        greeting=CreateMessageRequest(params=sampling("Generate a greeting", 50)),
        client_roots=ListRootsRequest(),
    )
    return asked or "done"


@tool
def test_input_required_result_multi_round(ctx: Ctx) -> Answer:
    """Ask one thing, then another."""
    asked = None
    if ctx.request_state != "second":
        asked = missing(ctx, "first", step1=form("Step 1: What is your name?", "name"))
    second = form("Step 2: What is your favorite color?", "color")
    return asked or missing(ctx, "second", step2=second) or "done"


@tool
def test_input_required_result_capabilities(ctx: Ctx) -> Answer:
    """Ask what the client says that it can answer."""
    can = ctx.client_capabilities
    questions: dict[str, InputRequest] = {}
    if can and can.sampling:
        questions["greeting"] = CreateMessageRequest(params=sampling("Generate a greeting"))
    if can and can.elicitation:
        questions["user_name"] = form("What is your name?", "name")
    return missing(ctx, None, **questions) or "done"


# Resources.


@server.resource("test://static-text", mime_type="text/plain")
def static_text() -> str:
    """Return a text."""
    return "This is the content of the static text resource."


@server.resource("test://static-binary", mime_type="image/png")
def static_binary() -> bytes:
    """Return an image."""
    return PNG


@server.resource("test://watched-resource", mime_type="text/plain")
def watched_resource() -> str:
    """Return a text that can be subscribed to."""
    return "Watched resource content"


@server.resource("test://template/{id}/data", mime_type="application/json")
def template_data(id: str) -> str:  # noqa: A002
    """Return the data of an id."""
    return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})


# Prompts.


@server.prompt()
def test_simple_prompt() -> str:
    """Return a text."""
    return "This is a simple prompt for testing."


@server.prompt()
def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
    """Return a text that names its arguments."""
    return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"


@server.prompt()
def test_prompt_with_embedded_resource(resourceUri: str) -> list[UserMessage]:  # noqa: N803
    """Return a resource and a text."""
    resource = text_at(resourceUri, "Embedded resource content for testing.")
    return [UserMessage(resource), UserMessage("Please process the embedded resource above.")]


@server.prompt()
def test_prompt_with_image() -> list[UserMessage]:
    """Return an image and a text."""
    return [UserMessage(Image(data=PNG, format="png")), UserMessage("Please analyze the image.")]


@server.prompt()
def test_input_required_result_prompt(ctx: Ctx) -> Answer:
    """Ask the user for the context of the prompt."""
    question = form("What context should the prompt use?", "context")
    return missing(ctx, user_context=question) or "A prompt with a context."


# What else the suite asks for.


async def complete(*_: object) -> Completion:
    """Return what could be meant."""
    return Completion(values=["paris", "park", "party"], total=3, has_more=False)


async def accept(_: object, params: RequestParams) -> EmptyResult:
    """Return nothing: a stateless server takes a wish, and has forgotten it by the next request."""
    del params
    return EmptyResult()


def add_the_rest() -> None:
    """Add what the SDK has no typed decorator for."""
    server.completion()(complete)  # type: ignore[no-untyped-call]
    handlers = server._lowlevel_server
    handlers.add_request_handler("logging/setLevel", SetLevelRequestParams, accept)
    handlers.add_request_handler("resources/subscribe", SubscribeRequestParams, accept)
    handlers.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, accept)


async def ready() -> str:
    """Return that nothing is amiss."""
    return ""


def main() -> None:
    """Serve on a free port of loopback until told to end."""
    # Logging to a client is deprecated, and still to be tested.
    warnings.simplefilter("ignore", MCPDeprecationWarning)
    add_the_rest()
    key = SecretStr("no-key")
    settings = Settings(api_key=key)
    http = HttpSettings(calls_per_minute=100_000)
    companies = Companies(lambda _: open_directory(settings), http.max_companies)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    app = build_app(lambda _: server, Anybody(key), companies, http, ready, port=port, streams=True)
    print(f"http://127.0.0.1:{port}{PATH}, with fixtures", file=sys.stderr)  # noqa: T201
    run(app, listener)


if __name__ == "__main__":
    main()
