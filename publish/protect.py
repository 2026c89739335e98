"""Take personal data out of every text of a page that could be published (rule 8), column by column.

One look says of all texts of a page which could hold any; only these are screened. What was looked at and is clear is remembered for the
next page, as authorities, registrars and banks repeat.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from .columns import Column
from .mapping import Shape
from .masked import masked_organiser
from .screen import Finding, screen, suspects

REMEMBERED = 8192  # texts that hold nothing personal: what repeats does so within a few pages
_screen = lru_cache(4096)(screen)  # longer memories cost more than they save


class Hidden(NamedTuple):
    """What was hidden in which row and column."""

    row: int
    column: str
    finding: Finding


class Protector:
    """Masks and screens columns; it remembers texts in which nothing is to be hidden."""

    def __init__(self) -> None:
        self.clear: set[object] = set()

    def protect(self, shape: Shape, columns: dict[str, Column]) -> Iterator[Hidden]:
        """Change the columns of a table of that shape; what was hidden, in the order of the columns."""
        for name in shape.masked:
            if name in columns:
                columns[name] = [masked_organiser(value) if isinstance(value, str) else value for value in columns[name]]
        looked = {name: _looked_at(name, columns) for name in shape.screened if name in columns}
        suspect = self._suspects(looked)
        for name, texts in looked.items() if suspect else ():
            if suspect.isdisjoint(texts):
                continue
            values = list(columns[name])
            for index, text in enumerate(texts):
                if text in suspect and (screened := _screen(text)).findings:
                    values[index] = screened.text
                    yield from (Hidden(index, name, finding) for finding in screened.findings)
            columns[name] = values

    def _suspects(self, looked: dict[str, Column]) -> set[str]:
        texts = {text for text in set().union(*looked.values()) - self.clear if type(text) is str}
        suspect = suspects(texts) if texts else set[str]()
        if len(self.clear) > REMEMBERED:
            self.clear.clear()
        self.clear |= texts - suspect
        return suspect


def _looked_at(name: str, columns: dict[str, Column]) -> Column:
    """The texts of a column; what was read as a credit code is one and needs no look."""
    if name == "credit_code_text" and "credit_code" in columns:
        return [None if text == code else text for text, code in zip(columns[name], columns["credit_code"], strict=True)]
    return columns[name]
