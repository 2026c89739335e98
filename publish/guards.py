"""The guards: each looks at the counts of one partition, or of a whole source, for one kind of harm, and says where it is beyond its bound.

A guard knows counts and an allowed share, nothing else: no database, no source, no region. A share of few rows says little, so what is found
must also be beyond what is allowed by more than three standard deviations, and concern more than a few rows.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import sqrt

from .bounds import WINDOWS, Bounds
from .measure import Counts

SIGMAS = 3
USUAL = 0.01  # of its rows a real register changes 0.9% a month and loses 0.3-0.5%; one that moves 0.5% a day loses 1.5%
FEW = {"small_rows": 3.0, "small_total": 3.0, "small_adverse": 10.0}  # where a table that is judged does not say


@dataclass(frozen=True)
class Off:
    """What a guard found: about which column or code, how it was and is, and what is allowed. Rows, or shares of them."""

    subject: str
    before: float
    now: float
    allowed: float


class Counted(Counts):
    """Counts in which what is not there is nought."""

    def __missing__(self, key: tuple[str, str]) -> float:
        return 0.0

    @cached_property
    def by_kind(self) -> dict[str, list[tuple[str, float]]]:
        """The counts of each kind by what they are about, in its order: seven guards look through them all, in each of a thousand regions."""
        found: dict[str, list[tuple[str, float]]] = {}
        for kind, subject in sorted(self):
            found.setdefault(kind, []).append((subject, self[kind, subject]))
        return found


def beyond(found: float, share: float, rows: float, few: float) -> bool:
    """Whether `found`, a share of `rows`, is beyond `share` by more than chance, and concerns more than a few rows."""
    return found > share + SIGMAS * sqrt(share * (1 - share) / rows) and found * rows > few


def _too_many(number: float, share: float, rows: float, few: float) -> bool:
    """Whether a count is more than a share of `rows`, the chance of a count, and a few, allow."""
    return number > share * rows + SIGMAS * sqrt(share * rows) + few


def lost(c: Counted, share: float, b: Mapping[str, float], whole: bool) -> Iterator[Off]:
    """Rule 3, in the letter: more than the share, and more than a few rows; or all of it. What its own source took back is not lost."""
    before, few = c["rows", "before"], b["small_total"] if whole else b["small_rows"]
    gone = before - c["kept", ""] - c["explained", ""]
    vanished = c["kept", ""] == 0 and gone >= (1 if whole else b["small_rows"])
    if vanished or (gone > few and gone > share * before):
        yield Off("", before, before - gone, share)


def added(c: Counted, share: float, b: Mapping[str, float], _: bool) -> Iterator[Off]:
    """More new rows than the share and chance allow: pages given twice under new keys, another register in its place."""
    if _too_many(c["added", ""], share, c["rows", "before"], b["small_rows"]):
        yield Off("", c["rows", "before"], c["rows", "before"] + c["added", ""], share)


def changed(c: Counted, share: float, b: Mapping[str, float], _: bool) -> Iterator[Off]:
    """A column that says something else in too many of the rows that stayed: swapped, shifted, replaced, of another year, times 10,000."""
    yield from _in_what_stayed(c, share, b, "changed")


def traded(c: Counted, share: float, b: Mapping[str, float], _: bool) -> Iterator[Off]:
    """Rows that took a name or a key over from another row: a column was sorted, slipped or shuffled without the others. Nobody else does."""
    yield from _in_what_stayed(c, share, b, "traded")


def scaled(c: Counted, share: float, b: Mapping[str, float], _: bool) -> Iterator[Off]:
    """Amounts that are ten, a hundred, a thousand or ten thousand times what they were: yuan read as 万元, fen as yuan. Nobody else does that."""
    yield from _in_what_stayed(c, share, b, "scaled")


def cut(c: Counted, share: float, b: Mapping[str, float], _: bool) -> Iterator[Off]:
    """Names and texts of which the beginning alone is left: a field was too short for them."""
    yield from _in_what_stayed(c, share, b, "cut")


def _in_what_stayed(c: Counted, share: float, b: Mapping[str, float], what: str) -> Iterator[Off]:
    for column, number in _of(c, what):
        if number and beyond(number / c["kept", ""], share, c["kept", ""], b["small_rows"]):
            yield Off(column, 0, number / c["kept", ""], share)


def emptied(c: Counted, share: float, b: Mapping[str, float], _: bool) -> Iterator[Off]:
    """Of the values that a column had: a column that is mostly empty loses all it has when it is blanked. Counted in the rows that stayed, and
    in all of them: there, those that came and went may have had more or fewer by chance (a month of notices, a third of them new, once had 41%
    with a fine after 45%)."""
    moved = c["added", ""] + c["rows", "before"] - c["kept", ""]
    for column, number in _of(c, "filled_before"):
        if number and c["rows", "now"]:
            before, now = number / c["rows", "before"], c["filled_now", column] / c["rows", "now"]
            chance = SIGMAS * sqrt(before * max(1 - before, 0) * moved) / number
            blanked = c["blanked", column]
            unusual = blanked > share * number and _too_many(blanked, USUAL, number, b["small_rows"])
            if unusual or beyond(1 - now / before - chance, share, number, b["small_rows"]):
                yield Off(column, before, now, share)


def codes(c: Counted, share: float, b: Mapping[str, float], _: bool) -> Iterator[Off]:
    """A code whose share of the rows moved: a status that was flipped for all. Of ratings, a tenth of the scale."""
    for code in sorted({subject for what, subject in c if what in ("code_before", "code_now")}):
        if c["rows", "before"] and c["rows", "now"]:
            before, now = c["code_before", code] / c["rows", "before"], c["code_now", code] / c["rows", "now"]
            if beyond(abs(now - before), share, min(c["rows", "before"], c["rows", "now"]), b["small_rows"]):
                yield Off(code, before, now, share)


def chinese(c: Counted, share: float, b: Mapping[str, float], _: bool) -> Iterator[Off]:
    """Names and texts in which too many characters are no longer Chinese: read in the wrong encoding, or a column of numbers."""
    for column, number in _of(c, "filled_now"):
        if number and c["filled_before", column]:
            before, now = c["chinese_before", column] / c["filled_before", column], c["chinese_now", column] / number
            if beyond(before - now, share, number, b["small_rows"]):
                yield Off(column, before, now, share)


def invalid(c: Counted, share: float, b: Mapping[str, float], _: bool) -> Iterator[Off]:
    """Credit codes that are there and whose check character is wrong, more often than before."""
    yield from _risen(c, share, b, "invalid", "written")


def dates(c: Counted, share: float, b: Mapping[str, float], _: bool) -> Iterator[Off]:
    """Days that no record can have, more often than before: after today, or before there was anything to record."""
    yield from _risen(c, share, b, "dates", "filled")


def _risen(c: Counted, share: float, b: Mapping[str, float], what: str, of: str) -> Iterator[Off]:
    for column, number in _of(c, f"{what}_now"):
        if number and (rows := c[f"{of}_now", column]):
            before, now = c[f"{what}_before", column] / (c[f"{of}_before", column] or 1), number / rows
            if beyond(now - before, share, rows, b["small_rows"]):
                yield Off(column, before, now, share)


def unlinked(c: Counted, share: float, b: Mapping[str, float], _: bool) -> Iterator[Off]:
    """Notices that were about somebody and are no longer, as a share of those that were."""
    if c["linked_before", ""] and c["rows", "now"]:
        before, now = c["linked_before", ""] / c["rows", "before"], c["linked_now", ""] / c["rows", "now"]
        if beyond(1 - now / before, share, c["linked_before", ""], b["small_rows"]):
            yield Off("", before, now, share)


def doubled(c: Counted, share: float, b: Mapping[str, float], _: bool) -> Iterator[Off]:
    """Rows that say what another one says, more often than before: entered again under new keys, or one value dragged down a column."""
    if c["rows", "before"] and c["rows", "now"]:
        before, now = c["doubled_before", ""] / c["rows", "before"], c["doubled_now", ""] / c["rows", "now"]
        if beyond(now - before, share, c["rows", "now"], b["small_rows"]):
            yield Off("", before, now, share)


def adverse_added(c: Counted, share: float, b: Mapping[str, float], _: bool) -> Iterator[Off]:
    """More on the black lists than the share and chance allow."""
    if _too_many(c["adverse_added", ""], share, c["adverse_before", ""], b["small_adverse"]):
        yield Off("", c["adverse_before", ""], c["adverse_before", ""] + c["adverse_added", ""], share)


def adverse_removed(c: Counted, share: float, b: Mapping[str, float], _: bool) -> Iterator[Off]:
    """Fewer on the black lists than the share and chance allow, for whatever reason; or all that a region had."""
    before, gone = c["adverse_before", ""], c["adverse_removed", ""]
    if _too_many(gone, share, before, b["small_adverse"]) or (gone == before and gone > b["small_adverse"]):
        yield Off("", before, before - gone, share)


def week(c: Counted, share: float, b: Mapping[str, float], whole: bool) -> Iterator[Off]:
    """What is gone since a week ago, where no day by itself lost more than it may."""
    yield from _gone_since(c, share, b, "week", whole)


def month(c: Counted, share: float, b: Mapping[str, float], whole: bool) -> Iterator[Off]:
    """What is gone since a month ago, where no week did."""
    yield from _gone_since(c, share, b, "month", whole)


def _gone_since(c: Counted, share: float, b: Mapping[str, float], window: str, whole: bool) -> Iterator[Off]:
    """More than the share, or than a few rows, by more than the chance of what goes in so many days."""
    for kind in (window,) if whole else (window, f"{window}_apart"):
        for since, stood in _of(c, f"stood_{kind}"):
            gone, usual = c[f"gone_{kind}", since], USUAL * WINDOWS[window] / WINDOWS["month"] * stood
            if gone > max(share * stood, b["small_rows"]) + SIGMAS * sqrt(usual):
                yield Off(since, stood, stood - gone, share)


def _of(c: Counted, what: str) -> list[tuple[str, float]]:
    return c.by_kind.get(what, [])


Guard = Callable[[Counted, float, Mapping[str, float], bool], Iterator[Off]]
GUARDS: dict[str, Guard] = {
    guard.__name__: guard
    for guard in (
        lost,
        added,
        changed,
        traded,
        scaled,
        cut,
        emptied,
        codes,
        chinese,
        invalid,
        dates,
        unlinked,
        doubled,
        adverse_added,
        adverse_removed,
        week,
        month,
    )
}


def judged(counts: Counts, bounds: Bounds, scope: str) -> Iterator[tuple[str, Off]]:
    """Each bound of a scope (`total` or `partition`) that the counts pass, and what was found. Where nothing was before, only who comes on a black list is judged."""
    c, small = Counted(counts), {**FEW, **bounds.allowed}
    for name, guard in GUARDS.items():
        if not c["rows", "before"] and name != "adverse_added":
            continue
        share = bounds.allowed.get(f"{scope}_{name}")
        if share is not None:
            for off in guard(c, share, small, scope == "total"):
                if name not in ("changed", "codes") or off.subject.split("=")[0] not in bounds.free:
                    yield name, off
