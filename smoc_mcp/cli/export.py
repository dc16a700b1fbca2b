"""`export`: writes contacts as CSV or JSON lines, cleaned and masked as answers are."""

import argparse
import csv
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO

import anyio

from smoc_mcp.cli.command import Command, named_values
from smoc_mcp.cli.files import replacing
from smoc_mcp.directory.answers import Page
from smoc_mcp.directory.directory import ContactDirectory
from smoc_mcp.errors import InputError
from smoc_mcp.logs import log_to_stderr
from smoc_mcp.opening import open_directory
from smoc_mcp.proof.certainty import Certainty, Proof
from smoc_mcp.proof.part import Part
from smoc_mcp.proof.windows import Sort
from smoc_mcp.questions.columns import MOST_COLUMNS, NAMES, parse_columns
from smoc_mcp.questions.filters import (
    FILTERS,
    ContactFilter,
    Listing,
    parse_filter,
    without_aliases,
)
from smoc_mcp.questions.rows import Column
from smoc_mcp.settings import Settings
from smoc_mcp.text.cleaning import clean
from smoc_mcp.text.folding import quoted
from smoc_mcp.views.boundary import DETAIL_CHARS, spreadsheet_cell
from smoc_mcp.views.columns import column_names
from smoc_mcp.views.lists import Views
from smoc_mcp.views.phrases import everybody_of, many, may_be_deleted, total_words
from smoc_mcp.views.results import ContactSummary

__all__ = ["COLUMNS", "EXPORT", "Format", "Written", "closing", "export"]

Format = Literal["csv", "jsonl"]
COLUMNS = tuple(ContactSummary.__annotations__)
_PAGE = 1_000


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=["csv", "jsonl"], default="csv", help="%(default)s")
    parser.add_argument("--out", metavar="FILE", default="-", help="default: stdout")
    parser.add_argument(
        "--columns",
        metavar="NAMES",
        default="",
        help=f"up to {MOST_COLUMNS} more: {', '.join(NAMES)}, survey:QUESTION, text:FIELD",
    )
    parser.add_argument("arguments", nargs="*", metavar="NAME=VALUE", help="filters")


def _run(options: argparse.Namespace) -> int:
    given = without_aliases(named_values(options.arguments), FILTERS)
    settings = Settings.from_env()
    log_to_stderr(settings)
    columns = parse_columns(options.columns)
    if "columns" in given:
        raise InputError("columns is an option of export: write --columns and their names.")
    if unknown := sorted(set(given) - set(FILTERS)):
        raise InputError(
            f"export has no filter {quoted(clean(unknown[0]))}. It takes {', '.join(FILTERS)}."
        )

    views = Views.of(settings)

    async def write(out: TextIO) -> Written:
        async with open_directory(settings) as directory:
            wanted = parse_filter(given, now=directory.clock(), zone=directory.zone)
            return await export(directory, wanted, views, options.format, out, columns)

    if options.out == "-":
        written = anyio.run(write, sys.stdout)
    else:
        try:
            with replacing(Path(options.out), newline="") as file:
                written = anyio.run(write, file)
        except OSError as error:
            raise InputError(f"{options.out} cannot be written: {error.strerror}.") from error
    print(closing(written, views), file=sys.stderr)
    if written.failure:
        print(f"smoc-mcp: from what was in hand, since: {written.failure}", file=sys.stderr)
    return 1 if written.failure else 0


@dataclass(frozen=True, slots=True)
class Written:
    """What an export wrote.

    Attributes:
        contacts: How many.
        proof: What is proven of them all.
        total: How many match, or how many at least.
        total_proof: That there are no more.
        part: Of whom it is proven that none is missing; None for nobody.
        failure: Why the API could not be asked; empty where it could.
    """

    contacts: int
    proof: Proof
    total: int
    total_proof: Proof
    part: Part | None
    failure: str


def closing(written: Written, views: Views) -> str:
    """Return what was written, and what is proven of it."""
    said = f"{many(written.contacts, 'contact')} written"
    as_of = views.time(written.proof.as_of)
    if written.proof.complete:
        who = "all that match" if written.contacts else "nobody matches"
        lingering = f" {may_be_deleted(written.proof)}" if written.contacts else ""
        return f"{said}: {who}, as of {as_of}.{lingering}".rstrip()
    total = total_words(written.total, written.total_proof)
    more = f"{total} match" if written.total > written.contacts else "more may match"
    part = ""
    if written.part is not None and written.part.contacts and not written.part.is_whole:
        since = "" if written.part.since is None else views.time(written.part.since)
        part = f" Of those that match, {everybody_of(written.part, since)} are among them."
    return f"{said}, as they were last seen; {more}.{part}"


async def export(
    directory: ContactDirectory,
    wanted: ContactFilter,
    views: Views,
    form: Format,
    out: TextIO,
    columns: tuple[Column, ...] = (),
) -> Written:
    """Write all contacts of a filter, newest first, with further columns.

    Raises:
        InputError: A column is of a question that nobody in hand has answered.
        UpstreamError: The API gave no usable answer, and nothing is in hand.
    """
    names = column_names(columns, views.boundary)
    fields = (*COLUMNS, *names.values())
    table = csv.DictWriter(out, fields, lineterminator="\n")
    written, total, failure = 0, 0, ""
    proofs: list[Proof] = []
    total_proof: Proof | None = None
    # Before the first row is written: whoever comes later need not be among them.
    part = await directory.proven_part(wanted)
    async for page in _pages(directory, wanted, columns):
        if form == "csv" and not proofs:
            table.writerow({name: spreadsheet_cell(name) for name in fields})
        written += len(page.rows)
        proofs.append(page.proof)
        total, total_proof = page.total, page.total_proof
        failure = failure or page.company.failure
        for row in page.rows:
            found = views.found(row, page, names, DETAIL_CHARS)
            further = found.pop("columns", {})
            contact: dict[str, object] = {**found, **further}
            if form == "csv":
                table.writerow(
                    {name: spreadsheet_cell(str(value)) for name, value in contact.items()}
                )
            else:
                out.write(json.dumps(contact, ensure_ascii=False) + "\n")
    weakest = max((proof.certainty for proof in proofs), key=list(Certainty).index)
    proof = Proof(weakest, min(proof.as_of for proof in proofs))
    return Written(written, proof, total, total_proof or proof, part, failure)


async def _pages(
    directory: ContactDirectory, wanted: ContactFilter, columns: tuple[Column, ...]
) -> AsyncIterator[Page]:
    after = None
    while True:
        page = await directory.search_contacts(
            Listing(wanted=wanted, limit=_PAGE, after=after, columns=columns)
        )
        yield page
        if not page.more:
            return
        after = page.rows[-1].position(Sort.CREATED)


EXPORT = Command(
    "export",
    "contacts as CSV or JSON lines",
    "Writes the contacts that match, newest first, from all that is in hand. Cells that a\n"
    "spreadsheet would run are defused by an apostrophe before the formula.\n\n"
    "  smoc-mcp export --format csv --out leads.csv status=lead created_after=30d\n\n"
    f"Filters: {', '.join(FILTERS)}.",
    _run,
    _add_options,
)
