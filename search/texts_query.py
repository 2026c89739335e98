"""The query language of full texts: a query as a tree (texts_tree.py), or the place where it cannot be understood. Knows no index and no names of fields but those it is given.

    超期 收费          both words             "超期 收费"        in a row
    a OR b   a | b     either                 NOT a   -a         not
    (a OR b) c         grouped                abc*               begins so (letters and digits)
    机关:教育局        in one field           标题:(a OR b)      all of a group in it
    日期:2026-01..2026-03   日期:2026   日期:2026-05-01..       罚款:1万..5万

A Chinese word is its characters in a row, a Latin word or a number is one word. Full-width signs are the same as half-width ones, and 或, 且, 非 alone are OR,
AND, NOT. What is only punctuation is not looked for.

Whoosh's own parser was tried (2.7.5): it takes `(a b`, `a AND` and `NOT` for nothing and says so nowhere, raises IndexError on 200 NOTs, ValueError on a date
that is none and RecursionError on 5,000 brackets, and took 59 seconds for 6,000 characters of `[a to [a to`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .fold import fold
from .texts_tree import (
    BRACKET,
    DATE,
    DEEP,
    FIELD,
    LONG,
    MANY,
    NOTHING,
    NUMBER,
    OPERAND,
    QUOTE,
    STAR,
    TEXT,
    VALUE,
    BadQuery,
    Deny,
    Either,
    Every,
    Is,
    Node,
    Words,
    tokens,
)
from .texts_values import between

LONGEST = 500  # characters of a query
MOST = 16  # words of a query
MOST_TOKENS = 120  # characters, or words in Latin letters, in all of them: 16 runs of 25 took 150 ms
DEEPEST = 16  # brackets and NOTs within each other

_SIGNS = str.maketrans("（）：“”„「」『』＂｜－＊　", '():""""""""|-* ')  # one for one: a place in the query stays the same place
_PIECE = re.compile(r'\s*(?:(?P<sign>[()"])|(?P<minus>-(?=\S))|(?P<word>[^\s()"]+))')
_OPERATORS = {"AND": "AND", "且": "AND", "OR": "OR", "或": "OR", "|": "OR", "||": "OR", "NOT": "NOT", "非": "NOT"}
_NAME = re.compile(r"([^\W\d][^:]*):(.*)", re.DOTALL)


def plain(query: str) -> Node:
    """All the words of a query, none of which is an operator. Raises BadQuery where there are none, or too many."""
    if len(query) > LONGEST:
        raise BadQuery(LONG, LONGEST)
    words = list(dict.fromkeys(query.split()))
    found = tuple(Words(tuple(made)) for word in words if (made := tokens(word)))
    if not found:
        raise BadQuery(NOTHING, 0)
    if len(found) > MOST or sum(len(word.tokens) for word in found) > MOST_TOKENS:
        raise BadQuery(MANY, 0)
    return Every(found) if len(found) > 1 else found[0]


def parse(query: str, fields: Mapping[str, tuple[str, str]]) -> Node:
    """The tree of a query. `fields` has the name and the kind of a field by each word that people call it, folded. Raises BadQuery."""
    if len(query) > LONGEST:
        raise BadQuery(LONG, LONGEST)
    return _Parser(query.translate(_SIGNS), fields).whole()


@dataclass(slots=True)
class _Piece:
    what: str  # ( ) " - word, or "" at the end
    at: int
    text: str


class _Parser:
    """Recursive descent; each step down is counted, so that no query is deeper than Python's own stack."""

    def __init__(self, query: str, fields: Mapping[str, tuple[str, str]]) -> None:
        self.query, self.fields = query, fields
        self.place, self.words, self.tokens, self.depth = 0, 0, 0, 0
        self.within: tuple[str, str] | None = None  # the field of a group
        self.ahead = self._next()

    def whole(self) -> Node:
        found = self._any()
        if self.ahead.what == ")":
            raise BadQuery(BRACKET, self.ahead.at, ")")
        if found is None:
            raise BadQuery(NOTHING, 0)
        return found

    def _next(self) -> _Piece:
        match = _PIECE.match(self.query, self.place)
        if not match:
            return _Piece("", len(self.query), "")
        self.place = match.end()
        kind = str(match.lastgroup)
        at, text = match.start(kind), match[kind]
        if text == '"':
            end = self.query.find('"', self.place)
            if end < 0:
                raise BadQuery(QUOTE, at, self.query[at:])
            text, self.place = self.query[self.place : end], end + 1
            return _Piece('"', at, text)
        return _Piece("word" if kind == "word" else text, at, text)

    def _take(self) -> _Piece:
        piece, self.ahead = self.ahead, self._next()
        return piece

    def _operator(self) -> str | None:
        if self.ahead.what == "-":
            return "NOT"
        return _OPERATORS.get(self.ahead.text) if self.ahead.what == "word" else None

    def _any(self) -> Node | None:
        found = [self._all()]
        while self._operator() == "OR":
            piece = self._take()
            found.append(self._all())
            if None in found:
                raise BadQuery(OPERAND, piece.at, piece.text)
        return found[0] if len(found) == 1 else Either(tuple(dict.fromkeys(node for node in found if node is not None)))

    def _all(self) -> Node | None:
        found: list[Node] = []
        while self.ahead.what not in ("", ")") and self._operator() != "OR":
            between = self._take() if self._operator() == "AND" else None
            node = self._one()
            if between is not None and (node is None or not found):
                raise BadQuery(OPERAND, between.at, between.text)
            if node is not None:
                found.append(node)
        return None if not found else found[0] if len(found) == 1 else Every(tuple(dict.fromkeys(found)))

    def _one(self) -> Node | None:
        """A word, phrase, group or field, or what is denied of one; None of nothing but punctuation, or where nothing stands."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise BadQuery(DEEP, self.ahead.at, self.ahead.text)
        try:
            if self._operator() == "NOT":
                piece = self._take()
                node = self._one() if self._operator() in (None, "NOT") and self.ahead.what not in ("", ")") else None
                if node is None:
                    raise BadQuery(OPERAND, piece.at, piece.text)
                return Deny(node)
            if self._operator() or self.ahead.what in ("", ")"):
                return None
            if self.ahead.what == "(":
                return self._group()
            if self.ahead.what == "word" and (match := _NAME.fullmatch(self.ahead.text)):
                return self._in_field(match[1], match[2])
            return self._leaf(self._take())
        finally:
            self.depth -= 1

    def _group(self) -> Node | None:
        opened = self._take()
        found = self._any()
        if self.ahead.what != ")":
            raise BadQuery(BRACKET, opened.at, self.query[opened.at :])
        self._take()
        return found

    def _in_field(self, called: str, rest: str) -> Node:
        piece = self._take()
        before, self.within = self.within, self.fields.get(fold(called))
        if self.within is None:
            raise BadQuery(FIELD, piece.at, called)
        try:
            if rest:
                node = self._leaf(_Piece("word", piece.at + len(called) + 1, rest))
            elif self.ahead.what == "(":
                node = self._group()
            elif self.ahead.what in ("word", '"') and not self._operator():
                node = self._leaf(self._take())
            else:
                node = None
        finally:
            self.within = before
        if node is None:
            raise BadQuery(VALUE, piece.at, called)
        return node

    def _leaf(self, piece: _Piece) -> Node | None:
        self.words += 1
        if self.words > MOST:
            raise BadQuery(MANY, piece.at, piece.text)
        name, kind = self.within or (None, TEXT)
        if name is not None and kind in (DATE, NUMBER):
            return between(name, kind, piece.text, piece.at)
        word, star, after = piece.text.partition("*") if piece.what == "word" else (piece.text, "", "")
        made = tuple(tokens(word))
        self.tokens += len(made)
        if self.tokens > MOST_TOKENS:
            raise BadQuery(MANY, piece.at, piece.text)
        if star and (after or not made or not made[-1].isascii() or len(made[-1]) < 2):
            raise BadQuery(STAR, piece.at, piece.text)
        if not made:
            return None
        return Words(made, name, bool(star)) if kind == TEXT or name is None else Is(name, made)
