"""What a release says about an institution, a notice and the country, as plain data: the pages and their JSON are made from the same.

Each answer is of one Reader and one day. Notices that are not in force on that day are left out here, once, so that no page can forget
it. Nothing is judged and nothing is ranked: order is by date or identifier.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import orjson

from .. import coverage as covering
from ..home import release_order
from ..rules import HARMLESS
from . import queries
from .rated import ratings
from .reader import Reader, Row
from .terms import is_stale, over, permit_state

NEWEST = 8
MOST = 200  # of one kind in one answer
KEPT = 20_000  # cards as JSON, of 1 kB each
GLANCE = 3  # listings that a card has room for
CARD_PARTS = {name: columns.split(", ") for name, (columns, _) in queries.CARD_PARTS.items()}


def cards(reader: Reader, ids: Sequence[str], today: str) -> list[Row]:
    """The institutions with these ids, in this order, each with what a glance must show. An id that the release does not know is left out."""
    found = {row["id"]: row for row in reader.rows(queries.CARDS, orjson.dumps(ids).decode(), today)}
    return [_card(reader, found[id], today) for id in ids if id in found]


def _card(reader: Reader, row: Row, today: str) -> Row:
    parts = {name: _rows(row.pop(name), columns) for name, columns in CARD_PARTS.items()}
    return {
        **row,
        "source_as_of": reader.source_as_of(row["source_id"]),
        **_held_of(reader, row),
        "listings": [_listing(reader, listing, today) for listing in parts["listings"]],
        "notices_in_force": parts["notices_in_force"],
        "unmatched_notices": unmatched(reader, row, today),
        "permits": [{**permit, "state": permit_state(permit, today)} for permit in parts["permits"]],
        "fund_supervision": parts["fund_supervision"],
    }


def _rows(text: str, columns: Sequence[str]) -> list[Row]:
    """Rows that SQLite gave as an array of arrays."""
    return [dict(zip(columns, values, strict=True)) for values in orjson.loads(text)] if text != "[]" else []


def glance(listings: Sequence[Row]) -> list[Row]:
    """The listings that a card has room for, newest first; those that may hurt are all there, before the others."""
    against = [it for it in listings if it["list"] not in HARMLESS]
    return [*against, *(it for it in listings if it["list"] in HARMLESS)][: max(GLANCE, len(against))]


def names(reader: Reader, ids: Sequence[str]) -> list[Row]:
    """The institutions with these ids, in this order: id, name, region. An id that the release does not know is left out."""
    found = {row["id"]: row for row in reader.rows(queries.NAMES, orjson.dumps(ids).decode())}
    return [found[id] for id in dict.fromkeys(ids) if id in found]


def card_json(reader: Reader, ids: Sequence[str], today: str) -> dict[str, bytes]:
    """The cards with these ids as JSON. They are kept for the day: a search has twenty."""
    kept: dict[str, bytes] = reader.once(today, "cards", dict)
    missing = [id for id in ids if id not in kept]
    if missing:
        if len(kept) > KEPT:
            kept.clear()
        kept |= {card["id"]: orjson.dumps(card) for card in cards(reader, missing, today)}
    return {id: kept[id] for id in ids if id in kept}


def _held_of(reader: Reader, institution: Row) -> dict[str, str | None]:
    """Since when its row stays as it was, and the lists and the notices of its region: there "found none" says nothing about today."""
    tables = {"held_since": "institutions", "lists_held_since": "listings", "notices_held_since": "notices"}
    return {name: reader.held_since(table, institution) for name, table in tables.items()}


def _listing(reader: Reader, listing: Row, today: str) -> Row:
    is_over = bool(listing["valid_until"]) and over(listing["valid_until"], today)
    is_to_come = bool(listing["listed_on"]) and listing["listed_on"] > today[: len(listing["listed_on"])]
    return {**listing, "is_over": is_over, "is_to_come": is_to_come, "held_since": reader.held_since("listings", listing)}


def _held(reader: Reader, notices: Iterable[Row]) -> list[Row]:
    return [{**notice, "held_since": reader.held_since("notices", notice), **reader.since(notice["id"])} for notice in notices]


def _with_statements(reader: Reader, notices: list[Row]) -> list[Row]:
    """Notices, each with what was said of it: a reply stands beside its notice (rule 11)."""
    said: dict[str, list[Row]] = defaultdict(list)
    for row in reader.rows(queries.STATEMENTS, orjson.dumps([notice["id"] for notice in notices]).decode()) if notices else ():
        said[row.pop("notice_id")].append(row)
    return [{**notice, "statements": said[notice["id"]]} for notice in notices]


def ordered(reader: Reader, notices: list[Row]) -> list[Row]:
    """Notices, each with the codes of what it orders."""
    found: dict[str, dict[str, list[str]]] = {it["id"]: {"penalties": [], "measures": []} for it in notices}
    for row in reader.rows(queries.ORDERED, orjson.dumps(list(found)).decode()) if found else ():
        found[row["notice_id"]][row["part"]].append(row["code"])
    return [{**it, **found[it["id"]]} for it in notices]


def unmatched(reader: Reader, institution: Row, today: str) -> list[Row]:
    """The notices in force that name exactly this institution's name in its region and are linked to nobody: it may be meant, or not."""
    return all_unmatched(reader, today).get((institution["name"], institution["region_code"]), [])


