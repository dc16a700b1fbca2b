"""The record of what was asked."""

from dataclasses import asdict, dataclass
from time import time

__all__ = ["RequestRecord"]


@dataclass(slots=True)
class RequestRecord:
    """One request to the endpoint, made when it arrives. The key is not in it.

    Attributes:
        time: when it arrived, in seconds since 1970 by the wall clock.
        company: the name of the key's company; None if the key has none.
        sort: the field to sort by, aliases resolved; None for natural order.
        limit: the limit, the default included; None if the request was refused.
        status: the HTTP status that was sent; None before that, and for a dropped connection.
        fault: the kind of the fault that hit it.
        abandoned: whether the client was seen to go away before the answer's end.
    """

    time: float
    company: str | None
    sort: str | None
    limit: int | None
    status: int | None = None
    fault: str | None = None
    abandoned: bool = False

    @classmethod
    def now(cls, company: str | None, sort: str | None, limit: int | None) -> "RequestRecord":
        """Return a record of a request that arrived now."""
        return cls(time(), company, sort, limit)

    def as_json(self) -> dict[str, object]:
        """Return the record as a JSON object."""
        return asdict(self)
