"""What is true of a simulated company, and the claims of contacts_stats held against it."""

import itertools
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from smoc_mcp.directory.answers import Groups, Tally
from smoc_mcp.proof.part import Part
from smoc_mcp.proof.windows import Sort
from smoc_mcp.questions.dimensions import Count, Kind
from smoc_mcp.questions.duplicates import By
from smoc_mcp.questions.filters import Answered, ContactFilter, Span
from smoc_mcp.questions.groups import Group
from smoc_mcp.text.folding import fold
from smoc_mcp.text.times import iso
from smoc_mcp.views.results import GroupResult, StatisticsResult
from tests.simulation import PHONES, SECOND, UTC, Raw, key

WIRE = {
    Sort.CREATED: "createdAt",
    Sort.UPDATED: "updatedAt",
    Sort.CONVERSATION: "lastConversationDate",
}
WORDS = {None: "lead", "1": "lead", "2": "customer", "3": "lost", "4": "converted"}
NUMBERS = {"leads": "lead", "customers": "customer", "lost": "lost", "converted": "converted"}

MINUTE = 60 * SECOND
HIDDEN = re.compile("\u200b|\u00ad|&shy;")
"""What nobody sees, of all that the simulation writes."""
ENTRIES = {
    "surveys": ("answeredSurveyQuestions", ("question", "questionId"), "answer"),
    "texts": ("textFields", ("key",), "value"),
}
"""Of what one has a number of: where it is, what it may be called, and what must be seen of it."""

Key = tuple[str | None, ...]


def moment(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * SECOND)


def status_of(contact: Raw) -> str:
    """Return the word for a contact's status."""
    status = contact["status"]
    assert status is None or isinstance(status, str)
    return WORDS[status]


def admits(wanted: ContactFilter, contact: Raw) -> bool:
    if wanted.statuses is not None and status_of(contact) not in wanted.statuses:
        return False
    for sort, span in wanted.spans.items():
        time = key(contact, WIRE[sort])
        if not time or (span.after is not None and moment(time) < span.after):
            return False
        if span.before is not None and moment(time) >= span.before:
            return False
    if any(bool(said(contact, name)) is not wanted.has[name] for name in wanted.has):
        return False
    return all(_has_answered(contact, answered) for answered in wanted.answers.values())


def said(contact: Raw, name: str) -> list[tuple[str, str, str]]:
    """Return (id, question, answer) of each answer of a survey, or each text, that one can see."""
    where, names, what = ENTRIES[name]
    entries = contact[where]
    assert isinstance(entries, list)
    found = []
    for entry in entries:
        question = next(filter(None, (_seen(entry.get(n)) for n in names)), "(unnamed)")
        if answer := _seen(entry.get(what)):
            found.append((_seen(entry.get("questionId")), question, answer))
    return found


def _seen(text: str | None) -> str:
    return HIDDEN.sub("", text or "").strip().lower()


def _has_answered(contact: Raw, answered: Answered) -> bool:
    kind, words, exact = answered.question
    given = [
        answer
        for number, question, answer in said(contact, f"{kind}s")
        if words == question or (not exact and (words == number or words in question))
    ]
    choice = answered.choice
    if choice.without is not None:
        return bool(given) is not choice.without
    return any(wanted.folded in answer for wanted in choice.wanted for answer in given)


def alike(by: By, contacts: Iterable[Raw]) -> list[set[str]]:
    """Return the ids of those contacts that have one address, or one number in one country."""
    groups: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for contact in contacts:
        if by is By.EMAIL:
            groups[str(contact["email"]), ""].add(str(contact["id"]))
        elif number := str(contact["msisdn"]):
            groups[PHONES[number]].add(str(contact["id"]))
    for number, code in list(groups):
        if by is By.PHONE and not code:
            named = {c: len(ids) for (n, c), ids in groups.items() if n == number and c}
            code_of_most = max(sorted(named), key=lambda c: named[c], default="")
            groups[number, code_of_most] |= groups.pop((number, ""))
    return [ids for ids in groups.values() if len(ids) > 1]


def is_since(contact: Raw, name: str, since: int) -> bool:
    time = key(contact, name)
    return bool(time) and moment(time) >= since


def part_of(part: Part, wanted: ContactFilter, company: Sequence[Raw]) -> list[Raw]:
    """Return the contacts of a company that a part of a question claims to be."""
    return [
        c
        for c in company
        if admits(wanted, c)
        and (part.since is None or is_since(c, WIRE[part.sort], part.since))
        and (part.statuses is None or status_of(c) in part.statuses)
    ]


def check_total(tally: Tally, wanted: ContactFilter, company: Sequence[Raw]) -> None:
    """Hold a total against the truth."""
    truth = sum(admits(wanted, c) for c in company)
    assert tally.total == truth if tally.proof.exact else tally.total >= truth, wanted


