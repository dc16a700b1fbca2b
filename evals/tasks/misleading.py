"""Questions whose first answer misleads whoever does not read what is proven of it.

Each has a careless plan beside the careful one: what somebody concludes who takes what is in hand
for all there is, a filter for another, or a missing group for nobody.
"""

from collections import Counter

from evals.task import (
    INTEGER,
    SHARE,
    TEXT,
    Found,
    Given,
    Planned,
    Task,
    Truth,
    Turn,
    ask,
    at_least,
    between,
    exact,
    one_of,
    say,
    unknowable,
)
from evals.tasks.trends import named
from evals.world import World, best_share, campaign_of, status_of

__all__ = ["TASKS"]

_LEAST = 10
_CAMPAIGN = {"campaign": TEXT, "share": SHARE}
_COUNT = {"count": INTEGER}


def _best(found: Found) -> tuple[str, float]:
    """Return the campaign with the largest share of customers, by the counts of each."""
    large = [g for g in named(found, "utm_campaign") if g["contacts"] >= _LEAST]
    shares = {g["key"]["utm_campaign"]: g["customers"] / g["contacts"] for g in large}
    best = max(shares, key=lambda campaign: shares[campaign])
    return best, shares[best]


def _best_of_all(given: Given) -> Planned:
    del given
    found = yield ask("contacts_stats", group_by="utm_campaign", limit=100)
    # Groups of a part, whether by time or by status, say nothing of all.
    if {"proven_since", "proven_statuses"} & found.keys() or not found.get("groups"):
        yield say(cannot_say=True)
    else:
        campaign, share = _best(found)
        yield say(campaign=campaign, share=share, certainty=found["groups_certainty"])


def _best_of_the_sample(given: Given) -> Planned:
    del given
    found = yield ask("contacts_stats", group_by="utm_campaign", scope="in_hand", limit=100)
    campaign, share = _best(found)
    yield say(campaign=campaign, share=share, certainty="exact")


def _best_of_the_part(given: Given) -> Planned:
    del given
    found = yield ask("contacts_stats", group_by="utm_campaign", limit=100)
    campaign, share = _best(found)
    yield say(campaign=campaign, share=share, certainty=found["groups_certainty"])


def _best_of_the_proven(given: Given) -> Planned:
    del given
    found = yield ask("contacts_stats", group_by="utm_campaign", limit=100)
    campaign, share = _best(found)
    yield say(
        campaign=campaign,
        share=share,
        since=found["proven_since"][:10],
        certainty=found["groups_certainty"],
    )


def _truth_of_the_proven(world: World, given: Given) -> list[Truth]:
    del given
    best, share = best_share(world.proven, campaign_of, _LEAST)
    return [exact(campaign=one_of(*best), share=share, since=world.edge[:10])]


def _month_out_of_reach(world: World) -> Given:
    """Return the month of which the windows show least, though somebody came in it."""
    seen = Counter(p["createdAt"][:7] for p in world.visible)
    months = {world.month(ago)[:7]: world.month(ago - 1) for ago in range(3, 20)}
    month = min(months, key=lambda m: seen[m])
    return {"month": month, "since": f"{month}-01", "until": months[month]}


def _in_the_month(given: Given) -> Planned:
    found = yield ask("contacts_stats", created_after=given["since"], created_before=given["until"])
    yield say(count=found["total"], certainty=found["total_certainty"])


def _in_the_month_that_is_not_shown(given: Given) -> Planned:
    found = yield ask("contacts_stats", group_by="created_month", limit=100)
    months = {g["key"]["created_month"]: g["contacts"] for g in found["groups"]}
    yield say(count=months.get(given["month"], 0), certainty="exact")


def _truth_of_the_month(world: World, given: Given) -> list[Truth]:
    seen = sum(given["since"] <= str(p.get("createdAt")) < given["until"] for p in world.visible)
    return [at_least(count=between(seen, len(world.since(given["since"], given["until"]))))]


def _new_customers(given: Given) -> Planned:
    found = yield ask("contacts_stats", created_after=given["since"])
    yield say(count=found["customers"], certainty=found["status_certainty"])


def _customers_of_the_company(given: Given) -> Planned:
    found = yield ask("contacts_stats", created_after=given["since"])
    yield say(count=found["company"]["customers"], certainty="exact")


