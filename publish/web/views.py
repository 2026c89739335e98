"""The tables of /history in Datasette: every table as it was in each release, what differs between any two, and the changes.

They are views over the inner views of the past (past.py), so that what is over today is in none of them. A difference is net: of what changed and
changed back it has nothing. It is written as one scan in the order of the key, which a page and a CSV that streams go through piece by piece;
as a union of what came, went and changed it took twice the time, and a page late in a long one more than the limit of a query.
"""

import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..regions import COUNTRY
from ..wording import LANGUAGES, wording
from .ended import INNER

AS_OF, DIFFERENCE = "_as_of", "_difference"
KINDS = {"add": "o", "remove": "n"}  # of a difference, and the side whose row is missing
_R = f'"{INNER}releases"'
# the number of one row is where it was, and after its end no region of it is told
_ENDING = "c.table_name IN ('listings', 'documents') OR c.table_name GLOB 'notice*'"
_OWN: Mapping[str, tuple[str, tuple[str, ...]]] = {  # SQL and key
    "releases": (f"SELECT id, day, is_pipeline, number FROM {_R}", ("id",)),
    "changes": (
        f"""SELECT c.number, r.id AS release, r.day AS recorded_on, c.table_name, c."key", c.kind, c.field, c."before", c."after", c.cause, c.subject,
        c.region, c.effective_on, c.published_on, c.is_shown, c.has_values FROM "{INNER}changes" c JOIN {_R} r ON r.number = c.release""",
        ("number",),
    ),
    "change_counts": (
        f"""SELECT r.id AS release, r.day AS recorded_on, c.table_name, c.kind, c.cause, iif({_ENDING}, '', c.region) AS region, sum(c."rows") AS "rows"
        FROM "{INNER}change_counts" c JOIN {_R} r ON r.number = c.release GROUP BY 1, 2, 3, 4, 5, 6""",
        ("release", "table_name", "kind", "cause", "region"),
    ),
}
# a release that is meant by its id, or by a day up to today in China: the newest one up to it; nothing else means one
_MEANT = """(SELECT id FROM releases WHERE id = :$at OR (day <= :$at AND date(:$at) = :$at AND :$at <= date('now', '+8 hours'))
  ORDER BY id = :$at DESC, number DESC LIMIT 1)"""
_WITHIN = f"""region_code LIKE CASE WHEN :region = '{COUNTRY}' THEN '' WHEN :region LIKE '%0000' THEN substr(:region, 1, 2) WHEN :region LIKE '%00' THEN substr(:region, 1, 4)
  ELSE :region END || '%'"""
_LISTED = "list = 'white' AND absent_since IS NULL"
OF_DAYS = ("day", "from", "to")  # keys of these queries that mean a release; each has to, or nobody is found, or everybody
QUERIES: Mapping[str, str] = {
    "institution_on_a_day": f"SELECT * FROM institutions_as_of\nWHERE id = :id AND release = {_MEANT.replace('$at', 'day')}",
    "left_the_white_list": f"""WITH was AS MATERIALIZED (
  SELECT institution_id, subject_name, authority, listed_on, region_code FROM listings_as_of
  WHERE release = {_MEANT.replace("$at", "from")} AND {_LISTED}
  AND {_MEANT.replace("$at", "to")} IS NOT NULL AND {_WITHIN}
), still AS MATERIALIZED (
  SELECT institution_id FROM listings_as_of
  WHERE release = {_MEANT.replace("$at", "to")} AND {_LISTED}
  AND institution_id IN (SELECT institution_id FROM was)
)
SELECT *, (SELECT group_concat(successor_id, ' ') FROM institution_lineage_as_of
  WHERE predecessor_id = was.institution_id AND release = {_MEANT.replace("$at", "to")}) AS successor_ids
FROM was WHERE institution_id NOT IN (SELECT institution_id FROM still) ORDER BY institution_id""",
    "changes_of_an_institution": "SELECT * FROM changes WHERE subject = :id ORDER BY number",
    "corrections_and_withdrawals": """SELECT substr(recorded_on, 1, 7) AS month, cause, table_name, sum(rows) AS rows FROM change_counts
WHERE cause IN ('correction', 'withdrawal') GROUP BY 1, 2, 3 ORDER BY 1 DESC, 2, 3""",
}

PARAMETERS = {name: tuple(dict.fromkeys(re.findall(r"(?<!:):([a-z]+)", sql))) for name, sql in QUERIES.items()}  # each has to have a value


@dataclass(frozen=True)
class View:
    """One table of /history. `key` tells its rows apart; it is in their order."""

    sql: str
    key: tuple[str, ...]


def views(connection: sqlite3.Connection, tables: Sequence[str]) -> dict[str, View]:
    """The views by their names, from a connection that has the inner views of `tables`. None is made yet."""
    found = {name: View(*own) for name, own in _OWN.items()}
    for table in tables:
        columns = connection.execute("SELECT name, pk FROM pragma_table_info(?, 'main') ORDER BY cid", [table]).fetchall()
        names = [name for name, _ in columns if name not in ("release_from", "release_to")]
        key = tuple(name for name, pk in sorted(columns, key=lambda column: int(column[1])) if pk and name in names)
        if len(names) == len(columns) - 2:
            found[table + AS_OF] = View(_as_of(table, names), ("release", *key))
            found[table + DIFFERENCE] = View(_difference(table, names, key), ("from_release", "to_release", *key))
    return dict(sorted(found.items()))


