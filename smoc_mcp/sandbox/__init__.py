"""The SMOC API in a box, with made-up contacts: for the demo and for tests.

It follows the API's guide to the letter, imports nothing else of this project, so that the two
cannot drift together, and can be told to change and to fail. Nobody in it exists.
"""

from smoc_mcp.sandbox.app import ENDPOINT, FJELL_KEY, NORDLYS_KEY, UNBOUND_KEY, Sandbox
from smoc_mcp.sandbox.company import ABSENT, Company
from smoc_mcp.sandbox.faults import FAULT_KINDS, Fault, FaultKind, Faults
from smoc_mcp.sandbox.hostile import HOSTILE_TEXTS
from smoc_mcp.sandbox.journal import RequestRecord
from smoc_mcp.sandbox.moments import SORT_FIELDS
from smoc_mcp.sandbox.oddities import VARIANTS
from smoc_mcp.sandbox.people import Contact
from smoc_mcp.sandbox.server import run_in_thread, serve

__all__ = [
    "ABSENT",
    "ENDPOINT",
    "FAULT_KINDS",
    "FJELL_KEY",
    "HOSTILE_TEXTS",
    "NORDLYS_KEY",
    "SORT_FIELDS",
    "UNBOUND_KEY",
    "VARIANTS",
    "Company",
    "Contact",
    "Fault",
    "FaultKind",
    "Faults",
    "RequestRecord",
    "Sandbox",
    "run_in_thread",
    "serve",
]
