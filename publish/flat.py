"""Read a page of small records column by column: a sixth of the time a record, where there are millions of them.

Only what is plain is read so: every record has the same fields, every value can be read, nothing is set aside. At the first thing that is
not, the whole page is left to `validate`, which looks at each record and says what is wrong. The values come from the same parsers and the
same rule, and a test holds both ways against each other.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

from .errors import BadValue
from .mapping import Cell, Plan
from .rules import READS

MEMO = 65536  # distinct judgements remembered: small histograms repeat by the million
REFERRED = 131072  # distinct values remembered of a column, 30 MiB of ids: every institution is rated every month
PLAIN = ({str}, {int})  # types of a column that can be told apart by their value: 1, 1.0 and True are one key


class Flat:
    """The reader of a listing without parts, documents and free text. It remembers what the rule said of values that repeat."""

    def __init__(self, plan: Plan, source: str, mapped: frozenset[str], known: frozenset[str]) -> None:
        self.plan, self.source, self.mapped, self.known = plan, source, mapped, known
        reads = READS.get(plan.main.name, ())
        self.judged = [cell for cell in plan.cells if cell.column in reads]
        self.others = [cell for cell in plan.cells if cell.column not in reads]
        self.parsed: dict[str, dict[Any, Any]] = {cell.column: {} for cell in self.others}
        self.judgements: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        settled = {cell.column for cell in self.others} | set(plan.constants) | {"source_id"}
        self.decided = tuple(column for column in plan.main.columns if column not in settled)

    @staticmethod
    def fits(plan: Plan) -> bool:
        """Whether the records of a listing are as simple as this needs."""
        main = plan.main
        return (
            not (main.prefix or plan.nested or plan.beside or plan.constants_beside or main.screened or main.masked)
            and all(cell.text is None for cell in plan.cells)
            and (main.rule is None or main.name in READS)
        )

    def rows(self, records: Sequence[Any], numbers: Sequence[int]) -> list[tuple[Any, ...]] | None:
        """The rows of a page, or None where something in it has to be looked at."""
        if not records or set(map(type, records)) != {dict}:
            return None
        names, size = (*records[0],), len(records)
        if not self.mapped <= records[0].keys() <= self.known or len(names) < 2 or set(map(len, records)) != {len(names)}:
            return None
        try:
            raws: dict[str, Sequence[Any]] = dict(zip(names, zip(*map(itemgetter(*names), records), strict=True), strict=True))
        except KeyError:
            return None
        columns: dict[str, Sequence[Any]] = {name: [value] * size for name, value in self.plan.constants.items()}
        if self.plan.main.has_source:
            columns["source_id"] = [self.source] * size
        try:
            for cell in self.others:
                columns[cell.column] = self._parsed(cell, raws[cell.key])
            columns |= self._judged(raws, size)
        except BadValue:
            return None
        if any(None in columns[name] for name in self.plan.main.required if name not in self.decided):
            return None
        return list(zip(*(columns[name] for name in self.plan.main.columns), numbers, columns[""], strict=True))

    def _parsed(self, cell: Cell, column: Sequence[Any]) -> list[Any]:
        known = self.parsed[cell.column]
        values = list(map(known.get, _plain(column)))
        if None in values:
            parse: Callable[[Any], Any] = cell.parse
            fresh = {raw: parse(raw) for raw in {raw for raw, value in zip(column, values, strict=True) if value is None}}
            if len(known) < REFERRED:
                known |= fresh
            values = [fresh[raw] if value is None else value for raw, value in zip(column, values, strict=True)]
        return values

    def _judged(self, raws: Mapping[str, Sequence[Any]], size: int) -> dict[str, Sequence[Any]]:
        """What the rule decides, by column; '' is why a row is withheld."""
        hashable = [_tuples(raws[cell.key]) if cell.takes_list else _plain(raws[cell.key]) for cell in self.judged]
        known = self.judgements
        keys = list(zip(*hashable, strict=True)) if hashable else [()] * size
        decided = list(map(known.get, keys))
        if None in decided:
            if len(known) >= MEMO:
                known.clear()
            fresh = {key: self._judge(key) for key in {key for key, judgement in zip(keys, decided, strict=True) if judgement is None}}
            known |= fresh
            decided = [judgement or fresh[key] for key, judgement in zip(keys, decided, strict=True)]
        return dict(zip((*self.decided, ""), zip(*decided, strict=True), strict=True))

    def _judge(self, key: tuple[Any, ...]) -> tuple[Any, ...]:
        row = {cell.column: cell.parse(list(raw) if cell.takes_list else raw) for cell, raw in zip(self.judged, key, strict=True)}
        if any(row.get(name) is None for name in self.plan.main.required if name in self.decided):
            raise BadValue("a required value is not there")
        withheld = self.plan.main.rule(row, ()) if self.plan.main.rule else None
        return (*map(row.get, self.decided), withheld)


def _plain(column: Sequence[Any]) -> Sequence[Any]:
    """The column itself. Raises BadValue where its values are of several types or one is empty."""
    if set(map(type, column)) not in PLAIN or "" in column:
        raise BadValue("not all of one type")
    return column


def _tuples(column: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Lists of whole numbers as keys of a dict. Raises BadValue for anything else."""
    if set(map(type, column)) != {list}:
        raise BadValue("not all are lists")
    if set(map(type, chain.from_iterable(column))) != {int}:
        raise BadValue("not all are whole numbers")
    return list(map(tuple, column))
