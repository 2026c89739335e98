"""From snapshots to releases: what is published, what is held back, what is counted, and what stays as it was."""

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from fed import items
from making import NOON, credit_code, institution, listing, notice, on, one_province, query, rating, sign, snapshot, world
from publish import history
from publish.candidate import Candidate
from publish.catalogue import Catalogue
from publish.errors import BadHome, ReviewNeeded, SourceBroken
from publish.home import Home
from publish.inputs import inputs_for, nothing_new, released
from publish.link import link
from publish.live import repair
from publish.steps import assembled, compare, judge, lay_out, make_downloads, make_index, publish
from publish.tables import create_published, working
from publish.texts import FILE
from publish.work import Work
from search import open_index, open_texts
from unpacked import all_said


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return one_province()


def publish_day(work: Work, listings: Mapping[str, Sequence[Any]], day: int = 0, approve: bool = False) -> str | None:
    """Take a delivery through the whole run on a day; the release's id, or None when there was nothing new."""
    work = on(work, day)
    repair(work.home, work.catalogue, work.site)
    name = f"platform-{day:03d}-{len(list(work.home.raw.iterdir()))}"
    inputs = inputs_for(work, {"platform": snapshot(work.home.raw, name, listings, as_of=work.day.isoformat())})
    if nothing_new(work, inputs):
        return None
    candidate = judge(work, compare(work, assembled(work, inputs)))
    if not candidate.compared().news:
        work.home.clear_candidate()
        return None
    if approve:
        sign(work, candidate)
    candidate = lay_out(work, candidate)
    make_downloads(work, candidate)
    make_index(work, candidate)
    return publish(work, candidate)


def everything_public(work: Work) -> bytes:
    return all_said([work.home.releases / str(work.live)])


def test_a_release_is_sealed_and_every_file_in_it_is_in_the_sums(work: Work) -> None:
    assert publish_day(work, world()) == "2026-11-01"
    live = work.home.releases / "2026-11-01"
    sums = dict(reversed(line.split("  ")) for line in (live / "SHA256SUMS").read_text().splitlines() if line[0] != "#")
    found = {
        path.relative_to(live).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in live.rglob("*")
        if path.is_file() and path.name != "SHA256SUMS"
    }
    assert sums == found
    assert {
        "mingbai.db",
        "manifest.json",
        "search/index.db",
        "downloads/index.json",
        "downloads/notices.parquet",
    } <= found.keys()


def test_the_database_passes_its_own_checks(work: Work) -> None:
    publish_day(work, world(20))
    assert query(work, "PRAGMA integrity_check") == [("ok",)]
    assert query(work, "PRAGMA foreign_key_check") == []
    assert query(work, "SELECT count(*) FROM pragma_table_list WHERE schema='main' AND strict=0 AND name NOT LIKE 'sqlite_%'") == [(0,)]


def test_private_values_are_nowhere_in_a_release(work: Work) -> None:
    secret = {"phone": "13912345678", "legalRep": "欧阳明白"}
    facts = "校长张三丰承认收费，电话１３８-１２３４-５９６３，身份证11010519491231002X。"
    publish_day(
        work, {**world(), "institutions": [institution(1, **secret), institution(2), institution(3)], "notices": [notice(1, facts=facts)]}
    )
    public = everything_public(work)
    for value in ("13912345678", "欧阳明白", "张三丰", "5963", "11010519491231002X", "6222020000000000000"):
        assert value.encode() not in public, value
    assert "张某" in query(work, "SELECT facts FROM notices")[0][0]


def test_a_punished_person_is_a_surname_and_cannot_be_searched(work: Work) -> None:
    named = notice(
        1,
        subjectName="诸葛小明",
        subjectType="个人",
        title="关于诸葛小明无证办学的处罚决定",
        docTitle="诸葛小明案",
        facts="诸葛小明在家中办班。",
        creditCode=credit_code(9),
    )
    publish_day(work, {**world(), "notices": [named]})
    assert "诸葛小明".encode() not in everything_public(work)
    assert credit_code(9).encode() not in everything_public(work)
    assert query(work, "SELECT subject_kind, subject_name FROM notices") == [("person", "诸葛某")]
    assert "小明" not in str(query(work, "SELECT title, facts FROM notices") + query(work, "SELECT title FROM documents"))


