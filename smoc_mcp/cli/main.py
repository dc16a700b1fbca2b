"""The command `smoc-mcp`: runs what was typed, and tells a person what went wrong."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from smoc_mcp.cli.parser import SETTINGS, build_parser
from smoc_mcp.cli.unexpected import tell_of
from smoc_mcp.errors import ConfigurationError, SmocError, UsageError
from smoc_mcp.settings import environment
from smoc_mcp.variables import check_names
from smoc_mcp.views.boundary import error_text

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code: 0 done, 1 failed, 2 wrong settings or usage."""
    if sys.stderr is None:
        # It was closed. What is meant for it would go to stdout, where a client expects answers.
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  until the end
    options = build_parser().parse_args(arguments)
    try:
        check_names(environment(), SETTINGS)
        with _without_groups():
            code: int = options.run(options)
    except (ConfigurationError, UsageError) as error:
        print(f"smoc-mcp: {error_text(str(error))}", file=sys.stderr)
        return 2
    except SmocError as error:
        print(f"smoc-mcp: {error_text(str(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output, such as `head`, has gone; nothing is wrong. What Python still
        # wants to flush at exit must go somewhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001  whatever it is, a person gets one line
        tell_of(error)
        return 1
    return code


@contextmanager
def _without_groups() -> Iterator[None]:
    """Raise a lone error as itself, though it went through task groups."""
    try:
        yield
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        raise error from None
