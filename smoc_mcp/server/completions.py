"""Completes the arguments of prompts and of `smoc://contacts/{id}` from what is in hand.

What is offered are values of contacts: cleaned and masked as everything that leaves.
"""

from collections.abc import Awaitable, Callable

from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    Completion,
    CompletionArgument,
    CompletionContext,
    PromptReference,
    ResourceTemplateReference,
)

from smoc_mcp.directory.directory import FindDirectory
from smoc_mcp.errors import SmocError
from smoc_mcp.proof.windows import Status
from smoc_mcp.questions.choices import WITHOUT, spelt
from smoc_mcp.questions.dimensions import DIMENSIONS, Count, Scope
from smoc_mcp.questions.rows import ContactRow
from smoc_mcp.server.jobs import contact_mark
from smoc_mcp.server.prompts import AGES, PROMPTS
from smoc_mcp.server.resources import CONTACT_URI
from smoc_mcp.server.unexpected import sentence_of
from smoc_mcp.text.folding import fold
from smoc_mcp.views.boundary import DETAIL_CHARS
from smoc_mcp.views.lists import Views

__all__ = ["Complete", "build_completion"]

Complete = Callable[
    [
        PromptReference | ResourceTemplateReference,
        CompletionArgument,
        CompletionContext | None,
    ],
    Awaitable[Completion | None],
]

_MOST = 20
_MOST_CAMPAIGNS = 100


def build_completion(directory: FindDirectory, views: Views) -> Complete:
    """Return the handler of `completion/complete`; it offers nothing where SMOC fails."""
    boundary = views.boundary

    def named(row: ContactRow) -> str:
        """Return a contact by name, as far as there is one, and id, as contact_brief takes it."""
        return contact_mark(boundary.name(row.name or ""), boundary.id(row.id))

    async def campaigns(text: str) -> list[str]:
        asked = Count(
            dimensions=(DIMENSIONS["utm_campaign"],), limit=_MOST_CAMPAIGNS, scope=Scope.IN_HAND
        )
        found = (await directory().count_contacts(asked)).groups
        groups = found.grouping.groups if found else []
        values = [g.values[0] for g in groups if g.values[0] != WITHOUT]
        # As the filter of contacts_stats takes it.
        return [spelt(boundary.text(v, DETAIL_CHARS)) for v in values if fold(text) in fold(v)]

    async def offered(name: str, argument: str, text: str) -> list[str]:
        match name, argument:
            case "contact_brief", "contact":
                return [named(row) for row in await directory().suggest(text, _MOST + 1)]
            case _, "id":
                return [boundary.id(row.id) for row in await directory().suggest(text, _MOST + 1)]
            case "campaign_report", "campaign":
                return await campaigns(text)
            case _, "status" if name in PROMPTS:
                known = [s.value for s in Status if s is not Status.UNKNOWN]
                return [s for s in known if s.startswith(fold(text))]
            case _, "since" | "quiet_for" if name in PROMPTS:
                return [age for age in AGES if age.startswith(text.strip())]
        return []

    arguments = {CONTACT_URI: ["id"]} | {p: [a.name for a in known] for p, known in PROMPTS.items()}

    async def complete(
        ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        _: CompletionContext | None,
    ) -> Completion | None:
        name = ref.name if isinstance(ref, PromptReference) else ref.uri
        if argument.name not in arguments.get(name, ()):
            raise MCPError(INVALID_PARAMS, "There is nothing of this name to complete.")
        try:
            values = await offered(name, argument.name, argument.value)
        except SmocError:
            # A client asks at every key: an error there would only flash.
            return None
        except Exception as error:  # noqa: BLE001  whatever it is, it is told in a sentence
            raise MCPError(INTERNAL_ERROR, sentence_of(error, "completion/complete")) from None
        return Completion(values=values[:_MOST], has_more=len(values) > _MOST)

    return complete
