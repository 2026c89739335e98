"""An index of full texts as it lies open: its fields, its values as arrays, its connection. What a search does with them is in texts_rows.py."""

import json
import sqlite3
import sys
from array import array
from pathlib import Path

from .fold import fold
from .texts_runs import may_have
from .texts_tree import KEYWORD, NUMBER, TEXT, Every, Node, Words, tokens
from .texts_write import FORMAT


def open_file(path: Path) -> "File":
    """Open what `build_texts` wrote. Raises ValueError when it is not that, or of another format."""
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)
    except sqlite3.Error as error:
        raise ValueError(f"{path}: not an index of texts ({error}); build it again") from error
    try:
        about = dict(connection.execute("SELECT key, value FROM about"))
        if about.get("format") != FORMAT:
            raise ValueError(f"{path}: not an index of texts of format {FORMAT!r}; build it again")
        return File(connection, json.loads(about["fields"]))
    except sqlite3.Error as error:
        connection.close()
        raise ValueError(f"{path}: not an index of texts ({error}); build it again") from error
    except BaseException:
        connection.close()
        raise


class File:
    """Documents are known by their place in the order of their rank, from 1."""

    def __init__(self, connection: sqlite3.Connection, described: list[tuple[str, str, list[str], float, dict[str, str]]]) -> None:
        self.connection = connection
        self.kinds = {name: kind for name, kind, _, _, _ in described}
        self.asked = {fold(word): (name, kind) for name, kind, called, _, _ in described for word in (name, *called)}
        self.columns = {name: f"c{number}" for number, name in enumerate(name for name, kind in self.kinds.items() if kind == TEXT)}
        self.weights = [weight for _, kind, _, weight, _ in described if kind == TEXT]
        self.ids = ["", *(id for (id,) in connection.execute("SELECT id FROM documents ORDER BY place"))]
        self.places = {id: place for place, id in enumerate(self.ids) if place}
        self.values: dict[str, list[tuple[str, ...]]] = {}  # what a code of a field stands for
        self.compared: dict[str, list[tuple[str | int, ...]]] = {}  # the same as it is compared: numbers as numbers
        self.codes: dict[str, array[int]] = {}  # by place
        self.having: dict[str, list[list[int]]] = {}  # by code, the places
        for name, known, codes in connection.execute("SELECT name, known, codes FROM facets"):
            self.values[name] = [tuple(value) for value in json.loads(known)]
            self.compared[name] = (
                [tuple(map(int, made)) for made in self.values[name]] if self.kinds[name] == NUMBER else [*self.values[name]]
            )
            self.codes[name] = _numbers(codes)
            self.having[name] = [[] for _ in self.values[name]]
            for place, code in enumerate(self.codes[name]):
                self.having[name][code].append(place)
        self.listed = {place for having in self.having.values() for places in having[1:] for place in places}  # those with any value
        runs = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'runs'").fetchone()  # an older index has none
        self._runs: bytes | None = connection.execute("SELECT bits FROM runs").fetchone()[0] if runs else None
        self.words = {name: _called(self.values[name], labels) for name, kind, _, _, labels in described if kind == KEYWORD}

    def lacks(self, tree: Node) -> bool:
        """Whether words of a query are surely in no document, as far as this can be told at a glance."""
        if isinstance(tree, Every):
            return any(self.lacks(part) for part in tree.of)
        return self._runs is not None and isinstance(tree, Words) and not tree.begins and not may_have(self._runs, tree.tokens)


def _numbers(codes: bytes) -> "array[int]":
    made = array("I", [0])  # there is no place 0
    made.frombytes(codes)
    if sys.byteorder == "big":
        made.byteswap()
    return made


def _called(known: list[tuple[str, ...]], labels: dict[str, str]) -> dict[str, str]:
    """Of each value what it is called, as tokens with spaces around them."""
    return {value: f" {' '.join(tokens(f'{value} {labels.get(value, str())}'))} " for made in known for value in made}
