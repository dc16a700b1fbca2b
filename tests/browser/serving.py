"""What the tests in a browser are served: our server over HTTP, and a page of a host beside it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from smoc_mcp.http.access import OwnKey
from smoc_mcp.http.serve import app_of, listen
from smoc_mcp.http.settings import HttpSettings
from smoc_mcp.settings import Settings

__all__ = ["EMPTY", "LARGE", "SMALL", "THOUSAND", "serve", "serve_host"]

SMALL, THOUSAND, LARGE, EMPTY = "key-of-small", "key-of-thousand", "key-of-large", "key-of-empty"
"""Of companies with 300, 1,000, 3,000 and no contacts."""

_HERE = Path(__file__).parent
_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; media-src 'self' data:; connect-src 'none'"
)
"""The specification's, for a page that names no other origin."""


@contextmanager
def serve(app_for: Callable[[int], Starlette]) -> Iterator[str]:
    """Serve in a thread what is made for a free port, and yield its address."""
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    config = uvicorn.Config(app_for(port), log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@contextmanager
def serve_host(api: str, **env: str) -> Iterator[str]:
    """Serve /mcp as `smoc-mcp http` does, to callers with keys of their own, and a host's pages.

    The host is to be asked for by 127.0.0.1, and finds the sandbox of the page at localhost: two
    origins of one port, both of which the server takes for its own.
    """
    settings = Settings.from_env({"SMOC_BASE_URL": api, **env}, needs_key=False)
    http = HttpSettings(calls_per_minute=100_000)

    def app_for(port: int) -> Starlette:
        app = app_of(settings, http, OwnKey(), port)
        app.router.routes[:0] = [
            Route("/host.html", _file),
            Route("/host.bundle.js", _file),
            Route("/sandbox.html", _sandbox),
        ]
        return app

    with serve(app_for) as url:
        yield url


def _file(request: Request) -> Response:
    return FileResponse(_HERE / request.url.path.removeprefix("/"))


def _sandbox(request: Request) -> Response:
    response = _file(request)
    response.headers["Content-Security-Policy"] = _POLICY
    return response
