"""past/ID.db: what may still be shown of every release up to the live one, for the pages, tables and downloads that tell of changes.

history.db is complete and private; this file is made of it for each live release by an allow-list, before that goes live, and the one of the
release before is removed after it. It has the validity intervals of every table but the ratings, the changes, and the numbers of changes.
What may hurt somebody is in it only while the live release shows the same: a notice with all its parts, a link, a listing that is not white
(publish/web/older.py does so for whole releases). Of any other notice there is that it came and went, and why, also where its list merely lost it;
of another listing not even whose it was. What a notice said is told as it is said today and not otherwise: what was corrected is not repeated, and
whoever is masked today, for whatever reason, is named in no earlier release. Only changes say of a notice's numbers, days and classes what they were,
beside what they became, and what a correction replaced not even they. What our own recipe changed elsewhere where persons may be named is left out too. `hidden_since` says which
tables of a release had a text that today's recipe would not publish so, whatever became of it: its files are not given out (publish/web/offered.py).
`named_since` says where a person's bare name stood that our recipe changed since: a mapping had put it into a column of other texts.
"""

import os
from collections.abc import Collection
from pathlib import Path

from .catalogue import Catalogue
from .dataset import Table
from .hidden import hidden_by, publishable
from .historyfile import COUNTED, OF_NOTICES, TOLD
from .home import PAST_FORM, Home, sync, to_read
from .persons import is_names
from .rules import HARMLESS
from .same import CODES, END, VALUES, WORDS
from .screen import SCREENED
from .tables import Working, working

LEFT_OUT = ("ratings",)  # millions of closed months that do not change; each release has its own
SCHEMA = """
CREATE TABLE releases (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, day TEXT NOT NULL, is_pipeline INTEGER NOT NULL) STRICT;
CREATE TABLE changes (
  number INTEGER PRIMARY KEY, release INTEGER NOT NULL REFERENCES releases(number), table_name TEXT NOT NULL, key TEXT NOT NULL,
  kind TEXT NOT NULL, field TEXT, before ANY, after ANY, cause TEXT NOT NULL, subject TEXT, region TEXT, effective_on TEXT, published_on TEXT,
  is_shown INTEGER NOT NULL, has_values INTEGER NOT NULL
) STRICT;
CREATE TABLE change_counts (
  release INTEGER NOT NULL REFERENCES releases(number), table_name TEXT NOT NULL, kind TEXT NOT NULL, cause TEXT NOT NULL, region TEXT NOT NULL,
  rows INTEGER NOT NULL, PRIMARY KEY (release, table_name, kind, cause, region)
) STRICT, WITHOUT ROWID;
CREATE TABLE hidden_since (table_name TEXT NOT NULL, release INTEGER NOT NULL REFERENCES releases(number), is_searched INTEGER NOT NULL, PRIMARY KEY (table_name, release)) STRICT, WITHOUT ROWID;
CREATE TABLE named_since (
  table_name TEXT NOT NULL, field TEXT NOT NULL, key TEXT NOT NULL, release_from INTEGER NOT NULL, release_to INTEGER NOT NULL,
  PRIMARY KEY (table_name, field, key, release_from, release_to)
) STRICT, WITHOUT ROWID;
"""
# /changes reads table by table of a release, of a region only what is in it: a release of our own may have changed every row
INDEXES = """
CREATE INDEX changes_by_release ON changes (release, table_name);
CREATE INDEX changes_by_subject ON changes (subject);
CREATE INDEX changes_by_region ON changes (region, release, table_name);
CREATE INDEX changes_by_cause ON changes (cause);
CREATE INDEX change_counts_by_region ON change_counts (region, rows);
"""
_HARMLESS = ", ".join(map(repr, HARMLESS))
_RIGHTING = "'correction', 'dispute', 'withdrawal'"  # causes of a change of a notice that do not repeat what was wrong
# in SQL, of a row `h` of history
SHOWN_NOTICE = "IN (SELECT id FROM live.notices)"
OPEN_LISTING = f"""(h.list IN ({_HARMLESS}) OR EXISTS (
    SELECT 1 FROM live.listings l WHERE l.id = h.id AND l.institution_id = h.institution_id AND l.list = h.list))"""
SAID = {**WORDS, "notices": (*WORDS["notices"], *VALUES, END)}  # what a row of the past says only where it is said today
ORDERS = [table for table, _ in CODES.values()]
SHOWN_LISTING = (
    "h.id NOT IN (SELECT id FROM temp.dark)"  # one that was on such a list once is not told at all: its other rows say whose it is
)
SHOWN_LINK = "EXISTS (SELECT 1 FROM live.notice_links k WHERE k.notice_id = h.notice_id AND k.institution_id = h.institution_id)"


