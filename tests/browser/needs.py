"""What the tests in a browser need: playwright and Chromium, and what tests/browser/run prepares.

Where something is missing they are skipped with the reason, or fail with it, if
SMOC_MCP_REQUIRE_BROWSER is 1.
"""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

__all__ = ["AXE", "CHROMIUM", "need_everything"]

_HERE = Path(__file__).parent
_BUNDLE = _HERE / "host.bundle.js"
_REQUIRED = os.environ.get("SMOC_MCP_REQUIRE_BROWSER") == "1"

AXE = _HERE / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)


def need_everything() -> None:
    """Go on only if nothing is missing; otherwise the module that is being imported is skipped."""
    if not (why := _what_is_missing()):
        return
    if _REQUIRED:
        pytest.fail(why, pytrace=False)
    pytest.skip(why, allow_module_level=True)


def _what_is_missing() -> str:
    if find_spec("playwright") is None:
        return "playwright is missing: pip install playwright"
    if not CHROMIUM:
        return "Chromium is missing: install it, or name it in CHROMIUM"
    if not AXE.exists() or not _BUNDLE.exists():
        node = "" if shutil.which("node") else ", with Node"
        return f"the host is not built: run tests/browser/run{node}"
    if _BUNDLE.stat().st_mtime < (_HERE / "host.js").stat().st_mtime:
        return "the host is older than host.js: run tests/browser/run"
    return ""