TERMS: list[tuple[dict[str, str], bool, str | None]] = [
    ({}, True, None),
    ({"seriousness": "轻微"}, False, "withheld_minor"),
    ({"seriousness": "", "decidedOn": "2025-11-01"}, True, None),
    ({"seriousness": "", "decidedOn": "2025-10-31"}, False, "out_of_term"),
    ({"seriousness": "严重", "decidedOn": "2023-11-01"}, True, None),
    ({"seriousness": "严重", "decidedOn": "2023-10-31"}, False, "out_of_term"),
    ({"publicUntil": "2026-11-01"}, True, None),
    ({"publicUntil": "2026-10-31"}, False, "out_of_term"),
    ({"publicUntil": "1900-1-1"}, True, None),
    ({"publicUntil": "暂无", "decidedOn": "", "publishedOn": ""}, False, "withheld_no_term"),
    ({"state": "已修复"}, False, "withheld_repaired"),
    ({"state": "已由上级机关重新审查"}, False, "withheld_unknown_state"),
    ({"seriousness": "某种程度"}, False, "withheld_unknown_seriousness"),
    ({"publicUntil": "已到期"}, False, "withheld_unknown_public_until"),
    ({"publicUntil": "2026-10"}, False, "out_of_term"),
    ({"publicUntil": "2026年11月"}, True, None),
    ({"decidedOn": "2026-11-02", "publishedOn": ""}, False, "out_of_term"),
    ({"publishedOn": "2190-01-01"}, False, "out_of_term"),
    ({"decidedOn": "2019年5月32日"}, False, "withheld_no_term"),
    ({"decidedOn": "2023-10-31", "publicUntil": "2099-12-31"}, False, "out_of_term"),
    ({"subjectName": "", "subjectType": "个人", "title": "关于王小明无证办学的处罚"}, False, "withheld_unnamed_person"),
]


@pytest.fixture(scope="module")
def terms(begun: Callable[[], Work]) -> Work:
    """A release of one notice for each of TERMS, with its number."""
    work = begun()
    told = [notice(number, **changed) for number, (changed, _, _) in enumerate(TERMS, 1)]
    publish_day(work, {**world(len(TERMS)), "notices": told}, approve=True)
    return work


@pytest.mark.parametrize("number", range(1, len(TERMS) + 1), ids=lambda number: str(TERMS[number - 1][0]))
def test_a_notice_is_public_in_its_term_only(terms: Work, number: int) -> None:
    assert query(terms, "SELECT count(*) FROM notices WHERE document_no = ?", notice(number)["docNo"]) == [(int(TERMS[number - 1][1]),)]


def test_a_notice_that_is_not_public_is_counted_by_why(terms: Work) -> None:
    whys = Counter(why for _, shown, why in TERMS if not shown)
    published = sum(shown for _, shown, _ in TERMS)
    assert terms.live_manifest()["accounting"]["notices"] == {"records": len(TERMS), "published": published, **whys}


@pytest.mark.parametrize(
    ("subject", "kind", "texts"),
    [
        ("王小明（女）", "个人", ["关于王小明无证办学的处罚", "王小明在家"]),
        ("王小明、李小红", "个人", ["关于王小明和李小红的处罚", "李小红授课"]),
        ("王小明", "个人", ["王 小 明 违规补课", "王　小明在家"]),
        ("阿依古丽·买买提", "个人", ["关于阿依古丽•买买提的处罚", "阿依古丽买买提"]),
        ("John Smith", "个人", ["JOHN SMITH 违规", "John  Smith"]),
        ("王小明（曾用名王大明）", "", ["王大明案", "王小明"]),
        ("当事人：王小明", "个人", ["王小明案", "王小明"]),
        ("王小明", "组织", ["王小明案", "王小明"]),
        ("王小明", "个体工商户", ["王小明案", "王小明"]),
        ("阿依古丽", "", ["阿依古丽案", "阿依古丽"]),
        ("王小明/杭州启明教育公司", "", ["王小明案", "王小明"]),
    ],
)
def test_who_could_be_a_person_is_masked_in_every_text_and_link(work: Work, subject: str, kind: str, texts: list[str]) -> None:
    url = f"https://example.org/{quote(subject)}.html"
    code, permit = credit_code(77), "教民133010670000991"
    punished = notice(
        1,
        subjectName=subject,
        subjectType=kind,
        title=texts[0],
        facts=texts[1],
        docTitle=texts[0],
        docUrl=url,
        creditCode=code,
        permitNo=permit,
    )
    publish_day(work, {**world(1), "institutions": [institution(1, creditCode=code)], "notices": [punished]})
    public = everything_public(work)
    for name in ("小明", "小红", "依古丽", "Smith", "SMITH", "大明", quote("小明"), quote("依古丽")):
        assert name.encode() not in public, name
    assert query(work, "SELECT subject_credit_code, subject_permit_no FROM notices") == [(None, None)]
    assert query(work, "SELECT count(*) FROM notice_links") == [(0,)]


