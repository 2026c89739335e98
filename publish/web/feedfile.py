"""What the site knows of feeds: feeds/ID.db beside the releases, of the live release alone.

The file holds numbers and ids, and the documents made ahead of them. What a notice says is asked of the release itself, on the day at hand. A feed that
can be asked for and has told nothing yet is in no table: it is one without entries, for whoever subscribes before something happens.
"""

import sqlite3
from collections.abc import Mapping
from pathlib import Path

from ..errors import BadHome
from .answer import Answer
from .reader import Reader, Row, as_row, harden, read_only

FAMILIES: Mapping[str, tuple[str, ...]] = {  # and by what each can be had
    "notices": ("region", "violation", "seriousness", "authority"),
    "records": ("region", "violation", "seriousness", "authority"),
    "corrections": ("region",),
    "listings": ("region",),
    "releases": (),
}
CODES = {"violation": "violation_types", "seriousness": "seriousness"}
SEARCHED = ("notices", "records")  # of which any search is a feed
FORMS = ("atom", "rss", "json")
KEPT = 1_000  # answers of a day, of some kB each


class Feeds:
    """The feeds of one release. Raises BadHome when the file is not there or cannot be read."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.database = feeds_file(reader)
        self._day = ""
        self._kept: dict[str, Answer] = {}
        try:
            self._connection = read_only(self.database)
            self._connection.row_factory = as_row
            harden(self._connection)
            last = self._connection.execute("SELECT id FROM releases ORDER BY number DESC LIMIT 1").fetchone()
        except (OSError, sqlite3.Error) as error:
            raise BadHome(f"{self.database}: cannot be read ({error}); run `mingbai run`, which makes it again") from error
        if last is None or last["id"] != reader.id:
            raise BadHome(f"{self.database}: is not of release {reader.id}; run `mingbai run`, which makes it again")

    def rows(self, sql: str, *values: object) -> list[Row]:
        return self._connection.execute(sql, values).fetchall()

    def find(self, key: str) -> Row | None:
        """A feed by its key; None where there is none that can be asked for."""
        if found := self.rows("SELECT * FROM feeds WHERE feed = ?", key):
            return found[0]
        family, _, rest = key.partition("/")
        facet, _, code = rest.partition("/")
        if family not in FAMILIES or (rest and facet not in FAMILIES[family]):
            return None
        none_yet = {"feed": key, "family": family, "facet": facet or None, "code": code or None, "first": 1, "last": 0, "updated": None, "first_end": None}
        if not rest:
            return {**none_yet, "label_zh": None, "label_en": None}
        if facet == "region":
            at = self.reader.regions.get(code)
            names = (self.reader.region(code, None, lang) for lang in ("zh", "en")) if at and at["level"] != "country" else None
        else:
            codes = CODES.get(facet, "")
            names = (self.reader.label(codes, code, lang) for lang in ("zh", "en")) if code in self.reader.codes(codes) else None
        return {**none_yet, **dict(zip(("label_zh", "label_en"), names, strict=True))} if names else None

    def document(self, key: str, form: str) -> Row | None:
        """A current document as it was made ahead."""
        return next(iter(self.rows("SELECT * FROM documents WHERE feed = ? AND form = ?", key, form)), None)

    def kept(self, today: str) -> dict[str, Answer]:
        """Answers of the day, by what was asked for."""
        if self._day != today:
            self._day, self._kept = today, {}
        return self._kept

    def keep(self, today: str, asked: str, answer: Answer) -> Answer:
        """The answer, which is given again for the rest of the day."""
        kept = self.kept(today)
        if len(kept) >= KEPT:
            del kept[next(iter(kept))]
        kept[asked] = answer
        return answer

    def close(self) -> None:
        self._connection.close()


def feeds_file(reader: Reader) -> Path:
    """Where the feeds of a release are, beside the folder of releases."""
    return reader.folder.parent.parent / "feeds" / f"{reader.id}.db"
