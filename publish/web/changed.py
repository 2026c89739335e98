"""/changes as a page, JSON and CSV, and what the other pages say of changes.

For a journalist: what did this bureau change this week, whom did it take off the list, and what did it say before; by release, by two dates, by
region, dataset and cause, as a page to read, JSON to query and CSV to count. For a parent: has this institution's name, permit or listing changed
since I paid, and when was it known. A release that our own change of code made says so, so that nobody takes it for news.
"""

import csv
import io
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from itertools import islice
from typing import Any
from urllib.parse import quote

import orjson

from ..cells import cell
from ..errors import BadHome
from ..rules import CAUSES
from . import changes
from .answer import Answer, as_json
from .asked import NoSuchChoice, refused
from .frame import Dictionary
from .past import Past, others
from .plot import plot
from .reader import Reader, Row
from .selection import KEYS, KINDS, Selection, cursor, linked, present, regions_under, releases, select
from .shelf import Shelf
from .tally import first_release, summed, tally
from .timeline import timeline, was_public
from .visit import Visit, address

AROUND = 30  # releases in the plot beside one that is asked for
BATCH = 500  # items of a CSV at once
CSV = "text/csv; charset=utf-8; header=present"
COLUMNS = (
    "number", "release", "recorded_on", "dataset", "table", "key", "kind", "event", "cause", "subject", "name", "region", "region_name", "field",
    "before", "after", "effective_on", "published_on", "is_shown", "has_values",
)  # fmt: skip
COUNTRY = "000000"


