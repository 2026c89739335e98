"""What one release has to tell subscribers, worked out in SQL from history's rows and changes of that release: temp.happened.

Of a notice: that it was shown for the `first` time or `again`, `changed`, was `corrected` (with a `correction`, the entry that says so), that a `dispute` was raised
or settled (an entry of its own too), is gone (a `tombstone`, with a `removal`, the entry that says why and nothing else). Of an institution: that it `entered` the white list of a region or `left` it. Nothing is asked
but what history knew when the release was entered, so that a release entered years ago gives what it would have given then. A notice that
was withdrawn and forgotten since has no row any more; of it there is that it came and went.
"""

import sqlite3
from collections.abc import Collection, Iterable

import orjson

from .causes import ABSENT, CLASSES
from .dataset import Table
from .rules import ORGANISATION
from .withdrawals import KNOWN_BY, decision

OLD_DAYS = 30  # rule 7: an old decision pushed as news has cost a data service a lawsuit
FIRST_RELEASE = 1  # of it no changes are kept: every row is new
# what an entry of a notice shows (notice_entry.py): a change of anything else, whoever's doing it is, no reader could see. That a notice was absent once
# is shown and no news. Rows of its parts come and go whole.
READ = {
    "notices": (
        "kind", "subject_name", "region_code", "region_text", "authority", "document_no", "violation_type", "violation_text", "facts", "penalty_text", "fine_fen", "fine_text",
        "confiscated_fen", "confiscated_text", "decided_on", "published_on", "public_until", "public_until_rule", "seriousness", "state", "document_id",
    ),
    "notice_links": ("method", "confidence"),
    "notice_statements": ("kind", "said_by", "said_on", "text", "document", "recorded_on", "settled_on"),
}  # fmt: skip
SCHEMA = """
CREATE TEMP TABLE happened (
  what TEXT NOT NULL, id TEXT NOT NULL, place INTEGER NOT NULL, region TEXT NOT NULL, kind TEXT NOT NULL, cause TEXT, is_alert INTEGER NOT NULL,
  spreads INTEGER NOT NULL, decided TEXT, PRIMARY KEY (what, id, place, region)
) WITHOUT ROWID;
CREATE TEMP TABLE told (id TEXT PRIMARY KEY, kind TEXT NOT NULL, cause TEXT NOT NULL, came TEXT, settles INTEGER NOT NULL) WITHOUT ROWID;
CREATE TEMP TABLE decisions (authority TEXT, known_by TEXT, id TEXT, PRIMARY KEY (authority, known_by, id)) WITHOUT ROWID;
CREATE TEMP TABLE twice (known_by TEXT, id TEXT, PRIMARY KEY (known_by, id)) WITHOUT ROWID;
CREATE TEMP TABLE known (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TEMP TABLE fresh (source TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TEMP TABLE pairs (institution TEXT, region TEXT, PRIMARY KEY (institution, region)) WITHOUT ROWID;
CREATE TEMP TABLE kin (old TEXT, new TEXT, PRIMARY KEY (old, new)) WITHOUT ROWID;
CREATE TEMP TABLE lists (
  institution TEXT, region TEXT, was INTEGER, is_now INTEGER, is_of_old_source INTEGER, PRIMARY KEY (institution, region)
) WITHOUT ROWID;
CREATE TEMP TABLE listers (source TEXT PRIMARY KEY) WITHOUT ROWID;
"""
TABLES = ("happened", "told", "decisions", "twice", "known", "fresh", "pairs", "kin", "lists", "listers")
# rows `h` that the release has, and that the one before it had
NOW, BEFORE = (f"(h.release_from <= {number} AND coalesce(h.release_to > {number}, 1))" for number in (":release", ":release - 1"))
DAY = "(SELECT substr(id, 1, 10) FROM main.releases WHERE number = :release)"
# of what was told last of it: one that came back too old for an alert is none any more. NULL: it was never told of
ALERT = "(SELECT e.is_alert FROM main.feed_events e WHERE e.what = 'notice' AND e.id = t.id ORDER BY e.number DESC LIMIT 1)"
RECENT = f"coalesce(length(decided) = 10 AND julianday({DAY}) - julianday(decided) <= {OLD_DAYS}, 0)"  # `decided`, as the release has it
_CLASSES = " ".join(f"WHEN '{cause}' THEN '{reason}'" for cause, reason in CLASSES.items())
CLASS = f"CASE t.cause {_CLASSES} ELSE '{ABSENT}' END"


