"""One POST to a model's API by plain httpx, tried again where that can help."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import anyio
import httpx

from evals.models.chat import ModelError

__all__ = ["Endpoint"]

_TRIES = 6
_LONGEST_WAIT = 60.0
_BUSY, _FAULT, _FROM_ERRORS = 429, 500, 400
_SAID = 300


class Endpoint:
    """An address that takes JSON.

    Args:
        url: The whole address.
        headers: Sent with each request; the key is in one of them, and in no message of ours.
        seconds: How long one request may take.
        first_wait: Seconds before the second try where the API does not say how long; doubled
            for each further one.
    """

    def __init__(
        self, url: str, headers: Mapping[str, str], seconds: float = 120, first_wait: float = 1
    ) -> None:
        self._url = url
        self._headers = dict(headers)
        self._seconds = seconds
        self._first_wait = first_wait

    async def post(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the JSON object that answers a body.

        Raises:
            ModelError: It could not be had.
        """
        said = ""
        async with httpx.AsyncClient(timeout=self._seconds) as client:
            for tried in range(_TRIES):
                wait: float | None = None
                try:
                    answer = await client.post(self._url, headers=self._headers, json=body)
                except (httpx.TransportError, httpx.InvalidURL) as failed:
                    said = f"{type(failed).__name__}"
                else:
                    if answer.status_code < _FROM_ERRORS:
                        return _object(answer)
                    said = f"{answer.status_code}: {self._without_key(answer.text)[:_SAID]}"
                    if answer.status_code != _BUSY and answer.status_code < _FAULT:
                        raise ModelError(f"the model's API refused the request with {said}")
                    wait = _retry_after(answer)
                if tried + 1 < _TRIES:
                    own = self._first_wait * 2**tried
                    await anyio.sleep(min(own if wait is None else wait, _LONGEST_WAIT))
        raise ModelError(f"the model's API did not answer in {_TRIES} tries: {said}")

    def _without_key(self, text: str) -> str:
        """Return what an API said without the key, which some repeat."""
        for value in self._headers.values():
            # Of `Bearer …` the key alone.
            text = text.replace(value.rpartition(" ")[2], "…")
        return text


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ModelError(f"the model's API answered no JSON object: {answer.text[:_SAID]}")
    return found


def _retry_after(answer: httpx.Response) -> float | None:
    """Return the seconds that the API asks for, given as such or as a date; None for neither."""
    said = answer.headers.get("retry-after", "")
    try:
        return max(0.0, float(said))
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(said)
    except ValueError:
        return None
    return max(0.0, (until - datetime.now(UTC)).total_seconds()) if until.tzinfo else None
