"""Withdraw a notice: two people sign, then it is gone from the live release, from every earlier one and from history, within the run (rule 6).

No source is asked and nothing else waits for it: the new live release is the old one without the notice. A candidate that waits for a person
is made anew by the next run. Whoever signs again after a run died goes on where it stopped, and so does every later run.
"""

import shutil
import sqlite3
from typing import Any

from . import history
from .audit import append, entries, signed
from .candidate import Candidate
from .diff import diff
from .errors import BadHome, ReviewNeeded
from .persons import person_key
from .restore import without
from .review import Held
from .run import go_on, judge
from .withdrawals import DECISION, PEOPLE, REASONS, carried, in_database, withdrawals
from .work import Result, Work, at_work, opened


def withdraw(work: Work, notice: str, reason: str, document: str, by: str, note: str) -> Result:
    """Sign the withdrawal of a notice for a class of reason, by the authority's `document`; carry it out when two people have.

    Raises ReviewNeeded while another person has to sign, BadHome for a notice that no release has shown.
    """
    if reason not in REASONS:
        raise ValueError(f"{reason!r} is no class of reason; expected one of {', '.join(REASONS)}")
    signed(by, "name")
    signed(note, "reason")
    with opened(work):
        _sign(work, notice, reason, document, by, note)
    return at_work(work, (), lambda: _carry_out(work))


def _sign(work: Work, notice: str, reason: str, document: str, by: str, note: str) -> None:
    if not history.knows(work.home.history, notice):
        raise BadHome(f"{work.home.history}: no release has shown a notice {notice}; its id is the last part of its address, n-…")
    one = withdrawals(entries(work.home)).get(notice)
    if one is None or one.on is None:
        if one is not None and one.reason == reason and person_key(by) in map(person_key, one.names):
            raise ReviewNeeded(f"{by} has signed the withdrawal of {notice} already; {PEOPLE} different people must, so another one has to")
        about = {
            "notice": notice,
            "reason": reason,
            "document": document,
            "on": work.day.isoformat(),
            "decision": _decision(work, notice),
        }
        append(work.home, "withdraw", by, note, about, work.now)
        one = withdrawals(entries(work.home))[notice]
    if one.on is None:
        raise ReviewNeeded(
            f"{notice}: {', '.join(one.names)} signed its withdrawal ({one.reason}) and {PEOPLE - len(one.names)} more must: mingbai withdraw {notice} --reason {one.reason} --by NAME --document TEXT --note TEXT"
        )


def _decision(work: Work, notice: str) -> list[str] | None:
    """What the decision is known by under another key, from the last release that showed it; None where it has no number."""
    connection = sqlite3.connect(f"file:{work.home.history}?mode=ro", uri=True)
    try:
        row = connection.execute(
            f"SELECT {', '.join(DECISION)} FROM notices WHERE id = ? ORDER BY release_from DESC LIMIT 1", [notice]
        ).fetchone()
    finally:
        connection.close()
    return [value or "" for value in row] if row and row[0] and row[1] else None


def _carry_out(work: Work) -> Result:
    withdrawn = carried(entries(work.home))
    live = work.live_database
    gone = in_database(live, withdrawn) if live is not None else []
    return go_on(work, judge(work, _without(work, gone))) if gone else Result("withdrawn", work.live)


def _without(work: Work, gone: list[str]) -> Candidate:
    """The live release without these notices, as a candidate that nothing has to be asked about."""
    home, live, manifest = work.home, work.live_database, work.live_manifest()
    assert live is not None
    if home.candidate.is_dir():
        work.progress.say("a candidate was in the making; the next run makes it anew on the new release")
    home.clear_candidate()
    home.candidate.mkdir(mode=0o700, parents=True)
    path = home.candidate / "public.db"
    shutil.copyfile(live, path)
    made = without(path, gone, manifest, work.catalogue, work.day)
    changes = diff(made, live, work.catalogue, home.candidate / "changes.db", withdrawn=gone, progress=work.progress)
    sources: list[dict[str, Any]] = manifest["sources"]
    return Candidate(
        inputs={row["id"]: tuple(snapshot["id"] for snapshot in row["snapshots"]) for row in sources},
        base=work.live,
        recipe=manifest["recipe"],
        contents={row["id"]: row["snapshots"][0]["content_sha256"] for row in sources},
        assembled=made,
        changes=changes,
        guarded=True,
        held=tuple(Held(**row) for row in manifest["held"]),
        unread=manifest["unread"],
    ).save(home)