def test_a_withdrawn_version_of_a_notice_beats_an_active_one_and_an_unreadable_one_beats_the_day_before(work: Work) -> None:
    publish_day(work, {**world(3), "notices": [notice(1), notice(1, state="已撤销"), notice(2), notice(3)]})
    assert query(work, "SELECT count(*) FROM notices") == [(2,)]
    publish_day(work, {**world(3), "notices": [notice(1, state="已撤销"), notice(2, kind="从未见过"), notice(3)]}, 1, approve=True)
    assert query(work, "SELECT document_no FROM notices") == [("西教罚〔2026〕3号",)]


ENDS: list[tuple[dict[str, str], bool]] = [
    ({"list": "黑名单"}, True),
    ({"list": "黑名单", "validTo": "2026-10-31"}, False),
    ({"list": "预警", "validTo": "2026-11-01"}, True),
    ({"list": "黑名单", "listedOn": "2025-10-31", "asOf": "2025-10-31"}, False),
    ({"list": "黑名单", "listedOn": "", "asOf": ""}, False),
    ({"list": "黑名单", "listedOn": "2023-11-01", "validTo": "2099-12-31"}, True),
    ({"list": "黑名单", "listedOn": "2023-10-31", "validTo": "2099-12-31"}, False),
    ({"list": "灰名单", "listedOn": "2022", "validTo": "2099-12-31"}, False),
    ({"list": "灰名单", "validTo": "2026-11"}, True),
    ({"list": "灰名单", "validTo": "2026-10"}, False),
    ({"list": "白名单", "validTo": "2020-01-01", "listedOn": "2019-01-01"}, True),
]


@pytest.fixture(scope="module")
def ends(begun: Callable[[], Work]) -> Work:
    """A release of one listing for each of ENDS, with its number."""
    work = begun()
    publish_day(
        work, {**world(len(ENDS)), "listings": [listing(number, **changed) for number, (changed, _) in enumerate(ENDS, 1)]}, approve=True
    )
    assert query(work, "SELECT count(*) FROM listings") == [(sum(shown for _, shown in ENDS),)]
    return work


@pytest.mark.parametrize("number", range(1, len(ENDS) + 1), ids=lambda number: str(ENDS[number - 1][0]))
def test_a_listing_that_harms_has_an_end(ends: Work, number: int) -> None:
    found = query(ends, "SELECT count(*) FROM listings WHERE subject_name = ?", listing(number)["orgName"])
    assert found == [(int(ENDS[number - 1][1]),)]


def test_ratings_of_a_month_that_is_not_over_are_not_published(work: Work) -> None:
    publish_day(work, {**world(1), "ratings": [rating(1, month="2026-10"), rating(1, month="2026-11"), rating(1, month="2190-01")]})
    assert query(work, "SELECT month FROM ratings") == [("2026-10",)]
    assert work.live_manifest()["accounting"]["ratings"] == {"records": 3, "published": 1, "out_of_term": 2}


@pytest.mark.parametrize(
    "odd",
    [
        {"state": {}},
        {"state": ["已撤销"]},
        {"decidedOn": {}},
        {"kind": ["x"]},
        {"subjectName": "2", "subjectType": "个人"},
        {"subjectName": "n", "subjectType": "个人"},
    ],
)
def test_an_odd_record_costs_itself_and_not_the_run(work: Work, odd: dict[str, Any]) -> None:
    publish_day(work, {**world(30), "notices": [notice(1, **odd), *(notice(n) for n in range(2, 31))]}, approve=True)
    assert query(work, "SELECT count(*) FROM notices WHERE document_no <> '西教罚〔2026〕1号'") == [(29,)]
    assert query(work, "PRAGMA foreign_key_check") == []


def test_a_histogram_that_no_column_holds_is_withheld(work: Work) -> None:
    publish_day(work, {**world(1), "ratings": [rating(1, histogram=(2**63 - 1, 2**63 - 1, 0, 0, 0))]})
    assert work.live_manifest()["accounting"]["ratings"] == {"records": 1, "published": 0, "withheld_off_scale": 1}


