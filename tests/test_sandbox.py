"""The sandbox answers as the API's guide says, and fails as it is told, over real HTTP."""

import ast
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import cast, get_args

import httpx
import pytest

import smoc_mcp.sandbox as package
from smoc_mcp.sandbox import (
    ABSENT,
    ENDPOINT,
    FAULT_KINDS,
    FJELL_KEY,
    HOSTILE_TEXTS,
    NORDLYS_KEY,
    SORT_FIELDS,
    UNBOUND_KEY,
    VARIANTS,
    Company,
    Contact,
    Fault,
    FaultKind,
    Sandbox,
    run_in_thread,
)

NOW = datetime(2025, 9, 1, 12, tzinfo=UTC)
SORTS: tuple[str | None, ...] = (*SORT_FIELDS, None)


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Sandbox, httpx.Client]]:
    sandbox = Sandbox.demo(size=1_200, other_size=40, now=NOW)
    with run_in_thread(sandbox) as url, httpx.Client(base_url=url, timeout=5) as client:
        yield sandbox, client


@pytest.fixture
def sandbox(served: tuple[Sandbox, httpx.Client]) -> Iterator[Sandbox]:
    sandbox = served[0]
    yield sandbox
    sandbox.recover()
    sandbox.forget_requests()
    sandbox.latency = 0.0
    sandbox.before_answer = None


@pytest.fixture
def api(served: tuple[Sandbox, httpx.Client], sandbox: Sandbox) -> httpx.Client:
    assert not sandbox.requests
    client = served[1]
    client.headers = httpx.Headers({"token": NORDLYS_KEY, "accept-encoding": "gzip"})
    return client


@pytest.fixture
def nordlys(sandbox: Sandbox) -> Company:
    return sandbox.company("Nordlys")


@pytest.fixture
def small() -> Company:
    return Company("Small", seed=3, size=20, now=NOW, clock=lambda: NOW.timestamp() + 60)


def ask(api: httpx.Client, **params: str | int) -> httpx.Response:
    return api.get(ENDPOINT, params=params)


def data(response: httpx.Response) -> list[Contact]:
    assert response.status_code == 200, response.text
    return cast(list[Contact], response.json()["data"])


def ids(contacts: Sequence[Contact]) -> list[object]:
    return [contact["id"] for contact in contacts]


# The guide: who may ask.


def test_a_missing_token_is_401(api: httpx.Client) -> None:
    del api.headers["token"]
    answer = ask(api)
    assert answer.status_code == 401
    assert answer.json() == {"error": "Missing token header"}


@pytest.mark.parametrize("key", ["unknown", "sk_live_abc", "pk_test_abc"])
def test_an_unknown_key_or_one_of_the_wrong_type_is_401_with_a_hint(
    api: httpx.Client, key: str
) -> None:
    api.headers["token"] = key
    answer = ask(api)
    assert answer.status_code == 401
    assert answer.json() == {
        "error": "Invalid or revoked token",
        "hint": "You can create a valid token from the Integration Dashboard.",
    }


def test_a_key_in_the_authorization_header_is_not_seen(api: httpx.Client) -> None:
    del api.headers["token"]
    api.headers["authorization"] = f"Bearer {NORDLYS_KEY}"
    assert ask(api).json() == {"error": "Missing token header"}


def test_a_key_without_a_company_is_403(api: httpx.Client) -> None:
    api.headers["token"] = UNBOUND_KEY
    answer = ask(api)
    assert answer.status_code == 403
    assert answer.json() == {"error": "Unauthorized"}


def test_each_key_sees_its_own_company_only(api: httpx.Client) -> None:
    assert {contact["operatorId"] for contact in data(ask(api, limit=500))} == {"10"}
    api.headers["token"] = FJELL_KEY
    assert {contact["operatorId"] for contact in data(ask(api, limit=500))} == {"20"}


# The guide: what may be asked.


def test_a_limit_over_500_is_422(api: httpx.Client) -> None:
    answer = ask(api, limit=501)
    assert answer.status_code == 422
    assert answer.json() == {"error": "limit must not exceed 500"}


