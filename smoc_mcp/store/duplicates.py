"""The SQL of duplicates: which contacts have a trait that another has. Nothing runs here.

Each question is a walk along an index of its own, in the order of the trait (`schema`).
"""

from collections.abc import Mapping

from smoc_mcp.questions.duplicates import By
from smoc_mcp.questions.filters import EVERYBODY, ContactFilter
from smoc_mcp.store.conditions import Sql, where

__all__ = ["candidates"]

_TRAITS: Mapping[By, tuple[str, str, str]] = {
    By.EMAIL: ("same_address", "''", "''"),
    By.PHONE: ("same_number", "same_country", "''"),
    By.NAME: ("same_name", "ifnull(company_key, '')", "ifnull(city_key, '')"),
}
"""The column of the trait, and what else tells apart those who have it."""


def candidates(by: By, wanted: ContactFilter, one_of: ContactFilter = EVERYBODY) -> Sql:
    """Return a SELECT of `duplicates.Candidate`: contacts of a filter with a trait of several.

    Args:
        by: Which trait.
        wanted: The filter.
        one_of: Of those who have a trait, one at least is of this filter. None has words.
    """
    trait, first, second = _TRAITS[by]
    condition, is_one = where(wanted), where(one_of)
    # As the index has it: without these very words SQLite would not take it.
    admitted = f"{trait} != '' AND {condition.text}"
    return Sql(
        f"SELECT id, created, {trait}, {first}, {second}, {is_one.text} FROM contact "
        f"WHERE {admitted} AND {trait} IN (SELECT {trait} FROM contact WHERE {admitted} "
        f"GROUP BY {trait} HAVING count(*) > 1 "
        f"AND max(CASE WHEN {is_one.text} THEN 1 ELSE 0 END) = 1)",
        is_one.values + condition.values * 2 + is_one.values,
    )