def all_unmatched(reader: Reader, today: str) -> dict[tuple[str, str], list[Row]]:
    """These notices by name and region; worked out once and kept."""
    return reader.once(today, "unmatched", lambda: _unmatched(reader, today))


def _unmatched(reader: Reader, today: str) -> dict[tuple[str, str], list[Row]]:
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in reader.rows(queries.UNMATCHED, "", today):
        found[row.pop("subject_name"), row.pop("region_code")].append(row)
    return dict(found)


def notices(reader: Reader, ids: Sequence[str], today: str) -> list[Row]:
    """The notices with these ids that are in force, in this order; `links` is the number of institutions that one is linked to."""
    if not ids:
        return []
    found = {row["id"]: row for row in ordered(reader, _held(reader, reader.rows(queries.NOTICE_CARDS, orjson.dumps(ids).decode(), today)))}
    return [found[id] for id in ids if id in found]


def institution(reader: Reader, id: str, today: str) -> Row | None:
    """Everything that is published about one institution, or None."""
    row = reader.row(queries.INSTITUTION, id)
    if row is None:
        return None
    row["aliases"] = reader.rows(queries.ALIASES, id)
    for part, sql in (
        ("sites", queries.SITES),
        ("permits", queries.PERMITS),
        ("classes", queries.CLASSES),
        ("fund_supervision", queries.FUNDS),
    ):
        row[part] = reader.rows(sql, id)
    row["listings"] = reader.rows(queries.LISTINGS, id, today, MOST)
    for part in ("sites", "permits", "classes", "fund_supervision", "listings"):
        for item in row[part]:
            item.pop("institution_id")
    for permit in row["permits"]:
        permit["state"] = permit_state(permit, today)
    row["listings"] = [_listing(reader, item, today) for item in row["listings"]]
    for item in row["listings"]:
        item["as_of"] = item["as_of"] or item["document_as_of"]
    row["notices"] = _with_statements(reader, ordered(reader, _held(reader, reader.rows(queries.NOTICES, id, today, MOST))))
    row["unmatched_notices"] = unmatched(reader, row, today)
    row["source_as_of"] = reader.source_as_of(row["source_id"])
    row |= _held_of(reader, row)
    row["ratings"] = ratings(reader, id)
    row["predecessors"] = reader.rows(queries.PREDECESSORS, id, MOST)
    return row


def successors(reader: Reader, id: str) -> list[Row]:
    """The institutions of the release that took the place of one that is gone, by however many steps; [] where nobody is known to have."""
    return reader.rows(queries.SUCCESSORS, id, MOST)


