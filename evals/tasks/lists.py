"""Who went quiet, who is here twice, and lists with columns or an order of their own."""

from collections import Counter

from evals.task import (
    IDS,
    INTEGER,
    Given,
    Needed,
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
from evals.tasks.measures import visits_of
from evals.world import Person, World, has, status_of

__all__ = ["TASKS"]

_PEOPLE = 3
_AMONG_THE_BUSIEST = 5


def _quiet(given: Given) -> Planned:
    found = yield ask(
        "contacts_search",
        status="customer",
        quiet_since=given["quiet"],
        created_after=given["since"],
        limit=100,
    )
    yield say(ids=[c["id"] for c in found["contacts"]], certainty=found["certainty"])


def _talked_before(given: Given) -> Planned:
    found = yield ask(
        "contacts_search",
        status="customer",
        conversation_before=given["quiet"],
        created_after=given["since"],
        limit=100,
    )
    yield say(ids=[c["id"] for c in found["contacts"]], certainty="exact")


def _truth_of_quiet(world: World, given: Given) -> list[Truth]:
    # Nobody ever talked with whom there is no date of: the quietest of all.
    ids = {
        p["id"]
        for p in world.since(given["since"])
        if status_of(p) == "customer" and str(p.get("lastConversationDate") or "") < given["quiet"]
    }
    return [exact(ids=ids)]


def _doubles(given: Given) -> Planned:
    del given
    found = yield ask("contacts_duplicates", by="email", limit=1)
    yield say(count=found["total"], certainty=found["certainty"])


def _doubled(people: list[Person]) -> int:
    """Return how many addresses several contacts have."""
    addresses = Counter(p["email"].strip().casefold() for p in people if has(p, "email"))
    return sum(count > 1 for count in addresses.values())


def _visits_of_newest(given: Given) -> Planned:
    del given
    found = yield ask("contacts_search", columns="visits", limit=_PEOPLE)
    visits = {c["id"]: c["visits"] for c in found["contacts"]}
    yield say(visits=visits, certainty=found["certainty"])


def _most_engaged(given: Given) -> Planned:
    found = yield ask("contacts_search", sort="engagement", created_after=given["since"], limit=1)
    yield say(id=found["contacts"][0]["id"], certainty=found["certainty"])


def _truth_of_most_engaged(world: World, given: Given) -> list[Truth]:
    busiest = sorted(world.since(given["since"]), key=_traces, reverse=True)
    return [exact(id=one_of(*(p["id"] for p in busiest[:_AMONG_THE_BUSIEST])))]


def _traces(person: Person) -> int:
    """Return how much somebody left: engagement may be weighed in one way or another."""
    lists = ("answeredSurveyQuestions", "rewardFlows", "usersReferred", "textFields")
    return visits_of(person) + sum(len(person.get(name) or ()) for name in lists)


TASKS = (
    Task(
        id="lists-quiet-customers",
        size=900,
        given=lambda world: {"since": world.day(90), "quiet": world.day(30)},
        turns=[
            Turn(
                "With which customers who came since {since} have we not talked since {quiet}, or "
                "never?",
                {"ids": IDS},
            )
        ],
        truth=_truth_of_quiet,
        plan=_quiet,
        careless=_talked_before,
        tokens=6_000,
        needs=Needed("contacts_search", "quiet_since"),
    ),
    Task(
        id="lists-doubled-addresses",
        size=499,
        turns=[Turn("How many addresses do several records of ours share?", {"count": INTEGER})],
        truth=lambda world, _: [exact(count=_doubled(list(world.people)))],
        plan=_doubles,
        tokens=900,
        needs=Needed("contacts_duplicates", "by", "email"),
    ),
    Task(
        id="lists-doubled-addresses-of-many",
        size=3_000,
        turns=[Turn("How many addresses do several records of ours share?", {"count": INTEGER})],
        truth=lambda world, _: [
            at_least(count=between(_doubled(world.proven), _doubled(list(world.people))))
        ],
        plan=_doubles,
        tokens=900,
        needs=Needed("contacts_duplicates", "by", "email"),
    ),
    Task(
        id="lists-visits-as-a-column",
        size=3_000,
        turns=[
            Turn(
                "How often did each of our three newest contacts visit us?",
                {"visits": "object of contact id: integer"},
            )
        ],
        truth=lambda world, _: [
            exact(visits={p["id"]: visits_of(p) for p in world.newest("createdAt", _PEOPLE)})
        ],
        plan=_visits_of_newest,
        tokens=900,
        needs=Needed("contacts_search", "columns"),
    ),
    Task(
        id="lists-most-engaged",
        size=3_000,
        given=lambda world: {"since": world.day(14)},
        turns=[
            Turn(
                "Who of those that came since {since} is the most engaged with us?",
                {"id": "contact id"},
            )
        ],
        truth=_truth_of_most_engaged,
        plan=_most_engaged,
        tokens=700,
        needs=Needed("contacts_search", "sort", "engagement"),
    ),
)
