"""A caller's parameters become a filter; what cannot be meant is refused with a sentence."""

import contextlib
from datetime import UTC as PLAIN_UTC
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoc_mcp.errors import InputError
from smoc_mcp.proof.certainty import Region
from smoc_mcp.proof.windows import ABSENT, Sort, Status
from smoc_mcp.questions.choices import Choice, Wanted
from smoc_mcp.questions.dimensions import DIMENSIONS, Kind, parse_group_by
from smoc_mcp.questions.fields import NAMED_FILTERS, Consent
from smoc_mcp.questions.filters import EVERYBODY, HAS, TIMES, ContactFilter, Span, parse_filter
from smoc_mcp.text.folding import fold
from smoc_mcp.text.times import as_moment

OSLO = ZoneInfo("Europe/Oslo")
NOW = as_moment(datetime(2026, 6, 1, 12, tzinfo=PLAIN_UTC))
MAY = as_moment(datetime(2026, 4, 30, 22, tzinfo=PLAIN_UTC))
JUNE = as_moment(datetime(2026, 5, 31, 22, tzinfo=PLAIN_UTC))
WORD_FIELDS = {
    *("firstName", "lastName", "email", "msisdn", "company", "city", "state", "street", "zip"),
    *("textFields", "answeredSurveyQuestions"),
}


def parsed(**given: str) -> ContactFilter:
    return parse_filter(given, now=NOW, zone=OSLO)


def refusal(**given: str) -> str:
    with pytest.raises(InputError) as caught:
        parsed(**given)
    return str(caught.value)


def grouping_refusal(text: str) -> str:
    with pytest.raises(InputError) as caught:
        parse_group_by(text)
    return str(caught.value)


def test_no_parameter_admits_everybody() -> None:
    assert parsed() == EVERYBODY


def test_empty_texts_and_any_mean_not_given() -> None:
    names = [
        *NAMED_FILTERS,
        *(f"{t}_{end}" for t in TIMES.values() for end in ("after", "before")),
    ]
    blank = dict.fromkeys([*names, "query", "has", "status", "accepted_communication"], "")
    assert parsed(**blank) == EVERYBODY
    assert parsed(status="any", accepted_communication="any") == EVERYBODY


@pytest.mark.parametrize("status", ["lead", "customer", "lost", "converted"])
def test_a_status_is_a_word(status: str) -> None:
    assert parsed(status=status).statuses == frozenset({Status(status)})


@pytest.mark.parametrize(
    ("status", "others"),
    [
        ("lead, Customer", {Status.LOST, Status.CONVERTED, Status.UNKNOWN}),
        ("-lost, -converted, -unknown", {Status.LOST, Status.CONVERTED, Status.UNKNOWN}),
        ("any", set()),
    ],
)
def test_several_statuses_are_any_of_them(status: str, others: set[Status]) -> None:
    assert (parsed(status=status).statuses or frozenset(Status)) == frozenset(Status) - others


def test_a_status_cannot_be_wanted_and_unwanted() -> None:
    assert "both ways" in refusal(status="lead, -lead")


@pytest.mark.parametrize("status", ["2", "leads", "Lead!"])
def test_another_status_is_refused_with_the_choice(status: str) -> None:
    assert refusal(status=status).startswith("status does not know")


@pytest.mark.parametrize(
    ("given", "answers"),
    [
        ("yes", {Consent.YES}),
        ("No", {Consent.NO}),
        ("unasked", {Consent.UNASKED}),
        ("yes, unasked", {Consent.YES, Consent.UNASKED}),
        ("-no", {Consent.YES, Consent.UNASKED}),
    ],
)
def test_accepted_communication_is_any_of_several_answers(
    given: str, answers: set[Consent]
) -> None:
    assert parsed(accepted_communication=given).consents == frozenset(answers)


@pytest.mark.parametrize("given", ["any", "", " "])
def test_any_answer_about_communication_is_no_filter(given: str) -> None:
    assert parsed(accepted_communication=given).consents is None


def test_another_answer_about_communication_is_refused_with_the_choice() -> None:
    message = refusal(accepted_communication="maybe")
    assert message.startswith("accepted_communication does not know 'maybe'")
    assert "yes, no, unasked" in message


