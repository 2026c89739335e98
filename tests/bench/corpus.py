"""Institutions to search among, each with the parts of its name: the reference platform's at any size, and real names where they are at hand.

A part (place, brand, trade, form) is known of a platform's name because the platform says what it was put together from; a real school's is read from its
shape; of other organisations only the whole name is known. Readings of place names come from the table of regions and those of brands from the
platform's own list, so that queries in pinyin are not made by the library that may answer them. Nothing here knows how a search works.
"""

import csv
import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import Any

from pypinyin import Style, lazy_pinyin, pinyin

from publish.catalogue import load
from publish.errors import Mingbai
from publish.platform.counties import NO_CITY, Region, regions_from
from publish.platform.identities import number_of
from publish.platform.words import BRAND, BRAND_END
from publish.platform.world import new_world
from publish.values import credit_code, permit_no
from search import Document, simple

ROOT = Path(__file__).resolve().parents[2]
REGIONS = ROOT / "datasets" / "codes" / "regions.csv"
TODAY = date(2026, 11, 1)
DAY = 60  # of the platform: by then a tenth has changed its name or address
REAL = 4  # at most every fourth institution is a real one
SEED = 5
PLATFORM, SCHOOLS, ORGANISATIONS = "platform", "schools", "organisations"
SOURCES = (PLATFORM, SCHOOLS, ORGANISATIONS)
_SCHOOL = re.compile(r"(?:\w+公司附設)?((?:[臺台新南高基彰桃苗嘉宜花屏雲澎金連]\w[縣市])?(?:私立|市立)?)(\w{2,6}?)((?:文理|技藝|語文|美語|英語|音樂|美術|舞蹈|珠心算|數學|圍棋|電腦|資訊|外語|會話|國語文|日語)+)(短期補習班)")  # fmt: skip
_TOWN = re.compile(r"^\d{0,5}(?:\w{2}[縣市])?([^\W\d]{1,3}?[市鄉鎮區])")
_READ = {word[0]: word[1:] for word in chain(BRAND, BRAND_END)}


@dataclass(frozen=True, slots=True)
class Institution:
    """One that can be found. `place`, `brand`, `trade` and `form` are pieces of its name in this order, "" where it has none or nobody knows."""

    id: str
    source: str
    name: str
    place: str = ""
    brand: str = ""
    trade: str = ""
    form: str = ""
    province: str = ""
    city: str = ""
    county: str = ""
    region_code: str = ""
    region_text: str = ""
    addresses: tuple[str, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()  # (name, kind)
    code: str = ""
    permit: str = ""  # as the release has it
    classes: tuple[str, ...] = ()
    content: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *(name for name, _ in self.aliases))

    def document(self, rank: int) -> Document:
        """What publish/index.py hands over of it; facets are of the same names and as many values, which the search does not look into."""
        fields = {
            "name": self.name,
            "region_text": self.region_text,
            "address": self.addresses[0] if self.addresses else "",
            "institution_aliases.name": "\n".join(name for name, _ in self.aliases),
            "institution_sites.address": "\n".join(self.addresses),
            "institution_classes.content": self.content,
        }
        facets: dict[str, str | tuple[str, ...]] = {
            "province": f"{self.region_code[:2]}0000" if self.region_code else "",
            "city": f"{self.region_code[:4]}00" if self.region_code else "",
            "county": self.region_code,
            "class": self.classes,
            "list": ("white",),
            "permit": ("valid" if self.permit else "none",),
            "supervision": ("bank",),
        }
        identifiers = (*([self.code] if self.code else []), *([self.permit] if self.permit else []))
        return Document(
            self.id,
            "institution",
            self.name,
            {name: text for name, text in fields.items() if text},
            identifiers,
            rank,
            {name: value for name, value in facets.items() if value},
        )


def weights() -> dict[str, float]:
    """How much each field of an institution weighs: by the declarations."""
    tables = load().tables
    ours = [table for table in tables.values() if "institutions" in (table.parent, table.name)]
    return {
        column.name if table.parent is None else f"{table.name}.{column.name}": float(column.search)
        for table in ours
        for column in table.published
        if column.search
    }


