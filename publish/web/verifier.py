"""Ask a release whether an institution is listed: what `answering` decides from, looked up. Knows nothing of requests; the command line asks here too."""

import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import orjson

import search

from ..answering import Answer, Naming, Row, cannot_say, decide
from ..coverage import LISTS
from ..errors import BadHome
from ..meant import (
    CODE_NEAR,
    MOST_CANDIDATES,
    NEAR,
    Asked,
    Candidate,
    Identity,
    Known,
    Query,
    identify,
    near_codes,
    place_of,
    read,
    region_of,
)
from ..regions import Region, Regions
from ..telling import name_key, tells_apart
from . import covered, facts, queries
from .reader import NoIndex, Reader
from .romanised import Romanised

PROBES = 3
HITS = 50  # of a name; more of one exact name is ambiguous all the same
NAMES = ("name", "institution_aliases.name")  # fields of the index
# how a name matches that `near` cannot see. Not TYPO: of a whole name with another brand two characters of sixteen are wrong.
LIKE = (search.WORDS, search.SOUND, search.INITIALS)
SHORT_LEVELS = ("province", "city")  # whose short names stand in names of institutions; those of counties are brands as often
DIGITS = re.compile(r"(?:教民)?([0-9]{13}|[0-9]{15})")  # of a permit number
log = logging.getLogger(__name__)


class Verifier:
    """Answers of one release on one day. What holds for all of them is worked out once for the release and the day."""

    def __init__(self, reader: Reader, today: str) -> None:
        self.reader, self.today = reader, today
        self.regions = reader.territory
        self.sources = facts.coverage(reader, today).sources[LISTS]
        self._places = reader.once(today, "places", lambda: frozenset(_short_names(self.regions)))
        self._latin = reader.once(today, "regions in Pinyin", lambda: Romanised(self.regions, today))
        self._region = lru_cache(4_096)(
            lambda text: region_of(self._latin.code(text) or text, self.regions, today)
        )  # a list has few, and one costs more than all the rest

    def verify(self, query: Query) -> tuple[Asked, Answer]:
        """The answer, whatever the query is and whatever is broken: an error is "cannot say"."""
        asked = Asked()
        try:
            asked = read(query, self._region)
            answer = self._answer(query, asked)
            return asked, replace(answer, notes=(*asked.notes, *answer.notes))
        except NoIndex:
            return asked, cannot_say("unsearchable")
        except Exception:
            log.exception("a question could not be answered")  # without the question: nobody's is written down
            return asked, cannot_say("error")

    def _answer(self, query: Query, asked: Asked) -> Answer:
        if "code_invalid" in asked.faults:
            return cannot_say(*asked.faults, candidates=self._mistyped(query.code or query.name))
        if asked.faults and asked.faults != ("region_unclear",):
            return cannot_say(*asked.faults)
        identity = self.identity(asked)
        found = [identity.found] if identity.found else []
        if asked.faults:  # several regions have that name: whoever may be meant shows which
            return cannot_say(*asked.faults, candidates=(*found, *identity.candidates))
        cards = facts.cards(self.reader, [one.known.id for one in found], self.today)
        place = None if found or asked.region else place_of(asked.name, self.regions)
        card = cards[0] if cards else None
        answer = decide(asked, identity, card, self.sources, self.regions, self._naming(asked), place)
        return replace(answer, none_is_known=covered.no_notice_is_none(self.reader, self.today, card)) if card else answer

    def _naming(self, asked: Asked) -> Naming:
        """The notices in force that name the number that was asked, or the name to the letter in the county."""
        known = _all_named(self.reader, self.today)
        numbers = [asked.code, _digits(asked.permit) if tells_apart(asked.permit) else None]
        by_name = known.get(("name", name_key(asked.name)), ()) if asked.is_county else ()
        return Naming(
            tuple({it["id"]: it for number in numbers if number for it in known.get(("number", number), ())}.values()),
            tuple(it for it in by_name if asked.region and it["region_code"] and self.regions.is_within(it["region_code"], asked.region)),
        )

    def meanings(self, text: str) -> tuple[Region, ...]:
        """Every region that a code or name may mean, in Chinese or in Pinyin."""
        return self.regions.meanings(text) or self._latin.meanings(text)

    def identity(self, asked: Asked, hits: Sequence[search.Hit] | None = None, most: int = HITS) -> Identity:
        """Which institution is meant. `hits` are what the index finds for the name, where the caller knows already, and asked for `most`."""
        asked = self._as_printed(asked)
        by_number = self._numbered(asked)
        if asked.permit and not by_number and not asked.name and not asked.code:
            return self._near_permit(asked.permit)
        if by_number or not asked.name:
            return identify(asked, by_number, (), self.regions, self._places)
        if hits is None:
            self.assure()
        identity = self._named(asked, asked.name, hits, most)
        brand = search.parts(asked.name, self._places)[1]
        if identity.found or identity.reasons or brand == search.compact(asked.name):
            return identity
        wider = self._named(asked, brand)  # leads to those of another place or kind; only here: looking for what is near takes milliseconds
        return wider if wider != Identity() else identity

    def _named(self, asked: Asked, words: str, hits: Sequence[search.Hit] | None = None, most: int = HITS) -> Identity:
        """Who is meant among those that the index has for some words: `hits`, where they are known."""
        if hits is None:
            hits = self.reader.index.search(words, kind="institution", limit=HITS).hits
        is_one = len(search.compact(words)) == 1  # character: it is in names, and in no name is it enough to be near
        like = {
            hit.id for hit in hits for it in hit.why if it.field == search.IDENTIFIER or (it.field in NAMES and (is_one or it.how in LIKE))
        }
        identity = identify(
            asked, (), self._known([hit.id for hit in hits]), self.regions, self._places, like if words == asked.name else ()
        )
        if identity.found and sum(hit.exact for hit in hits) >= most:  # of those that were not looked at one may be in the region too
            return Identity(reasons=("ambiguous",), candidates=(identity.found, *identity.candidates))
        return identity

    def _near_permit(self, permit: str) -> Identity:
        """Who has a permit number near one that nobody has: it has no check digit, and a slip must not read as "not listed"."""
        self.assure()
        hits = self.reader.index.search(permit, kind="institution", limit=MOST_CANDIDATES).hits
        near = [hit.id for hit in hits if any(it.field == search.IDENTIFIER for it in hit.why)]
        alike = tuple(Candidate(one, NEAR, one.name) for one in self._known(near))
        return Identity(reasons=("near_permit",) if alike else (), candidates=alike)

    def assure(self) -> None:
        """Raises BadHome where the index does not belong to the release."""
        if not self.reader.once(self.today, "index finds", self._finds):
            raise BadHome(f"{self.reader.folder.name}: the search index does not find what the release has; build it again")

    def _finds(self) -> bool:
        """Whether the index finds some of the release's own institutions by their names: an empty one would say "not listed" of everybody."""
        names = [row["name"] for row in self.reader.rows(queries.SOME, PROBES)]
        found = {name: self.reader.index.search(name, kind="institution", limit=HITS).hits for name in names if search.compact(name)}
        return all(any(search.compact(hit.title) == search.compact(name) for hit in hits) for name, hits in found.items())

    def _as_printed(self, asked: Asked) -> Asked:
        """With the permit number as the release has it: the digits alone are it too."""
        if asked.permit and (digits := DIGITS.fullmatch(asked.permit)):
            for permit in (asked.permit, digits[1], f"教民{digits[1]}"):
                if self.reader.rows(queries.BY_PERMIT, orjson.dumps([permit]).decode(), 1):
                    return replace(asked, permit=permit)
        return asked

    def _numbered(self, asked: Asked) -> list[Known]:
        ids: dict[str, None] = {}
        for sql, number in ((queries.BY_CODE, asked.code), (queries.BY_PERMIT, asked.permit)):
            if number:
                ids |= dict.fromkeys(row["id"] for row in self.reader.rows(sql, orjson.dumps([number]).decode(), HITS))
        return self._known(list(ids))

    def _mistyped(self, typed: str) -> list[Candidate]:
        """Who has a code that is one slip away from what was typed."""
        codes = near_codes(typed)
        rows = self.reader.rows(queries.BY_CODE, orjson.dumps(codes).decode(), MOST_CANDIDATES) if codes else []
        return [Candidate(one, CODE_NEAR, one.code or "") for one in self._known([row["id"] for row in rows])]

    def _known(self, ids: Sequence[str]) -> list[Known]:
        asked = orjson.dumps(ids).decode()
        rows = {row["id"]: row for row in self.reader.rows(queries.MEANT, asked)} if ids else {}
        parts: dict[str, dict[str, Any]] = {id: {"aliases": (), "permits": (), "sites": ()} for id in rows}
        for part, sql in (("aliases", queries.MEANT_ALIASES), ("permits", queries.MEANT_PERMITS), ("sites", queries.MEANT_SITES)):
            for row in self.reader.rows(sql, asked) if rows else ():
                id, *values = row.values()
                parts[id][part] += (tuple(values) if len(values) > 1 else values[0],)
        return [Known(**rows[id], **parts[id]) for id in ids if id in rows]