@pytest.fixture(scope="module")
def found_by(begun: Callable[[], Work]) -> Work:
    """An institution with two permits, and a person who was punished."""
    work = begun()
    permits = [{"permitNo": "西培字[2024]第000001号", "issuer": "", "validFrom": "", "validTo": ""}, *institution(1)["permits"]]
    punished = notice(1, subjectName="金小明", subjectType="个人", title="金小明无证办学", facts="金小明收费")
    publish_day(
        work, {**world(3), "institutions": [institution(1, permits=permits), institution(2), institution(3)], "notices": [punished]}
    )
    return work


@pytest.mark.parametrize(
    ("query_text", "found"),
    [
        ("教民133010670000011号", True),
        ("教民133010670000011", True),
        ("西培字[2024]第000001号", True),
        ("西教罚〔2026〕1号", True),
        ("金某", False),
        ("某", False),
    ],
)
def test_a_permit_is_found_as_it_is_printed_and_a_person_by_nothing_but_the_decision(found_by: Work, query_text: str, found: bool) -> None:
    work = found_by
    with open_index(work.home.current / "search" / "index.db") as index, open_texts(work.home.current / FILE) as notices:
        hits = [*(hit.id for hit in index.search(query_text).hits), *notices.search(query_text, operators=False).ids]
    assert bool(hits) is found
    assert (
        not found
        or hits[0]
        == query(work, "SELECT id FROM notices" if "罚" in query_text else "SELECT id FROM institutions WHERE name LIKE '%启明1%'")[0][0]
    )


def entries(work: Work) -> list[str]:
    return [item["title"] for item in items(work.home)]


@pytest.mark.parametrize(
    ("changed", "pushed"),
    [
        ({}, True),
        ({"decidedOn": "2026-10-02"}, False),
        ({"decidedOn": ""}, False),
        ({"decidedOn": "2026-10"}, False),
        ({"docNo": "西教罚〔2026〕1号"}, False),
    ],
    ids=["new", "31 days old", "no day", "a month", "known under another id"],
)
def test_an_old_decision_is_never_pushed_as_new(work: Work, changed: dict[str, str], pushed: bool) -> None:
    publish_day(work, {**world(3), "notices": []})
    assert publish_day(work, {**world(3), "notices": [notice(1)]}, 1, approve=True)
    assert entries(work) == [], "the first notices of a source are in the data and not in the feed"
    assert publish_day(work, {**world(3), "notices": [notice(1), notice(2, **changed)]}, 2, approve=True)
    assert len(entries(work)) == int(pushed)


@pytest.mark.parametrize(("histogram", "shown"), [((0, 0, 0, 0, 4), False), ((0, 0, 0, 0, 5), True)])
def test_fewer_than_five_ratings_are_suppressed(work: Work, histogram: tuple[int, ...], shown: bool) -> None:
    publish_day(work, {**world(1), "ratings": [rating(1, histogram=histogram)]})
    expected = (5, json.dumps(list(histogram), separators=(",", ":")), 5.0, 0) if shown else (None, None, None, 1)
    assert query(work, "SELECT rating_count, histogram, mean_rating, is_suppressed FROM ratings") == [expected]


def test_linking_does_not_walk_the_register_for_each_notice(catalogue: Catalogue, tmp_path: Path) -> None:
    """At 200,000 institutions a walk for each link took five minutes of a run's seven."""
    with working(tmp_path / "links.db") as connection:
        create_published(connection, catalogue)
        told: list[str] = []
        connection.exec_trace = lambda cursor, sql, bindings: told.append(sql) is None
        link(connection, {"330106"})
        connection.exec_trace = None
        changing = [sql for sql in told if sql.lstrip().startswith(("DELETE", "UPDATE"))]
        assert len(changing) == 4, "the statements that look at each link again"
        connection.execute("CREATE TEMP TABLE found (notice, institution, method)")
        connection.execute("CREATE INDEX temp.found_by_notice ON found (notice)")
        for sql in changing:
            steps = [
                row[3]
                for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", {"method": "", "sure": 1, "other": 1} if ":sure" in sql else ())
            ]
            assert [step for step in steps if step.startswith("SCAN")] in (["SCAN notice_links"], []), steps


