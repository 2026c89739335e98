"""Which institutions a row of somebody's spreadsheet may mean, how alike each is, and which one it certainly is, if any.

Who is meant is decided as for /verify (meant.py): by a number, or by a whole name that nobody else has there. Certain is less than that: the name has
to be the legal name letter by letter (telling.py), the region has to agree where one is given, and where the institution has a notice in force
or stands on a list that may hurt, its county has to be given, for another of that name may exist that our sources do not have. What is only
alike is never certain, however high its score. Knows nothing of requests.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import search

from ..errors import BadValue
from ..meant import CODE, NAME, PERMIT, Identity, Known, Query, placed, read
from ..meant import Candidate as Found
from ..regions import COUNTRY, Region, Regions
from ..rules import HARMLESS
from ..telling import name_key, tells_apart
from ..values import credit_code, permit_no
from . import facts
from .reader import Reader, Row
from .verifier import Verifier

FETCHED = 20  # candidates at most
CONTRADICTED = 30.0  # what a score loses where the row says another region or number
ADDRESS = 0.1  # the share of a score that an address decides
MEANINGS = 20  # of a region: no name of one has more
FACETS = ("province", "city", "county")  # of the index, as the levels of regions are called


@dataclass(frozen=True)
class Line:
    """What a row says: texts as they were typed; those of one kind are alternatives."""

    name: str = ""
    credit_codes: tuple[str, ...] = ()
    permits: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """One institution, as facts.cards has it. `features` say by name what of the row is its own, and how alike its name and address are (0-100)."""

    card: Row
    score: float
    is_certain: bool
    features: Mapping[str, bool | float]


def candidates(reader: Reader, line: Line, today: str) -> list[Candidate]:
    """The institutions that may be meant, best first; at most one of them is certain."""
    verifier = Verifier(reader, today)
    within = list(dict.fromkeys(region for text in line.regions for region in verifier.meanings(text)))[:MEANINGS]
    verifier.assure()
    hits = _search(reader, line.name, within)
    numbers = _number(credit_code, line.credit_codes), _number(permit_no, line.permits)
    identities = _identities(verifier, line.name, numbers, within, list(hits.values()))
    told = {one.known.id: one for identity in identities for one in (*identity.candidates, *([identity.found] if identity.found else ()))}
    cards = facts.cards(reader, list(dict.fromkeys([line.name, *told, *hits])), today)
    certain = _certain(identities, line, within, verifier.regions, {card["id"]: card for card in cards})
    found = [
        _candidate(card, hits.get(card["id"]), told.get(card["id"]), line, numbers, within, verifier.regions, certain) for card in cards
    ]
    return sorted(found, key=lambda one: (not one.is_certain, -one.score))


def _number(parse: Callable[[object], str | None], given: Sequence[str]) -> str | None:
    """The one number that is given, "" where none is (是, 办理中); None for what cannot be read or is several."""
    try:
        found = {number for number in map(parse, given) if number}
    except BadValue:
        return None
    return None if len(found) > 1 else next(iter(found), "")


def _identities(
    verifier: Verifier, name: str, numbers: tuple[str | None, str | None], within: Sequence[Region], hits: Sequence[search.Hit]
) -> list[Identity]:
    """Who is meant, for each region that a name of one can mean. Of a number that is none it cannot be said."""
    code, permit = numbers
    if code is None or permit is None:
        return []
    asked = read(Query(name, code, permit), lambda _: (None, False))
    if asked.faults or not (asked.code or asked.permit or any(hit.exact for hit in hits)):
        return []
    counties = verifier.reader.once(verifier.today, "counties", verifier.regions.county_codes)
    places = [replace(asked, region=one.code, is_county=one.code in counties) for one in within if one.code != COUNTRY]
    return [verifier.identity(one, hits, FETCHED) for one in places or [asked]]


def _certain(
    identities: Sequence[Identity], line: Line, within: Sequence[Region], regions: Regions, cards: Mapping[str, Row]
) -> str | None:
    """The id of the one that is meant beyond doubt."""
    if line.name in cards:
        return line.name
    found = {identity.found.known.id: identity for identity in identities if identity.found}
    if len(found) != 1 or any("ambiguous" in identity.reasons for identity in identities):
        return None
    ((id, identity),) = found.items()
    one = identity.found
    if id not in cards or one is None:
        return None
    if one.how == CODE or (one.how == PERMIT and tells_apart(one.matched)):
        return id
    if one.how != NAME or name_key(one.known.name) != name_key(line.name) or "number_not_there" in identity.notes:
        return None
    is_there = not line.regions or any(placed(one.known, region.code, regions) for region in within)
    return id if is_there and (identity.is_sure or not _may_hurt(cards[id])) else None


def _may_hurt(card: Row) -> bool:
    return bool(card["notices_in_force"] or card["unmatched_notices"]) or any(one["list"] not in HARMLESS for one in card["listings"])


def _candidate(
    card: Row,
    hit: search.Hit | None,
    told: Found | None,
    line: Line,
    numbers: tuple[str | None, str | None],
    within: Collection[Region],
    regions: Regions,
    certain: str | None,
) -> Candidate:
    likeness = 100.0 * hit.score if hit else 0.0
    known = told.known if told else Known(card["id"], card["name"], card["region_code"])
    is_exact = bool(line.name) and name_key(card["name"]) == name_key(line.name)
    by_number = card["id"] == line.name or (told is not None and told.how in (CODE, PERMIT))
    places = [placed(known, region.code, regions) for region in within]
    agrees = {
        "credit_code": _is_its(numbers[0], [card["credit_code"]]),
        "permit_no": _is_its(numbers[1], [permit["permit_no"] for permit in card["permits"]]),
        "region": True if True in places else None if None in places or not places else False,
    }
    score = 100.0 if by_number or is_exact else likeness
    features: dict[str, bool | float] = {"likeness": round(likeness, 1), "exact_name": is_exact}
    features |= {name: value for name, value in agrees.items() if value is not None}
    if line.addresses and card["address"]:
        address = max(100.0 * _alike(address, card["address"]) for address in line.addresses)
        features["address"] = round(address, 1)
        score += 0.0 if by_number else ADDRESS * (address - score)
    score -= CONTRADICTED * list(agrees.values()).count(False)
    return Candidate(card, round(max(0.0, score), 1), card["id"] == certain, features)


def _search(reader: Reader, name: str, within: Sequence[Region]) -> dict[str, search.Hit]:
    """By id, best first: what the name finds in the regions that were given, and everywhere."""
    if not name:
        return {}
    found = list(reader.index.search(name, kind="institution", limit=FETCHED).hits)
    for level in FACETS:
        if codes := sorted({region.code for region in within if region.level == level}):
            found += reader.index.search(name, kind="institution", limit=FETCHED, filters={level: codes}).hits
    best: dict[str, search.Hit] = {}
    for hit in sorted(found, key=lambda hit: -hit.score):
        best.setdefault(hit.id, hit)
    return best


def _is_its(number: str | None, its: Sequence[str | None]) -> bool | None:
    known = [one for one in its if one]
    return number in known if number and known else None


def _alike(one: str, other: str) -> float:
    """How many of the pairs of characters of two short texts are in both, 0-1."""
    a, b = ({text[place : place + 2] for place in range(max(len(text) - 1, 1))} for text in map(search.compact, (one, other)))
    return 2 * len(a & b) / (len(a) + len(b))
