"""What changed between releases, as plain data: one item for each row that changed with its cause. /changes and the timelines of institutions and
notices are made from the same.

Newest release first; in a release by table in reading order, then by key. The tally says where there is something, so that an answer looks only
there. Of what may not be shown any more an item says that it came or went and why, and no more.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson

from . import queries
from .events import event
from .past import Past, others
from .reader import Row
from .selection import Selection, releases
from .tally import REGIONS, SUBJECTS, filtered

MANY = 60  # rows of one changed row at most, and more: no table has as many columns
FIELD = ("field", "before", "after")
ROWS = "SELECT * FROM changes WHERE $filters AND release = ?6 AND table_name = ?7 AND number > ?8 AND kind <> 'columns'$only ORDER BY number LIMIT ?9"
PLACE = "SELECT release, table_name FROM main.changes WHERE number = ?"
_THEN = "WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY id, release_from"
NAMES = {
    "institutions": "SELECT id, release_from, name FROM institutions $then",
    "notices": "SELECT id, release_from, title AS name, kind FROM notices $then",
    "listings": "SELECT id, release_from, list, authority, batch_label FROM listings $then",
    "documents": "SELECT id, release_from, title AS name FROM documents $then",
    "sources": "SELECT id, release_from, label_zh AS name, label_en FROM sources $then",
}
STATEMENTS = """SELECT notice_id || ' ' || number AS id, release_from, kind, said_by, said_on FROM notice_statements
    WHERE notice_id IN (SELECT value FROM json_each(?1)) ORDER BY 1, 2"""
HERE = "SELECT id FROM institutions WHERE id IN (SELECT value FROM json_each(?1))"
IN_FORCE = f"SELECT n.id FROM notices n WHERE n.id IN (SELECT value FROM json_each(?1)) AND {queries.IN_FORCE}"  # noqa: S608


@dataclass(frozen=True)
class Tables:
    """What the data dictionary says of tables, as changes need it: their order, datasets and keys, and whose rows they hold."""

    order: Mapping[str, int]
    dataset: Mapping[str, str]
    key: Mapping[str, tuple[str, ...]]
    owner: Mapping[str, str]  # notices, institutions, or the table itself: publish.about says the same


def tables_of(dictionary: Mapping[str, Mapping[str, Mapping[str, Row]]], first: Sequence[str]) -> Tables:
    """By the dictionary of catalogue.dictionary; the datasets in `first` come first."""
    rank = {dataset: place for place, dataset in enumerate([*first, *(name for name in dictionary if name not in first)])}
    found = {
        name: (dataset, table)
        for dataset in sorted(dictionary, key=rank.__getitem__)
        for name, table in dictionary[dataset]["tables"].items()
    }

    def owner(name: str) -> str:
        refers = {column.get("ref") for column in found[name][1]["columns"].values()}
        return next((other for other in ("notices", "institutions") if other == name or other in refers), name)

    return Tables(
        {name: place for place, name in enumerate(found)},
        {name: dataset for name, (dataset, _) in found.items()},
        {name: tuple(table["key"]) for name, (_, table) in found.items()},
        {name: owner(name) for name in found},
    )


def items(past: Past, today: str, chosen: Selection, counted: Iterable[Row], tables: Tables) -> Iterator[Row]:
    """The rows that changed, where `counted` (tally) says that there are some, from chosen.after on."""
    days = {row["number"]: row for row in releases(past, today)}
    places = sorted({(-row["release"], tables.order.get(row["table_name"], len(tables.order)), row["table_name"]) for row in counted})
    begin = 0
    if chosen.after is not None:
        at = past.rows(today, PLACE, chosen.after)[0]
        start = (-at["release"], tables.order.get(at["table_name"], len(tables.order)), at["table_name"])
        places = [place for place in places if place >= start]
        begin = chosen.after if places and places[0] == start else 0
    for release, _, table in places:
        yield from _of_table(past, today, chosen, days[-release], table, begin, tables)
        begin = 0


def _of_table(past: Past, today: str, chosen: Selection, release: Row, table: str, begin: int, tables: Tables) -> Iterator[Row]:
    most = chosen.limit + MANY
    only = "".join(f" AND {sql}" for sql, asked in ((SUBJECTS, chosen.subjects), (REGIONS, chosen.regions)) if asked)
    sql, left_out = filtered(ROWS).replace("$only", only), others(past.reader, today) if chosen.regions else ()
    while True:
        rows = past.rows(today, sql, *chosen.filters, chosen.subjects, chosen.regions, release["number"], table, begin, most)
        full = len(rows) == most
        keys: dict[str, list[Row]] = {}
        for row in rows:
            keys.setdefault(row["key"], []).append(row)
        if full:  # the last one may go on
            keys.popitem()
        for of_key in keys.values():
            begin = of_key[-1]["number"]
            if of_key[0]["subject"] not in left_out:
                yield from (_item(of_cause, begin, release, table, tables) for of_cause in _by_cause(of_key))
        if not full:
            return


def _by_cause(rows: list[Row]) -> list[list[Row]]:
    """A dispute changes a notice's state, and its source what else changes on that day."""
    causes: dict[str, list[Row]] = {}
    for row in rows:
        causes.setdefault(row["cause"], []).append(row)
    return list(causes.values())


