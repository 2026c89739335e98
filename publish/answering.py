"""Is this one listed? Listed, not listed or cannot say: the decision alone, from which institution is meant and what a release shows of it.

"Listed" is two words, so that nobody who reads the status alone takes one for the other: `listed` is on a white list in force with no other
list against it, `other_list` is on a black, grey, warning, cancelled or any other list, whether on a white one too or not. A notice in force that puts it on a black list is one.

It never turns what it does not know into "not listed": an ambiguous or nearly equal name, numbers and names that do not fit each other, a source that is
stale or held, a region that no source covers are each a reason to say "cannot say". What may hurt somebody (a list that is not harmless, a notice)
is told of an institution that was named by credit code, by permit number, or by its exact legal name alone in its county, and of no other; of
one named otherwise the answer is the same whether there is such a thing or not. Knows no database, no web and no index.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .meant import CODE, MOST_CANDIDATES, PERMIT, Asked, Candidate, Identity
from .regions import COUNTRY, Regions
from .rules import HARMLESS
from .telling import name_key

LISTED, OTHER_LIST, NOT_LISTED, CANNOT_SAY = STATUSES = "listed", "other_list", "not_listed", "cannot_say"
WHITE, BLACK = "white", "black"
NOTHING_THERE = ("region_not_covered", "region_empty")  # of a region the sources have nothing
NO_SUCH_PLACE = "place_not_covered"  # a note: of the place that the name begins with
UNTOLD = "harm_untold"  # a note: of a name alone nothing is told that speaks against it, whether there is anything or not
OPERATING = "operating"  # of the codes of institution_statuses the one by which nothing has ended or is suspended
PEACEFUL = (WHITE, "normal")  # an allow-list: beside any other list nobody is `listed`
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Source:
    """What one source says of regions: `region` it covers, `held` are those that are not updated (codes, or names where it has none), `regions`
    those of its listings with all that they lie in: none of a source that has no list. `lists` are which it has."""

    id: str
    region: str | None
    as_of: str | None
    is_stale: bool = False
    held: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Naming:
    """The notices in force that name what was asked itself: its number, or exactly the name in that county."""

    by_number: tuple[Row, ...] = ()
    by_name: tuple[Row, ...] = ()


@dataclass(frozen=True)
class Answer:
    """`reasons` say why it is this answer, `notes` what else to know; both are keys of wording. `listings` have former ones and those that
    nobody can be sure of too; `on` are those that it is on by a status that says so, those against it first, as everywhere. `notices` are None where nothing may be said;
    `none_is_known` is whether there is none where none is found (web/covered.py)."""

    status: str
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    found: Candidate | None = None
    on: tuple[Row, ...] = ()
    listings: tuple[Row, ...] = ()
    notices: tuple[Row, ...] | None = None
    unmatched: tuple[Row, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    sources: tuple[Source, ...] = ()  # those in which it is not listed
    none_is_known: bool = False

    @property
    def notices_in_force(self) -> int | None:
        """How many notices in force it has; None where nobody may say or know."""
        return None if self.notices is None else number_known(self.notices, self.none_is_known)

    @property
    def lists(self) -> tuple[str, ...]:
        """The lists that it is on, each once."""
        return tuple(dict.fromkeys((*([BLACK] if "black_notice" in self.reasons else []), *(it["list"] for it in self.on))))

    @property
    def heading(self) -> str:
        """The key of its heading: its status in words, and of a name alone what was not looked up, for silence about that reads like a clearance."""
        if self.has_white_name:
            return "verify.white_name"
        return "verify.name_nowhere" if self.status == NOT_LISTED and UNTOLD in self.notes else f"verify.status.{self.status}"

    @property
    def has_white_name(self) -> bool:
        """Whether a white list in force has the name, of which alone nothing is said."""
        return self.reasons == ("name_alone",) and any(
            it["list"] == WHITE and not (it["absent_since"] or it["is_over"] or it["is_to_come"]) for it in self.listings
        )


def number_known(found: Sequence[Row], none_is_known: bool) -> int | None:
    """How many were found; None where none was and that says nothing, so that 0 is none."""
    return len(found) if found or none_is_known else None


def cannot_say(*reasons: str, candidates: Iterable[Candidate] = ()) -> Answer:
    """The answer where there is none."""
    return Answer(CANNOT_SAY, reasons, candidates=tuple(candidates)[:MOST_CANDIDATES])


def decide(
    asked: Asked,
    identity: Identity,
    card: Row | None,
    sources: Sequence[Source],
    regions: Regions,
    naming: Naming = Naming(),
    place: str | None = None,
) -> Answer:
    """The answer. `card` is what the release shows of the institution that was found today: its listings, notices in force, and what is held; `place` is
    the region that the name says, where none was asked."""
    answer = _decide(asked, identity, card, sources, regions)
    if identity.found is None and place and (why := silence(place, sources, regions)):
        answer = cannot_say(why, candidates=answer.candidates) if answer.status == NOT_LISTED else answer
        if why in NOTHING_THERE:
            answer = replace(answer, notes=(*answer.notes, NO_SUCH_PLACE))
    if identity.found is not None and (identity.is_sure or identity.found.how in (CODE, PERMIT)):
        return answer  # its own notices are linked to it
    if answer.status == NOT_LISTED and not (asked.code or asked.permit or asked.is_county):
        answer = replace(answer, notes=(*answer.notes, UNTOLD))
    return _beside(asked, answer, naming)


def _beside(asked: Asked, answer: Answer, naming: Naming) -> Answer:
    """The answer with the notices that name what nobody in the register has: a black one is a list for its number, and a doubt for its name."""
    black = [it for it in naming.by_number if it["is_blacklisting"]]
    if any(not asked.name or name_key(asked.name) == name_key(it["subject_name"]) for it in black):
        return replace(answer, status=OTHER_LIST, reasons=("black_notice",), notices=naming.by_number, on=(), sources=())
    named = tuple({it["id"]: it for it in (*naming.by_number, *naming.by_name)}.values())
    if not named:
        return answer
    answer = replace(answer, unmatched=named, notes=(*answer.notes, "notice_names"))
    if answer.status != CANNOT_SAY and (black or any(it["is_blacklisting"] for it in naming.by_name)):
        return replace(answer, status=CANNOT_SAY, reasons=("maybe_black_notice",), on=(), sources=())
    return answer


def _decide(asked: Asked, identity: Identity, card: Row | None, sources: Sequence[Source], regions: Regions) -> Answer:
    if identity.found is not None and card is None:
        return cannot_say("error")  # the index knows one that the release does not have
    if identity.found is None or card is None:
        if identity.reasons:
            return cannot_say(*identity.reasons, candidates=identity.candidates)
        return _absent(asked.region, sources, regions, candidates=identity.candidates)
    return _found(identity, card, sources, regions)


def _found(identity: Identity, card: Row, sources: Sequence[Source], regions: Regions) -> Answer:
    assert identity.found is not None
    stale = {source.id for source in sources if source.is_stale}
    told = sorted((it for it in card["listings"] if identity.is_sure or it["list"] in HARMLESS), key=_against_first)
    there = [it for it in told if not it["absent_since"] and not it["is_over"]]
    now = [it for it in there if not it["is_to_come"]]
    sound = [it for it in now if it["source_id"] not in stale and not it["held_since"]]
    notes = [*identity.notes]
    if not identity.is_sure:
        notes.append(UNTOLD)
    if card["absent_since"]:
        notes.append("institution_left")
    if card["permits"] and all(permit["state"] == "expired" for permit in card["permits"]):
        notes.append("permit_over")
    if identity.is_sure and card["notices_held_since"]:
        notes.append("notices_held")
    notices, unmatched = (tuple(card["notices_in_force"]), tuple(card["unmatched_notices"])) if identity.is_sure else (None, ())
    rest: dict[str, Any] = {
        "notes": tuple(notes), "found": identity.found, "listings": tuple(told), "notices": notices, "unmatched": unmatched, "candidates": identity.candidates,
    }  # fmt: skip
    if not identity.is_sure:  # what speaks against it is not told, so that nothing is said for it either
        return Answer(CANNOT_SAY, ("name_alone",), **rest)
    against = [it for it in now if it["list"] not in PEACEFUL]
    weighed = against or [it for it in now if it["list"] == WHITE] or now
    rest["on"] = tuple(sound)
    if not any(it in sound for it in against) and any(it["is_blacklisting"] for it in notices or ()):
        return Answer(OTHER_LIST, ("black_notice",), **rest)
    if any(it in sound for it in weighed):
        doubts = () if against else tuple(_doubts(card, notices or (), unmatched, [it for it in there if it["is_to_come"]]))
        if doubts:
            return Answer(CANNOT_SAY, doubts, **{**rest, "on": ()})
        return Answer(LISTED, ("is_listed",), **rest) if weighed[0]["list"] == WHITE else Answer(OTHER_LIST, ("on_other_list",), **rest)
    rest["on"] = ()
    if now:
        why = {"stale_source": any(it["source_id"] in stale for it in weighed), "held": any(it["held_since"] for it in weighed)}
        return Answer(CANNOT_SAY, tuple(reason for reason, is_so in why.items() if is_so), **rest)
    if any(it["is_blacklisting"] for it in unmatched):
        return Answer(CANNOT_SAY, ("maybe_black_notice",), **rest)
    if any(it["is_to_come"] for it in there):
        return Answer(CANNOT_SAY, ("to_come",), **rest)
    searched = _absent(card["region_code"], sources, regions)
    if searched.status == CANNOT_SAY:
        return Answer(CANNOT_SAY, searched.reasons, **rest)
    left = "left" if any(it["absent_since"] for it in told) else "over" if told else "registered"
    return Answer(NOT_LISTED, (left,), sources=searched.sources, **{**rest, "notes": (*notes, *searched.notes)})


def _doubts(card: Row, notices: Iterable[Row], unmatched: Iterable[Row], to_come: Iterable[Row]) -> Iterator[str]:
    """Why one on a white list alone is not said to be listed: what speaks against it is no list."""
    if card["status"] not in (None, OPERATING):
        yield "not_operating"
    if any(it["is_revoking"] for it in notices):
        yield "permit_revoked"
    if any(it["is_blacklisting"] for it in unmatched):
        yield "maybe_black_notice"
    if any(it["list"] not in PEACEFUL for it in to_come):
        yield "to_come"


def _against_first(listing: Row) -> tuple[bool, bool]:
    return listing["list"] in PEACEFUL, listing["list"] != WHITE


def _absent(region: str | None, sources: Sequence[Source], regions: Regions, candidates: Iterable[Candidate] = ()) -> Answer:
    """Not listed in the sources that cover a region (None: wherever it is), or cannot say where they do not tell of it today."""
    if why := silence(region, sources, regions):
        return cannot_say(why, candidates=candidates)
    lists = tuple(it for it in covering(region, sources, regions) if it.regions)
    notes = [
        *(["stale_elsewhere"] if any(it.is_stale for it in sources) else []),
        *(["held_elsewhere"] if any(it.held for it in sources) else []),
    ]
    return Answer(NOT_LISTED, ("not_found",), tuple(notes), candidates=tuple(candidates)[:MOST_CANDIDATES], sources=lists)


def silence(region: str | None, sources: Sequence[Source], regions: Regions, *, has_all: bool = True) -> str | None:
    """Why it says nothing about a region (None: wherever it is) today that nothing was found in these sources; None where it does.

    Of a list that `has_all` who is on it, one that has nobody of a region was not published there; of what comes now and then it is enough that the source has any.
    """
    wide = covering(region, sources, regions)
    if not wide:
        return "region_needed" if region is None else "region_not_covered"
    lists = [it for it in wide if it.regions]
    if any(it.is_stale for it in lists) or all(it.is_stale for it in wide):  # what is fresh beside it does not have its list
        return "stale_source"
    if region and any(meets(it.held, region, regions) for it in wide):
        return "held"
    if not any(region in it.regions if region and has_all else it.regions for it in lists):
        return "region_empty"
    return None


def nothing_of(place: str | None, sources: Sequence[Source], regions: Regions) -> str | None:
    """Why nobody of a place could have been found in these sources, whenever they are of; None where one could, or there is no place."""
    why = silence(place, sources, regions) if place else None
    return why if why in NOTHING_THERE else None


def covering(region: str | None, sources: Sequence[Source], regions: Regions) -> list[Source]:
    """The sources of a region, and of what it lies in."""
    wide = {COUNTRY} if region is None else {COUNTRY, region, *(above.code for above in regions.ancestors(region))}
    return [it for it in sources if it.region in wide]


def meets(held: Iterable[str], region: str, regions: Regions) -> bool:
    """Whether a held region is, holds or lies in a region; one without a code could be anywhere."""
    return any(not code[:6].isdigit() or regions.is_within(code, region) or regions.is_within(region, code) for code in held)
