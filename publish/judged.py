"""Judge the rows of a table of millions by what is judged of them: a rule that looks at little of a row says the same of the same.

Ratings are counts in a list, and few lists are many ratings: what the rule makes of each is kept by how it is written. Only what is plain is
judged so: all of one type, and nothing that cannot be read. Anything else is left to the parsers and to the rule, row by row, and a test
holds both ways against each other.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from .columns import Column, Raw
from .errors import BadValue
from .mapping import Cell, Plan
from .rules import READS

MEMO = 65536  # distinct judgements remembered: small histograms repeat by the million
PLAIN = ({str}, {int})  # types of a column that can be told apart by their value: 1, 1.0 and True are one key


class Judge:
    """What a table's rule says of what it reads. `cells` are those that it reads; `columns` are those that it settles."""

    def __init__(self, plan: Plan) -> None:
        reads = READS.get(plan.main.name, ())
        self.main = plan.main
        self.cells = tuple(cell for cell in plan.cells if cell.column in reads)
        settled = {cell.column for cell in plan.cells if cell.column not in reads} | set(plan.constants) | {"source_id"}
        self.columns = tuple(column for column in plan.main.columns if column not in settled)
        self.judgements: dict[tuple[Any, ...], tuple[Any, ...]] = {}

    @staticmethod
    def fits(plan: Plan) -> bool:
        """Whether the rule looks at nothing but columns that the records fill."""
        reads = READS.get(plan.main.name)
        filled = [cell.column for cell in plan.cells if cell.text is None]
        return reads is not None and plan.main.prefix is None and all(filled.count(column) == 1 for column in reads)

    def judged(self, raw: Raw) -> tuple[dict[str, Column], Column] | None:
        """The columns that the rule settles and why each row is withheld; None where something has to be looked at."""
        keys = [_counts(raw.column(cell.key)) if cell.takes_list else _plain(raw.column(cell.key)) for cell in self.cells]
        if None in keys:
            return None
        known = self.judgements
        if len(known) >= MEMO:
            known.clear()
        several = list(zip(*keys, strict=True))
        found = list(map(known.get, several))
        if None in found:
            try:
                known.update((key, self._judge(key)) for key in set(several) - known.keys())
            except BadValue:
                return None
            found = list(map(known.__getitem__, several))
        *columns, withheld = zip(*found, strict=True)
        return dict(zip(self.columns, columns, strict=True)), withheld

    def _judge(self, key: tuple[Any, ...]) -> tuple[Any, ...]:
        row = {cell.column: _parsed(cell, one) for cell, one in zip(self.cells, key, strict=True)}
        if any(row.get(name) is None for name in self.main.required if name in self.columns):
            raise BadValue("a required value is not there")
        withheld = self.main.rule(row, ()) if self.main.rule else None
        return (*map(row.get, self.columns), withheld)


def _parsed(cell: Cell, key: Any) -> Any:
    return cell.parse(orjson.loads(f"[{key}]") if cell.takes_list else key)


def _plain(column: Column | None) -> Column | None:
    return column if column is not None and set(map(type, column)) in PLAIN and "" not in column else None


def _counts(column: Column | None) -> Sequence[str] | None:
    """Lists of whole numbers, none of them negative, each as it is written without its brackets; None where anything is something else."""
    if column is None or set(map(type, column)) != {list}:
        return None
    written = orjson.dumps(column)
    if written.translate(None, b"0123456789,[]") or written.count(b"[") != len(column) + 1:
        return None  # 1.0 and true are no counts, and a list in a list is none
    return written[2:-2].decode().split("],[")
