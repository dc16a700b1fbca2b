"""Two things that look alike: namesakes, promos shown and redeemed, values and lists of them.

The careless plan beside each careful one takes the one for the other.
"""

from collections import Counter, defaultdict

from evals.task import (
    IDS,
    INTEGER,
    Given,
    Planned,
    Task,
    Truth,
    Turn,
    ask,
    exact,
    say,
)
from evals.tasks.trends import named
from evals.world import World, has, invited_by, name_of, status_of, titles

__all__ = ["TASKS"]

_COUNT = {"count": INTEGER}


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


def _in_either_city(given: Given) -> Planned:
    found = yield ask("contacts_stats", city='"Oslo", "Bergen"', created_after=given["since"])
    yield say(count=found["total"], certainty=found["total_certainty"])


def _in_a_city_of_both_names(given: Given) -> Planned:
    found = yield ask("contacts_stats", city='"Oslo, Bergen"', created_after=given["since"])
    yield say(count=found["total"], certainty="exact")


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
        id="lookalikes-inviters-of-one-name",
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
        id="lookalikes-promo-shown-or-redeemed",
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
        id="lookalikes-list-of-cities",
        size=3_000,
        given=lambda world: {"since": world.day(30)},
        turns=[Turn("How many of those who came since {since} live in Oslo or Bergen?", _COUNT)],
        truth=lambda world, given: [
            exact(
                count=sum(p.get("city") in ("Oslo", "Bergen") for p in world.since(given["since"]))
            )
        ],
        plan=_in_either_city,
        careless=_in_a_city_of_both_names,
        tokens=250,
    ),
    Task(
        id="lookalikes-call-list",
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
        id="lookalikes-what-matched",
        size=3_000,
        given=lambda world: {"part": "berg", "since": world.day(30)},
        turns=[Turn("How many of those who came since {since} have {part} in their name?", _COUNT)],
        truth=_truth_of_that_name,
        plan=_of_that_name,
        careless=_of_those_words,
        tokens=7_000,
    ),
)
