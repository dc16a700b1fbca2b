"""The sandbox on a real socket: in the foreground, or in a thread beside a test."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from time import sleep

from smoc_mcp.sandbox.app import Sandbox

__all__ = ["run_in_thread", "serve"]


def serve(
    sandbox: Sandbox,
    host: str = "127.0.0.1",
    port: int = 8090,
    announce: Callable[[str], None] | None = None,
) -> None:
    """Serve until SIGINT, and print nothing. SIGTERM ends the process once all is closed.

    Args:
        sandbox: what to serve.
        host: the address to listen at.
        port: 0 for one that is free.
        announce: called with the base URL, without a slash at its end, once it takes connections.

    Raises:
        OSError: the address is taken.
    """
    from smoc_mcp.sandbox.protocol import QuietServer

    with _listening(host, port) as listener, suppress(KeyboardInterrupt):
        if announce is not None:
            # Connections wait in the socket's queue until the server takes them.
            listener.listen()
            shown = f"[{host}]" if ":" in host else host
            announce(f"http://{shown}:{listener.getsockname()[1]}")
        QuietServer(sandbox).run(sockets=[listener])


@contextmanager
def run_in_thread(sandbox: Sandbox, port: int = 0) -> Iterator[str]:
    """Serve on loopback in a thread; yield the base URL, without a slash at its end.

    Args:
        sandbox: what to serve; it may be changed from any thread meanwhile.
        port: 0 for one that is free.

    Raises:
        OSError: the port is taken.
    """
    from smoc_mcp.sandbox.protocol import QuietServer

    with _listening("127.0.0.1", port) as listener:
        server = QuietServer(sandbox)
        thread = Thread(target=server.run, args=([listener],), name="smoc-sandbox", daemon=True)
        thread.start()
        try:
            while not server.started and thread.is_alive():
                sleep(0.002)
            if not server.started:
                raise RuntimeError("the sandbox's server did not start")
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.stop()
            thread.join()


def _listening(host: str, port: int) -> socket.socket:
    """Return a bound socket; bound here, so that a taken port is an error of ours to see."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's delay off (40 ms an answer) only where the protocol is said.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it would take the port from another process
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener
