"""Getting bytes and reading them as records: adapters that know addresses, paging, politeness, retries and formats.

Nothing here renames, parses or repairs a value: a record leaves with the source's own field names and what the source wrote. What a reader
had to step over (a title, a note under the table, a row that is broken, a cell that a formula made) is said as a `Remark` and never dropped in silence.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..progress import Progress
    from ..snapshot import Page, Snapshot
    from .attempt import Attempt


@dataclass(frozen=True)
class ListingPlan:
    """Where one listing of a source is and how its table is recognised.

    path: the platform's name of the listing, or a file, or a glob inside a delivery's folder, or a path below its address; "" is the address itself.
    sheet: of a workbook; None when exactly one visible sheet has the header; "*" for every one that has, the sheet's name then being the field "(sheet)".
    header: field names that must all be there, or the listing is not what was declared.
    fields: every field name that the mapping knows: a column that differs from one in width or spaces only takes its spelling.
    record_path: dotted path to the array inside a JSON document.
    form: "platform", "csv", "xlsx", "xls", "ndjson", "json" or "html" when the bytes or the name should not decide.
    may_be_empty: no records are no broken promise here.
    page_size: records a page to ask the platform for, where not as the source's.
    """

    name: str
    path: str = ""
    sheet: str | None = None
    header: tuple[str, ...] = ()
    encoding: str | None = None
    record_path: str | None = None
    fields: tuple[str, ...] = ()
    form: str | None = None
    may_be_empty: bool = False
    page_size: int | None = None


@dataclass(frozen=True)
class SourcePlan:
    """One source and how to be polite to it. `rate` is requests a second, 0 for no limit; `timeout` is seconds to connect and to wait for the next bytes."""

    name: str
    address: str
    listings: tuple[ListingPlan, ...]
    token: str | None = field(default=None, repr=False)  # out of every repr: a plan may end up in a log
    rate: float = 10.0
    timeout: tuple[float, float] = (10.0, 60.0)
    page_size: int = 1000
    retries: int = 5


@dataclass(frozen=True)
class Remark:
    """Something that a reader stepped over or could not take at its word; `row` counts as in `Record`, 0 is the file as a whole.

    Rows that are not records: title, note, total, single_cell, header_again. Rows set aside: long_row, oversize. Rows given with a hole: short_row.
    Cells: formula (the cached value is given), formula_without_value and error_value (None is given), lost_digits (Excel keeps 15; text is given).
    The file: sheet_skipped, table_skipped.
    """

    row: int
    kind: str
    text: str
    column: str | None = None

    @property
    def is_row_lost(self) -> bool:
        """Whether a row that looks like a record was not given."""
        return self.kind in ("long_row", "oversize")


Hear = Callable[[Remark], None]
"""Takes the remarks of a reader; called before the record that a remark is about is given."""


def unheard(remark: Remark) -> None:
    """For callers that read the same file a second time and have heard its remarks."""


class Source(Protocol):
    """What every adapter does: fill an attempt's folder with bodies and yield a page for each, listing after listing as planned."""

    def pages(self, attempt: "Attempt", previous: "Snapshot | None", progress: "Progress") -> "Iterator[Page]":
        """Raises SourceUnavailable when it may work later and SourceBroken when a promise was broken."""
        ...
