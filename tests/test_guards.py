"""Each guard's own table of cases, and proof that the table would notice a guard that is turned round or taken out.

A pipeline of this kind ran for years with a guard that was coded the wrong way round. So every comparison of guards.py and review.py is turned
round here, one at a time, and every guard is emptied, and each time some case of the table must fail.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import apsw
import pytest

from mutants import turned_round
from publish import guards, review
from publish.assembled import Assembled
from publish.audit import Entry
from publish.bounds import Bounds
from publish.catalogue import Catalogue
from publish.measure import Counts
from publish.partitions import Place

ALL = Bounds(
    {f"{scope}_{name}": 0.1 if scope == "total" else 0.2 for scope in ("total", "partition") for name in guards.GUARDS}
    | {"small_rows": 3, "small_total": 0, "small_adverse": 10}
)
ROWS = {("rows", "before"): 100.0, ("rows", "now"): 100.0, ("kept", ""): 100.0}


def counts(**more: float) -> Counts:
    """Counts of a hundred rows that did not move, but for what is given as what__subject=number."""
    return {**ROWS, **{(what, subject): number for key, number in more.items() for what, _, subject in [key.partition("__")]}}


def few(before: float, kept: float, **more: float) -> Counts:
    """Counts of a few rows."""
    return {**counts(**more), ("rows", "before"): before, ("rows", "now"): kept, ("kept", ""): kept}


# guard, scope, counts, whether it finds something
CASES: list[tuple[str, str, Counts, bool]] = [
    ("lost", "partition", few(100, 80), False),
    ("lost", "partition", few(100, 79), True),
    ("lost", "partition", few(10, 7), False),
    ("lost", "partition", few(10, 6), True),
    ("lost", "partition", few(3, 0), True),
    ("lost", "partition", few(2, 0), False),
    ("lost", "partition", few(100, 70, explained=15), False),
    ("lost", "partition", few(100, 60, explained=15), True),
    ("lost", "partition", few(100, 0, explained=100), False),
    ("lost", "partition", few(0, 0), False),
    ("lost", "total", few(100, 90), False),
    ("lost", "total", few(100, 89), True),
    ("lost", "total", few(1, 0), True),
    ("lost", "total", few(1, 0, explained=1), False),
    ("added", "partition", counts(added=36), False),
    ("added", "partition", counts(added=37), True),
    ("added", "partition", few(0, 50, added=50), False),
    ("added", "total", counts(added=22), False),
    ("added", "total", counts(added=23), True),
    ("changed", "partition", counts(changed__name=32), False),
    ("changed", "partition", counts(changed__name=33), True),
    ("changed", "partition", few(4, 4, changed__name=4), True),
    ("changed", "partition", few(3, 3, changed__name=3), False),
    ("changed", "partition", few(0, 0), False),
    ("emptied", "partition", counts(filled_before__address=100, filled_now__address=68), False),
    ("emptied", "partition", counts(filled_before__address=100, filled_now__address=67), True),
    ("emptied", "partition", counts(filled_before__address=6, filled_now__address=0), True),
    ("emptied", "partition", counts(filled_before__address=3, filled_now__address=0), False),
    ("emptied", "partition", counts(filled_before__address=0, filled_now__address=100), False),
    ("emptied", "partition", counts(filled_before__address=60, filled_now__address=30), True),
    ("emptied", "partition", counts(filled_before__address=10, filled_now__address=10, blanked__address=5), True),
    ("emptied", "partition", counts(filled_before__address=10, filled_now__address=10, blanked__address=4), False),
    ("emptied", "partition", counts(filled_before__address=100, filled_now__address=100, blanked__address=20), False),
    ("emptied", "partition", counts(filled_before__address=100, filled_now__address=100, blanked__address=21), True),
    ("emptied", "partition", counts(filled_before__address=10, filled_now__address=10, blanked__address=3), False),
    ("emptied", "partition", counts(filled_before__address=60, filled_now__address=30) | {("kept", ""): 60, ("added", ""): 40}, False),
    ("emptied", "partition", counts(filled_before__address=60, filled_now__address=10) | {("kept", ""): 60, ("added", ""): 40}, True),
    ("emptied", "partition", few(100, 0, filled_before__address=100, filled_now__address=0), False),
    ("codes", "partition", {**counts(), ("code_before", "status=open"): 90, ("code_now", "status=open"): 59}, False),
    ("codes", "partition", {**counts(), ("code_before", "status=open"): 90, ("code_now", "status=open"): 57}, True),
    ("codes", "partition", {**counts(), ("code_now", "status=shut"): 40}, True),
    ("codes", "partition", {**few(3, 3), ("code_now", "status=shut"): 3}, False),
    ("codes", "partition", {**few(100, 0), ("code_before", "status=open"): 90}, False),
    ("chinese", "partition", counts(filled_before__name=100, filled_now__name=100, chinese_before__name=95, chinese_now__name=63), False),
    ("chinese", "partition", counts(filled_before__name=100, filled_now__name=100, chinese_before__name=95, chinese_now__name=62), True),
    ("traded", "partition", counts(traded__name=32), False),
    ("traded", "partition", counts(traded__name=33), True),
    ("traded", "partition", few(3, 3, traded__name=3), False),
    ("scaled", "partition", counts(scaled__name=32), False),
    ("scaled", "partition", counts(scaled__name=33), True),
    ("scaled", "partition", few(3, 3, scaled__name=3), False),
    ("cut", "partition", counts(cut__name=32), False),
    ("cut", "partition", counts(cut__name=33), True),
    ("cut", "partition", few(3, 3, cut__name=3), False),
    ("doubled", "partition", counts(doubled_before=2, doubled_now=34), False),
    ("doubled", "partition", counts(doubled_before=2, doubled_now=35), True),
    ("doubled", "partition", few(0, 10, doubled_now=9), False),
    ("doubled", "partition", few(10, 0, doubled_before=9), False),
    ("chinese", "partition", counts(filled_before__name=0, filled_now__name=100, chinese_now__name=0), False),
    ("chinese", "partition", counts(filled_before__name=100, filled_now__name=0, chinese_before__name=95), False),
    ("invalid", "partition", counts(written_before__code=100, written_now__code=100, invalid_before__code=1, invalid_now__code=33), False),
    ("invalid", "partition", counts(written_before__code=100, written_now__code=100, invalid_before__code=1, invalid_now__code=34), True),
    ("invalid", "partition", counts(written_before__code=100, written_now__code=100, invalid_before__code=90, invalid_now__code=90), False),
    ("dates", "partition", counts(filled_before__on=100, filled_now__on=100, dates_before__on=0, dates_now__on=32), False),
    ("dates", "partition", counts(filled_before__on=100, filled_now__on=100, dates_before__on=0, dates_now__on=33), True),
    ("unlinked", "partition", counts(linked_before=50, linked_now=32), False),
    ("unlinked", "partition", counts(linked_before=50, linked_now=31), True),
    ("unlinked", "partition", counts(linked_before=0, linked_now=0), False),
    ("unlinked", "partition", few(50, 0, linked_before=50), False),
    ("adverse_added", "partition", counts(adverse_before=20, adverse_added=20), False),
    ("adverse_added", "partition", counts(adverse_before=20, adverse_added=21), True),
    ("adverse_added", "partition", counts(adverse_before=0, adverse_added=10), False),
    ("adverse_added", "partition", counts(adverse_before=0, adverse_added=11), True),
    ("adverse_removed", "partition", counts(adverse_before=100, adverse_removed=43), False),
    ("adverse_removed", "partition", counts(adverse_before=100, adverse_removed=44), True),
    ("adverse_removed", "partition", counts(adverse_before=11, adverse_removed=11), True),
    ("adverse_removed", "partition", counts(adverse_before=10, adverse_removed=10), False),
    ("week", "partition", counts(stood_week__then=100, gone_week__then=21), False),
    ("week", "partition", counts(stood_week__then=100, gone_week__then=22), True),
    ("week", "partition", counts(stood_week__then=10, gone_week__then=3), False),
    ("week", "partition", counts(stood_week__then=10, gone_week__then=4), True),
    ("week", "partition", counts(stood_week_apart__then=100, gone_week_apart__then=22), True),
    ("week", "partition", few(0, 0, stood_week__then=100, gone_week__then=100), False),
    ("week", "total", counts(stood_week__then=100, gone_week__then=11), False),
    ("week", "total", counts(stood_week__then=100, gone_week__then=12), True),
    ("week", "total", counts(stood_week_apart__then=100, gone_week_apart__then=100), False),
    ("month", "partition", counts(stood_month__then=100, gone_month__then=23), False),
    ("month", "partition", counts(stood_month__then=100, gone_month__then=24), True),
]  # fmt: skip


def finds(module: Any, guard: str, scope: str, found: Counts) -> bool:
    """Whether a module's guard of that name finds something in counts."""
    return guard in {name for name, _ in module.judged(found, ALL, scope)}