def past(home: Home, catalogue: Catalogue, release: Path, identifier: str) -> Path:
    """Make the file of a release in history, whole or not at all; `release` is its folder. Returns where it is."""
    target = home.past / f"{identifier}.db"
    part = target.with_name(f".{target.name}.part")
    home.past.mkdir(exist_ok=True)
    part.unlink(missing_ok=True)
    with working(part) as connection:
        connection.execute("ATTACH ? AS history", [to_read(home.history)])
        connection.execute("ATTACH ? AS live", [to_read(release / "mingbai.db")])
        connection.execute("PRAGMA secure_delete=ON")  # what is masked below is in no byte that is left over
        connection.execute(f"PRAGMA user_version={PAST_FORM}")
        connection.execute(f"PRAGMA application_id={hidden_by()}")
        connection.execute("BEGIN")
        for statement in SCHEMA.split(";"):
            connection.execute(statement)
        connection.execute("CREATE TEMP TABLE dark (id TEXT PRIMARY KEY) WITHOUT ROWID")
        connection.execute(f"INSERT INTO temp.dark SELECT DISTINCT id FROM history.listings h WHERE NOT {OPEN_LISTING}")
        connection.execute(
            """INSERT INTO main.releases SELECT number, id, day, EXISTS (SELECT 1 FROM history.changes c WHERE c.release = r.number AND c.cause = 'pipeline'
                AND c.table_name <> 'institution_lineage')
            FROM history.releases r ORDER BY number"""
        )
        tables = [table for table in catalogue.tables.values() if connection.all(f"PRAGMA history.table_info({table.name})")]
        told = sorted((table for table in tables if table.name not in LEFT_OUT), key=lambda table: table.name == "documents")
        for table in told:  # documents last: by then it is known which are named
            if table.name == "documents":
                _named(connection, told)
            _intervals(connection, table)
        _changes(connection, tables)
        connection.execute(
            f"""CREATE TEMP TABLE ours AS SELECT table_name, field, key, kind, max(release) AS release FROM history.changes INDEXED BY changes_told
            WHERE {TOLD} AND kind IN ('change', 'remove') AND cause = 'pipeline' GROUP BY 1, 2, 3, 4"""
        )
        connection.execute("CREATE INDEX temp.ours_by_key ON ours (table_name, field, key)")
        _righted(connection)
        changed = set(connection.execute("SELECT DISTINCT table_name, field FROM temp.ours"))
        _mask(connection, told, changed)
        connection.teach(is_names)
        for table in tables:
            _hidden_since(connection, table)
            _named_since(connection, table, changed)
        for statement in INDEXES.split(";"):
            connection.execute(statement)
        for table in told:
            if table.prefix and "region_code" in table.columns:
                connection.execute(f'CREATE INDEX "{table.name}_by_region" ON "{table.name}" (region_code)')
        connection.execute("COMMIT")
    sync(part)
    os.replace(part, target)
    sync(home.past)
    return target


def has_past(home: Home, identifier: str) -> bool:
    """Whether the file of a release is there, in the form that it has today and judged by what hides today."""
    path = home.past / f"{identifier}.db"
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        header = file.read(100)  # user_version and application_id: https://www.sqlite.org/fileformat.html
    return [int.from_bytes(header[at : at + 4], "big") for at in (60, 68)] == [PAST_FORM, hidden_by()]


def only(home: Home, identifier: str | None) -> None:
    """Remove the files of other releases: they may show what this one no longer does."""
    for path in home.past.glob("*.db") if home.past.is_dir() else ():
        if path.stem != identifier:
            path.unlink()


def _named(connection: Working, tables: list[Table]) -> None:
    """The documents that may be shown: the live release has them, or a row that is shown names them."""
    named = " UNION ".join(
        f'SELECT document_id FROM main."{table.name}" WHERE document_id IS NOT NULL' for table in tables if "document_id" in table.columns
    )
    connection.execute("CREATE TEMP TABLE named (id TEXT PRIMARY KEY) WITHOUT ROWID")
    connection.execute(f"INSERT INTO temp.named SELECT id FROM live.documents UNION {named}")


