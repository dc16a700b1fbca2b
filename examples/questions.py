"""Twenty-eight questions about contacts, each answered with at most two calls.

It needs no key: it asks the sandbox, and holds every answer against what the sandbox's company
really has. What a model would do between question and call is written out here; the calls are
printed as you would type them.
"""

from collections import Counter
from datetime import timedelta

from asking import (
    Company,
    Question,
    Said,
    first_visit,
    ids,
    monday,
    named,
    newest_visit,
    plain_address,
    run,
    surveys,
)


async def how_many_leads_and_customers_do_we_have(it: Company) -> Said:
    found = await it.ask("contacts_stats")
    statuses = Counter(p.get("status") or "1" for p in it.people)
    return (found["leads"], found["customers"]), (statuses["1"], statuses["2"]), "exact"


async def how_many_came_in_the_last_thirty_days(it: Company) -> Said:
    found = await it.ask("contacts_stats", created_after=it.month)
    return found["total"], len(list(it.this_month())), found["total_certainty"]


async def where_do_most_of_them_come_from(it: Company) -> Said:
    found = await it.ask("contacts_stats", group_by="utm_source", created_after=it.month)
    best = next(g for g in found["groups"] if g["key"]["utm_source"] != "(none)")
    sources = Counter(first_visit(p).get("utmSource") for p in it.this_month())
    del sources[None]
    return (best["key"]["utm_source"], best["contacts"]), sources.most_common(1)[0], "exact"


async def which_campaign_converts_best(it: Company) -> Said:
    found = await it.ask("contacts_stats", group_by="utm_campaign", created_after=it.month)
    large = [g for g in found["groups"] if g["contacts"] >= 10 and named(g, "utm_campaign")]
    best = max(large, key=lambda g: g["customer_share"])
    shares: dict[str, float] = {}
    campaigns = Counter(first_visit(p).get("utmCampaign") for p in it.this_month())
    for campaign, size in campaigns.items():
        if campaign and size >= 10:
            theirs = [p for p in it.this_month() if first_visit(p).get("utmCampaign") == campaign]
            shares[campaign] = sum(p.get("status") == "2" for p in theirs) / size
    answer = best["key"]["utm_campaign"], round(best["customer_share"], 2)
    winner = max(shares, key=lambda c: shares[c])
    return answer, (winner, round(shares[winner], 2)), found["groups_certainty"]


async def is_it_going_up(it: Company) -> Said:
    found = await it.ask("contacts_stats", group_by="created_week", created_after=it.month)
    weeks = {g["key"]["created_week"]: g["contacts"] for g in found["groups"]}
    truth = Counter(monday(p["createdAt"]) for p in it.this_month())
    return weeks, dict(sorted(truth.items())), found["groups_certainty"]


async def who_are_the_five_newest(it: Company) -> Said:
    found = await it.ask("contacts_list", limit=5)
    newest = sorted(it.people, key=lambda p: str(p.get("createdAt") or ""), reverse=True)[:5]
    return ids(found["contacts"]), [p["id"] for p in newest], found["certainty"]


async def who_talked_to_us_last(it: Company) -> Said:
    found = await it.ask("contacts_list", sort="conversation", limit=3)
    talked = sorted(it.people, key=lambda p: str(p.get("lastConversationDate") or ""), reverse=True)
    return ids(found["contacts"]), [p["id"] for p in talked[:3]], found["certainty"]


async def who_was_that_papado_something(it: Company) -> Said:
    found = await it.ask("contacts_search", query="παπαδο", created_after=it.month, limit=100)
    # Where it is not the name alone that matched, the answer says all that did, the name first.
    by_name = {c["id"] for c in found["contacts"] if c.get("matched", "name").startswith("name")}
    truth = {p["id"] for p in it.this_month() if "Παπαδ" in str(p.get("lastName"))}
    return by_name, truth, found["certainty"]


async def who_is_that_person_from_there(it: Company) -> Said:
    met = next(p for p in it.this_month() if p.get("city") and len(str(p.get("lastName"))) > 4)
    half, city = met["lastName"][:4].upper(), met["city"].lower()
    found = await it.ask("contacts_search", query=f"{city} {half}", created_after=it.month)
    return met["id"] in ids(found["contacts"]), True, found["certainty"]


async def whose_number_is_this(it: Company) -> Said:
    owner = next(p for p in it.this_month() if str(p.get("msisdn") or "").startswith("+47"))
    digits = "".join(filter(str.isdigit, owner["msisdn"]))
    found = await it.ask("contacts_search", query=f"00{digits[:2]} {digits[2:5]} {digits[5:]}")
    return owner["id"] in ids(found["contacts"]), True, "exact"


