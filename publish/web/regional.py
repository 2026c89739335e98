"""How much of what there is in each region, counted for all of them at once: the numbers of the start page, of /regions and of each region's page.

A region has what lies in it, by the tree of the release's table, as the indexes and the exports have it. Everything is counted as it may be shown on the
day: a notice or a listing that is over is in no number. Notices about natural persons, and about who could be one, are in none and not among the newest:
no search finds them by region, and one in a county would say who (rule 8). Of the live release alone. To count takes a second or two of 200,000 institutions, so it is done beside the loop (Reader.apart), once a
day; so is looking into addresses.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from ..coverage import LISTS as LISTINGS
from ..regions import COUNTRY
from ..rules import ADVERSE
from . import queries
from .reader import Reader, Row
from .selection import regions_under

# what is counted: one of these and a code, a month or a year
INSTITUTIONS, LIST, CLASS, NOTICES, DECIDED, LISTED = "institutions", "list", "class", "notices", "decided", "listed"
Key = tuple[str, str]
Counts = Counter[Key]
QUICK = 1_000  # rows that are passed over in the loop
ANY_ADVERSE = "adverse"  # beside the lists themselves: who is on one of those that may hurt counts once
NOWHERE = ""  # the key of what has no region that the release knows

# on a list today: not gone from it, not over, not to come
_ON_IT = """l.absent_since IS NULL AND (l.valid_until IS NULL OR l.valid_until >= substr(?2, 1, length(l.valid_until)))
    AND (l.listed_on IS NULL OR l.listed_on <= substr(?2, 1, length(l.listed_on))) AND $listed""".replace("$listed", queries.LISTED)
_COUNTED = {
    INSTITUTIONS: "SELECT region_code, '' AS what, count(*) AS n FROM institutions WHERE ?1 = '' AND ?2 <> '' GROUP BY 1",
    LIST: """SELECT i.region_code, l.list AS what, count(DISTINCT l.institution_id) AS n FROM listings l JOIN institutions i ON i.id = l.institution_id
        WHERE ?1 = '' AND $on_it GROUP BY 1, 2
        UNION ALL SELECT i.region_code, '$any', count(DISTINCT l.institution_id) FROM listings l JOIN institutions i ON i.id = l.institution_id
        WHERE l.list IN $adverse AND $on_it GROUP BY 1""".replace("$on_it", _ON_IT)
    .replace("$adverse", ADVERSE)
    .replace("$any", ANY_ADVERSE),
    CLASS: """SELECT i.region_code, c.class_code AS what, count(*) AS n FROM institution_classes c JOIN institutions i ON i.id = c.institution_id
        WHERE ?1 = '' AND ?2 <> '' GROUP BY 1, 2""",
    DECIDED: """SELECT n.region_code, coalesce(substr(n.decided_on, 1, 7), '') AS what, count(*) AS n FROM notices n
        WHERE ?1 = '' AND $in_force GROUP BY 1, 2""".replace("$in_force", queries.FOUND),
    LISTED: """SELECT l.region_code, coalesce(substr(l.listed_on, 1, 7), '') AS what, count(*) AS n FROM listings l
        WHERE ?1 = '' AND $listed GROUP BY 1, 2""".replace("$listed", queries.LISTED),
}

_IN = "i.region_code IN (SELECT value FROM json_each(?1)) AND ?2 <> ''"
_WITH = {  # ?3 is a class, ?4 a list, ?5 a part of an address, without blanks and in small letters
    "class": "EXISTS (SELECT 1 FROM institution_classes c WHERE c.institution_id = i.id AND c.class_code = ?3)",
    "list": """EXISTS (SELECT 1 FROM listings l WHERE l.institution_id = i.id AND (+l.list = ?4 OR (?4 = '$any' AND +l.list IN $adverse)) AND $on_it)""".replace(
        "$on_it", _ON_IT
    )
    .replace("$adverse", ADVERSE)
    .replace("$any", ANY_ADVERSE),
    "address": """(instr(lower(replace(replace(i.address, ' ', ''), '　', '')), ?5)
        OR EXISTS (SELECT 1 FROM institution_sites s WHERE s.institution_id = i.id AND instr(lower(replace(replace(s.address, ' ', ''), '　', '')), ?5)))""",
}
_PAGE = """SELECT i.id FROM institutions i WHERE $where AND ?3 IS NOT NULL AND ?4 IS NOT NULL AND ?5 IS NOT NULL
    ORDER BY i.region_code, i.name, i.id LIMIT ?6 OFFSET ?7"""
_CLASSES_OF = (
    "SELECT institution_id, class_code FROM institution_classes WHERE institution_id IN (SELECT value FROM json_each(?1)) ORDER BY 1, 2"
)
_NEWEST = """SELECT n.id FROM notices n WHERE n.region_code IN (SELECT value FROM json_each(?1)) AND $in_force
    ORDER BY coalesce(n.published_on, n.decided_on) DESC, n.id LIMIT ?3""".replace("$in_force", queries.FOUND)


def count(reader: Reader, today: str) -> dict[str, Counts]:
    """The numbers of every region that has any, with all that lies in it. The country has what has no region too."""
    found: dict[str, Counts] = {}
    above: dict[str, list[str]] = {}
    keys: dict[Key, Key] = {}  # one object for each, of which there are hundreds of thousands
    for kind, sql in _COUNTED.items():
        for row in reader.rows(sql, "", today):
            code = row["region_code"] if row["region_code"] in reader.regions else NOWHERE
            if code not in above:
                above[code] = [COUNTRY, *reader.lies_in(code)] if code else [COUNTRY, NOWHERE]
            key = keys.setdefault((kind, row["what"]), (kind, row["what"]))
            for each in above[code]:
                its = found.setdefault(each, Counter())
                its[key] += row["n"]
                if kind == DECIDED:
                    its[NOTICES, ""] += row["n"]
    return found


def counted(reader: Reader, today: str) -> Mapping[str, Counts]:
    """What `count` gives, worked out once a day."""
    return reader.once(today, "regions counted", lambda: count(reader, today))


def of(reader: Reader, today: str, code: str) -> Counts:
    """The numbers of one region."""
    return counted(reader, today).get(code, Counter())


def by_code(counts: Counts, kind: str) -> dict[str, int]:
    """The numbers of one kind by their codes, or by months and years."""
    return {what: n for (which, what), n in sorted(counts.items()) if which == kind and n}


def said(counts: Counts, none: Mapping[str, int | None], silence: Mapping[str, str | None]) -> Row:
    """The numbers of a region as its JSON has them: None instead of 0 where nobody can know. `none` says of each list what it is where nobody is on it."""
    return {
        "institutions": counts[INSTITUTIONS, ""] or (None if silence[LISTINGS] else 0),
        "lists": {each: counts[LIST, each] or nothing for each, nothing in none.items()},
        "notices_in_force": counts[NOTICES, ""] or (None if silence[NOTICES] else 0),
    }


def beneath(reader: Reader, code: str, today: str) -> list[str]:
    """A region and all that lies in it."""
    found = [code]
    for each in found:  # grows while it is read; the table of regions is a tree
        found += regions_under(reader, each, today)
    return found


def parts(reader: Reader, code: str, today: str) -> list[str]:
    """The regions directly under one that are there today, or have something, by their codes."""
    counts = counted(reader, today)
    return sorted(each for each in regions_under(reader, code, today) if each in counts or not _has_ended(reader, each))


def _has_ended(reader: Reader, code: str) -> bool:
    row = reader.territory.at(code)
    return row is not None and row.valid_until is not None


def institutions(reader: Reader, today: str, code: str, chosen: Mapping[str, str], limit: int, offset: int) -> tuple[int, list[str]]:
    """How many institutions of a region are of a class, on a list and at an address (as far as these are chosen), and the ids of one page of them.

    They stand by region and name; nothing is ranked.
    """
    address = "".join(chosen.get("address", "").split()).lower()
    where = " AND ".join([_IN, *(sql for name, sql in _WITH.items() if chosen.get(name))])
    sql, key, codes = _PAGE.replace("$where", where), _key(chosen), beneath(reader, code, today)
    if key is not None:
        codes, offset = _places(reader, today, codes, key, limit, offset)
    values: tuple[Any, ...] = orjson.dumps(codes).decode(), today, chosen.get("class", ""), chosen.get("list", ""), address
    if key is None:  # all of them are looked at for their number
        every = [row["id"] for row in reader.rows(sql, *values, -1, 0)]
        return len(every), every[offset : offset + limit]
    return of(reader, today, code)[key], [row["id"] for row in reader.rows(sql, *values, limit, offset)]


def is_quick(reader: Reader, today: str, code: str, chosen: Mapping[str, str], limit: int, offset: int) -> bool:
    """Whether a page of institutions takes a few milliseconds, once they are counted: there are few to look at."""
    key = _key(chosen)
    if key is None:
        return of(reader, today, code)[INSTITUTIONS, ""] <= QUICK
    codes, before = _places(reader, today, beneath(reader, code, today), key, limit, offset)
    return (sum(_own(reader, today, each, (INSTITUTIONS, "")) for each in codes) if any(chosen.values()) else before) <= QUICK


def _key(chosen: Mapping[str, str]) -> Key | None:
    """By what the number of those is counted already; None where it is not."""
    asked = [(name, value) for name, value in chosen.items() if value]
    if len(asked) > 1 or "address" in dict(asked):
        return None
    return (LIST if asked[0][0] == "list" else CLASS, asked[0][1]) if asked else (INSTITUTIONS, "")


def _places(reader: Reader, today: str, codes: Sequence[str], key: Key, limit: int, offset: int) -> tuple[list[str], int]:
    """Those of the regions in which the institutions of a page are, as they are counted, and how many stand there before it."""
    found: list[str] = []
    there = 0
    for each in sorted(codes):
        own = _own(reader, today, each, key)
        if own <= offset and not found:
            offset -= own
        elif own and there < offset + limit:
            found.append(each)
            there += own
    return found, offset


def _own(reader: Reader, today: str, code: str, key: Key) -> int:
    """A number of a region without the regions in it."""
    return of(reader, today, code)[key] - sum(of(reader, today, each)[key] for each in regions_under(reader, code, today))


def classes_of(reader: Reader, ids: Sequence[str]) -> dict[str, list[str]]:
    """The classes of these institutions."""
    found: dict[str, list[str]] = {}
    for row in reader.rows(_CLASSES_OF, orjson.dumps(ids).decode()):
        found.setdefault(row["institution_id"], []).append(row["class_code"])
    return found


def newest(reader: Reader, today: str, code: str, most: int) -> list[str]:
    """The ids of the notices in force of a region that were published last."""
    return [row["id"] for row in reader.rows(_NEWEST, orjson.dumps(beneath(reader, code, today)).decode(), today, most)]


def place(code: str) -> str:
    """How the codes of all that lies in a region begin, for a link to a table: 350000 is 35, 350100 is 3501. A test holds the table to it."""
    return code[:2] if code.endswith("0000") else code[:4] if code.endswith("00") else code
