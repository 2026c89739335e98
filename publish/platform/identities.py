"""What an institution is, whatever happens to it: names, codes, county, drawn from its number alone."""

from functools import lru_cache
from typing import NamedTuple

from .counties import Counties, County
from .draws import Draw, Draws, chance, pick
from .numbers import credit_code, organisation_code, wrong_check
from .words import BRAND, BRAND_END, CLASS_WHEEL, CLASSES, COMPANY_FORMS, COMPANY_MARKS, GIVEN, SCHOOL_FORMS, SURNAMES

KEY_START = 10_000_001  # identifiers begin with a nought: a reader that guesses numbers loses it

CHAINED = 0.05  # without a place in its name: institutions of several counties have the same; a real register had 1.2% of such


class Identity(NamedTuple):
    """What an institution is, whatever happens to it: by this a notice knows it. Its numbers are made when they are asked for: lists do not."""

    number: int
    key: str
    county: County
    name: str
    brand: str
    latin: str
    trade: tuple[str, str, str]
    kind: str  # one of the classes
    is_company: bool
    draw: Draw

    @property
    def code(self) -> str:
        return _code(self.number, self.county.code, self.is_company, self.draw[16], self.draw[17])

    @property
    def permit(self) -> str:
        """Nothing where it has none."""
        return _permit(self.number, self.county, self.draw[18]) if self.draw[19] < 58_000 else ""


def key(number: int) -> str:
    """The orgId of the institution with this number."""
    return f"{KEY_START + number:012d}"


def number_of(key: str) -> int:
    """The number of the institution with this orgId."""
    return int(key) - KEY_START


class Identities:
    """The identities of a world, by number; those asked for of late are kept, for notices and listings ask again."""

    def __init__(self, counties: Counties, seed: int) -> None:
        self.counties = counties
        self._draw = Draws("who", seed)
        self.of = lru_cache(4096)(self._of)

    def _of(self, number: int) -> Identity:
        draw = self._draw(number)
        county = self.counties.of(draw)
        kind = pick(CLASS_WHEEL, draw[2])
        trade = pick(CLASSES[kind], draw[3])
        brand, latin = brand_from(draw, 4)
        is_company = draw[8] < 46_000
        middle = pick(COMPANY_MARKS, draw[13]) if is_company and draw[12] < 800 else ""
        form = pick(COMPANY_FORMS if is_company else SCHOOL_FORMS, draw[14])
        place = pick(county.places, draw[15])
        if chance(draw[9], CHAINED):
            first, last = BRAND[draw[10] % 8], BRAND_END[draw[11] % 3]
            brand, latin, is_company, place, middle, form = (
                first[0] + last[0],
                first[1:] + last[1:],
                False,
                "",
                "",
                SCHOOL_FORMS[draw[14] % 2],
            )
        return Identity(
            number=number,
            key=key(number),
            county=county,
            name=f"{place}{brand}{middle}{trade[0]}{form}",
            brand=brand,
            latin=f"{latin.capitalize()} {trade[1]}",
            trade=trade,
            kind=kind,
            is_company=is_company,
            draw=draw,
        )


def person(surname: int, given: int) -> str:
    """An invented person's name."""
    return pick(SURNAMES, surname) + GIVEN[given % len(GIVEN)] + (GIVEN[given // 64 % len(GIVEN)] if given % 3 else "")


def brand_from(draw: tuple[int, ...], at: int) -> tuple[str, str]:
    """Two or three characters and their reading, from the three numbers of the draw from `at` on."""
    first, second = pick(BRAND, draw[at]), pick(BRAND, draw[at + 1])
    third = pick(BRAND_END, draw[at + 2]) if draw[at + 2] % 5 < 3 else ""
    return first[0] + second[0] + third[:1], first[1:] + second[1:] + third[1:]


def _code(number: int, region: str, is_company: bool, kind: int, fault: int) -> str:
    """A credit code; a few with a letter among the first eight characters, a few that are none."""
    registrar = "91" if is_company else "52"
    if kind < 330:
        registrar = ("A1", "N2", "Y1")[kind % 3]
    code = credit_code(registrar, region, organisation_code(number))
    if fault < 200:
        return wrong_check(code)
    if fault < 330:
        return f"{region}6{number % 10**8:08d}"  # an old registration number of 15 digits
    if fault < 700:
        return "是"  # being processed
    return "" if fault < 1_000 else code


def _permit(number: int, county: County, form: int) -> str:
    if form < 36_000:
        return f"教民1{county.code}7{number % 10**7:07d}号"
    if form < 56_000:
        return f"教民{county.code}7{number % 10**6:06d}{'号' if form % 2 else ''}"
    if form < 60_000:
        return f"教民 1{county.code}7{number % 10**7:07d} 号"
    return f"{county.short}培字[{2021 + form % 5}]第{number:06d}号"