@pytest.mark.parametrize(("guard", "scope", "found", "expected"), CASES)
def test_a_guard_finds_what_is_beyond_its_bound_and_nothing_else(guard: str, scope: str, found: Counts, expected: bool) -> None:
    assert finds(guards, guard, scope, found) == expected


def test_every_guard_has_a_table() -> None:
    assert {guard for guard, *_ in CASES} == guards.GUARDS.keys()


def not_free(module: Any) -> set[str]:
    """The columns about which something is found where as_of is free."""
    found = {
        **counts(changed__as_of=100, changed__name=100, filled_before__as_of=100),
        ("code_now", "as_of=x"): 90.0,
        ("code_now", "name=x"): 90.0,
    }
    return {f"{name} {off.subject}" for name, off in module.judged(found, replace(ALL, free=frozenset(["as_of"])), "total")}


RIGHTLY = {"changed name", "codes name=x", "emptied as_of"}


def test_a_column_that_is_free_may_change_in_every_row_and_not_be_blanked() -> None:
    assert not_free(guards) == RIGHTLY


# -- review: what follows -------------------------------------------------------------------------------------------

LOST = few(100, 0)


def partitions(spoilt: int, of: int = 20, table: str = "institutions", how: Counts = LOST) -> dict[Place, Counts]:
    """So many of a source's counties spoilt."""
    return {("platform", table, f"33{number:04d}"): (how if number < spoilt else counts()) for number in range(of)}


