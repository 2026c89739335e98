"""What it means that nothing was found in a region: whether the sources tell of it, and of which lists.

A list that no source of a region has is nobody's there: that none is on it cannot be said. So it is of every list where nothing found means nothing at all.
"""

from ..answering import NOTHING_THERE, meets, nothing_of
from ..coverage import LISTS, NOTICES, because
from ..meant import place_said
from ..regions import COUNTRY
from ..rules import AGAINST
from . import facts, regional
from .reader import Reader, Row
from .visit import Visit

NOTHING = "region_nothing"  # the sources have neither an institution nor a list nor a notice of a region


def silence(reader: Reader, today: str, code: str | None) -> dict[str, str | None]:
    """Why nothing found in a region (None: wherever it is) means nothing, of lists and of notices."""
    kept: dict[str | None, dict[str, str | None]] = reader.once(today, "silence of regions", dict)
    if code not in kept:
        coverage = facts.coverage(reader, today)
        kept[code] = {what: coverage.silence(what, code) for what in (LISTS, NOTICES)}
    return kept[code]


def silence_in(reader: Reader, today: str, code: str, counts: regional.Counts) -> dict[str, str | None]:
    """The same of a region by its numbers: where the sources have nothing whatever of it, that there is no notice says nothing either."""
    found = silence(reader, today, code)
    there = found[NOTICES] or counts[regional.INSTITUTIONS, ""] or counts[regional.NOTICES, ""]
    return {**found, NOTICES: NOTHING} if found[LISTS] in NOTHING_THERE and not there else found


def no_notice_is_none(reader: Reader, today: str, institution: Row) -> bool:
    """Whether an institution, as facts.py gives it, for which no notice is found has none: nothing unmatched has its name, and its region is told of today."""
    doubts = (
        institution["unmatched_notices"],
        institution["notices_held_since"],
        silence(reader, today, institution["region_code"])[NOTICES],
    )
    return not any(doubts)


def names_nowhere(reader: Reader, today: str, name: str) -> bool:
    """Whether a name begins with a place, maybe in its short form, of which the sources of lists have nothing."""
    return nothing_of(place_said(name, reader.territory), facts.coverage(reader, today).sources[LISTS], reader.territory) is not None


def unsaid(reader: Reader, today: str, code: str) -> frozenset[str]:
    """The lists, and ANY_ADVERSE, of which it cannot be said that nobody of a region is on them."""
    kept: dict[str, frozenset[str]] = reader.once(today, "lists unsaid", dict)
    if code not in kept:
        coverage, silent = facts.coverage(reader, today), not code or silence(reader, today, code)[LISTS]
        found = {each for each in reader.codes("lists") if silent or not coverage.has_list(each, code)}
        kept[code] = frozenset({*found, regional.ANY_ADVERSE} if found.intersection(AGAINST) else found)
    return kept[code]


def told(visit: Visit, what: str, why: str | None) -> Row:
    """Whether nothing found means that there is nothing, and why not."""
    return {"is_covered": why is None, "not_covered": why and {"code": why, "text": because(what, why, visit.lang)}}


def sources(visit: Visit, reader: Reader, code: str) -> list[Row]:
    """The sources that tell of a region or of a part of it: id, as of, whether it is stale, whether it is of all of it, and what of it is held."""
    regions, lies_in = reader.territory, {COUNTRY, *reader.lies_in(code)}
    return [
        {
            **{key: source[key] for key in ("id", "label_zh", "label_en", "as_of", "is_stale")},
            "is_whole": source["region_code"] in lies_in,
            "held": [one for one in source["held"] if meets([one[0]], code, regions)],
        }
        for source in facts.sources(reader, visit.today)
        if source["region_code"] and (source["region_code"] in lies_in or regions.is_within(source["region_code"], code))
    ]