async def is_this_person_one_of_ours(it: Company) -> Said:
    known = plain_address(it)
    found = await it.ask("contacts_find_by_email", email=f"Somebody <{known['email'].upper()}>")
    return known["id"] in ids(found["matches"]), True, "exact"


async def whom_did_they_mean_with_this_address(it: Company) -> Said:
    known = plain_address(it)
    local, _, domain = known["email"].partition("@")
    wrong = f"{local[:3]}{local[4]}{local[3]}{local[5:]}@{domain}"
    found = await it.ask("contacts_find_by_email", email=wrong)
    best = found["similar"][0]
    return (best["id"], best["matched"]), (known["id"], "typing error"), "exact"


async def how_many_new_leads_have_no_phone_number(it: Company) -> Said:
    found = await it.ask(
        "contacts_search", status="lead", has="-phone", created_after=it.month, limit=5
    )
    truth = [
        p
        for p in it.this_month()
        if p.get("status") in (None, "1") and not str(p.get("msisdn") or "").strip()
    ]
    return found["total"], len(truth), found["total_certainty"]


async def which_new_customers_went_quiet(it: Company) -> Said:
    quiet = (it.now - timedelta(days=7)).date().isoformat()
    found = await it.ask(
        "contacts_search",
        status="customer",
        created_after=it.month,
        conversation_before=quiet,
        sort="conversation",
        limit=100,
    )
    truth = {
        p["id"]
        for p in it.this_month()
        if p.get("status") == "2" and "2" < str(p.get("lastConversationDate") or "") < quiet
    }
    return set(ids(found["contacts"])), truth, found["certainty"]


async def what_are_people_interested_in(it: Company) -> Said:
    found = await it.ask("contacts_stats", group_by="survey:interessert", created_after=it.month)
    answers = {
        g["key"]["survey:interessert"]: g["contacts"]
        for g in found["groups"]
        if named(g, "survey:interessert")
    }
    truth = Counter(
        a
        for p in it.this_month()
        for a in {s.get("answer") for s in surveys(p) if "interessert" in str(s.get("question"))}
        if a
    )
    return answers, dict(truth), found["groups_certainty"]


async def who_wants_solar_panels(it: Company) -> Said:
    found = await it.ask("contacts_search", query="solceller", created_after=it.month, limit=100)
    answered = {c["id"] for c in found["contacts"] if "Solceller" in c.get("matched", "")}
    truth = {
        p["id"] for p in it.this_month() if any(s["answer"] == "Solceller" for s in surveys(p))
    }
    return answered, truth, found["certainty"]


async def what_do_we_know_about_the_newest(it: Company) -> Said:
    newest = (await it.ask("contacts_list", limit=1))["contacts"][0]["id"]
    contact = (await it.ask("contacts_get", contact_id=newest))["contact"]
    person = next(p for p in it.people if p["id"] == newest)
    visits = 0 if contact["visits"] == "none" else contact["visits"]["count"]
    return (
        (visits, contact.get("city")),
        (len(person.get("visitList") or []), person.get("city")),
        "exact",
    )


async def do_they_come_by_phone_or_by_computer(it: Company) -> Said:
    found = await it.ask("contacts_stats", group_by="device", created_after=it.month)
    devices = {g["key"]["device"]: g["contacts"] for g in found["groups"] if named(g, "device")}
    truth = Counter(d for p in it.this_month() if (d := newest_visit(p).get("deviceType")))
    return devices, dict(truth), found["groups_certainty"]


async def which_flows_earn_rewards_or_texts(it: Company) -> Said:
    found = await it.ask("contacts_stats", group_by="flow", created_after=it.month, limit=100)
    flows = {g["key"]["flow"]: g["contacts"] for g in found["groups"] if named(g, "flow")}
    truth = Counter(
        flow
        for p in it.this_month()
        for flow in {r.get("title") for r in p.get("rewardFlows") or []}
        | {t.get("flowName") for t in p.get("textFields") or []}
        if flow
    )
    return flows, dict(truth), found["groups_certainty"]