def corpus(size: int, real: Path | None = None, seed: int = SEED, day: int = DAY) -> list[Institution]:
    """So many institutions, in the order of their ids: real ones, at most one of four, and the platform's. The same for the same arguments."""
    found = real_ones(real) if real and real.is_dir() else []
    found = sorted(found, key=lambda one: digest(one.id))[: size // REAL]
    return sorted([*found, *platform(size - len(found), seed, day)], key=lambda one: one.id)


def digest(text: str) -> str:
    """A name for a text that tells nothing of it and lies anywhere among others."""
    return blake2b(text.encode(), digest_size=10).hexdigest()


def platform(size: int, seed: int, day: int) -> Iterator[Institution]:
    """The institutions of a platform that `mingbai platform` would serve."""
    regions = regions_from(REGIONS, TODAY)
    world = new_world(size, seed=seed, day=day, regions=regions)
    known: dict[str, Region] = {region[0]: region for region in regions}
    for start in range(0, size, 1000):
        for record in world.records("institutions", "all", start, min(start + 1000, size)):
            who = world.register.identity(number_of(record["orgId"]))
            name, (code, county, province, city) = record["orgName"], known[who.county.code]
            # A renamed one has another brand, of two characters, in the same place.
            cut = len(who.name) - len(who.brand)
            before = who.name.index(who.brand)
            brand = name[before : before + len(name) - cut]
            form = name[before + len(brand) :].partition(who.trade[0])[2]
            yield Institution(
                id=f"o-{digest(record['orgId'])}",
                source=PLATFORM,
                name=name,
                place=who.name[:before],
                brand=brand,
                trade=who.trade[0],
                form=form,
                province=province,
                city=who.county.city if city in NO_CITY else city,
                county=county,
                region_code=code,
                region_text=record["areaName"],
                addresses=tuple(dict.fromkeys([record["address"], *(site["address"] for site in record["sites"])])),
                aliases=tuple((alias["name"], alias["kind"]) for alias in record["aliases"]),
                code=_good(credit_code, record["creditCode"]),
                permit=_good(permit_no, record["permits"][0]["permitNo"]) if record["permits"] else "",
                classes=tuple(part["code"] for part in record["classes"]),
                content="\n".join(part["content"] for part in record["classes"]),
            )


def _good(kind: Any, raw: str) -> str:
    try:
        return kind(raw) or ""
    except Mingbai:
        return ""


def real_ones(folder: Path) -> list[Institution]:
    """Schools of a register, in Traditional characters, and organisations of a dictionary."""
    found = []
    newest = max(folder.glob("register/registry_*.csv.gz"), default=None)
    if newest:
        with gzip.open(newest, "rt", encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                if "&" not in row["name"]:
                    found.append(_school(row))
    dictionary = folder / "hanlp_org_dict_32k.txt"
    if dictionary.exists():
        names = dict.fromkeys(line.rsplit(" ", 2)[0] for line in dictionary.read_text("utf-8").splitlines())
        found += [Institution(f"o-{digest(f'organisation {name}')}", ORGANISATIONS, name) for name in names if len(name) > 3]
    return list({one.id: one for one in found}.values())


def _school(row: dict[str, str]) -> Institution:
    shape, town = _SCHOOL.fullmatch(row["name"]), _TOWN.match(row["address"].strip())
    place, brand, trade, form = shape.groups() if shape else ("", "", "", "")
    county = town[1] if town else ""
    return Institution(
        id="o-" + digest(f"school {row['county']} {row['code']}"),
        source=SCHOOLS,
        name=row["name"],
        place=place,
        brand=brand,
        trade=trade,
        form=form,
        city=row["county"],
        county=county if county != row["county"] else "",
        region_text=f"{row['county']}{county if county != row['county'] else ''}",
        addresses=(row["address"],) if row["address"] else (),
        permit=_good(permit_no, row["licence_no"]),
    )


_KINDS = {"省": "sheng", "市": "shi", "区": "qu", "县": "xian"}


@cache
def _latin() -> dict[str, str]:
    """The letters of each region by the table, which leaves out what kind of region it is; under its name with that and without."""
    with REGIONS.open(encoding="utf-8-sig", newline="") as lines:
        rows = [(row["name_zh"], re.sub(r"[^a-z]", "", row["name_en"].lower())) for row in csv.DictReader(lines)]
    found = {}
    for name, latin in rows:
        if len(name) > 2 and name[-1] in _KINDS:
            stem = latin.removesuffix(_KINDS[name[-1]]) if len(name) == 3 else latin
            found.update({name: latin + _KINDS[name[-1]], name[:-1]: stem})
        elif name[-1:] in _KINDS:
            found[name] = latin  # of two characters, where the kind is a part of the name: Shan Xian
    return found


@cache
def _of_table(name: str) -> tuple[str, ...]:
    """The table's reading of a place, by character. Nothing where it has none, or letters that are no reading: 呼和浩特 Hohhot."""
    ways: dict[str, tuple[str, ...]] = {_latin().get(name, ""): ()}
    for readings in pinyin(list(name), style=Style.NORMAL, heteronym=True):
        ways = {
            rest[len(reading) :]: (*done, reading) for rest, done in ways.items() for reading in set(readings) if rest.startswith(reading)
        }
    return ways.get("", ())


def syllables(one: Institution, name: str) -> tuple[str, ...]:
    """How a name of the institution is read, by character where it is Chinese; a Latin word or number is one."""
    if one.source != PLATFORM:
        return tuple(lazy_pinyin("".join(map(simple, name))))
    place = next((name[:size] for size in range(min(len(name), len(one.place)), 1, -1) if name[:size] == one.place[:size]), "")
    return (*_read_place(place), *_read_rest(name[len(place) :], one.trade))


@cache
def _read_place(place: str) -> tuple[str, ...]:
    """A city and a county, or one of them: as the table reads each, and by the library what it does not have."""
    if not place or _of_table(place):
        return _of_table(place) if place else ()
    cuts = [(place[:size], place[size:]) for size in range(2, len(place) - 1)]
    for city, county in sorted(cuts, key=lambda cut: -bool(_of_table(cut[0])) - bool(_of_table(cut[1]))):
        if _of_table(city) or _of_table(county):
            return (*(_of_table(city) or _by_library(city)), *(_of_table(county) or _by_library(county)))
        break
    return _by_library(place)


def _read_rest(text: str, trade: str) -> tuple[str, ...]:
    brand, found, rest = text.partition(trade) if trade else (text, "", "")
    if all(character in _READ for character in brand):
        return (*(_READ[character] for character in brand), *_by_library(found + rest))
    return _by_library(text)


@cache
def _by_library(text: str) -> tuple[str, ...]:
    return tuple(lazy_pinyin(text)) if text else ()