def _condition(table: Table) -> str:
    """Which rows `h` of a table's past may be shown."""
    if table.name == "notice_links":
        return f"h.notice_id {SHOWN_NOTICE} AND {SHOWN_LINK}"
    if table.name == "listings":
        return SHOWN_LISTING
    if table.name == "documents":
        return "h.id IN (SELECT id FROM temp.named)"
    if table.name in ORDERS:  # a row of these is its key
        same = " AND ".join(f'k."{column}" = h."{column}"' for column in table.key)
        return f'EXISTS (SELECT 1 FROM live."{table.name}" k WHERE {same})'
    column = "id" if table.name == "notices" else table.ref_to("notices")
    last = (
        " AND l.notice_id IS NOT NULL" if table.name == "notice_statements" else ""
    )  # what live no longer says of its notice is said no more
    return f'h."{column}" {SHOWN_NOTICE}{last}' if column else "1"


def _intervals(connection: Working, table: Table) -> None:
    have = {row[1] for row in connection.execute(f"PRAGMA history.table_info({table.name})")}
    columns = [column for column in table.published if column.name in have]
    declared = ", ".join(f'"{column.name}" {column.sql_type}' for column in columns)
    key = ", ".join(f'"{column}"' for column in table.key)
    words = SAID.get(table.name, ())
    names = ", ".join(
        f'CASE WHEN h."{c.name}" IS l."{c.name}" THEN h."{c.name}" END' if c.name in words else f'h."{c.name}"' for c in columns
    )
    today = _today(connection, table, [column.name for column in columns]) if words else ""
    connection.execute(
        f'CREATE TABLE main."{table.name}" ({declared}, release_from INTEGER NOT NULL, release_to INTEGER, PRIMARY KEY ({key}, release_from)) STRICT, WITHOUT ROWID'
    )
    order = ", ".join(f'h."{column}"' for column in table.key)
    connection.execute(
        f'INSERT INTO main."{table.name}" SELECT {names}, h.release_from, h.release_to FROM history."{table.name}" h {today} WHERE {_condition(table)} ORDER BY {order}, h.release_from'
    )


def _today(connection: Working, table: Table, names: list[str]) -> str:
    """Make a table of the rows as they are told today: as live, and documents that it lost and that no notice ever named, as they were last. Returns the join."""
    have = {row[1] for row in connection.execute(f"PRAGMA live.table_info({table.name})")}
    here = ", ".join(f'"{name}"' if name in have else f'NULL AS "{name}"' for name in names)
    same = " AND ".join(f'l."{column}" = h."{column}"' for column in table.key)
    live = f'FROM live."{table.name}"' if have else "WHERE 0"
    today = f'"today_{table.name}"'
    connection.execute(f"CREATE TEMP TABLE {today} AS SELECT {here} {live}")
    connection.execute(f'CREATE UNIQUE INDEX temp."today_{table.name}_by_key" ON {today} ({", ".join(table.key)})')
    if table.name == "documents":
        quoted = ", ".join(f'h."{name}"' for name in names)
        connection.execute(
            f"""INSERT INTO temp.{today} SELECT {quoted} FROM history.documents h WHERE id NOT IN (SELECT id FROM live.documents)
            AND id NOT IN (SELECT document_id FROM history.notices WHERE document_id IS NOT NULL)
            AND id NOT IN (SELECT document_id FROM history.listings WHERE document_id IS NOT NULL AND coalesce(list, '') NOT IN ({_HARMLESS}))
            AND release_from = (SELECT max(release_from) FROM history.documents l WHERE {same})"""
        )
    return f'LEFT JOIN temp."today_{table.name}" l ON {same}'