def make_views(connection: sqlite3.Connection, made: Mapping[str, View]) -> None:
    """Make them. To be called before the connection is hardened."""
    for name, view in made.items():
        connection.execute(f'CREATE TEMP VIEW "{name}" AS {view.sql}')


def _live(row: str, release: str) -> str:
    return f"{row}.release_from <= {release}.number AND ({row}.release_to IS NULL OR {row}.release_to > {release}.number)"


def _as_of(table: str, names: Sequence[str]) -> str:
    columns = ", ".join(f't."{name}"' for name in names)
    return f'SELECT r.id AS release, r.day AS release_day, {columns} FROM {_R} r CROSS JOIN "{INNER}{table}" t WHERE {_live("t", "r")}'


def _difference(table: str, names: Sequence[str], key: Sequence[str]) -> str:
    """Each key once: of what is in the later release by the row that came since, of what is not by the one that went."""
    rest = [name for name in names if name not in key]
    keys = ", ".join(f'k."{name}"' for name in key)
    both = "".join(f', o."{name}" AS "before_{name}", n."{name}" AS "after_{name}"' for name in rest)
    missing = {kind: f'{side}."{key[0]}" IS NULL' for kind, side in KINDS.items()}
    differ = " OR ".join([*missing.values(), *(f'o."{name}" IS NOT n."{name}"' for name in rest)])
    kind = " ".join(f"WHEN {is_missing} THEN '{kind}'" for kind, is_missing in missing.items())

    def other(row: str, release: str) -> str:
        same = " AND ".join(f'{row}."{name}" = k."{name}"' for name in key)
        return f'LEFT JOIN "{INNER}{table}" {row} ON {same} AND {_live(row, release)}'

    return f"""SELECT a.id AS from_release, b.id AS to_release, CASE {kind} ELSE 'change' END AS kind, {keys}{both}
        FROM {_R} a CROSS JOIN {_R} b CROSS JOIN "{INNER}{table}" k {other("o", "a")} {other("n", "b")}
        WHERE ({_live("k", "a")}) <> ({_live("k", "b")}) AND (k.release_from = n.release_from OR {missing["remove"]}) AND ({differ})"""


def _said(key: str) -> dict[str, str]:
    return {lang: wording(lang)[key] for lang in LANGUAGES}


def _column(name: str) -> dict[str, Any]:
    return {"label": _said(f"history.{name}"), "about": _said(f"history.{name}.about")}


def described(dictionary: Mapping[str, Any]) -> dict[str, Any]:
    """The data dictionary of /history in the shape of `catalogue.dictionary`: of our own columns, and of those of the tables that are declared."""
    own = {
        "releases": ("id", "day", "is_pipeline", "number"),
        "changes": (
            *("number", "release", "recorded_on", "table_name", "key", "kind", "field", "before", "after", "cause", "subject", "region"),
            *("effective_on", "published_on", "is_shown", "has_values"),
        ),
        "change_counts": ("release", "recorded_on", "table_name", "kind", "cause", "region", "rows"),
    }
    found = {
        name: {
            "label": _said(f"history.{name}"), "about": _said(f"history.{name}.about"),
            "tables": {name: {"label": _said(f"history.{name}"), "columns": {column: _column(column) for column in columns}}},
        }
        for name, columns in own.items()
    }  # fmt: skip
    of = {name: table for dataset in dictionary.values() for name, table in dataset["tables"].items()}
    for suffix, columns in ((AS_OF, ("release", "release_day")), (DIFFERENCE, ("from_release", "to_release", "kind"))):
        tables = {}
        for name, table in of.items():
            said = {column: _column(column) for column in columns}
            for column, about in table["columns"].items():
                sides = ("before_", "after_") if suffix == DIFFERENCE and column not in table["key"] else ("",)
                said |= {side + column: _sided(side, about) for side in sides}
            label = {lang: wording(lang)[f"history.of{suffix}"].format(table=table["label"][lang]) for lang in LANGUAGES}
            tables[name + suffix] = {"label": label, "columns": said}
        found["history" + suffix] = {
            "label": _said(f"history.every{suffix}"),
            "about": _said(f"history.every{suffix}.about"),
            "tables": tables,
        }
    return found


def _sided(side: str, said: Mapping[str, Any]) -> dict[str, Any]:
    if not side:
        return dict(said)
    label = {lang: wording(lang)[f"history.{side}column"].format(column=said["label"][lang]) for lang in LANGUAGES}
    return {**said, "label": label}


def queries(lang: str) -> dict[str, dict[str, str]]:
    """Datasette's canned queries with their titles, in one language."""
    said = wording(lang)
    return {
        name: {"sql": sql, "title": said[f"history.{name}"], "description": said[f"history.{name}.about"]} for name, sql in QUERIES.items()
    }
