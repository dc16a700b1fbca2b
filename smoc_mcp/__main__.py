"""`python -m smoc_mcp` is the command `smoc-mcp`."""

import sys

from smoc_mcp.cli.main import main

sys.exit(main())
