"""Which record took the place of which: found safely, carried on, never in a circle; and what happens twice on one day stays two things."""

import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from making import approved, credit_code, institution, listing, notice, on, one_province, query, rating, snapshot
from publish import decide
from publish.assembled import Assembled
from publish.catalogue import Catalogue, load
from publish.decide import back
from publish.errors import ReviewNeeded
from publish.identity import make_id
from publish.lineage import Step, leading, lineage
from publish.run import run
from publish.web.reader import Reader
from publish.work import Result, Work

OLD, NEW, THIRD = "OLD", "NEW", "THIRD"
ROWS = "SELECT predecessor_id, successor_id, kind, method, since FROM institution_lineage ORDER BY 1, 2"
CODE = credit_code(7)
pytestmark = pytest.mark.usefixtures("no_downloads")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return one_province()


def of(key: str) -> str:
    return make_id("i", "platform", key)


def one(key: str, number: int = 1, **more: Any) -> dict[str, Any]:
    """A record like any other of its number, under another key."""
    return institution(number, **{"orgId": key, "creditCode": CODE, **more})


MANY = [institution(n) for n in range(100, 210)]  # so that one that goes is within the bounds


def deliver(work: Work, day: int, *records: Mapping[str, Any], more: tuple[Mapping[str, Any], ...] = (), stamp: str = "") -> Result:
    work = on(work, day)
    listings = {
        "institutions": [*MANY, *records],
        "listings": [listing(n) for n in range(100, 103)],
        "notices": [notice(n) for n in range(100, 103)],
        "ratings": [rating(n) for n in range(100, 103)],
    }
    made = snapshot(work.home.path.parent / "handed-in", f"platform-{day:03d}{stamp}", listings, as_of=work.day.isoformat())
    try:
        return run(work, {"platform": str(made.folder)})
    except ReviewNeeded:
        return approved(work)


def days(work: Work, *several: tuple[Mapping[str, Any], ...]) -> list[list[tuple[Any, ...]]]:
    """What the table holds after each day's delivery; a day that says what the one before said has another record beside it."""
    return [deliver(work, day, *records, institution(300 + day)) and query(work, ROWS) for day, records in enumerate(several)]


# What is there before, what after, and what kind of successor NEW then is to OLD; each case is tried with a code and keys of its own.
NAME, PERMIT = "杭州市西湖区朝阳艺术培训中心有限公司", {"permitNo": "教民133010670009991", "issuer": "", "validFrom": "", "validTo": ""}
THERE: dict[str, Any] = {OLD: {}}
TAKEN: dict[str, Any] = {NEW: {}}
OTHERS = {"OTHER": {"orgName": NAME, "address": "别处"}}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], str | None]] = {
    "the same": (THERE, TAKEN, "renumbered"),
    "another name": (THERE, {NEW: {"orgName": NAME}}, "rename"),
    "another address": (THERE, {NEW: {"address": "文三路99号"}}, "move"),
    "another permit": (THERE, {NEW: {"permits": [PERMIT]}}, "new_permit"),
    "another address and name": (THERE, {NEW: {"address": "文三路99号", "orgName": NAME}}, "several"),
    "another address, name and permit": (THERE, {NEW: {"address": "文三路99号", "orgName": NAME, "permits": [PERMIT]}}, None),
    "another name and permit, and no address is known": ({OLD: {"address": ""}}, {NEW: {"address": "", "orgName": NAME, "permits": [PERMIT]}}, None),
    "a name of another width": (THERE, {NEW: {"orgName": "杭州市西湖区启明１艺术培训中心有限公司"}}, "renumbered"),
    "no code": ({OLD: {"creditCode": ""}}, {NEW: {"creditCode": ""}}, None),
    "no valid code": ({OLD: {"creditCode": "是"}}, {NEW: {"creditCode": "是"}}, None),
    "another code": (THERE, {NEW: {"creditCode": credit_code(1)}}, None),
    "another county": (THERE, {NEW: {"areaCode": "330105"}}, None),
    "no county": ({OLD: {"areaCode": "330100"}}, {NEW: {"areaCode": "330100"}}, None),
    "two have it now": (THERE, {**TAKEN, **OTHERS}, None),
    "two had it": ({**THERE, **OTHERS}, TAKEN, None),
    "two had it and one stays": ({**THERE, **OTHERS}, {**TAKEN, **OTHERS}, None),
    "both were there": ({**THERE, **TAKEN}, TAKEN, None),
    "it was there without the code": ({**THERE, NEW: {"creditCode": ""}}, TAKEN, None),
    "another has it too and was there without": ({**THERE, "OTHER": {"creditCode": ""}}, {**TAKEN, **OTHERS}, None),
}  # fmt: skip


