"""Conversations: a question that follows from the answer before."""

from collections import Counter

from evals.task import (
    IDS,
    INTEGER,
    TEXT,
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
)
from evals.tasks.trends import named, went
from evals.world import Person, World, first_visit, has, most, status_of

__all__ = ["TASKS"]

_COUNT = {"count": INTEGER}


def _month_and_its_customers(given: Given) -> Planned:
    found = yield ask("contacts_stats", created_after=given["since"])
    yield say(count=found["total"], certainty=found["total_certainty"])
    # The numbers by status came with the total.
    yield say(customers=found["customers"], certainty=found["status_certainty"])


def _truth_of_month_and_its_customers(world: World, given: Given) -> list[Truth]:
    came = world.since(given["since"])
    customers = sum(status_of(p) == "customer" for p in came)
    return [exact(count=len(came)), exact(customers=customers)]


def _newest_and_consent(given: Given) -> Planned:
    del given
    found = yield ask("contacts_list", limit=10)
    yield say(ids=[c["id"] for c in found["contacts"]], certainty=found["certainty"])
    said_yes = [c["id"] for c in found["contacts"] if c.get("consent") == "yes"]
    yield say(ids=said_yes, certainty=found["certainty"])


def _truth_of_newest_and_consent(world: World, given: Given) -> list[Truth]:
    del given
    newest = world.newest("createdAt", 10)
    said_yes = {p["id"] for p in newest if p.get("acceptedCommunication") is True}
    return [exact(ids={p["id"] for p in newest}), exact(ids=said_yes)]


def _source_and_its_customers(given: Given) -> Planned:
    found = yield ask("contacts_stats", group_by="utm_source", created_after=given["since"])
    source = max(named(found, "utm_source"), key=lambda g: g["contacts"])["key"]["utm_source"]
    yield say(source=source, certainty=found["groups_certainty"])
    found = yield ask(
        "contacts_search",
        utm_source=f'"{source}"',
        status="customer",
        created_after=given["since"],
        limit=100,
    )
    yield say(ids=[c["id"] for c in found["contacts"]], certainty=found["certainty"])


def _truth_of_source_and_its_customers(world: World, given: Given) -> list[Truth]:
    came = world.since(given["since"])
    sources = Counter(s for p in came if (s := first_visit(p).get("utmSource")))
    best = most(sources)
    customers = {
        p["id"]
        for p in came
        if first_visit(p).get("utmSource") == best[0] and status_of(p) == "customer"
    }
    return [exact(source=one_of(*best)), exact(ids=customers)]


def _somebody(world: World) -> Person:
    addresses = Counter(str(p.get("email")).casefold() for p in world.people)
    return next(
        p
        for p in world.people
        if has(p, "email")
        and "@example." in p["email"]
        and addresses[p["email"].casefold()] == 1
        and p.get("lastConversationDate")
    )


def _one_person(given: Given) -> Planned:
    found = yield ask("contacts_find_by_email", email=given["email"])
    (match,) = found["matches"]
    yield say(id=match["id"], certainty=found["certainty"])
    yield say(date=match["last_conversation"][:10], certainty=found["certainty"])
    contact = (yield ask("contacts_get", contact_id=match["id"]))["contact"]
    visits = contact["visits"]
    count = 0 if visits == "none" else visits["count"]
    yield say(visits=count, certainty=found["certainty"])


def _truth_of_one_person(world: World, given: Given) -> list[Truth]:
    del given
    person = _somebody(world)
    return [
        exact(id=person["id"]),
        exact(date=person["lastConversationDate"][:10]),
        exact(visits=len(person.get("visitList") or ())),
    ]


def _month_and_the_one_before(given: Given) -> Planned:
    found = yield ask("contacts_stats", created_after=given["since"], created_before=given["until"])
    last = found["total"]
    yield say(count=last, certainty=found["total_certainty"])
    found = yield ask(
        "contacts_stats", created_after=given["before"], created_before=given["since"]
    )
    before = found["total"]
    yield say(count=before, went=went(before, last), certainty=found["total_certainty"])


def _truth_of_month_and_the_one_before(world: World, given: Given) -> list[Truth]:
    last = len(world.since(given["since"], given["until"]))
    before = len(world.since(given["before"], given["since"]))
    return [exact(count=last), exact(count=before, went=went(before, last))]


def _from_all_to_few(given: Given) -> Planned:
    for filters in (
        {},
        {"created_after": given["since"]},
        {"created_after": given["since"], "status": "customer"},
        {"status": "converted"},
    ):
        found = yield ask("contacts_stats", **filters)
        yield say(count=found["total"], certainty=found["total_certainty"])


