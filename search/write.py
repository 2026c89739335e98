"""Write an index: one file, the same bytes for the same documents.

Texts become arrays of character numbers, a batch of documents at a time, and their pairs of characters are sorted by numpy: what Python does
for each document is to fold its texts. Names are what weighs at least half of the heaviest field; their pairs are kept apart from those of
the further texts, so that a name is found before an address. What is searched by sound needs nothing of its own: characters of one
reading are looked up together.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from .document import Document
from .facets import Column
from .file import Array, smallest, write_file
from .fold import compact, fold
from .letters import BACK, FIELDS, MARK, PHRASE_MARK, PHRASES, Codes, Letters, by_frequency, grams, kept
from .numbers import Numbered
from .postings import encode

TITLE = "title"
KIND = "\0kind"  # among the facets, and no name that one can have
BATCH = 5_000  # documents whose texts are held as strings
OFTEN = 2  # a field whose values come so often on the whole in the first batch keeps each value once
SHORTEST_BACK = 4
_DIGITS = re.compile("(?:[0-9a-f]{2}){4,}$")
PARTING = "\U00010380"  # a letter of Ugaritic, which folding leaves as it is; where a text has one, its batch is folded text by text


def build(path: Path, documents: Iterable[Document], weights: Mapping[str, float]) -> int:
    """Write the index to `path`, whole or not at all, and return the number of documents.

    `weights` says which fields there are and how much a match in each is worth; `title` weighs as the heaviest where it is not named.
    Documents come in the order of their rank, best first.

    Raises ValueError for a document out of order, an id that comes twice and a field without a weight. An index at `path` stays as it
    was until the new one is complete and on the disk.
    """
    path.with_name(path.name + ".part").unlink(missing_ok=True)
    writing = _Writing(weights)
    rows = iter(documents)
    while batch := list(islice(rows, BATCH)):
        writing.add(batch)
    about, found = writing.finish()
    write_file(path, about, found)
    return writing.count


class _Texts:
    """Texts of one family: the numbers of their characters, document after document, and the grams."""

    def __init__(self, letters: Letters, *, starts: bool) -> None:
        self._letters, self._starts = letters, starts
        self._codes: list[Codes] = []
        self._lengths: list[Array] = []
        self._grams: list[Array] = []

    def add(self, first: int, stored: list[str], searched: list[str] | None = None) -> None:
        self._codes.append(self._letters.codes("".join(stored)))
        self._lengths.append(np.fromiter(map(len, stored), np.uint32, len(stored)))
        texts = self._codes[-1] if searched is None else self._letters.codes("".join(searched))
        lengths = self._lengths[-1] if searched is None else np.fromiter(map(len, searched), np.uint32, len(searched))
        owners = np.repeat(np.arange(first, first + len(stored), dtype=np.uint32), lengths)
        self._grams.append(grams(texts, owners, starts=self._starts))

    def texts(self) -> Codes:
        """All of them in a row."""
        self._codes = [np.concatenate([*self._codes, np.empty(0, np.uint16)])]
        return self._codes[0]

    def finish(self, documents: int, order: Codes) -> dict[str, Array]:
        lengths = np.concatenate([*self._lengths, np.empty(0, np.uint32)])
        texts, sizes = kept(self.texts(), order)
        self._codes = []
        ends = np.append(0, np.cumsum(sizes, dtype=np.uint32))[np.append(0, np.cumsum(lengths, dtype=np.int64))]
        keys = np.empty(sum(map(len, self._grams)), np.uint64)
        spot = 0
        for part in range(len(self._grams)):
            keys[spot : spot + len(self._grams[part])] = self._grams[part]
            spot += len(self._grams[part])
            self._grams[part] = np.empty(0, np.uint64)  # so that they are never held twice
        keys.sort()
        return {"texts": texts, "lengths": smallest(np.diff(ends)), **encode(keys, documents)}


class _Writing:
    def __init__(self, weights: Mapping[str, float]) -> None:
        heaviest = max(weights.values(), default=1.0)
        weighed = {TITLE: heaviest, **weights}
        self._fields = sorted(weighed.items(), key=lambda item: (-item[1], item[0]))
        if len(self._fields) > FIELDS:
            raise ValueError(f"{len(self._fields)} fields; an index has at most {FIELDS}")
        self._order = {name: weight * 2 >= heaviest for name, weight in self._fields}
        self._marked = [(name, chr(MARK + number), self._order[name]) for number, (name, _) in enumerate(self._fields)]
        self.count = 0
        self._last: int | None = None
        self._letters = Letters()
        self._names, self._others = _Texts(self._letters, starts=True), _Texts(self._letters, starts=False)
        self._ids: list[str] = []
        self._titles: list[tuple[int, str]] = []
        self._numbers = Numbered()
        self._facets: dict[str, Column] = {}
        self._phrases: dict[str, int] = {}
        self._often: set[str] | None = None

    def add(self, batch: list[Document]) -> None:
        if self._often is None:
            self._often = {name for name in self._order if _comes_often(name, batch)}
        folded = _folded(batch)
        names, stored, searched = [], [], []
        numbers: list[tuple[str, int]] = []
        kinds = self._facets.setdefault(KIND, Column())
        for document in batch:
            self._check(document)
            name, short, whole = self._texts(document, folded)
            names.append(name)
            stored.append(short)
            searched.append(whole)
            numbers += [(number, self.count) for number in {folded[each] for each in document.identifiers} if number]
            kinds.add(self.count, document.kind)
            for facet, values in document.facets.items():
                if facet not in self._facets:
                    self._facets[facet] = Column()
                self._facets[facet].add(self.count, values)
            self.count += 1
        first = self.count - len(batch)
        self._ids += [document.id for document in batch]
        self._numbers.add(numbers)
        self._names.add(first, names)
        self._others.add(first, stored, searched)

    def _check(self, document: Document) -> None:
        if self._last is not None and document.rank < self._last:
            raise ValueError(
                f"document {document.id!r} has rank {document.rank} and comes after rank {self._last}; hand documents over in the order of their rank"
            )
        if unknown := document.fields.keys() - self._order.keys():
            raise ValueError(
                f"document {document.id!r} has the field {min(unknown)!r}, which has no weight; weights are for {', '.join(self._order)}"
            )
        self._last = document.rank

    def _texts(self, document: Document, folded: Mapping[str, str]) -> tuple[str, str, str]:
        """The names, and the further texts as they are stored and in full, each value after the mark of its field."""
        title = document.title
        texts = document.fields if title in document.fields.values() else _with_title(document)
        names: dict[str, str] = {}
        short: dict[str, str] = {}
        whole: dict[str, str] = {}
        begins = ""
        for field, mark, is_name in self._marked:
            if text := texts.get(field):
                for line in text.splitlines():
                    value = folded[line]
                    if not value:
                        continue
                    if is_name:
                        names.setdefault(value, mark + value)
                    elif value not in whole:
                        whole[value] = mark + value
                        short[value] = mark + self._short(field, value, begins)
                        begins = begins or value
        if title != next(iter(names), None):
            self._titles.append((self.count, title))
        return "".join(names.values()), "".join(short.values()), "".join(whole.values())

    def _short(self, field: str, value: str, first: str) -> str:
        if field in (self._often or ()):
            number = self._phrases.get(value)
            if number is None and len(self._phrases) < 0x10000 - PHRASES:
                number = self._phrases[value] = len(self._phrases)
            if number is not None:
                return chr(PHRASE_MARK + number)
        return chr(MARK + BACK) + value[len(first) :] if len(first) >= SHORTEST_BACK and value.startswith(first) else value

    def finish(self) -> tuple[dict[str, Any], dict[str, Array]]:
        ids = np.array(self._ids, dtype=object)
        if len(set(self._ids)) < self.count:
            ids.sort()
            raise ValueError(f"document {ids[1:][ids[1:] == ids[:-1]][0]!r} comes twice; an id names one document")
        table, numbers = self._numbers.finish()
        columns = {name: column.finish(self.count) for name, column in sorted(self._facets.items())}
        about = {
            "documents": self.count,
            "fields": [[name, weight, self._order[name]] for name, weight in self._fields],
            "numbers": table,
            "facets": {name: sets for name, (sets, _) in columns.items()},
        }
        order = by_frequency(self._names.texts(), self._others.texts())
        found = {
            **{f"names.{name}": array for name, array in self._names.finish(self.count, order).items()},
            **{f"others.{name}": array for name, array in self._others.finish(self.count, order).items()},
            "points": self._letters.points,
            "order": order,
            **_named(self._ids),
            **_strings("titles", [title for _, title in self._titles]),
            "titled": np.array([place for place, _ in self._titles], np.uint32),
            **_strings("phrases", list(self._phrases)),
            **numbers,
            **{f"facet.{name}": column for name, (_, column) in columns.items()},
        }
        return about, found


def _with_title(document: Document) -> dict[str, str]:
    known = document.fields.get(TITLE)
    return {**document.fields, TITLE: f"{document.title}\n{known}" if known else document.title}


def _comes_often(field: str, batch: list[Document]) -> bool:
    values = [value for document in batch for value in document.fields.get(field, "").splitlines()]
    return len(set(values)) * OFTEN < len(values)


def _folded(batch: list[Document]) -> dict[str, str]:
    """Each line of the texts and each identifier with its compact form. Folded in one go: with it 20,000 documents took 1.4 s in place of 1.9."""
    texts = {text for document in batch for text in (document.title, *document.fields.values())}
    lines = dict.fromkeys(chain.from_iterable(text.splitlines() for text in sorted(texts)))
    lines.update(dict.fromkeys(number for document in batch for number in document.identifiers))
    found = fold(PARTING.join(lines)).replace(" ", "").split(PARTING)
    return dict(zip(lines, found if len(found) == len(lines) else map(compact, lines), strict=True))


def _named(ids: list[str]) -> dict[str, Array]:
    """The ids; of one prefix and as many hexadecimal digits each, as ours are, they are kept as bytes of two digits."""
    shape = _DIGITS.search(ids[0]) if ids else None
    if shape and all(map(re.compile(f"{re.escape(ids[0][: shape.start()])}[0-9a-f]{{{len(shape[0])}}}").fullmatch, ids)):
        prefix, digits = ids[0][: shape.start()], b"".join(bytes.fromhex(each[shape.start() :]) for each in ids)
        return {"ids.prefix": np.frombuffer(prefix.encode(), np.uint8), "ids.digits": np.frombuffer(digits, np.uint8)}
    return _strings("ids", ids)


def _strings(name: str, texts: list[str]) -> dict[str, Array]:
    raw = [text.encode("utf-8", "replace") for text in texts]  # a lone surrogate is no text
    return {name: np.frombuffer(b"".join(raw), np.uint8), f"{name}.lengths": smallest(np.array([len(each) for each in raw], np.int64))}
