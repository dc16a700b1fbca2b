"""Reading contacts: nothing loses one, what can be read is kept, what cannot is named."""

import json
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smoc_mcp.api.models import ApiAnswer, Contact, Person, ReadContact, Visit, read_contact

GUIDE: dict[str, Any] = {
    "id": "665a1b2c3d4e5f6789012345",
    "email": "alex@example.com",
    "firstName": "Alex",
    "lastName": "Smith",
    "msisdn": "+4712345678",
    "status": "2",
    "operatorId": "10",
    "createdAt": "2025-03-15T10:22:00.000Z",
    "lastConversationDate": "2025-06-01T14:30:00.000Z",
    "visitList": [
        {"deviceType": "mobile", "browser": "Chrome", "country": "NO", "utmSource": "google"}
    ],
}
FULL: dict[str, Any] = {
    **GUIDE,
    "userId": "77",
    "company": "Smoc AS",
    "city": "Oslo",
    "state": "Oslo",
    "street": "Storgata 1",
    "zip": "0150",
    "brandId": "3",
    "updatedAt": "2025-06-02T08:00:00.000Z",
    "acceptedCommunication": True,
    "acceptedPrivacy": False,
    "inviterUser": {"id": 123, "firstName": "Jane", "lastName": "Doe", "email": "jane@example.com"},
    "rewardFlows": [{"id": "r1", "title": "Quiz"}],
    "promosPresented": [{"id": "p1", "title": "Summer promo"}],
    "promosRedeemed": [{"id": "p2", "title": "Winter promo"}],
    "answeredSurveyQuestions": [
        {"questionId": "q1", "question": "Colour?", "answer": "Blue", "answeredAt": "2025-06-01"}
    ],
    "usersReferred": [{"id": 124, "firstName": "Ola"}],
    "referralLinks": [
        {"key": "k", "campaignId": 1, "campaignName": "Friends", "flowVariantId": 1, "share": True}
    ],
    "textFields": [{"flowId": "f1", "flowName": "Welcome", "key": "size", "value": "XL"}],
}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**40), 10**40)
    | st.floats()
    | st.text(st.characters(), max_size=10)
    | st.sampled_from(["2025-03-15T10:22:00Z", "1899-01-01", "9999-12-31T23:59:59-12:00", "1", ""]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from([*FULL, "title", "answer", "question", "value", "text"]) | st.text(),
            inner,
        )
    ),
    max_leaves=12,
)


def read(raw: object) -> ReadContact:
    found = read_contact(raw)
    assert found is not None
    return found


def contact(**fields: object) -> Contact:
    return read({"id": "1", **fields}).contact


def unread(**fields: object) -> set[str]:
    return set(read({"id": "1", **fields}).unread)