@pytest.mark.parametrize("limit", ["0", "-1", "ten", "1.5", "", "1e2", "9" * 5_000])
def test_a_limit_that_is_no_number_from_1_is_422_with_an_error(
    api: httpx.Client, limit: str
) -> None:
    answer = ask(api, limit=limit)
    assert answer.status_code == 422
    assert set(answer.json()) == {"error"}


@pytest.mark.parametrize("sort", ["", "email", "CREATEDAT", "-createdAt"])
def test_another_sort_field_is_422(api: httpx.Client, sort: str) -> None:
    answer = ask(api, sortByField=sort)
    assert answer.status_code == 422
    assert answer.json() == {"error": "Invalid sortByField value"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", ENDPOINT),
        ("PUT", ENDPOINT),
        ("DELETE", ENDPOINT),
        ("GET", "/"),
        ("GET", ENDPOINT + "/"),
        ("GET", "/api/company/contacts"),
        ("GET", "/sandbox/nothing"),
        ("DELETE", "/sandbox/companies"),
    ],
)
def test_another_path_or_method_is_a_plain_404(api: httpx.Client, method: str, path: str) -> None:
    answer = api.request(method, path)
    assert answer.status_code == 404
    assert answer.text == "Not Found"
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("limit", [1, 2, 499, 500])
def test_a_limit_is_kept(api: httpx.Client, limit: int) -> None:
    assert len(data(ask(api, limit=limit))) == limit


def test_the_default_limit_is_100(api: httpx.Client) -> None:
    assert len(data(ask(api))) == 100


def test_an_answer_has_data_and_both_counts_as_json(api: httpx.Client) -> None:
    answer = ask(api, limit=1)
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json()) == {"data", "leadsCount", "customerCount"}


