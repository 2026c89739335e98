"""Regions: codes of administrative divisions (GB/T 2260) with their validity and successors, and names resolved to them at a day.

A code is right for a time. The table knows years, not days (the official lists are of the end of a year), so in the year of a change both
the old and the new code count as valid; a name then means the newer. A code that has ended leads to its successor where there is
exactly one; where a county was split the old region is kept: a guess would put an institution into the wrong county. Zones that have an
education bureau and no national code are declared by a source (`LocalRegion`). It knows no institution and no database.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from .cleaning import bad, clean, written
from .codes import read_csv
from .errors import BadDeclaration, BadValue

COUNTRY = "000000"
LEVELS = ("country", "province", "city", "county")
COLUMNS = ("code", "valid_from", "valid_until", "name_zh", "name_en", "level", "parent_code", "successor_codes")
_GB = re.compile(r"[0-9]{6}")
_LOCAL = re.compile(r"[0-9]{6}L[0-9]{2}")
_GIVEN = re.compile(r"([0-9]{6})(?:[0-9]{3}|[0-9]{6})?|([0-9]{6}L[0-9]{2})")
_YEAR = re.compile(r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?")
_BETWEEN = re.compile(r"[\s,，、·>/|\-—]")
_LATEST = "9999-12-31"
LONGEST = 200  # characters of a code or name
# Levels that lists put between a place and its parts and that are no place.
_FILLERS = ("省直辖县级行政区划", "自治区直辖县级行政区划", "省直辖县级行政单位", "自治区直辖县级行政单位", "市辖区")
_PEOPLES = (
    "壮|回|维吾尔|哈萨克|蒙古|藏|羌|苗|侗|瑶|土家|彝|傣|白|哈尼|景颇|傈僳|拉祜|佤|纳西|布依|仡佬|水|土|撒拉|柯尔克孜|朝鲜|满|达斡尔|鄂温克|鄂伦春|锡伯|塔吉克|畲|黎|"
    "毛南|仫佬|各|布朗|普米|怒|独龙|阿昌|德昂|保安|东乡|裕固|京|乌孜别克|俄罗斯|塔塔尔|门巴|珞巴|基诺|高山|赫哲"
)
_AUTONOMOUS = re.compile(rf"(.{{2,}}?)(?:(?:{_PEOPLES})族?)+自治([州县旗区])")
_SUFFIX = re.compile(r"(.{2,}?)(?:特别行政区|新区|自治区|自治州|自治县|自治旗|行政委员会|地区|林区|特区|省|市|区|县|旗|盟)")


@dataclass(frozen=True)
class Region:
    """One region for as long as it had this code and name; its fields are the columns of the table `regions`. `valid_until` is when it ended."""

    code: str
    valid_from: str
    valid_until: str | None
    name_zh: str
    name_en: str
    level: str
    parent_code: str | None
    successor_codes: str | None

    @property
    def successors(self) -> tuple[str, ...]:
        return tuple((self.successor_codes or "").split())

    def is_valid(self, day: str) -> bool:
        """Whether it existed at `day`, which may be a month or a year."""
        since, until = self.valid_from, self.valid_until
        return since[: len(day)] <= day[: len(since)] and (until is None or day[: len(until)] <= until[: len(day)])


@dataclass(frozen=True)
class LocalRegion:
    """A zone with a bureau of its own and no national code; its code is its parent's, L and two digits: 320500L01."""

    code: str
    name: str
    parent: str


def _short_forms(name: str) -> Iterator[str]:
    """How a name is shortened: 杭州 for 杭州市; 恩施, 恩施州 for 恩施土家族苗族自治州."""
    if parts := _AUTONOMOUS.fullmatch(name):
        yield parts[1]
        yield parts[1] + parts[2]
    elif parts := _SUFFIX.fullmatch(name):
        yield parts[1]


def short_form(name: str) -> str:
    """How a name is shortened most: 新疆 for 新疆维吾尔自治区; itself where it is not."""
    return next(_short_forms(name), name)


