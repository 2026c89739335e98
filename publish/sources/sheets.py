"""Which sheets of a workbook a listing means: one, or all that have its header, and none left out without a word."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial

from ..errors import SourceBroken
from ..snapshot import Record
from . import Hear, ListingPlan, Remark, table


def choose(
    sheets: Sequence[tuple[str, Callable[[], Generator[table.Row, None, None]]]], where: str, listing: ListingPlan, hear: Hear
) -> Iterator[Record]:
    """The records of the sheets that have the header; see `ListingPlan.sheet`. Raises SourceBroken when none has it, or several have and none is named."""
    named = [(name, rows) for name, rows in sheets if listing.sheet in (None, "*") or table.plain(name) == table.plain(listing.sheet)]
    if not named:
        raise SourceBroken(
            f"{where}: there is no sheet {listing.sheet!r}, only {', '.join(name for name, _ in sheets) or 'none'}; correct the declaration or ask the source"
        )
    with ExitStack() as stack:  # an exception's traceback would keep a sheet's file open
        yield from _chosen([(name, stack.enter_context(closing(rows()))) for name, rows in named], where, listing, hear)


def _chosen(sheets: Sequence[tuple[str, Iterator[table.Row]]], where: str, listing: ListingPlan, hear: Hear) -> Iterator[Record]:
    fitting: list[tuple[str, table.Head, Iterator[table.Row]]] = []
    misses: list[tuple[str, table.NoHeader]] = []
    for name, rows in sheets:
        try:
            fitting.append((name, table.find(rows, f"{where}, sheet {name}", listing), rows))
        except table.NoHeader as miss:
            misses.append((name, miss))
    if not fitting:
        raise max((miss for _, miss in misses), key=lambda miss: miss.share)
    if len(fitting) > 1 and listing.sheet is None:
        raise SourceBroken(
            f"{where}: {', '.join(name for name, _, _ in fitting)} all have the header; name one sheet in the declaration, or '*' for all"
        )
    for name, missed in misses:
        hear(Remark(0, "sheet_skipped", f"{name}: {missed}"))
    for name, head, rows in fitting:
        if listing.sheet == "*":
            for number, record in table.body(head, rows, f"{where}, sheet {name}", listing, partial(_hear_from, name, hear)):
                yield number, {**record, "(sheet)": name}
        else:
            yield from table.body(head, rows, where, listing, hear)


def _hear_from(name: str, hear: Hear, remark: Remark) -> None:
    hear(replace(remark, text=f"{name}: {remark.text}"))
