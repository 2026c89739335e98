"""The counties that a world is in: from the table of regions, or a few that are built in when nobody hands a table over.

A small world lies in few cities, so that a county has some dozens of institutions as a real one has, and not one each.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random

from .draws import Draw

Region = tuple[str, str, str, str]  # code, name, name of the province, name of the city

PER_COUNTY = 40  # institutions, in a world that has fewer than fill all counties
NO_CITY = {"", "市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划"}  # rows that group counties and are no place

FEW: tuple[Region, ...] = tuple(
    (f"{first + place:06d}", name, province, city)
    for first, province, city, names in (
        (110101, "北京市", "市辖区", ("东城区", "西城区")),
        (310104, "上海市", "市辖区", ("徐汇区", "长宁区", "静安区", "普陀区")),
        (320102, "江苏省", "南京市", ("玄武区",)),
        (320104, "江苏省", "南京市", ("秦淮区", "建邺区", "鼓楼区")),
        (330102, "浙江省", "杭州市", ("上城区",)),
        (330105, "浙江省", "杭州市", ("拱墅区", "西湖区")),
        (330108, "浙江省", "杭州市", ("滨江区", "萧山区", "余杭区", "富阳区")),
        (420102, "湖北省", "武汉市", ("江岸区", "江汉区", "硚口区", "汉阳区", "武昌区")),
        (440103, "广东省", "广州市", ("荔湾区", "越秀区", "海珠区", "天河区")),
        (510104, "四川省", "成都市", ("锦江区", "青羊区", "金牛区", "武侯区", "成华区")),
        (610102, "陕西省", "西安市", ("新城区", "碑林区", "莲湖区")),
    )
    for place, name in enumerate(names)
)


@dataclass(frozen=True, slots=True)
class County:
    """A county with the ways in which names and addresses spell it."""

    code: str
    name: str
    city: str  # as names begin: 杭州市, or the province where no city stands between
    full: str  # 浙江省杭州市西湖区
    short: str  # the city without its last character, as companies' names begin: 杭州
    office: str  # whose offices are here: 杭州市西湖区
    places: tuple[str, ...]  # what names of institutions begin with

    @classmethod
    def of(cls, region: Region) -> "County":
        code, name, province, city = region
        city = province if city in NO_CITY else city
        full = f"{province}{city}{name}" if city != province else f"{province}{name}"
        short = city.removesuffix("市") if len(city) > 2 else city
        office = f"{city}{name}"
        return cls(code, name, city, full, short, office, (office, office, office, short, name, city))


class Counties:
    """The counties of a world of this size; larger ones come up more often."""

    def __init__(self, regions: Sequence[Region], institutions: int, seed: int) -> None:
        wanted = min(len(regions), max(8, institutions // PER_COUNTY))
        cities: dict[tuple[str, str], list[Region]] = {}
        for region in sorted(regions):
            cities.setdefault((region[2], region[3]), []).append(region)
        order = list(cities.values())
        chance = Random(seed)
        chance.shuffle(order)
        self.all = tuple(County.of(region) for city in order for region in city)[:wanted]
        shares = [chance.lognormvariate(0, 0.7) for _ in self.all]
        self._wheel = tuple(county for county, share in zip(self.all, shares, strict=True) for _ in range(max(1, round(share * 8))))

    def of(self, draw: Draw) -> County:
        """The county of a record with this draw: by its numbers 0 and 1."""
        return self._wheel[(draw[0] << 16 | draw[1]) * len(self._wheel) >> 32]


def regions_from(table: Path, on: date) -> tuple[Region, ...]:
    """The counties of a table of regions (columns code, valid_from, valid_until, name_zh, level, parent_code) that are valid on a day."""
    with table.open(encoding="utf-8-sig", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if _is_valid(row, on.isoformat())]
    names = {row["code"]: row["name_zh"] for row in rows}
    return tuple(
        (row["code"], row["name_zh"], names.get(f"{row['code'][:2]}0000", ""), names.get(f"{row['code'][:4]}00", ""))
        for row in rows
        if row["level"] == "county"
    )


def _is_valid(row: dict[str, str], day: str) -> bool:
    return (row.get("valid_from") or "") <= day and (not row.get("valid_until") or row["valid_until"] > day)


def regions_of(found: Iterable[Region] | None) -> tuple[Region, ...]:
    """These regions, or the few that are built in."""
    return tuple(found or ()) or FEW