def succeeded_by(reader: Reader, id: str) -> list[Row]:
    """Who took its place next, how that is known and since when; an id of these may be gone too."""
    return reader.rows(queries.SUCCEEDED_BY, id)


def notice(reader: Reader, id: str) -> Row | None:
    """One notice, in force or not; its caller asks terms.in_force before it shows anything."""
    row = reader.row(queries.NOTICE, id)
    if row is None:
        return None
    row["penalties"] = [found["penalty_code"] for found in reader.rows(queries.PENALTIES, id)]
    row["measures"] = [found["measure_code"] for found in reader.rows(queries.MEASURES, id)]
    row |= _with_statements(reader, [row])[0]
    row["links"] = reader.rows(queries.LINKS, id)
    row["held_since"] = reader.held_since("notices", row)
    return {**row, **reader.since(id)}


def overview(reader: Reader, today: str) -> dict[str, Any]:
    """What the start page shows of a release on one day; worked out once and kept."""
    return reader.once(today, "overview", lambda: _overview(reader, today))


def _overview(reader: Reader, today: str) -> dict[str, Any]:
    return {
        "newest": ordered(reader, _held(reader, reader.rows(queries.NEWEST, "", today, NEWEST))),
        "notices_in_force": reader.rows(queries.COUNT_FOUND, "", today)[0]["n"],
        "provinces": _provinces(reader),
        "classes": [(row["code"], row["institutions"]) for row in reader.rows(queries.OF_CLASSES)],
    }


def _provinces(reader: Reader) -> list[Row]:
    """Every province with its number of institutions; a code that the release does not know counts nowhere."""
    counts = {row["code"]: row["institutions"] for row in reader.rows(queries.PROVINCES)}
    return [{"code": code, "institutions": counts.get(code, 0)} for code, row in reader.regions.items() if row["level"] == "province"]


def freshness(reader: Reader, today: str) -> dict[str, Any]:
    """How old the data is: the oldest and newest as-of of its sources, which of them are stale, and which regions stay as they were."""
    return reader.once(today, "freshness", lambda: _freshness(reader, today))


def _freshness(reader: Reader, today: str) -> dict[str, Any]:
    days = sorted(s["as_of"] for s in reader.sources if s["as_of"])
    return {
        "release": reader.id,
        "as_of": days[-1] if days else None,
        "oldest_as_of": days[0] if days else None,
        "stale_sources": [s["id"] for s in reader.sources if is_stale(s, reader.reckoned(today))],
        "held": reader.held,
    }


def sources(reader: Reader, today: str) -> list[Row]:
    """The sources of a release, each with whether it is stale and the regions of it that are held: (region, since), each once."""
    return [
        {
            **source,
            "is_stale": is_stale(source, reader.reckoned(today)),
            "held": sorted({(row["region"], row["since"]) for row in reader.held if row["source"] == source["id"]}),
        }
        for source in reader.sources
    ]


def sources_of(reader: Reader, found: Row) -> list[Row]:
    """The sources of all that the page of an institution or a notice says of it."""
    ids = {row["source_id"] for row in (found, *(row for part in ("listings", "notices", "ratings") for row in found.get(part, ())))}
    return [source for source in reader.sources if source["id"] in ids]


def coverage(reader: Reader, today: str) -> covering.Coverage:
    """What the sources of a release cover today; worked out once and kept."""
    return reader.once(today, "coverage", lambda: covering.coverage(reader.rows, sources(reader, today), reader.held, reader.territory))


def coverage_then(reader: Reader, today: str) -> covering.Coverage:
    """The same on the day of the release, of which the documents made ahead are."""

    def made() -> covering.Coverage:
        stale = {source["id"] for source in reader.sources if is_stale(source, release_order(reader.id)[0])}
        now = coverage(reader, today)
        then = {what: [replace(it, is_stale=it.id in stale) for it in several] for what, several in now.sources.items()}
        return replace(now, sources=then)

    return reader.once(today, "coverage_then", made)
