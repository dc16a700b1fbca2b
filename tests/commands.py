"""What tests of commands share: a command as a process, and in this one.

A process takes a second to start. It is needed where it is what is tested: its exit code, its
streams, its signals; each command is run as one by some test.
"""

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from smoc_mcp.cli.main import main

Done = subprocess.CompletedProcess[str]


def run(*arguments: str, **env: str) -> Done:
    """Run a command as a process."""
    return subprocess.run(
        [sys.executable, "-m", "smoc_mcp", *arguments],
        env={**os.environ, "PYTHONUTF8": "1", **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def run_here(*arguments: str, **env: str) -> Done:
    """Run a command in this process, by the function that the process calls."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with (
        pytest.MonkeyPatch.context() as patch,
        Path(os.devnull).open(encoding="utf-8") as nothing,
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        patch.setattr(sys, "stdin", nothing)
        for name, value in env.items():
            patch.setenv(name, value)
        code: object
        try:
            code = main(arguments)
        except SystemExit as ended:
            code = ended.code
    assert isinstance(code, int)
    said, told = (stream.buffer.getvalue().decode() for stream in (out, err))
    return Done(arguments, code, said, told)