def happened(connection: sqlite3.Connection, release: int, tables: Iterable[Table]) -> None:
    """Fill temp.happened with the events of a release by its number, the earlier ones' being in main.feed_events."""
    connection.create_function("decision_keys", len(KNOWN_BY), decision_keys, deterministic=True)
    for name in TABLES:
        connection.execute(f"DROP TABLE IF EXISTS temp.{name}")
    for statement in SCHEMA.split(";"):
        connection.execute(statement)
    _told(connection, release, [table.name for table in tables if table.ref_to("notices")])
    _shown(connection, release)
    _gone(connection, release)
    _changed(connection, release)
    if release > FIRST_RELEASE:
        _listed(connection, release)
    connection.execute(
        "INSERT INTO temp.happened SELECT 'release', id, 0, '', 'released', NULL, 0, 0, NULL FROM main.releases WHERE number = ?",
        [release],
    )


def decision_keys(*values: str | None) -> str:
    """What a decision is known by where it has a number, as a JSON list: for SQL; the values are those of KNOWN_BY."""
    return orjson.dumps(sorted(decision(*values).numbered)).decode()


def columns(connection: sqlite3.Connection, table: str, *names: str) -> tuple[str, ...]:
    """Columns of a row `h` of history in SQL, NULL for one that history does not have."""
    have = {row[1] for row in connection.execute(f'PRAGMA main.table_info("{table}")')}
    return tuple(f'h."{name}"' if name in have else "NULL" for name in names)


def _told(connection: sqlite3.Connection, release: int, parts: Collection[str]) -> None:
    """What became of each notice in the release: `add`, `remove` or `change`, and why."""
    if release == FIRST_RELEASE:
        # those that were forgotten since are known by how they went
        connection.execute(
            f"""INSERT INTO temp.told SELECT id, 'add', 'source', NULL, 0 FROM main.notices WHERE release_from = {release:d}
            UNION SELECT key, 'add', 'source', NULL, 0 FROM (SELECT key, kind, min(release) FROM main.changes
              WHERE table_name = 'notices' AND kind IN ('add', 'remove') GROUP BY key) WHERE kind = 'remove'"""
        )
        return
    connection.execute(
        """INSERT INTO temp.told SELECT key, kind, cause, iif(kind = 'add', effective_on, NULL), 0 FROM main.changes
        WHERE release = ? AND table_name = 'notices' AND kind IN ('add', 'remove')""",
        [release],
    )
    marks = ",".join("?" * len(parts))
    read = " OR ".join(f"(table_name = '{table}' AND field IN {names})" for table, names in READ.items())
    # a statement that is left out takes back nothing; and what its source no longer disputes is settled too
    settles = """coalesce((table_name = 'notice_statements' AND field = 'settled_on' AND cause = 'dispute')
      OR (table_name = 'notices' AND field = 'state' AND (cause = 'dispute' OR ('disputed' IN (before, after) AND cause <> 'pipeline'))), 0)"""
    connection.execute(
        f"""INSERT OR IGNORE INTO temp.told
        SELECT subject, 'change', CASE max(rank) WHEN 3 THEN 'correction' WHEN 2 THEN 'dispute' WHEN 1 THEN 'source' ELSE 'pipeline' END, NULL, max(settles)
        FROM (SELECT subject, {settles} AS settles, CASE WHEN cause = 'pipeline' OR (table_name = 'notice_statements' AND kind = 'remove') THEN 0
            WHEN cause = 'correction' THEN 3 WHEN cause = 'dispute' OR {settles} THEN 2 ELSE 1 END AS rank
          FROM main.changes WHERE release = ? AND ((kind IN ('add', 'remove') AND table_name IN ({marks})) OR (kind = 'change' AND ({read}))))
        GROUP BY subject ORDER BY subject""",
        [release, *parts],
    )