def naming(reader: Reader, today: str, name: str) -> list[str]:
    """The ids of the notices in force about an organisation of exactly this name, wherever: one may be about another of the name, linked or not."""
    return [it["id"] for it in _all_named(reader, today).get(("name", name_key(name)), ())]


def _all_named(reader: Reader, today: str) -> dict[tuple[str, str | None], list[Row]]:
    return reader.once(today, "notices by whom they name", lambda: _named(reader.rows(queries.NAMING, "", today)))


def _digits(permit: str | None) -> str | None:
    """A permit number without what may stand around it."""
    found = DIGITS.fullmatch(permit or "")
    return found[1] if found else permit


def _named(notices: Iterable[Row]) -> dict[tuple[str, str | None], list[Row]]:
    known: dict[tuple[str, str | None], list[Row]] = defaultdict(list)
    for row in notices:
        for key in (
            ("number", row["subject_credit_code"]),
            ("number", _digits(row["subject_permit_no"])),
            ("name", name_key(row["subject_name"])),
        ):
            if key[1]:
                known[key].append(row)
    return dict(known)


def _short_names(regions: Regions) -> Iterable[str]:
    for row in regions.rows():
        if row.level in SHORT_LEVELS:
            yield row.name_zh
            yield row.name_zh.removesuffix("省").removesuffix("市").removesuffix("地区")
