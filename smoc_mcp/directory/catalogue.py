"""Which campaigns, flows, promotions and survey questions there are, as far as is seen in hand."""

from smoc_mcp.directory.answers import Catalogue, Kind
from smoc_mcp.directory.reading import Reading
from smoc_mcp.questions.choices import WITHOUT
from smoc_mcp.questions.dimensions import DIMENSIONS, Count
from smoc_mcp.questions.groups import merge

__all__ = ["catalogue"]

_MOST = 50
_LOOKED_AT = 10_000
_KINDS = {
    "campaigns": "utm_campaign",
    "sources": "utm_source",
    "media": "utm_medium",
    "flows": "flow",
    "promos_presented": "promo_presented",
    "promos_redeemed": "promo_redeemed",
}
"""What is listed, and the dimension that it is of."""


def catalogue(reading: Reading) -> Catalogue:
    """Return the most common values of each kind, in order of names."""
    kinds = {kind: _values(reading, name) for kind, name in _KINDS.items()}
    questions = reading.store.count_answers()
    kinds["survey_questions"] = Kind(sorted(questions[:_MOST]), len(questions[_MOST:]))
    return Catalogue(reading.company(), kinds)


def _values(reading: Reading, name: str) -> Kind:
    asked = Count(dimensions=(DIMENSIONS[name],), limit=_LOOKED_AT)
    grouping = merge(reading.store.group(asked), asked, reading.zone)
    known = [(g.values[0], g.contacts) for g in grouping.groups if g.values[0] != WITHOUT]
    return Kind(sorted(known[:_MOST]), len(known[_MOST:]) + grouping.left_out)
