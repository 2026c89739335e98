"""The command for journalists who have SQL: a question to a release's database, read-only, nothing of which leaves this machine."""

import re
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain, islice
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

import click
import orjson

from ..cells import AS_IT_IS, GUARDED, LONGEST_NUMBER
from ..errors import BadHome, BadValue
from ..home import RELEASE_ID
from ..questions import QUESTIONS
from .group import MakeWork, main

WIDEST = 40  # columns of the screen for one value in a table
BATCH = 1_000
MOST_SHOWN = 1_000  # rows of a table on the screen: their widths are asked of all of them
EMPTY = '""'  # of a row that is one NULL: a line with nothing in it is no row to those who read it
_QUOTED = re.compile(r'^\s|\s$|[",\r\n]')
Row = Sequence[object]


@main.command()
@click.argument("query")
@click.option("--release", default=None, help="A release by its id, or a mingbai.db that was downloaded.  [default: the newest]")
@click.option(
    "--as",
    "form",
    type=click.Choice(["table", "csv", "spreadsheet", "json"]),
    default="table",
    show_default=True,
    help="json: one object a line.",
)
@click.option(
    "--set",
    "given",
    multiple=True,
    metavar="NAME=TEXT",
    help="A value for :NAME in the query; may stand several times. NAME:=2 is a number, to compare with a count.",
)
@click.pass_obj
def sql(make: MakeWork, query: str, release: str | None, form: str, given: Sequence[str]) -> None:
    """Ask a release in SQL, or by the name of a ready-made question: notices_by_violation_and_month, permit_over_and_still_listed.

    What is asked of is the file as it was published: a notice in it may have ended since. `spreadsheet` opens in Excel and WPS with nothing computed.
    """
    from ..web.reader import harden, read_only  # with what only a release needs
    from ..web.views import QUERIES as OF_PAST

    if query.isidentifier() and query not in QUESTIONS:
        of_past = f"; {query} is asked of the past, on the site at /history/{query}" if query in OF_PAST else ""
        raise BadValue(f"sql: {query}: is no ready-made question; there are {', '.join(QUESTIONS)}, or give a SELECT{of_past}")
    path = _database(make, release)
    values = dict(_value(one) for one in given)
    try:
        with closing(read_only(path)) as connection:
            harden(connection)
            cursor = connection.execute(QUESTIONS.get(query, query), values)
            if cursor.description is None:
                raise BadValue("sql: this asks for nothing; expected a SELECT")
            names = [column[0] for column in cursor.description]
            if form == "json" and len(set(names)) < len(names):
                twice = next(name for name in names if names.count(name) > 1)
                raise BadValue(
                    f"sql: two columns are called {twice}, and a JSON object has one; give each a name with AS, or take --as csv"
                )
            FORMS[form](names, iter(lambda: cursor.fetchmany(BATCH), []))
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise BadValue(
            f"sql: {error}; {path.name} is read and not written, one SELECT at a time; its tables are on the site's /data"
        ) from error


def _database(make: MakeWork, release: str | None) -> Path:
    if release is not None and Path(release).is_file():
        return Path(release)
    if release is not None and not RELEASE_ID.fullmatch(release):
        raise BadHome(f"{release}: is no release's id and no file; expected an id such as 2026-11-23, or a mingbai.db that was downloaded")
    work = make()
    work.home.there()
    found = release or work.home.live()
    if found is None:
        raise BadHome(f"{work.home.path}: has no release yet; make one with `mingbai run`, or give a mingbai.db with --release")
    path = work.home.releases / found / "mingbai.db"
    if not path.is_file():
        kept = ", ".join(sorted(each.parent.name for each in work.home.releases.glob("*/mingbai.db"))[-5:])
        raise BadHome(f"{found}: is no release of {work.home.path} and no file; expected one of {kept or 'none'}, or a mingbai.db")
    return path


def _value(given: str) -> tuple[str, str | int | float]:
    """SQLite never finds a text equal to a number that was counted, and a code is a text though it is all digits: which it is has to be said."""
    name, sign, value = given.partition("=")
    is_number = name.endswith(":")
    name = name.removesuffix(":")
    if not sign or not name.isidentifier():
        raise BadValue(f"--set {given}: expected NAME=TEXT or NAME:=NUMBER, such as region=350000 or least:=2")
    if not is_number:
        return name, value
    if not re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", value):
        raise BadValue(f"--set {given}: {value or 'nothing'} is no number; for a text it is {name}={value}")
    return name, float(value) if "." in value else int(value)


def _csv(names: list[str], batches: Iterable[list[Row]]) -> None:
    _comma_separated(names, batches, lambda value: value, "")


def _spreadsheet(names: list[str], batches: Iterable[list[Row]]) -> None:
    _comma_separated(names, batches, _harmless, "\ufeff")


def _comma_separated(names: list[str], batches: Iterable[list[Row]], each: Callable[[object], object], mark: str) -> None:
    sys.stdout.buffer.write(mark.encode())
    head: list[Row] = [names]
    for rows in chain([head], batches):
        lines = (",".join(_cell(each(value)) for value in row) for row in rows)
        sys.stdout.buffer.write("".join(f"{line or EMPTY}\n" for line in lines).encode("utf-8", "replace"))


def _cell(value: object) -> str:
    """As in the downloads: nothing for NULL, and an empty text in quotation marks."""
    text = "" if value is None else _text(value)
    return '"' + text.replace('"', '""') + '"' if value == "" or _QUOTED.search(text) else text


def _harmless(value: object) -> object:
    """A value that no spreadsheet computes, takes for a number or rounds."""
    if isinstance(value, int) and len(str(abs(value))) > LONGEST_NUMBER:
        return f"'{value}"
    is_odd = isinstance(value, str) and re.match(GUARDED, value) and not re.match(AS_IT_IS, value)
    return f"'{value}" if is_odd else value


def _json(names: list[str], batches: Iterable[list[Row]]) -> None:
    for rows in batches:
        for row in rows:
            sys.stdout.buffer.write(orjson.dumps(dict(zip(names, row, strict=True)), default=_text, option=orjson.OPT_APPEND_NEWLINE))


def _text(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _table(names: list[str], batches: Iterable[list[Row]]) -> None:
    found = [[_cut(value) for value in row] for row in islice((row for some in batches for row in some), MOST_SHOWN + 1)]
    rows = found[:MOST_SHOWN]
    widths = [max(map(_width, column)) for column in zip(names, *rows, strict=True)]
    for row in _lines([names, ["-" * width for width in widths], *rows], widths):
        click.echo(row)
    if len(found) > len(rows):
        click.echo(f"The first {MOST_SHOWN:,} rows; `--as csv` gives them all.", err=True)


def _lines(rows: Iterable[Sequence[str]], widths: Sequence[int]) -> Iterator[str]:
    for row in rows:
        yield "  ".join(text + " " * (width - _width(text)) for text, width in zip(row, widths, strict=True)).rstrip()


def _width(text: str) -> int:
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in text)


def _cut(value: object) -> str:
    text = "" if value is None else "".join(sign if sign.isprintable() else " " for sign in str(value))
    if _width(text) <= WIDEST:
        return text
    while _width(text) >= WIDEST:
        text = text[: min(len(text) - 1, WIDEST)]
    return f"{text}…"


FORMS: dict[str, Callable[[list[str], Iterable[list[Row]]], None]] = {
    "table": _table,
    "csv": _csv,
    "spreadsheet": _spreadsheet,
    "json": _json,
}