@pytest.mark.parametrize(
    ("changed", "others", "linked"),
    [
        ({"creditCode": credit_code(1)}, [{"creditCode": credit_code(1)}], ("credit_code", 1.0)),
        ({"creditCode": credit_code(1), "subjectName": "启明1"}, [{"creditCode": credit_code(1)}], ("credit_code", 1.0)),
        ({"creditCode": credit_code(1), "subjectName": "另一个名称的公司"}, [{"creditCode": credit_code(1)}], ("credit_code", 0.8)),
        ({"creditCode": credit_code(1)}, [{"creditCode": credit_code(1)}, {"creditCode": credit_code(1)}], None),
        ({"permitNo": "教民133010670000011号"}, [{}], ("permit_no", 1.0)),
        ({"permitNo": "教民133010670000011号", "subjectName": "另一个名称的公司"}, [{}], ("permit_no", 0.8)),
        ({"subjectName": "杭州市西湖区启明１艺术培训中心有限公司"}, [{}], ("exact_name_in_county", 0.9)),
        ({}, [{}, {"orgName": "杭州市西湖区启明1艺术培训中心有限公司"}], None),
        ({"areaCode": "330108", "areaName": "滨江区"}, [{}], None),
        ({"areaCode": "330100", "areaName": "杭州市"}, [{}], None),
        ({"creditCode": credit_code(2)}, [{"creditCode": credit_code(1)}], None),
        ({"subjectName": "杭州市西湖区启明培训中心"}, [{}], None),
        ({"subjectName": "杭州市西湖区启明①艺术培训中心有限公司"}, [{}], None),
        ({}, [{}, {"orgName": "杭州市西湖区启明1艺术培训中心有限公司", "areaCode": "", "areaName": ""}], None),
        ({"permitNo": "办理中"}, [{"permits": [{"permitNo": "办理中"}], "orgName": "别的机构培训中心"}], None),
        ({"permitNo": "教民133010670000021号"}, [{}, {}], None),
        ({"creditCode": credit_code(5), "permitNo": "教民133010670000011号"}, [{"creditCode": credit_code(1)}], None),
    ],
    ids=[
        "code",
        "code and alias",
        "code and other name",
        "code of two",
        "permit",
        "permit and other name",
        "exact name",
        "name of two",
        "other county",
        "county unknown",
        "codes contradict",
        "near name",
        "other digit",
        "namesake without county",
        "no number",
        "permit of another",
        "permit fits and code does not",
    ],
)
def test_a_notice_is_linked_by_code_permit_or_a_name_unique_in_the_county(
    work: Work, changed: dict[str, str], others: list[dict[str, str]], linked: tuple[str, float] | None
) -> None:
    institutions = [institution(number, **other) for number, other in enumerate(others, 1)]
    publish_day(work, {**world(len(others)), "institutions": institutions, "notices": [notice(1, **changed)]})
    assert query(work, "SELECT method, confidence FROM notice_links") == ([linked] if linked else [])


def test_every_record_is_published_or_accounted_for(work: Work) -> None:
    delivery = world(4)
    delivery["institutions"] += [institution(2, orgName="同一编号的另一家"), institution(9, orgName=""), "not an object"]
    delivery["listings"].append(listing(77))
    publish_day(work, delivery, approve=True)  # a quarter of seven records is more than the gate lets through by itself
    accounting = work.live_manifest()["accounting"]
    assert accounting["institutions"] == {"records": 7, "published": 4, "duplicate": 1, "set_aside": 2}
    assert accounting["listings"] == {"records": 5, "published": 4, "unknown_reference": 1}
    delivery["notices"][0]["title"] = "更正后的标题"
    publish_day(work, delivery, 1, approve=True)
    assert work.live_manifest()["issues"]["duplicate_key"] == 1, "a page that was kept reports its duplicate once"
    assert query(work, "SELECT name FROM institutions WHERE name LIKE '%启明2%'") == [("杭州市西湖区启明2艺术培训中心有限公司",)]