@pytest.mark.parametrize("sort", TIMES)
def test_a_span_has_a_start_and_an_end_in_the_zone(sort: Sort) -> None:
    stem = TIMES[sort]
    wanted = parsed(**{f"{stem}_after": "2026-05-01", f"{stem}_before": "2026-06-01"})
    assert wanted == ContactFilter(spans={sort: Span(MAY, JUNE)})


@pytest.mark.parametrize("sort", TIMES)
def test_a_span_may_be_open(sort: Sort) -> None:
    stem = TIMES[sort]
    assert parsed(**{f"{stem}_after": "2026-05-01"}).spans == {sort: Span(MAY, None)}
    assert parsed(**{f"{stem}_before": "2026-06-01"}).spans == {sort: Span(None, JUNE)}


def test_an_age_counts_from_the_given_present() -> None:
    assert parsed(updated_after="1d").spans == {Sort.UPDATED: Span(NOW - 86_400 * 10**6)}


@pytest.mark.parametrize("stem", TIMES.values())
@pytest.mark.parametrize("end", ["after", "before"])
def test_a_wrong_time_is_refused_by_its_parameter(stem: str, end: str) -> None:
    assert refusal(**{f"{stem}_{end}": "soon"}).startswith(f"{stem}_{end} is not a time: write")


@pytest.mark.parametrize("stem", TIMES.values())
@pytest.mark.parametrize("before", ["2026-05-01", "2026-04-01"])
def test_a_span_that_admits_nobody_is_refused(stem: str, before: str) -> None:
    message = refusal(**{f"{stem}_after": "2026-05-01", f"{stem}_before": before})
    assert message.startswith(f"{stem}_after is not earlier than {stem}_before")
    assert "swap them" in message


@pytest.mark.parametrize("name", list(NAMED_FILTERS))
def test_a_named_value_is_folded(name: str) -> None:
    assert parsed(**{name: "  ÅSANE  Øst "}).texts == {
        name: Choice(frozenset({Wanted("asane ost")}))
    }


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("email", {"email": True}),
        ("-phone", {"phone": False}),
        ("email, -phone , Visits", {"email": True, "phone": False, "visits": True}),
        ("- rewards,,", {"rewards": False}),
        ("email,email", {"email": True}),
        (",".join(HAS), dict.fromkeys(HAS, True)),
    ],
)
def test_has_names_what_is_there_and_with_a_minus_what_is_not(
    text: str, has: dict[str, bool]
) -> None:
    assert parsed(has=text).has == has


@pytest.mark.parametrize("text", ["mail", "email phone", "-", "!email", "x" * 300])
def test_an_unknown_has_is_refused_with_the_choice(text: str) -> None:
    message = refusal(has=text)
    assert message.startswith("has does not know '")
    assert ", ".join(HAS) in message
    assert len(message) < 250


@pytest.mark.parametrize("text", ["email,-email", "-visits,visits"])
def test_has_both_ways_is_refused(text: str) -> None:
    name = text.split(",")[0].lstrip("-")
    assert refusal(has=text).startswith(f"has names {name} both ways: give it once")


@given(st.text(max_size=20))
def test_any_query_can_be_meant(query: str) -> None:
    try:
        wanted = parsed(query=query)
    except InputError:
        # There is something, but nothing to be seen of it.
        assert query.strip()
        assert not fold(query)
        return
    assert bool(wanted.terms) == bool(fold(query))


@pytest.mark.parametrize(
    ("given", "only"),
    [
        ({}, True),
        ({"status": "lead"}, True),
        ({"query": "anna"}, False),
        ({"query": "+4712345678"}, False),
        ({"created_after": "7d"}, False),
        ({"city": "Oslo"}, False),
        ({"accepted_communication": "no"}, False),
        ({"has": "email"}, False),
    ],
)
def test_a_filter_knows_whether_it_asks_for_the_status_alone(
    given: dict[str, str], only: bool
) -> None:
    assert parsed(**given).only_status is only


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({}, set()),
        ({"status": "lead"}, {"status"}),
        ({"query": "anna"}, WORD_FIELDS),
        ({"query": "+4712345678"}, WORD_FIELDS),
        ({"created_after": "7d"}, {"createdAt"}),
        ({"updated_before": "7d"}, {"updatedAt"}),
        ({"conversation_after": "7d"}, {"lastConversationDate"}),
        ({"city": "x"}, {"city"}),
        ({"country": "x"}, {"visitList"}),
        ({"company": "x"}, {"company"}),
        ({"utm_source": "x"}, {"visitList"}),
        ({"utm_medium": "x"}, {"visitList"}),
        ({"utm_campaign": "x"}, {"visitList"}),
        ({"device": "x"}, {"visitList"}),
        ({"flow": "x"}, {"rewardFlows", "textFields"}),
        ({"promo_presented": "x"}, {"promosPresented"}),
        ({"promo_redeemed": "x"}, {"promosRedeemed"}),
        ({"inviter": "x"}, {"inviterUser"}),
        ({"accepted_communication": "no"}, {"acceptedCommunication"}),
        ({"has": "email"}, {"email"}),
        ({"has": "-phone"}, {"msisdn"}),
        ({"has": "conversation"}, {"lastConversationDate"}),
        ({"has": "visits"}, {"visitList"}),
        ({"has": "rewards"}, {"rewardFlows"}),
        ({"has": "referrals"}, {"usersReferred"}),
    ],
)
def test_a_region_names_the_fields_that_the_question_reads(
    given: dict[str, str], fields: set[str]
) -> None:
    assert parsed(**given).region().fields == fields