class ChangePages:
    """`render` and `problem` are those of Pages; `first` are the datasets that come first."""

    def __init__(
        self, shelf: Shelf, render: Callable[..., Answer], problem: Callable[..., Answer], dictionary: Dictionary, first: Sequence[str]
    ) -> None:
        self._shelf, self._render, self._problem = shelf, render, problem
        self._tables = changes.tables_of(dictionary, first)
        self._datasets: dict[str, list[str]] = {}
        for table, dataset in self._tables.dataset.items():
            self._datasets.setdefault(dataset, []).append(table)

    def page(self, visit: Visit, reader: Reader) -> Answer:
        past = self._shelf.past(reader)
        if past is None:
            return self._problem(visit, 503, "no_past")
        try:
            chosen = select(past, visit.today, visit.pairs, self._datasets)
        except NoSuchChoice as no:
            return refused(self._problem, visit, no, "/changes", KEYS)
        except ValueError:
            return self._problem(visit, 400, "bad_request")
        if visit.path.endswith(".csv"):
            return self._csv(visit, past, chosen)
        counted = tally(past, visit.today, chosen)
        found, last = changes.page(changes.items(past, visit.today, chosen, counted, self._tables), chosen.limit)
        items = changes.named(past, visit.today, found, self._tables)
        onward = cursor(past, last) if last is not None else None
        first = self._first(past, visit.today, chosen)
        if visit.wants_json:
            return as_json(
                {
                    "release": reader.id,
                    "selection": {**chosen.asked, "releases": [row["id"] for row in self._chosen(past, visit.today, chosen)]},
                    "counts": _grouped(summed(counted, "table_name", "kind", "cause")),
                    "by_release": self._by_release(past, visit.today, chosen, counted),
                    "first_release": first,
                    "items": as_public(items, visit, reader),
                    "next": onward,
                }
            )
        return self._render(
            "changes.html",
            chosen=chosen,
            releases=self._chosen(past, visit.today, chosen),
            known=releases(past, visit.today),
            counted=self._counted(counted),
            of_causes=sorted(summed(counted, "cause").items(), key=lambda one: CAUSES.index(one[0])),
            total=sum(row["rows"] for row in counted),
            unlisted=sum(row["rows"] for row in counted if row["table_name"] == "ratings" and row["kind"] == "add"),
            first=first,
            plot=self._plot(past, visit.today, chosen, counted),
            items=items,
            kept={id for id, _ in self._shelf.archive.known(reader)},
            onward=onward,
            options={"dataset": list(self._datasets), "cause": CAUSES, "kind": KINDS, **_regions(past, visit.today, chosen)},
        )

    # -- parts of the page -------------------------------------------------------------------------------------------

    def _chosen(self, past: Past, today: str, chosen: Selection) -> list[Row]:
        return [row for row in releases(past, today) if chosen.first <= row["number"] <= chosen.last]

    def _counted(self, counted: list[Row]) -> list[tuple[str, dict[str, int]]]:
        """By table, in reading order: the rows of each kind."""
        of = summed(counted, "table_name", "kind")
        tables = sorted({table for table, _ in of}, key=lambda table: self._tables.order.get(table, len(self._tables.order)))
        return [(table, {kind: of[table, kind] for kind in KINDS}) for table in tables]

    def _by_release(self, past: Past, today: str, chosen: Selection, counted: list[Row]) -> list[Row]:
        of = summed(counted, "release", "kind")
        return [
            {
                "release": row["id"],
                "day": row["day"],
                "is_pipeline": bool(row["is_pipeline"]),
                **{kind: of[row["number"], kind] for kind in KINDS},
            }
            for row in self._chosen(past, today, chosen)
        ]

    def _first(self, past: Past, today: str, chosen: Selection) -> dict[str, int]:
        """The rows of the very first release by table, where it is a part of what is asked for."""
        if chosen.first != 1 or chosen.cause or chosen.regions or chosen.subjects or chosen.kind not in (None, "add"):
            return {}
        asked = orjson.loads(chosen.tables) if chosen.tables else self._tables.order
        return {table: rows for table in asked if (rows := first_release(past, today).get(table))}

    def _plot(self, past: Past, today: str, chosen: Selection, counted: list[Row]) -> Any:
        """The releases that are asked for; one alone stands among those before it. The very first one has no changes."""
        if chosen.first == chosen.last:
            chosen = replace(chosen, first=max(1, chosen.last - AROUND + 1))
            counted = tally(past, today, chosen)
        return plot(counted, [row for row in self._chosen(past, today, chosen) if row["number"] > 1])

    # -- CSV ---------------------------------------------------------------------------------------------------------

    def _csv(self, visit: Visit, past: Past, chosen: Selection) -> Answer:
        name = (
            "_".join(chosen.asked.get(part, "") for part in ("release", "from", "to", "subject") if chosen.asked.get(part))
            or past.reader.id
        )
        names = f"attachment; filename=\"mingbai-changes-{name}.csv\"; filename*=UTF-8''{quote(f'明白-变更-{name}.csv')}"
        headers = (("cache-control", "no-cache"), ("access-control-allow-origin", "*"), ("content-disposition", names))
        return Answer(200, b"", CSV, headers, self._lines(visit, past, replace(chosen, limit=BATCH)))

    def _lines(self, visit: Visit, past: Past, chosen: Selection) -> Iterator[bytes]:
        """The whole selection, a line a field. The mark at its front says UTF-8 to spreadsheets."""
        yield "\ufeff".encode() + _csv_of([COLUMNS])
        found = changes.items(past, visit.today, chosen, tally(past, visit.today, chosen), self._tables)
        while batch := list(islice(found, BATCH)):
            lines = []
            for item in as_public(changes.named(past, visit.today, batch, self._tables), visit, past.reader) or ():
                for field in item["fields"] or [{}]:
                    lines.append([cell({**item, **field}.get(column)) for column in COLUMNS])
            yield _csv_of(lines)

    # -- for the other pages -----------------------------------------------------------------------------------------

    def ahead(self, reader: Reader, today: str) -> None:
        """Have worked out, by a reader apart, what takes some tenths of a second of the past, where it is there."""
        with suppress(BadHome, sqlite3.Error), closing(Past(reader)) as past:
            others(reader, today)
            for make in (releases, linked, first_release):
                make(past, today)

    def timeline(self, visit: Visit, reader: Reader) -> tuple[list[Row] | None, bool]:
        """The newest events of the page's institution or notice, and whether there are more; None where the past is not there."""
        past = self._shelf.past(visit.live or reader)
        found = timeline(past, visit.today, visit.parts["id"], reader.id, self._tables) if past else None
        return found or (None, False)

    def was_public(self, visit: Visit, reader: Reader) -> dict[str, str | None]:
        past = self._shelf.past(visit.live or reader)
        return was_public(past, visit.today, visit.parts["id"]) if past else {}

    def newest(self, visit: Visit, reader: Reader) -> list[tuple[str, dict[str, int]]] | None:
        """What a release changed in the tables that a visitor looks for."""
        past = self._shelf.past(visit.live or reader)
        number = next((row["number"] for row in releases(past, visit.today) if row["id"] == reader.id), None) if past else None
        if past is None or number is None or number == 1:
            return None
        counted = tally(past, visit.today, Selection(number, number, {}))
        return [(table, kinds) for table, kinds in self._counted(counted) if table in ("institutions", "listings", "notices")]

    def of_region(self, visit: Visit, reader: Reader, region: str, most: int) -> Row | None:
        """What changed in a region in the newest releases, for its page: the selection, the plot and the newest changes; None where the past is not there."""
        past = self._shelf.past(reader)
        if past is None:
            return None
        known = releases(past, visit.today)
        chosen = select(past, visit.today, [("region", region), ("from", known[-AROUND - 1 :][0]["id"])], self._datasets)
        counted = tally(past, visit.today, chosen)
        found, _ = changes.page(changes.items(past, visit.today, replace(chosen, limit=most), counted, self._tables), most)
        return {
            "asked": chosen.asked,
            "known": known,
            "kept": {id for id, _ in self._shelf.archive.known(reader)},
            "total": sum(row["rows"] for row in counted),
            "plot": self._plot(past, visit.today, chosen, counted),
            "by_release": self._by_release(past, visit.today, chosen, counted),
            "items": changes.named(past, visit.today, found, self._tables),
        }