def _changes(connection: Working, tables: list[Table]) -> None:
    """The changes of what is shown, of columns that are published today; and how many there were in all."""
    connection.execute("CREATE TEMP TABLE fields (table_name TEXT, field TEXT, PRIMARY KEY (table_name, field)) WITHOUT ROWID")
    connection.executemany("INSERT INTO temp.fields VALUES (?, ?)", [(t.name, c.name) for t in tables for c in t.published])
    connection.execute("CREATE TEMP TABLE words (table_name TEXT, field TEXT, PRIMARY KEY (table_name, field)) WITHOUT ROWID")
    connection.executemany(
        "INSERT INTO temp.words VALUES (?, ?)", [(table, column) for table, columns in WORDS.items() for column in columns]
    )
    parts = ", ".join(f"'{table.name}'" for table in tables if table.ref_to("notices"))
    connection.execute("CREATE TEMP TABLE hidden (table_name TEXT, key TEXT, PRIMARY KEY (table_name, key)) WITHOUT ROWID")
    for table in tables:
        if table.name in ("listings", "notice_links", "notice_statements", *ORDERS):
            key = " || ' ' || ".join(f'h."{column}"' for column in table.key)
            said = "(h.notice_id, h.number) IN (SELECT notice_id, number FROM temp.today_notice_statements)"
            shown = said if table.name == "notice_statements" else _condition(table)
            connection.execute(
                f"INSERT OR IGNORE INTO temp.hidden SELECT '{table.name}', {key} FROM history.\"{table.name}\" h WHERE NOT ({shown})"
            )
    # a withdrawn notice's document is in no table of history any more
    connection.execute(
        "INSERT OR IGNORE INTO temp.hidden SELECT table_name, key FROM history.changes WHERE table_name = 'documents' AND key NOT IN (SELECT id FROM temp.named)"
    )
    connection.execute(
        f"INSERT OR IGNORE INTO temp.hidden SELECT table_name, key FROM history.changes WHERE {OF_NOTICES} AND (table_name = 'notices' OR table_name IN ({parts})) AND subject NOT {SHOWN_NOTICE}"
    )
    connection.execute(
        f"""INSERT INTO main.changes SELECT NULL, release, table_name, key, kind, field, iif(quiet, NULL, before), iif(quiet, NULL, after), cause,
          subject, region, effective_on, published_on, 1, NOT quiet
        FROM (SELECT *, EXISTS (SELECT 1 FROM temp.words w WHERE w.table_name = a.table_name AND w.field = a.field) AS quiet
          FROM history.changes a INDEXED BY changes_told WHERE {TOLD}) c WHERE 1
        AND (field IS NULL OR EXISTS (SELECT 1 FROM temp.fields f WHERE f.table_name = c.table_name AND f.field = c.field))
        AND table_name IN (SELECT table_name FROM temp.fields)
        AND NOT EXISTS (SELECT 1 FROM temp.hidden g WHERE g.table_name = c.table_name AND g.key = c.key)
        UNION ALL SELECT NULL, release, table_name,
          iif(table_name = 'notices', key, '#' || row_number() OVER (PARTITION BY release, table_name, kind ORDER BY key)),
          kind, NULL, NULL, NULL, cause, iif(table_name = 'notices', key, NULL), NULL, NULL, NULL, 0, 0
        FROM history.changes c INDEXED BY changes_told WHERE {TOLD} AND table_name IN ('notices', 'listings') AND kind IN ('add', 'remove')
        AND EXISTS (SELECT 1 FROM temp.hidden g WHERE g.table_name = c.table_name AND g.key = c.key)
        ORDER BY 2, 3, 14 DESC, 4, 5, 6"""  # what is hidden comes behind the rest: between two others its place would tell its key
    )
    told = "table_name IN ('notices', 'listings', 'documents') OR table_name IN ($parts)".replace("$parts", parts)
    # of what is hidden no region is told; the rest was counted when it was entered
    counted = COUNTED.replace("$changes", f"(SELECT * FROM main.changes WHERE {told})")
    connection.execute(f"INSERT INTO main.change_counts {counted}")
    connection.execute(f"INSERT INTO main.change_counts SELECT * FROM history.change_counts WHERE NOT ({told})")


def _righted(connection: Working) -> None:
    """Leave out what a notice said before people corrected or disputed it, wherever a change says it: what is right stays."""
    connection.execute("CREATE TEMP TABLE righted (key TEXT, field TEXT, release INTEGER, PRIMARY KEY (key, field)) WITHOUT ROWID")
    connection.execute(
        f"""INSERT INTO temp.righted SELECT key, field, max(release) FROM main.changes WHERE table_name = 'notices' AND kind = 'change'
        AND cause IN ({_RIGHTING}) AND field IN ({", ".join(map(repr, SAID["notices"]))}) GROUP BY 1, 2"""
    )
    connection.execute(
        """UPDATE main.changes SET before = NULL, after = iif(changes.release < c.release, NULL, after), has_values = 0 FROM temp.righted c
        WHERE table_name = 'notices' AND changes.key = c.key AND changes.field = c.field AND changes.release <= c.release"""
    )


