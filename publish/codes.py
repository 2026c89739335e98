"""Code tables: short English words with labels in both languages and the spellings of sources that mean them.

One CSV file under datasets/codes/ is one table. A spelling that no table knows is a bad value, never "other": somebody adds it to the
file or to the source's lookups. Regions and hotlines have files there too and modules of their own.
"""

import csv
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .cleaning import SENTINELS, bad
from .declarations import Words
from .errors import BadDeclaration

COLUMNS = ("code", "label_zh", "label_en", "source_terms")
OPTIONAL = ("parent",)
ELSEWHERE = ("regions.csv", "hotlines.csv")
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LONGEST = 100  # characters of a spelling; a longer cell is prose


@dataclass(frozen=True)
class Code:
    """One code; `parent` is the code that it is a kind of."""

    code: str
    label_zh: str
    label_en: str
    source_terms: tuple[str, ...]
    parent: str | None = None


def _key(term: str) -> str:
    """A spelling as it is compared: width, case, spaces and quotation marks do not count."""
    return re.sub(r"[\s\"'“”‘’《》\u200b-\u200f\ufeff]", "", unicodedata.normalize("NFKC", term)).casefold()


@dataclass(frozen=True)
class CodeTable:
    """One code table, in the order of its file."""

    name: str
    rows: tuple[Code, ...]
    _by_term: dict[str, str] = field(repr=False)
    _by_code: dict[str, Code] = field(repr=False)

    def code(self, raw: object) -> str | None:
        """The code for a source's spelling, label or code; None for a sentinel such as 暂无.

        Raises BadValue for anything else, with the codes that exist.
        """
        if isinstance(raw, str):
            if raw in self._by_code:
                return raw
            if len(raw) <= _LONGEST:
                key = _key(raw)
                if key in self._by_term:
                    return self._by_term[key]
                if key in SENTINELS:
                    return None
        elif raw is None:
            return None
        elif isinstance(raw, int) and not isinstance(raw, bool) and str(raw)[:_LONGEST] in self._by_term:
            return self._by_term[str(raw)]
        raise bad(raw, f"a spelling of {self.name}.csv ({', '.join(row.label_zh for row in self.rows)})")

    def label(self, code: str) -> Words:
        """Raises KeyError for what is not a code of this table."""
        row = self._by_code[code]
        return Words(row.label_zh, row.label_en)

    def children(self, code: str) -> tuple[str, ...]:
        """The codes that are a kind of this one."""
        return tuple(row.code for row in self.rows if row.parent == code)

    def __contains__(self, code: object) -> bool:
        return code in self._by_code

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_code)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, code: str) -> Code:
        return self._by_code[code]


def read_csv(path: Path, columns: tuple[str, ...], optional: tuple[str, ...] = ()) -> list[tuple[int, dict[str, str]]]:
    """(line, cells by column) of a table of ours. Raises BadDeclaration naming file and line."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = tuple(next(reader, ()))
            lines = [(reader.line_num, cells) for cells in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadDeclaration(f"{path.name}: not readable as CSV in UTF-8: {error}") from error
    if header[: len(columns)] != columns or any(name not in optional for name in header[len(columns) :]) or len(set(header)) != len(header):
        raise BadDeclaration(
            f"{path.name}:1: the header is {','.join(header)!r}; expected {','.join(columns)!r}{' and ' + ','.join(optional) if optional else ''}"
        )
    if not lines:
        raise BadDeclaration(f"{path.name}: has no rows")
    for line, cells in lines:
        if len(cells) != len(header):
            raise BadDeclaration(f"{path.name}:{line}: {len(cells)} cells; expected {len(header)}")
    return [(line, dict(zip(header, cells, strict=True))) for line, cells in lines]


def read_table(path: Path) -> CodeTable:
    """The code table in `path`. Raises BadDeclaration naming file and line."""
    by_code: dict[str, Code] = {}
    by_term: dict[str, str] = {}
    lines = read_csv(path, COLUMNS, OPTIONAL)
    for line, cells in lines:
        where, code = f"{path.name}:{line}", cells["code"]
        if not _CODE.fullmatch(code):
            raise BadDeclaration(f"{where}: code {code!r} is not a short word of a-z, 0-9 and _")
        if code in by_code:
            raise BadDeclaration(f"{where}: code {code!r} is given twice")
        if not cells["label_zh"].strip() or not cells["label_en"].strip():
            raise BadDeclaration(f"{where}: {code} lacks a label; expected both languages")
        terms = tuple(cells["source_terms"].split("|")) if cells["source_terms"] else ()
        if any(not term.strip() for term in terms):
            raise BadDeclaration(f"{where}: {code} has an empty spelling in source_terms")
        for term in (code, cells["label_zh"], cells["label_en"], *terms):
            if by_term.setdefault(_key(term), code) != code:
                raise BadDeclaration(f"{where}: {term!r} already means {by_term[_key(term)]!r}")
        by_code[code] = Code(code, cells["label_zh"], cells["label_en"], terms, cells.get("parent") or None)
    for (line, _), row in zip(lines, by_code.values(), strict=True):
        if row.parent is not None and (row.parent not in by_code or row.parent == row.code):
            raise BadDeclaration(f"{path.name}:{line}: parent {row.parent!r} is not another code of this table")
    return CodeTable(path.stem, tuple(by_code.values()), by_term, by_code)


def load_codes(folder: Path) -> Mapping[str, CodeTable]:
    """Every code table of the folder by name. Raises BadDeclaration when there is none or one is wrong."""
    tables = {path.stem: read_table(path) for path in sorted(folder.glob("*.csv")) if path.name not in ELSEWHERE}
    if not tables:
        raise BadDeclaration(f"{folder}: holds no code table; expected files such as lists.csv")
    return tables
