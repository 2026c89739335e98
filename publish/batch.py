"""What one page becomes: rows, documents, and what is to be told of its records, in the order in which a person would meet it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from .columns import Fault
from .protect import Hidden

SHOWN = 80  # characters of a bad value that an issue repeats
# The order in which things are told of one record: what was stepped over before it, its own values, why it is set aside, and so on.
REMARK, SELF, ASIDE, DOCUMENT, HIDDEN, PART, BESIDE = range(7)
Order = tuple[int, ...]  # which record of those that are read together, one of these, and more where needed


@dataclass(frozen=True)
class Issue:
    """One thing that is not as expected: where (source, listing, file, row), in which field, what kind, found and expected."""

    source: str
    listing: str
    file: str
    row: int
    kind: str
    field: str = ""
    found: str = ""
    expected: str = ""
    count: int = 1


@dataclass
class Batch:
    """What one page became: rows by table in the column order of the declaration, each with the record's row and why it is withheld."""

    rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)
    documents: dict[tuple[Any, ...], None] = field(default_factory=dict)  # each way that a document was shown, in the order met
    issues: list[Issue] = field(default_factory=list)
    records: int = 0
    set_aside: int = 0
    same: dict[int, int] = field(default_factory=dict)  # rows that are to the letter what a row of the earlier page is: its rows are theirs


class Telling:
    """The batch of a page while it is made. What is told comes column by column and is put in order when its records are done with."""

    def __init__(self, source: str, listing: str, file: str) -> None:
        self.where = source, listing, file
        self.batch = Batch()
        self._told: list[tuple[Order, Issue]] = []

    def tell(self, order: Order, row: int, kind: str, field: str = "", found: str = "", expected: str = "", count: int = 1) -> None:
        """Report something."""
        self._told.append((order, Issue(*self.where, row, kind, field, found, expected, count)))

    def set_aside(self, order: Order, row: int, expected: str, found: str = "") -> None:
        """Report a record that is not used, and count it."""
        self.batch.set_aside += 1
        self.tell(order, row, "set_aside", found=found, expected=expected)

    def hear(self, order: Order, row: int, what: Fault | Hidden) -> None:
        """Report a value that cannot be read, or personal data that was taken out of one."""
        if isinstance(what, Fault):
            self.tell((*order, what.place), row, "bad_value", what.cell.name, shown(what.raw), what.expected)
        else:
            self.tell(order, row, "screened", what.column, expected=what.finding.kind, count=what.finding.count)

    def done(self) -> None:
        """The records that were read together are done with."""
        self._told.sort(key=itemgetter(0))
        self.batch.issues += [issue for _, issue in self._told]
        self._told.clear()

    def add(self, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """More rows of a table."""
        self.batch.rows.setdefault(table, []).extend(rows)


def shown(raw: object) -> str:
    """A value as an issue repeats it."""
    text = (raw if isinstance(raw, str) else repr(raw)).encode("utf-8", "replace").decode()
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}… ({len(text)} characters)"
