"""Questions whose first answer misleads whoever does not read what is proven of it.

Each has a careless plan beside the careful one: what somebody concludes who takes what is in hand
for all there is, a filter for another, or a missing group for nobody.
"""

from collections import Counter, defaultdict

from evals.task import (
    IDS,
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
from evals.world import World, best_share, campaign_of, has, invited_by, name_of, status_of, titles

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
    found = yield ask(
        "contacts_stats", created_after=given["since"], created_before=given["until"]
    )
    yield say(count=found["total"], certainty=found["total_certainty"])


def _in_the_month_that_is_not_shown(given: Given) -> Planned:
    found = yield ask("contacts_stats", group_by="created_month", limit=100)
    months = {g["key"]["created_month"]: g["contacts"] for g in found["groups"]}
    yield say(count=months.get(given["month"], 0), certainty="exact")


def _truth_of_the_month(world: World, given: Given) -> list[Truth]:
    seen = sum(given["since"] <= str(p.get("createdAt")) < given["until"] for p in world.visible)
    return [at_least(count=between(seen, len(world.since(given["since"], given["until"]))))]


def _namesakes(world: World) -> dict[str, Counter[int]]:
    """Return by name whom each inviter of that name invited, where there are two of the name."""
    by_name: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for person in world.people:
        if inviter := invited_by(person):
            by_name[name_of(inviter)][inviter["id"]] += 1
    return {name: people for name, people in by_name.items() if len(people) > 1}


def _invited(given: Given) -> Planned:
    found = yield ask("contacts_stats", group_by="inviter", inviter=given["name"])
    sizes = [g["contacts"] for g in named(found, "inviter")]
    yield say(people=len(sizes), most=max(sizes), certainty=found["groups_certainty"])


def _invited_by_one_of_the_name(given: Given) -> Planned:
    found = yield ask("contacts_stats", inviter=given["name"])
    yield say(people=1, most=found["total"], certainty="exact")


def _truth_of_invited(world: World, given: Given) -> list[Truth]:
    invited = _namesakes(world)[given["name"]]
    return [exact(people=len(invited), most=max(invited.values()))]


def _redeemed(given: Given) -> Planned:
    found = yield ask(
        "contacts_stats", promo_redeemed=f'"{given["promo"]}"', created_after=given["since"]
    )
    yield say(count=found["total"], certainty=found["total_certainty"])


def _shown(given: Given) -> Planned:
    found = yield ask("contacts_stats", promo=given["promo"], created_after=given["since"])
    if "error" in found:
        found = yield ask(
            "contacts_stats", promo_presented=given["promo"], created_after=given["since"]
        )
    yield say(count=found["total"], certainty="exact")


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


def _in_either_city(given: Given) -> Planned:
    found = yield ask("contacts_stats", city='"Oslo", "Bergen"', created_after=given["since"])
    yield say(count=found["total"], certainty=found["total_certainty"])


def _in_a_city_of_both_names(given: Given) -> Planned:
    found = yield ask("contacts_stats", city='"Oslo, Bergen"', created_after=given["since"])
    yield say(count=found["total"], certainty="exact")


def _asked_about(given: Given) -> Planned:
    found = yield ask("contacts_stats", group_by=f"survey:{given['words']}")
    # The refusal speaks of those in hand: only if they are all, there is no such question.
    refused = "error" in found
    company = (yield ask("contacts_stats"))
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


def _to_be_called(given: Given) -> Planned:
    found = yield ask(
        "contacts_search",
        status="customer",
        has="phone",
        accepted_communication="-no",
        created_after=given["since"],
        limit=100,
    )
    yield say(ids=[c["id"] for c in found["contacts"]], certainty=found["certainty"])


def _with_a_number(given: Given) -> Planned:
    found = yield ask(
        "contacts_search", status="customer", has="phone", created_after=given["since"], limit=100
    )
    yield say(ids=[c["id"] for c in found["contacts"]], certainty="exact")


def _truth_of_the_call_list(world: World, given: Given) -> list[Truth]:
    ids = {
        p["id"]
        for p in world.since(given["since"])
        if status_of(p) == "customer"
        and has(p, "msisdn")
        and p.get("acceptedCommunication") is not False
    }
    return [exact(ids=ids)]


def _of_that_name(given: Given) -> Planned:
    found = yield ask(
        "contacts_search", query=given["part"], created_after=given["since"], limit=100
    )
    # matched is left out where the name alone did, and names it first where others did as well.
    rows = [c for c in found["contacts"] if c.get("matched", "name").startswith("name")]
    yield say(count=len(rows), certainty=found["certainty"])


def _of_those_words(given: Given) -> Planned:
    found = yield ask(
        "contacts_search", query=given["part"], created_after=given["since"], limit=100
    )
    yield say(count=found["total"], certainty="exact")


def _truth_of_that_name(world: World, given: Given) -> list[Truth]:
    part = given["part"].casefold()
    return [exact(count=sum(part in name_of(p).casefold() for p in world.since(given["since"])))]


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
        id="misleading-inviters-of-one-name",
        size=499,
        given=lambda world: {"name": next(iter(_namesakes(world)))},
        turns=[
            Turn(
                "How many people called {name} invited others, and how many did the one of them "
                "invite who invited most?",
                {"people": INTEGER, "most": INTEGER},
            )
        ],
        truth=_truth_of_invited,
        plan=_invited,
        careless=_invited_by_one_of_the_name,
        tokens=500,
    ),
    Task(
        id="misleading-promo-shown-or-redeemed",
        size=900,
        given=lambda world: {"promo": "Black Week", "since": world.day(60)},
        turns=[Turn("How many of those who came since {since} used the promo {promo}?", _COUNT)],
        truth=lambda world, given: [
            exact(
                count=sum(
                    given["promo"] in titles(p, "promosRedeemed")
                    for p in world.since(given["since"])
                )
            )
        ],
        plan=_redeemed,
        careless=_shown,
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
        id="misleading-list-of-cities",
        size=3_000,
        given=lambda world: {"since": world.day(30)},
        turns=[Turn("How many of those who came since {since} live in Oslo or Bergen?", _COUNT)],
        truth=lambda world, given: [
            exact(count=sum(p.get("city") in ("Oslo", "Bergen") for p in world.since(given["since"])))
        ],
        plan=_in_either_city,
        careless=_in_a_city_of_both_names,
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
    Task(
        id="misleading-call-list",
        size=900,
        given=lambda world: {"since": world.day(60)},
        turns=[
            Turn(
                "Make a call list of the customers who came since {since}: those with a phone "
                "number who have not said no to being contacted.",
                {"ids": IDS},
            )
        ],
        truth=_truth_of_the_call_list,
        plan=_to_be_called,
        careless=_with_a_number,
        tokens=4_000,
    ),
    Task(
        id="misleading-what-matched",
        size=3_000,
        given=lambda world: {"part": "berg", "since": world.day(30)},
        turns=[
            Turn("How many of those who came since {since} have {part} in their name?", _COUNT)
        ],
        truth=_truth_of_that_name,
        plan=_of_that_name,
        careless=_of_those_words,
        tokens=7_000,
    ),
)
