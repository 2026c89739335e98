"""The net difference of two releases' databases, row by row: what deltas are made of.

Every row is held against what both files say of it; history only says which rows can differ. Runs inside SQLite and key by key, so that memory does
not grow with the data. What may hurt somebody is remembered on the way, with the day on which the first of it ends.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from .dataset import Table
from .rules import ENDS, HARMLESS, last_day
from .same import CODES, fingerprint
from .tables import Working

LAST = 10**12  # the number of a release that has none yet: it comes after all that have one
ENDED = "0001-01-01"  # of what has no day to count from: it is not published
HOLDING = ("notices", "listings", "documents")  # and what is of a notice
HOLDS = "CREATE TEMP TABLE holds (what TEXT, a TEXT, b TEXT, c TEXT, PRIMARY KEY (what, a, b, c)) WITHOUT ROWID"


def touched(connection: Working, base: int, upto: int | None, reissued: bool) -> None:
    """Make temp.touched: the rows that changed since a release, for which cause last, and whether that release had them when it was new.

    Where it was issued anew, every later change counts: what it lost by that is removed later, and by nothing else is it named.
    """
    connection.execute(HOLDS)
    seen = f"SELECT release, table_name, key, kind, cause FROM history.changes WHERE release > {base:d}"
    if upto is None:
        seen += f" UNION ALL SELECT {LAST:d}, table_name, key, kind, cause FROM diff.changes"
    elif not reissued:
        seen += f" AND release <= {upto:d}"
    connection.execute(
        f"""CREATE TEMP TABLE touched AS SELECT table_name, key, substr(max(printf('%013d %s', release, cause)), 15) AS cause,
        {reissued:d} AND min(printf('%013d %d', release, kind <> 'add')) LIKE '% 1' AS had FROM ({seen}) WHERE kind <> 'columns' GROUP BY table_name, key"""
    )
    connection.execute("CREATE INDEX temp.touched_by_table ON touched (table_name)")


def _keys(connection: Working, table: Table) -> Iterator[tuple[Any, ...]]:
    numbers = [table.columns[column].sql_type == "INTEGER" for column in table.key]
    for key, cause, had in connection.execute("SELECT key, cause, had FROM temp.touched WHERE table_name = ?", [table.name]):
        values = key.split(" ", len(numbers) - 1)  # only the last can hold a space
        yield *(int(value) if number else value for value, number in zip(values, numbers, strict=True)), cause, had


def lines(connection: Working, table: Table) -> Iterator[dict[str, Any]]:
    """The rows of a table that differ, in the order of their keys, with the columns of the databases: the declarations may be newer."""
    keys, names = (
        table.key,
        [name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?, 'new') ORDER BY cid", [table.name])],
    )
    declared = ", ".join(f'"{column}" {table.columns[column].sql_type}' for column in keys)
    quoted = ", ".join(f'"{column}"' for column in keys)
    connection.execute(f'CREATE TEMP TABLE "touched_{table.name}" ({declared}, cause, had, PRIMARY KEY ({quoted})) WITHOUT ROWID')
    connection.executemany(f'INSERT INTO temp."touched_{table.name}" VALUES ({",".join("?" * (len(keys) + 2))})', _keys(connection, table))
    both = ", ".join(f'{side}."{name}"' for side in "on" for name in names)
    joins = " ".join(
        f'LEFT JOIN {side}."{table.name}" {side[0]} ON ' + " AND ".join(f'{side[0]}."{column}" = t."{column}"' for column in keys)
        for side in ("old", "new")
    )
    order = ", ".join(f't."{column}"' for column in keys)
    found = connection.execute(f'SELECT {order}, t.cause, t.had, {both} FROM temp."touched_{table.name}" t {joins} ORDER BY {order}')
    rows = (_row(names, keys, values) for values in found)
    columns = ", ".join(f'"{name}"' for name in names)
    if not _is_part(table):
        for row in rows:
            yield from _one(connection, table, row)
        return
    for parent, several in groupby(rows, lambda row: row[0][0]):
        group = list(several)
        if not any(new is None and (old is not None or had) for _, _, had, old, new in group):
            for row in group:
                yield from _one(connection, table, row)
            continue
        left = connection.execute(f'SELECT {columns} FROM new."{table.name}" WHERE "{keys[0]}" = ? ORDER BY {quoted}', [parent])
        whole = [dict(zip(names, values, strict=True)) for values in left.fetchall()]
        for one in whole:
            _hold(connection, table, one)
        yield {
            "table": table.name,
            "op": "parts",
            "key": [parent],
            "rows": [_filled(one) for one in whole],
            "cause": max(cause for _, cause, *_ in group),
        }


Seen = tuple[list[Any], str, int, dict[str, Any] | None, dict[str, Any] | None]


def _row(names: list[str], keys: tuple[str, ...], values: tuple[Any, ...]) -> Seen:
    """Key, cause, whether the base had it, and the row before and after (None: there was or is none)."""
    end = len(keys) + 2
    old, new = (dict(zip(names, values[begin : begin + len(names)], strict=True)) for begin in (end, end + len(names)))
    return list(values[: len(keys)]), *values[len(keys) : end], *(row if row[keys[0]] is not None else None for row in (old, new))


def _one(connection: Working, table: Table, row: Seen) -> Iterator[dict[str, Any]]:
    key, cause, had, old, new = row
    line = {"table": table.name, "op": "", "key": key}
    if new is None:
        if old is not None or had:
            yield {**line, "op": "remove", "cause": cause}
        return
    if new == old:
        return
    _hold(connection, table, new)
    if old is None:
        yield {**line, "op": "add", "row": _filled({name: value for name, value in new.items() if name not in table.key}), "cause": cause}
    else:
        yield {**line, "op": "change", "set": {name: value for name, value in new.items() if value != old[name]}, "cause": cause}


def _new(connection: Working, table: str, key: list[Any]) -> dict[str, Any] | None:
    where = "notice_id = ? AND number = ?" if table == "notice_statements" else "id = ?"
    cursor = connection.execute(f"SELECT * FROM new.{table} WHERE {where}", key[: where.count("?")])
    for values in cursor:
        return dict(zip((column for column, *_ in cursor.getdescription()), values, strict=True))
    return None


def _filled(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


def _is_part(table: Table) -> bool:
    """Whether its rows belong to a row of another table, and the key of one says something of that."""
    return table.parent is not None or table.ref_to("notices") == table.key[0]


def _hold(connection: Working, table: Table, row: Mapping[str, Any]) -> None:
    """Remember what may hurt somebody: notices with what they order, links, and listings that are not harmless."""
    notice = row["id"] if table.name == "notices" else row.get("notice_id")
    held: list[tuple[str, Any, Any, Any]] = [("notices", notice, "", "")] if notice else []
    if table.name == "notice_links":
        held.append(("links", notice, row["institution_id"], ""))
    if table.name == "listings" and row["list"] not in HARMLESS:
        held.append(("listings", row["id"], row["institution_id"] or "", row["list"] or ""))
    held += [("codes", part, notice, row[column]) for part, (name, column) in CODES.items() if name == table.name]
    if table.name == "notice_statements":
        held.append(("statements", notice, row["number"], ""))
    if table.name == "documents":
        held.append(("documents", row["id"], "", ""))
    connection.executemany("INSERT OR IGNORE INTO temp.holds VALUES (?,?,?,?)", held)


def held(connection: Working, table: Table) -> dict[str, Any]:
    """The same of a whole table of `new`, of which temp.holds is made for nothing else."""
    connection.execute("DELETE FROM temp.holds")
    if table.name in HOLDING or "notice_id" in table.columns:
        harmless = (
            f"WHERE coalesce(list, '') NOT IN ({', '.join(map(repr, HARMLESS))})" if table.name == "listings" else ""
        )  # nearly all of them
        cursor = connection.execute(f'SELECT * FROM new."{table.name}" {harmless}')
        for values in cursor:
            _hold(connection, table, dict(zip((column for column, *_ in cursor.getdescription()), values, strict=True)))
    return public(connection)


def public(connection: Working) -> dict[str, Any]:
    """What of a delta may hurt somebody, and the last day on which all of it is public."""
    harmless = ", ".join(map(repr, HARMLESS))
    connection.execute(  # a document that no notice and no such listing names hurts nobody
        f"""DELETE FROM temp.holds WHERE what = 'documents' AND a NOT IN (SELECT document_id FROM new.notices WHERE document_id IS NOT NULL
        UNION SELECT document_id FROM new.listings WHERE document_id IS NOT NULL AND coalesce(list, '') NOT IN ({harmless}))"""
    )
    ends = [
        end
        for name in ("notices", "listings")
        for (end,) in connection.execute(
            f"SELECT DISTINCT {ENDS[name]} FROM new.{name} s WHERE id IN (SELECT a FROM temp.holds WHERE what = ?)", [name]
        )
    ]
    ends += _ends_of_documents(connection)
    found = {
        what: [list(row) for row in connection.execute(f"SELECT {columns} FROM temp.holds WHERE what = ? ORDER BY a, b, c", [what])]
        for what, columns in (
            ("notices", "a, (SELECT state FROM new.notices WHERE id = a)"),
            ("statements", "a, CAST(b AS INTEGER)"),
            ("links", "a, b"),
            ("codes", "a, b, c"),
            ("listings", "a, b, c"),
            ("documents", "a"),
        )
    }
    for what, table in (("notices", "notices"), ("statements", "notice_statements"), ("documents", "documents")):
        for row in found[what]:
            row.append(fingerprint(table, _new(connection, table, row)))
    return {"holds": found, "first_end": min((last_day(end) if end else ENDED for end in ends), default=None)}


def _ends_of_documents(connection: Working) -> list[str]:
    """The last days of the documents that are held: each ends with the last of what names it, and not at all where something without an end does."""
    names = "SELECT m.name FROM new.sqlite_schema m, pragma_table_info(m.name, 'new') c WHERE m.type = 'table' AND c.name = 'document_id' ORDER BY 1"
    days: dict[str, list[str | None]] = defaultdict(list)
    for (name,) in connection.all(names):
        of_held = f"FROM new.\"{name}\" s WHERE document_id IN (SELECT a FROM temp.holds WHERE what = 'documents')"
        for document, end in connection.execute(f"SELECT DISTINCT document_id, {ENDS.get(name, 'NULL')} {of_held}"):
            days[document].append(end if end is None else last_day(end) if end else ENDED)
    return [max(filter(None, each)) for each in days.values() if None not in each]
