"""Withdraw a notice: two people sign, and then it is gone from the live release, from every earlier one and from history (rule 6).

No source is asked and nothing else waits for it: the new live release is the old one without the notice. A candidate that waits for a person
is made anew by the next run. Whatever is asked for next goes on where a run that died stopped (carry.py). A first signature does not lapse,
and a withdrawal is not taken back: what an authority publishes again is another decision.
"""

import sqlite3

from . import historyfile
from .audit import append, entries, signed
from .carry import LAST
from .errors import BadHome, ReviewNeeded
from .home import to_read
from .run import at_work
from .samename import person_key
from .withdrawals import KNOWN_BY, PEOPLE, REASONS, Decision, decision, withdrawals
from .work import Result, Work, opened


def withdraw(work: Work, notice: str, reason: str, document: str, by: str, note: str) -> Result:
    """Sign the withdrawal of a notice for a class of reason, by the authority's `document`; it is carried out when two people have.

    Raises ReviewNeeded while another person has to sign, BadHome for a notice that no release has shown, NotSigned without a name, a note or a
    document.
    """
    if reason not in REASONS:
        raise ValueError(f"{reason!r} is no class of reason; expected one of {', '.join(REASONS)}")
    signed(by, "name")
    signed(note, "note")
    document = signed(document, "document")
    with opened(work):
        _sign(work, notice, reason, document, by, note)
    before = work.live
    return at_work(work, (), lambda: Result("withdrawn" if work.live == before else "released", work.live))


def _sign(work: Work, notice: str, reason: str, document: str, by: str, note: str) -> None:
    if not historyfile.knows(work.home.history, notice):
        raise BadHome(f"{work.home.history}: no release has shown a notice {notice}; its id is the last part of its address, n-…")
    one = withdrawals(entries(work.home)).get(notice)
    if one is not None and one.on is not None:
        work.progress.say(f"{notice} was withdrawn on {one.on} by {', '.join(one.names)} ({one.reason}); nothing new is signed")
    else:
        if one is not None and one.reason == reason and person_key(by) in map(person_key, one.names):
            raise ReviewNeeded(f"{by} has signed the withdrawal of {notice} already; {PEOPLE} different people must, so another one has to")
        about = {"notice": notice, "reason": reason, "document": document, "on": work.day.isoformat(), **_known_by(work, notice)}
        append(work.home, "withdraw", by, note, about, work.now)
        if one is not None and one.reason != reason:
            work.progress.say(
                f"{by} signed for {reason}, which does not count for {one.reason}: two people have to sign for one class of reason"
            )
        one = withdrawals(entries(work.home))[notice]
    if one.on is None:
        raise ReviewNeeded(
            f"{notice}: {', '.join(one.names)} signed its withdrawal ({one.reason}) and {PEOPLE - len(one.names)} more must: mingbai withdraw {notice} --reason {one.reason} --by NAME --document TEXT --note TEXT"
        )


def _known_by(work: Work, notice: str) -> dict[str, list[str]]:
    """What the decision is known by under another id: as the last release that had it says it, and as its source says it now. Hashes, for the
    log may be copied elsewhere. Which other notices are the same decision is said before anybody else signs.
    """
    connection = sqlite3.connect(to_read(work.home.history), uri=True)
    try:
        last = connection.execute(LAST).fetchall()
        rows = [row[1:] for row in last if row[0] == notice]
        if work.home.base.is_file():
            connection.execute("ATTACH ? AS private", [to_read(work.home.base)])
            rows += connection.execute(
                f"SELECT {', '.join(f's.{name}' for name in KNOWN_BY)} FROM private.notices s JOIN private.pages p USING (page) WHERE s.id = ? AND p.generation = 0",
                [notice],
            )
    finally:
        connection.close()
    found = [decision(*row) for row in rows]
    whole = Decision(*(frozenset(known for one in found for known in getattr(one, what)) for what in ("numbered", "dated", "codes")))
    others = [other for other, *values in last if other != notice and decision(*values).is_also(whole)]
    if others:
        work.progress.say(f"{notice}: the same decision, and goes with it: {', '.join(others)}")
    if not (whole.numbered or whole.dated):
        work.progress.say(f"{notice}: too little is known of the decision to know it again if its source gives it another id")
    return {"numbered": sorted(whole.numbered), "dated": sorted(whole.dated), "codes": sorted(whole.codes)}
