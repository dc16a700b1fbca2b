"""Every failure that smoc-mcp foresees, named by what its reader can do about it.

SmocError
├── ConfigurationError          a setting cannot be right: mend it and start again
│   └── ApiKeyError             the key is missing, or cannot be one
├── UsageError                  a command was written wrongly: see its --help
├── InputError                  a parameter is wrong: correct it and call again
│   ├── CursorError             the cursor is damaged or belongs to another question
│   ├── TooMuchError            the question takes too long over what is in hand
│   └── ContactNotFoundError    no contact in hand has this id
├── StoreError                  the store cannot be used
│   └── StoreConflictError      two writers stood in each other's way: ask again
├── AccessError                 over HTTP: a caller may not call
├── BusyError                   over HTTP: too many at once, or too often; come back
└── UpstreamError               the SMOC API gave no usable answer
    ├── KeyRefusedError         this key may not ask
    │   ├── MissingTokenError       401: our token header did not arrive
    │   ├── InvalidKeyError         401: the key is wrong or revoked
    │   └── KeyWithoutCompanyError  403: the key names no company
    ├── RequestRefusedError     422 and other 4xx: the API refused our parameters
    ├── WrongAddressError       404 or a redirect: not the API's address
    ├── RateLimitedError        429: too many requests
    ├── ServerFailureError      5xx: the API or a proxy before it failed
    ├── UnreachableError        no connection could be made or kept
    ├── TimedOutError           no answer in time
    └── UnreadableAnswerError   an answer came, and is not the guide's
        ├── HtmlAnswerError       a web page, as of a proxy or a sign-in portal
        ├── CutOffAnswerError     the body ended early
        ├── NotJsonError          the body is not JSON
        ├── WrongShapeError       JSON, without the fields that the guide names
        └── OversizedAnswerError  more than we are willing to hold

Each message is a sentence for a person or a model: what happened, then what to do next. None holds
the key, text of the upstream answer, or a contact's data.
"""

__all__ = [
    "AccessError",
    "ApiKeyError",
    "BusyError",
    "ConfigurationError",
    "ContactNotFoundError",
    "CursorError",
    "CutOffAnswerError",
    "HtmlAnswerError",
    "InputError",
    "InvalidKeyError",
    "KeyRefusedError",
    "KeyWithoutCompanyError",
    "MissingTokenError",
    "NotJsonError",
    "OversizedAnswerError",
    "RateLimitedError",
    "RequestRefusedError",
    "ServerFailureError",
    "SmocError",
    "StoreConflictError",
    "StoreError",
    "TimedOutError",
    "TooMuchError",
    "UnreachableError",
    "UnreadableAnswerError",
    "UpstreamError",
    "UsageError",
    "WrongAddressError",
    "WrongShapeError",
]


class SmocError(Exception):
    """Base of all foreseen failures; its text is safe to show and says what to do next."""


class ConfigurationError(SmocError):
    """A setting is wrong: mend it and start again."""


class ApiKeyError(ConfigurationError):
    """The key is missing, or cannot be one."""


class UsageError(SmocError):
    """A command was written wrongly; its --help says how."""


class InputError(SmocError):
    """A parameter is wrong: correct it as the message says and call again."""


class CursorError(InputError):
    """A cursor is damaged, or belongs to another question: ask again without it."""


class TooMuchError(InputError):
    """A question takes too long over what is in hand: ask a narrower one."""


class ContactNotFoundError(InputError):
    """No contact that is in hand has this id."""


class StoreError(SmocError):
    """The store cannot be opened, read or written; it is never replaced."""


class StoreConflictError(StoreError):
    """Two writers stood in each other's way, and this one gave way: it can be done again."""


class AccessError(SmocError):
    """A caller may not call.

    Attributes:
        status: The HTTP status.
        challenge: The WWW-Authenticate header; empty for none.
    """

    def __init__(self, message: str, status: int = 401, challenge: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.challenge = challenge


class BusyError(SmocError):
    """Too many ask at once, or one too often.

    Attributes:
        status: The HTTP status.
        seconds: When to come back.
    """

    def __init__(self, message: str, status: int = 503, seconds: int = 5) -> None:
        super().__init__(message)
        self.status = status
        self.seconds = seconds


class UpstreamError(SmocError):
    """The SMOC API gave no usable answer."""


class KeyRefusedError(UpstreamError):
    """The API says that this key may not ask; its subclasses say why."""


class MissingTokenError(KeyRefusedError):
    """HTTP 401: the API did not see our token header; something on the way removed it."""


class InvalidKeyError(KeyRefusedError):
    """HTTP 401: the key is wrong or revoked; a new one is needed."""


class KeyWithoutCompanyError(KeyRefusedError):
    """HTTP 403: the key is valid and bound to no company."""


class RequestRefusedError(UpstreamError):
    """HTTP 422, or a 4xx that the guide does not name: the API refused the request."""


class WrongAddressError(UpstreamError):
    """HTTP 404 or a redirect: this address is not the API's."""


class RateLimitedError(UpstreamError):
    """HTTP 429: too many requests.

    Attributes:
        retry_after: Seconds that the API asked us to wait; None where it named none.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ServerFailureError(UpstreamError):
    """HTTP 5xx: the API, or a proxy before it, failed."""


class UnreachableError(UpstreamError):
    """No connection to the API could be made, or it broke before an answer."""


class TimedOutError(UpstreamError):
    """The API did not answer in time."""


class UnreadableAnswerError(UpstreamError):
    """An answer came that is not what the API's guide describes."""


class HtmlAnswerError(UnreadableAnswerError):
    """A web page came instead of JSON, as from a proxy or a sign-in portal."""


class CutOffAnswerError(UnreadableAnswerError):
    """The body ended before it was whole."""


class NotJsonError(UnreadableAnswerError):
    """The body is not JSON."""


class WrongShapeError(UnreadableAnswerError):
    """The body is JSON without the fields that the guide names."""


class OversizedAnswerError(UnreadableAnswerError):
    """The body is larger than we are willing to hold."""