def leaking(spoilt: int, of: int, gone: float = 40, table: str = "institutions", by: float = 0) -> dict[Place, Counts]:
    """So many of a source's counties without `gone` of the hundred rows of a week ago, and the others without `by`."""
    return {
        place: {**counts(), ("stood_week", "then"): 100.0, ("gone_week", "then"): gone if number < spoilt else by}
        for number, place in enumerate(partitions(0, of, table))
    }


def entry(reason: str) -> Entry:
    return Entry(1, "2026-11-01T00:00:00Z", "refuse", "张三", reason, {}, "", "")


def made(unusable: Mapping[str, tuple[int, int]], rows: int = 1) -> Assembled:
    return Assembled(Path(), "2026-11-01", {}, unusable, {"institutions": rows, "notices": 0}, {}, None)


def outcomes(module: Any, catalogue: Catalogue) -> Iterator[tuple[str, Any, Any]]:
    """(what is asked, what `module` says, what is right) of everything that review decides."""

    def held(parts: dict[Place, Counts], **more: Any) -> tuple[int, set[str], set[int]]:
        found = module.guard(parts, catalogue, **more)
        return len(found.holds), {f.bound for f in found.findings if f.effect == "stop"}, {f.names for f in found.findings}

    yield "nothing moved", held(partitions(0)), (0, set(), set())
    yield "a county of a hundred", held(partitions(1, 100)), (1, set(), {1})
    yield "a county of twenty is a twentieth in total", held(partitions(1)), (1, set(), {1})
    yield "two of twenty are held and more than a twentieth", held(partitions(2)), (2, {"total_lost"}, {1})
    yield "two that were held already do not stop every day", held(partitions(2), already=set(partitions(2)) & set(list(partitions(2))[:2])), (2, set(), {1})  # fmt: skip
    yield "four of twenty are a fifth", held(partitions(4)), (4, {"total_lost"}, {1})
    yield "five of twenty are no accident of a county", held(partitions(5)), (0, {"partition_lost", "held", "total_lost"}, {1})
    beside = {("platform", "notices", f"33{n:04d}"): few(2, 0) if n < 2 else counts() for n in range(20)}
    beside = {**partitions(1), **beside, ("platform", "listings", "330000"): counts()}
    cut = [("platform", "institutions", "330000"), ("platform", "notices", "330000")]
    yield "the two notices of a county that was cut", sorted(module.guard(beside, catalogue).holds), cut
    yield "of one whose loss is accepted", sorted(module.guard(beside, catalogue, {cut[1]: ("lost",)}).holds), cut[:1]
    large = {**partitions(0), ("platform", "institutions", "339999"): few(1000, 0)}
    yield "one that is most of the source", held(large), (0, {"partition_lost", "held", "total_lost"}, {1})
    yield "what went bit by bit in a county", held(leaking(1, 100)), (1, set(), {1})
    yield "what went bit by bit everywhere", held(leaking(0, 20, by=7)), (0, {"total_week"}, {1})
    yield "a county that is held for it is not in the total", held(leaking(1, 10, 90)), (1, set(), {1})
    yield "what went bit by bit and is accepted", held(leaking(1, 10, 90), accepted={cut[0]: module.LOSSES}), (0, set(), set())
    yield "the two notices of a county that went bit by bit", sorted(module.guard({**beside, **leaking(1, 20)}, catalogue).holds), cut
    both_losses = {
        **leaking(0, 100),
        cut[0]: {**few(100, 0), ("stood_week", "then"): 100.0, ("gone_week", "then"): 100.0},
        cut[1]: counts(),
    }
    both_losses[cut[1]] = {**few(10, 5, changed__facts=5, changed__title=5), ("stood_week", "then"): 10.0, ("gone_week", "then"): 5.0}
    said = [f.bound for f in module.guard(both_losses, catalogue).findings if f.region]
    yield (
        "a loss is said once of each table, all else as often as it is",
        said,
        ["partition_lost", "partition_lost", *["partition_changed"] * 2],
    )
    tiny = {**partitions(0, 4), **{("platform", "institutions", f"34{n:04d}"): few(5, 0) for n in range(4)}}
    yield "four small ones of eight", held(tiny), (0, {"partition_lost", "held"}, {1})
    yield "three small ones of seven", held(dict(list(tiny.items())[:7])), (3, set(), {1})
    accepted = ("platform", "institutions", "330000")
    yield "what somebody accepted", held(partitions(1, 100), accepted={accepted: module.ACCEPTABLE}), (0, set(), set())
    moved = ("platform", "institutions", "339999")
    renamed = {**partitions(0), moved: few(1000, 1000, changed__name=1000)}
    yield "a county of new names", held(renamed), (0, {"partition_changed", "held", "total_changed"}, {1})
    yield "new names that somebody accepted", held(renamed, accepted={moved: module.ACCEPTABLE}), (0, set(), set())
    yield "new names are not accepted with a loss", held(renamed, accepted={moved: ("lost",)}), (0, {"partition_changed", "held", "total_changed"}, {1})  # fmt: skip
    yield (
        "what hangs on what",
        [module.hanging_on(table, catalogue) for table in ("institutions", "notices", "ratings")],
        [["ratings"], [], []],
    )
    yield "loses no more", [module.loses_no_more(c, accepted, catalogue) for c in (few(10, 7), few(10, 6), {})], [True, False, False]
    black = counts(adverse_before=100, adverse_added=500)
    blacks = {**partitions(0, 100, "notices"), ("platform", "notices", "330000"): black}
    yield "nobody is put on a black list by one person", held(blacks, accepted={("platform", "notices", "330000"): module.ACCEPTABLE}), (0, {"partition_adverse_added", "total_adverse_added"}, {2})  # fmt: skip
    yield "a part is held with its record", set(module.guard(partitions(1, 100, "permits"), catalogue).holds), {accepted}
    unreadable = {**few(100, 0), ("unreadable", ""): 50.0}
    yield "what may be withdrawn does not come back", held(partitions(1, 100, "notices", unreadable)), (0, {"partition_lost"}, {1})
    some = {**few(100, 0), ("unreadable", ""): 20.0}
    yield "a few of them are not shown", held(partitions(1, 100, "notices", some)), (1, set(), {1})
    yield (
        "a county that is black all at once",
        held(partitions(1, 100, "notices", black)),
        (0, {"partition_adverse_added", "total_adverse_added"}, {2}),
    )
    both = {**few(100, 0), ("adverse_before", ""): 100.0, ("adverse_removed", ""): 100.0}
    yield "a lost county takes nobody from the list", held(partitions(1, 100, "notices", both)), (1, set(), {1})
    unlinked = counts(linked_before=90, linked_now=10)
    spoilt = {**partitions(1, 100), **partitions(1, 100, "notices", unlinked)}
    yield "links hang on what is held", held(spoilt), (1, set(), {1})
    yield "links that nobody explains", held(partitions(1, 100, "notices", unlinked)), (1, set(), {1})
    name = "platform/notices"
    for share, aside, right in (("within", 5, 0), ("beyond", 6, 1)):
        yield f"set aside {share}", len(list(module.unusable(made({name: (100, aside)}), catalogue))), right
    yield "no records at all", len(list(module.unusable(made({name: (0, 0)}), catalogue))), 0
    for now, right in ((0.3, 0), (0.33, 0), (0.4, 1)):
        said = list(module.issues({f"{name} bad_value kind": 0.3}, {f"{name} bad_value kind": now}, {name: 1000}, catalogue))
        yield f"issues {now}", len(said), right
    yield "issues of no record", len(list(module.issues({}, {f"{name} bad_value kind": 1.0}, {}, catalogue))), 0
    yield "three issues", len(list(module.issues({}, {f"{name} bad_value kind": 1.0}, {name: 3}, catalogue))), 0
    yield "empty", len(list(module.empty(made({}, 0)))), 1
    yield "not empty", len(list(module.empty(made({}, 1)))), 0
    content = {"platform": "a"}
    yield "refused", [f.bound for f in module.refused(content, {"a": entry("x")}, {})], ["refused"]
    yield "went back", [f.bound for f in module.refused(content, {"a": replace(entry("x"), act="live")}, {})], ["went_back"]
    yield "older", [f.bound for f in module.refused(content, {}, {"a": "2026-10-01"})], ["old_content"]
    yield "neither", list(module.refused(content, {"b": entry("x")}, {"b": "2026-10-01"})), []
    stop, hold = (list(module.guard(parts, catalogue).findings) for parts in (partitions(5), partitions(1, 100)))
    pair = list(module.guard(partitions(1, 100, "notices", black), catalogue).findings)
    kept = [module.Held("platform", "institutions", "330000", "2026-11-01", "partition_lost")]
    for asked, found, region, right in (("go", [], [], ("go", 0)), ("held", hold, kept, ("go_held", 0)), ("stop", stop, [], ("stop", 1)), ("pair", pair, [], ("stop", 2))):  # fmt: skip
        verdict = module.review(found, region, "2026-11-01", "recipe", {})
        yield asked, (verdict.outcome, verdict.names), right
        for names in ((), ("张三",), ("张三", "李四")):
            yield f"{asked} {names}", not _says(module, verdict, names), len(names) >= right[1]
    verdict = module.review([*hold, *stop], [], "2026-11-01", "recipe", {})
    message = _says(module, verdict)
    yield "the message names three that stop", (message.count("before"), f"and {len(stop) - 3} more" in message, message.count("(partition_lost")), (3, True, 1)  # fmt: skip
    one, more = module.Finding("total_lost", "s", "t", None, "", 9, 1, 0.05, "stop"), {"source": "s", "table": "t", "subject": "", "before": 9, "now": 1, "allowed": 0.2}  # fmt: skip
    region, too_many = (
        module.Finding("partition_lost", **more, region="r", effect="stop"),
        module.Finding("held", **more, region=None, effect="stop"),
    )
    by_two, kept_back = replace(region, bound="partition_adverse_added", names=2), replace(region, effect="hold")
    right = [by_two, one, too_many, region, kept_back]
    yield "causes come first", module.causes_first([kept_back, region, too_many, one, by_two]), right
    yield "however they come", module.causes_first([too_many, one, kept_back, by_two, region]), right
    two = module.review(pair, [], "", "", {})
    yield "and no more where there are no more", "and 2 more" in _says(module, two) or "and 1 more" in _says(module, two), False
    yield "how many must", [said for names in ((), ("张三",)) for said in ("2 must approve it", "张三 approved it and 1 more must") if said in _says(module, two, names)], ["2 must approve it", "张三 approved it and 1 more must"]  # fmt: skip
    yield "one must", "somebody must approve it" in _says(module, module.review(stop, [], "", "", {})), True


