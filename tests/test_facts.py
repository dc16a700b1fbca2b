"""What is derived of a contact: from the right visit, each value once, found by its words."""

import pytest

from smoc_mcp.api.facts import Facts, Identity, Label, facts_of, full_name, keys_of, status_of
from smoc_mcp.api.models import Person, ReadContact, read_contact
from smoc_mcp.proof.windows import ABSENT, Status
from smoc_mcp.text.times import as_moment


def read(**fields: object) -> ReadContact:
    contact = read_contact({"id": "1", **fields})
    assert contact is not None
    return contact


def facts(**fields: object) -> Facts:
    return facts_of(read(**fields))


VISITS = [
    {
        "country": "NO",
        "deviceType": "mobile",
        "browser": "Safari",
        "utmSource": "google",
        "utmMedium": "cpc",
        "utmCampaign": "spring",
    },
    {"country": "DK", "deviceType": "tablet", "browser": "Edge", "utmSource": "mail"},
    {
        "country": "SE",
        "deviceType": "desktop",
        "browser": "Chrome",
        "utmSource": "bing",
        "utmMedium": "organic",
        "utmCampaign": "autumn",
    },
]


def test_the_source_is_of_the_first_visit() -> None:
    found = facts(visitList=VISITS)
    assert (
        found.values["utm_source"],
        found.values["utm_medium"],
        found.values["utm_campaign"],
    ) == ("google", "cpc", "spring")


def test_country_device_and_browser_are_of_the_newest_visit() -> None:
    found = facts(visitList=VISITS)
    assert (found.values["country"], found.values["device"], found.values["browser"]) == (
        "SE",
        "desktop",
        "Chrome",
    )


def test_one_visit_is_the_first_and_the_newest() -> None:
    found = facts(visitList=VISITS[:1])
    assert (found.values["utm_source"], found.values["country"]) == ("google", "NO")


def test_a_value_that_the_visit_lacks_is_not_taken_from_another() -> None:
    found = facts(visitList=[{"browser": "Safari"}, VISITS[1], {"utmSource": "bing"}])
    assert (found.values["utm_source"], found.values["country"], found.values["browser"]) == (
        None,
        None,
        None,
    )


@pytest.mark.parametrize("visits", [None, []])
def test_a_contact_without_visits_has_none_of_their_values(visits: object) -> None:
    found = facts(visitList=visits)
    assert not found.counts["visits"]
    assert (found.values["country"], found.values["device"], found.values["utm_source"]) == (
        None,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (None, Status.LEAD),
        ("", Status.LEAD),
        ("1", Status.LEAD),
        (1, Status.LEAD),
        ("2", Status.CUSTOMER),
        (2, Status.CUSTOMER),
        ("3", Status.LOST),
        ("4", Status.CONVERTED),
        ("5", Status.UNKNOWN),
        ("lead", Status.UNKNOWN),
        ({"id": "2"}, Status.UNKNOWN),
        (True, Status.UNKNOWN),
    ],
)
def test_a_status_is_a_word_and_one_that_cannot_be_read_is_unknown(
    sent: object, status: Status
) -> None:
    assert status_of(read(status=sent)) is status


def test_a_contact_that_names_no_status_is_a_lead() -> None:
    assert status_of(read()) is Status.LEAD


def test_the_keys_are_the_times_as_moments_the_status_and_the_digest() -> None:
    contact = read(createdAt="2025-03-15T10:22:00.123Z", updatedAt="junk", status="2")
    assert contact.contact.created_at is not None
    assert keys_of(contact) == (
        as_moment(contact.contact.created_at),
        ABSENT,
        ABSENT,
        Status.CUSTOMER,
        contact.digest,
    )


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"firstName": "Anna", "lastName": "Berg"}, "Anna Berg"),
        ({"firstName": "Anna"}, "Anna"),
        ({"firstName": "", "lastName": "Berg"}, "Berg"),
        ({"firstName": " ", "lastName": None}, None),
        ({}, None),
    ],
)
def test_a_name_is_as_much_of_it_as_there_is(fields: dict[str, object], name: str | None) -> None:
    assert facts(**fields).name == name


