"""Whether the sources of a release tell of a region today: /verify says "not listed" by it, and a feed that is silent says whether that means anything.

What it comes to is answering.py's to say; this looks up what that is decided from, of lists or of notices. A source that has not one notice gives
none, wherever it is of; with lists it is each region for itself, since a white list that has nobody of a county was not published there.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .answering import Source, covering, silence
from .fresh import is_stale
from .regions import COUNTRY, Regions
from .wording import say, wording

Row = Mapping[str, Any]
LISTS, NOTICES = "listings", "notices"
TABLES = {LISTS: (LISTS, "institutions"), NOTICES: (NOTICES,)}  # those that are held, where a partition of what is told of is
TOLD_OF = {
    LISTS: "SELECT source_id, region_code, list FROM listings GROUP BY 1, 2, 3",
    NOTICES: "SELECT source_id, region_code FROM notices GROUP BY 1, 2",
}
SOURCES = "SELECT * FROM sources ORDER BY id"


@dataclass(frozen=True)
class Coverage:
    """What the sources of a release cover on a day, of lists and of notices."""

    sources: Mapping[str, Sequence[Source]]
    regions: Regions

    def silence(self, what: str, region: str | None) -> str | None:
        """Why nothing new of a region (None: of the whole country) does not mean that nothing happened there; None where it does.

        Of a whole it does not where a part is stale or held; whoever asks /verify for one name reads that in a note.
        """
        sources = self.sources[what]
        if why := silence(region, sources, self.regions, has_all=what == LISTS):
            return why
        below = [it for it in sources if it.region != (region or COUNTRY) and self._has(region, it)]
        if any(it.is_stale and it.regions for it in below):
            return "stale_source"
        return "held" if any(it.held for it in (below if region else sources)) else None

    def _has(self, region: str | None, source: Source) -> bool:
        return region is None or (source.region is not None and self.regions.is_within(source.region, region))

    def has_list(self, list: str, region: str) -> bool:
        """Whether a source that covers a region has such a list at all: where none has, that nobody was found on one says nothing."""
        return any(list in it.lists for it in covering(region, self.sources[LISTS], self.regions))

    def of_feed(self, feed: str) -> str | None:
        """The same of a feed by its key; None too of one that is not about all of a place."""
        asked = _about(feed)
        return asked and self.silence(*asked)


def is_covered(feed: str, silence: str | None) -> bool | None:
    """Whether nothing new in a feed means that nothing happened; None of one that is not about all of a place."""
    return silence is None if _about(feed) else None


def why_silent(feed: str, silence: str, lang: str = "zh") -> str:
    """Why it does not, in words: those of /verify, but where they are about who is listed."""
    what, _ = _about(feed) or ("", None)
    return say(lang, "feed.silent", why=because(what, silence, lang))


def because(what: str, silence: str, lang: str = "zh") -> str:
    """Why silence about lists or notices means nothing, in words."""
    own = f"feed.silent.{silence}.{what}", f"feed.silent.{silence}"
    return say(lang, next((key for key in own if key in wording(lang)), f"verify.reason.{silence}"))


def _about(feed: str) -> tuple[str, str | None] | None:
    """What a feed tells of, and of which region (None: of the whole country); None of an authority's, and of that of releases."""
    family, _, rest = feed.partition("/")
    facet, _, code = rest.partition("/")
    if family == "releases" or facet == "authority":
        return None
    return LISTS if family == LISTS else NOTICES, code if facet == "region" else None


def coverage(ask: Callable[[str], Iterable[Row]], sources: Sequence[Row], held: Sequence[Row], regions: Regions) -> Coverage:
    """That of a release whose database is asked. `sources` are its rows with whether each is stale, `held` is as the manifest has it."""
    return Coverage({what: tuple(_of(what, sources, held, list(ask(sql)), regions)) for what, sql in TOLD_OF.items()}, regions)


def sources_on(ask: Callable[[str], Iterable[Row]], manifest: Mapping[str, Any], day: str) -> list[Row]:
    """The sources of a release, each with whether it is stale on a day."""
    since = {row["id"]: row.get("content_since") for row in manifest.get("sources", ())}
    return [{**row, "is_stale": is_stale(since.get(row["id"]), row["as_of"], row["interval_days"], day)} for row in ask(SOURCES)]


def _of(what: str, sources: Iterable[Row], held: Iterable[Row], told: Iterable[Row], regions: Regions) -> Iterator[Source]:
    stopped, has, lists = (defaultdict[str, set[str]](set) for _ in range(3))
    for row in held:
        if row["table"] in TABLES[what]:
            stopped[row["source"]].add(row["region"])
    for row in told:
        if what == LISTS:
            lists[row["source_id"]].add(row["list"])
        if row["source_id"] and row["region_code"]:
            has[row["source_id"]] |= {row["region_code"], *(above.code for above in regions.ancestors(row["region_code"]))}
    for it in sources:
        some = (frozenset(each[it["id"]]) for each in (stopped, has, lists))
        yield Source(it["id"], it["region_code"], it["as_of"], it["is_stale"], *some)
