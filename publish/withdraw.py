"""Withdraw a notice: two people sign, then it is gone from the live release, from every earlier one and from history, within the run (rule 6).

No source is asked and nothing else waits for it: the new live release is the old one without the notice. A candidate that waits for a person
is made anew by the next run. Whoever signs again after a run died goes on where it stopped, and so does every later run.
"""

import sqlite3

from . import history
from .at_once import at_once
from .audit import append, entries, signed
from .errors import BadHome, ReviewNeeded
from .persons import person_key
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
    return go_on(work, judge(work, at_once(work, gone))) if gone else Result("withdrawn", work.live)
