"""What an address under /feeds asks of a feed: nothing, or a search for notices, by the keys and values of /notices and refused with those that exist."""

import re
from collections.abc import Iterable
from itertools import combinations

from ..families import FACETS
from ..regions import COUNTRY
from .asked import REGIONS, NoSuchChoice
from .notice_question import Question, ask
from .reader import Reader
from .verifier import Verifier
from .visit import Visit

CODE = re.compile("[A-Za-z0-9_]{1,64}")
UNASKED = ("sort", "limit", "offset")  # a feed is the newest of what is found
KEYS = (*(key for key in Question.KEYS if key not in UNASKED), "region")


def nothing(visit: Visit, feed: str) -> None:
    """Raises NoSuchChoice where something is asked of a feed that is no search: who asks for less, or for a day of the past, would believe to have
    got it. It says where that is to be had, else that the address takes nothing."""
    for key, value in visit.pairs:
        form = visit.parts.get("form")
        if key in FACETS.get(feed, ()) and CODE.fullmatch(value):
            raise NoSuchChoice(key, f"/feeds/{feed}/{key}/{value}" + (f".{form}" if form else ""), "key")
        raise NoSuchChoice(key, f"/feeds/notices?{'=…&'.join(KEYS)}=… ({feed})" if key in KEYS else visit.path, "key")


def places(text: str, reader: Reader, today: str) -> list[str]:
    """The regions below the country that a code or a name may mean, in Chinese or in Pinyin, as /verify reads it."""
    return [row.code for row in Verifier(reader, today).meanings(text) if row.code != COUNTRY] if text else []


def named(codes: Iterable[str], reader: Reader, lang: str) -> str:
    """Regions with their codes, for who has to choose."""
    return ", ".join(f"{reader.region(code, None, lang)} {code}" for code in codes)


def question(visit: Visit, reader: Reader) -> Question:
    """A search as a feed: what /notices takes, but for order and pages, and `region` for a code of any level, or a name. Raises NoSuchChoice, also
    where one place lies outside the others: nothing would ever be found."""
    found, regions = [], []
    for key, value in visit.pairs:
        if key not in KEYS:
            raise NoSuchChoice(key, ", ".join(KEYS), "key")
        if key == "region" and value:
            meant = [value] if value in reader.regions and value != COUNTRY else places(value, reader, visit.today)
            if len(meant) != 1:
                raise NoSuchChoice("region", named(meant, reader, visit.lang), "places" if meant else "place")
            key, value = reader.regions[meant[0]]["level"], meant[0]
            regions.append(value)
        found += [] if key == "region" else [(key, value)]
    asked = ask(found, reader)
    for region in regions:
        if len(asked.filters[reader.regions[region]["level"]]) > len(set(regions)):
            raise NoSuchChoice("region", region, "twice")
    for upper, lower in combinations([level for level in REGIONS if level in asked.filters], 2):
        inside = [code for code, row in reader.regions.items() if row["level"] == lower and _is_in(code, asked.filters[upper], reader)]
        if not set(asked.filters[lower]) <= set(inside):
            raise NoSuchChoice(lower, ", ".join(inside[:100]) or " / ".join(asked.filters[upper]))
    return asked


def _is_in(code: str, regions: Iterable[str], reader: Reader) -> bool:
    return any(reader.territory.is_within(code, above) for above in regions)