def as_public(items: Sequence[Row] | None, visit: Visit, reader: Reader) -> list[Row] | None:
    """Items as they leave: raw values and codes, with the address of a page that is there."""
    if items is None:
        return None
    left = ("last", "in", "of", "has_page", "part", "listing", "other", "statement")
    return [
        {
            **{key: value for key, value in item.items() if key not in left},
            "region_name": reader.region(item["region"], None, visit.lang) or None,
            "url": address(_page_of(item), visit.lang) if item["has_page"] else None,
        }
        for item in items
    ]


def _page_of(item: Row) -> str:
    return f"/{'notices' if item['subject'].startswith('n-') else 'institutions'}/{item['subject']}"


def _grouped(found: Mapping[tuple[str, ...], int]) -> list[Row]:
    return [{"table": table, "kind": kind, "cause": cause, "rows": rows} for (table, kind, cause), rows in sorted(found.items())]


def _regions(past: Past, today: str, chosen: Selection) -> dict[str, Any]:
    """Regions to choose: those above and directly under the one that is chosen, where something changed in them, and the provinces."""
    reader, code = past.reader, chosen.asked.get("region")
    changed = past.once(today, "regions with changes", lambda: _with_those_above(reader, present(past, today)))
    above: list[str] = []
    while code and code != COUNTRY and code not in above:
        above.insert(0, code)
        code = (reader.regions.get(code) or {}).get("parent_code")
    under = [code for code in regions_under(reader, above[-1], today) if code in changed] if above else []
    provinces = [code for code in sorted(regions_under(reader, COUNTRY, today)) if code in changed or code in above]
    return {
        "region": provinces,
        "region_top": above[0] if above else None,
        "region_above": [code for code in above if code not in provinces],
        "region_under": sorted(under),
    }


def _with_those_above(reader: Reader, codes: set[str]) -> set[str]:
    found: set[str] = set()
    for code in codes:
        at: str | None = code
        while at and at not in found:
            found.add(at)
            at = (reader.regions.get(at) or {}).get("parent_code")
    return found


def _csv_of(lines: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(lines)
    return text.getvalue().encode("utf-8", "replace")
