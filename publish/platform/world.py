"""A platform's whole content, on one day, made from a seed: nothing is stored, any page is computed when it is asked for.

A listing is a row of parts, and a part a row of places: the register is one part, ratings have one a month. A place keeps its record
for ever; what vanished leaves its place empty, what is new stands at the end of its part. So the page that begins at a place holds
the same records tomorrow, but for those that changed, and pages never reach over the end of a part.

Two worlds of the same arguments are the same, in every process; two days of one world differ by what happened between them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

import orjson

from .counties import Counties, Region, regions_of
from .institutions import DAY_ZERO, Institutions
from .listed import Listed
from .notices import Notices
from .ratings import Ratings
from .words import DIMENSIONS

LISTINGS = ("institutions", "listings", "notices", "ratings")
NAME = "全国校外教育培训监管与服务综合平台（开发用参考平台，数据均为虚构）"

Records = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a listing that pages do not reach over: so many places, filled or empty."""

    name: str
    places: int


@dataclass(frozen=True)
class World:
    """What the platform shows on one day. `on_day` gives the same world at another time."""

    label: str  # the arguments that it was made from
    day: int
    register: Institutions
    listed: Listed
    notices: Notices
    ratings: Ratings

    @property
    def today(self) -> date:
        return DAY_ZERO + timedelta(days=self.day)

    @property
    def token(self) -> str:
        """The snapshot: the same for every server of the same world and day."""
        return f"s{self.today:%Y%m%d}-{sha256(self.label.encode()).hexdigest()[:12]}"

    def on_day(self, day: int) -> "World":
        if day < 0:
            raise ValueError(f"day {day} is before the world begins; the first day is 0")
        return replace(self, day=day)

    def as_of(self, listing: str) -> str:
        """The day that a listing is of: today; for ratings the end of the last closed month."""
        return (self.today.replace(day=1) - timedelta(days=1) if listing == "ratings" else self.today).isoformat()

    def parts(self, listing: str) -> tuple[Part, ...]:
        """The parts of a listing, in order."""
        if listing == "institutions":
            return (Part("all", self.register.end(self.day)),)
        if listing == "listings":
            return Part("first", self.register.end(self.day)), Part("second", self.listed.second_size())
        if listing == "notices":
            return (Part("all", self.notices.end(self.day)),)
        each = len(self.ratings.dimensions)
        return tuple(Part(month, self.ratings.size(month) * each) for month in self.ratings.closed_months(self.day))

    def total(self, listing: str) -> int:
        """How many records the listing has."""
        if listing == "institutions":
            return self.register.total(self.day)
        if listing == "listings":
            return self.listed.total(self.day)
        if listing == "notices":
            return self.notices.total(self.day)
        return sum(self.ratings.total(month) for month in self.ratings.closed_months(self.day))

    def records(self, listing: str, part: str, start: int, stop: int) -> Records:
        """The records at the places from start to before stop of a part, in order; fewer than places where some are empty."""
        if listing == "ratings":
            return self.ratings.records(part, start, stop)
        places = self._places(listing, part, start, stop)
        if listing == "institutions":
            return [self.register.record(number, self.day) for number in places if self.register.is_there(number, self.day)]
        if listing == "notices":
            return [record for number in places if (record := self.notices.record(number, self.day))]
        if part == "first":
            return [record for number in places if (record := self.listed.first(number, self.day))]
        return [self.listed.second(number, self.day) for number in places]

    def body(self, listing: str, part: str, start: int, stop: int) -> tuple[bytes, int]:
        """The same as a JSON list, and how many they are."""
        if listing == "ratings":
            return self.ratings.body(part, start, stop)
        records = self.records(listing, part, start, stop)
        return orjson.dumps(records), len(records)

    def state(self, listing: str, part: str, start: int, stop: int) -> str:
        """What has become of the records at these places by this day: where it is the same on two days, they are. Months that are closed stay as they are."""
        places = self._places(listing, part, start, stop)
        if listing == "ratings":
            return str(len(places))
        if listing == "notices":
            return " ".join(self.notices.fate(number, self.day) or "-" for number in places)
        if listing == "listings":
            return " ".join(str(self.listed.changes(part, number, self.day)) for number in places)
        return " ".join(str(self.register.changes(number, self.day)) for number in places)

    def _places(self, listing: str, part: str, start: int, stop: int) -> range:
        return range(start, min(stop, next(known.places for known in self.parts(listing) if known.name == part)))

    def county_of(self, record: dict[str, Any]) -> str:
        """The county code of any record of the world."""
        return str(record["areaCode"]) if "areaCode" in record else self.register.area_of(record["orgId"])


def new_world(
    institutions: int = 3000,
    seed: int = 1,
    day: int = 0,
    months: int = 24,
    dimensions: int = 1,
    notices: int | None = None,
    regions: Sequence[Region] | None = None,
) -> World:
    """A world of this size on this day. `notices` are a tenth of the institutions if nobody says; `regions` are (code, name, province, city).

    Raises ValueError for a size that cannot be.
    """
    if institutions < 1 or months < 0 or day < 0 or (notices or 0) < 0:
        raise ValueError("a world has at least one institution, and no number of it is below nought")
    if not 1 <= dimensions <= len(DIMENSIONS):
        raise ValueError(f"ratings have 1 to {len(DIMENSIONS)} dimensions, not {dimensions}")
    known = regions_of(regions)
    notices = institutions // 10 if notices is None else notices
    register = Institutions(institutions, seed, Counties(known, institutions, seed))
    about = Notices(register, notices, seed)
    label = f"{institutions} {seed} {months} {dimensions} {notices} {sha256(repr(sorted(known)).encode()).hexdigest()}"
    return World(label, day, register, Listed(register, about, seed), about, Ratings(register, months, dimensions, seed))