def test_a_body_is_packed_only_when_asked(api: httpx.Client) -> None:
    plain = api.get(ENDPOINT, headers={"accept-encoding": "identity"})
    packed = api.get(ENDPOINT, headers={"accept-encoding": "gzip"})
    refused = api.get(ENDPOINT, headers={"accept-encoding": "gzip;q=0"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert "content-encoding" not in refused.headers
    assert packed.json() == plain.json() == refused.json()


# The guide: in which order.


@pytest.mark.parametrize("field", SORT_FIELDS)
def test_a_sorted_window_is_the_newest_of_the_truth(
    api: httpx.Client, nordlys: Company, field: str
) -> None:
    shown = [contact.get(field) or "" for contact in data(ask(api, limit=500, sortByField=field))]
    truth = [str(contact.get(field) or "") for contact in nordlys.contacts()]
    assert shown == sorted(truth, reverse=True)[:500]


def test_null_and_absent_sort_keys_come_last(small: Company) -> None:
    small.add(lastConversationDate=None)
    small.add(lastConversationDate=ABSENT)
    keys = [contact.get("lastConversationDate") for contact in small.page(SORT_FIELDS[2], 500)]
    without = [key for key in keys if key is None]
    assert len(keys) == 22
    assert len(without) >= 2
    assert keys[-len(without) :] == without


def test_without_a_sort_field_contacts_come_as_they_were_inserted(
    api: httpx.Client, nordlys: Company
) -> None:
    shown = data(ask(api, limit=500))
    assert ids(shown) == ids(list(nordlys.contacts()))[:500]
    assert ids(shown) == sorted(str(found) for found in ids(shown))


def test_the_legacy_alias_sorts_by_the_last_conversation(api: httpx.Client) -> None:
    alias = data(ask(api, sortByField="companyUsers.lastConversationDate"))
    assert ids(alias) == ids(data(ask(api, sortByField="lastConversationDate")))


def test_equal_times_come_in_one_order_that_is_not_that_of_insertion() -> None:
    tied = Company("Tied", now=NOW)
    made = tied.add(100, createdAt=NOW)
    shown = ids(tied.page("createdAt", 500))
    assert shown == ids(tied.page("createdAt", 500))
    assert sorted(map(str, shown)) == made
    assert shown not in (made, made[::-1])


def test_no_two_writes_have_one_time_by_chance() -> None:
    still = Company("Still", size=3, now=NOW, clock=NOW.timestamp)
    made = [*still.add(3), still.add()[0]]
    still.update(made[0], city="Oslo")
    still.talk(made[1])
    found = {str(c["id"]): c for c in still.contacts()}
    created = [str(found[i]["createdAt"]) for i in made]
    assert created == sorted(set(created))
    assert str(found[made[0]]["updatedAt"]) > created[-1]
    talked = found[made[1]]
    assert talked["updatedAt"] == talked["lastConversationDate"]
    assert str(talked["updatedAt"]) > str(found[made[0]]["updatedAt"])
    before = still.now()
    still.advance(2)
    assert still.now() == pytest.approx(before + 2)


def test_an_old_contact_is_in_the_natural_window_only() -> None:
    company = Company("Nordlys", seed=1, size=3_000, now=NOW)
    only = company.ids_only_in_natural_window()
    assert only
    for field in SORT_FIELDS:
        assert not set(only) & set(ids(company.page(field, 500)))
    assert set(only) <= set(ids(company.page(None, 500)))


# What is in a company.


def test_counts_are_those_of_all_contacts(api: httpx.Client, nordlys: Company) -> None:
    statuses = Counter(contact.get("status") for contact in nordlys.contacts())
    answer = ask(api, limit=1).json()
    assert answer["leadsCount"] == statuses["1"] + statuses[None]
    assert answer["customerCount"] == statuses["2"]


def test_the_same_seed_makes_the_same_company() -> None:
    first, second = (Company("A", seed=7, size=300, now=NOW) for _ in range(2))
    assert list(first.contacts()) == list(second.contacts())
    for field in SORTS:
        assert ids(first.page(field, 500)) == ids(second.page(field, 500))


def test_another_seed_makes_another_company() -> None:
    first, second = (Company("A", seed=seed, size=50, now=NOW) for seed in (1, 2))
    assert not set(ids(list(first.contacts()))) & set(ids(list(second.contacts())))


@pytest.mark.parametrize("size", [0, 1, 2])
def test_a_tiny_company_answers(size: int) -> None:
    company = Company("Tiny", size=size, now=NOW)
    for field in SORTS:
        assert len(company.page(field, 500)) == size
    assert company.leads_count + company.customer_count <= size == len(company)


def test_contacts_have_the_guides_fields_and_no_others(nordlys: Company) -> None:
    fields = set(
        """id userId email firstName lastName msisdn company city state street zip status
        brandId operatorId createdAt updatedAt lastConversationDate acceptedCommunication
        acceptedPrivacy inviterUser rewardFlows promosPresented promosRedeemed
        answeredSurveyQuestions usersReferred referralLinks visitList textFields""".split()  # noqa: SIM905 - as the guide has it
    )
    seen = Counter(name for contact in nordlys.contacts() for name in contact)
    assert set(seen) == fields
    assert seen["id"] == len(nordlys) > seen["email"]


def test_contacts_look_like_those_of_a_real_company() -> None:
    contacts = list(Company("Real", size=3_000, now=NOW).contacts())
    sizes = [len(json.dumps(contact, ensure_ascii=False)) for contact in contacts]
    emails = Counter(str(contact["email"]).lower() for contact in contacts if contact.get("email"))
    visits = [len(cast(list[object], contact.get("visitList") or [])) for contact in contacts]
    names = " ".join(str(contact.get("firstName")) for contact in contacts)
    assert 3_300 < sum(sizes) / len(sizes) < 4_700
    assert 10 < sum(1 for count in emails.values() if count > 1) < 90
    assert max(visits) == 60
    assert any(contact.get("email", "") is None for contact in contacts)
    for letter in "ØŁüαлم花":
        assert letter in names


def test_times_are_in_order_and_lie_in_the_two_years_before_now() -> None:
    for contact in Company("Times", size=500, now=NOW).contacts():
        created, updated = str(contact["createdAt"]), str(contact["updatedAt"])
        assert "2023-09-01" < created <= updated <= "2025-09-01T12:00:00.000Z"
        assert str(contact.get("lastConversationDate") or created) <= updated
        visits = [
            str(visit["createdAt"]) for visit in cast(list[Contact], contact.get("visitList") or [])
        ]
        assert visits == sorted(visits)


def test_addresses_belong_to_nobody() -> None:
    for contact in Company("Nobody", size=500, now=NOW, hostile=0).contacts():
        domain = str(contact.get("email") or "a@example.com").lower().rpartition("@")[2]
        assert domain in {"example.com", "example.org", "example.net"}


def test_hostile_text_is_in_about_the_asked_share_of_contacts() -> None:
    def spoiled(hostile: float) -> int:
        contacts = Company("H", size=1_000, now=NOW, hostile=hostile).contacts()
        clean = Company("H", size=1_000, now=NOW, hostile=0).contacts()
        return sum(one != other for one, other in zip(contacts, clean, strict=True))

    assert spoiled(0) == 0
    assert 2 <= spoiled(0.01) <= 30
    assert 400 <= spoiled(0.5) <= 600


def test_hostile_text_can_be_everywhere() -> None:
    company = Company("H", size=50, now=NOW, hostile="everywhere")
    for contact in company.contacts():
        for name in ("email", "firstName", "lastName", "company", "city", "msisdn", "zip"):
            assert contact[name] in HOSTILE_TEXTS
    assert company.leads_count == Company("H", size=50, now=NOW).leads_count


def test_hostile_text_survives_the_way_over_http() -> None:
    company = Company("H", size=200, now=NOW, hostile="everywhere")
    with run_in_thread(Sandbox({"key": company})) as url:
        answer = httpx.get(url + ENDPOINT, params={"limit": 200}, headers={"token": "key"})
    assert data(answer) == list(company.contacts())


# How a company changes.


def test_added_contacts_are_the_newest_and_have_the_given_fields(small: Company) -> None:
    made = small.add(2, email="new@example.com", status="2", msisdn=ABSENT)
    assert set(ids(small.page("createdAt", 2))) == set(made)
    assert ids(small.page(None, 500))[-2:] == made
    found = small.get(made[0])
    assert found is not None
    assert found["email"] == "new@example.com"
    assert "msisdn" not in found


def test_an_update_changes_what_it_names_and_the_update_time(small: Company) -> None:
    contact = small.page("createdAt", 20)[-1]
    changed_id = str(contact["id"])
    small.update(changed_id, city="Voss", status="7")
    assert small.get(changed_id) == {
        **contact,
        "city": "Voss",
        "status": "7",
        "updatedAt": "2025-09-01T12:01:00.000Z",
    }
    assert ids(small.page("updatedAt", 1)) == [changed_id]
    assert ids(small.page("createdAt", 20))[-1] == changed_id


def test_talking_moves_a_contact_to_the_top_of_both_orders(small: Company) -> None:
    [changed_id] = small.sample(1)
    small.talk(changed_id)
    for field in ("updatedAt", "lastConversationDate"):
        assert ids(small.page(field, 1)) == [changed_id]


def test_a_deleted_contact_is_nowhere(small: Company) -> None:
    pages = [len(small.page(field, 500)) for field in SORTS]
    [gone] = small.sample(1)
    small.delete(gone)
    assert [len(small.page(field, 500)) for field in SORTS] == [size - 1 for size in pages]
    assert small.get(gone) is None
    with pytest.raises(KeyError, match=gone):
        small.delete(gone)


def test_counts_and_orders_stay_right_through_a_thousand_changes(small: Company) -> None:
    for field in SORT_FIELDS:
        small.page(field, 1)
    statuses = ("1", "2", "3", "4", None, ABSENT, "7")
    for turn in range(1_000):
        small.advance(0.01 * (turn % 3))
        small.add(status=statuses[turn % 7])
        updated, talked, gone = small.sample(3)
        small.update(updated, status=statuses[turn * 3 % 7])
        small.talk(talked)
        if turn % 2:
            small.delete(gone)
    truth = list(small.contacts())
    count = Counter(contact.get("status") for contact in truth)
    assert small.leads_count == count["1"] + count[None]
    assert small.customer_count == count["2"]
    assert len(small) == len(truth) == 520
    for field in SORT_FIELDS:
        keys = [str(contact.get(field) or "") for contact in small.page(field, 10_000)]
        assert keys == sorted((str(contact.get(field) or "") for contact in truth), reverse=True)


@pytest.mark.parametrize(
    "fields",
    [{"createdAt": None}, {"id": "x"}, {"updatedAt": "2001-01-01T00:00:00Z"}, {"updatedAt": 5}],
)
def test_an_update_that_the_api_would_never_see_is_refused(
    small: Company, fields: dict[str, object]
) -> None:
    before = list(small.contacts())
    with pytest.raises(ValueError):
        small.update(str(before[0]["id"]), **fields)
    assert list(small.contacts()) == before


@pytest.mark.parametrize(
    "fields",
    [{"id": 5}, {"count": 2, "id": "x"}, {"createdAt": "soon"}, {"updatedAt": "2001-01-01"}],
)
def test_a_new_contact_that_the_api_would_never_see_is_refused(
    small: Company, fields: dict[str, object]
) -> None:
    with pytest.raises(ValueError):
        small.add(**fields)  # type: ignore[arg-type]
    assert len(small) == len(list(small.contacts())) == 20


def test_a_contact_can_be_given_an_id_once(small: Company) -> None:
    assert small.add(id="my-own") == ["my-own"]
    assert ids(small.page("createdAt", 1)) == ["my-own"]
    small.delete("my-own")
    with pytest.raises(ValueError, match="my-own"):
        small.add(id="my-own")


def test_the_clock_never_goes_back() -> None:
    seconds = [1_000_000.0]
    company = Company("Clock", clock=lambda: seconds[0])
    company.advance(10)
    seconds[0] -= 500
    assert company.now() == 1_000_010
    with pytest.raises(ValueError, match="never goes back"):
        company.advance(-1)


# Faults, as a client sees them.


REFUSALS: dict[FaultKind, int] = {
    "rate_limited": 429,
    "server_error": 500,
    "bad_gateway": 502,
    "unauthorized": 401,
    "forbidden": 403,
    "redirect": 302,
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal_has_its_status_and_is_over_after_one_request(
    api: httpx.Client, sandbox: Sandbox, kind: FaultKind
) -> None:
    sandbox.fail(Fault(kind))
    assert [ask(api).status_code for _ in range(2)] == [REFUSALS[kind], 200]


@pytest.mark.parametrize("retry_after", [None, 3, 0.5, "Mon, 01 Sep 2025 12:00:00 GMT"])
def test_a_rate_limit_says_when_to_come_back_or_not(
    api: httpx.Client, sandbox: Sandbox, retry_after: float | str | None
) -> None:
    sandbox.fail(Fault("rate_limited", retry_after=retry_after))
    expected = None if retry_after is None else str(retry_after)
    assert ask(api).headers.get("retry-after") == expected


@pytest.mark.parametrize("kind", ["bad_gateway", "html"])
def test_a_proxy_or_portal_answers_with_html(
    api: httpx.Client, sandbox: Sandbox, kind: FaultKind
) -> None:
    sandbox.fail(Fault(kind))
    answer = ask(api)
    assert answer.headers["content-type"].startswith("text/html")
    assert "<html>" in answer.text


def test_a_redirect_leads_to_another_host(api: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.fail(Fault("redirect"))
    location = httpx.URL(ask(api).headers["location"])
    assert location.host not in ("", "127.0.0.1")


@pytest.mark.parametrize("kind", ["slow", "slow_body"])
def test_a_slow_answer_is_right_in_the_end(
    api: httpx.Client, sandbox: Sandbox, kind: FaultKind
) -> None:
    sandbox.fail(Fault(kind, seconds=0.1))
    started = time.monotonic()
    slow = ask(api)
    assert time.monotonic() - started > 0.09
    assert slow.json() == ask(api).json()


@pytest.mark.parametrize("kind", ["slow", "slow_body"])
def test_a_slow_answer_runs_into_a_clients_timeout(
    api: httpx.Client, sandbox: Sandbox, kind: FaultKind
) -> None:
    sandbox.fail(Fault(kind, seconds=60))
    with pytest.raises(httpx.ReadTimeout):
        api.get(ENDPOINT, timeout=0.05)
    eventually(lambda: sandbox.requests[-1].abandoned)


def test_a_cut_off_body_is_shorter_than_promised(api: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.fail(Fault("cut_off"))
    with pytest.raises(httpx.RemoteProtocolError, match="complete message body"):
        ask(api)
    assert ask(api).status_code == 200


def test_a_dropped_connection_gives_no_answer(api: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.fail(Fault("dropped"))
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        ask(api)
    assert sandbox.requests[-1].status is None


@pytest.mark.parametrize("variant", VARIANTS["not_json"])
def test_a_body_that_is_not_json_cannot_be_read(
    api: httpx.Client, sandbox: Sandbox, variant: str
) -> None:
    sandbox.fail(Fault("not_json", variant=variant))
    answer = ask(api)
    assert answer.status_code == 200
    with pytest.raises(ValueError):
        answer.json()


@pytest.mark.parametrize("variant", VARIANTS["wrong_shape"])
def test_json_of_the_wrong_shape_is_not_the_guides(
    api: httpx.Client, sandbox: Sandbox, variant: str
) -> None:
    right = ask(api, limit=3).json()
    sandbox.fail(Fault("wrong_shape", variant=variant))
    answer = ask(api, limit=3)
    assert answer.status_code == 200
    assert answer.json() != right


def test_a_huge_body_has_the_asked_size_and_no_length(api: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.fail(Fault("huge", megabytes=3))
    answer = ask(api)
    assert "content-length" not in answer.headers
    assert 2_900_000 < len(answer.content) < 3_200_000
    assert data(answer)


def test_odd_contacts_are_mixed_into_a_right_answer(api: httpx.Client, sandbox: Sandbox) -> None:
    right = ask(api).json()
    sandbox.fail(Fault("odd_contacts"))
    odd = ask(api).json()
    assert odd["leadsCount"] == right["leadsCount"]
    assert odd["data"][1::2] == right["data"][1::2]
    assert all(
        one != other for one, other in zip(odd["data"][::2], right["data"][::2], strict=True)
    )


@pytest.mark.parametrize("variant", VARIANTS["odd_contacts"])
def test_one_oddity_can_be_asked_for(api: httpx.Client, sandbox: Sandbox, variant: str) -> None:
    right = data(ask(api, limit=2))
    sandbox.fail(Fault("odd_contacts", variant=variant))
    odd = data(ask(api, limit=2))
    assert len(odd) == 2
    assert all(one != other for one, other in zip(odd, right, strict=True))


def test_oddities_do_not_change_the_company(sandbox: Sandbox, api: httpx.Client) -> None:
    before = list(sandbox.company("Nordlys").contacts())
    sandbox.fail(Fault("odd_contacts"))
    ask(api, limit=500)
    assert list(sandbox.company("Nordlys").contacts()) == before


def test_a_fault_without_times_lasts_until_it_is_cleared(
    api: httpx.Client, sandbox: Sandbox
) -> None:
    sandbox.fail(Fault("server_error", times=None))
    assert [ask(api).status_code for _ in range(3)] == [500] * 3
    sandbox.recover()
    assert ask(api).status_code == 200


def test_faults_hit_in_the_order_in_which_they_were_set(
    api: httpx.Client, sandbox: Sandbox
) -> None:
    sandbox.fail(Fault("server_error", times=2), Fault("rate_limited"))
    assert [ask(api).status_code for _ in range(4)] == [500, 500, 429, 200]


def test_a_fault_can_hit_one_sort_order_only(api: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.fail(Fault("server_error", sort="updatedAt"), Fault("rate_limited", sort="natural"))
    assert ask(api, sortByField="createdAt").status_code == 200
    assert ask(api, sortByField="updatedAt").status_code == 500
    assert ask(api).status_code == 429


def test_a_fault_can_hit_one_company_only(api: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.fail(Fault("server_error", company="Fjell"))
    assert ask(api).status_code == 200
    api.headers["token"] = FJELL_KEY
    assert ask(api).status_code == 500


def test_an_unlikely_fault_hits_some_requests(api: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.fail(Fault("server_error", times=None, probability=0.5))
    statuses = Counter(ask(api, limit=1).status_code for _ in range(60))
    assert statuses[500] > 10
    assert statuses[200] > 10


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "gremlins"},
        {"kind": "slow", "times": 0},
        {"kind": "slow", "seconds": -1},
        {"kind": "slow", "variant": "very"},
        {"kind": "slow", "sort": "email"},
        {"kind": "slow", "speed": 1},
        {},
        "slow",
    ],
)
def test_a_fault_that_is_none_is_refused(api: httpx.Client, wrong: object) -> None:
    with pytest.raises(ValueError):
        Fault.from_json(wrong)
    answer = api.post("/sandbox/faults", json=wrong)
    assert answer.status_code == 400
    assert set(answer.json()) == {"error"}


def test_every_kind_of_fault_has_a_name_of_its_type() -> None:
    assert get_args(FaultKind) == FAULT_KINDS


def test_nothing_is_printed_when_connections_break(
    api: httpx.Client, sandbox: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    for kind in ("dropped", "cut_off"):
        sandbox.fail(Fault(kind))
        with pytest.raises(httpx.RemoteProtocolError):
            ask(api)
    sandbox.fail(Fault("slow", seconds=60))
    with pytest.raises(httpx.ReadTimeout):
        api.get(ENDPOINT, timeout=0.05)
    assert capfd.readouterr() == ("", "")


# Hooks for tests.


def test_a_test_can_change_the_company_right_before_a_page_is_computed(
    api: httpx.Client, sandbox: Sandbox
) -> None:
    made: list[str] = []

    def grow(company: Company, sort: str | None, limit: int) -> None:
        assert (sort, limit) == ("createdAt", 5)
        made.extend(company.add())

    sandbox.before_answer = grow
    for _ in range(3):
        assert ids(data(ask(api, limit=5, sortByField="createdAt")))[0] == made[-1]


def test_each_request_is_recorded_without_its_key(api: httpx.Client, sandbox: Sandbox) -> None:
    ask(api, limit=7, sortByField="companyUsers.lastConversationDate")
    sandbox.fail(Fault("server_error"))
    ask(api)
    ask(api, limit=501)
    seen = [(it.company, it.sort, it.limit, it.status, it.fault) for it in sandbox.requests]
    assert seen == [
        ("Nordlys", "lastConversationDate", 7, 200, None),
        ("Nordlys", None, 100, 500, "server_error"),
        ("Nordlys", None, None, 422, None),
    ]
    assert NORDLYS_KEY not in repr(sandbox.requests)


def test_latency_delays_every_answer(api: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.latency = 0.05
    started = time.monotonic()
    ask(api, limit=1)
    ask(api, limit=501)
    assert time.monotonic() - started > 0.09


# Controls over HTTP.


def test_controls_list_the_companies_with_their_keys(api: httpx.Client, nordlys: Company) -> None:
    listed = api.get("/sandbox/companies").json()
    assert [(it["name"], it["operatorId"], it["keys"]) for it in listed] == [
        ("Nordlys", "10", [NORDLYS_KEY]),
        ("Fjell", "20", [FJELL_KEY]),
    ]
    assert listed[0]["contacts"] == len(nordlys)


def test_controls_add_update_talk_and_delete(api: httpx.Client, nordlys: Company) -> None:
    base = "/sandbox/companies/Nordlys"
    made = api.post(f"{base}/add", json={"count": 2, "fields": {"city": "Voss"}}).json()["ids"]
    assert [contact["city"] for contact in map(nordlys.get, made) if contact] == ["Voss"] * 2
    order = {"ids": made[:1], "fields": {"status": "2", "city": None}}
    assert api.post(f"{base}/update", json=order).json() == {"ids": made[:1]}
    assert api.get(f"{base}/contacts/{made[0]}").json()["city"] is None
    talked = api.post(f"{base}/talk", json={"count": 3}).json()["ids"]
    assert set(ids(nordlys.page("lastConversationDate", 3))) == set(talked)
    assert api.post(f"{base}/delete", json={"ids": made}).json() == {"ids": made}
    assert api.get(f"{base}/contacts/{made[0]}").status_code == 404


def test_controls_tell_the_truth_one_contact_a_line(api: httpx.Client, nordlys: Company) -> None:
    lines = api.get("/sandbox/companies/Nordlys/contacts").content.splitlines()
    assert [json.loads(line) for line in lines] == list(nordlys.contacts())


def test_controls_move_the_clock(api: httpx.Client, nordlys: Company) -> None:
    before = nordlys.now()
    api.post("/sandbox/companies/Nordlys/advance", json={"seconds": 3_600})
    assert nordlys.now() - before >= 3_600


def test_controls_set_show_and_clear_faults(api: httpx.Client) -> None:
    orders = [{"kind": "server_error", "times": 2}, {"kind": "slow", "seconds": 9}]
    assert len(api.post("/sandbox/faults", json=orders).json()) == 2
    assert ask(api).status_code == 500
    assert [it["kind"] for it in api.get("/sandbox/faults").json()] == ["server_error", "slow"]
    assert api.delete("/sandbox/faults").json() == []
    assert ask(api).status_code == 200


def test_controls_show_and_forget_requests_and_set_the_latency(
    api: httpx.Client, sandbox: Sandbox
) -> None:
    ask(api, limit=1)
    [record] = api.get("/sandbox/requests").json()
    assert (record["company"], record["limit"], record["status"]) == ("Nordlys", 1, 200)
    assert NORDLYS_KEY not in str(record)
    assert api.delete("/sandbox/requests").json() == []
    assert not sandbox.requests
    assert api.put("/sandbox/latency", json={"seconds": 0.01}).json() == {"seconds": 0.01}
    assert sandbox.latency == 0.01


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("companies/Nobody/add", {}, 404),
        ("companies/Nordlys/delete", {"ids": ["unknown"]}, 404),
        ("companies/Nordlys/add", [], 400),
        ("companies/Nordlys/add", {"count": "many"}, 400),
        ("companies/Nordlys/add", {"count": 2, "fields": {"id": "x"}}, 400),
        ("companies/Nordlys/update", {"ids": "all"}, 400),
        ("companies/Nordlys/update", {"fields": 5}, 400),
        ("companies/Nordlys/advance", {"seconds": -1}, 400),
        ("companies/Nordlys/advance", {}, 400),
    ],
)
def test_a_mistaken_control_is_told_what_is_wrong(
    api: httpx.Client, path: str, body: object, status: int
) -> None:
    answer = api.post(f"/sandbox/{path}", json=body)
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}


# The server.


def test_the_server_stops_within_a_second_with_a_slow_request_open() -> None:
    sandbox = Sandbox.demo(size=5, other_size=0, now=NOW)
    sandbox.fail(Fault("slow", seconds=60))
    broken: list[Exception] = []

    def wait_for_answer(url: str) -> None:
        try:
            httpx.get(url + ENDPOINT, headers={"token": NORDLYS_KEY}, timeout=10)
        except httpx.TransportError as error:
            broken.append(error)

    with run_in_thread(sandbox) as url:
        waiting = threading.Thread(target=wait_for_answer, args=(url,))
        waiting.start()
        eventually(lambda: bool(sandbox.requests))
        started = time.monotonic()
    waiting.join()
    assert time.monotonic() - started < 1
    assert len(broken) == 1


def test_a_taken_port_is_an_error(api: httpx.Client) -> None:
    port = api.base_url.port
    assert port is not None
    with pytest.raises(OSError), run_in_thread(Sandbox({}), port=port):
        pass


def test_importing_the_sandbox_imports_nothing_heavy_and_nothing_of_ours() -> None:
    program = "import sys, smoc_mcp.sandbox; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert not loaded & {"uvicorn", "starlette", "pydantic", "httpx", "anyio", "mcp"}
    for source in Path(package.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("smoc_mcp"):
                assert str(node.module).startswith("smoc_mcp.sandbox"), source.name


def test_what_is_exported_is_sorted_and_exists() -> None:
    assert sorted(package.__all__, key=_kind_and_name) == package.__all__
    assert all(hasattr(package, name) for name in package.__all__)


def _kind_and_name(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def eventually(condition: Callable[[], bool]) -> None:
    """Wait up to two seconds for what another thread is about to do."""
    for _ in range(200):
        if condition():
            return
        threading.Event().wait(0.01)
    pytest.fail("it did not happen within two seconds")


@pytest.mark.long
def test_a_million_contacts_start_and_page_quickly() -> None:
    started = time.monotonic()
    company = Company("Million", size=1_000_000, now=NOW)
    assert time.monotonic() - started < 15
    assert len(company) == 1_000_000
    for field in SORTS:
        first = company.page(field, 500)
        company.talk(str(first[7]["id"]))
        started = time.monotonic()
        assert len(company.page(field, 500)) == 500
        assert time.monotonic() - started < 0.05
    with run_in_thread(Sandbox({"key": company})) as url:
        answer = httpx.get(
            url + ENDPOINT,
            params={"limit": 500, "sortByField": "updatedAt"},
            headers={"token": "key"},
        )
    assert ids(data(answer)) == ids(company.page("updatedAt", 500))