@pytest.mark.parametrize(
    ("changed", "kind", "field"),
    [
        ({"violationType": "从未见过的违法"}, "bad_value", "violationType"),
        ({"fineWan": "壹点五"}, "bad_value", "fineWan"),
        ({"decidedOn": "2026-13-45"}, "bad_value", "decidedOn"),
        ({"creditCode": "91330106MA27X00010"}, "bad_value", "creditCode"),
        ({"newField": "x"}, "unmapped_field", "newField"),
    ],
)
def test_what_cannot_be_read_is_an_issue_and_never_a_guess(work: Work, changed: dict[str, str], kind: str, field: str) -> None:
    publish_day(work, {**world(1), "notices": [notice(1, **changed)]})
    assert work.live_manifest()["issues"][kind] >= 1
    private = sqlite3.connect(work.home.base)
    assert (field,) in private.execute("SELECT field FROM issues WHERE kind = ?", [kind]).fetchall()
    private.close()
    shown = [] if field == "decidedOn" else [(None,)]  # without the day there is no term, and without a term it is not public
    assert query(work, "SELECT violation_type FROM notices") == shown


def test_readers_are_told_how_many_could_not_be_read_by_our_names_and_nothing_that_a_source_wrote(work: Work) -> None:
    permit = {"permitNo": "教民133010670000011", "issuer": "西湖区教育局", "validFrom": "2025-13-01", "validTo": "2027-12-31"}
    delivery = world(4)
    delivery["institutions"][0] |= {
        "permits": [permit, permit, {**permit, "permitNo": "", "13800000009": "x"}],
        "13800000001": "x",
        "openedOn": "某年",
        "fund": {"mode": "某种监管", "account": "6222"},
    }
    delivery["institutions"] += [institution(2, orgName="同一编号的另一家"), institution(9, orgName="")]
    delivery["notices"][0] |= {"facts": "电话13900000002。", "fineWan": "壹点五", "docTitle": "电话13900000003"}
    publish_day(work, delivery, approve=True)
    told = {(row["table"], row["column"], row["kind"]): row["count"] for row in work.live_manifest()["known_issues"]}
    assert told == {
        ("fund_supervision", "mode", "bad_value"): 1,
        ("fund_supervision", "mode", "part_set_aside"): 1,
        ("institutions", None, "duplicate_key"): 1,
        ("institutions", None, "set_aside"): 1,
        ("institutions", None, "unmapped_field"): 1,
        ("institutions", "opened_on", "bad_value"): 1,
        ("notices", "facts", "screened"): 1,
        ("notices", "fine_fen", "bad_value"): 1,
        ("notices", "title", "screened"): 1,  # that of its document
        ("permits", None, "duplicate_part"): 1,
        ("permits", None, "unmapped_field"): 1,
        ("permits", "permit_no", "part_set_aside"): 1,
        ("permits", "valid_from", "bad_value"): 3,
    }
    assert work.live_manifest()["sources"][0]["tables"] == sorted(
        {"documents", "institutions", "institution_aliases", "institution_sites", "permits", "institution_classes", "institution_lineage", "fund_supervision"}
        | {"listings", "notices", "notice_penalties", "notice_measures", "ratings"}
    )  # fmt: skip


def test_a_field_that_vanished_from_a_whole_page_stops_the_run(work: Work) -> None:
    renamed = [
        {("organizationName" if key == "orgName" else key): value for key, value in record.items()} for record in world()["institutions"]
    ]
    with pytest.raises(SourceBroken, match=r"institutions/000000.json: no record has the field 'orgName'; found instead: organizationName"):
        publish_day(work, {**world(), "institutions": renamed})
    assert work.live is None


def test_a_second_day_changes_adds_and_keeps_what_it_missed_once(work: Work) -> None:
    publish_day(work, world(30))
    after = world(31)
    after["institutions"] = [record for record in after["institutions"] if record["orgId"] != "ORG000003"]
    after["institutions"][0]["address"] = "新地址5号"
    assert publish_day(work, after, 1) == "2026-11-02"
    assert query(work, "SELECT count(*), sum(absent_since = '2026-11-02') FROM institutions") == [(31, 1)]
    changes = (
        sqlite3.connect(work.home.history)
        .execute("SELECT table_name, kind, field, before, after, cause FROM changes WHERE field = 'address'")
        .fetchall()
    )
    assert changes == [("institutions", "change", "address", "文三路1号2楼", "新地址5号", "source")]
    assert publish_day(work, after, 2) == "2026-11-03", "a second snapshot without the row is news"
    assert query(work, "SELECT count(*), sum(absent_since IS NOT NULL) FROM institutions") == [(30, 0)]
    assert publish_day(work, after, 3) is None


def test_nothing_new_makes_no_release_and_touches_no_file_of_the_data(work: Work) -> None:
    publish_day(work, world(5))
    before = {path: path.stat().st_mtime_ns for path in work.home.path.rglob("*") if "raw" not in path.parts and path.is_file()}
    assert publish_day(work, world(5), 1) is None
    assert before == {path: path.stat().st_mtime_ns for path in work.home.path.rglob("*") if "raw" not in path.parts and path.is_file()}


