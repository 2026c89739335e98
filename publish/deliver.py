"""Tell hubs and newsrooms what the live release has that they were not told of: one round of letters out of outbox.db, or round after round.

It never holds up a release and needs no run: it reads `current` and the feeds of what is live, anew before each letter, so that a letter says what may
be said when it goes. One process at a time delivers for a home; killed at any moment, the next goes on where it was.
"""

import fcntl
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from .addresses import networks
from .callers import Caller, Said
from .errors import Busy, Mingbai
from .feedfile import VERSION
from .home import Home, to_read
from .hooks import enter_numbers, message, signed
from .outbox import Callee, Letter, Outbox, Patience, exists, outbox
from .websub import PING, enter_pings, ping
from .work import Work

AT_ONCE = 8  # calls under way to everybody together
SOON = 60.0  # seconds that a run gives a round; what is left goes with the next one
POLL = 5.0  # seconds between two looks at what is live
GONE = 410
WAITING = "SELECT count(*) FROM letters l JOIN callees c ON c.id = l.callee WHERE l.is_dead = 0 AND c.ended IS NULL"

Tell = Callable[[Work, Path, str, Sequence[int]], Mapping[int, Mapping[str, Any]]]
"""Of the live release's feeds file, a feed and numbers of it: by number `type`, `timestamp` and `data` of a body, with what may be said at work.now."""


@dataclass
class Round:
    """What became of the letters of a round."""

    accepted: int = 0
    failed: int = 0
    dead: int = 0
    waiting: int = 0
    next_due: float | None = None
    trouble: list[str] = field(default_factory=list)


class Live:
    """The live release's feeds, and another's as soon as that is live."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._seen: tuple[object, ...] | None = None
        self.file: Path | None = None

    def is_other(self) -> bool:
        """Whether what is live is another than when this was asked last."""
        live = self._home.live()
        path = self._home.feeds / f"{live}.db" if live else None
        try:
            stat = path.stat() if path else None
        except FileNotFoundError:
            stat = None  # of before there were such files, or `current` has just moved
        seen = (live, stat and (stat.st_ino, stat.st_mtime_ns))
        if seen == self._seen:
            return False
        self._seen, self.file = seen, path if stat else None
        return True


@contextmanager
def attached(box: Outbox, file: Path | None) -> Iterator[bool]:
    """The live release's feeds as `live` beside the outbox. Gives whether there are any, in the form of today."""
    if file is None:
        yield False
        return
    box.connection.execute("ATTACH ? AS live", [to_read(file, for_good=True)])
    try:
        yield box.connection.execute("PRAGMA live.user_version").fetchone()[0] == VERSION
    finally:
        box.connection.execute("DETACH live")


def fill(box: Outbox, live: Live, work: Work) -> list[str]:
    """Enter what the live release asks to be told, once however often this is done. Returns a line for each hook of which that cannot be, and one
    where the feeds are of another form."""
    with attached(box, live.file) as there:
        if not there:
            return (
                []
                if live.file is None
                else [f"{live.file.name}: the feeds are of another form, and nobody is told of them; run `mingbai feeds`"]
            )
        with box.together():
            enter_pings(box, work.hubs, work.day.isoformat())
            return enter_numbers(box)


def deliver(
    work: Work,
    tell: Tell,
    caller: Caller | None = None,
    patience: Patience | None = None,
    *,
    seconds: float | None = None,
    rounds: int | None = 1,
    wait_for: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.time,
    each: Callable[[Round], None] = lambda _: None,
) -> Round:
    """Send what is due; with `rounds` None go on with it until somebody ends the process. `seconds`: begin no call after so many.

    Raises Busy while another process delivers for this home.
    """
    calling = caller or Caller(networks(work.allowed))
    total = Round()
    try:
        with _alone(work.home), outbox(work.home.path, clock, patience) as box:
            live, began = Live(work.home), clock()
            until = None if seconds is None else began + seconds
            done = 0
            while True:
                try:
                    total = _round(
                        box, lambda: replace(work, now=work.now + timedelta(seconds=clock() - began)), live, tell, calling, until, total
                    )
                except sqlite3.OperationalError as error:
                    if rounds is not None:
                        raise
                    total = Round(trouble=[f"outbox.db: {error}; tried again"])
                left = 0.0 if total.next_due is None else total.next_due - clock()
                done += 1
                if done == rounds and 0 < left <= box.patience.settle:  # what is entered now is done now
                    wait_for(left)
                    continue
                each(total)
                if rounds is not None and done >= rounds:
                    return total
                total = Round()
                wait_for(min(POLL, left) if left > 0 else POLL)  # what is due and did not go waits for what it lacks
    finally:
        if caller is None:
            calling.close()


