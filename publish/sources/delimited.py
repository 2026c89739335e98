"""CSV and its kin with the standard library's reader, strictly: a quote that is not closed stops the file instead of swallowing it."""

import csv
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path

from ..errors import SourceBroken
from ..snapshot import Record
from . import Hear, ListingPlan
from . import table as tables
from .text import LINE_LIMIT, encoding_of, lines

# The module has one limit for the process, 131,072 as it comes. A longer cell is for `table` to set aside with its row; raising here would lose our place in the file.
csv.field_size_limit(LINE_LIMIT)

DELIMITERS = ",\t;|"


def records(path: Path, where: str, listing: ListingPlan, hear: Hear) -> Iterator[Record]:
    """The records of a delimited file; its delimiter is the one under which the header is found."""
    encoding = encoding_of(path, where, listing.encoding)
    best: tables.NoHeader | None = None
    for delimiter in DELIMITERS:
        with closing(rows_of(path, where, encoding, delimiter)) as rows:
            try:
                head = tables.find(rows, where, listing)
            except tables.NoHeader as miss:
                best = miss if best is None or miss.share > best.share else best
                continue
            yield from tables.body(head, rows, where, listing, hear, even=True)
            return
    if best is not None:
        raise best


def rows_of(path: Path, where: str, encoding: str, delimiter: str) -> Generator[tables.Row, None, None]:
    """The rows as they are, by a delimiter. Raises SourceBroken at a quote that is not closed or not doubled."""
    reader = csv.reader(lines(path, where, encoding), delimiter=delimiter, strict=True)
    number = 0
    try:
        for cells in reader:
            number += 1
            yield tables.Row(number, cells, tables.filled(cells))
    except csv.Error as error:
        raise SourceBroken(
            f"{where}: row {number + 1}, line {reader.line_num}: {error}; a quote is not closed or not doubled: ask for it again"
        ) from error
