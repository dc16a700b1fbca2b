"""Who: the newest, somebody by an address, a number or half a name, and what is known of them."""

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
    exact,
    say,
)
from evals.world import Person, World, has

__all__ = ["TASKS"]

_INTERESTED = "Hva er du interessert i?"
_LONG_ENOUGH = 4


def _newest(given: Given) -> Planned:
    del given
    found = yield ask("contacts_list", limit=5)
    yield say(ids=[c["id"] for c in found["contacts"]], certainty=found["certainty"])


def _talked_to(given: Given) -> Planned:
    del given
    found = yield ask("contacts_list", sort="conversation", limit=3)
    yield say(ids=[c["id"] for c in found["contacts"]], certainty=found["certainty"])


def _by_address(given: Given) -> Planned:
    found = yield ask("contacts_find_by_email", email=given["email"])
    yield say(ids=[c["id"] for c in found["matches"]], certainty=found["certainty"])


def _messy_address(world: World) -> Given:
    email = _addressed(world.newest("createdAt", 100)[20:])["email"]
    return {"email": f"  {email.upper()} "}


def _truth_of_address(world: World, given: Given) -> list[Truth]:
    ids = {p["id"] for p in _with_address(world.visible, given["email"])}
    return [exact(ids=ids) if not world.hidden else at_least(ids=ids)]


def _with_address(people: list[Person], email: str) -> list[Person]:
    return [p for p in people if str(p.get("email")).casefold() == email.strip().casefold()]


def _addressed(people: list[Person]) -> Person:
    """Return the first with a plain address: letters, one dot, digits."""
    return next(p for p in people if str(p.get("email")).partition("@")[0].count(".") == 1)


def _mistyped_address(world: World) -> Given:
    local, _, domain = _addressed(world.newest("createdAt", 100)[30:])["email"].partition("@")
    return {"email": f"{local[:3]}{local[4]}{local[3]}{local[5:]}@{domain}"}


def _meant(given: Given) -> Planned:
    found = yield ask("contacts_find_by_email", email=given["email"])
    yield say(email=found["similar"][0]["email"], certainty=found["certainty"])


def _truth_of_meant(world: World, given: Given) -> list[Truth]:
    del given
    return [at_least(email=_addressed(world.newest("createdAt", 100)[30:])["email"])]


def _numbered(world: World) -> Person:
    return next(
        p
        for p in world.newest("createdAt", 300)[40:]
        if str(p.get("msisdn") or "").startswith("+47") and len(p["msisdn"]) == len("+4712345678")
    )


def _number(world: World) -> Given:
    digits = _numbered(world)["msisdn"].removeprefix("+47")
    return {"number": f"0047 {digits[:3]} {digits[3:5]} {digits[5:]}"}


def _by_number(given: Given) -> Planned:
    found = yield ask("contacts_search", query=given["number"])
    yield say(ids=[c["id"] for c in found["contacts"]], certainty=found["certainty"])


def _half_known(world: World) -> Person:
    return next(
        p
        for p in world.newest("createdAt", 200)[50:]
        if has(p, "city") and len(p.get("lastName") or "") > _LONG_ENOUGH and p["city"].isalpha()
    )


def _half_a_name(world: World) -> Given:
    person = _half_known(world)
    half, city = person["lastName"][:_LONG_ENOUGH], person["city"]
    return {"half": half, "city": city, "since": world.day(30)}


def _by_half_a_name(given: Given) -> Planned:
    found = yield ask(
        "contacts_search",
        query=given["half"],
        city=given["city"],
        created_after=given["since"],
        limit=50,
    )
    # Where it is not the name alone that matched, the answer says all that did, the name first.
    rows = [c for c in found["contacts"] if c.get("matched", "name").startswith("name")]
    yield say(ids=[c["id"] for c in rows], certainty=found["certainty"])


def _truth_of_half_a_name(world: World, given: Given) -> list[Truth]:
    half = given["half"].casefold()
    ids = {
        p["id"]
        for p in world.since(given["since"])
        if p.get("city") == given["city"]
        and any(half in str(p.get(n) or "").casefold() for n in ("firstName", "lastName"))
    }
    return [exact(ids=ids)]


def _visits(given: Given) -> Planned:
    del given
    found = yield ask("contacts_list", limit=1)
    (newest,) = found["contacts"]
    contact = (yield ask("contacts_get", contact_id=newest["id"]))["contact"]
    visits = contact["visits"]
    yield say(
        id=newest["id"],
        visits=0 if visits == "none" else visits["count"],
        certainty=found["certainty"],
    )