def _item(rows: list[Row], last: int, release: Row, table: str, tables: Tables) -> Row:
    first = rows[0]
    hidden = not first["is_shown"] and table != "notices"  # of a listing not even which
    return {
        "number": first["number"], "last": last, "release": release["id"], "in": release["number"], "recorded_on": release["day"],
        "dataset": tables.dataset.get(table, table), "table": table, "key": None if hidden else first["key"], "kind": first["kind"], "cause": first["cause"],
        "subject": first["subject"], "region": first["region"], "is_shown": bool(first["is_shown"]),
        "effective_on": next((row["effective_on"] for row in rows if row["effective_on"]), None),
        "published_on": next((row["published_on"] for row in rows if row["published_on"]), None),
        "fields": [{column: row[column] for column in FIELD} | {"has_values": bool(row["has_values"])} for row in rows if row["field"] is not None],
    }  # fmt: skip


def page(found: Iterable[Row], limit: int) -> tuple[list[Row], int | None]:
    """The first `limit` items, and the number after which the next page begins. What changed in one row by several causes stays together."""
    taken: list[Row] = []
    for item in found:
        if len(taken) >= limit and item["last"] != taken[-1]["last"]:
            return taken, taken[-1]["last"]
        taken.append(item)
    return taken, None


def named(past: Past, today: str, found: list[Row], tables: Tables) -> list[Row]:
    """The items, each with who or what it is about (`of`: what the past says of its subject in its release) and whether its page is there."""
    asked = {name: {item["subject"] for item in found if tables.owner.get(item["table"]) == name and item["is_shown"]} for name in NAMES}
    asked["institutions"] |= {item["key"].split(" ")[1] for item in found if item["table"] == "notice_links"}
    asked["listings"] |= {item["key"] for item in found if item["table"] == "listings" and item["is_shown"]}
    known = {name: _then(past, today, sql.replace("$then", _THEN), asked[name]) for name, sql in NAMES.items()}
    said = _then(past, today, STATEMENTS, {item["subject"] for item in found if item["table"] == "notice_statements"})
    pages = {row["id"] for row in past.reader.rows(HERE, _list(asked["institutions"]))}
    pages |= {row["id"] for row in past.reader.rows(IN_FORCE, _list(asked["notices"]), today)}
    for item in found:
        owner = tables.owner.get(item["table"], item["table"])
        item["of"] = _at(known.get(owner, {}).get(item["subject"], []), item)
        item["name"] = (item["of"] or {}).get("name")
        item["has_page"] = item["subject"] in pages
        item |= {"part": _part(item, tables), "listing": None, "other": None, "statement": None}
        if item["table"] == "listings" and item["key"]:
            item["listing"] = _at(known["listings"].get(item["key"], []), item)
        if item["table"] == "notice_links":
            other = item["key"].split(" ")[1]
            item["other"] = {"id": other, **(_at(known["institutions"].get(other, []), item) or {}), "has_page": other in pages}
        if item["table"] == "notice_statements":
            item["statement"] = _at(said.get(item["key"], []), item)
        item["event"] = event(item)
    return found


def _part(item: Row, tables: Tables) -> list[tuple[str, str]]:
    """The rest of the key of a part: the number of a permit, the code of a class."""
    columns = tables.key.get(item["table"], ())
    if item["key"] is None or item["table"] in ("notice_links", "notice_statements") or len(columns) < 2:
        return []
    values = item["key"].split(" ", len(columns) - 1)
    return [(column, value) for column, value in zip(columns, values, strict=False) if value != item["subject"]]


def _then(past: Past, today: str, sql: str, ids: Iterable[str | None]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in past.rows(today, sql, _list(ids)):
        found.setdefault(row["id"], []).append(row)
    return found


def _at(intervals: Sequence[Row], item: Row) -> Row | None:
    """What held in the item's release; of what went, what held before."""
    until = [row for row in intervals if row["release_from"] < item["in"] + (item["kind"] != "remove")]
    known = until or intervals[:1]
    return known[-1] if known else None


def _list(ids: Iterable[str | None]) -> str:
    return orjson.dumps(sorted(id for id in ids if id)).decode()
