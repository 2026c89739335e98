"""What happened to one institution or one notice, newest first: what its page shows, and what each change is called.

A part that came or went with its whole is not told beside it: a new institution is one event and not seven. That somebody disputed or corrected a
notice is told once, by what it changed in the notice.
"""

from itertools import islice

import orjson

from .changes import Tables, items, named
from .events import WHOLES
from .past import Past
from .reader import Row
from .selection import Selection, releases, subjects
from .tally import tally

SHOWN = 10
MOST = 200  # looked at for a page; /changes?subject= has all


def timeline(past: Past, today: str, subject: str, upto: str, tables: Tables) -> tuple[list[Row], bool] | None:
    """The newest events up to a release, and whether there are more; None where nothing can be said of that release."""
    known = releases(past, today)
    last = next((row["number"] for row in known if row["id"] == upto), None)
    if last is None:
        return None
    chosen = Selection(1, last, {}, subjects=orjson.dumps(subjects(past, today, subject)).decode(), limit=MOST)
    found = named(past, today, list(islice(items(past, today, chosen, tally(past, today, chosen), tables), MOST + 1)), tables)
    whole = {(item["in"], item["subject"], item["kind"]) for item in found if item["table"] in WHOLES}
    told = [item for item in found if item["table"] in WHOLES or (item["in"], item["subject"], item["kind"]) not in whole]
    of_notices = {(item["in"], item["subject"], item["event"]) for item in told if item["table"] == "notices"}
    told = [item for item in told if item["table"] != "notice_statements" or (item["in"], item["subject"], item["event"]) not in of_notices]
    if not any(item["event"] == "came" and item["subject"] == subject for item in found) and len(found) <= MOST:
        told += _from_the_first(past, today, subject, known[0], tables)
    return told[:SHOWN], len(told) > SHOWN


def _from_the_first(past: Past, today: str, subject: str, first: Row, tables: Tables) -> list[Row]:
    """What was there in the very first release came before anybody counted changes."""
    for table in sorted(WHOLES):
        sql = f'SELECT 1 FROM "{table}" WHERE id = ? AND release_from = 1'  # noqa: S608
        if past.rows(today, sql, subject):
            item = {
                "number": None, "last": 0, "release": first["id"], "in": first["number"], "recorded_on": first["day"], "dataset": tables.dataset.get(table, table),
                "table": table, "key": subject, "kind": "add", "cause": None, "subject": subject, "region": None, "is_shown": True, "effective_on": None, "published_on": None, "fields": [],
            }  # fmt: skip
            return [{**named(past, today, [item], tables)[0], "event": "first"}]
    return []


def was_public(past: Past, today: str, notice: str) -> dict[str, str | None]:
    """Between which of our days a notice that is gone was public: that it came and went is all that may be told."""
    sql = "SELECT c.kind, r.day FROM changes c JOIN releases r ON r.number = c.release WHERE c.number IN (SELECT number FROM main.changes WHERE subject = ?1) AND c.subject = ?1 AND c.table_name = 'notices' AND c.kind <> 'change' ORDER BY c.number"
    days = [(row["kind"], row["day"]) for row in past.rows(today, sql, notice)]
    came = [day for kind, day in days if kind == "add"]
    went = [day for kind, day in days if kind == "remove"]
    since = came[0] if came and (not went or came[0] <= went[0]) else releases(past, today)[0]["day"]
    return {"public_from": since, "public_to": went[-1] if went and days[-1][0] == "remove" else None}
