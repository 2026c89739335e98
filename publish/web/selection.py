"""Which changes are asked for: the query string of /changes as one frozen noun, and every value that does not exist refused with those that do.

    release=ID             one release (default: the newest)
    from=ID|DAY, to=ID|DAY the releases after the first one up to the second
    region, dataset, table, cause, kind, subject
    after=NEXT, limit=N    the page: what comes after a change

A region takes everything under it, by the table of regions: codes that a source made up have a parent there too. With a subject and without
releases all of them are meant. Knows nothing of pages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from ..home import RELEASE_ID
from ..rules import CAUSES
from .archive import is_day
from .asked import NoSuchChoice, read
from .past import Past
from .reader import Reader, Row

KINDS = ("add", "change", "remove")
FILTERS = ("region", "dataset", "table", "cause", "kind", "subject")
KEYS = ("release", "from", "to", *FILTERS, "after", "limit")
PAGE, MOST, LONGEST = 50, 200, 64


@dataclass(frozen=True)
class Selection:
    """`first` and `last` are numbers of releases, both included. What is None is not asked for; lists are JSON, as SQL takes them."""

    first: int
    last: int
    asked: Mapping[str, str]  # what of the query string says so, for links
    tables: str | None = None
    kind: str | None = None
    cause: str | None = None
    regions: str | None = None
    subjects: str | None = None
    after: int | None = None
    limit: int = PAGE

    @property
    def filters(self) -> tuple[str | None, ...]:
        """What SQL over changes takes as ?1 to ?3."""
        return self.tables, self.kind, self.cause


def releases(past: Past, today: str) -> list[Row]:
    """Every release up to the live one, oldest first: number, id, day, is_pipeline."""
    return past.once(today, "releases", lambda: past.rows(today, "SELECT * FROM releases ORDER BY number"))


def select(past: Past, today: str, pairs: Sequence[tuple[str, str]], datasets: Mapping[str, Sequence[str]]) -> Selection:
    """What the query string asks for; `datasets` are the tables of each. Raises NoSuchChoice."""
    given = {key: values[0] for key, values in read(pairs, KEYS).items()}
    known, reader = releases(past, today), past.reader
    first, last = _releases(given, known, today)
    tables = [table for dataset, those in datasets.items() if given.get("dataset", dataset) == dataset for table in those]
    for name, choices in (("dataset", tuple(datasets)), ("table", tables), ("cause", CAUSES), ("kind", KINDS)):
        if name in given and given[name] not in choices:
            raise NoSuchChoice(name, ", ".join(choices))
    subject, region, after = given.get("subject"), given.get("region"), given.get("after")
    if subject and (len(subject) > LONGEST or not subject.isascii()):
        raise NoSuchChoice("subject", "i-…, n-…")
    return Selection(
        first,
        last,
        {name: given[name] for name in ("release", "from", "to", *FILTERS, "limit") if name in given},
        tables=_json([given["table"]] if "table" in given else tables) if {"dataset", "table"} & set(given) else None,
        kind=given.get("kind"),
        cause=given.get("cause"),
        regions=_json(_under(reader, region, today, past)) if region else None,
        subjects=_json(subjects(past, today, subject)) if subject else None,
        after=_after(after, past, today) if after else None,
        limit=min(MOST, _digits("limit", given["limit"], f"1–{MOST}") or PAGE) if "limit" in given else PAGE,
    )


def subjects(past: Past, today: str, subject: str) -> list[str]:
    """Itself, and of an institution the notices that are, or were in the past that may be told, linked to it."""
    return [subject, *linked(past, today).get(subject, ())]


def linked(past: Past, today: str) -> dict[str, list[str]]:
    """The notices of each institution, worked out once: the past has no index of them."""
    return past.once(today, "notices linked", lambda: _linked(past, today))


def _linked(past: Past, today: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in past.rows(today, "SELECT DISTINCT institution_id, notice_id FROM notice_links ORDER BY 2"):
        found.setdefault(row["institution_id"], []).append(row["notice_id"])
    return found


def regions_under(reader: Reader, code: str, today: str) -> list[str]:
    """The codes of the regions directly under one."""
    return reader.once(today, "regions under", lambda: _children(reader)).get(code, [])


def present(past: Past, today: str) -> set[str]:
    """The codes of regions in which something has changed."""
    sql = "SELECT DISTINCT region FROM change_counts WHERE region <> ''"
    return past.once(today, "regions changed", lambda: {row["region"] for row in past.rows(today, sql)})


def _children(reader: Reader) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for code, row in reader.regions.items():
        if row["parent_code"] and row["parent_code"] != code:
            found.setdefault(row["parent_code"], []).append(code)
    return found


def _under(reader: Reader, code: str, today: str, past: Past) -> list[str]:
    if code not in reader.regions and code not in present(past, today):
        raise NoSuchChoice("region", ", ".join(sorted(regions_under(reader, "000000", today))))
    found = [code]
    for each in found:  # grows while it is read; the table of regions is a tree
        found += regions_under(reader, each, today)
    return found


def _releases(given: Mapping[str, str], known: list[Row], today: str) -> tuple[int, int]:
    newest = int(known[-1]["number"])
    if "release" in given:
        one = next((row["number"] for row in known if row["id"] == given["release"]), None)
        if one is None or "from" in given or "to" in given:
            raise NoSuchChoice("release", _span(known))
        return one, one
    if "from" not in given and "to" not in given:
        return (1 if "subject" in given else newest), newest
    last = _meant("to", given["to"], known, today) if "to" in given else newest
    first = _meant("from", given["from"], known, today) if "from" in given else 0
    if first > last:
        raise NoSuchChoice("from", f"≤ {given.get('to', known[-1]['id'])}")
    if last == 0:
        raise NoSuchChoice("to", _span(known))
    return first + 1, last


def _meant(name: str, asked: str, known: list[Row], today: str) -> int:
    """The number of a release by its id, or by a day: the last one up to it; 0 where there was none yet."""
    match = RELEASE_ID.fullmatch(asked)
    for row in known:
        if row["id"] == asked:
            return int(row["number"])
    if match is None or match[2] or not asked.isascii() or not is_day(asked) or asked > today:
        raise NoSuchChoice(name, _span(known))
    return max((int(row["number"]) for row in known if row["day"] <= asked), default=0)


def _span(known: list[Row]) -> str:
    return f"{known[0]['id']} – {known[-1]['id']}"


def cursor(past: Past, number: int) -> str:
    """Where a page goes on: numbers are of one live release, and the next one may count otherwise."""
    return f"{past.reader.id}:{number}"


def _after(text: str, past: Past, today: str) -> int:
    of, _, number = text.partition(":")
    known = f"next ({past.reader.id})"
    found = _digits("after", number, known)
    if of != past.reader.id or not past.rows(today, "SELECT 1 FROM main.changes WHERE number = ?", found):
        raise NoSuchChoice("after", known)
    return found


def _digits(name: str, text: str, known: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise NoSuchChoice(name, known)
    return int(text)


def _json(values: Any) -> str:
    return orjson.dumps(list(values)).decode()
