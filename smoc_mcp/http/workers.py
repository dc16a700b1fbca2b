"""Several processes on one port, so that a server uses more than one core.

uvicorn starts them, watches over them, and at SIGHUP replaces one after the other, so that secrets
and companies are read again and nobody's call ends. Each has its own memory, limits and connections
to SMOC; a store in a file or a database is one for all.
"""

import socket
from functools import partial
from tempfile import TemporaryDirectory

from starlette.applications import Starlette
from uvicorn.supervisors import Multiprocess

from smoc_mcp.http.app import uvicorn_config
from smoc_mcp.http.metrics import SHARED_NUMBERS
from smoc_mcp.http.serve import Wanted, access_of, app_of
from smoc_mcp.http.settings import HttpSettings
from smoc_mcp.logs import log_to_stderr
from smoc_mcp.settings import Settings, hand_on

__all__ = ["serve_workers"]

_PATIENCE = 60


def serve_workers(wanted: Wanted, listener: socket.socket) -> None:
    """Serve with several processes until told to end.

    Args:
        wanted: What was asked for; its port is the listener's.
        listener: They share it.
    """
    config = uvicorn_config(partial(_app, wanted))
    config.factory, config.workers = True, wanted.workers
    # A busy machine takes seconds to start one, and what is not ready in time is given up.
    config.timeout_worker_healthcheck = _PATIENCE
    with TemporaryDirectory(prefix="smoc-mcp-") as folder:
        # Whichever process answers /metrics, it shows the numbers of all.
        hand_on(SHARED_NUMBERS, folder)
        Multiprocess(config, [listener]).run()


def _app(wanted: Wanted) -> Starlette:
    """Return the app of one of the processes, which begins with nothing but the environment."""
    settings = Settings.from_env(needs_key=None)
    log_to_stderr(settings, serves=True)
    return app_of(settings, HttpSettings.from_env(), access_of(wanted), wanted.port)
