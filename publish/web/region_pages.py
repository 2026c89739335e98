"""/regions and /regions/CODE as pages and JSON: what there is of a place, what covers it, and the institutions in it.

What a page cannot know it does not count as none: where no source covers a region, or one that does is stale or held, nothing found reads "cannot say" (coverage.py).
A code that was abolished leads to what has its place. Each number is a link to the page, the search or the table that shows that number. Of the live
release alone: the past of a region is in /changes.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from ..answering import meets
from ..coverage import LISTS, NOTICES, because
from ..entries import FACETS
from ..hotlines import Hotline
from ..regions import COUNTRY, Region
from . import facts, regional
from .answer import Answer, as_json, moved
from .asked import MOST, PAGE, NoSuchChoice, read, refused, whole
from .changed import ChangePages, as_public
from .plot import by_time
from .reader import Reader, Row
from .selection import regions_under
from .visit import Visit, address, of_release, spelt

CHOICES = ("class", "list", "address")
KEYS = (*CHOICES, "limit", "offset")
LONGEST = 100  # characters of a part of an address
NEWEST = 5  # notices, and changes
KEPT = 400  # regions of which what takes some milliseconds is kept for the day
FEEDS = tuple(family for family, facets in FACETS.items() if "region" in facets)
TABLES = ("institutions", "listings", "notices")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """Which institutions of a region are asked for; `chosen` has each of CHOICES, "" where it is not."""

    code: str
    chosen: Mapping[str, str]
    limit: int
    offset: int

    def link(self, **instead: object) -> str:
        """The query string of this list, or of one with others; of its first page but by `offset`."""
        pairs = {**self.chosen, "limit": self.limit, "offset": 0, **instead}
        return urlencode([(key, value) for key, value in pairs.items() if value and (key, value) != ("limit", PAGE)])


class RegionPages:
    """`render` and `problem` are those of Pages, `hotlines` is the frame's."""

    def __init__(
        self,
        render: Callable[..., Answer],
        problem: Callable[..., Answer],
        changed: ChangePages,
        hotlines: Callable[[str | None], list[Hotline]],
    ) -> None:
        self._render, self._problem, self._changed, self._hotlines = render, problem, changed, hotlines
        self._one = asyncio.Lock()

    # -- which region ------------------------------------------------------------------------------------------------

    def index(self, visit: Visit, reader: Reader) -> Answer:
        """All provinces with their numbers, or with those of a class."""
        try:
            chosen = read(visit.pairs, ("class",)).get("class", [""])[0]
            _check("class", chosen, reader.codes("classes"))
        except NoSuchChoice as no:
            return refused(self._problem, visit, no, "/regions", ("class",))
        except ValueError:
            return self._problem(visit, 400, "bad_request")
        return self._soon(visit, reader, lambda: self._index(visit, reader, chosen))

    def page(self, visit: Visit, reader: Reader) -> Answer:
        code = visit.parts["code"]
        region = reader.territory.at(code)
        if region is None or region.code == COUNTRY:
            return self._elsewhere(visit, reader, code)
        heirs = reader.territory.successors(code)
        if len(heirs) == 1:
            return self._to(visit, heirs[0].code)
        try:
            asked = _ask(visit, reader, code)
        except NoSuchChoice as no:
            return refused(self._problem, visit, no, f"/regions/{code}", KEYS)
        except ValueError:
            return self._problem(visit, 400, "bad_request")
        if regional.is_quick(asked.chosen, asked.offset):
            return self._soon(visit, reader, lambda: self._page(visit, reader, region, heirs, asked, self._found(visit, reader, asked)))

        async def found() -> Answer:
            await self.ready(reader, visit.today)
            some = await asyncio.to_thread(self._found_beside, visit, reader, asked)
            return self._page(visit, reader, region, heirs, asked, some)

        return self._later(visit, found)

    def _elsewhere(self, visit: Visit, reader: Reader, code: str) -> Answer:
        """Where to go from what is no code of a region: to the one that a name or a longer code means, else that there is none, and which there are."""
        if code == COUNTRY:
            return moved(spelt(visit, f"/regions{'.json' if visit.wants_json else ''}"))
        meant = reader.territory.meanings(code)
        if len(meant) == 1 and meant[0].code != COUNTRY:
            return self._to(visit, meant[0].code)
        known = [region.code for region in meant] or sorted(regions_under(reader, COUNTRY, visit.today))
        return self._problem(
            visit, 404, "no_region", {"known": ", ".join(known)}, onward=address("/regions", visit.lang), onward_said="region.all"
        )

    def _to(self, visit: Visit, code: str) -> Answer:
        return moved(spelt(visit, f"/regions/{code}{'.json' if visit.wants_json else ''}"))

    # -- the numbers -------------------------------------------------------------------------------------------------

    def _soon(self, visit: Visit, reader: Reader, make: Callable[[], Answer]) -> Answer:
        """An answer at once where the day's numbers are there, else when they are."""
        if regional.is_counted(reader, visit.today):
            return make()

        async def counted() -> Answer:
            await self.ready(reader, visit.today)
            return make()

        return self._later(visit, counted)

    def _later(self, visit: Visit, make: Callable[[], Awaitable[Answer]]) -> Answer:
        async def later() -> Answer:
            try:
                return await make()
            except Exception:
                log.exception("a region could not be shown")  # without what was asked
                return self._problem(visit, 500, "bug")

        return Answer(200, b"", later=later)

    async def ready(self, reader: Reader, today: str) -> None:
        """Have the day's numbers worked out, where they are not."""
        async with self._one:  # whoever comes meanwhile waits for the same
            if not regional.is_counted(reader, today):
                counts = await asyncio.to_thread(regional.count, reader, today)
                reader.once(today, regional.KEPT, lambda: counts)

    def _found(self, visit: Visit, reader: Reader, asked: Asked) -> tuple[int, list[str]]:
        return regional.institutions(reader, visit.today, asked.code, asked.chosen, asked.limit, asked.offset)

    def _found_beside(self, visit: Visit, reader: Reader, asked: Asked) -> tuple[int, list[str]]:
        with regional.beside(reader) as ask:
            return regional.institutions(reader, visit.today, asked.code, asked.chosen, asked.limit, asked.offset, ask)

    # -- the pages ---------------------------------------------------------------------------------------------------

    def _index(self, visit: Visit, reader: Reader, chosen: str) -> Answer:
        counts, nowhere = (regional.of(reader, visit.today, code) for code in (COUNTRY, regional.NOWHERE))
        under = self._under(visit, reader, COUNTRY)
        if visit.wants_json:
            return as_json(
                {
                    **of_release(visit, reader),
                    "as_of": facts.freshness(reader, visit.today)["as_of"],
                    "counts": regional.said(counts),
                    "without_region": regional.said(nowhere),
                    "classes": regional.by_code(counts, regional.CLASS),
                    "regions": [_as_public(one, visit) for one in under],
                }
            )
        return self._render(
            "regions.html",
            chosen=chosen,
            counts=counts,
            nowhere=nowhere,
            classes=_classes(reader, counts),
            under=[{**one, "of_class": one["all"][regional.CLASS, chosen]} for one in under],
            of_class=counts[regional.CLASS, chosen] if chosen else None,
        )

    def _page(
        self, visit: Visit, reader: Reader, region: Region, heirs: Sequence[Region], asked: Asked, found: tuple[int, list[str]]
    ) -> Answer:
        code, (total, ids) = region.code, found
        counts = regional.of(reader, visit.today, code)
        told: Row = {
            "it": region,
            "above": reader.lies_in(code)[:-1],
            "heirs": heirs,
            "asked": asked,
            "counts": counts,
            "silence": self._silence(visit, reader, code),
            "sources": _sources(visit, reader, code),
            "under": self._under(visit, reader, code),
            "notices": by_time(_dated(counts, regional.DECIDED), everywhere=True),
            "listings": by_time(_dated(counts, regional.LISTED)),
            "total": total,
            "found": facts.cards(reader, ids, visit.today),
            **self._shown(visit, reader, code),
        }
        if visit.wants_json:
            return as_json({**of_release(visit, reader), **self._public(visit, reader, told)})
        return self._render(
            "region.html",
            **told,
            prefix=regional.place(code),
            classes=_classes(reader, counts),
            classes_of=regional.classes_of(reader, ids),
            lists=reader.codes("lists"),
            undated={kind: counts[kind, ""] for kind in (regional.DECIDED, regional.LISTED)},
            listed=sum(regional.by_code(counts, regional.LISTED).values()),
            because={what: because(what, why, visit.lang) for what, why in told["silence"].items() if why},
            feeds=FEEDS,
            tables=TABLES,
        )

    def _public(self, visit: Visit, reader: Reader, told: Row) -> Row:
        """The JSON of a region."""
        region, asked, changed = told["it"], told["asked"], told["changes"]
        at, query = address(f"/regions/{region.code}", visit.lang), asked.link(offset=asked.offset)
        return {
            "url": f"{at}?{query}" if query else at,
            "as_of": facts.freshness(reader, visit.today)["as_of"],
            "region": {**vars(region), "name": reader.region(region.code, None, visit.lang)},
            "above": told["above"],
            "successors": [heir.code for heir in told["heirs"]],
            "coverage": {what: _told(visit, what, why) for what, why in told["silence"].items()},
            "sources": told["sources"],
            "hotlines": [_line(line, visit.lang) for line in self._hotlines(region.code)],
            "counts": regional.said(told["counts"]),
            "classes": regional.by_code(told["counts"], regional.CLASS),
            "regions": [_as_public(one, visit) for one in told["under"]],
            "notices_by_month": {bar.label: bar.total for bar in told["notices"].bars},
            "listings_by_month": {bar.label: bar.total for bar in told["listings"].bars},
            "changes": changed and {
                "selection": changed["asked"],
                "by_release": changed["by_release"],
                "newest": as_public(changed["items"], visit, reader),
            },
            "newest_notices": told["newest"],
            "filters": {name: value for name, value in asked.chosen.items() if value},
            "total": told["total"],
            "limit": asked.limit,
            "offset": asked.offset,
            "institutions": told["found"],
        }  # fmt: skip

    def _shown(self, visit: Visit, reader: Reader, code: str) -> Row:
        """What of a region takes some milliseconds to find and is the same for everybody that day."""
        kept: dict[str, Row] = reader.once(visit.today, "regions shown", dict)
        if code not in kept:
            if len(kept) >= KEPT:
                kept.clear()
            kept[code] = {
                "newest": facts.notices(reader, regional.newest(reader, visit.today, code, NEWEST), visit.today),
                "changes": self._changed.of_region(visit, reader, code, NEWEST),
            }
        return kept[code]

    def _under(self, visit: Visit, reader: Reader, code: str) -> list[Row]:
        """The regions directly under one: code, numbers, and why nothing found there means nothing."""
        return [
            {"code": each, "all": regional.of(reader, visit.today, each), "silence": self._silence(visit, reader, each)}
            for each in regional.parts(reader, code, visit.today)
        ]

    def _silence(self, visit: Visit, reader: Reader, code: str) -> dict[str, str | None]:
        """Why nothing found in a region means nothing, of lists and of notices."""
        kept: dict[str, dict[str, str | None]] = reader.once(visit.today, "silence of regions", dict)
        if code not in kept:
            coverage = facts.coverage(reader, visit.today)
            kept[code] = {what: coverage.silence(what, code) for what in (LISTS, NOTICES)}
        return kept[code]


