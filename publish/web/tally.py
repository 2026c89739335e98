"""How many rows changed, by release, table, kind and cause. change_counts has the numbers, so that a year of changes is counted in milliseconds.

The numbers are those of the items, also after a midnight: what has ended since the release was made is left out of its region and of what it
changed, as the items leave it out; that a notice or listing came and went still counts.
"""

from collections import Counter
from collections.abc import Iterable

import orjson

from .past import Past, past_ended
from .reader import Row
from .selection import Selection

# ?1 to ?4 are the filters of a selection: tables, kind, cause, regions
_FILTERS = """(?1 IS NULL OR table_name IN (SELECT value FROM json_each(?1))) AND (?2 IS NULL OR kind = ?2)
    AND (?3 IS NULL OR cause = ?3) AND (?4 IS NULL OR region IN (SELECT value FROM json_each(?4)))"""
# the view says what may be told of a subject, the table has the index
_SUBJECTS = "number IN (SELECT number FROM main.changes WHERE subject IN (SELECT value FROM json_each(?7))) AND subject IN (SELECT value FROM json_each(?7))"


def filtered(sql: str) -> str:
    """SQL over changes or change_counts with the filters of a selection ($filters) and its subjects ($subjects, ?7) filled in."""
    return sql.replace("$filters", _FILTERS).replace("$subjects", _SUBJECTS)


TALLY = filtered(
    "SELECT release, table_name, kind, cause, sum(rows) AS rows FROM change_counts WHERE $filters AND release BETWEEN ?5 AND ?6 GROUP BY 1, 2, 3, 4"
)
TALLY_OF = filtered(
    """SELECT release, table_name, kind, cause, count(DISTINCT key) AS rows FROM changes WHERE $filters AND release BETWEEN ?5 AND ?6
    AND $subjects AND kind <> 'columns' GROUP BY 1, 2, 3, 4"""
)
OVER = """SELECT release, table_name, kind, cause, coalesce(region, '') AS region, count(DISTINCT key) AS rows FROM main.changes
    WHERE is_shown AND kind <> 'columns' AND table_name <> 'listings' AND subject IN (SELECT value FROM json_each(?1) UNION SELECT value FROM json_each(?2))
    GROUP BY 1, 2, 3, 4, 5
    UNION ALL SELECT release, table_name, kind, cause, coalesce(region, ''), count(DISTINCT key) FROM main.changes
    WHERE is_shown AND table_name = 'listings' AND key IN (SELECT value FROM json_each(?3))
    AND subject IN (SELECT institution_id FROM main.listings WHERE id IN (SELECT value FROM json_each(?3))) GROUP BY 1, 2, 3, 4, 5"""
FIRST = 'SELECT count(*) AS n FROM "$table" WHERE release_from = 1'
TABLES = """SELECT m.name FROM main.sqlite_master m JOIN pragma_table_info(m.name) c ON c.name = 'release_from' WHERE m.type = 'table' ORDER BY 1"""


def tally(past: Past, today: str, chosen: Selection) -> list[Row]:
    """The numbers of a selection: exactly the items that there are, but for new months of ratings, which are counted and nowhere listed."""
    if chosen.subjects:
        return past.rows(today, TALLY_OF, *chosen.filters, chosen.first, chosen.last, chosen.subjects)
    found = past.rows(today, TALLY, *chosen.filters, chosen.first, chosen.last)
    less = summed(_less(past, today, chosen), "release", "table_name", "kind", "cause")
    left = [{**row, "rows": row["rows"] - less[row["release"], row["table_name"], row["kind"], row["cause"]]} for row in found]
    return [row for row in left if row["rows"] > 0]


def _less(past: Past, today: str, chosen: Selection) -> list[Row]:
    gone = past_ended(past.reader, today).gone
    over = past.reader.once(today, "changes over", lambda: past.rows(today, OVER, gone["notices"], gone["documents"], gone["listings"]))
    tables, regions = (orjson.loads(said) if said else None for said in (chosen.tables, chosen.regions))
    return [
        row
        for row in over
        if chosen.first <= row["release"] <= chosen.last
        and (tables is None or row["table_name"] in tables)
        and chosen.kind in (None, row["kind"])
        and chosen.cause in (None, row["cause"])
        and (regions is None or row["region"] in regions)
        and not (regions is None and row["table_name"] in ("notices", "listings") and row["kind"] != "change")
    ]


def first_release(past: Past, today: str) -> dict[str, int]:
    """The rows of each table in the very first release, in which everything was new and nothing is listed as a change."""
    return past.reader.once(today, "first release", lambda: _first_release(past, today))


def _first_release(past: Past, today: str) -> dict[str, int]:
    counts = {row["name"]: past.rows(today, FIRST.replace("$table", row["name"]))[0]["n"] for row in past.rows(today, TABLES)}
    return {name: n for name, n in counts.items() if n}


def summed(counted: Iterable[Row], *by: str) -> Counter[tuple[str, ...]]:
    """The numbers of a tally by some of its columns."""
    found: Counter[tuple[str, ...]] = Counter()
    for row in counted:
        found[tuple(row[name] for name in by)] += row["rows"]
    return found
