"""Eighteen further questions, each answered with at most two calls and held against the truth.

They ask for what a count alone does not tell: averages, the time before, weekdays, who is behind a
number, who is there twice, whom to call first. It needs no key: it asks the sandbox.
"""

from collections import Counter
from datetime import datetime, timedelta
from statistics import fmean, median

from asking import Company, Person, Said, first_visit, ids, named, run, surveys


async def how_many_were_shown_the_summer_promo_and_how_many_redeemed_it(it: Company) -> Said:
    shown = await it.ask("contacts_stats", promo_presented="Summer promo", created_after=it.month)
    used = await it.ask("contacts_stats", promo_redeemed="Summer promo", created_after=it.month)
    truth = [
        sum("Summer promo" in titles(p, field) for p in it.this_month())
        for field in ("promosPresented", "promosRedeemed")
    ]
    return [shown["total"], used["total"]], truth, used["total_certainty"]


async def how_many_of_the_redeemers_are_customers(it: Company) -> Said:
    found = await it.ask("contacts_stats", promo_redeemed="-(none)", created_after=it.month)
    redeemers = [p for p in it.this_month() if titles(p, "promosRedeemed")]
    truth = sum(p.get("status") == "2" for p in redeemers)
    return (found["total"], found["customers"]), (len(redeemers), truth), found["status_certainty"]


async def do_customers_come_more_often_than_leads(it: Company) -> Said:
    found = await it.ask(
        "contacts_stats", measure="visits", group_by="status", created_after=it.month
    )
    shown = {g["key"]["status"]: (g["average"], g["median"]) for g in found["groups"]}
    visits = {
        word: [len(p.get("visitList") or []) for p in it.this_month() if status(p) == word]
        for word in ("lead", "customer")
    }
    truth = {word: (round(fmean(v), 2), median(v)) for word, v in visits.items()}
    return {word: shown[word] for word in truth}, truth, found["groups_certainty"]


async def on_which_weekday_do_most_people_come(it: Company) -> Said:
    found = await it.ask(
        "contacts_stats", group_by="created_weekday", created_after=it.weeks_ago(4)
    )
    days = {g["key"]["created_weekday"]: g["contacts"] for g in found["groups"]}
    truth = Counter(f"{time_of(p):%A}" for p in it.since(it.weeks_ago(4)))
    return max(days.values()), max(truth.values()), found["groups_certainty"]


async def who_came_on_a_sunday(it: Company) -> Said:
    found = await it.ask(
        "contacts_search", created_weekday="Sunday", created_after=it.weeks_ago(2), limit=100
    )
    truth = {p["id"] for p in it.since(it.weeks_ago(2)) if f"{time_of(p):%A}" == "Sunday"}
    return set(ids(found["contacts"])), truth, found["certainty"]


async def at_what_hour_do_they_come(it: Company) -> Said:
    found = await it.ask("contacts_stats", group_by="created_hour", created_after=it.month)
    hours = [g["contacts"] for g in found["groups"]]
    truth = Counter(time_of(p).hour for p in it.this_month())
    return hours, [truth[hour] for hour in range(24)], found["groups_certainty"]


async def whom_did_the_best_inviter_bring(it: Company) -> Said:
    found = await it.ask("contacts_stats", group_by="inviter", created_after=it.month)
    top = next(g for g in found["groups"] if named(g, "inviter"))
    brought = await it.ask(
        "contacts_search", inviter=top["key"]["inviter"], created_after=it.month, limit=100
    )
    invited = [p.get("inviterUser") or {} for p in it.this_month()]
    most = Counter(person.get("id") for person in invited if person.get("id")).most_common(1)[0]
    return (len(brought["contacts"]), top["contacts"]), (most[1], most[1]), brought["certainty"]


async def who_is_quiet_for_three_weeks_or_never_talked(it: Company) -> Said:
    found = await it.ask(
        "contacts_stats", quiet_since=it.weeks_ago(3), created_after=it.month, status="lead"
    )
    truth = sum(
        status(p) == "lead" and str(p.get("lastConversationDate") or "") < it.weeks_ago(3)
        for p in it.this_month()
    )
    return found["total"], truth, found["total_certainty"]


