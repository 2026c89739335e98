"""What a fault is, and the tools that faults are made with: whom it strikes, and where a source writes what it strikes.

A fault is told in our own words (`institutions.name`), so that the same fault can be done to every source that has such a column.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import orjson

from making import Record

from .clean import Records, copied

Column = list[Any]


@dataclass(frozen=True)
class Spelling:
    """How a source writes things. `columns`: ours to LISTING/FIELD, or LISTING/FIELD.PART where the field holds rows."""

    source: str
    columns: Mapping[str, str]
    keys: Mapping[str, str]
    county: Mapping[str, str]

    def place(self, column: str) -> tuple[str, str, str]:
        """Listing, field and part ('' where the field is plain). Raises KeyError where the source has no such column."""
        listing, _, field = self.columns[column].partition("/")
        field, _, part = field.partition(".")
        return listing, field, part


PLATFORM = Spelling(
    "platform",
    {
        "institutions.id": "institutions/orgId", "institutions.name": "institutions/orgName", "institutions.credit_code": "institutions/creditCode",
        "institutions.region_code": "institutions/areaCode", "institutions.region_text": "institutions/areaName",
        "institutions.registered_address": "institutions/regAddress", "institutions.address": "institutions/address",
        "institutions.organiser": "institutions/organiser", "institutions.organiser_nature": "institutions/organiserNature",
        "institutions.competent_authority": "institutions/department", "institutions.registrar": "institutions/registrar",
        "institutions.status": "institutions/status", "institutions.opened_on": "institutions/openedOn", "institutions.updated_on": "institutions/updatedOn",
        "permits.permit_no": "institutions/permits.permitNo", "permits.valid_until": "institutions/permits.validTo",
        "institution_classes.class_code": "institutions/classes.code", "institution_sites.address": "institutions/sites.address",
        "institution_sites.floor_area_m2": "institutions/sites.floorArea", "fund_supervision.mode": "institutions/fund.mode",
        "listings.institution_id": "listings/orgId", "listings.subject_name": "listings/orgName", "listings.list": "listings/list",
        "listings.authority": "listings/authority", "listings.as_of": "listings/asOf", "listings.valid_until": "listings/validTo",
        "notices.id": "notices/noticeId", "notices.kind": "notices/kind", "notices.title": "notices/title", "notices.subject_name": "notices/subjectName",
        "notices.subject_kind": "notices/subjectType", "notices.subject_credit_code": "notices/creditCode", "notices.region_code": "notices/areaCode",
        "notices.authority": "notices/authority", "notices.document_no": "notices/docNo", "notices.violation_type": "notices/violationType",
        "notices.facts": "notices/facts", "notices.legal_basis": "notices/legalBasis", "notices.penalty_text": "notices/penaltyContent",
        "notices.fine_fen": "notices/fineWan", "notices.decided_on": "notices/decidedOn", "notices.published_on": "notices/publishedOn",
        "notices.public_until": "notices/publicUntil", "notices.seriousness": "notices/seriousness", "notices.state": "notices/state",
        "ratings.institution_id": "ratings/orgId", "ratings.histogram": "ratings/histogram", "ratings.scale_max": "ratings/scaleMax",
    },
    {"institutions": "orgId", "listings": "listingId", "notices": "noticeId"},
    {"institutions": "areaCode", "listings": "areaCode", "notices": "areaCode"},
)  # fmt: skip
REGISTER = Spelling(
    "register",
    {
        "institutions.id": "registry/code", "institutions.name": "registry/name", "institutions.region_code": "registry/county",
        "institutions.address": "registry/address", "institutions.opened_on": "registry/licence_date", "permits.permit_no": "registry/licence_no",
        "notices.subject_name": "violations/name", "notices.region_code": "violations/county", "notices.facts": "violations/violation",
        "notices.penalty_text": "violations/disposition", "notices.decided_on": "violations/issued", "notices.document_no": "violations/doc_no",
        "notices.found_on": "violations/inspected",
    },
    {"institutions": "code"},
    {"registry": "county", "violations": "county"},
)  # fmt: skip


@dataclass(frozen=True)
class Strength:
    """How much of it. `accident`: whether a person who saw it would call it one."""

    label: str
    accident: bool
    value: Any = None


FEW = Strength("3 records", False, 3)
COUNTY = Strength("one county", True, "county")
THIRD = Strength("a third of a county", True, "third")
TENTH = Strength("a tenth", True, 0.1)
ALL = Strength("all", True, 1.0)


@dataclass
class Delivery:
    """A delivery that is about to be damaged: a copy of the records, and what came before (by age in days)."""

    records: Records
    spelling: Spelling
    past: Mapping[int, Records]
    chance: Random
    page: int = 100

    def county_of(self, listing: str, record: Record) -> str:
        """The county that a record is of."""
        if listing in self.spelling.county:
            return str(record[self.spelling.county[listing]])
        return self._counties_by_key.get(record["orgId"], "")

    @property
    def _counties_by_key(self) -> dict[str, str]:
        return {record["orgId"]: record["areaCode"] for record in self.records["institutions"]}

    def counties(self) -> list[str]:
        """The counties that have institutions, the largest first."""
        listing = self.spelling.place("institutions.name")[0]
        sizes = Counter(self.county_of(listing, record) for record in self.records[listing])
        return sorted(sizes, key=lambda county: (-sizes[county], county))

    def county(self) -> str:
        """The county of middle size: what happens there moves the total little."""
        counties = self.counties()
        return counties[len(counties) // 2]

    def chosen(self, listing: str, how: Any) -> list[Record]:
        """The records that are struck: so many, a share, or those of one county."""
        records = self.records[listing]
        if how in ("county", "third"):
            county = self.county()
            there = [record for record in records if self.county_of(listing, record) == county]
            return there if how == "county" else there[: len(there) // 3]
        number = how if isinstance(how, int) else round(how * len(records))
        places = set(self.chance.sample(range(len(records)), min(number, len(records))))
        return [record for place, record in enumerate(records) if place in places]

    def without(self, gone: Callable[[str, Record], bool], *listings: str) -> Records:
        """The records that stay."""
        names = listings or tuple(self.records)
        return {
            name: [record for record in records if name not in names or not gone(name, record)] for name, records in self.records.items()
        }


Damage = Callable[[Delivery, Strength], Records]


@dataclass(frozen=True)
class Fault:
    """A kind of fault: its name, what it does, and how strong it comes."""

    name: str
    about: str
    damage: Damage
    strengths: tuple[Strength, ...]
    sources: tuple[str, ...] = ("platform",)

    def done_to(
        self, records: Records, strength: Strength, spelling: Spelling = PLATFORM, past: Mapping[int, Records] | None = None
    ) -> Records:
        """The damaged delivery; the same each time."""
        return self.damage(Delivery(copied(records), spelling, past or {}, Random(f"{self.name} {strength.label}")), strength)


FAULTS: dict[str, Fault] = {}


def fault(*strengths: Strength, sources: tuple[str, ...] = ("platform",)) -> Callable[[Damage], Damage]:
    """Enter a function as a fault: its name in words, its docstring, its strengths."""

    def enter(damage: Damage) -> Damage:
        name = damage.__name__.replace("_", " ")
        FAULTS[name] = Fault(name, (damage.__doc__ or "").strip(), damage, strengths, sources)
        return damage

    return enter


def cells(records: Sequence[Record], field: str, part: str) -> list[tuple[dict[str, Any], str]]:
    """Every place of a column in the records: (the object, its key)."""
    found: list[tuple[dict[str, Any], str]] = []
    for record in records:
        if not part:
            found.append((record, field))
        else:
            held = record.get(field) or []
            found += [(item, part) for item in (held if isinstance(held, list) else [held])]
    return found


def column_fault(verb: str, about: str, change: Callable[[Column, Random], Column], column: str, *strengths: Strength) -> None:
    """Enter a fault that changes the values of one of our columns."""

    def damage(delivery: Delivery, strength: Strength) -> Records:
        listing, field, part = delivery.spelling.place(column)
        struck = cells(delivery.chosen(listing, strength.value), field, part)
        for (item, key), value in zip(struck, change([item[key] for item, key in struck], delivery.chance), strict=True):
            item[key] = value
        return delivery.records

    sources = tuple(spelling.source for spelling in (PLATFORM, REGISTER) if column in spelling.columns)
    name = f"{verb}: {column}"
    assert name not in FAULTS
    FAULTS[name] = Fault(name, about, damage, strengths or (FEW, COUNTY, ALL), sources)


def damaged(before: Records, after: Records) -> int:
    """How many records differ: gone, changed or new, whichever is more."""
    gone = new = 0
    for name in before.keys() | after.keys():
        one, other = (Counter(_lines(records.get(name, []))) for records in (before, after))
        gone += sum((one - other).values())
        new += sum((other - one).values())
    return max(gone, new)


def _lines(records: Sequence[Record]) -> Iterator[bytes]:
    return (orjson.dumps(record) for record in records)
