"""Answers with a sentence where something failed that nobody foresaw; the log has the rest."""

import logging
from importlib.metadata import version

__all__ = ["sentence_of"]

_logger = logging.getLogger(__name__)


def sentence_of(error: BaseException, what: str) -> str:
    """Write the traceback into the log, and return what a caller is told: nothing of the error.

    Args:
        error: What was raised.
        what: What failed: the name of a tool, or words of ours.
    """
    _logger.error("%s failed unexpectedly", what, exc_info=error)
    return (
        f"{what} failed unexpectedly. Ask again; if it fails again, report it with the version "
        f"(smoc-mcp {version('smoc-mcp')})."
    )
