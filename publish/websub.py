"""Tell WebSub hubs which of the live release's feed documents are others than they were told of last (https://www.w3.org/TR/websub/).

The recommendation leaves open how a publisher tells its hub. What hubs ask for is a form with hub.mode=publish and the document's address: in
hub.url by PubSubHubbub 0.3 (Google's hub, Superfeedr), in hub.topic by Switchboard and Flask-WebSub. One address a form, under both names, is
understood by all. Each form of a feed is a topic of its own.
"""

from collections.abc import Sequence
from urllib.parse import urlencode

from .outbox import Outbox

PING = {"Content-Type": "application/x-www-form-urlencoded"}
NOT_GIVEN = "not among the hubs given"
LETTERS = """
INSERT INTO letters (callee, subject, number, what, due, since)
  SELECT :hub, d.feed || '.' || d.form, 0, d.etag, :due, :now FROM live.documents d
  LEFT JOIN told t ON t.callee = :hub AND t.subject = d.feed || '.' || d.form WHERE t.what IS NOT d.etag
ON CONFLICT DO UPDATE SET what = excluded.what, tries = 0, due = excluded.due, is_dead = 0, said = '' WHERE what <> excluded.what
"""
OVERTAKEN = """
DELETE FROM letters WHERE callee = :hub AND NOT EXISTS (
  SELECT 1 FROM live.documents d LEFT JOIN told t ON t.callee = :hub AND t.subject = letters.subject
  WHERE d.feed || '.' || d.form = letters.subject AND d.etag = letters.what AND t.what IS NOT d.etag)
"""
NOT_OF_TODAY = """
INSERT INTO told SELECT :hub, feed || '.' || form, etag FROM live.documents WHERE feed NOT IN (
  SELECT i.feed FROM live.feed_items i JOIN live.feed_events e ON e.number = i.event WHERE e.release = (SELECT max(number) FROM live.releases))
"""


def enter_pings(box: Outbox, hubs: Sequence[str], day: str) -> None:
    """Make the letters to hubs what the live release (attached as `live`) asks for. A hub that is new is told of what that release changed, not of
    every feed there is; one that is no longer given is left alone, and hears of everything since when it is given again."""
    known = {callee.url: callee for callee in box.callees("hub")}
    for callee in known.values():
        if callee.url not in hubs and callee.ended is None:
            box.end(callee.id, NOT_GIVEN)
        elif callee.url in hubs and callee.ended is not None:
            box.end(callee.id, None)
    for url in hubs:
        if url in known:
            hub = known[url].id
        else:
            hub = box.add("hub", url, added=day)
            box.connection.execute(NOT_OF_TODAY, {"hub": hub})
        box.connection.execute(LETTERS, {"hub": hub, "now": box.clock(), "due": box.clock() + box.patience.settle})
        box.connection.execute(OVERTAKEN, {"hub": hub})


def ping(site: str, subject: str) -> bytes:
    """The form that tells a hub of a document, such as notices/region/350000.atom."""
    topic = f"{site}/feeds/{subject}"
    return urlencode([("hub.mode", "publish"), ("hub.url", topic), ("hub.topic", topic)]).encode()