def _truth_of_all_to_few(world: World, given: Given) -> list[Truth]:
    came = world.since(given["since"])
    converted = len(world.with_status("converted"))
    seen = sum(status_of(p) == "converted" for p in world.proven)
    return [
        at_least(count=between(len(world.with_status("lead", "customer")), world.size)),
        exact(count=len(came)),
        exact(count=sum(status_of(p) == "customer" for p in came)),
        at_least(count=between(seen, converted)),
    ]


def _news_and_news_of_that(given: Given) -> Planned:
    since = given["since"]
    for _ in range(2):
        ids: list[str] = []
        # A page may be exact and yet not the last: only an empty one ends the news.
        while True:
            found = yield ask("contacts_changes", since=since, limit=100)
            since = found["cursor"]
            ids += [c["id"] for c in found["new"]]
            if not found["new"] and not found["updated"]:
                break
        yield say(ids=ids, certainty=found["certainty"])


def _first_page_of_news(given: Given) -> Planned:
    found = yield ask("contacts_changes", since=given["since"])
    yield say(ids=[c["id"] for c in found["new"]], certainty=found["certainty"])
    yield say(ids=[], certainty=found["certainty"])


TASKS = (
    Task(
        id="turns-month-then-its-customers",
        size=3_000,
        given=lambda world: {"since": world.day(30)},
        turns=[
            Turn("How many contacts came since {since}?", _COUNT),
            Turn("And how many of those are customers?", {"customers": INTEGER}),
        ],
        truth=_truth_of_month_and_its_customers,
        plan=_month_and_its_customers,
        tokens=250,
    ),
    Task(
        id="turns-newest-then-consent",
        size=900,
        turns=[
            Turn("Who are our ten newest contacts?", {"ids": IDS}),
            Turn("Which of those ten said yes to being written to?", {"ids": IDS}),
        ],
        truth=_truth_of_newest_and_consent,
        plan=_newest_and_consent,
        tokens=2_300,
    ),
    Task(
        id="turns-source-then-its-customers",
        size=3_000,
        given=lambda world: {"since": world.day(30)},
        turns=[
            Turn("Which source brought most of the contacts since {since}?", {"source": TEXT}),
            Turn("Who of those contacts is a customer?", {"ids": IDS}),
        ],
        truth=_truth_of_source_and_its_customers,
        plan=_source_and_its_customers,
        calls=2,
        tokens=7_000,
    ),
    Task(
        id="turns-one-person",
        size=499,
        given=lambda world: {"email": _somebody(world)["email"]},
        turns=[
            Turn("Is {email} one of our contacts?", {"id": "contact id"}),
            Turn("When did we last talk with them?", {"date": "as YYYY-MM-DD"}),
            Turn("And how often were they on our site?", {"visits": INTEGER}),
        ],
        truth=_truth_of_one_person,
        plan=_one_person,
        calls=2,
        tokens=1_300,
    ),
    Task(
        id="turns-month-then-the-one-before",
        size=900,
        given=lambda world: {
            "before": world.day(61),
            "since": world.day(31),
            "until": world.day(1),
        },
        turns=[
            Turn("How many contacts came from {since} to before {until}?", _COUNT),
            Turn(
                "And from {before} to before {since}? Has it gone up since?",
                {"count": INTEGER, "went": '"up", "down" or "flat"'},
            ),
        ],
        truth=_truth_of_month_and_the_one_before,
        plan=_month_and_the_one_before,
        calls=2,
        tokens=500,
    ),
    Task(
        id="turns-from-all-to-few",
        size=3_000,
        given=lambda world: {"since": world.day(14)},
        turns=[
            Turn("How many contacts do we have?", _COUNT),
            Turn("How many of them came since {since}?", _COUNT),
            Turn("And how many of those are customers by now?", _COUNT),
            Turn("How many are converted, of whatever time?", _COUNT),
        ],
        truth=_truth_of_all_to_few,
        plan=_from_all_to_few,
        calls=4,
        tokens=1_000,
    ),
    Task(
        id="turns-news-then-what-came-since",
        size=3_000,
        given=lambda world: {"since": world.day(1)},
        turns=[
            Turn("Which contacts are new since {since}?", {"ids": IDS}),
            Turn("And since you looked just now?", {"ids": IDS}),
        ],
        truth=lambda world, given: [
            exact(ids={p["id"] for p in world.since(given["since"])}),
            exact(ids=set()),
        ],
        plan=_news_and_news_of_that,
        careless=_first_page_of_news,
        calls=6,
        tokens=16_000,
    ),
)