def test_a_record_is_known_again_by_its_credit_code_and_only_where_that_is_safe(work: Work) -> None:
    def delivered(side: int) -> tuple[dict[str, Any], ...]:
        return tuple(
            one(f"{key}{number}", **{"creditCode": credit_code(1000 + number), **changed})
            for number, case in enumerate(CASES.values())
            for key, changed in case[side].items()
        )

    then = days(work, delivered(0), delivered(1), delivered(1), delivered(1))
    kinds = {predecessor: (successor, kind, method, since) for predecessor, successor, kind, method, since in then[2]}
    told = {name: kinds.get(of(f"{OLD}{number}")) for number, name in enumerate(CASES)}
    assert told == {
        name: kind and (of(f"{NEW}{number}"), kind, "credit_code", "2026-11-03")
        for number, (name, (_, _, kind)) in enumerate(CASES.items())
    }
    assert (then[:2], then[3]) == ([[], []], then[2]), "not while the old ones are kept as absent (rule 2)"
    assert query(work, "SELECT count(*) FROM institutions WHERE id IN (SELECT successor_id FROM institution_lineage)") == [(6,)]


def test_who_has_gone_again_when_the_old_one_goes_is_no_successor(work: Work) -> None:
    assert days(work, (one(OLD),), (one(NEW),), (), ()) == [[], [], [], []]


def test_what_is_held_has_no_successor_and_what_is_not_shown_yet_is_none(work: Work) -> None:
    small = {"areaCode": "330105"}
    old = tuple(institution(n, **small, orgId=f"OLD{n}", creditCode=credit_code(n)) for n in range(5))
    new = tuple({**record, "orgId": record["orgId"].replace("OLD", "NEW")} for record in old)
    claim = one("CLAIMS", formerOrgs=[{"orgId": "OLD0", "kind": "更名"}])  # in a county that is not held
    assert days(work, old, (*new, claim), (*new, claim)) == [[], [], []]
    assert query(work, "SELECT count(*) FROM institutions WHERE region_code = '330105' AND absent_since IS NULL") == [(5,)]
    decide.accept(on(work, 3), "platform", "all", "330105", "张三", "已整体换号")
    assert query(work, ROWS) == [], "now they are missed for the first time"
    deliver(work, 4, *new, claim)
    rows = [(of("OLD0"), of("CLAIMS"), "rename", "source", "2026-11-05")]
    rows += [(of(f"OLD{n}"), of(f"NEW{n}"), "renumbered", "credit_code", "2026-11-05") for n in range(1, 5)]
    assert query(work, ROWS) == sorted(rows), "what a source says stands before what we find"


def said(key: str, *former: str, kind: str = "合并", **more: Any) -> dict[str, Any]:
    return one(key, **{"creditCode": "", "formerOrgs": [{"orgId": old, "kind": kind} for old in former], **more})


def step(old: str, new: str, kind: str | None = "merger", method: str = "source", day: int = 3) -> tuple[Any, ...]:
    return of(old), of(new), kind, method, f"2026-11-{day:02}"


def test_a_source_says_who_merged_who_was_split_and_nothing_before_the_old_one_has_gone(work: Work) -> None:
    a, b = said("A"), said("B")
    merged, split = said("M", "A", "B"), [said(key, "M", kind="分立") for key in ("X", "Y")]
    vague = [said(key, "M", kind="") for key in ("X", "Y")]
    then = days(work, (a, b), (a, merged), (merged,), (merged,), split, split, vague, [said("X"), said("Y")])
    assert then[0] == then[1] == []
    assert then[2] == [step("B", "M")], "the other one is kept as absent once more"
    both = sorted([step("A", "M", day=4), step("B", "M")])
    assert then[3] == then[4] == both
    halves = [step("M", key, "split", day=6) for key in ("X", "Y")]
    assert then[5] == then[6] == then[7] == sorted([*both, *halves]), "also when the source says it no longer"


def test_a_kind_that_nobody_knows_is_left_open(work: Work) -> None:
    former: dict[str, dict[str, str]] = {"不明": {"kind": "不明"}, "empty": {"kind": ""}, "left out": {}, "拆分": {"kind": "拆分"}}
    new = [said(f"NEW {name}") | {"formerOrgs": [{"orgId": name, **more}]} for name, more in former.items()]
    then = days(work, tuple(map(said, former)), tuple(new), tuple(new))
    assert then[2] == sorted(step(name, f"NEW {name}", "split" if name == "拆分" else None) for name in former)