def test_an_expiry_alone_is_news(work: Work) -> None:
    publish_day(work, {**world(5), "notices": [notice(1, publicUntil="2026-11-05"), notice(2)]})
    assert publish_day(work, {**world(5), "notices": [notice(1, publicUntil="2026-11-05"), notice(2)]}, 4) is None
    assert publish_day(work, {**world(5), "notices": [notice(1, publicUntil="2026-11-05"), notice(2)]}, 5) == "2026-11-06"
    past = sqlite3.connect(work.home.history)
    causes = past.execute("SELECT DISTINCT table_name, kind, cause FROM changes WHERE table_name LIKE 'notice%' ORDER BY 1").fetchall()
    past.close()
    assert causes == [(table, "remove", "expiry") for table in ("notice_links", "notice_measures", "notice_penalties", "notices")]


@pytest.mark.parametrize("lost", [7, 8, 20], ids=["a third of a county", "almost half", "a county"])
def test_a_county_that_is_lost_stays_at_its_last_good_rows_and_the_rest_is_published(work: Work, lost: int) -> None:
    before = {
        "institutions": [institution(n) for n in range(1, 21)]
        + [institution(n, areaCode="330108", areaName="滨江区") for n in range(21, 421)]
    }
    publish_day(work, {**world(1), **before})
    after = {
        **world(1),
        "institutions": [*before["institutions"][lost:-1], institution(420, areaCode="330108", areaName="滨江区", address="新址")],
    }
    assert publish_day(work, after, 1) == "2026-11-02"
    assert query(work, "SELECT count(*), count(absent_since) FROM institutions WHERE region_code = '330106'") == [(20, 0)]
    assert query(work, "SELECT count(*) FROM institutions WHERE address = '新址'") == [(1,)]
    assert query(work, "SELECT * FROM held_partitions") == [("platform", "institutions", "330106", "2026-11-02", "partition_lost")]


def test_an_empty_delivery_never_becomes_a_release(work: Work) -> None:
    with pytest.raises(ReviewNeeded):
        publish_day(work, {"institutions": [], "listings": [], "notices": [], "ratings": []})
    assert work.live is None


def test_an_id_is_the_same_in_every_release_and_not_made_from_the_name(work: Work) -> None:
    publish_day(work, world(5))
    before = query(work, "SELECT id FROM institutions WHERE name LIKE '%启明3%'")
    after = world(5)
    after["institutions"][2]["orgName"] = "杭州市西湖区新名称培训中心有限公司"
    publish_day(work, after, 1)
    assert query(work, "SELECT id FROM institutions WHERE name LIKE '%新名称%'") == before


@pytest.mark.parametrize(("written", "shown"), [("11月3日", [("2026-11-03",)]), ("10月20日", [("2026-10-20",)])])
def test_a_date_that_was_too_early_to_read_is_read_on_its_day(work: Work, written: str, shown: list[tuple[str]]) -> None:
    """The page is the same, and a date without a year in it may be read as this year's from that day on (rule 13)."""
    delivery = world(2)
    delivery["notices"] = [notice(1, decidedOn=written, publishedOn="", publicUntil="2027-06-30")]
    publish_day(work, delivery)
    assert query(work, "SELECT decided_on FROM notices") == (shown if written < "11" else [(None,)])
    publish_day(work, {**delivery, "institutions": [institution(1), institution(2, status="停业")]}, day=3, approve=True)
    assert query(work, "SELECT decided_on FROM notices") == shown


def test_pages_kept_from_the_base_give_the_same_release_as_reading_them_again(work: Work, tmp_path: Path) -> None:
    first, second = world(40), world(42)
    second["institutions"][5]["address"] = "搬到这里"
    del second["institutions"][7]
    digests = []
    for keep in (True, False):
        one = Work(Home(tmp_path / str(keep)).prepare(), work.catalogue, NOON)
        publish_day(one, first)
        if not keep:
            one.home.base.unlink()
        publish_day(one, second, 1)
        digests.append({name: entry["sha256"] for name, entry in one.live_manifest()["files"].items()})
    assert digests[0] == digests[1]


