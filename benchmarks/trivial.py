"""The thing beside ours: a server of the SDK alone with one trivial tool, over stdio or HTTP."""

import sys
from typing import TypedDict

from mcp.server.mcpserver import MCPServer

__all__: list[str] = []


class Echo(TypedDict):
    """What the tool returns."""

    said: str


def main() -> None:
    """Serve over stdio or, given a port, over HTTP."""
    server = MCPServer("trivial", log_level="ERROR")

    @server.tool()
    async def echo(said: str = "hello") -> Echo:
        """Return what was said."""
        return Echo(said=said)

    if len(sys.argv) > 1:
        import uvicorn

        app = server.streamable_http_app(stateless_http=True)
        uvicorn.run(app, port=int(sys.argv[1]), log_level="error")
    else:
        server.run("stdio")


if __name__ == "__main__":
    main()