def _shown(connection: sqlite3.Connection, release: int) -> None:
    """Notices that came. Whether one is pushed as news is decided once, when it comes for the first time (rule 7)."""
    source, number, authority, decided = columns(connection, "notices", "source_id", "document_no", "authority", "decided_on")
    came = "temp.told t CROSS JOIN main.notices h ON h.id = t.id AND h.release_from = :release WHERE t.kind = 'add'"
    earlier = "h.release_from < :release"
    values = {"release": release}
    connection.execute(
        f"""INSERT INTO temp.fresh SELECT source FROM (SELECT DISTINCT {source} AS source FROM {came}) c
        WHERE source IS NOT NULL AND NOT EXISTS (SELECT 1 FROM main.notices h WHERE {earlier} AND {source} = c.source)""",
        values,
    )
    by_number = f"json_each(decision_keys({number}, NULL, NULL, {authority}, '{ORGANISATION}', NULL)) k"  # however it is spelt
    connection.execute(
        f"""INSERT OR IGNORE INTO temp.decisions SELECT {authority}, k.value, h.id
        FROM temp.told t CROSS JOIN main.notices h ON h.id = t.id AND h.release_from = :release CROSS JOIN {by_number}
        WHERE t.kind = 'add' AND {authority} IS NOT NULL""",
        values,
    )
    connection.execute(  # the same decision under another id; all of the past is read once, not once a notice
        f"""INSERT OR IGNORE INTO temp.known SELECT d.id FROM main.notices h CROSS JOIN {by_number}
          CROSS JOIN temp.decisions d ON d.authority = {authority} AND d.known_by = k.value
        WHERE {earlier} AND EXISTS (SELECT 1 FROM temp.decisions) AND {authority} IN (SELECT authority FROM temp.decisions)""",
        values,
    )
    whom = ", ".join(columns(connection, "notices", *KNOWN_BY))
    connection.execute(  # one number may be of many subjects: within a release the same one's is the same decision
        f"""INSERT OR IGNORE INTO temp.twice SELECT k.value, h.id
        FROM temp.told t CROSS JOIN main.notices h ON h.id = t.id AND h.release_from = :release CROSS JOIN json_each(decision_keys({whom})) k WHERE t.kind = 'add'""",
        values,
    )
    connection.execute(
        "INSERT OR IGNORE INTO temp.known SELECT t.id FROM temp.twice t WHERE EXISTS (SELECT 1 FROM temp.twice o WHERE o.known_by = t.known_by AND o.id < t.id)"
    )
    connection.execute(  # of one that was forgotten since, nobody knows whether it was news
        f"""INSERT INTO temp.happened SELECT 'notice', id, 0, '', iif(was IS NULL, 'first', 'again'), cause, is_news, is_news, decided
        FROM (SELECT *, is_there AND {RECENT} AND coalesce(was, :release > {FIRST_RELEASE} AND is_of_old_source AND id NOT IN (SELECT id FROM temp.known)) AS is_news
          FROM (SELECT t.id, t.cause, {ALERT} AS was, coalesce({decided}, t.came) AS decided, h.id IS NOT NULL AS is_there,
            coalesce({source} NOT IN (SELECT source FROM temp.fresh), 0) AS is_of_old_source
            FROM temp.told t LEFT JOIN main.notices h ON h.id = t.id AND h.release_from = :release WHERE t.kind = 'add'))""",
        values,
    )


def _gone(connection: sqlite3.Connection, release: int) -> None:
    """Notices that went, and those that were gone already and of which people have said why since."""
    values = {"release": release}
    signed = f"(SELECT w.reason FROM main.withdrawn w WHERE w.notice = t.id AND w.day <= {DAY} AND t.cause = 'withdrawal')"
    for place, kind in enumerate(("tombstone", "removal")):
        connection.execute(
            f"""INSERT INTO temp.happened SELECT 'notice', t.id, {place}, '', '{kind}', coalesce({signed}, {CLASS}), {ALERT}, 0, NULL
            FROM temp.told t WHERE t.kind = 'remove' AND {ALERT} IS NOT NULL""",
            values,
        )
    connection.execute(
        f"""INSERT OR IGNORE INTO temp.happened SELECT 'notice', w.notice, 1, '', 'removal', w.reason, e.is_alert, 0, NULL FROM main.withdrawn w
        JOIN main.feed_events e ON e.number = (SELECT max(number) FROM main.feed_events l WHERE l.what = 'notice' AND l.id = w.notice)
        WHERE w.day <= {DAY} AND e.kind = 'removal' AND e.cause <> w.reason AND w.notice NOT IN (SELECT id FROM temp.told)""",
        values,
    )


def _changed(connection: sqlite3.Connection, release: int) -> None:
    """Notices that are otherwise than they were. What has become old news is told where it stands and in no other alert feed."""
    (decided,) = columns(connection, "notices", "decided_on")
    corrected = "t.cause = 'correction'"
    for place, kind, which in (
        (0, "changed", f"NOT {corrected}"),
        (0, "corrected", corrected),
        (1, "correction", corrected),
        (2, "dispute", "t.settles"),
    ):
        connection.execute(
            f"""INSERT INTO temp.happened SELECT 'notice', id, {place}, '', '{kind}', iif('{kind}' = 'dispute', 'dispute', cause), was, was AND {RECENT}, NULL
            FROM (SELECT t.*, {ALERT} AS was, {decided} AS decided FROM temp.told t LEFT JOIN main.notices h ON h.id = t.id AND {NOW}
              WHERE t.kind = 'change' AND {which}) WHERE was IS NOT NULL""",
            {"release": release},
        )


