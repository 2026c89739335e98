"""Webhooks for newsrooms' systems: a POST for each number of a feed, signed as Standard Webhooks asks (https://www.standardwebhooks.com, 1.0).

`webhook-id` is FEED/NUMBER/MARK, the same however often the number is sent: who has applied it once throws it away. The mark is of what happened and
with which release, so that it is another id where a number means another event, as after the home was restored from an older copy. The body says of the number what may
be said today: of a notice that has gone since, that it came, and no more. So a number that is sent again after a release can have other words, and
the signature is of those.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from .errors import BadDeclaration
from .outbox import Callee, Outbox

PREFIX = "whsec_"
KEY_BYTES = range(24, 65)  # as Standard Webhooks has it
SIGNING = 2  # secrets that sign: the newest, and the one before while a newsroom changes over
LETTERS = """
INSERT INTO letters (callee, subject, number, what, due, since)
  SELECT :hook, e.what || '/' || e.id, i.seq, '', :now, :now FROM live.feed_items i JOIN live.feed_events e ON e.number = i.event
  WHERE i.feed = :feed AND i.seq > :entered
"""
LAST = "SELECT coalesce(max(seq), 0) FROM live.feed_items WHERE feed = ?"
# the first release that told something else than what was entered of it, where the live line has one
PARTED = """
SELECT min(l.number) FROM lived l LEFT JOIN live.releases r USING (number)
WHERE r.mark IS NOT l.mark AND l.number <= (SELECT max(number) FROM live.releases)
"""
SAME = """
SELECT coalesce(max(i.seq), 0) FROM live.feed_items i JOIN live.feed_events e ON e.number = i.event WHERE i.feed = ? AND e.release < ?
"""
# whether anything is known of what was told after the live line: an outbox of form 1 knew no marks
KNOWS_MORE = "SELECT max(number) > (SELECT max(number) FROM live.releases) FROM lived"
LIVED = "INSERT OR IGNORE INTO lived SELECT number, mark FROM live.releases"


def secret(text: str) -> str:
    """A secret as it is kept, whsec_ and base64, from what a file or a variable has. Raises BadDeclaration, without showing it."""
    bare = text.strip().removeprefix(PREFIX)
    try:
        size = len(base64.b64decode(bare, validate=True))
    except (binascii.Error, ValueError):
        size = 0
    if size not in KEY_BYTES:
        raise BadDeclaration(
            "the secret is not 24 to 64 bytes in base64, with or without whsec_ before it; make one with `openssl rand -base64 32`"
        )
    return PREFIX + bare


def add(box: Outbox, url: str, feed: str, secrets: Sequence[str], after: int | None, day: str) -> Callee:
    """Enter a webhook; the live release's feeds are attached as `live`. It gets every number after `after`, without it those that come from now on.

    Raises BadDeclaration where the same address has the same feed already, or the feed does not go so far, or numbers that others were told are to be
    told again first.
    """
    if box.connection.execute(PARTED).fetchone()[0] is not None:
        raise BadDeclaration("the home was restored from an older copy, and numbers mean other events; run `mingbai deliver` first")
    if any((callee.url, callee.feed) == (url, feed) for callee in box.callees("hook")):
        raise BadDeclaration(
            f"this address has the feed {feed} already; `mingbai hooks list` shows it, `mingbai hooks rotate` changes its secret"
        )
    last = int(box.connection.execute(LAST, [feed]).fetchone()[0])
    if after is not None and not 0 <= after <= last:
        raise BadDeclaration(f"--from {after + 1}: the feed {feed} has {last} numbers; expected 1 to {last + 1}")
    with box.together():
        box.connection.execute(LIVED)
        number = box.add("hook", url, feed, tuple(secrets), last if after is None else after, day)
    return hook(box, number)


def hook(box: Outbox, number: int) -> Callee:
    """The webhook of an id. Raises BadDeclaration."""
    found = box.callees("hook")
    for callee in found:
        if callee.id == number:
            return callee
    raise BadDeclaration(f"there is no hook {number}; there are {', '.join(str(callee.id) for callee in found) or 'none'}")


def rotate(box: Outbox, number: int, new: str | None) -> Callee:
    """Sign with a new secret and the one before; with None with the newest alone."""
    with box.together():
        kept = hook(box, number).secrets
        secrets = [new, *(one for one in kept if one != new)][:SIGNING] if new else kept[:1]
        box.connection.execute("UPDATE callees SET secrets = ? WHERE id = ?", [orjson.dumps(secrets).decode(), number])
    box.forget()
    return hook(box, number)


def remove(box: Outbox, number: int) -> None:
    """Forget a webhook, its secrets and its letters."""
    box.connection.execute("DELETE FROM callees WHERE id = ?", [hook(box, number).id])
    box.forget()


def resume(box: Outbox, number: int) -> Callee:
    """Call a webhook that was ended again, at once and with all that came meanwhile. Raises BadDeclaration where it was not ended."""
    if not hook(box, number).ended:
        raise BadDeclaration(f"hook {number} has not ended; `mingbai hooks list` shows how it stands")
    with box.together():
        box.end(number, None)
        box.connection.execute("UPDATE letters SET due = ? WHERE callee = ? AND is_dead = 0", [box.clock(), number])
    return hook(box, number)


def redeliver(box: Outbox, callee: Callee, number: int | None) -> int:
    """Try dead letters again, all or the one of a number. Returns how many."""
    return box.connection.execute(
        "UPDATE letters SET is_dead = 0, tries = 0, due = ? WHERE callee = ? AND is_dead = 1 AND number = coalesce(?, number)",
        [box.clock(), callee.id, number],
    ).rowcount


def enter_numbers(box: Outbox) -> list[str]:
    """Make a letter of every number that came since; the live release's feeds are attached as `live`.

    Returns a line for each hook whose feed ends before what was entered of it, or to which numbers are told again because they mean something else now.
    """
    trouble = _told_again(box)
    ((knows_more,),) = box.connection.execute(KNOWS_MORE)
    for callee in box.callees("hook"):
        last = int(box.connection.execute(LAST, [callee.feed]).fetchone()[0])
        if last < callee.entered and not knows_more:
            _take_back(box, callee, last)
            trouble.append(
                f"hook {callee.id}: was told of {callee.feed} up to {callee.entered}, and that of the live release ends at {last}: the home is an older copy; what comes there next is told from {last + 1} again"
            )
            continue
        if callee.ended:
            continue  # what comes meanwhile is entered when it is resumed
        if last < callee.entered:
            trouble.append(
                f"hook {callee.id}: was told of {callee.feed} up to {callee.entered}, and that of the live release ends at {last}: the home is an older copy; put back the newest, or go on: what a next release tells there is told again from {last + 1}"
            )
            continue
        box.connection.execute(LETTERS, {"hook": callee.id, "feed": callee.feed, "entered": callee.entered, "now": box.clock()})
        box.connection.execute("UPDATE callees SET entered = ? WHERE id = ?", [last, callee.id])
    return trouble


def _told_again(box: Outbox) -> list[str]:
    """Take back to where both lines part every hook that was told numbers of another line of releases than the one that is live."""
    said = []
    if (parted := box.connection.execute(PARTED).fetchone()[0]) is not None:
        for callee in box.callees("hook"):
            same = int(box.connection.execute(SAME, [callee.feed, parted]).fetchone()[0])
            if callee.entered > same:
                _take_back(box, callee, same)
                said.append(
                    f"hook {callee.id}: was told of {callee.feed} up to {callee.entered}, and after {same} these numbers mean other events now, since the home is of an older copy; told again from {same + 1} under other ids"
                )
        box.connection.execute("DELETE FROM lived WHERE number >= ?", [parted])
    box.connection.execute(LIVED)
    return said


def _take_back(box: Outbox, callee: Callee, to: int) -> None:
    box.connection.execute("DELETE FROM letters WHERE callee = ? AND number > ?", [callee.id, to])
    box.connection.execute("UPDATE callees SET entered = ? WHERE id = ?", [to, callee.id])


def message(feed: str, number: int, told: Mapping[str, Any]) -> tuple[str, bytes]:
    """The id of a number of a feed and its body: `type`, `timestamp` and `data`. `told` has these three, without feed and number."""
    data = {"feed": feed, "number": number, **told["data"]}
    mark = hashlib.blake2b(orjson.dumps([told["type"], data.get("subject"), told["timestamp"]]), digest_size=6).hexdigest()
    return f"{feed}/{number}/{mark}", orjson.dumps({"type": told["type"], "timestamp": told["timestamp"], "data": data})


def signed(secrets: Sequence[str], identifier: str, body: bytes, at: int) -> dict[str, str]:
    """The headers of a message: a signature by each of the secrets, the newest first."""
    if not re.fullmatch(r"[\x21-\x2d\x2f-\x7e]+", identifier):
        raise ValueError(f"{identifier!r} cannot be told from what is signed after it")
    content = f"{identifier}.{at}.".encode() + body
    keys = [base64.b64decode(one.removeprefix(PREFIX)) for one in secrets]
    marks = [base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode() for key in keys]
    return {
        "Content-Type": "application/json",
        "webhook-id": identifier,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(f"v1,{mark}" for mark in marks),
    }
