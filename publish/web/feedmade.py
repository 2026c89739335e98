"""Documents of feeds that are made on request: a search, an institution, an archive, a replay, and a current one of which something has ended.

They say what the release says on the day at hand, by the same entries as those that were made ahead (publish/channel.py). Those of a search and of an
institution are of the live release alone: a notice that it does not show is not there, and nothing says that it was.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

import orjson

from feeds import FORMS, Entry, Feed, Form, Tombstone, json_feed

from .. import catalogue
from ..channel import STYLESHEET, TITLE, Channel
from ..entries import FAMILIES, Event, Teller, instant, tag
from .ended import ended
from .feedfile import Feeds
from .notice_question import Question
from .noticing import find
from .reader import Reader, Row

NEWEST = 100  # entries of a search
BATCH = 50  # of a replay, between which others have their turn
FORM = {form.name: form for form in FORMS}
# by what changed last: what was corrected comes to the front once more
ORDERED = """SELECT id, max(number) AS newest FROM feed_events WHERE what = 'notice' AND kind IN ('first', 'again', 'changed', 'corrected')
    AND (is_alert OR ?2) AND id IN (SELECT value FROM json_each(?1)) GROUP BY id ORDER BY newest DESC LIMIT ?3"""
OF_LISTS = """SELECT e.number, e.what, e.id, e.kind, e.cause, e.region, r.id AS release FROM feed_events e JOIN releases r ON r.number = e.release
    WHERE e.what = 'listing' AND e.id = ? ORDER BY e.number DESC LIMIT ?"""
OF_RELEASES = "SELECT id FROM releases WHERE number = (SELECT release FROM feed_events WHERE number = (SELECT event FROM feed_items WHERE feed = ? AND seq = ?))"


@dataclass(frozen=True)
class Document:
    """A document and when it became what it is: the same on every machine."""

    body: bytes
    type: str
    modified: datetime


@dataclass(frozen=True)
class Maker:
    """Makes documents of a release's feeds on a day, for a site at an address without a slash at its end."""

    feeds: Feeds
    today: str
    site: str
    hub: str | None = None

    @property
    def reader(self) -> Reader:
        """The release."""
        return self.feeds.reader

    @property
    def channel(self) -> Channel:
        """What its feeds tell today."""
        return Channel(self.feeds.rows, self.reader.rows, Teller(_declared(), self.site), self.hub, self.today)

    def current(self, row: Row, form: str) -> Document:
        """The current document of a feed, as what was made ahead would say it today."""
        return self._document(self.channel.current(row, FORM[form]), form)

    def archive(self, row: Row, page: int, form: str) -> Document:
        """A full archive."""
        made = self.channel.archive(row, page, FORM[form])
        (last,) = self.feeds.rows(OF_RELEASES, row["feed"], made.last)
        return Document(FORM[form](made), media_type(form), instant(last["id"]))
