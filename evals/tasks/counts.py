"""How many: of the company, of a status, of a time."""

from collections import Counter

from evals.task import (
    INTEGER,
    Given,
    Planned,
    Task,
    Truth,
    Turn,
    ask,
    at_least,
    between,
    exact,
    say,
)
from evals.world import World, has, status_of

__all__ = ["TASKS"]


def _leads_and_customers(given: Given) -> Planned:
    del given
    found = yield ask("contacts_stats")
    yield say(
        leads=found["leads"], customers=found["customers"], certainty=found["status_certainty"]
    )


def _all_contacts(given: Given) -> Planned:
    del given
    found = yield ask("contacts_stats")
    yield say(count=found["total"], certainty=found["total_certainty"])


def _not_leads(given: Given) -> Planned:
    del given
    # status=-lead counts the windows alone; by status customers are SMOC's own count.
    found = yield ask("contacts_stats", group_by="status")
    others = [g for g in found["groups"] if g["key"]["status"] != "lead"]
    yield say(count=sum(g["contacts"] for g in others), certainty=found["total_certainty"])


def _not_leads_in_the_windows(given: Given) -> Planned:
    del given
    found = yield ask("contacts_stats", status="-lead")
    yield say(count=found["total"], certainty="exact")


def _truth_of_not_leads(world: World, given: Given) -> list[Truth]:
    del given
    others = len(world.with_status("customer", "lost", "converted"))
    return [at_least(count=between(len(world.with_status("customer")), others))]


def _new(given: Given) -> Planned:
    found = yield ask("contacts_stats", created_after=given["since"])
    yield say(count=found["total"], certainty=found["total_certainty"])


def _new_leads_without_phone(given: Given) -> Planned:
    found = yield ask("contacts_stats", status="lead", has="-phone", created_after=given["since"])
    yield say(count=found["total"], certainty=found["total_certainty"])


def _lost(given: Given) -> Planned:
    del given
    found = yield ask("contacts_stats", status="lost")
    yield say(count=found["total"], certainty=found["total_certainty"])


def _truth_of_lost(world: World, given: Given) -> list[Truth]:
    del given
    proven = sum(status_of(p) == "lost" for p in world.proven)
    return [at_least(count=between(proven, len(world.with_status("lost"))))]


def _week_by_status(given: Given) -> Planned:
    found = yield ask("contacts_stats", created_after=given["since"])
    yield say(
        total=found["total"],
        customers=found["customers"],
        lost=found["lost"],
        certainty=found["status_certainty"],
    )


def _truth_of_week_by_status(world: World, given: Given) -> list[Truth]:
    statuses = Counter(map(status_of, world.since(given["since"])))
    return [exact(total=statuses.total(), customers=statuses["customer"], lost=statuses["lost"])]


_COUNT = {"count": INTEGER}

TASKS = (
    Task(
        id="counts-leads-and-customers",
        size=3_000,
        turns=[
            Turn(
                "How many leads and how many customers do we have?",
                {"leads": INTEGER, "customers": INTEGER},
            )
        ],
        truth=lambda world, _: [
            exact(
                leads=len(world.with_status("lead")), customers=len(world.with_status("customer"))
            )
        ],
        plan=_leads_and_customers,
        tokens=250,
    ),
    Task(
        id="counts-all-contacts",
        size=3_000,
        turns=[Turn("How many contacts do we have in all?", _COUNT)],
        truth=lambda world, _: [
            at_least(count=between(len(world.with_status("lead", "customer")), world.size))
        ],
        plan=_all_contacts,
        tokens=250,
    ),
    Task(
        id="counts-nobody-yet",
        size=0,
        turns=[Turn("How many contacts are in our SMOC by now?", _COUNT)],
        truth=lambda world, _: [exact(count=world.size)],
        plan=_all_contacts,
        tokens=250,
    ),
    Task(
        id="counts-not-leads",
        size=3_000,
        turns=[Turn("How many of our contacts are something else than a lead?", _COUNT)],
        truth=_truth_of_not_leads,
        plan=_not_leads,
        careless=_not_leads_in_the_windows,
        tokens=400,
    ),
    Task(
        id="counts-new-of-a-month",
        size=3_000,
        given=lambda world: {"since": world.day(30)},
        turns=[Turn("How many new contacts came since {since}?", _COUNT)],
        truth=lambda world, given: [exact(count=len(world.since(given["since"])))],
        plan=_new,
        tokens=250,
    ),
    Task(
        id="counts-new-leads-without-phone",
        size=900,
        given=lambda world: {"since": world.day(60)},
        turns=[Turn("How many of the leads that came since {since} left no phone number?", _COUNT)],
        truth=lambda world, given: [
            exact(
                count=sum(
                    status_of(p) == "lead" and not has(p, "msisdn")
                    for p in world.since(given["since"])
                )
            )
        ],
        plan=_new_leads_without_phone,
        tokens=250,
    ),
    Task(
        id="counts-lost-out-of-reach",
        size=3_000,
        turns=[Turn("How many contacts have we lost?", _COUNT)],
        truth=_truth_of_lost,
        plan=_lost,
        tokens=300,
    ),
    Task(
        id="counts-week-by-status",
        size=900,
        given=lambda world: {"since": world.day(14)},
        turns=[
            Turn(
                "Of those who came since {since}: how many are there, how many are customers by "
                "now, and how many are lost?",
                {"total": INTEGER, "customers": INTEGER, "lost": INTEGER},
            )
        ],
        truth=_truth_of_week_by_status,
        plan=_week_by_status,
        tokens=250,
    ),
)