def paths(value: object, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return where values are in a JSON value, itself left out."""
    here = list(enumerate(value)) if isinstance(value, list) else []
    inside = list(value.items()) if isinstance(value, dict) else here
    return [p for k, v in inside for p in [(*at, k), *paths(v, (*at, k))]]


def with_value(raw: dict[str, Any], path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    changed: Any = deepcopy(raw)
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return dict(changed)


def test_the_example_of_the_guide_is_read_whole() -> None:
    found = read(GUIDE)
    assert found.unread == set()
    assert found.contact.model_dump(exclude_unset=True) == {
        "id": "665a1b2c3d4e5f6789012345",
        "email": "alex@example.com",
        "first_name": "Alex",
        "last_name": "Smith",
        "msisdn": "+4712345678",
        "status": "2",
        "operator_id": "10",
        "created_at": datetime(2025, 3, 15, 10, 22, tzinfo=UTC),
        "last_conversation_date": datetime(2025, 6, 1, 14, 30, tzinfo=UTC),
        "visit_list": (
            {"device_type": "mobile", "browser": "Chrome", "country": "NO", "utm_source": "google"},
        ),
    }


def test_every_field_of_the_guide_is_read() -> None:
    found = read(FULL)
    assert found.unread == set()
    assert found.contact.model_fields_set == set(Contact.model_fields)
    assert found.contact.referral_links[0].campaign_id == "1"
    assert found.contact.answered_survey_questions[0].answer == "Blue"


def test_an_id_alone_is_a_contact() -> None:
    assert read({"id": "1"}).contact == Contact(id="1")


@pytest.mark.parametrize("name", [n for n in FULL if n != "id"])
def test_null_is_the_same_as_absent(name: str) -> None:
    absent = read({k: v for k, v in FULL.items() if k != name})
    null = read({**FULL, name: None})
    assert null.contact == absent.contact
    assert null.unread == set()


@pytest.mark.parametrize("path", [p for p in paths(FULL) if len(p) > 1 and isinstance(p[-1], str)])
def test_null_inside_a_nested_object_is_no_loss(path: tuple[str | int, ...]) -> None:
    assert read(with_value(FULL, path, None)).unread == set()


def test_unknown_fields_are_ignored_at_every_depth() -> None:
    known = read(GUIDE).contact
    more = {**GUIDE, "score": {"a": [1]}, "visitList": [{**GUIDE["visitList"][0], "colour": "red"}]}
    assert read(more).contact == known
    assert read(more).unread == set()


@pytest.mark.parametrize("status", ["5", "archived", ""])
def test_a_new_status_is_kept_as_it_is(status: str) -> None:
    assert contact(status=status).status == status


def test_a_number_for_a_string_is_taken() -> None:
    assert contact(msisdn=4712345678).msisdn == "4712345678"
    assert contact(status=2).status == "2"
    assert contact(zip=150).zip == "150"


def test_an_object_for_a_list_is_a_list_of_one() -> None:
    assert contact(visitList={"browser": "Chrome"}).visit_list == (Visit(browser="Chrome"),)


def test_an_id_for_a_person_is_a_person_of_whom_only_that_is_known() -> None:
    found = contact(inviterUser=123, usersReferred=["124", {"id": 125}])
    assert found.inviter_user == Person(id="123")
    assert found.users_referred == (Person(id="124"), Person(id="125"))


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("2025-03-15T10:22:00.123Z", datetime(2025, 3, 15, 10, 22, 0, 123000, UTC)),
        ("2025-03-15T12:22:00+02:00", datetime(2025, 3, 15, 10, 22, tzinfo=UTC)),
        ("2025-03-15T10:22:00", datetime(2025, 3, 15, 10, 22, tzinfo=UTC)),
        ("2025-03-15", datetime(2025, 3, 15, tzinfo=UTC)),
        (1742034120000, datetime(2025, 3, 15, 10, 22, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_as_utc(sent: object, meant: datetime) -> None:
    assert contact(createdAt=sent).created_at == meant


@pytest.mark.parametrize(
    "sent",
    [
        *("soon", "", "2025-02-30", "2025-13-01T00:00:00Z", "0000-00-00T00:00:00Z", "2025"),
        *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", True, {}, [], float("nan"), 10**30),
    ],
)
@pytest.mark.parametrize("name", ["createdAt", "updatedAt", "lastConversationDate"])
def test_a_bad_date_is_left_out_and_named(name: str, sent: object) -> None:
    found = read({**FULL, name: sent})
    assert found.unread == {name}
    assert found.contact == read({**FULL, name: None}).contact


@pytest.mark.parametrize(
    ("name", "junk"),
    [
        ("email", {"a": 1}),
        ("firstName", ["Anna"]),
        ("status", True),
        ("acceptedCommunication", "perhaps"),
        ("inviterUser", []),
        ("inviterUser", True),
        ("rewardFlows", "Quiz"),
        ("visitList", 5),
        ("textFields", False),
    ],
)
def test_a_value_of_another_kind_is_left_out_and_named(name: str, junk: object) -> None:
    found = read({**FULL, name: junk})
    assert found.unread == {name}
    assert found.contact == read({**FULL, name: None}).contact


def test_junk_in_a_nested_object_costs_that_value_alone() -> None:
    found = read(
        {"id": "1", "visitList": [{"browser": {"a": 1}, "country": "NO"}, {"browser": "Edge"}]}
    )
    assert found.contact.visit_list == (Visit(country="NO"), Visit(browser="Edge"))
    assert found.unread == {"visitList"}


def test_junk_in_an_object_for_a_list_costs_that_value_alone() -> None:
    found = read({"id": "1", "visitList": {"browser": {"a": 1}, "country": "NO"}})
    assert found.contact.visit_list == (Visit(country="NO"),)
    assert found.unread == {"visitList"}


def test_junk_in_a_person_costs_that_value_alone() -> None:
    found = read({"id": "1", "inviterUser": {"id": 5, "email": ["x"], "firstName": "Jane"}})
    assert found.contact.inviter_user == Person.model_validate({"id": 5, "firstName": "Jane"})


def test_junk_among_visits_does_not_move_the_others() -> None:
    found = read({"id": "1", "visitList": ["junk", {"browser": "Edge"}, None]})
    assert found.contact.visit_list[1] == Visit(browser="Edge")
    assert found.unread == {"visitList"}


def test_everything_that_cannot_be_read_is_named() -> None:
    assert unread(createdAt="x", email={}, visitList=[{"ip": {}}]) == {
        "createdAt",
        "email",
        "visitList",
    }


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("Blue", "Blue"),
        (5, "5"),
        (True, "yes"),
        (False, "no"),
        (None, None),
        (["Blue", "Red"], "Blue, Red"),
        (["Blue", None], "Blue"),
        ([True, 5], "yes, 5"),
        ({"text": "Blue", "lang": "en"}, "Blue"),
        ({"text": None, "value": 5}, "5"),
        ([{"title": "Blue"}, {"label": "Red"}], "Blue, Red"),
        ({"value": True}, "yes"),
    ],
)
def test_an_answer_of_any_shape_is_words(answer: object, words: str | None) -> None:
    found = read({"id": "1", "answeredSurveyQuestions": [{"question": "Q?", "answer": answer}]})
    assert found.contact.answered_survey_questions[0].answer == words
    assert found.unread == set()


@pytest.mark.parametrize("raw", [{}, {"id": None}, {"id": ""}, {"id": {}}, {"id": True}])
def test_without_an_id_the_content_is_the_identity(raw: dict[str, object]) -> None:
    found = read({**raw, "email": "a@example.com"})
    assert found.contact.id.startswith("unidentified-")
    assert found.contact.email == "a@example.com"
    assert found.unread == {"id"}


@pytest.mark.parametrize(
    "known", [{"userId": 77, "email": "a@x.no"}, {"userId": "77"}, {"email": " A@X.no "}]
)
def test_an_entry_without_an_id_stays_the_same_contact_when_its_content_changes(
    known: dict[str, object],
) -> None:
    before, after = read({**known, "city": "Oslo"}), read({**known, "city": "Bergen"})
    assert before.contact.id == after.contact.id
    assert before.digest != after.digest


def test_entries_without_an_id_are_apart_by_user_before_address() -> None:
    one, other = read({"userId": 1, "email": "a@x.no"}), read({"userId": 2, "email": "a@x.no"})
    assert one.contact.id != other.contact.id
    assert read({"userId": "a@x.no"}).contact.id != read({"email": "a@x.no"}).contact.id


def test_two_contents_without_an_id_are_two_contacts() -> None:
    assert read({"email": "a@x.no"}).contact.id != read({"email": "b@x.no"}).contact.id


def test_a_numeric_id_is_the_same_as_its_text() -> None:
    assert read({"id": 5}).contact.id == read({"id": "5"}).contact.id == "5"


def test_half_a_surrogate_pair_loses_no_contact() -> None:
    found = read({"id": "1", "firstName": "\ud83d", "lastName": "Berg", "\udc00": "\udc00"})
    assert (found.contact.id, found.contact.last_name) == ("1", "Berg")
    assert json.loads(found.source)["firstName"] == "\ud83d"


def test_a_deeply_nested_value_loses_no_contact() -> None:
    deep: Any = "x"
    for _ in range(150):
        deep = [deep]
    found = read({**GUIDE, "score": deep, "answeredSurveyQuestions": [{"answer": deep}]})
    assert found.contact.email == "alex@example.com"


@pytest.mark.parametrize("raw", [None, "x", 5, True, [], [{"id": "1"}]])
def test_what_is_no_object_is_no_contact(raw: object) -> None:
    assert read_contact(raw) is None


def test_the_source_is_the_json_that_was_sent() -> None:
    assert json.loads(read(FULL).source) == FULL


def test_the_digest_tells_contents_apart() -> None:
    assert read(GUIDE).digest == read(deepcopy(GUIDE)).digest
    assert read(GUIDE).digest != read({**GUIDE, "score": 1}).digest


def test_a_page_knows_what_it_lost() -> None:
    kept = (read({"id": "1"}), read({"email": "a@x.no"}))
    assert ApiAnswer(contacts=kept, sent=3, limit=3, leads=3, customers=0).lost == 2


@settings(deadline=None, max_examples=150)
@given(st.dictionaries(st.sampled_from(list(FULL)) | st.text(), JSON))
def test_any_object_is_a_contact(raw: dict[str, Any]) -> None:
    found = read(raw)
    assert found.contact.id
    assert found.unread <= {"id", *FULL}


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(paths(FULL)), JSON)
@example(("createdAt",), "9999-12-31T23:59:59-12:00")
@example(("visitList",), {"createdAt": "junk", "browser": "Edge"})
def test_one_odd_value_anywhere_touches_no_other_field(
    path: tuple[str | int, ...], value: object
) -> None:
    found = read(with_value(FULL, path, value))
    assert found.unread <= {path[0]}
    whole = read(FULL).contact
    for name, field in Contact.model_fields.items():
        if field.alias != path[0]:
            assert getattr(found.contact, name) == getattr(whole, name)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([p for p in paths(FULL) if p[0] != "id"]), JSON)))
def test_odd_values_in_many_places_lose_no_contact(
    changes: list[tuple[tuple[str | int, ...], object]],
) -> None:
    raw = FULL
    for path, value in changes:
        try:
            raw = with_value(raw, path, value)
        except (TypeError, KeyError, IndexError, AttributeError):
            continue  # an earlier change took the place away
    found = read(raw)
    assert found.contact.id == FULL["id"]
    assert found.unread <= {path[0] for path, _ in changes}
