"""Answers that the guide does not promise: no JSON, JSON of another shape, odd contacts."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from smoc_mcp.sandbox.people import Contact

__all__ = ["NOT_JSON", "ODDITIES", "VARIANTS", "WRONG_SHAPES"]

Page = Mapping[str, object]

NOT_JSON: Mapping[str, bytes] = MappingProxyType(
    {
        "truncated": b'{"data":[{"id":"665a1b2c3d4e5f6789012345","email":"alex@exam',
        "text": b"OK",
        "empty": b"",
        "bytes": b'{"data":[],"leadsCount":0,"customerCount":0,"x":"\xff\xfe"}',
    }
)
"""Bodies that are no JSON."""

WRONG_SHAPES: Mapping[str, Callable[[Page], object]] = MappingProxyType(
    {
        "list": lambda page: page["data"],
        "null": lambda _: None,
        "no_data": lambda page: {name: value for name, value in page.items() if name != "data"},
        "null_data": lambda page: {**page, "data": None},
        "object_data": lambda page: {**page, "data": {"contacts": page["data"]}},
        "no_counts": lambda page: {"data": page["data"]},
        "text_counts": lambda page: {**page, "leadsCount": "many", "customerCount": None},
        "odd_entries": lambda page: {**page, "data": [None, 7, "contact", [], {}]},
    }
)
"""What becomes of a page."""


def _with(**fields: object) -> Callable[[Contact], Contact]:
    return lambda contact: {**contact, **fields}


ODDITIES: Mapping[str, Callable[[Contact], Contact]] = MappingProxyType(
    {
        "unknown_fields": _with(score=17, tags=["a", "b"], crm={"owner": {"id": 1}}),
        "status_7": _with(status="7"),
        "status_number": _with(status=2),
        "status_object": _with(status={"code": "1"}),
        "all_null": lambda contact: {**dict.fromkeys(contact), "id": contact["id"]},
        "id_only": lambda contact: {"id": contact["id"]},
        "numbers": _with(firstName=42, zip=150, msisdn=4_712_345_678, brandId=3.5, userId=9),
        "bad_dates": _with(createdAt="yesterday", updatedAt="2025-13-45", lastConversationDate=""),
        "epoch_dates": _with(updatedAt=1_750_000_000_000, lastConversationDate=1_750_000_000),
        "far_dates": _with(lastConversationDate="0001-01-01T00:00:00.000Z"),
        "id_number": lambda contact: {**contact, "id": int(str(contact["id"])[-8:], 16)},
        "null_lists": _with(visitList=None, textFields=None, rewardFlows=None, usersReferred=None),
        "visits_object": _with(visitList={"browser": "Chrome", "country": "NO"}),
        "lists_of_junk": _with(visitList=[None, "x", 3, []], textFields=["a"], referralLinks=[0]),
        "nested_junk": _with(
            inviterUser=[{"id": {"id": {"id": None}}}],
            promosPresented=[{"id": 1, "title": {"no": "Tittel", "en": "Title"}}],
            answeredSurveyQuestions=[{"question": {"text": "?"}, "answer": ["a", "b"]}],
        ),
        "texts_objects": _with(email={"address": "x@example.com"}, city=["Oslo"], company=True),
        "booleans_text": _with(acceptedCommunication="yes", acceptedPrivacy=1),
        "big_numbers": _with(userId=10**40, brandId=-1e308),
    }
)
"""What a contact may have that the guide does not promise."""

VARIANTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "not_json": tuple(NOT_JSON),
        "wrong_shape": tuple(WRONG_SHAPES),
        "odd_contacts": tuple(ODDITIES),
    }
)
"""The forms of the faults that have several; the first is the usual one, odd contacts apart."""