async def what_is_new_since_yesterday(it: Company) -> Said:
    since = (it.now - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = await it.ask("contacts_changes", since=since, limit=100)
    truth = {p["id"] for p in it.people if str(p.get("createdAt") or "") >= since}
    return set(ids(found["new"])), truth, found["certainty"]


async def which_campaign_converts_best_of_all_that_can_be_known(it: Company) -> Said:
    found = await it.ask("contacts_stats", group_by="utm_campaign", limit=100)
    large = [g for g in found["groups"] if g["contacts"] >= 10 and named(g, "utm_campaign")]
    best = max(large, key=lambda g: g["customer_share"])
    shares: dict[str, float] = {}
    since = list(it.since(found["proven_since"]))
    for campaign, size in Counter(first_visit(p).get("utmCampaign") for p in since).items():
        if campaign and size >= 10:
            theirs = [p for p in since if first_visit(p).get("utmCampaign") == campaign]
            shares[campaign] = sum(p.get("status") == "2" for p in theirs) / size
    winner = max(shares, key=lambda c: shares[c])
    answer = best["key"]["utm_campaign"], best["customer_share"]
    return answer, (winner, round(shares[winner], 4)), found["groups_certainty"]


async def which_weeks_are_known_whole(it: Company) -> Said:
    # What is not proven is absent: no week with contacts is shown as a week without.
    found = await it.ask("contacts_stats", group_by="created_week")
    weeks = {g["key"]["created_week"]: g["contacts"] for g in found["groups"] if "partial" not in g}
    truth = Counter(monday(p["createdAt"]) for p in it.people if p.get("createdAt"))
    return weeks, {week: truth[week] for week in weeks}, found["groups_certainty"]


async def who_brought_us_most_people(it: Company) -> Said:
    found = await it.ask("contacts_stats", group_by="inviter", created_after=it.month, limit=100)
    invited = Counter(
        person["id"] for p in it.this_month() if (person := p.get("inviterUser")) and person["id"]
    )
    sizes = sorted(g["contacts"] for g in found["groups"] if named(g, "inviter"))
    return sizes, sorted(invited.values()), found["groups_certainty"]


async def how_many_of_this_week_became_customers(it: Company) -> Said:
    week = (it.now - timedelta(days=7)).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = await it.ask("contacts_stats", created_after=week)
    statuses = Counter(p.get("status") or "1" for p in it.since(week))
    answer = found["total"], found["leads"], found["customers"]
    truth = statuses.total(), statuses["1"], statuses["2"]
    return answer, truth, found["status_certainty"]


async def which_promotion_was_redeemed_most(it: Company) -> Said:
    found = await it.ask("contacts_stats", group_by="promo_redeemed", created_after=it.month)
    most = next(g for g in found["groups"] if named(g, "promo_redeemed"))
    redeemed = Counter(
        title
        for p in it.this_month()
        for title in {x.get("title") for x in p.get("promosRedeemed") or []}
        if title
    )
    answer = most["key"]["promo_redeemed"], most["contacts"]
    return answer, redeemed.most_common(1)[0], found["groups_certainty"]


async def how_many_live_in_oslo_or_bergen(it: Company) -> Said:
    found = await it.ask("contacts_stats", city="Oslo, Bergen", created_after=it.month)
    truth = sum(p.get("city") in ("Oslo", "Bergen") for p in it.this_month())
    return found["total"], truth, found["total_certainty"]


async def who_may_be_called(it: Company) -> Said:
    found = await it.ask(
        "contacts_search",
        accepted_communication="yes, unasked",
        has="phone",
        status="lead",
        created_after=it.month,
        limit=100,
    )
    refused = {p["id"] for p in it.people if p.get("acceptedCommunication") is False}
    asked = {c["consent"] for c in found["contacts"]}
    return (asked, refused & set(ids(found["contacts"]))), ({"yes", "unasked"}, set()), "exact"


async def how_many_wrote_of_solar_panels_where(it: Company) -> Said:
    found = await it.ask("contacts_search", query="solceller", created_after=it.month, limit=100)
    fields = Counter(
        match.partition(":")[0] for c in found["contacts"] for match in c["matched"].split("; ")
    )
    truth = Counter(
        answer.get("question")
        for p in it.this_month()
        for answer in surveys(p)
        if "solceller" in str(answer.get("answer")).lower()
    )
    return {q: fields[q] for q in truth}, dict(truth), found["certainty"]


QUESTIONS: tuple[Question, ...] = (
    how_many_leads_and_customers_do_we_have,
    how_many_came_in_the_last_thirty_days,
    where_do_most_of_them_come_from,
    which_campaign_converts_best,
    is_it_going_up,
    who_are_the_five_newest,
    who_talked_to_us_last,
    who_was_that_papado_something,
    who_is_that_person_from_there,
    whose_number_is_this,
    is_this_person_one_of_ours,
    whom_did_they_mean_with_this_address,
    how_many_new_leads_have_no_phone_number,
    which_new_customers_went_quiet,
    what_are_people_interested_in,
    who_wants_solar_panels,
    what_do_we_know_about_the_newest,
    do_they_come_by_phone_or_by_computer,
    which_flows_earn_rewards_or_texts,
    what_is_new_since_yesterday,
    which_campaign_converts_best_of_all_that_can_be_known,
    which_weeks_are_known_whole,
    who_brought_us_most_people,
    how_many_of_this_week_became_customers,
    which_promotion_was_redeemed_most,
    how_many_live_in_oslo_or_bergen,
    who_may_be_called,
    how_many_wrote_of_solar_panels_where,
)


if __name__ == "__main__":
    run(*QUESTIONS)
