"""Addresses like one that nobody has: which are offered, why, and in which order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoc_mcp.api.models import read_contact
from smoc_mcp.questions.similar import Likeness, mailbox
from smoc_mcp.store.store import ContactStore
from tests.windows import whole


def store_of(people: dict[str, dict[str, str]]) -> ContactStore:
    store = ContactStore()
    reads = [read for i, p in people.items() if (read := read_contact({"id": i, **p}))]
    store.absorb(whole(reads), reads)
    return store


def similar(email: str, *addresses: str) -> dict[str, str]:
    """Return which of the addresses are offered, in order, and in which way they are like it."""
    store = store_of({address: {"email": address} for address in addresses})
    found = {row.id: row.likeness for row in store.find_similar(email, 5)}
    store.close()
    return found


@pytest.mark.parametrize(
    ("address", "likeness"),
    [
        ("ada.lovelace+news@example.com", Likeness.MAILBOX),
        ("adalovelace@example.com", Likeness.MAILBOX),
        ("ada.lovelac@example.com", Likeness.TYPO),
        ("ada.lovleace@example.com", Likeness.TYPO),
        ("aba.lovelace@example.com", Likeness.TYPO),
        ("ada.lovelace@exmaple.com", Likeness.TYPO),
        ("ada.lovelace@gmail.com", Likeness.DOMAIN),
        ("a.da.lovelace@work.example.org", Likeness.DOMAIN),
    ],
)
def test_an_address_that_is_nearly_right_is_offered(address: str, likeness: Likeness) -> None:
    assert similar("ada.lovelace@example.com", address) == {address: likeness}


@pytest.mark.parametrize(
    "address",
    ["grace.hopper@example.com", "ada@example.com", "ida.lindgren@example.com", "x@example.com"],
)
def test_an_address_of_somebody_else_is_not(address: str) -> None:
    assert similar("ada.lovelace@example.com", address) == {}


@pytest.mark.parametrize(("email", "address"), [("bo@x.no", "bi@x.no"), ("al@x.no", "la@x.no")])
def test_one_other_letter_in_a_short_mailbox_is_another_person(email: str, address: str) -> None:
    assert similar(email, address) == {}


def test_a_contact_of_the_name_that_the_address_is_made_of_is_offered() -> None:
    store = store_of(
        {
            "name": {"firstName": "Ada", "lastName": "Lovelace", "email": "al@work.example"},
            "no address": {"firstName": "Ada", "lastName": "Byron Lovelace"},
            "other": {"firstName": "Adam", "lastName": "Lovelaces"},
        }
    )
    found = {row.id: row.likeness for row in store.find_similar("ada.lovelace2@example.com", 5)}
    assert found == {"name": Likeness.NAME, "no address": Likeness.NAME}
    store.close()


def test_the_most_alike_come_first_and_at_most_five() -> None:
    addresses = [
        "ada.lovelace@gmail.com",
        "ada.lovelaze@exampl.com",
        "ada.lovelacee@example.com",
        "ada.lovelace+a@example.com",
        "ada.lovelace@yahoo.com",
        "ada.lovelace@live.com",
    ]
    found = similar("ada.lovelace@example.com", *addresses)
    assert list(found.values()) == [
        *(Likeness.MAILBOX, Likeness.TYPO, Likeness.TYPO, Likeness.DOMAIN, Likeness.DOMAIN)
    ]
    assert list(found)[1] == "ada.lovelacee@example.com"


@pytest.mark.parametrize("email", ["@example.com", "a@", '"@x', "+tag@example.com", "é@ü.no"])
def test_an_odd_address_is_like_none(email: str) -> None:
    assert similar(email, "ada@example.com", "@example.net") == {}


LOCAL = st.text("abcdefghij", min_size=6, max_size=14)


@given(LOCAL, st.data())
def test_any_single_typing_error_is_seen_through(local: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(local) - 1))
    wrong = data.draw(
        st.sampled_from([local[:at] + local[at + 1 :], local[:at] + "z" + local[at + 1 :]])
    )
    address = f"{local}@example.com"
    if mailbox(wrong) != mailbox(local):
        assert similar(f"{wrong}@example.com", address) == {address: Likeness.TYPO}
