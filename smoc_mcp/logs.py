"""Sets the log up: lines on stderr, as text or as JSON."""

import json
import logging
import sys
from datetime import UTC, datetime

from smoc_mcp.settings import Settings
from smoc_mcp.text.cleaning import clean, cut

__all__ = ["log_to_stderr"]

_MOST_CHARS = 2_000


class _JsonLines(logging.Formatter):
    """Formats a record as one JSON object; that of a call of a tool holds what the call cost."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
        }
        call = getattr(record, "call", None)
        line |= call if isinstance(call, dict) else {"message": record.getMessage()}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class _Unforged(logging.Filter):
    """Makes a message one line, not too long, without what cannot be seen.

    Callers have a part in some messages, such as the Host header that they sent.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = cut(clean(record.getMessage()), _MOST_CHARS), None
        return True


def log_to_stderr(settings: Settings, *, serves: bool = False) -> None:
    """Write the log to stderr, as much and in the form that the settings ask for.

    Args:
        settings: What they ask for.
        serves: This process is a server. A command says by itself how SMOC has failed.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _JsonLines()
        if settings.log_format == "json"
        else logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    handler.addFilter(_Unforged())
    logging.basicConfig(level=settings.log_level, handlers=[handler])
    if settings.log_format == "json":
        # A line for each call is what was asked for, whatever else is written.
        logging.getLogger("smoc_mcp.server.call_log").setLevel(logging.INFO)
    if not serves and settings.log_level == "WARNING":
        logging.getLogger("smoc_mcp.api.client").setLevel(logging.ERROR)
    # Whole answers, and so contacts, at DEBUG.
    logging.getLogger("sse_starlette").setLevel(logging.INFO)
    # httpx logs whole URLs at INFO, the SDK each message: of use to those who ask for DEBUG.
    if settings.log_level != "DEBUG":
        for name in ("httpx", "httpcore", "mcp"):
            logging.getLogger(name).setLevel(logging.WARNING)