def test_nobody_follows_what_was_never_shown_or_what_is_there(work: Work) -> None:
    new = [said("A", "NEVER"), said("B", "B"), said("C", "STAYS"), said("D", ""), said("E"), said("F") | {"formerOrgs": None}]
    assert days(work, (said("STAYS"),), (said("STAYS"), *new), (said("STAYS"), *new)) == [[], [], []]
    assert query(work, "SELECT count(*) FROM institutions WHERE id IN (?, ?)", of("E"), of("F")) == [(2,)], "the field may be left out"


def test_a_record_that_comes_back_is_the_same_record_and_nothing_has_its_place(work: Work) -> None:
    old, new = one(OLD), one(NEW)
    then = days(work, (old,), (new,), (new,), (old, new), (new,), (new,))
    row = step(OLD, NEW, "renumbered", "credit_code")
    assert then == [[], [], [row], [], [], []], "both were there with the code: nothing says who follows whom"


def test_a_chain_is_kept_while_it_leads_to_somebody(work: Work) -> None:
    first, second, third = one(OLD), one(NEW, address="乙路2号"), one(THIRD, address="丙路3号")
    then = days(work, (first,), (second,), (second,), (third,), (third,), (), ())
    rows = [step(OLD, NEW, "move", "credit_code"), step(NEW, THIRD, "move", "credit_code", 5)]
    assert (then[2], then[4], then[5], then[6]) == (rows[:1], sorted(rows), sorted(rows), [])


def test_a_source_takes_back_what_it_said_by_saying_something_else(work: Work) -> None:
    wrong, right = (said("B", "A"), said("C")), (said("B"), said("C", "A"))
    then = days(work, (said("A"),), wrong, wrong, right)
    assert then[2:] == [[step("A", "B")], [step("A", "C", day=4)]]


def test_the_source_stands_before_what_we_found(work: Work) -> None:
    new, other = one(NEW), said("C", OLD)
    then = days(work, (one(OLD),), (new,), (new,), (new, other))
    assert then[2:] == [[step(OLD, NEW, "renumbered", "credit_code")], [step(OLD, "C", day=4)]]
    then = days_from(work, 4, (one(NEW, formerOrgs=[{"orgId": OLD, "kind": "换证"}]), said("C")))
    assert then == [[step(OLD, NEW, "new_permit")]], "since the first release that said so"


def days_from(work: Work, first: int, *several: tuple[Mapping[str, Any], ...]) -> list[list[tuple[Any, ...]]]:
    return [deliver(work, day, *records, institution(300 + day)) and query(work, ROWS) for day, records in enumerate(several, first)]


@pytest.mark.parametrize(
    ("steps", "there", "kept"),
    [
        ("ab bc", "c", "ab bc"),
        ("ab bc", "", ""),
        ("ab bc", "b", "ab bc"[:2]),
        ("aa", "", ""),
        ("ab ba", "", ""),
        ("ab ba", "b", "ab"),
        ("ab ba bc", "c", "ab bc"),
        ("ab bc ca cd", "d", "ab bc cd"),
        ("ab ac cd", "b", "ab"),
        ("ab ac", "bc", "ab ac"),
        ("ba", "ab", ""),
        ("ab ab", "b", "ab"),
    ],
)
def test_steps_lead_to_somebody_and_never_in_a_circle(steps: str, there: str, kept: str) -> None:
    made = [Step(*pair, None, None, None) for pair in steps.split()]
    assert " ".join(sorted(step.predecessor + step.successor for step in leading(made, set(there)))) == kept


def test_doing_it_again_changes_nothing(work: Work, tmp_path: Path) -> None:
    then = days(
        work, (one(OLD), said("A"), said("C")), (one(NEW), said("B", "A", "C"), said("C")), (one(NEW), said("B", "A", "C"), said("C"))
    )
    path = tmp_path / "again.db"
    shutil.copyfile(str(work.live_database), path)
    made = Assembled(path, "2026-11-04", {}, {}, {}, {}, None)
    again = lineage(made, work.live_database, work.home.history, work.catalogue)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute(ROWS).fetchall() == then[2]
    assert again.tables == {"institution_lineage": len(then[2])} == {"institution_lineage": 2}


def test_going_back_keeps_what_holds_still_and_makes_nobody_a_successor(work: Work) -> None:
    days(work, (one(OLD), said("A")), (one(NEW), said("B", "A")), (one(NEW), said("B", "A")))
    assert query(work, ROWS) == sorted([step(OLD, NEW, "renumbered", "credit_code"), step("A", "B")])
    back(on(work, 3), "2026-11-01", "张三", "名称列错位")
    assert query(work, "SELECT count(*) FROM institutions WHERE id = ?", of(NEW)) == [(0,)]
    assert query(work, ROWS) == [], "it did not become the old one"
    back(on(work, 4), "2026-11-02", "张三", "名称列错位")
    assert query(work, ROWS) == [], "there they are all kept as absent"
    back(on(work, 5), "2026-11-03", "张三", "还是那一期对")
    assert query(work, ROWS) == sorted([step(OLD, NEW, "renumbered", "credit_code"), step("A", "B")])
    days_from(work, 6, (one(NEW), said("B")))
    assert query(work, ROWS) == sorted([step(OLD, NEW, "renumbered", "credit_code"), step("A", "B")])