async def how_long_is_it_since_we_talked(it: Company) -> Said:
    found = await it.ask("contacts_stats", measure="days_quiet", created_after=it.month)
    as_of = datetime.fromisoformat(found["as_of"])
    days = [
        (as_of - datetime.fromisoformat(p["lastConversationDate"])).total_seconds() / 86_400
        for p in it.this_month()
        if p.get("lastConversationDate")
    ]
    answer = round(found["median"], 1), found["measured"]
    return answer, (round(median(days), 1), len(days)), found["groups_certainty"]


async def what_did_they_type_into_the_forms(it: Company) -> Said:
    found = await it.ask("contacts_stats", group_by="text", created_after=it.month, limit=100)
    fields = {g["key"]["text"]: g["contacts"] for g in found["groups"] if named(g, "text")}
    truth = Counter(
        field
        for p in it.this_month()
        for field in {t["key"] for t in p.get("textFields") or [] if t.get("key") and t["value"]}
    )
    return fields, dict(truth), found["groups_certainty"]


async def what_kinds_of_homes_do_they_live_in(it: Company) -> Said:
    found = await it.ask("contacts_stats", group_by="text:boligtype", created_after=it.month)
    kinds = {
        g["key"]["text:boligtype"]: g["contacts"]
        for g in found["groups"]
        if named(g, "text:boligtype")
    }
    truth = Counter(
        value
        for p in it.this_month()
        for value in {t["value"] for t in p.get("textFields") or [] if t.get("key") == "boligtype"}
        if value
    )
    return kinds, dict(truth), found["groups_certainty"]


async def which_questions_were_answered(it: Company) -> Said:
    found = await it.ask("contacts_stats", group_by="survey", created_after=it.month, limit=100)
    asked = {g["key"]["survey"]: g["contacts"] for g in found["groups"] if named(g, "survey")}
    truth = Counter(
        question
        for p in it.this_month()
        for question in {a["question"] for a in surveys(p) if a.get("question") and a["answer"]}
    )
    return asked, dict(truth), found["groups_certainty"]


async def who_answered_that_they_want_solar_panels(it: Company) -> Said:
    found = await it.ask(
        "contacts_search", survey="interessert: solceller", created_after=it.month, limit=100
    )
    truth = {
        p["id"]
        for p in it.this_month()
        if any(
            "interessert" in str(a.get("question")) and "solceller" in str(a.get("answer")).lower()
            for a in surveys(p)
        )
    }
    return set(ids(found["contacts"])), truth, found["certainty"]


async def is_this_fortnight_better_than_the_one_before(it: Company) -> Said:
    week = timedelta(days=14)
    after = datetime.fromisoformat(it.weeks_ago(2))
    found = await it.ask("contacts_stats", created_after=it.weeks_ago(2), compare="previous")
    times = [time_of(p) for p in it.people if p.get("createdAt")]
    now = sum(after <= t for t in times)
    before = sum(after - week <= t < after for t in times)
    truth = now, before, round((now - before) / before, 4)
    answer = found["total"], found["previous"], found["change_share"]
    return answer, truth, found["groups_certainty"]


async def which_source_grew_most(it: Company) -> Said:
    found = await it.ask(
        "contacts_stats",
        group_by="utm_source",
        created_after=it.weeks_ago(2),
        compare="previous",
        sort="change",
    )
    after = datetime.fromisoformat(it.weeks_ago(2))
    change: Counter[str] = Counter()
    for p in it.people:
        if p.get("createdAt") and time_of(p) >= after - timedelta(days=14):
            source = first_visit(p).get("utmSource") or "(none)"
            change[source] += 1 if time_of(p) >= after else -1
    shown = [g["change"] for g in found["groups"]]
    return shown, sorted(change.values(), reverse=True), found["groups_certainty"]