def test_a_person_is_named_like_a_contact() -> None:
    assert full_name(Person.model_validate({"firstName": "Jane", "lastName": "Doe"})) == "Jane Doe"


@pytest.mark.parametrize(
    ("inviter", "shown"),
    [
        ({"id": 1, "firstName": "Jane", "lastName": "Doe", "email": "j@x.no"}, "Jane Doe"),
        ({"id": 1, "email": "j@x.no"}, "j@x.no"),
        ({"id": 123}, "123"),
        (123, "123"),
        ({}, None),
        (None, None),
    ],
)
def test_an_inviter_is_shown_by_the_best_that_is_known(inviter: object, shown: str | None) -> None:
    assert facts(inviterUser=inviter).values["inviter"] == shown


@pytest.mark.parametrize(
    ("inviter", "who"),
    [
        (
            {"id": "AB1", "firstName": "Jane", "email": "J@x.no"},
            Identity("ab1", "\njane\nj@x.no\n"),
        ),
        ({"firstName": "Jane", "email": "<J@X.no>"}, Identity("j@x.no", "\njane\n<j@x.no>\n")),
        ({"firstName": "Jané", "lastName": "Doe"}, Identity("jane doe", "\njane doe\n")),
        (123, Identity("123", "\n123\n")),
        ({"firstName": " "}, None),
        (None, None),
    ],
)
def test_an_inviter_is_told_by_id_else_address_else_name(
    inviter: object, who: Identity | None
) -> None:
    assert facts(inviterUser=inviter).identities["inviter"] == who


def test_an_empty_text_is_no_value() -> None:
    found = facts(email="", msisdn="", company="", city="", visitList=[{"country": ""}])
    values = (
        found.email,
        found.phone,
        found.values["company"],
        found.values["city"],
        found.values["country"],
    )
    assert values == (None,) * 5


def test_an_address_and_a_number_have_their_keys_for_comparison() -> None:
    found = facts(email=" An.na+x@Example.COM ", msisdn="+47 123 45 678")
    assert (found.email_key, found.mailbox) == ("an.na+x@example.com", "anna")
    assert "  4712345678  " in found.words["phone"]


def test_what_was_earned_and_referred_is_known() -> None:
    found = facts(rewardFlows=[{"id": "1"}], usersReferred=[{"id": 2}])
    assert (found.counts["rewards"], found.counts["referrals"]) == (1, 1)
    assert not any(facts().counts.values())


@pytest.mark.parametrize(("sent", "accepted"), [(True, True), (False, False), (None, None)])
def test_an_answer_about_communication_is_kept_apart_from_none(
    sent: object, accepted: bool | None
) -> None:
    assert facts(acceptedCommunication=sent).accepted_communication is accepted


def test_labels_come_of_flows_promotions_campaigns_and_answers() -> None:
    found = facts(
        rewardFlows=[{"title": "Quiz"}],
        textFields=[{"flowName": "Welcome", "value": "x"}],
        promosPresented=[{"title": "Summer"}],
        promosRedeemed=[{"title": "Winter"}],
        referralLinks=[{"campaignName": "Friends"}],
        answeredSurveyQuestions=[{"questionId": "Q1", "question": "Colour?", "answer": "Blue"}],
    )
    assert found.labels == (
        Label("flow", "Quiz"),
        Label("flow", "Welcome"),
        Label("promo_presented", "Summer"),
        Label("promo_redeemed", "Winter"),
        Label("referral_campaign", "Friends"),
        Label("survey", "Blue", "q1", "Colour?"),
        Label("text", "x", "", "(unnamed)"),
    )


def test_a_label_comes_once_whatever_its_spelling() -> None:
    found = facts(
        promosPresented=[{"title": "Sommer Øst"}, {"title": "SOMMER  ØST"}],
    )
    assert len(found.labels) == 1


def test_the_same_answer_to_two_questions_is_two_labels() -> None:
    found = facts(
        answeredSurveyQuestions=[
            {"question": "Tea?", "answer": "Yes"},
            {"question": "Coffee?", "answer": "Yes"},
        ]
    )
    assert [label.question for label in found.labels] == ["Tea?", "Coffee?"]


