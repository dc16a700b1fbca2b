"""Tells a person in one line of a failure that nobody foresaw; the log has the rest at DEBUG."""

import logging
import sys
from importlib.metadata import version

__all__ = ["tell_of"]

_logger = logging.getLogger(__name__)


def tell_of(error: BaseException) -> None:
    """Print one line on stderr that says what happened and what to do."""
    _logger.debug("an unexpected error", exc_info=error)
    print(
        f"smoc-mcp: an unexpected error ({type(error).__name__}). Report it with the version "
        f"({version('smoc-mcp')}); set SMOC_MCP_LOG_LEVEL=DEBUG to see more.",
        file=sys.stderr,
    )
