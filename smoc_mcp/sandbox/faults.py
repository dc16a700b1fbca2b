"""What can go wrong with the API, as orders to the sandbox."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from random import Random
from threading import Lock
from typing import Literal, get_args

from smoc_mcp.sandbox.moments import SORT_FIELDS
from smoc_mcp.sandbox.oddities import VARIANTS

__all__ = ["FAULT_KINDS", "Fault", "FaultKind", "Faults"]

FaultKind = Literal[
    "rate_limited",
    "server_error",
    "bad_gateway",
    "html",
    "slow",
    "slow_body",
    "cut_off",
    "not_json",
    "wrong_shape",
    "dropped",
    "redirect",
    "unauthorized",
    "forbidden",
    "huge",
    "odd_contacts",
]

FAULT_KINDS: tuple[str, ...] = get_args(FaultKind)


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail, for the requests that it hits.

    Kinds:
        rate_limited: 429, JSON; with Retry-After if `retry_after` is given.
        server_error: 500, JSON.
        bad_gateway: 502, a proxy's HTML page.
        html: 200, the HTML page of a captive portal.
        slow: the right answer after `seconds`.
        slow_body: the right answer, its body dribbling over `seconds`.
        cut_off: the connection closes after half of the promised body.
        not_json: 200 with what is no JSON; `variant` is one of `oddities.NOT_JSON`.
        wrong_shape: 200 with other JSON; `variant` is one of `oddities.WRONG_SHAPES`.
        dropped: the connection closes without an answer.
        redirect: 302 to another host.
        unauthorized: 401, as for a key revoked meanwhile.
        forbidden: 403.
        huge: 200 with a body of `megabytes`, which is right JSON and has no Content-Length.
        odd_contacts: the right answer, but every second contact has something that the guide
            does not promise; with a `variant`
            of `oddities.ODDITIES`, all of them have that one.

    Args:
        kind: one of the above.
        times: how many requests it hits; None for all until it is cleared.
        probability: how likely it hits a request that it could hit.
        seconds: how long slow answers take.
        retry_after: the Retry-After header: seconds, or text such as an HTTP date.
        sort: hit only this sort order: createdAt, updatedAt, lastConversationDate, or natural.
        company: hit only this company.
        variant: the form of a fault that has several.
        megabytes: the size of a huge answer, in 1,000,000 bytes.
    """

    kind: FaultKind
    times: int | None = 1
    probability: float = 1.0
    seconds: float = 1.0
    retry_after: float | str | None = None
    sort: str | None = None
    company: str | None = None
    variant: str | None = None
    megabytes: float = 64.0

    def __post_init__(self) -> None:
        if self.kind not in FAULT_KINDS:
            raise ValueError(f"no such fault: {self.kind!r}; there are {', '.join(FAULT_KINDS)}")
        if self.times is not None and self.times < 1:
            raise ValueError("times is at least 1, or null until cleared")
        if min(self.probability, self.seconds, self.megabytes) < 0:
            raise ValueError("probability, seconds and megabytes are not negative")
        variants = VARIANTS.get(self.kind, ())
        if self.variant is not None and self.variant not in variants:
            raise ValueError(f"{self.kind} has these variants: {', '.join(variants) or 'none'}")
        if self.sort not in (None, "natural", *SORT_FIELDS):
            raise ValueError(f"sort is natural, {', '.join(SORT_FIELDS)}, or null for any")

    @classmethod
    def from_json(cls, value: object) -> "Fault":
        """Return the fault that a JSON object describes by this class's own names.

        Raises:
            ValueError: it is no object, or has unknown names or values.
        """
        if not isinstance(value, Mapping):
            raise ValueError('a fault is an object such as {"kind": "rate_limited"}')  # noqa: TRY004 - a mistake of the request
        unknown = value.keys() - {field.name for field in fields(cls)}
        if "kind" not in value:
            raise ValueError("a fault has a kind")
        if unknown:
            raise ValueError(f"a fault has no {', '.join(sorted(map(str, unknown)))}")
        return cls(**value)

    def as_json(self) -> dict[str, object]:
        """Return the object that `from_json` takes."""
        return asdict(self)

    def hits(self, company: str, sort: str | None) -> bool:
        """Return whether a request for that company and sort order could be hit."""
        return self.company in (None, company) and self.sort in (None, sort or "natural")


class Faults:
    """The faults that wait for requests, in the order in which they were set."""

    def __init__(self, seed: int = 1) -> None:
        self._waiting: list[tuple[Fault, int | None]] = []
        self._rng = Random(seed)
        self._lock = Lock()

    def set(self, *faults: Fault) -> None:
        """Add faults behind those that wait."""
        with self._lock:
            self._waiting.extend((fault, fault.times) for fault in faults)

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._waiting.clear()

    def waiting(self) -> list[Fault]:
        """Return the faults that are still to hit something."""
        with self._lock:
            return [fault for fault, _ in self._waiting]

    def draw(self, company: str, sort: str | None) -> Fault | None:
        """Return the first fault that hits this request, and count it."""
        with self._lock:
            for place, (fault, left) in enumerate(self._waiting):
                if not fault.hits(company, sort) or self._rng.random() >= fault.probability:
                    continue
                if left == 1:
                    del self._waiting[place]
                elif left is not None:
                    self._waiting[place] = (fault, left - 1)
                return fault
            return None