def _more_than(given: Given) -> Planned:
    found = yield ask("contacts_stats")
    more = found["total"] > int(given["number"])
    unproven = "not_proven" if found["total_certainty"] == "at_least" else "no"
    yield say(more="yes" if more else unproven, certainty=found["total_certainty"])


def _no_more_than(given: Given) -> Planned:
    found = yield ask("contacts_stats")
    more = found["total"] > int(given["number"])
    yield say(more="yes" if more else "no", certainty="exact")


def _asked_about(given: Given) -> Planned:
    found = yield ask("contacts_stats", group_by=f"survey:{given['words']}")
    # The refusal speaks of those in hand: only if they are all, there is no such question.
    refused = "error" in found
    company = yield ask("contacts_stats")
    yield say(
        asked="no" if refused and company["total_certainty"] == "exact" else "not_proven"
        if refused else "yes",
        certainty=company["total_certainty"],
    )  # fmt: skip


def _asked_about_something(given: Given) -> Planned:
    found = yield ask("contacts_stats", group_by=f"survey:{given['words']}")
    if "error" in found:
        found = yield ask("contacts_stats", group_by="survey:interessert")
    yield say(asked="yes", certainty="exact")


TASKS = (
    Task(
        id="misleading-best-campaign-of-many",
        size=3_000,
        turns=[
            Turn(
                "Of all our contacts ever: which campaign with at least 10 contacts has the "
                "largest share of customers?",
                _CAMPAIGN,
            )
        ],
        truth=lambda _, __: [unknowable()],
        plan=_best_of_all,
        careless=_best_of_the_sample,
        tokens=1_200,
    ),
    Task(
        id="misleading-best-campaign-of-leads-and-customers",
        size=900,
        turns=[
            Turn(
                "Of all our contacts, those who were lost or converted too: which campaign with "
                "at least 10 contacts has the largest share of customers?",
                _CAMPAIGN,
            )
        ],
        truth=lambda _, __: [unknowable()],
        plan=_best_of_all,
        careless=_best_of_the_part,
        tokens=1_200,
    ),
    Task(
        id="misleading-best-campaign-of-the-proven",
        size=3_000,
        turns=[
            Turn(
                "Since when do we know of everybody who came, and which campaign with at least 10 "
                "contacts has the largest share of customers since then?",
                {**_CAMPAIGN, "since": "date as YYYY-MM-DD"},
            )
        ],
        truth=_truth_of_the_proven,
        plan=_best_of_the_proven,
        careless=_best_of_the_sample,
        tokens=1_200,
    ),
    Task(
        id="misleading-month-out-of-reach",
        size=3_000,
        given=_month_out_of_reach,
        turns=[Turn("How many contacts came in {month}?", _COUNT)],
        truth=_truth_of_the_month,
        plan=_in_the_month,
        careless=_in_the_month_that_is_not_shown,
        tokens=300,
    ),
    Task(
        id="misleading-numbers-of-the-company",
        size=3_000,
        given=lambda world: {"since": world.day(30)},
        turns=[Turn("How many of those who came since {since} are customers?", _COUNT)],
        truth=lambda world, given: [
            exact(count=sum(status_of(p) == "customer" for p in world.since(given["since"])))
        ],
        plan=_new_customers,
        careless=_customers_of_the_company,
        tokens=250,
    ),
    Task(
        id="misleading-lower-bound",
        size=3_000,
        given=lambda world: {"number": str(world.size - 50)},
        turns=[
            Turn(
                "Do we have more than {number} contacts?",
                {"more": '"yes", "no" or "not_proven"'},
            )
        ],
        truth=lambda _, __: [at_least({"more": "no"}, more="not_proven")],
        plan=_more_than,
        careless=_no_more_than,
        tokens=250,
    ),
    Task(
        id="misleading-survey-question",
        size=499,
        given=lambda _: {"words": "budsjett"},
        turns=[
            Turn(
                "Did anybody answer a survey question of ours about their {words}?",
                {"asked": '"yes", "no" or "not_proven"'},
            )
        ],
        truth=lambda _, __: [exact(asked="no")],
        plan=_asked_about,
        careless=_asked_about_something,
        calls=2,
        tokens=400,
    ),
)