def _listed(connection: sqlite3.Connection, release: int) -> None:
    """Institutions that are on a white list of a region and were on none there, or the other way round, by their source's doing alone.

    None of it is a new batch of the same list, what our recipe drops or takes up, going back to an earlier release, and a listing
    that stands under another id of the same institution. Nobody enters where readers have them.
    """
    institution, region, which, source = columns(connection, "listings", "institution_id", "region_code", "list", "source_id")
    values = {"release": release}
    pair = f"coalesce({institution}, '') AS institution, coalesce({region}, '') AS region"
    touched = """(SELECT DISTINCT key FROM main.changes WHERE release = :release AND table_name = 'listings' AND cause = 'source'
      AND (kind IN ('add', 'remove') OR field IN ('institution_id', 'list', 'region_code'))) c"""
    connection.execute(
        f"""INSERT INTO temp.pairs SELECT DISTINCT {pair} FROM {touched}
          CROSS JOIN main.listings h ON h.id = c.key AND (h.release_from = :release OR h.release_to = :release)""",
        values,
    )
    connection.execute(  # the ids of one institution: a listing of both, and who took whose place
        f"""INSERT OR IGNORE INTO temp.kin SELECT was.institution, now.institution FROM
          (SELECT h.id, {pair} FROM {touched} CROSS JOIN main.listings h ON h.id = c.key AND h.release_to = :release WHERE {which} = 'white') was
          JOIN (SELECT h.id, {pair} FROM {touched} CROSS JOIN main.listings h ON h.id = c.key AND h.release_from = :release WHERE {which} = 'white') now
            ON now.id = was.id AND now.region = was.region AND now.institution <> was.institution""",
        values,
    )
    if connection.execute("SELECT 1 FROM main.sqlite_master WHERE name = 'institution_lineage'").fetchone():
        connection.execute(
            f"INSERT OR IGNORE INTO temp.kin SELECT predecessor_id, successor_id FROM main.institution_lineage h WHERE {NOW}", values
        )
    connection.execute("INSERT OR IGNORE INTO temp.kin SELECT new, old FROM temp.kin")
    connection.execute(
        "INSERT OR IGNORE INTO temp.pairs SELECT k.new, p.region FROM temp.pairs p CROSS JOIN temp.kin k ON k.old = p.institution"
    )
    connection.execute(
        f"""INSERT INTO temp.listers SELECT source FROM (SELECT DISTINCT {source} AS source FROM {touched}
          CROSS JOIN main.listings h ON h.id = c.key AND h.release_from = :release) n
        WHERE source IS NOT NULL AND NOT EXISTS (SELECT 1 FROM main.listings h WHERE h.release_from < :release AND {source} = n.source)""",
        values,
    )
    white = f"{which} = 'white'"
    connection.execute(
        f"""INSERT INTO temp.lists SELECT p.institution, p.region, max({white} AND {BEFORE}), max({white} AND {NOW}),
            max({white} AND {NOW} AND coalesce({source}, '') NOT IN (SELECT source FROM temp.listers))
          FROM main.listings h CROSS JOIN temp.pairs p ON p.institution = {institution} AND p.region = coalesce({region}, '')
          WHERE EXISTS (SELECT 1 FROM temp.pairs) GROUP BY 1, 2""",
        values,
    )
    connection.execute(
        """INSERT INTO temp.happened SELECT 'listing', institution, is_now, region, kind, 'source', 0, 0, NULL
        FROM (SELECT *, iif(is_now, 'entered', 'left') AS kind FROM temp.lists) l
        WHERE was <> is_now AND (was OR is_of_old_source)
        AND NOT EXISTS (SELECT 1 FROM temp.kin k CROSS JOIN temp.lists o ON o.institution = k.new AND o.region = l.region
          WHERE k.old = l.institution AND iif(l.is_now, o.was, o.is_now))
        AND NOT (is_now AND 'entered' IS (SELECT e.kind FROM main.feed_events e WHERE e.what = 'listing' AND e.id = l.institution
          AND coalesce(e.region, '') = l.region ORDER BY e.number DESC LIMIT 1))"""
    )
