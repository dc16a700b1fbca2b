"""Spans of OpenTelemetry: the caller's trace goes on, down to the requests to SMOC."""

import json
import subprocess
import sys

from smoc_mcp.sandbox import Company, Sandbox, run_in_thread
from tests.serving import KEY

TRACE = "0af7651916cd43dd8448eb211c80319c"
# A process of its own: a provider can be set once, and would be every other test's as well.
PROGRAM = """
import json, sys
import anyio
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.serving import memory_server

spans = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(spans))
trace.set_tracer_provider(provider)

async def main():
    async with memory_server(sys.argv[1]) as client:
        traceparent = f"00-{sys.argv[2]}-b7ad6b7169203331-01"
        await client.call_tool("contacts_list", {}, meta={"traceparent": traceparent})

anyio.run(main)
found = [
    {"name": span.name, "trace": f"{span.context.trace_id:032x}", **dict(span.attributes)}
    for span in spans.get_finished_spans()
]
print(json.dumps(found))
"""


def test_a_callers_trace_goes_on_down_to_the_requests_to_smoc() -> None:
    sandbox = Sandbox(keys={KEY: Company("Traced", seed=1, size=30, hostile=0)})
    with run_in_thread(sandbox) as url:
        command = [sys.executable, "-c", PROGRAM, url, TRACE]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    spans = json.loads(done.stdout)
    (call,) = [s for s in spans if s.get("smoc.tool") == "contacts_list"]
    (request,) = [s for s in spans if s["name"] == "GET contacts"]
    assert call["trace"] == request["trace"] == TRACE
    assert (request["smoc.limit"], request["smoc.outcome"]) == (500, "ok")
    assert call["smoc.rows"] == 20
    assert "@" not in done.stdout
