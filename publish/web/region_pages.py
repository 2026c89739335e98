"""/regions and /regions/CODE as pages and JSON: what there is of a place, what covers it, and the institutions in it.

What a page cannot know it does not count as none: where no source covers a region, or one that does is stale or held, nothing found reads "cannot say" (coverage.py).
A code that was abolished leads to what has its place. Each number is a link to the page, the search or the table that shows that number. Of the live
release alone: the past of a region is in /changes.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from ..coverage import LISTS, NOTICES, because
from ..families import FACETS
from ..hotlines import Hotline
from ..regions import COUNTRY, Region
from . import covered, facts, noticing, region_question, regional
from .answer import RETRY_SECONDS, Answer, as_json, moved
from .archive import identity_of
from .asked import NoSuchChoice, read, refused
from .changed import ChangePages, as_public
from .past import past_file
from .plot import by_time
from .reader import Reader, Row
from .region_question import KEYS, Asked
from .selection import regions_under
from .visit import Visit, address, of_release, spelt

NEWEST = 5  # notices, and changes
MOST_AT_ONCE, MOST_WAITING = (
    2,
    20,
)  # searches that look at many institutions, in a process: each holds a thread, of which everybody has need
READY = "made ahead"  # kept of a day when all that takes long was worked out, or tried
KEPT = 400  # regions of which what takes some milliseconds is kept for the day
FEEDS = tuple(family for family, facets in FACETS.items() if "region" in facets)
TABLES = ("institutions", "listings", "notices")
log = logging.getLogger(__name__)


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
        self._room, self._waiting = asyncio.Semaphore(MOST_AT_ONCE), 0

    # -- which region ------------------------------------------------------------------------------------------------

    def index(self, visit: Visit, reader: Reader) -> Answer:
        """All provinces with their numbers, or with those of a class."""
        try:
            chosen = read(visit.pairs, ("class",)).get("class", [""])[0]
            region_question.check("class", chosen, reader.codes("classes"))
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
            asked = region_question.ask(visit, reader, code)
        except NoSuchChoice as no:
            return refused(self._problem, visit, no, f"/regions/{code}", KEYS)
        except ValueError:
            return self._problem(visit, 400, "bad_request")
        which = code, asked.chosen, asked.limit, asked.offset
        if reader.has(visit.today, READY) and regional.is_quick(reader, visit.today, *which):
            some = regional.institutions(reader, visit.today, *which)
            return self._page(visit, reader, region, heirs, asked, some)

        async def found() -> Answer:
            if self._waiting >= MOST_WAITING + MOST_AT_ONCE:
                said = self._problem(visit, 503, "export_busy")
                return Answer(said.status, said.body, said.type, (("cache-control", "no-store"), ("retry-after", str(RETRY_SECONDS))))
            self._waiting += 1
            try:
                await self.ready(reader, visit.today)
                async with self._room:
                    some = await asyncio.to_thread(self._found, visit, reader, asked)
            finally:
                self._waiting -= 1
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
        if reader.has(visit.today, READY):
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
        """Have what the day's first visitors would wait for worked out beside the loop, where it is not: the numbers, and what else takes long.
        Without the numbers it fails; what else cannot be worked out is tried again by who asks for it."""

        def make_ahead() -> bool:
            with reader.apart() as other:
                regional.counted(other, today)
                for make in (facts.coverage, facts.overview, facts.all_unmatched, noticing.unseen, self._changed.ahead):
                    try:
                        make(other, today)
                    except Exception:
                        log.exception("%s could not be worked out ahead", make.__qualname__)
            return True

        async with self._one:  # whoever comes meanwhile waits for the same
            if not reader.has(today, READY):
                await asyncio.to_thread(reader.once, today, READY, make_ahead)

    def _found(self, visit: Visit, reader: Reader, asked: Asked) -> tuple[int, list[str]]:
        with reader.apart() as other:
            return regional.institutions(other, visit.today, asked.code, asked.chosen, asked.limit, asked.offset)

    # -- the pages ---------------------------------------------------------------------------------------------------

    def _index(self, visit: Visit, reader: Reader, chosen: str) -> Answer:
        counts, nowhere = (regional.of(reader, visit.today, code) for code in (COUNTRY, regional.NOWHERE))
        under = self._under(visit, reader, COUNTRY)
        if visit.wants_json:
            return as_json(
                {
                    **of_release(visit, reader),
                    "as_of": facts.freshness(reader, visit.today)["as_of"],
                    "counts": regional.said(
                        counts, self._lists(visit, reader, COUNTRY), covered.silence_in(reader, visit.today, COUNTRY, counts)
                    ),
                    "without_region": regional.said(nowhere, self._lists(visit, reader, regional.NOWHERE), dict.fromkeys((LISTS, NOTICES))),
                    "classes": regional.by_code(counts, regional.CLASS),
                    "regions": [self._as_public(one, visit, reader) for one in under],
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
            "silence": covered.silence_in(reader, visit.today, code, counts),
            "unsaid": covered.unsaid(reader, visit.today, code),
            "sources": covered.sources(visit, reader, code),
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
            "coverage": {what: covered.told(visit, what, why) for what, why in told["silence"].items()},
            "sources": told["sources"],
            "hotlines": [_line(line, visit.lang) for line in self._hotlines(region.code)],
            "counts": regional.said(told["counts"], self._lists(visit, reader, region.code), told["silence"]),
            "classes": regional.by_code(told["counts"], regional.CLASS),
            "regions": [self._as_public(one, visit, reader) for one in told["under"]],
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
        by = identity_of(past_file(reader))  # it is made again when other code hides
        kept: dict[str, Row] = reader.once(visit.today, f"regions shown {by}", dict)
        if code not in kept:
            if len(kept) >= KEPT:
                kept.clear()
            kept[code] = {
                "newest": facts.notices(reader, regional.newest(reader, visit.today, code, NEWEST), visit.today),
                "changes": self._changed.of_region(visit, reader, code, NEWEST),
            }
        return kept[code]

    def _under(self, visit: Visit, reader: Reader, code: str) -> list[Row]:
        """The regions directly under one: code, numbers, and why and on which lists nothing found there means nothing."""
        counts = regional.counted(reader, visit.today)
        return [
            {
                "code": each,
                "all": (its := counts.get(each, regional.Counts())),
                "silence": covered.silence_in(reader, visit.today, each, its),
                "unsaid": covered.unsaid(reader, visit.today, each),
            }
            for each in regional.parts(reader, code, visit.today)
        ]

    def _as_public(self, one: Row, visit: Visit, reader: Reader) -> Row:
        return {
            "code": one["code"],
            **regional.said(one["all"], self._lists(visit, reader, one["code"]), one["silence"]),
            "is_covered": {what: why is None for what, why in one["silence"].items()},
            "url": address(f"/regions/{one['code']}", visit.lang),
        }

    def _lists(self, visit: Visit, reader: Reader, code: str) -> dict[str, int | None]:
        """What the number of each list is where nobody of a region was found on it."""
        unsaid = covered.unsaid(reader, visit.today, code)
        return {each: None if each in unsaid else 0 for each in (*reader.codes("lists"), regional.ANY_ADVERSE)}


def _classes(reader: Reader, counts: regional.Counts) -> list[tuple[str, int]]:
    """The classes in the order of their table, each with its number."""
    return [(code, counts[regional.CLASS, code]) for code in reader.codes("classes")]


def _dated(counts: regional.Counts, kind: str) -> dict[str, int]:
    return {when: n for when, n in regional.by_code(counts, kind).items() if when}


def _line(line: Hotline, lang: str) -> Row:
    return {"number": line.number, "name": getattr(line.name, lang), "note": getattr(line.note, lang), "region": line.region_code}
