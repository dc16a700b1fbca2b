"""The twelve usual questions of section 11: what people ask, and the call that answers it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from smoc_mcp.sandbox import Company, Contact

__all__ = ["Question", "twelve_questions"]


class Question(NamedTuple):
    """What a person asks, and the one call that answers it."""

    said: str
    tool: str
    arguments: dict[str, Any]


def twelve_questions(company: Company) -> Sequence[Question]:
    """Return the questions, those about a person for somebody of this company."""
    known = _somebody(company)
    email, last_name = str(known["email"]), str(known["lastName"])
    return (
        Question("How many leads and customers do we have?", "contacts_stats", {}),
        Question("Who are the newest?", "contacts_list", {}),
        Question("Whose data changed last?", "contacts_list", {"sort": "updated", "limit": 10}),
        Question("Who talked to us last?", "contacts_list", {"sort": "conversation", "limit": 10}),
        Question(f"Who is called {last_name}?", "contacts_search", {"query": last_name}),
        Question(
            "Which customers in Oslo have no phone number?",
            "contacts_search",
            {"status": "customer", "city": "Oslo", "has": "-phone"},
        ),
        Question(f"Is {email} here?", "contacts_find_by_email", {"email": email}),
        Question(
            "Is nobody.at.all@example.com here?",
            "contacts_find_by_email",
            {"email": "nobody.at.all@example.com"},
        ),
        Question("What do we know about them?", "contacts_get", {"contact_id": known["id"]}),
        Question("Which campaign converts best?", "contacts_stats", {"group_by": "utm_campaign"}),
        Question(
            "How many came each week of the last quarter?",
            "contacts_stats",
            {"group_by": "created_week", "created_after": "90d"},
        ),
        Question("What is new since yesterday?", "contacts_changes", {"since": "24h"}),
    )


def _somebody(company: Company) -> Contact:
    """Return the newest contact with an address and a name in plain letters."""
    return next(
        contact
        for contact in company.page("createdAt", 500)
        if str(contact.get("email")).isascii()
        and "@" in str(contact.get("email"))
        and str(contact.get("lastName")).isalpha()
        and contact.get("lastName")
    )