def test_the_same_title_as_a_flow_and_as_a_promotion_is_two_labels() -> None:
    found = facts(rewardFlows=[{"title": "Quiz"}], promosPresented=[{"title": "Quiz"}])
    assert [label.kind for label in found.labels] == ["flow", "promo_presented"]


def test_a_label_without_a_value_is_none() -> None:
    found = facts(
        rewardFlows=[{"id": "1"}, {"title": ""}, {"title": " \u200b"}],
        referralLinks=[{"key": "k"}],
        answeredSurveyQuestions=[{"question": "Colour?"}],
    )
    assert found.labels == ()


BLANK = (None, "", " ", "\n\t", "\u200b", "\u00ad \u2060", "&shy;", " &#8203;&shy", "\u3164")


@pytest.mark.parametrize("blank", BLANK)
def test_a_blank_answer_counts_nowhere(blank: str | None) -> None:
    found = facts(
        answeredSurveyQuestions=[
            {"questionId": "q1", "question": "Colour?", "answer": blank},
            {"questionId": "q1", "question": "Colour?", "answer": "0"},
        ],
        textFields=[{"key": "size", "value": blank}, {"key": "size", "value": "&"}],
    )
    assert found.labels == (Label("survey", "0", "q1", "Colour?"), Label("text", "&", "", "size"))
    assert (found.counts["surveys"], found.counts["texts"]) == (1, 1)


def test_every_answer_counts_also_one_that_is_given_twice() -> None:
    found = facts(answeredSurveyQuestions=[{"question": "Tea?", "answer": "Yes"}] * 2)
    assert (len(found.labels), found.counts["surveys"]) == (1, 2)


@pytest.mark.parametrize("blank", BLANK)
@pytest.mark.parametrize(
    ("entry", "question"),
    [
        ({"questionId": "Q1", "question": "Colour?"}, "Colour?"),
        ({"questionId": "Q1", "question": None}, "Q1"),
        ({"questionId": None, "question": None}, "(unnamed)"),
    ],
)
def test_a_question_is_called_by_its_words_else_by_its_id(
    entry: dict[str, str | None], question: str, blank: str | None
) -> None:
    sent = {name: blank if value is None else value for name, value in entry.items()}
    (label,) = facts(answeredSurveyQuestions=[{**sent, "answer": "Blue"}]).labels
    assert (label.question, label.question_id) == (question, "q1" if entry["questionId"] else "")


@pytest.mark.parametrize("blank", BLANK)
def test_a_text_without_a_key_is_unnamed(blank: str | None) -> None:
    (label,) = facts(textFields=[{"key": blank, "value": "Blue"}]).labels
    assert label.question == "(unnamed)"


def test_every_text_by_which_a_contact_is_looked_for_is_searchable_in_its_field() -> None:
    found = facts(
        firstName="Åse",
        lastName="Müller",
        email="ase@example.com",
        msisdn="+47 123",
        company="Smoc AS",
        city="Bodø",
        state="Nordland",
        street="Storgata 1",
        zip="8000",
        textFields=[{"key": "size", "value": "XL"}],
        answeredSurveyQuestions=[{"question": "Colour?", "answer": "Blue"}],
    )
    for field, words in {
        "name": ("ase", "muller", "aase", "mueller"),
        "email": ("ase@example.com",),
        "phone": ("47123", "+47", "47", "123"),
        "company": ("smoc", "as"),
        "place": ("bodo", "bodoe", "nordland", "storgata", "1", "8000"),
        "texts": ("xl",),
        "answers": ("blue",),
    }.items():
        assert set(found.words[field].split()) == set(words)


def test_no_two_values_are_one_text() -> None:
    found = facts(street="Anna", city="Oslo", textFields=[{"value": "a"}, {"value": "b"}])
    assert "anna  oslo" not in found.words["place"]
    assert "a  b" not in found.words["texts"]


def test_what_is_no_word_of_the_contact_is_not_searchable() -> None:
    found = facts(
        visitList=[{"ip": "10.0.0.1", "userAgent": "Mozilla", "landingPage": "https://x.no"}],
        inviterUser={"firstName": "Jane"},
    )
    assert not any(found.words.values())