async def which_source_converts_best(it: Company) -> Said:
    found = await it.ask(
        "contacts_stats", group_by="utm_source", created_after=it.month, sort="customer_share"
    )
    best = next(g for g in found["groups"] if g["contacts"] >= 10 and named(g, "utm_source"))
    sizes = Counter(first_visit(p).get("utmSource") for p in it.this_month())
    shares = {
        source: sum(
            p.get("status") == "2"
            for p in it.this_month()
            if first_visit(p).get("utmSource") == source
        )
        / size
        for source, size in sizes.items()
        if source and size >= 10
    }
    return best["customer_share"], round(max(shares.values()), 4), found["groups_certainty"]


async def who_may_be_there_twice(it: Company) -> Said:
    found = await it.ask("contacts_duplicates", by="email", created_after=it.month, limit=100)
    # A twin from before can be out of reach. Of those of this month no two are missing.
    lately = {p["id"] for p in it.this_month()}
    groups = (lately.intersection(ids(group["contacts"])) for group in found["groups"])
    shown = {frozenset(group) for group in groups if len(group) > 1}
    certainty = "exact" if found["proven_since"] <= it.month else found["certainty"]
    mailboxes: dict[str, set[str]] = {}
    for p in it.this_month():
        if "@" in str(p.get("email")):
            local, _, domain = p["email"].strip().casefold().rpartition("@")
            mailboxes.setdefault(f"{local.partition('+')[0]}@{domain}", set()).add(p["id"])
    truth = {frozenset(people) for people in mailboxes.values() if len(people) > 1}
    return shown, truth, certainty


async def whom_should_we_call_first_and_why(it: Company) -> Said:
    found = await it.ask(
        "contacts_search",
        sort="engagement",
        status="lead",
        has="phone",
        created_after=it.month,
        limit=10,
    )
    lately = (it.now - timedelta(days=30)).isoformat()
    points = {
        p["id"]: signs(p, lately)
        for p in it.this_month()
        if status(p) == "lead" and str(p.get("msisdn") or "").strip()
    }
    answer = [points[i] for i in ids(found["contacts"])]
    told = all("said yes" in c["reasons"] for c in found["contacts"] if c["consent"] == "yes")
    return (answer, told), (sorted(points.values(), reverse=True)[:10], True), found["certainty"]


def signs(person: Person, lately: str) -> int:
    """Return how many of the signs that the guide names somebody shows; -1 of who said no."""
    if person.get("acceptedCommunication") is False:
        return -1
    return (
        (str(person.get("lastConversationDate") or "") >= lately)
        + (len(person.get("visitList") or []) >= 3)
        + bool(surveys(person))
        + bool(person.get("rewardFlows") or person.get("usersReferred"))
        + (person.get("acceptedCommunication") is True)
    )


def titles(person: Person, field: str) -> set[str]:
    """Return the titles of promotions, as far as there are any."""
    return {title for entry in person.get(field) or [] if (title := entry.get("title"))}


def status(person: Person) -> str | None:
    """Return the word for a status."""
    return {"1": "lead", "2": "customer"}.get(person.get("status") or "1")


def time_of(person: Person) -> datetime:
    """Return when somebody was created."""
    return datetime.fromisoformat(person["createdAt"])


if __name__ == "__main__":
    run(
        how_many_were_shown_the_summer_promo_and_how_many_redeemed_it,
        how_many_of_the_redeemers_are_customers,
        do_customers_come_more_often_than_leads,
        on_which_weekday_do_most_people_come,
        who_came_on_a_sunday,
        at_what_hour_do_they_come,
        whom_did_the_best_inviter_bring,
        who_is_quiet_for_three_weeks_or_never_talked,
        how_long_is_it_since_we_talked,
        what_did_they_type_into_the_forms,
        what_kinds_of_homes_do_they_live_in,
        which_questions_were_answered,
        who_answered_that_they_want_solar_panels,
        is_this_fortnight_better_than_the_one_before,
        which_source_grew_most,
        which_source_converts_best,
        who_may_be_there_twice,
        whom_should_we_call_first_and_why,
    )