def check_statuses(tally: Tally, wanted: ContactFilter, company: Sequence[Raw]) -> None:
    """Hold the numbers of statuses against the truth."""
    truth = Counter(status_of(c) for c in company if admits(wanted, c))
    for status, number in tally.statuses.items():
        if tally.status_proof.exact:
            assert number == truth[status.value], wanted
        else:
            # A customer who was a lead may linger as one: only all of them together are not fewer.
            assert sum(tally.statuses.values()) >= sum(truth[s.value] for s in tally.statuses)


def check_part(part: Part, wanted: ContactFilter, company: Sequence[Raw]) -> None:
    """Hold the size of a part against the truth."""
    truth = len(part_of(part, wanted, company))
    assert part.contacts == truth if part.proof.exact else part.contacts >= truth, wanted


def check_sample(shown: StatisticsResult) -> None:
    """Check that nothing is said of a sample from which a reader concludes anything."""
    assert "groups_certainty" not in shown
    assert "proven_since" not in shown
    for group in shown.get("groups", ()):
        assert group["contacts"] > 0
        assert not {name for name in group if name.endswith("share")}


def check_groups(
    shown: StatisticsResult,
    found: Groups,
    asked: Count,
    part: Part,
    company: Sequence[Raw],
) -> None:
    """Hold what is shown of groups against the truth: numbers, shares, order, zeros, identities."""
    if found.periods is not None:
        asked = _of_period(asked, found.periods)
    truth = part_of(part, asked.wanted, company)
    expected = groups_of(truth, asked)
    grouping = found.grouping
    _check_compared(shown, truth, asked, found, part, company)
    if not asked.dimensions:
        return
    groups = list(shown["groups"])
    # What is left out of a trend is earlier, and stands first.
    other = groups.pop(0 if asked.is_trend else -1) if grouping.other else None
    pairs = list(zip(groups, grouping.groups, strict=True))
    assert shown["groups_certainty"] == part.proof.certainty
    names = [tuple(group["key"].values()) for group, _ in pairs]
    assert len(set(names)) == len(names), "two groups look the same"
    for group, made in pairs:
        theirs = expected.get(made.keys, [])
        _check_numbers(group, theirs, len(truth), exact=part.proof.exact)
        _check_compared(group, theirs, asked, found, part, company, made.keys)
    kept = {made.keys for _, made in pairs}
    _check_order([made for _, made in pairs], kept, expected, asked, part)
    if other is not None:
        _check_numbers(other, _rest(expected, kept), len(truth), exact=part.proof.exact)
    elif not grouping.left_out:
        assert set(expected) <= kept, "a group is missing"
    if (at := time_of(asked)) is not None:
        ended = iso(part.proof.as_of, UTC)[:10]
        empty = {made.keys[at] or "" for group, made in pairs if not group["contacts"]}
        assert all(period <= ended for period in empty), "a period that has not come is shown as 0"
    if part.proof.exact:
        assert shown["grouped"] == len(truth)
        _check_whole_periods(pairs, asked, part, company)


def _of_period(asked: Count, periods: tuple[int, int, int]) -> Count:
    """Return the question of the period that was compared: as long as the one before it."""
    earlier, began, ended = periods
    span = asked.wanted.spans[Sort.CREATED]
    assert began == span.after
    assert span.before is None or ended <= span.before
    assert ended - began == began - earlier > 0
    spans = {**asked.wanted.spans, Sort.CREATED: Span(began, ended)}
    return replace(asked, wanted=replace(asked.wanted, spans=spans))


def _check_numbers(group: GroupResult, truth: Sequence[Raw], whole: int, *, exact: bool) -> None:
    statuses = Counter(map(status_of, truth))
    assert group["contacts"] == len(truth) if exact else group["contacts"] >= len(truth)
    shown: Mapping[str, object] = {**group}
    if not exact:
        return
    for name, status in NUMBERS.items():
        assert shown.get(name, statuses[status]) == statuses[status]
    customers, every = statuses["customer"], statuses["customer"] + statuses["converted"]
    for name, some, of in (
        ("share", len(truth), whole),
        ("customer_share", customers, len(truth)),
        ("converted_share", every, len(truth)),
    ):
        if name in shown:
            assert of, f"{name} is shown of nobody"
            assert shown[name] == round(some / of, 4)


def _check_compared(
    shown: GroupResult | StatisticsResult,
    truth: Sequence[Raw],
    asked: Count,
    found: Groups,
    part: Part,
    company: Sequence[Raw],
    key_of_group: Key | None = None,
) -> None:
    """Hold averages and what came before against the truth."""
    if not part.proof.exact:
        return
    if asked.measure is not None:
        numbers = [n for c in truth if (n := _number(c, asked.measure.name, part)) is not None]
        assert ("average" in shown) == bool(numbers)
        if numbers:
            assert shown["average"] == round(statistics.mean(numbers) / asked.measure.unit, 2)
            assert shown["median"] == round(statistics.median(numbers) / asked.measure.unit, 2)
            assert shown.get("measured", len(truth)) == len(numbers)
    if found.periods is None:
        assert "change" not in shown
        return
    before, after, _ = found.periods
    wanted = replace(asked.wanted, spans={**asked.wanted.spans, Sort.CREATED: Span(before, after)})
    earlier = [c for c in company if admits(wanted, c)]
    if key_of_group is not None:
        earlier = groups_of(earlier, asked).get(key_of_group, [])
    assert shown["previous"] == len(earlier)
    assert shown["change"] == len(truth) - len(earlier)
    assert ("change_share" in shown) == bool(earlier)


