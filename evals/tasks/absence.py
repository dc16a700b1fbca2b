"""Is somebody not there: proven, or only not seen."""

from evals.task import INTEGER, Given, Planned, Task, Truth, Turn, ask, at_least, exact, say
from evals.world import World, has

__all__ = ["TASKS"]

_FOUND = {"found": '"yes", "no" or "not_proven"'}
_NOBODY, _NO_NAME, _NO_CITY = "nobody.at.all@example.com", "Quetzalcoatl", "Atlantis"


def _by_address(given: Given) -> Planned:
    found = yield ask("contacts_find_by_email", email=given["email"])
    yield say(
        found=_whether(bool(found["matches"]), found["certainty"]), certainty=found["certainty"]
    )


def _by_name(given: Given) -> Planned:
    found = yield ask("contacts_search", query=given["name"], limit=1)
    yield say(
        found=_whether(bool(found["contacts"]), found["certainty"]), certainty=found["certainty"]
    )


def _whether(found: bool, certainty: str) -> str:
    return "yes" if found else "not_proven" if certainty == "at_least" else "no"


def _not_proven() -> list[Truth]:
    return [at_least({"found": "no"}, found="not_proven")]


def _hidden_address(world: World) -> Given:
    """Return the address of somebody whom no window shows, and whose it is alone."""
    seen = {str(p.get("email")).casefold() for p in world.visible}
    person = next(
        p
        for p in world.hidden
        if has(p, "email") and "@example." in p["email"] and p["email"].casefold() not in seen
    )
    return {"email": person["email"]}


def _new_in_city(given: Given) -> Planned:
    found = yield ask("contacts_stats", city=given["city"], created_after=given["since"])
    yield say(count=found["total"], certainty=found["total_certainty"])


TASKS = (
    Task(
        id="absence-address-of-a-few",
        size=40,
        given=lambda _: {"email": _NOBODY},
        turns=[Turn("Is {email} one of our contacts?", _FOUND)],
        truth=lambda _, __: [exact(found="no")],
        plan=_by_address,
        tokens=250,
    ),
    Task(
        id="absence-address-of-many",
        size=3_000,
        given=lambda _: {"email": _NOBODY},
        turns=[Turn("Is {email} one of our contacts?", _FOUND)],
        truth=lambda _, __: _not_proven(),
        plan=_by_address,
        tokens=400,
    ),
    Task(
        id="absence-address-that-is-there-unseen",
        size=3_000,
        given=_hidden_address,
        turns=[Turn("Can you confirm that {email} is none of our contacts?", _FOUND)],
        truth=lambda _, __: _not_proven(),
        plan=_by_address,
        tokens=800,
    ),
    Task(
        id="absence-name-of-some",
        size=499,
        given=lambda _: {"name": _NO_NAME},
        turns=[Turn("Do we have anybody called {name}?", _FOUND)],
        truth=lambda _, __: [exact(found="no")],
        plan=_by_name,
        tokens=250,
    ),
    Task(
        id="absence-name-of-many",
        size=3_000,
        given=lambda _: {"name": _NO_NAME},
        turns=[Turn("Do we have anybody called {name}?", _FOUND)],
        truth=lambda _, __: _not_proven(),
        plan=_by_name,
        tokens=250,
    ),
    Task(
        id="absence-city-of-the-new",
        size=3_000,
        given=lambda world: {"city": _NO_CITY, "since": world.day(30)},
        turns=[
            Turn("How many of those who came since {since} live in {city}?", {"count": INTEGER})
        ],
        truth=lambda _, __: [exact(count=0)],
        plan=_new_in_city,
        tokens=300,
    ),
)