def test_history_has_each_row_as_it_was(work: Work) -> None:
    publish_day(work, world(3))
    after = world(3)
    after["institutions"][0]["address"] = "新地址"
    publish_day(work, after, 1)
    past = sqlite3.connect(work.home.history)
    rows = past.execute(
        "SELECT address, release_from, release_to FROM institutions WHERE name LIKE '%启明1%' ORDER BY release_from"
    ).fetchall()
    assert rows == [("文三路1号2楼", 1, 2), ("新地址", 2, None)]
    for number, release in past.execute("SELECT number, id FROM releases").fetchall():
        database = sqlite3.connect(work.home.releases / release / "mingbai.db")
        for table in work.catalogue.tables.values():
            names = ", ".join(f'"{c.name}"' for c in table.published)
            then = past.execute(
                f'SELECT {names} FROM "{table.name}" WHERE release_from <= ? AND (release_to IS NULL OR release_to > ?)', [number, number]
            ).fetchall()
            assert sorted(map(repr, then)) == sorted(map(repr, database.execute(f'SELECT {names} FROM "{table.name}"').fetchall())), (
                table.name
            )
        database.close()
    past.close()


@pytest.mark.parametrize("died", ["before the folder", "before current"])
def test_a_run_that_died_leaves_the_old_release_and_the_next_one_cleans_up(work: Work, died: str, monkeypatch: pytest.MonkeyPatch) -> None:
    publish_day(work, world(3))
    after = world(3)
    after["institutions"][0]["address"] = "新地址"

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("publish.live.os.rename" if died == "before the folder" else "publish.live.point", die)
    with pytest.raises(KeyboardInterrupt):
        publish_day(work, after, 1)
    monkeypatch.undo()
    assert work.live == "2026-11-01"
    assert publish_day(work, after, 1) == "2026-11-02"
    releases = sqlite3.connect(work.home.history).execute("SELECT id FROM releases ORDER BY number").fetchall()
    assert releases == [("2026-11-01",), ("2026-11-02",)]
    assert history.repair(work.home.history, work.catalogue, work.live) == []


def test_a_candidate_of_another_live_release_is_not_continued(work: Work) -> None:
    publish_day(work, world(3))
    later = Work(work.home, work.catalogue, NOON + timedelta(days=1))
    inputs = inputs_for(later, {"platform": snapshot(work.home.raw, "platform-other", world(4))})
    judge(later, compare(later, assembled(later, inputs)))
    (work.home.path / "current").unlink()
    (work.home.path / "releases.json").unlink()
    with pytest.raises(BadHome, match="run `mingbai run` again"):
        Candidate.load(work.home)


BUILD = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from publish.catalogue import load
from publish.home import Home
from test_pipeline import *
work = Work(Home(Path(sys.argv[1])).prepare(), load(), NOON)
publish_day(work, world(50))
after = world(52); after["institutions"][3]["address"] = "别处"
publish_day(work, after, 1)
print(work.live_manifest()["files"]["mingbai.db"]["sha256"], hashlib.sha256((work.home.current / "SHA256SUMS").read_bytes()).hexdigest())
"""


def test_the_same_snapshots_make_the_same_bytes_elsewhere(tmp_path: Path) -> None:
    made = set()
    for number, (seed, zone, locale) in enumerate(
        [("0", "UTC", "C"), ("1", "America/New_York", "tr_TR.UTF-8"), ("77", "Asia/Shanghai", "zh_CN.GB18030")]
    ):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": locale, "PYTHONUTF8": "1"}
        code = BUILD.format(tests=str(Path(__file__).parent))
        root = Path(__file__).parent.parent
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / ("x" * (number + 1)))],
            env=environment,
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        )
        made.add(done.stdout)
    assert len(made) == 1, made


def test_what_is_live_was_released_from_the_snapshots_that_its_manifest_names(work: Work) -> None:
    publish_day(work, world(3))
    publish_day(work, world(4), 1)
    row = work.live_manifest()["sources"][0]
    assert [s["id"] for s in row["snapshots"]] == [s.id for s in released(work)["platform"]]
    assert len(row["snapshots"]) == 2


def test_what_others_refer_to_is_filled_first_in_whatever_order_tables_are_declared(work: Work) -> None:
    turned = replace(work.catalogue, tables=dict(reversed(work.catalogue.tables.items())))
    publish_day(replace(work, catalogue=turned), world())
    assert [query(work, f"SELECT count(*) FROM {table}") for table in ("institutions", "listings", "ratings")] == [[(3,)]] * 3
