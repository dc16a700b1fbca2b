"""Two of one name are told apart, whatever strangers call themselves."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoc_mcp.text.folding import fold
from smoc_mcp.views.boundary import Boundary
from smoc_mcp.views.identities import person, told_apart


def itself(key: str) -> str:
    return key


def test_a_name_of_one_stays_as_it_is() -> None:
    assert told_apart({"7": "Per Nowak", "9": "Kari Berg"}, itself) == {
        "7": "Per Nowak",
        "9": "Kari Berg",
    }


def test_two_of_one_name_have_their_identities_behind_it() -> None:
    assert told_apart({"7": "Per Nowak", "per@x.no": "Per Nowak"}, itself) == {
        "7": "Per Nowak (7)",
        "per@x.no": "Per Nowak (per@x.no)",
    }


def test_who_is_called_like_one_told_apart_is_another() -> None:
    shown = {"7": "Per Nowak", "9": "Per Nowak", "66": "Per Nowak (7)"}
    assert told_apart(shown, itself) == {
        "7": "Per Nowak (7) (7)",
        "9": "Per Nowak (9)",
        "66": "Per Nowak (7)",
    }


def test_where_identities_are_masked_alike_a_number_tells() -> None:
    shown = {"pa@x.no": "Per Nowak", "pb@x.no": "Per Nowak"}
    masked = Boundary(frozenset({"email"})).email
    assert told_apart(shown, masked) == {
        "pa@x.no": "Per Nowak (p***@x.no) (p***@x.no)",
        "pb@x.no": "Per Nowak (p***@x.no) (p***@x.no) #2",
    }


KEYS = st.sampled_from(["7", "9", "11", "a@x.no", "b@x.no", "per"])
TEXTS = st.sampled_from(
    ["Per", "PER", "", "Per (7)", "Per (7) (7)", "Per (9)", "Per #2", "Per (*)", "Per (*) #2"]
)
IDENTITIES = st.dictionaries(KEYS, st.sampled_from(["7", "9", "*"]))


@given(st.dictionaries(KEYS, TEXTS), IDENTITIES)
def test_every_key_has_a_text_of_its_own(shown: dict[str, str], said: dict[str, str]) -> None:
    def identity(key: str) -> str:
        return said.get(key, key)

    found = told_apart(shown, identity)
    assert found.keys() == shown.keys()
    assert len(set(map(fold, found.values()))) == len(found)
    times = Counter(map(fold, shown.values()))
    for key, text in shown.items():
        assert found[key].startswith(text)
        if times[fold(text)] == 1:
            assert found[key] == text
    backwards = dict(reversed(shown.items()))
    assert told_apart(backwards, identity) == found


@pytest.mark.parametrize(
    ("value", "shown"),
    [("Ada Lovelace", "A*** L***"), ("ada@x.no", "a***@x.no"), ("Ada @ Home", "A*** @*** H***")],
)
def test_a_person_is_masked_as_a_name_and_where_nameless_as_an_address(
    value: str, shown: str
) -> None:
    assert person(value, Boundary(frozenset({"name", "email"}))) == shown
