"""How many rows changed, by release, table, kind and cause. change_counts has the numbers, so that a year of changes is counted in milliseconds.

The numbers are those of the items, also after a midnight: what has ended since the release was made is left out of its region and of what it
changed, as the items leave it out; that a notice or listing came and went still counts.
"""

from collections import Counter
from collections.abc import Iterable
from operator import itemgetter
from typing import Any

import orjson

from .past import Past, others, past_ended
from .reader import Row
from .selection import Selection

OF = ("release", "table_name", "kind", "cause")  # the columns of a tally beside its number
# ?1 to ?3 are the filters of a selection: tables, kind, cause
_FILTERS = (
    """(?1 IS NULL OR table_name IN (SELECT value FROM json_each(?1))) AND (?2 IS NULL OR kind = ?2) AND (?3 IS NULL OR cause = ?3)"""
)
ALL = "SELECT release, table_name, kind, cause, sum(rows) AS rows FROM change_counts GROUP BY 1, 2, 3, 4"
OF_REGIONS = """SELECT release, table_name, kind, cause, sum(rows) AS rows FROM main.change_counts
    WHERE region IN (SELECT value FROM json_each(?)) GROUP BY 1, 2, 3, 4"""
# the view says what may be told of a subject, the table has the index
SUBJECTS = "number IN (SELECT number FROM main.changes WHERE subject IN (SELECT value FROM json_each(?4))) AND subject IN (SELECT value FROM json_each(?4))"
REGIONS = """number IN (SELECT number FROM main.changes WHERE region IN (SELECT value FROM json_each(?5)) AND release = ?6 AND table_name = ?7)
    AND region IN (SELECT value FROM json_each(?5))"""


def filtered(sql: str) -> str:
    """SQL over changes with the filters of a selection ($filters) filled in."""
    return sql.replace("$filters", _FILTERS)


OF_SUBJECTS = filtered(
    """SELECT release, table_name, kind, cause, count(DISTINCT key) AS rows FROM changes WHERE $filters AND $subjects AND kind <> 'columns'
    AND (?5 IS NULL OR region IN (SELECT value FROM json_each(?5))) GROUP BY 1, 2, 3, 4""".replace("$subjects", SUBJECTS)
)
OVER = """SELECT release, table_name, kind, cause, coalesce(region, '') AS region, count(DISTINCT key) AS rows FROM main.changes
    WHERE is_shown AND kind <> 'columns' AND table_name <> 'listings' AND subject IN (SELECT value FROM json_each(?1) UNION SELECT value FROM json_each(?2))
    GROUP BY 1, 2, 3, 4, 5
    UNION ALL SELECT release, table_name, kind, cause, coalesce(region, ''), count(DISTINCT key) FROM main.changes
    WHERE is_shown AND table_name = 'listings' AND key IN (SELECT value FROM json_each(?3))
    AND subject IN (SELECT institution_id FROM main.listings WHERE id IN (SELECT value FROM json_each(?3))) GROUP BY 1, 2, 3, 4, 5"""
OF_OTHERS = """SELECT release, table_name, kind, cause, coalesce(region, '') AS region, count(DISTINCT key) AS rows FROM main.changes
    WHERE is_shown AND kind <> 'columns' AND table_name <> 'listings' AND subject IN (SELECT value FROM json_each(?1)) AND region IS NOT NULL
    AND subject NOT IN (SELECT value FROM json_each(?2)) GROUP BY 1, 2, 3, 4, 5"""
FIRST = 'SELECT count(*) AS n FROM "$table" WHERE release_from = 1'
TABLES = """SELECT m.name FROM main.sqlite_master m JOIN pragma_table_info(m.name) c ON c.name = 'release_from' WHERE m.type = 'table' ORDER BY 1"""


def tally(past: Past, today: str, chosen: Selection) -> list[Row]:
    """The numbers of a selection: exactly the items that there are, but for new months of ratings, which are counted and nowhere listed."""
    if chosen.subjects:
        left_out = others(past.reader, today) if chosen.regions else ()
        subjects = orjson.dumps([each for each in orjson.loads(chosen.subjects) if each not in left_out]).decode()
        found = past.rows(today, OF_SUBJECTS, *chosen.filters, subjects, chosen.regions)
    elif chosen.regions:
        found = past.rows(today, OF_REGIONS, chosen.regions)
    else:
        found = past.once(today, "tally", lambda: past.rows(today, ALL))
    less = [] if chosen.subjects else _over(past, today, chosen)
    tables = orjson.loads(chosen.tables) if chosen.tables else None
    left = [row for row in found if _meant(row, chosen, tables)]
    if not less:
        return left
    minus, of = summed(less, *OF), itemgetter(*OF)
    left = [{**row, "rows": row["rows"] - minus[of(row)]} for row in left]
    return [row for row in left if row["rows"] > 0]


def _meant(row: Row, chosen: Selection, tables: list[str] | None) -> bool:
    return bool(
        chosen.first <= row["release"] <= chosen.last
        and (tables is None or row["table_name"] in tables)
        and chosen.kind in (None, row["kind"])
        and chosen.cause in (None, row["cause"])
    )


def _over(past: Past, today: str, chosen: Selection) -> list[Row]:
    """What is counted and told no more. That a notice or listing came and went is told, but not where; who is no organisation is in no region."""
    gone = past_ended(past.reader, today).gone
    over = past.once(today, "changes over", lambda: past.rows(today, OVER, gone["notices"], gone["documents"], gone["listings"]))

    def of_others() -> list[Row]:
        return past.rows(today, OF_OTHERS, orjson.dumps(sorted(others(past.reader, today))).decode(), gone["notices"])

    if chosen.regions:
        regions = orjson.loads(chosen.regions)
        return [row for row in (*over, *past.once(today, "changes of others", of_others)) if row["region"] in regions]
    return [row for row in over if row["table_name"] not in ("notices", "listings") or row["kind"] == "change"]


def first_release(past: Past, today: str) -> dict[str, int]:
    """The rows of each table in the very first release, in which everything was new and nothing is listed as a change."""
    return past.once(today, "first release", lambda: _first_release(past, today))


def _first_release(past: Past, today: str) -> dict[str, int]:
    counts = {row["name"]: past.rows(today, FIRST.replace("$table", row["name"]))[0]["n"] for row in past.rows(today, TABLES)}
    return {name: n for name, n in counts.items() if n}


def summed(counted: Iterable[Row], *by: str) -> Counter[Any]:
    """The numbers of a tally by one of its columns, or by several."""
    found: Counter[Any] = Counter()
    of = itemgetter(*by)
    for row in counted:
        found[of(row)] += row["rows"]
    return found
