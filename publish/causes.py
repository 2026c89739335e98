"""Why each change came about, once the differences are found: a code of CAUSES (rules.py), and the dates that only the cause gives.

A source is blamed for nothing that we did: neither for a change of our own recipe, nor for what our staff entered or withdrew, nor for a notice
whose time is over.
"""

from collections.abc import Collection
from pathlib import Path

from .assembled import VISIBLE
from .catalogue import Catalogue
from .rules import ENDS
from .tables import Working

# by the cause of a removal, a code of tombstone_reasons; what no longer came in its list is absent, whoever's doing that was
CLASSES = {"pipeline": "unpublished", "withdrawal": "revoked", "repair": "repaired", "expiry": "expired", "correction": "corrected"}
ABSENT = "absent"
# the record that stands for each notice (winners.py), and whether it is public on a day
STANDS = f"""SELECT s.id, s.withheld, {VISIBLE["notices"]} AS visible, s.public_until < :day AS ended,
  row_number() OVER (PARTITION BY s.id ORDER BY p.generation, s.withheld IS NULL, p.ordinal, s.row) AS place
  FROM private.notices s JOIN private.pages p USING (page)"""


def causes(connection: Working, catalogue: Catalogue, day: str, *, ours: bool, private: Path | None, withdrawn: Collection[str]) -> None:
    """Settle the causes of main.changes, which are as diff found them, between `old` and `new` on a day in China."""
    _of_ends(connection, private, day, withdrawn)  # whoever's doing the rest is: what was withdrawn was withdrawn
    if not ours:
        _of_states(connection)
    _of_statements(connection)
    _of_lineage(connection)
    _of_parts(connection, catalogue)
    _of_documents(connection)
    _dates(connection, day, withdrawn)


def _of_ends(connection: Working, private: Path | None, day: str, withdrawn: Collection[str]) -> None:
    """Notices end for causes of their own: by time, or because they were repaired or withdrawn."""
    connection.execute(
        "UPDATE changes SET cause = 'expiry' WHERE kind = 'remove' AND table_name = 'notices' AND key IN (SELECT id FROM old.notices WHERE public_until < ?)",
        [day],
    )
    connection.execute(
        f"UPDATE changes SET cause = 'expiry' WHERE kind = 'remove' AND table_name = 'listings' AND key IN (SELECT s.id FROM old.listings s WHERE {ENDS['listings']} < ?)",
        [day],
    )
    if private is not None and private.is_file():
        connection.execute("ATTACH ? AS private", [str(private)])
        connection.execute(  # what was corrected in a region that is held: neither text is shown
            "UPDATE changes SET cause = 'correction' WHERE kind = 'remove' AND table_name = 'notices' AND cause <> 'expiry' AND key IN (SELECT id FROM private.notices WHERE state = 'corrected' AND withheld IS NULL)"
        )
        for state, cause in (("withdrawn", "withdrawal"), ("repaired", "repair"), ("expired", "expiry")):
            connection.execute(
                "UPDATE changes SET cause = ? WHERE kind = 'remove' AND table_name = 'notices' AND key IN (SELECT id FROM private.notices WHERE withheld = ?)",
                [cause, state],
            )
        # what its source has still and says something else of is not missing from its list, whatever that is
        for cause, which in (("expiry", "withheld IS NULL AND ended"), ("correction", "withheld IS NOT NULL OR NOT coalesce(visible, 0)")):
            connection.execute(
                f"""UPDATE changes SET cause = :cause WHERE kind = 'remove' AND table_name = 'notices' AND cause = 'source' AND key IN (
                  SELECT id FROM ({STANDS}) WHERE place = 1 AND ({which}))""",
                {"cause": cause, "day": day},
            )
    connection.executemany(
        "UPDATE changes SET cause = 'withdrawal' WHERE kind = 'remove' AND table_name = 'notices' AND key = ?",
        [(one,) for one in withdrawn],
    )


def _of_states(connection: Working) -> None:
    """A notice that was corrected or disputed did not just change, where the state itself changed: its other changes are not the dispute's."""
    for state, cause in (("corrected", "correction"), ("disputed", "dispute")):
        connection.execute(
            """UPDATE changes SET cause = ? WHERE kind = 'change' AND table_name = 'notices' AND key IN (
              SELECT c.key FROM changes c WHERE c.table_name = 'notices' AND c.field = 'state' AND c.after = ?)""",
            [cause, state],
        )