def test_a_region_starts_where_the_span_does() -> None:
    wanted = parsed(created_after="2026-05-01", updated_after="2026-06-01")
    assert wanted.region().after == {Sort.CREATED: MAY, Sort.UPDATED: JUNE}


def test_a_region_of_a_span_without_a_start_holds_every_contact_that_has_the_time() -> None:
    assert parsed(conversation_before="7d").region().after == {Sort.CONVERSATION: ABSENT + 1}


def test_a_region_knows_the_one_status_admitted() -> None:
    assert parsed(status="lost").region().statuses == frozenset({Status.LOST})
    assert parsed().region() == Region()


@pytest.mark.parametrize("name", DIMENSIONS)
def test_a_region_takes_in_what_a_dimension_reads(name: str) -> None:
    assert EVERYBODY.region(DIMENSIONS[name].reads).fields


def test_a_survey_dimension_reads_the_answers() -> None:
    (dimension,) = parse_group_by("survey:colour")
    assert EVERYBODY.region(dimension.reads).fields == {"answeredSurveyQuestions"}


def test_no_group_by_is_no_dimension() -> None:
    assert parse_group_by("") == parse_group_by(" , ") == ()


@pytest.mark.parametrize("name", DIMENSIONS)
def test_a_dimension_is_found_by_its_name(name: str) -> None:
    assert parse_group_by(f" {name.upper()} ") == (DIMENSIONS[name],)


def test_a_question_with_a_comma_stands_in_quotes() -> None:
    first, second = parse_group_by('"survey:Tea, or coffee?", city')
    assert (first.question, second.name) == ("tea, or coffee?", "city")


def test_promo_is_another_name_of_promotions_presented() -> None:
    assert parse_group_by("Promo") == (DIMENSIONS["promo_presented"],)
    assert "promo" not in DIMENSIONS


def test_a_dimension_takes_no_minus() -> None:
    assert grouping_refusal("-city").startswith("group_by takes no minus")


def test_two_dimensions_are_given_in_order() -> None:
    assert [d.name for d in parse_group_by("created_week, status")] == ["created_week", "status"]


@pytest.mark.parametrize("text", ["survey:Which Côlour", "Survey: which colour"])
def test_a_survey_dimension_holds_the_folded_words_of_its_question(text: str) -> None:
    (dimension,) = parse_group_by(text)
    assert (dimension.kind, dimension.source) == (Kind.LABEL, "survey")
    assert dimension.question == "which colour"
    assert dimension.name == text


@pytest.mark.parametrize("text", ["colour", "survey:", "surveys", "status;city", "x" * 300])
def test_an_unknown_dimension_is_refused_with_the_choice(text: str) -> None:
    message = grouping_refusal(text)
    assert message.startswith("group_by does not know '")
    assert ", ".join(DIMENSIONS) in message
    assert "survey:<question id or words>" in message
    assert len(message) < 600


@pytest.mark.parametrize(
    "text", ["status,city,country", "status,status", "city, City", "survey:Foo,survey:foo"]
)
def test_more_than_two_dimensions_or_one_twice_are_refused(text: str) -> None:
    assert grouping_refusal(text).startswith("group_by takes up to two different dimensions")


@given(st.text())
def test_any_group_by_is_dimensions_or_an_input_error(text: str) -> None:
    with contextlib.suppress(InputError):
        assert len(parse_group_by(text)) <= 2
