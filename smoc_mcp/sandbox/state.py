"""What a sandbox holds: companies by their keys, what shall go wrong, and what was asked."""

from collections.abc import Callable, Mapping

from smoc_mcp.sandbox.company import Company
from smoc_mcp.sandbox.faults import Fault, Faults
from smoc_mcp.sandbox.journal import RequestRecord

__all__ = ["State"]


class State:
    """Companies, faults and requests; `controls` changes it over HTTP, a test directly.

    Args:
        keys: each key's company; None for a key that is bound to none.

    Attributes:
        faults: what shall go wrong; `fail` and `recover` are the short way.
        requests: a record of each request to the endpoint since the start or `forget_requests`.
        latency: seconds that every answer of the endpoint takes at least.
        before_answer: called with company, sort field and limit right before each page is
            computed; a test changes the company here.
    """

    def __init__(self, keys: Mapping[str, Company | None]) -> None:
        self.keys: dict[str, Company | None] = dict(keys)
        self.faults = Faults()
        self.requests: list[RequestRecord] = []
        self.latency = 0.0
        self.before_answer: Callable[[Company, str | None, int], None] | None = None

    @property
    def companies(self) -> list[Company]:
        """The companies, each once, in the order of their keys."""
        return list({id(held): held for held in self.keys.values() if held is not None}.values())

    def company(self, name: str) -> Company:
        """Return the company of that name.

        Raises:
            KeyError: there is none.
        """
        for company in self.companies:
            if company.name == name:
                return company
        raise KeyError(f"the sandbox has no company {name!r}")

    def fail(self, *faults: Fault) -> None:
        """Let requests fail, behind the faults that wait already."""
        self.faults.set(*faults)

    def recover(self) -> None:
        """Clear all faults."""
        self.faults.clear()

    def forget_requests(self) -> None:
        """Empty the record of requests."""
        self.requests.clear()