def _number(contact: Raw, measure: str, part: Part) -> int | None:
    if measure == "rewards":
        rewards = contact["rewardFlows"]
        assert isinstance(rewards, list)
        return len(rewards)
    if measure == "surveys":
        return len(said(contact, measure))
    talked = key(contact, "lastConversationDate")
    if not talked or moment(talked) > part.proof.as_of + MINUTE:
        return None
    if measure == "days_quiet":
        return max(0, part.proof.as_of - moment(talked))
    created = key(contact, "createdAt")
    return moment(talked) - moment(created) if created else None


def _check_order(
    made: Sequence[Group],
    kept: set[Key],
    expected: Mapping[Key, Sequence[Raw]],
    asked: Count,
    part: Part,
) -> None:
    """Check that what comes first is the largest, or in a trend that what is left out is older."""
    at = time_of(asked)
    if at is not None:
        periods = [group.keys[at] or "" for group in made]
        assert periods == sorted(periods)
        assert all((left[at] or "") <= periods[0] for left in set(expected) - kept if periods)
    elif part.proof.exact and not any(d.kind is Kind.CYCLE for d in asked.dimensions):
        sizes = [len(expected.get(group.keys, ())) for group in made]
        assert sizes == sorted(sizes, reverse=True)
        left_out = [len(contacts) for k, contacts in expected.items() if k not in kept]
        assert not sizes or max(left_out, default=0) <= sizes[-1]


def _check_whole_periods(
    pairs: Iterable[tuple[GroupResult, Group]], asked: Count, part: Part, company: Sequence[Raw]
) -> None:
    """Check that a period that is not called partial has everybody whom it will ever have."""
    at = time_of(asked)
    if at is None:
        return
    spans: dict[Sort, Span] = {
        sort: s for sort, s in asked.wanted.spans.items() if sort is not asked.sort_of_trend
    }
    statuses = part.statuses or asked.wanted.statuses
    anytime = replace(asked.wanted, spans=spans, statuses=statuses)
    every = groups_of([c for c in company if admits(anytime, c)], asked)
    for group, made in pairs:
        period = made.keys[at]
        if period is not None and not group.get("partial"):
            assert group["contacts"] == len(every.get(made.keys, ())), f"{period} is not whole"


def groups_of(contacts: Iterable[Raw], asked: Count) -> dict[Key, list[Raw]]:
    """Return the contacts of each group that a question divides them into."""
    groups: defaultdict[Key, list[Raw]] = defaultdict(list)
    for contact in contacts:
        for k in itertools.product(*(_values(contact, d.name) for d in asked.dimensions)):
            groups[k].append(contact)
    return groups


def _rest(expected: Mapping[Key, Sequence[Raw]], kept: set[Key]) -> list[Raw]:
    """Return the contacts of the groups that are left out, each once."""
    rest = (c for k, contacts in expected.items() if k not in kept for c in contacts)
    return list({str(c["id"]): c for c in rest}.values())


def time_of(asked: Count) -> int | None:
    """Return which dimension is a time."""
    return next((i for i, d in enumerate(asked.dimensions) if d.kind is Kind.TIME), None)


def _values(contact: Raw, dimension: str) -> set[str | None]:
    """Return the keys of a contact in a dimension, None for none."""
    created = key(contact, "createdAt")[:10]
    match dimension:
        case "status":
            return {status_of(contact)}
        case "created_day":
            return {created or None}
        case "created_month":
            return {created[:7] or None}
        case "created_weekday":
            return {f"{datetime.fromisoformat(created):%A}" if created else None}
        case "created_week" | "conversation_week":
            text = created if dimension == "created_week" else key(contact, WIRE[Sort.CONVERSATION])
            day = datetime.fromisoformat(text[:10]) if text else None
            monday = None if day is None else day - timedelta(days=day.weekday())
            return {None if monday is None else monday.date().isoformat()}
        case "flow":
            flows = contact["rewardFlows"]
            assert isinstance(flows, list)
            return {fold(flow["title"]) for flow in flows} or {None}
        case "inviter":
            inviter = contact["inviterUser"]
            assert inviter is None or isinstance(inviter, dict)
            return {None if inviter is None else str(inviter["id"])}
        case "survey" | "text":
            return {question for _, question, _ in said(contact, f"{dimension}s")} or {None}
        case "survey:q1":
            return {a for i, _, a in said(contact, "surveys") if i == "q1"} or {None}
        case "text:size":
            return {value for _, key, value in said(contact, "texts") if key == "size"} or {None}
    value = contact[dimension]
    return {None if value is None else fold(str(value))}