def _spelled(name: str) -> str:
    """A name as it is compared."""
    return _BETWEEN.sub("", name.replace("臺", "台"))


class Regions:
    """The table, and what is asked of it. Make one by `load`."""

    def __init__(self, rows: Iterable[Region]) -> None:
        self._rows = tuple(rows)
        self._by_code: dict[str, list[Region]] = {}
        for row in self._rows:
            self._by_code.setdefault(row.code, []).append(row)

    @cached_property
    def _named(self) -> dict[str, list[tuple[Region, bool]]]:
        """Name or short form: (region, whether it is the full name). Most commands ask for no name, and wait 0.05 s less."""
        found: dict[str, list[tuple[Region, bool]]] = {}
        for row in self._rows:
            name = _spelled(row.name_zh)
            found.setdefault(name, []).append((row, True))
            for short in set(_short_forms(name)) - {name}:
                found.setdefault(short, []).append((row, False))
        return found

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self._named), default=0)

    @classmethod
    def load(cls, path: Path, local: Iterable[LocalRegion] = ()) -> "Regions":
        """The regions of a CSV file and the local ones. Raises BadDeclaration naming file and line, or the local region."""
        rows = [_row(path.name, line, cells) for line, cells in read_csv(path, COLUMNS)]
        codes = {row.code for row in rows}
        seen: set[tuple[str, str]] = set()
        for line, row in enumerate(rows, 2):
            if (row.code, row.valid_from) in seen:
                raise BadDeclaration(f"{path.name}:{line}: {row.code} from {row.valid_from} is given twice")
            seen.add((row.code, row.valid_from))
            for code in (*([row.parent_code] if row.parent_code else []), *row.successors):
                if code not in codes:
                    raise BadDeclaration(f"{path.name}:{line}: {code!r} is not a code of this table")
        known = {row.code: row for row in rows}
        for zone in local:
            if not _LOCAL.fullmatch(zone.code) or zone.code[:6] != zone.parent or zone.parent not in known or not zone.name.strip():
                raise BadDeclaration(
                    f"local region {zone.code} ({zone.name}): expected a code such as 320500L01, a name, and as parent the region of its first six digits"
                )
            level = LEVELS[min(LEVELS.index(known[zone.parent].level) + 1, len(LEVELS) - 1)]
            twin = next((row for row in rows if row.code == zone.code), None)
            if twin is not None and twin.name_zh != zone.name:
                raise BadDeclaration(f"local region {zone.code}: is both {twin.name_zh} and {zone.name}")
            if twin is None:
                rows.append(Region(zone.code, "1980", None, zone.name, zone.name, level, zone.parent, None))
        return cls(sorted(rows, key=lambda row: (row.code, row.valid_from)))

    def rows(self) -> tuple[Region, ...]:
        """All, by code and time."""
        return self._rows

    @cached_property
    def _parents(self) -> frozenset[str]:
        return frozenset(row.parent_code for row in self._rows if row.parent_code)

    def county_codes(self) -> set[str]:
        """Codes of regions that have none below them: counties, and cities without counties (东莞)."""
        return {row.code for row in self._rows if row.level == "county" or (row.level == "city" and row.code not in self._parents)}

    def at(self, code: str, day: str | None = None) -> Region | None:
        """The region that had this code at `day` (default: the latest), or None."""
        return next((row for row in reversed(self._by_code.get(code, ())) if day is None or row.is_valid(day)), None)

    def successors(self, code: str) -> tuple[Region, ...]:
        """What took its place, followed to regions that still exist; empty for one that exists or has none."""
        row = self.at(code)
        return () if row is None or row.valid_until is None else tuple(self._heirs(row))

    def _heirs(self, row: Region, day: str = _LATEST) -> list[Region]:
        heirs: dict[str, Region] = {}
        pending, met = [row], {row}
        while pending:
            ended = pending.pop()
            for code in ended.successors:
                later = [heir for heir in self._by_code[code] if heir not in met and heir.valid_from >= (ended.valid_until or "")[:4]]
                current = self.at(code, ended.valid_until)
                heir = later[0] if later else current
                if heir is None or heir in met:
                    continue
                met.add(heir)
                if heir.is_valid(day):
                    heirs[heir.code] = heir
                else:
                    pending.append(heir)
        return [heirs[code] for code in sorted(heirs)]

    def ancestors(self, code: str, day: str | None = None) -> tuple[Region, ...]:
        """The regions above, from the province down; without the country and without itself."""
        above: list[Region] = []
        row = self.at(code, day) or self.at(code)
        while row is not None and row.parent_code and row.parent_code != COUNTRY:
            row = self._beside(row.parent_code, row, day)
            if row is not None:
                above.append(row)
        return tuple(reversed(above))

    def _beside(self, code: str, child: Region, day: str | None) -> Region | None:
        """The parent as it was called at `day`, else when the child ended."""
        if day is not None and (found := self.at(code, day)) and child.is_valid(day):
            return found
        return self.at(code, child.valid_until) or self.at(code)

    def name(self, code: str, day: str | None = None) -> str:
        """The full name: 浙江省杭州市西湖区. Raises KeyError for an unknown code."""
        row = self.at(code, day) or self.at(code)
        if row is None:
            raise KeyError(code)
        return "".join(above.name_zh for above in (*self.ancestors(code, day), row))

    def is_within(self, code: str, above: str) -> bool:
        """Whether a region is another or lies in it."""
        return above in (COUNTRY, code) or any(row.code == above for row in self.ancestors(code))

    def resolve(self, raw: object, day: str | None = None, within: str | None = None) -> Region:
        """The region that a code (6, 9 or 12 digits, or a local one) or a name (full or partial, within a parent) means at `day`.

        An ended one gives its successor where that is unique, else itself. Raises BadValue for an unknown name or code, and for a name
        that means several, with the candidates.
        """
        given = unicodedata.normalize("NFKC", clean(written(raw, "a region's code or name", LONGEST))).strip().upper()
        if parts := _GIVEN.fullmatch(given):
            found = self._by_number(parts[1] or parts[2], day)
            if found is None:
                raise bad(raw, "a code of regions.csv, or a local region declared by the source")
            return found
        scope = within if within and within != COUNTRY else None
        found_at = self._by_name(_spelled(given), day or _LATEST, scope)
        if len(found_at) == 1:
            return found_at[0]
        if not found_at:
            raise bad(raw, f"the name of a region{f' in {self.name(scope, day)}' if scope else ''}, or its code")
        candidates = ", ".join(f"{self.name(row.code, row.valid_from)} ({row.code})" for row in found_at[:5])
        raise BadValue(f"{bad(raw, 'one region')}; it could be {candidates}{' and others' if len(found_at) > 5 else ''}")

    def meanings(self, raw: str) -> tuple[Region, ...]:
        """Every region that a code or name may mean today: 鼓楼区 is four. None for what is the code or name of none."""
        given = unicodedata.normalize("NFKC", raw).strip().upper()
        if parts := _GIVEN.fullmatch(given):
            found = self._by_number(parts[1] or parts[2], None)
            return (found,) if found else ()
        return tuple(self._by_name(_spelled(given), _LATEST, None)) if len(given) <= LONGEST else ()

    def _by_number(self, code: str, day: str | None) -> Region | None:
        rows = self._by_code.get(code)
        if rows is None:
            # 110100 and 110200 group the parts of a municipality, 320101 those of a city, 419000 a province's own counties: no places.
            if _GB.fullmatch(code) and code[2:] in ("0100", "0200", "9000"):
                return self.at(code[:2] + "0000", day)
            return self.at(code[:4] + "00", day) if code.endswith("01") and code[2:4] != "00" else None
        valid = self.at(code, day)
        if valid is not None and (valid.valid_until is None or day is not None):
            return valid
        if day is not None and day[:4] < rows[0].valid_from[:4]:
            return rows[0]  # a source may use a code before the official list has it
        return self._heir_or_self(rows[-1], day or _LATEST)

    def _heir_or_self(self, row: Region, day: str) -> Region:
        heirs = self._heirs(row, day)
        return heirs[0] if len(heirs) == 1 else row

    def _by_name(self, spelled: str, day: str, within: str | None) -> list[Region]:
        """The regions that a spelling means, best reading first: at that day before ended ones, whole names before short ones."""
        found: dict[Region, bool] = {}
        for row, whole in self._readings(spelled, None, 0):
            if within is None or self.is_within(row.code, within):
                found[row] = found.get(row, False) or whole
        rows = [row for row in found if row.is_valid(day)] or list(found)
        return self._narrowed([row for row in rows if found[row]] or rows, day)

    def _narrowed(self, rows: list[Region], day: str) -> list[Region]:
        by_code = {row.code: row for row in sorted((self._now(row, day) for row in rows), key=lambda row: (row.code, row.valid_from))}
        heirs = {code for row in by_code.values() if row.valid_until is not None for code in row.successors if code != row.code}
        left = [row for row in by_code.values() if row.valid_until is None or not heirs & by_code.keys() & set(row.successors)]
        above = [row for row in left if all(other is row or self.is_within(other.code, row.code) for other in left)]
        return above if len(above) == 1 else left  # 湘潭 is the city; its county has the same short name

    def _now(self, row: Region, day: str) -> Region:
        return row if row.is_valid(day) else self._heir_or_self(row, day)

    def _readings(self, spelled: str, scope: str | None, depth: int) -> Iterator[tuple[Region, bool]]:
        """Every way to read a spelling as a region, or as a region and one inside it, and so on: the last one, and whether all names are whole."""
        for length in range(min(len(spelled), self._longest), 1, -1):
            rest = spelled[length:]
            for row, whole in self._named.get(spelled[:length], ()):
                if scope is not None and (row.code == scope or not self.is_within(row.code, scope)):
                    continue
                bare = next((rest[len(filler) :] for filler in (*_FILLERS, row.name_zh) if rest.startswith(filler)), rest)
                if not rest or rest == row.name_zh:
                    yield row, whole
                elif depth < 3:
                    for last, is_whole in self._readings(bare, row.code, depth + 1):
                        yield last, whole and is_whole


