"""Whom to call about an institution, by region: datasets/codes/hotlines.csv, to which an operator adds the lines that an authority has published.

It is said on pages and makes no row of a release. A number is taken from a document of the authority, which the file names, and never guessed: a region
without one of its own has those of the regions above it. The national one answers everywhere.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from .codes import read_csv
from .declarations import Words
from .errors import BadDeclaration

FILE = "hotlines.csv"
COLUMNS = ("region_code", "number", "name_zh", "name_en", "note_zh", "note_en", "source")
_NUMBER = re.compile(r"\+?[0-9](?:[0-9 -]{1,18}[0-9])")


@dataclass(frozen=True)
class Hotline:
    """A line of a region and of all that lies in it; `source` is the document that names the number."""

    region_code: str
    number: str
    name: Words
    note: Words
    source: str


def load_hotlines(path: Path, regions: Collection[str] | None = None) -> tuple[Hotline, ...]:
    """The lines in `path`, none where there is no such file. Raises BadDeclaration naming file and line, also for a region that is none of `regions`."""
    if not path.is_file():
        return ()
    found = []
    for line, cells in read_csv(path, COLUMNS):
        where = f"{path.name}:{line}"
        if not _NUMBER.fullmatch(cells["number"]):
            raise BadDeclaration(f"{where}: number {cells['number']!r} is no telephone number; expected digits, spaces and hyphens")
        if regions is not None and cells["region_code"] not in regions:
            raise BadDeclaration(f"{where}: region_code {cells['region_code']!r} is not a code of regions.csv")
        if empty := next((name for name in ("name_zh", "name_en", "source") if not cells[name].strip()), None):
            raise BadDeclaration(f"{where}: {empty} is empty; expected a name in both languages and the document that names the number")
        name, note = Words(cells["name_zh"], cells["name_en"]), Words(cells["note_zh"], cells["note_en"])
        found.append(Hotline(cells["region_code"], cells["number"], name, note, cells["source"]))
    return tuple(found)


def hotlines_of(hotlines: Sequence[Hotline], places: Sequence[str]) -> list[Hotline]:
    """The lines of these regions, in the order of the regions."""
    return [line for place in places for line in hotlines if line.region_code == place]
