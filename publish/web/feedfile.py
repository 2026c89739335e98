"""What the site knows of feeds: feeds/ID.db beside the releases, of the live release alone.

The file holds numbers and ids, and the documents made ahead of them. What a notice says is asked of the release itself, on the day at hand. A feed that
can be asked for and has told nothing yet is in no table: it is one without entries, for whoever subscribes before something happens.
"""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import orjson

from ..errors import BadHome
from ..families import CODES, can_tell
from ..happened import SHOWN
from ..wording import LANGUAGES
from .kept import Kept
from .reader import Reader, Row, as_row, harden, read_only

SEARCHED = ("notices", "records")  # of which any search is a feed
NEWEST = f"SELECT id, max(number) AS number, is_alert FROM feed_events WHERE what = 'notice' AND kind IN {SHOWN} GROUP BY id HAVING is_alert >= ?"
FORMS = ("atom", "rss", "json")


class Feeds:
    """The feeds of one release. Raises BadHome when the file is not there or cannot be read."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.database = feeds_file(reader)
        self._day = ""
        self._kept = Kept()
        self._newest: dict[bool, dict[str, int]] = {}
        try:
            self._connection = read_only(self.database)
            self._connection.row_factory = as_row
            harden(self._connection)
            last = self._connection.execute("SELECT id FROM releases ORDER BY number DESC LIMIT 1").fetchone()
            made = self._connection.execute("SELECT site, hubs, modified FROM made").fetchone()
        except (OSError, sqlite3.Error) as error:
            raise BadHome(f"{self.database}: cannot be read ({error}); run `mingbai run`, which makes it again") from error
        if last is None or made is None or last["id"] != reader.id:
            raise BadHome(f"{self.database}: is not of release {reader.id}; run `mingbai run`, which makes it again")
        self.modified = datetime.fromisoformat(made["modified"])  # when what feeds say became what it is
        self._made_for = made["site"], tuple(orjson.loads(made["hubs"]))

    def is_for(self, site: str, hubs: Sequence[str]) -> bool:
        """Whether the documents were made for this address and these hubs."""
        return self._made_for == (site, tuple(hubs))

    def rows(self, sql: str, *values: object) -> list[Row]:
        return self._connection.execute(sql, values).fetchall()

    def find(self, key: str) -> Row | None:
        """A feed by its key; None where there is none that can be asked for."""
        if found := self.rows("SELECT * FROM feeds WHERE feed = ?", key):
            return found[0]
        family, _, rest = key.partition("/")
        facet, _, code = rest.partition("/")
        if not can_tell(key, self._is_region, self.reader.codes):
            return None
        none_yet = {
            "feed": key,
            "family": family,
            "facet": facet or None,
            "code": code or None,
            "first": 1,
            "last": 0,
            "updated": None,
            "silence": None,
        }
        if not rest:
            return {**none_yet, "label_zh": None, "label_en": None}
        zh, en = LANGUAGES
        if facet == "region":
            return {**none_yet, "label_zh": self.reader.region(code, None, zh), "label_en": self.reader.region(code, None, en)}
        return {**none_yet, "label_zh": self.reader.label(CODES[facet], code, zh), "label_en": self.reader.label(CODES[facet], code, en)}

    def _is_region(self, code: str) -> bool:
        return (at := self.reader.regions.get(code)) is not None and at["level"] != "country"

    def document(self, key: str, form: str) -> Row | None:
        """A current document as it was made ahead."""
        return next(iter(self.rows("SELECT * FROM documents WHERE feed = ? AND form = ?", key, form)), None)

    def newest(self, *, is_alert: bool) -> dict[str, int]:
        """The number of the last event that each notice's own entry tells of, by its id; of those of the alert feeds alone, or of all."""
        if is_alert not in self._newest:
            self._newest[is_alert] = {row["id"]: row["number"] for row in self.rows(NEWEST, is_alert)}
        return self._newest[is_alert]

    def kept(self, today: str) -> Kept:
        """Answers of the day, by what was asked for."""
        if self._day != today:
            self._day, self._kept = today, Kept()
        return self._kept

    def close(self) -> None:
        self._connection.close()


def feeds_file(reader: Reader) -> Path:
    """Where the feeds of a release are, beside the folder of releases."""
    return reader.folder.parent.parent / "feeds" / f"{reader.id}.db"
