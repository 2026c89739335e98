"""What a query of full texts becomes: a tree, or what is wrong with it and where. It knows no way of writing a query, no index and no rows.

A Chinese word is its characters in a row, a Latin word or a number is one word.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .fold import fold

TEXT, KEYWORD, DATE, NUMBER = "text", "keyword", "date", "number"

# What a query can have wrong.
LONG, DEEP, MANY, BRACKET, QUOTE, OPERAND, FIELD, VALUE, DAY, AMOUNT, ORDER, STAR, NOTHING = (
    *("long", "deep", "many", "bracket", "quote", "operand", "field", "value", "day", "amount", "order", "star", "nothing"),
)

_TOKENS = re.compile(r"[a-z0-9]+|[^ a-z0-9]")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a query, at which character of it, and what stands there."""

    kind: str
    at: int
    near: str = ""


class BadQuery(Exception):
    """A query that cannot be understood."""

    def __init__(self, kind: str, at: int, near: str = "") -> None:
        super().__init__(kind)
        self.problem = Problem(kind, at, near[:40])


@dataclass(frozen=True, slots=True)
class Words:
    """Tokens in a row in a field, or in any where it is None; `begins` where the last one goes on."""

    tokens: tuple[str, ...]
    field: str | None = None
    begins: bool = False


@dataclass(frozen=True, slots=True)
class Is:
    """A keyword whose value, or a name of it, has these tokens in a row."""

    field: str
    tokens: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """A day or an amount; an end that is None is open."""

    field: str
    since: str | int | None
    until: str | int | None


@dataclass(frozen=True, slots=True)
class Deny:
    """What is not so."""

    of: "Node"


@dataclass(frozen=True, slots=True)
class Every:
    """All of these."""

    of: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of these."""

    of: tuple["Node", ...]


Node = Words | Is | Between | Deny | Every | Either


def tokens(text: str) -> list[str]:
    """A text as it is searched: its characters, but words and numbers in Latin letters and digits whole."""
    return _TOKENS.findall(fold(text))


def wanted(node: Node) -> Sequence[Words]:
    """The words that a tree looks for, those that it denies left out."""
    if isinstance(node, Words):
        return [node]
    return [word for below in node.of for word in wanted(below)] if isinstance(node, Every | Either) else []
