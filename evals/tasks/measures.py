"""Averages, medians, this period beside the one before, days of the week and hours."""

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime
from statistics import fmean, median

from evals.task import (
    INTEGER,
    TEXT,
    Given,
    Needed,
    Planned,
    Task,
    Truth,
    Turn,
    ask,
    exact,
    one_of,
    say,
    unknowable,
)
from evals.tasks.trends import named
from evals.world import Person, World, first_visit, most

__all__ = ["TASKS"]

_LEAST = 10
_VISITS = Needed("contacts_stats", "measure", "visits")
_PREVIOUS = Needed("contacts_stats", "compare", "previous")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def visits_of(person: Person) -> int:
    """Return how often somebody came."""
    return len(person.get("visitList") or ())


def _near(truth: float) -> Callable[[object], bool]:
    """Return a test for a number to one decimal."""
    return lambda said: isinstance(said, (int, float)) and abs(said - truth) <= 0.06


def _average(given: Given) -> Planned:
    found = yield ask("contacts_stats", measure="visits", created_after=given["since"])
    yield say(average=found["average"], median=found["median"], certainty=found["total_certainty"])


def _truth_of_average(world: World, given: Given) -> list[Truth]:
    visits = [visits_of(p) for p in world.since(given["since"])]
    return [exact(average=_near(fmean(visits)), median=_near(median(visits)))]


def _busiest_source(given: Given) -> Planned:
    found = yield ask(
        "contacts_stats", measure="visits", group_by="utm_source", created_after=given["since"]
    )
    large = [g for g in named(found, "utm_source") if g["contacts"] >= _LEAST]
    best = max(large, key=lambda g: g["average"])
    yield say(source=best["key"]["utm_source"], certainty=found["groups_certainty"])


def _truth_of_busiest_source(world: World, given: Given) -> list[Truth]:
    visits: defaultdict[str, list[int]] = defaultdict(list)
    for person in world.since(given["since"]):
        if source := first_visit(person).get("utmSource"):
            visits[source].append(visits_of(person))
    averages = {s: fmean(v) for s, v in visits.items() if len(v) >= _LEAST}
    top = max(averages.values())
    return [exact(source=one_of(*(s for s, mean in averages.items() if mean == top)))]


def _compared(given: Given) -> Planned:
    found = yield ask(
        "contacts_stats",
        compare="previous",
        created_after=given["since"],
        created_before=given["until"],
    )
    yield say(count=found["total"], previous=found["previous"], certainty=found["total_certainty"])


def _truth_of_compared(world: World, given: Given) -> list[Truth]:
    now = len(world.since(given["since"], given["until"]))
    return [exact(count=now, previous=len(world.since(given["before"], given["since"])))]


def _grown(given: Given) -> Planned:
    found = yield ask(
        "contacts_stats",
        compare="previous",
        group_by="utm_source",
        created_after=given["since"],
        created_before=given["until"],
    )
    changed = [g for g in named(found, "utm_source") if "change" in g]
    best = max(changed, key=lambda g: g["change"])
    yield say(source=best["key"]["utm_source"], certainty=found["groups_certainty"])


def _truth_of_grown(world: World, given: Given) -> list[Truth]:
    now, before = (
        Counter(s for p in world.since(*span) if (s := first_visit(p).get("utmSource")))
        for span in ((given["since"], given["until"]), (given["before"], given["since"]))
    )
    change = {source: now[source] - before[source] for source in before}
    top = max(change.values())
    return [exact(source=one_of(*(s for s, by in change.items() if by == top)))]


def _compared_out_of_reach(given: Given) -> Planned:
    found = yield ask(
        "contacts_stats",
        compare="previous",
        created_after=given["since"],
        created_before=given["until"],
    )
    if "change" in found:
        yield say(change=found["change"], certainty=found["total_certainty"])
    else:
        yield say(cannot_say=True)


def _subtracted(given: Given) -> Planned:
    now = yield ask("contacts_stats", created_after=given["since"], created_before=given["until"])
    before = yield ask(
        "contacts_stats", created_after=given["before"], created_before=given["since"]
    )
    yield say(change=now["total"] - before["total"], certainty="exact")


def _busiest_day(given: Given) -> Planned:
    found = yield ask(
        "contacts_stats",
        group_by="created_weekday",
        created_after=given["since"],
        created_before=given["until"],
    )
    best = max(found["groups"], key=lambda g: g["contacts"])
    yield say(
        day=best["key"]["created_weekday"],
        contacts=best["contacts"],
        certainty=found["groups_certainty"],
    )