def _says(module: Any, verdict: Any, names: tuple[str, ...] = ()) -> str:
    try:
        module.require(verdict, names)
    except review.ReviewNeeded as error:
        return str(error)
    return ""


def test_what_follows_from_what_was_found(catalogue: Catalogue) -> None:
    for asked, said, right in outcomes(review, catalogue):
        assert said == right, asked


# -- would the tables notice? ----------------------------------------------------------------------------------------


def notices_guards(module: ModuleType, _: Catalogue) -> bool:
    return not_free(module) != RIGHTLY or any(finds(module, guard, scope, found) != right for guard, scope, found, right in CASES)


def notices_review(module: ModuleType, catalogue: Catalogue) -> bool:
    return any(said != right for _, said, right in outcomes(module, catalogue))


@pytest.mark.parametrize(("file", "notices"), [("guards.py", notices_guards), ("review.py", notices_review)])
def test_a_guard_that_is_turned_round_or_taken_out_is_noticed(
    file: str, notices: Callable[[ModuleType, Catalogue], bool], catalogue: Catalogue
) -> None:
    missed, tried = [], 0
    for mutant in turned_round(file):
        tried += 1
        try:
            if not notices(mutant.module(), catalogue):
                missed.append(mutant.what)
        except (ZeroDivisionError, ValueError, apsw.Error):
            pass  # noticed, and how
    assert not missed, "\n".join(missed)
    assert tried > 15, "the tables of cases try every comparison"