def _truth_of_visits(world: World, given: Given) -> list[Truth]:
    del given
    (newest,) = world.newest("createdAt", 1)
    return [exact(id=newest["id"], visits=len(newest.get("visitList") or ()))]


def _answered(world: World) -> Person:
    addresses = Counter(str(p.get("email")).casefold() for p in world.people)
    return next(
        p
        for p in world.people
        if has(p, "email")
        and addresses[p["email"].casefold()] == 1
        and len(p["email"]) < 50
        and _answers(p)
    )


def _answers(person: Person) -> list[str]:
    answers = person.get("answeredSurveyQuestions") or []
    return [a["answer"] for a in answers if a.get("question") == _INTERESTED]


def _interest(given: Given) -> Planned:
    found = yield ask("contacts_find_by_email", email=given["email"])
    (match,) = found["matches"]
    told = yield ask("contacts_get", contact_id=match["id"], include="surveys")
    answers = [a["answer"] for a in told["contact"]["surveys"] if a["question"] == _INTERESTED]
    yield say(answer=answers[0], certainty=found["certainty"])


def _doubled_address(world: World) -> Given:
    addresses = Counter(str(p.get("email")).casefold() for p in world.people if has(p, "email"))
    return {"email": next(a for a, count in addresses.items() if count > 1 and a.isascii())}


TASKS = (
    Task(
        id="people-five-newest",
        size=3_000,
        turns=[Turn("Who are the five newest contacts?", {"ids": IDS})],
        truth=lambda world, _: [exact(ids={p["id"] for p in world.newest("createdAt", 5)})],
        plan=_newest,
        tokens=1_300,
    ),
    Task(
        id="people-talked-to-last",
        size=900,
        turns=[Turn("With which three contacts did we talk last?", {"ids": IDS})],
        truth=lambda world, _: [
            exact(ids={p["id"] for p in world.newest("lastConversationDate", 3)})
        ],
        plan=_talked_to,
        tokens=900,
    ),
    Task(
        id="people-by-address",
        size=3_000,
        given=_messy_address,
        turns=[Turn("Which of our contacts have the address {email}?", {"ids": IDS})],
        truth=_truth_of_address,
        plan=_by_address,
        tokens=500,
    ),
    Task(
        id="people-by-mistyped-address",
        size=3_000,
        given=_mistyped_address,
        turns=[
            Turn(
                "I noted {email}, but nobody has that. Whose address did they probably mean?",
                {"email": "the address in full"},
            )
        ],
        truth=_truth_of_meant,
        plan=_meant,
        tokens=700,
    ),
    Task(
        id="people-by-number",
        size=900,
        given=_number,
        turns=[Turn("Who called from {number}?", {"ids": IDS})],
        truth=lambda world, _: [at_least(ids={_numbered(world)["id"]})],
        plan=_by_number,
        tokens=500,
    ),
    Task(
        id="people-by-half-a-name",
        size=3_000,
        given=_half_a_name,
        turns=[
            Turn(
                "Somebody whose name has {half} in it, who lives in {city} and came since {since}: "
                "who can that be?",
                {"ids": IDS},
            )
        ],
        truth=_truth_of_half_a_name,
        plan=_by_half_a_name,
        tokens=700,
    ),
    Task(
        id="people-visits-of-the-newest",
        size=499,
        turns=[
            Turn(
                "Who is our newest contact, and how often did they visit our site?",
                {"id": "contact id", "visits": INTEGER},
            )
        ],
        truth=_truth_of_visits,
        plan=_visits,
        calls=2,
        tokens=1_300,
    ),
    Task(
        id="people-answer-to-a-survey",
        size=499,
        given=lambda world: {"email": _answered(world)["email"]},
        turns=[
            Turn(
                f'What did {{email}} answer to "{_INTERESTED}"?',
                {"answer": TEXT},
            )
        ],
        truth=lambda world, _: [exact(answer=_answers(_answered(world))[0])],
        plan=_interest,
        calls=2,
        tokens=1_500,
    ),
    Task(
        id="people-all-of-one-address",
        size=499,
        given=_doubled_address,
        turns=[Turn("Show me every record that has the address {email}.", {"ids": IDS})],
        truth=_truth_of_address,
        plan=_by_address,
        tokens=900,
    ),
)