def _truth_of_busiest_day(world: World, given: Given) -> list[Truth]:
    people = world.since(given["since"], given["until"])
    days = Counter(_DAYS[datetime.fromisoformat(p["createdAt"]).weekday()] for p in people)
    best = most(days)
    # A day may be called by its name, by the first letters of it, or by its number.
    names = [n for day in best for n in (day, day[:3], str(_DAYS.index(day) + 1))]
    return [exact(day=one_of(*names), contacts=max(days.values()))]


def _busiest_hour(given: Given) -> Planned:
    found = yield ask(
        "contacts_stats",
        group_by="created_hour",
        created_after=given["since"],
        created_before=given["until"],
        limit=24,
    )
    best = max(found["groups"], key=lambda g: g["contacts"])
    yield say(hour=int(best["key"]["created_hour"][:2]), certainty=found["groups_certainty"])


def _truth_of_busiest_hour(world: World, given: Given) -> list[Truth]:
    people = world.since(given["since"], given["until"])
    hours = Counter(str(int(p["createdAt"][11:13])) for p in people)
    return [exact(hour=one_of(*most(hours)))]


def _two_fortnights(world: World) -> Given:
    return {"before": world.day(29), "since": world.day(15), "until": world.day(1)}


def _four_weeks(world: World) -> Given:
    return {"since": world.day(28), "until": world.day(0)}


TASKS = (
    Task(
        id="measures-visits-of-the-new",
        size=3_000,
        given=lambda world: {"since": world.day(30)},
        turns=[
            Turn(
                "How often did those who came since {since} visit us, on average and in the "
                "median?",
                {"average": "number", "median": "number"},
            )
        ],
        truth=_truth_of_average,
        plan=_average,
        tokens=400,
        needs=_VISITS,
    ),
    Task(
        id="measures-source-with-most-visits",
        size=900,
        given=lambda world: {"since": world.day(90)},
        turns=[
            Turn(
                "Of those who came since {since}: whom of which source, with at least 10 contacts, "
                "do we see most often on average?",
                {"source": TEXT},
            )
        ],
        truth=_truth_of_busiest_source,
        plan=_busiest_source,
        tokens=1_200,
        needs=_VISITS,
    ),
    Task(
        id="measures-fortnight-and-the-one-before",
        size=3_000,
        given=_two_fortnights,
        turns=[
            Turn(
                "How many came from {since} to before {until}, and how many in the 14 days before "
                "that?",
                {"count": INTEGER, "previous": INTEGER},
            )
        ],
        truth=_truth_of_compared,
        plan=_compared,
        tokens=400,
        needs=_PREVIOUS,
    ),
    Task(
        id="measures-source-that-grew-most",
        size=3_000,
        given=_two_fortnights,
        turns=[
            Turn(
                "Which source brought more new contacts from {since} to before {until} than in the "
                "14 days before, by the largest number?",
                {"source": TEXT},
            )
        ],
        truth=_truth_of_grown,
        plan=_grown,
        tokens=1_300,
        needs=_PREVIOUS,
    ),
    Task(
        id="measures-change-out-of-reach",
        size=3_000,
        given=lambda world: {
            "before": world.day(120),
            "since": world.day(60),
            "until": world.day(0),
        },
        turns=[
            Turn(
                "How many more came from {since} to before {until} than in the 60 days before?",
                {"change": INTEGER},
            )
        ],
        truth=lambda _, __: [unknowable()],
        plan=_compared_out_of_reach,
        careless=_subtracted,
        tokens=400,
        needs=_PREVIOUS,
    ),
    Task(
        id="measures-busiest-weekday",
        size=3_000,
        given=_four_weeks,
        turns=[
            Turn(
                "On which day of the week did most contacts come, from {since} to before {until}?",
                {"day": "name of the day in English", "contacts": INTEGER},
            )
        ],
        truth=_truth_of_busiest_day,
        plan=_busiest_day,
        tokens=900,
        needs=Needed("contacts_stats", "group_by", "created_weekday"),
    ),
    Task(
        id="measures-busiest-hour",
        size=900,
        given=_four_weeks,
        turns=[
            Turn(
                "In which hour of the day (UTC) did most contacts come, from {since} to before "
                "{until}?",
                {"hour": "integer from 0 to 23"},
            )
        ],
        truth=_truth_of_busiest_hour,
        plan=_busiest_hour,
        tokens=2_000,
        needs=Needed("contacts_stats", "group_by", "created_hour"),
    ),
)
