"""What the real API does not have: changing its contacts and its mood, over HTTP.

All answers are JSON, except the truth of a whole company, which is one JSON object a line.
A mistake is answered with 400, an unknown company or contact with 404, and {"error": "…"}.

| request | body | answer |
|---|---|---|
| GET /sandbox/companies | | [{name, operatorId, contacts, leadsCount, customerCount, keys}] |
| GET /sandbox/companies/NAME/contacts | | every contact, as NDJSON |
| GET /sandbox/companies/NAME/contacts/ID | | one contact |
| GET /sandbox/companies/NAME/beyond | | {ids} that no sorted window shows, but the natural one |
| POST /sandbox/companies/NAME/add | {count = 1, fields = {}} | {ids} |
| POST /sandbox/companies/NAME/update | {count = 1 or ids, fields = {}} | {ids} |
| POST /sandbox/companies/NAME/talk | {count = 1 or ids, fields = {}} | {ids} |
| POST /sandbox/companies/NAME/delete | {count = 1 or ids} | {ids} |
| POST /sandbox/companies/NAME/advance | {seconds} | {now} |
| GET /sandbox/faults | | the faults that wait |
| POST /sandbox/faults | a fault or a list of them, see `Fault` | the faults that wait |
| DELETE /sandbox/faults | | [] |
| GET /sandbox/requests | | the record of requests |
| DELETE /sandbox/requests | | [] |
| PUT /sandbox/latency | {seconds} | {seconds} |

With `count`, contacts are chosen at random.
"""

import json

from smoc_mcp.sandbox.company import Company
from smoc_mcp.sandbox.exchange import Answer, Exchange, encoded
from smoc_mcp.sandbox.faults import Fault
from smoc_mcp.sandbox.state import State

__all__ = ["control"]

_NDJSON = "application/x-ndjson"


async def control(sandbox: State, exchange: Exchange) -> Answer | None:
    """Return the answer to a request under /sandbox/, None if there is no such control."""
    try:
        match (exchange.method, *exchange.path_parts):
            case ("GET", "sandbox", "companies"):
                return Answer.of_json([_described(sandbox, it) for it in sandbox.companies])
            case (_, "sandbox", "companies", name, *what):
                return await _company_control(sandbox.company(name), exchange, what)
            case (_, "sandbox", "faults"):
                return await _faults(sandbox, exchange)
            case ("GET", "sandbox", "requests"):
                return Answer.of_json([record.as_json() for record in sandbox.requests])
            case ("DELETE", "sandbox", "requests"):
                sandbox.forget_requests()
                return Answer.of_json([])
            case ("PUT", "sandbox", "latency"):
                sandbox.latency = _number(await _object(exchange), "seconds")
                return Answer.of_json({"seconds": sandbox.latency})
    except KeyError as error:
        return Answer.of_error(404, str(error.args[0]))
    except (ValueError, TypeError) as error:
        return Answer.of_error(400, str(error))
    return None


async def _company_control(company: Company, exchange: Exchange, what: list[str]) -> Answer | None:
    match (exchange.method, *what):
        case ("GET", "contacts"):
            lines = b"".join(encoded(contact) + b"\n" for contact in company.contacts())
            return Answer(200, lines, _NDJSON)
        case ("GET", "contacts", contact_id):
            found = company.get(contact_id)
            if found is None:
                raise KeyError(f"{company.name} has no contact {contact_id!r}")
            return Answer.of_json(found)
        case ("GET", "beyond"):
            return Answer.of_json({"ids": company.ids_only_in_natural_window()})
        case ("POST", "advance"):
            company.advance(_number(await _object(exchange), "seconds"))
            return Answer.of_json({"now": company.now()})
        case ("POST", "add" | "update" | "talk" | "delete" as change):
            return Answer.of_json({"ids": _changed(company, change, await _object(exchange))})
    return None


def _changed(company: Company, change: str, order: dict[str, object]) -> list[str]:
    fields = order.get("fields", {})
    if not isinstance(fields, dict):
        raise ValueError("fields is an object")  # noqa: TRY004 - a mistake of the request
    if change == "add":
        return company.add(_count(order), **fields)
    ids = _chosen(company, order)
    for contact_id in ids:
        if change == "update":
            company.update(contact_id, **fields)
        elif change == "talk":
            company.talk(contact_id, **fields)
        else:
            company.delete(contact_id)
    return ids


def _chosen(company: Company, order: dict[str, object]) -> list[str]:
    ids = order.get("ids")
    if ids is None:
        return company.sample(_count(order))
    if not isinstance(ids, list):
        raise ValueError("ids is a list")  # noqa: TRY004 - a mistake of the request
    return [str(contact_id) for contact_id in ids]


def _count(order: dict[str, object]) -> int:
    count = order.get("count", 1)
    if not isinstance(count, int) or count < 0:
        raise ValueError("count is a whole number")
    return count


async def _faults(sandbox: State, exchange: Exchange) -> Answer | None:
    if exchange.method == "POST":
        given = json.loads(await exchange.body())
        sandbox.fail(
            *(Fault.from_json(it) for it in (given if isinstance(given, list) else [given]))
        )
    elif exchange.method == "DELETE":
        sandbox.recover()
    elif exchange.method != "GET":
        return None
    return Answer.of_json([fault.as_json() for fault in sandbox.faults.waiting()])


def _described(sandbox: State, company: Company) -> dict[str, object]:
    return {
        "name": company.name,
        "operatorId": company.operator_id,
        "contacts": len(company),
        "leadsCount": company.leads_count,
        "customerCount": company.customer_count,
        "keys": [key for key, held in sandbox.keys.items() if held is company],
    }


async def _object(exchange: Exchange) -> dict[str, object]:
    """Return the JSON object in the body, an empty one for none."""
    body = await exchange.body()
    value = json.loads(body) if body.strip() else {}
    if not isinstance(value, dict):
        raise ValueError("the body is a JSON object")  # noqa: TRY004 - a mistake of the request
    return value


def _number(order: dict[str, object], name: str) -> float:
    value = order.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ValueError(f"{name} is a number, 0 or more")
    return float(value)
