"""Carry out what people signed and entered, before anything else is done: no source is asked for it, and no gate holds it back (rule 6).

First it is settled which notices a withdrawal takes, under every id that any release has shown the decision under. Then the live release goes on
without them and with every statement that was entered, and then earlier releases are issued anew. Each step is done again until it is done.
"""

import sqlite3
from collections.abc import Callable, Mapping

import orjson

from . import forgotten, stones
from .at_once import at_once
from .audit import entries
from .candidate import Candidate
from .causes import ABSENT
from .errors import BadHome
from .home import Home, as_json, to_read, write_whole
from .reissue import reissue_all
from .statements import lacks, statements
from .withdrawals import KNOWN_BY, Withdrawal, carried, in_database, same
from .work import Work

SAID = ("title", "facts", "penalty_text", "document_no")  # of a notice, what the proof looks for; an institution keeps its name
# each notice as the last release that had it shows it: what its source misnumbered once is no longer its number
LAST = f"SELECT id, {', '.join(KNOWN_BY)} FROM notices n WHERE release_from = (SELECT max(release_from) FROM notices o WHERE o.id = n.id)"


def carry_out(work: Work, publish: Callable[[Candidate], object]) -> list[str]:
    """Do what is left to do. `publish` takes a candidate live. Returns a line for each earlier release that still has something withdrawn.

    Raises BadHome when history knows of a withdrawal that the log does not have: the log is not the one that belongs to this home.
    """
    if work.live_database is None:
        return []
    log = entries(work.home)
    withdrawn = carried(log)
    gone = settle(work.home, withdrawn)
    if unknown := sorted({signed for _, _, signed in gone.values()} - set(withdrawn)):
        raise BadHome(
            f"{work.home.audit}: does not have the withdrawal of {', '.join(unknown)}, which was carried out; restore the log from a copy"
        )
    taken = in_database(work.live_database, gone)
    told = stones.read(work.live_database.parent)
    absent = any(told.get(notice, {}).get("class") == ABSENT for notice in gone)  # its tombstone names another reason from now on
    if taken or absent or lacks(work.live_database, statements(log), work.catalogue):
        publish(at_once(work, taken))
    if not gone:
        return []
    forgotten.forget(work.home.history, work.catalogue)
    return reissue_all(work.home, work.catalogue, gone, work.progress, work.key())


def settle(home: Home, withdrawn: Mapping[str, Withdrawal]) -> dict[str, tuple[str, str, str]]:
    """What forgotten.gone is, with every notice that a withdrawal takes and that was not in it; what these said is kept, privately, for the proof."""
    gone = forgotten.gone(home.history)
    if not withdrawn:
        return gone
    connection = sqlite3.connect(to_read(home.history), uri=True)
    try:
        rows = connection.execute(LAST)
        taken = {notice: one for notice, one in (*same(rows, withdrawn), *withdrawn.items()) if notice not in gone}
        said: dict[str, set[str]] = {notice: set() for notice in taken}
        for notice in taken:
            for texts in connection.execute(f"SELECT {', '.join(SAID)} FROM notices WHERE id = ?", [notice]):
                said[notice] |= {text for text in texts if text}
    finally:
        connection.close()
    if not taken:
        return gone
    write_whole(home.withdrawn, as_json({**words(home), **{notice: sorted(texts) for notice, texts in said.items()}}), 0o600)
    entered = {notice: (one.reason, str(one.on), one.notice) for notice, one in taken.items()}
    forgotten.enter_gone(home.history, entered)
    return gone | entered


def words(home: Home) -> dict[str, list[str]]:
    """What each notice that is gone said: private, and read by the proof alone."""
    try:
        found: dict[str, list[str]] = orjson.loads(home.withdrawn.read_bytes())
    except FileNotFoundError:
        return {}
    return found
