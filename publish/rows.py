"""From columns to the rows of a table as they are staged: what lacks something, what the table's rule says, what is personal."""

from collections.abc import Callable, Sequence
from typing import Any

from .batch import Order, Telling
from .columns import Column
from .mapping import Shape
from .protect import Protector
from .rules import Row

Columns = dict[str, Column]
Unreadable = dict[int, tuple[str, ...]]
Rows = list[tuple[Any, ...]]


def without(required: Sequence[str], columns: Columns, rows: Sequence[int], gone: set[int]) -> list[tuple[int, str]]:
    """The rows that lack a column, each with the first that it lacks. They join those that are `gone`."""
    found = []
    for name in required:
        values = columns.get(name)
        if values is not None and None not in values:
            continue
        for index in range(len(rows)):
            if index not in gone and (values is None or values[index] is None):
                gone.add(index)
                found.append((index, name))
    return found


def ruled(shape: Shape, columns: Columns, unreadable: Unreadable, size: int) -> tuple[Columns, Column]:
    """The columns after the table's rule, which looks at whole rows, and why each row is withheld."""
    if shape.rule is None:
        return columns, [None] * size
    rows: list[Row] = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    withheld = [shape.rule(row, unreadable.get(index, ())) for index, row in enumerate(rows)]
    return {name: [row.get(name) for row in rows] for name in shape.columns}, withheld


def finished(
    protector: Protector,
    shape: Shape,
    columns: Columns,
    numbers: Sequence[int],
    withheld: Column,
    page: Telling,
    order: Callable[[int], Order],
) -> Rows:
    """The rows of a table as they are staged, with what is personal taken out."""
    for hidden in protector.protect(shape, columns):
        page.hear(order(hidden.row), numbers[hidden.row], hidden)
    nothing = [None] * len(numbers)
    return list(zip(*(columns.get(name, nothing) for name in shape.columns), numbers, withheld, strict=True))