def _mask(connection: Working, tables: list[Table], changed: Collection[tuple[str, str | None]]) -> None:
    """Leave out what the recipe of a release changed where persons may be named, and whatever stood there before: also in a row's key."""
    for table in tables:
        key = " || ' ' || ".join(f'"{each}"' for each in table.key)
        for column in table.published:
            if (table.name, column.name) in changed and (column.privacy == "masked" or column.kind in SCREENED):
                ours = f"(SELECT key, release FROM temp.ours WHERE table_name = '{table.name}' AND field = '{column.name}') c"
                connection.execute(
                    f'UPDATE main."{table.name}" SET "{column.name}" = NULL FROM {ours} WHERE {key} = c.key AND release_from < c.release'
                )
                connection.execute(
                    f"""UPDATE main.changes SET before = NULL, after = iif(changes.release < c.release, NULL, after), has_values = 0 FROM {ours}
                    WHERE table_name = '{table.name}' AND field = '{column.name}' AND changes.key = c.key AND changes.release <= c.release"""
                )
        if (table.name, None) in changed and any(table.columns[each].kind in SCREENED for each in table.key):
            taken = f"IN (SELECT key FROM temp.ours WHERE table_name = '{table.name}' AND kind = 'remove')"
            connection.execute(f'DELETE FROM main."{table.name}" WHERE release_to IS NOT NULL AND {key} {taken}')
            connection.execute(
                f"""DELETE FROM main.changes WHERE table_name = '{table.name}' AND key {taken}
                AND key NOT IN (SELECT {key} FROM main."{table.name}" WHERE release_to IS NULL)"""
            )


def _hidden_since(connection: Working, table: Table) -> None:
    """Enter the releases that had a text of a table that is published otherwise today, and whether one by which rows are found. What the live release
    says too needs no look."""
    have = [{row[1] for row in connection.execute(f"PRAGMA {side}.table_info({table.name})")} for side in ("history", "live")]
    looks = [
        (c.name, bool(c.search), look)
        for c in table.published
        if c.name in have[0] and (look := publishable(c.kind, c.privacy == "masked"))
    ]
    if not looks:
        return
    texts = ", ".join(f'nullif(h."{name}", l."{name}")' if name in have[1] else f'h."{name}"' for name, *_ in looks)
    same = " AND ".join(f'l."{column}" = h."{column}"' for column in table.key)
    joined = f'LEFT JOIN live."{table.name}" l ON {same}' if have[1] else ""
    found: dict[tuple[int, int], bool] = {}
    rows = connection.execute(
        f'SELECT h.release_from, h.release_to, {texts} FROM history."{table.name}" h {joined} WHERE h.release_to IS NOT NULL'
    )
    for begin, end, *said in rows:
        if not found.get((begin, end)):
            hidden = [is_searched for text, (_, is_searched, look) in zip(said, looks, strict=True) if text and look(text) != text]
            if hidden:
                found[begin, end] = any(hidden)
    connection.executemany(
        """INSERT INTO main.hidden_since SELECT ?, number, ? FROM main.releases WHERE number >= ? AND number < ?
        ON CONFLICT DO UPDATE SET is_searched = max(is_searched, excluded.is_searched)""",
        [(table.name, is_searched, *interval) for interval, is_searched in sorted(found.items())],
    )


def _named_since(connection: Working, table: Table, changed: Collection[tuple[str, str | None]]) -> None:
    """Enter the texts of the releases before our recipe changed them that are nothing but a person's name; the name of a region is none. A row is
    known by what of its key is no such text itself."""
    sides = ({row[1] for row in connection.execute(f"PRAGMA {side}.table_info({table.name})")} for side in ("history", "live"))
    have = set.intersection(*sides)  # of a table with a column that live does not have nothing is given
    key = " || ' ' || ".join(f'h."{column}"' for column in table.key)
    known = " || ' ' || ".join(f'h."{column}"' for column in table.key if table.columns[column].kind not in SCREENED) or "''"
    same = " AND ".join(f'l."{column}" = h."{column}"' for column in table.key)
    for column in table.published:
        field = None if column.name in table.key else column.name  # a key does not change: its row goes
        if column.kind not in SCREENED or column.name not in have or (table.name, field) not in changed:
            continue
        connection.execute(
            f"""INSERT OR IGNORE INTO main.named_since SELECT o.table_name, '{column.name}', {known}, h.release_from, h.release_to
            FROM history."{table.name}" h CROSS JOIN temp.ours o ON o.table_name = '{table.name}' AND o.field IS ? AND o.key = {key}
            LEFT JOIN live."{table.name}" l ON {same}
            WHERE h.release_to IS NOT NULL AND h."{column.name}" IS NOT l."{column.name}"
            AND iif(h.release_from < o.release, is_names(h."{column.name}"), 0) AND h."{column.name}" NOT IN (SELECT name_zh FROM live.regions)""",
            [field],
        )
        connection.execute(
            """INSERT INTO main.hidden_since SELECT DISTINCT s.table_name, r.number, ? FROM main.named_since s JOIN main.releases r
            ON r.number >= s.release_from AND r.number < s.release_to WHERE s.table_name = ? AND s.field = ?
            ON CONFLICT DO UPDATE SET is_searched = max(is_searched, excluded.is_searched)""",
            [bool(column.search), table.name, column.name],
        )