def _ask(visit: Visit, reader: Reader, code: str) -> Asked:
    """Raises NoSuchChoice, and ValueError for more keys than there can be."""
    given = read(visit.pairs, KEYS)
    chosen = {name: given.get(name, [""])[0] for name in CHOICES}
    _check("class", chosen["class"], reader.codes("classes"))
    _check("list", chosen["list"], (*reader.codes("lists"), regional.ANY_ADVERSE))
    if len(chosen["address"]) > LONGEST:
        raise NoSuchChoice("address", f"1–{LONGEST}")
    return Asked(code, chosen, min(MOST, whole("limit", given, PAGE, f"1–{MOST}") or PAGE), whole("offset", given, 0, "0, 1, 2 …"))


def _check(name: str, value: str, known: Sequence[str]) -> None:
    if value and value not in known:
        raise NoSuchChoice(name, ", ".join(known))


def _classes(reader: Reader, counts: regional.Counts) -> list[tuple[str, int]]:
    """The classes in the order of their table, each with its number."""
    return [(code, counts[regional.CLASS, code]) for code in reader.codes("classes")]


def _dated(counts: regional.Counts, kind: str) -> dict[str, int]:
    return {when: n for when, n in regional.by_code(counts, kind).items() if when}


def _sources(visit: Visit, reader: Reader, code: str) -> list[Row]:
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


def _told(visit: Visit, what: str, why: str | None) -> Row:
    """Whether nothing found means that there is nothing, and why not."""
    return {"is_covered": why is None, "not_covered": why and {"code": why, "text": because(what, why, visit.lang)}}


def _line(line: Hotline, lang: str) -> Row:
    return {"number": line.number, "name": getattr(line.name, lang), "note": getattr(line.note, lang), "region": line.region_code}


def _as_public(one: Row, visit: Visit) -> Row:
    return {
        "code": one["code"],
        **regional.said(one["all"]),
        "is_covered": {what: why is None for what, why in one["silence"].items()},
        "url": address(f"/regions/{one['code']}", visit.lang),
    }
