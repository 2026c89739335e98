"""Check a list against the live release: `mingbai screen FILE`."""

import csv
import io
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..answering import CANNOT_SAY, STATUSES, Answer, cannot_say
from ..cells import cell
from ..errors import BadHome, BadValue
from ..given import Given, given
from ..meant import Candidate, Query
from ..progress import Progress
from ..wording import say
from .group import MakeWork, main

if TYPE_CHECKING:
    from ..web.verifier import Verifier

COLUMNS = (
    "status",
    "reason",
    "id",
    "name",
    "region",
    "code",
    "how",
    "difference",
    "list",
    "notices_in_force",
    "authority",
    "batch",
    "as_of",
    "release",
    "said",
)
OURS = "mingbai_"  # before a column of ours that the file has too
SEVERAL = 3  # candidates that one row names
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--column", default=None, help="Column with the names, such as 名称; found by itself where it is called as usual.")
@click.option("--code-column", default=None, help="Column with the unified social credit codes.")
@click.option("--permit-column", default=None, help="Column with the permit numbers.")
@click.option("--region-column", default=None, help="Column with the district or county, by name or code.")
@click.option(
    "--output", type=click.Path(path_type=Path), default=None, help="A new file, or - for standard output.  [default: FILE.screened.csv]"
)
@click.pass_obj
def screen(
    make: MakeWork,
    file: Path,
    column: str | None,
    code_column: str | None,
    permit_column: str | None,
    region_column: str | None,
    output: Path | None,
) -> None:
    """Check whether the institutions of a list (CSV or XLSX) are listed, against the live release; nothing leaves this machine.

    Writes a CSV for spreadsheets with the list's own columns first, then status (listed: on a white list; other_list: on a
    black, grey, warning, cancelled or other one; not_listed; cannot_say), reason, the institution, how it was
    found and what differs, the listing, notices_in_force (their number; empty where nobody may say or know it, as by a name
    alone), as-of day and release. A row that cannot be read is cannot_say and never left out.

    Exit codes: 0 every row has an answer, 1 the file cannot be used, or some rows met an error (the file is written all the same),
    2 there is no release, or the output cannot be written.
    """
    from ..web.reader import Reader  # with what only a release needs
    from ..web.verifier import Verifier

    work = make()
    work.home.there()
    live = work.home.live()
    if live is None:
        raise BadHome(f"{work.home.path}: has no release yet; make one with `mingbai run`")
    target = output or file.with_name(f"{file.name}.screened.csv")
    if str(target) != "-" and target.exists():
        raise BadHome(f"{target}: is there already; give another with --output")
    table = given(file, {"name": column, "code": code_column, "permit": permit_column, "region": region_column})
    if table.above:
        work.progress.say(f"{file.name}: {table.above} rows above the header are left out")
    reader = Reader(work.home.releases / live)
    try:
        data, counts = screened(table, Verifier(reader, work.day.isoformat()), work.progress)
    finally:
        reader.close()
    _write(target, data)
    said = ", ".join(f"{status} {counts[status]:,}" for status in STATUSES)
    click.echo(f"{target}: {len(table.rows):,} rows: {said}; release {live}", err=True)
    if counts["error"]:
        raise BadValue(f"{target}: {counts['error']:,} rows met an error and say cannot_say; see the log above and try again")


def screened(table: Given, verifier: "Verifier", progress: Progress) -> tuple[bytes, Counter[str]]:
    """The answers as a CSV, and how many there are of each status; `error` counts those that are cannot_say because something is broken."""
    counts: Counter[str] = Counter()
    text = io.StringIO(newline="")
    out = csv.writer(text)
    out.writerow([_safe(title) for title in (*table.header, *(OURS + name if name in table.header else name for name in COLUMNS))])
    progress.start("screen", len(table.rows))
    for _, cells, asked in table.rows:
        answer = cannot_say("unreadable") if asked is None else verifier.verify(Query(**asked))[1]
        counts[answer.status] += 1
        counts["error"] += bool({"error", "unsearchable"} & set(answer.reasons))
        out.writerow([_safe(value) for value in (*cells, *_told(answer, verifier))])
        progress.advance()
    progress.finish()
    return text.getvalue().encode("utf-8-sig", "replace"), counts  # with a BOM: a spreadsheet takes it for the local encoding otherwise


def _write(target: Path, data: bytes) -> None:
    """Whole or not at all."""
    if str(target) == "-":
        sys.stdout.buffer.write(data)
        return
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_bytes(data)
        os.replace(part, target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise BadHome(f"{target}: {error.strerror}; give another file with --output") from error


def _safe(value: str) -> object:
    """A value that a spreadsheet takes for nothing else; a plain number stays one."""
    return value if _NUMBER.fullmatch(value) else cell(value)


def _told(answer: Answer, verifier: "Verifier") -> Iterator[str]:
    """What an answer says, a text for each of COLUMNS. Several candidates or listings stand beside each other in one order."""
    reader = verifier.reader
    who = [answer.found] if answer.found else list(answer.candidates[:SEVERAL]) if answer.status == CANNOT_SAY else []
    yield answer.status
    yield _joined(answer.reasons + answer.notes)
    yield _joined(one.known.id for one in who)
    yield _joined(one.known.name for one in who)
    yield _joined(reader.region(one.known.region_code, one.known.region_text, "zh") for one in who)
    yield _joined(one.known.code or "" for one in who)
    yield _joined(one.how for one in who)
    yield _joined(_difference(one) for one in who)
    yield _joined(reader.label("lists", it["list"], "zh") for it in answer.on)
    yield "" if answer.notices_in_force is None else str(answer.notices_in_force)
    yield _joined(it["authority"] or "" for it in answer.on)
    yield _joined(it["batch_label"] or "" for it in answer.on)
    lists = say("zh", "list.and").join(reader.label("lists", code, "zh") for code in answer.lists)
    days = [it["as_of"] for it in answer.on] or [it.as_of for it in answer.sources or verifier.sources]
    yield _joined(day or "" for day in days) if answer.on else min(filter(None, days), default="")
    yield reader.id
    yield " ".join(
        (
            say("zh", answer.heading) + "。",
            *(say("zh", f"verify.reason.{reason}", lists=lists) for reason in answer.reasons),
            *([say("zh", "card.in_force", n=answer.notices_in_force) + "。"] if answer.notices_in_force else []),
            *(say("zh", f"verify.note.{note}") for note in answer.notes),
        )
    )


def _joined(values: Iterable[str]) -> str:
    found = list(values)
    return " | ".join(found) if any(found) else ""


def _difference(one: Candidate) -> str:
    return "；".join(f"{say('zh', f'verify.part.{it.part}')}：{it.asked or '无'}→{it.found or '无'}" for it in one.differences)