def _of_statements(connection: Working) -> None:
    """What our staff entered is no source's doing: a correction, and a reply or a dispute, with what they change in the notice itself.

    Nobody enters another text later: where one reads otherwise, we mask it better. Where the recipe changed, only what a correction names is the
    correction's. A statement that no longer goes with what the source says of the subject is left out by us, and the notice stays.
    """
    connection.execute(
        "UPDATE changes SET cause = 'pipeline' WHERE table_name = 'notice_statements' AND kind = 'change' AND field <> 'settled_on'"
    )
    connection.execute("CREATE TEMP TABLE stated (change INTEGER PRIMARY KEY, notice TEXT, kind TEXT, on_day TEXT, fields TEXT)")
    for side, on_day, which in (
        ("new", "iif(c.kind = 'add', coalesce(s.said_on, s.recorded_on), s.settled_on)", "(c.kind = 'add' OR c.field = 'settled_on')"),
        ("old", "NULL", "c.kind = 'remove' AND EXISTS (SELECT 1 FROM new.notices n WHERE n.id = s.notice_id)"),
    ):
        if connection.all(f"SELECT 1 FROM {side}.sqlite_master WHERE name = 'notice_statements'"):
            connection.execute(
                f"""INSERT INTO temp.stated SELECT c.rowid, s.notice_id, s.kind, {on_day}, iif(c.kind = 'add', ' ' || s.fields || ' ', NULL) FROM changes c
                JOIN {side}.notice_statements s ON s.notice_id = substr(c.key, 1, instr(c.key, ' ') - 1) AND s.number = substr(c.key, instr(c.key, ' ') + 1) + 0
                WHERE c.table_name = 'notice_statements' AND {which}"""
            )
    connection.execute(
        """UPDATE changes SET cause = CASE s.kind WHEN 'correction' THEN 'correction' ELSE 'dispute' END, published_on = NULL FROM temp.stated s WHERE changes.rowid = s.change"""
    )
    connection.execute("DELETE FROM temp.stated WHERE on_day IS NULL")  # what was left out changes nothing else
    named = "(c.cause <> 'pipeline' OR instr(s.fields, ' ' || c.field || ' ') OR (c.field = 'state' AND c.after = 'corrected'))"
    for kind, which in (
        ("dispute", "c.table_name = 'notices' AND c.kind = 'change' AND c.field = 'state' AND 'disputed' IN (c.before, c.after)"),
        ("correction", f"c.table_name = 'notices' AND c.kind = 'change' AND {named}"),
        ("correction", "c.table_name = 'notice_links' AND c.cause = 'source'"),
    ):
        connection.execute(
            f"""UPDATE changes SET cause = :kind, published_on = NULL, effective_on = f.on_day FROM (
              SELECT c.rowid AS change, max(s.on_day) AS on_day FROM changes c JOIN temp.stated s ON s.notice = c.subject
              WHERE s.kind = :kind AND {which} GROUP BY 1) f
            WHERE changes.rowid = f.change""",
            {"kind": kind},
        )


def _of_lineage(connection: Working) -> None:
    """Whose successor a record is by its credit code we found and no source said; nor does one say that we no longer find it."""
    for side in ("new", "old"):
        if connection.all(f"SELECT 1 FROM {side}.sqlite_master WHERE name = 'institution_lineage'"):
            connection.execute(
                f"""UPDATE changes SET cause = 'pipeline' WHERE table_name = 'institution_lineage' AND kind = ? AND key IN (
                SELECT predecessor_id || ' ' || successor_id FROM {side}.institution_lineage WHERE method <> 'source')""",
                ["add" if side == "new" else "remove"],
            )


def _of_parts(connection: Working, catalogue: Catalogue) -> None:
    """What went or changed with its notice did so for the notice's reason. The key of a part begins with its parent's."""
    for table in catalogue.tables.values():
        if table.ref_to("notices") == table.key[0]:
            connection.execute(
                """UPDATE changes SET cause = n.cause FROM (SELECT key, kind, cause FROM changes WHERE table_name = 'notices' AND cause NOT IN ('source', 'pipeline')) n
                WHERE table_name = ? AND changes.kind = n.kind AND substr(changes.key, 1, instr(changes.key, ' ') - 1) = n.key""",
                [table.name],
            )


def _of_documents(connection: Working) -> None:
    """A document that went only with what named it did so for the reason of that, unless its source's doing is among them."""
    connection.execute("CREATE TEMP TABLE named (document TEXT, cause TEXT)")
    for table in ("notices", "listings"):
        if connection.all(f"SELECT 1 FROM pragma_table_info('{table}', 'old') WHERE name = 'document_id'"):
            connection.execute(
                f"""INSERT INTO temp.named SELECT s.document_id, coalesce(c.cause, 'source') FROM old.{table} s
                LEFT JOIN (SELECT key, cause FROM changes WHERE table_name = '{table}' AND kind = 'remove') c ON c.key = s.id
                WHERE s.document_id IN (SELECT key FROM changes WHERE table_name = 'documents' AND kind = 'remove')"""
            )
    connection.execute(
        """UPDATE changes SET cause = n.cause FROM (SELECT document, min(cause) AS cause FROM temp.named GROUP BY 1 HAVING NOT max(cause = 'source')) n
        WHERE table_name = 'documents' AND kind = 'remove' AND key = n.document"""
    )


def _dates(connection: Working, day: str, withdrawn: Collection[str]) -> None:
    """No authority published what we did ourselves. What has ended did so on its last day, and what people withdrew on the day that they did."""
    connection.execute("UPDATE changes SET effective_on = NULL, published_on = NULL WHERE cause = 'pipeline'")
    for end, which in (
        ("(SELECT s.public_until FROM old.notices s WHERE s.id = changes.subject)", "table_name <> 'listings'"),
        (f"(SELECT {ENDS['listings']} FROM old.listings s WHERE s.id = changes.key)", "table_name = 'listings'"),
    ):
        connection.execute(
            f"UPDATE changes SET effective_on = {end}, published_on = NULL WHERE kind = 'remove' AND cause = 'expiry' AND {which}"
        )
    connection.executemany(
        "UPDATE changes SET effective_on = ?, published_on = NULL WHERE kind = 'remove' AND cause = 'withdrawal' AND subject = ?",
        [(day, one) for one in withdrawn],
    )
    connection.execute("UPDATE changes SET published_on = NULL WHERE table_name = 'documents' AND kind = 'remove' AND cause <> 'source'")