def after_release(work: Work, tell: Tell) -> None:
    """One round that a run does for what it published. Nothing that becomes of it is a fault of the run."""
    if not work.hubs and not exists(work.home.path):
        return
    try:
        found = deliver(work, tell, seconds=SOON)
        said = told(found)
    except Exception as error:  # the release is live: what is wrong with an address, a body or the outbox is for the next round
        said = f"nobody was told of it yet ({error if isinstance(error, OSError | sqlite3.Error | Mingbai) else repr(error)}); `mingbai deliver` does it"
    work.progress.say(said)


def told(found: Round) -> str:
    """A round in a line."""
    counts = {"accepted": found.accepted, "failed": found.failed, "dead": found.dead, "waiting": found.waiting}
    return "; ".join([f"told: {', '.join(f'{number:,} {what}' for what, number in counts.items())}", *found.trouble])


def _round(box: Outbox, now: Callable[[], Work], live: Live, tell: Tell, caller: Caller, until: float | None, before: Round) -> Round:
    """Send until nothing is due. Answers are written down as they come, several in one transaction. Counts on from `before`."""
    found = before
    flying: dict[Future[Said], Letter] = {}
    first = True
    with ThreadPoolExecutor(AT_ONCE, "deliver") as pool:
        try:
            while True:
                try:
                    if live.is_other() or first:
                        found.trouble = list(dict.fromkeys((*found.trouble, *fill(box, live, now()))))  # what is done once is said once
                    begins = until is None or box.clock() < until
                    calls = list(_next(box, now(), live, tell, flying, found)) if begins else []
                except sqlite3.OperationalError:
                    first = live.is_other()
                    if not first:
                        raise
                    continue  # another release went live, and the file of the one before is gone
                first = False
                for letter, call in calls:
                    flying[pool.submit(caller.post, *call)] = letter
                if not flying:
                    break
                done, _ = wait(flying, return_when=FIRST_COMPLETED)
                with box.together():
                    for future in done:
                        _settle(box, flying.pop(future), future.result(), found)
        finally:
            pool.shutdown(cancel_futures=True)
    found.waiting, found.next_due = waiting(box), box.next_due()
    return found


def _next(
    box: Outbox, work: Work, live: Live, tell: Tell, flying: Mapping[Future[Said], Letter], found: Round
) -> Iterator[tuple[Letter, tuple[str, bytes, dict[str, str]]]]:
    """As many letters as may go now, with whom to call and what to say. Who has the fewest under way comes first."""
    under_way = {(letter.callee, letter.subject) for letter in flying.values()}
    busy = Counter(letter.callee for letter in flying.values())
    room = AT_ONCE - len(flying)
    for callee in sorted((*box.callees("hub"), *box.callees("hook")), key=lambda one: (busy[one.id], one.id)):
        letters = box.ready(callee, min(room, box.at_once(callee) - busy[callee.id]), under_way)
        room -= len(letters)
        if callee.kind == "hub":
            yield from ((letter, (callee.url, ping(work.site, letter.subject), PING)) for letter in letters)
        elif letters and live.file is not None:
            yield from _said(box, tell(work, live.file, callee.feed, [letter.number for letter in letters]), callee, letters, found)


def _said(
    box: Outbox, bodies: Mapping[int, Mapping[str, Any]], callee: Callee, letters: Sequence[Letter], found: Round
) -> Iterator[tuple[Letter, tuple[str, bytes, dict[str, str]]]]:
    for letter in letters:
        if letter.number not in bodies:
            _settle(box, letter, Said(None, "the live release's feed does not have this number"), found)
            continue
        identifier, body = message(callee.feed, letter.number, bodies[letter.number])
        yield letter, (callee.url, body, signed(callee.secrets, identifier, body, int(box.clock())))


def _settle(box: Outbox, letter: Letter, said: Said, found: Round) -> None:
    if said.is_yes:
        box.accepted(letter)
        found.accepted += 1
        return
    if said.status == GONE and not letter.what:
        box.end(letter.callee, "it answered 410 Gone")
    if box.failed(letter, said):
        found.dead += 1
    found.failed += 1


def waiting(box: Outbox) -> int:
    """How many letters are neither accepted nor dead, nor for somebody who ended."""
    return int(box.connection.execute(WAITING).fetchone()[0])


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    """Raises Busy while another process delivers. The kernel lets go when that dies."""
    with open(home.path / "outbox.lock", "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Busy(f"{home.path}: another process delivers; it takes what is live now too") from error
        yield