BUREAU = """
source: xihu
label: {zh: 西湖区白名单, en: White list}
publisher: {zh: 西湖区教育局, en: Education Bureau}
region: '330106'
batch: full_snapshot
interval_days: 31
listings:
  white:
    table: institutions
    path: '*.csv'
    key: [办学许可证号]
    optional: [原证号]
    fields:
      机构名称: name
      统一社会信用代码: {to: credit_code, text: credit_code_text}
      办学许可证号: permits.permit_no
      原证号: {rows: institution_lineage, value: predecessor_id}
    constants: {region_code: '330106'}
"""


def test_a_bureau_whose_key_is_the_permit_gives_a_new_permit(work: Work, tmp_path: Path) -> None:
    """Told by a column of the list, which other editions of it leave out, or by the code; width is no other number."""
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "xihu.yml").write_text(BUREAU, "utf-8")
    work = replace(work, catalogue=load(more_sources=tmp_path / "sources"))
    many = "".join(f"某某{n}培训中心,,教民1330106700{n:04d}1{{end}}\n" for n in range(100, 150))
    header = "机构名称,统一社会信用代码,办学许可证号"
    (folder := tmp_path / "list").mkdir()
    editions = [
        f"{header}\n甲培训中心,,教民133010670000011\n乙培训中心,{CODE},教民133010670000021\n{many.format(end='')}",
        f"{header},原证号\n甲培训中心,,教民133010670000031,教民１３３010670000011\n乙培训中心,{CODE},教民133010670000041,\n{many.format(end=',')}",
    ]
    for day, edition in enumerate((*editions, editions[1].replace("某某149", "某某新"))):
        (folder / "白名单.csv").write_text(edition, "utf-8")
        run(on(work, 31 * day), {"xihu": str(folder)})
    ids = {n: make_id("i", "xihu", f"教民1330106700000{n}1") for n in (1, 2, 3, 4)}
    assert query(work, ROWS) == sorted(
        [(ids[1], ids[3], None, "source", "2027-01-02"), (ids[2], ids[4], "new_permit", "credit_code", "2027-01-02")]
    )


def test_what_we_found_is_no_change_by_the_source(work: Work) -> None:
    days(
        work, (one(OLD), said("A")), (one(NEW), said("B", "A")), (one(NEW), said("B", "A")), (one(OLD), one(NEW), said("A"), said("B", "A"))
    )
    sql = "SELECT release, kind, cause FROM changes WHERE table_name = 'institution_lineage' AND key = ? ORDER BY release"
    with closing(sqlite3.connect(work.home.history)) as history:
        assert history.execute(sql, [f"{of(OLD)} {of(NEW)}"]).fetchall() == [(3, "add", "pipeline"), (4, "remove", "pipeline")]
        assert history.execute(sql, [f"{of('A')} {of('B')}"]).fetchall() == [(3, "add", "source"), (4, "remove", "source")]


def test_two_events_of_one_day_are_two_and_each_release_says_its_own(work: Work) -> None:
    places = [f"文三路{number}号" for number in range(3)]
    releases = [deliver(work, 0, one(OLD, address=place), stamp=f"-{n}").release for n, place in enumerate(places)]
    assert releases == ["2026-11-01", "2026-11-01.2", "2026-11-01.3"]
    with closing(sqlite3.connect(work.home.history)) as history:
        sql = """SELECT r.id, c.before, c.after, c.cause FROM changes c JOIN releases r ON r.number = c.release
            WHERE c.table_name = 'institutions' AND c.key = ? AND c.field = 'address' ORDER BY c.release, c.rowid"""
        found = history.execute(sql, [of(OLD)]).fetchall()
        assert found == [(releases[1], places[0], places[1], "source"), (releases[2], places[1], places[2], "source")]
        for release, place in zip(releases, places, strict=True):
            sql = """SELECT i.address FROM institutions i, releases r WHERE i.id = ? AND r.id = ?
                AND i.release_from <= r.number AND coalesce(i.release_to, r.number + 1) > r.number"""
            assert history.execute(sql, [of(OLD), release]).fetchall() == [(place,)]
            with closing(Reader(work.home.releases / str(release))) as reader:
                assert reader.rows("SELECT address FROM institutions WHERE id = ?", of(OLD)) == [{"address": place}]
