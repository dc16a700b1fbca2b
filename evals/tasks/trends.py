"""How it goes over time, and what does best: of the part in which nobody is missing."""

from collections import Counter
from collections.abc import Iterable

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
    exact,
    one_of,
    say,
)
from evals.world import World, best_share, first_visit, monday_of, most, newest_visit

__all__ = ["TASKS", "named", "went"]

_LEAST = 10


def named(found: Found, dimension: str) -> list[Found]:
    """Return the groups of an answer that have a value of a dimension."""
    groups: Iterable[Found] = found["groups"]
    return [g for g in groups if g["key"][dimension] not in ("(none)", "(other)")]


def _weeks(given: Given) -> Planned:
    found = yield ask(
        "contacts_stats",
        group_by="created_week",
        created_after=given["since"],
        created_before=given["until"],
    )
    weeks = {g["key"]["created_week"]: g["contacts"] for g in found["groups"]}
    yield say(weeks=weeks, certainty=found["groups_certainty"])


def _per_week(world: World, given: Given) -> Counter[str]:
    people = world.since(given["since"], given["until"])
    return Counter(monday_of(p["createdAt"]) for p in people)


def _best_week(given: Given) -> Planned:
    found = yield ask(
        "contacts_stats",
        group_by="created_week",
        created_after=given["since"],
        created_before=given["until"],
    )
    best = max(found["groups"], key=lambda g: g["contacts"])
    yield say(
        week=best["key"]["created_week"],
        contacts=best["contacts"],
        certainty=found["groups_certainty"],
    )


def _truth_of_best_week(world: World, given: Given) -> list[Truth]:
    weeks = _per_week(world, given)
    return [exact(week=one_of(*most(weeks)), contacts=max(weeks.values()))]


def _direction(given: Given) -> Planned:
    found = yield ask(
        "contacts_stats",
        group_by="created_week",
        created_after=given["since"],
        created_before=given["until"],
    )
    before, last = (g["contacts"] for g in found["groups"])
    yield say(
        last_week=last, week_before=before, went=went(before, last),
        certainty=found["groups_certainty"],
    )  # fmt: skip


def went(before: int, last: int) -> str:
    """Return the word for how a number went."""
    return "up" if last > before else "down" if last < before else "flat"


def _truth_of_direction(world: World, given: Given) -> list[Truth]:
    weeks = _per_week(world, given)
    before, last = weeks[given["since"]], weeks[world.monday(1)]
    return [exact(last_week=last, week_before=before, went=went(before, last))]


def _empty_months(given: Given) -> Planned:
    found = yield ask(
        "contacts_stats",
        group_by="created_month",
        created_after=given["since"],
        created_before=given["until"],
    )
    empty = [g["key"]["created_month"] for g in found["groups"] if not g["contacts"]]
    yield say(months=empty, certainty=found["groups_certainty"])


def _truth_of_empty_months(world: World, given: Given) -> list[Truth]:
    months = {world.month(ago)[:7] for ago in range(1, 19)}
    came = {p["createdAt"][:7] for p in world.since(given["since"], given["until"])}
    return [exact(months=months - came)]


def _best_source(given: Given) -> Planned:
    found = yield ask("contacts_stats", group_by="utm_source", created_after=given["since"])
    large = [g for g in named(found, "utm_source") if g["contacts"] >= _LEAST]
    best = max(large, key=lambda g: g["customer_share"])
    yield say(
        source=best["key"]["utm_source"],
        share=best["customer_share"],
        certainty=found["groups_certainty"],
    )


def _truth_of_best_source(world: World, given: Given) -> list[Truth]:
    best, share = best_share(
        world.since(given["since"]), lambda p: first_visit(p).get("utmSource") or "", _LEAST
    )
    return [exact(source=one_of(*best), share=share)]


def _mobile(given: Given) -> Planned:
    found = yield ask("contacts_stats", group_by="device", created_after=given["since"])
    mobile = next(g for g in found["groups"] if g["key"]["device"] == "mobile")
    yield say(share=mobile["share"], certainty=found["groups_certainty"])


def _truth_of_mobile(world: World, given: Given) -> list[Truth]:
    people = world.since(given["since"])
    mobile = sum(newest_visit(p).get("deviceType") == "mobile" for p in people)
    return [exact(share=mobile / len(people))]


TASKS = (
    Task(
        id="trends-weeks",
        size=3_000,
        given=lambda world: {"since": world.monday(4), "until": world.monday(0)},
        turns=[
            Turn(
                "How many new contacts came in each week from {since} to before {until}? Weeks "
                "begin on Monday.",
                {"weeks": "object of Monday's date: integer"},
            )
        ],
        truth=lambda world, given: [exact(weeks=_per_week(world, given))],
        plan=_weeks,
        tokens=700,
    ),
    Task(
        id="trends-best-week",
        size=900,
        given=lambda world: {"since": world.monday(8), "until": world.monday(0)},
        turns=[
            Turn(
                "In which of the full weeks from {since} to before {until} did most contacts come, "
                "and how many?",
                {"week": "date of its Monday", "contacts": INTEGER},
            )
        ],
        truth=_truth_of_best_week,
        plan=_best_week,
        tokens=1_000,
    ),
    Task(
        id="trends-up-or-down",
        size=3_000,
        given=lambda world: {"since": world.monday(2), "until": world.monday(0)},
        turns=[
            Turn(
                "Did more contacts come in the week before {until} than in the week before that, "
                "which began on {since}?",
                {"last_week": INTEGER, "week_before": INTEGER, "went": '"up", "down" or "flat"'},
            )
        ],
        truth=_truth_of_direction,
        plan=_direction,
        tokens=500,
    ),
    Task(
        id="trends-months-without-anybody",
        size=40,
        given=lambda world: {"since": world.month(18), "until": world.month(0)},
        turns=[
            Turn(
                "Were there months from {since} to before {until} in which nobody came? Which?",
                {"months": "list of months as YYYY-MM"},
            )
        ],
        truth=_truth_of_empty_months,
        plan=_empty_months,
        tokens=1_800,
    ),
    Task(
        id="trends-source-that-converts-best",
        size=3_000,
        given=lambda world: {"since": world.day(30)},
        turns=[
            Turn(
                "Of those who came since {since}: which source, of those with at least 10 "
                "contacts, has the largest share of customers?",
                {"source": TEXT, "share": SHARE},
            )
        ],
        truth=_truth_of_best_source,
        plan=_best_source,
        tokens=1_000,
    ),
    Task(
        id="trends-share-of-mobile",
        size=900,
        given=lambda world: {"since": world.day(60)},
        turns=[
            Turn(
                "What share of the contacts that came since {since} used a mobile at their latest "
                "visit?",
                {"share": SHARE},
            )
        ],
        truth=_truth_of_mobile,
        plan=_mobile,
        tokens=600,
    ),
)
