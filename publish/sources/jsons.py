"""NDJSON, JSON documents and the platform's pages with orjson. A document is read whole; NDJSON line by line."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from ..errors import SourceBroken
from ..snapshot import Record
from . import Hear, ListingPlan, Remark
from .table import CELL_LIMIT
from .text import encoding_of, gunzip, lines, whole


def ndjson(path: Path, where: str, listing: ListingPlan, hear: Hear) -> Iterator[Record]:
    """The object of each line; empty lines are none. The row is the line."""
    fields = _Fields(where, listing)
    for number, line in enumerate(lines(path, where, encoding_of(path, where, listing.encoding)), 1):
        if not line.isspace():
            record = fields.checked(_parsed(line, f"{where}: line {number}"), f"{where}: line {number}")
            if len(line) <= CELL_LIMIT or not _is_oversize(number, record, hear):
                yield number, record
    fields.end()


def json(path: Path, where: str, listing: ListingPlan, hear: Hear) -> Iterator[Record]:
    """The objects of the array at `record_path`; the row is the place in it."""
    text = whole(path, where, listing.encoding)
    found = _parsed(text, where)
    steps = listing.record_path.split(".") if listing.record_path else []
    for step in steps:
        if not isinstance(found, dict) or step not in found:
            has = ", ".join(list(found)[:20]) if isinstance(found, dict) else type(found).__name__
            raise SourceBroken(
                f"{where}: has no {step!r} of record_path {listing.record_path}, only {has}; its schema changed, correct the declaration"
            )
        found = found[step]
    if not isinstance(found, list):
        has = ", ".join(list(found)[:20]) if isinstance(found, dict) else type(found).__name__
        raise SourceBroken(f"{where}: an array of records was expected at {listing.record_path or 'the top'}, found {has}; set record_path")
    fields = _Fields(where, listing)
    for number, record in enumerate(found, 1):
        record = fields.checked(record, f"{where}: record {number}")
        if len(text) <= CELL_LIMIT or not _is_oversize(number, record, hear):
            yield number, record
    fields.end()


def page(path: Path, where: str, listing: ListingPlan, hear: Hear) -> Iterator[Record]:
    """The records of a page of the platform, whose promises were checked when it was fetched; the row is the place in it."""
    body = path.read_bytes()
    text = gunzip(body, where) if path.name.endswith(".gz") else body
    try:
        found = orjson.loads(text)["records"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise SourceBroken(f"{where}: is no page of the platform ({error}); restore it or extract again") from error
    if len(text) <= CELL_LIMIT:
        return iter(enumerate(found, 1))
    return ((number, record) for number, record in enumerate(found, 1) if not _is_oversize(number, record, hear))


def _is_oversize(number: int, record: dict[str, Any], hear: Hear) -> bool:
    """Whether a value is longer than any can be; then the row is set aside as in a table."""
    if len(orjson.dumps(record)) <= CELL_LIMIT:
        return False
    for name, content in record.items():
        size = len(content if isinstance(content, str) else orjson.dumps(content))
        if size > CELL_LIMIT:
            hear(Remark(number, "oversize", f"{size} characters, at most {CELL_LIMIT} are read: {str(content)[:80]}…", name))
            return True
    return False


class _Fields:
    """Holds a listing to its declared fields: each is in some record."""

    def __init__(self, where: str, listing: ListingPlan) -> None:
        self._where, self._unseen = where, set(listing.header)
        self._found: list[str] = []

    def checked(self, record: Any, where: str) -> dict[str, Any]:
        if type(record) is not dict:
            raise SourceBroken(f"{where}: is no object but {str(record)[:60]}; its schema changed, or it is another file")
        if self._unseen:
            self._unseen.difference_update(record)
            self._found = self._found or list(record)
        return record

    def end(self) -> None:
        if self._unseen and self._found:
            raise SourceBroken(
                f"{self._where}: no record has {', '.join(sorted(self._unseen))}; found {', '.join(self._found[:40])}: if a field was renamed, declare its new name"
            )


def _parsed(text: str, where: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise SourceBroken(
            f"{where}: is not whole JSON ({error.msg} at character {error.pos} of {len(text)}); cut short or damaged: ask for it again"
        ) from error