def _row(file: str, line: int, cells: dict[str, str]) -> Region:
    where = f"{file}:{line}"
    if not _GB.fullmatch(cells["code"]):
        raise BadDeclaration(f"{where}: code {cells['code']!r} is not six digits")
    if not _YEAR.fullmatch(cells["valid_from"]) or (cells["valid_until"] and not _YEAR.fullmatch(cells["valid_until"])):
        raise BadDeclaration(f"{where}: {cells['valid_from']!r} to {cells['valid_until']!r} is not a time such as 2015 or 2015-07-01")
    if cells["valid_until"] and cells["valid_until"] < cells["valid_from"]:
        raise BadDeclaration(f"{where}: ends in {cells['valid_until']}, before it begins")
    if cells["level"] not in LEVELS:
        raise BadDeclaration(f"{where}: level {cells['level']!r} is none of {', '.join(LEVELS)}")
    if not cells["name_zh"] or not cells["name_en"]:
        raise BadDeclaration(f"{where}: {cells['code']} lacks a name; expected both languages")
    if not cells["parent_code"] and cells["level"] != "country":
        raise BadDeclaration(f"{where}: {cells['code']} lacks a parent")
    return Region(
        code=cells["code"], valid_from=cells["valid_from"], valid_until=cells["valid_until"] or None, name_zh=cells["name_zh"], name_en=cells["name_en"],
        level=cells["level"], parent_code=cells["parent_code"] or None, successor_codes=cells["successor_codes"] or None,
    )  # fmt: skip
