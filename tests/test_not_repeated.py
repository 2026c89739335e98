"""A correction does not repeat what it corrects: neither an earlier release's pages nor its deltas have the words that were changed since (rule 8)."""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from making import NOON, credit_code, deliver, institution, notice, on, query, world
from publish.amend import Request, amend
from publish.catalogue import Catalogue, dictionary
from publish.home import Home
from publish.same import CODES, END, PARTY, VALUES, WORDS
from publish.web.server import build_app
from publish.wording import LANGUAGES, wording
from publish.work import Work
from web_visitor import text_of

FIRST, SECOND, THIRD = "2026-11-01", "2026-11-02", "2026-11-03"
NAME = "西湖小苗画室"  # of a person, as its source says later
NAMESAKE = institution(4, orgName=NAME)
TEXTS = {"title": f"关于{NAME}无证办学的处罚决定", "facts": f"{NAME}在东大路无证办学。", "penaltyContent": f"责令{NAME}停止办学"}
NAMED = notice(2, subjectName=NAME, docTitle=f"{NAME}处罚决定书", **TEXTS)
FACTS, MASKED = "负责人甲乙丙丁擅自办学。", "负责人某擅自办学。"
WORDED = notice(3, title="关于启明3的处罚决定", facts=FACTS)
REPLIES = ["甲乙丙丁申辩。", "再次申辩。"]


def told(*notices: Any) -> dict[str, Any]:
    found = world(3)
    return {**found, "institutions": [*found["institutions"], NAMESAKE], "notices": [notice(1), *notices]}


@pytest.fixture(scope="module")
def corrected(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Work:
    """The second release adds two notices; the third says that one is about a person, and masks a name in the facts of the other."""
    work = Work(Home(tmp_path_factory.mktemp("corrected") / "home").prepare(), catalogue, NOON)
    deliver(work, told(), 0)
    deliver(work, told(NAMED, WORDED), 1)
    deliver(work, told({**NAMED, "subjectType": "个人"}, {**WORDED, "facts": MASKED}), 2)
    assert work.home.release_ids() == [FIRST, SECOND, THIRD]
    return work


@asynccontextmanager
async def visitor(work: Work, day: str = THIRD) -> AsyncIterator[httpx.AsyncClient]:
    app = build_app(work.home.path, dictionary=dictionary(work.catalogue), now=lambda: datetime.fromisoformat(f"{day}T13:00:00+08:00"))
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1") as client:
            yield client
    finally:
        app.shelf.close()


def known(work: Work, column: str, value: str) -> str:
    ((identifier,),) = query(work, f"SELECT id FROM notices WHERE {column} = ?", value)
    return str(identifier)


def person(work: Work) -> str:
    return known(work, "subject_kind", "person")


async def everything(client: httpx.AsyncClient, work: Work, as_of: str) -> dict[str, str]:
    institutions = [id for (id,) in query(work, "SELECT id FROM institutions ORDER BY id")]
    notices = [id for (id,) in query(work, "SELECT id FROM notices ORDER BY id")]
    paths = [*("/", "/data"), *(f"/{kind}/{id}{end}" for kind, ids in (("institutions", institutions), ("notices", notices)) for id in ids for end in ("", ".json"))]  # fmt: skip
    return {path: (await client.get(f"{path}?as_of={as_of}")).text for path in paths}


async def test_a_notice_that_is_about_a_person_since_is_in_no_earlier_release(corrected: Work) -> None:
    id = person(corrected)
    async with visitor(corrected) as client:
        assert (await client.get(f"/notices/{id}.json")).json()["subject_name"].endswith("某")
        for lang in LANGUAGES:
            prefix = "" if lang == "zh" else "/en"
            page, answer = [await client.get(f"{prefix}/notices/{id}{end}?as_of={SECOND}") for end in ("", ".json")]
            assert (page.status_code, answer.status_code) == (410, 410)
            assert answer.json()["tombstone"] == {"id": id, "on": THIRD, "class": "subject_corrected"}
            assert wording(lang)["gone.subject_corrected"] in page.text
            assert wording(lang)["gone.title"] not in page.text, "it is published, and only what it said then is not"
            assert NAME not in page.text + answer.text
        for words in (NAME, "东大路", "停止办学"):
            found = (await client.get("/search.json", params={"q": words, "as_of": SECOND})).json()
            assert id not in {it["id"] for it in found["notices"]}, words
        said = await everything(client, corrected, SECOND)
    for path, text in said.items():
        assert id not in text or path.startswith(f"/notices/{id}"), path
        assert not any(part in text for part in ("无证办学", "停止办学", f"{NAME}处罚")), path


async def test_the_full_text_of_an_earlier_release_tells_nothing_of_it_either(corrected: Work) -> None:
    party, worded = person(corrected), known(corrected, "facts", MASKED)
    async with visitor(corrected) as client:

        async def found(query: str) -> dict[str, Any]:
            answer = await client.get("/notices.json", params={"q": query, "as_of": SECOND, "limit": "100"})
            return dict(answer.json())

        everything = await found("")
        assert {it["id"] for it in everything["results"]} == {worded, known(corrected, "title", "关于启明1的处罚决定")}
        for query in (NAME, "东大路", "停止办学", "无证办学 OR 机关:教育局", "NOT 启明"):
            answer = await found(query)
            assert party not in {it["id"] for it in answer["results"]}, query
            assert answer["total"] == len(answer["results"]) == sum(answer["facets"]["year"].values())
        for query, there in (("甲乙丙丁", False), ("启明3的处罚", True), ("启明3 -甲乙丙丁", True), ("启明3 -查无此词", True)):
            answer = await found(query)
            assert (worded in {it["id"] for it in answer["results"]}) == there, f"{query}: neither the word nor its absence tells"
            assert "甲乙丙丁" not in json.dumps(answer["results"], ensure_ascii=False)
        assert (await found("甲乙丙戊"))["meant"] is None
    async with visitor(corrected, SECOND) as client:
        assert worded in {it["id"] for it in (await client.get("/notices.json", params={"q": "启明3"})).json()["results"]}


async def test_nobody_is_its_namesake_then(corrected: Work) -> None:
    ((namesake,),) = query(corrected, "SELECT id FROM institutions WHERE name = ?", NAME)
    async with visitor(corrected) as client:
        found = (await client.get(f"/institutions/{namesake}.json?as_of={SECOND}")).json()
    assert (found["name"], found["unmatched_notices"], found["notices"]) == (NAME, [], [])


async def test_of_a_notice_whose_words_were_changed_only_the_others_are_shown(corrected: Work) -> None:
    id = known(corrected, "facts", MASKED)
    async with visitor(corrected) as client:
        found = (await client.get(f"/notices/{id}.json?as_of={SECOND}")).json()
        assert (found["title"], found["facts"], found["not_repeated"]) == ("关于启明3的处罚决定", None, ["facts"])
        for lang in LANGUAGES:
            page = (await client.get(f"{'' if lang == 'zh' else '/en'}/notices/{id}?as_of={SECOND}")).text
            assert wording(lang)["as_of.not_repeated"] in page
        for words, there in (("甲乙丙丁", False), ("启明3的处罚", True)):
            hits = (await client.get("/search.json", params={"q": words, "as_of": SECOND})).json()["notices"]
            assert (id in {it["id"] for it in hits}) == there, "what is not shown is not found by either"
        assert "甲乙丙丁" not in "".join((await everything(client, corrected, SECOND)).values())
        first = known(corrected, "title", "关于启明1的处罚决定")
        assert (await client.get(f"/notices/{first}.json?as_of={SECOND}")).json()["not_repeated"] == []


@pytest.mark.parametrize(
    "changed", [{"subjectType": "个人"}, {"subjectName": "西湖大苗画室"}, {"facts": MASKED}, {"fineWan": "9.5"}, {"measures": []}, {}]
)
async def test_what_a_delta_says_of_a_notice_must_be_said_today(work: Work, changed: dict[str, Any]) -> None:
    """State, document and links are the same."""
    named = {**NAMED, "docTitle": "处罚决定书"}
    for day, notices in enumerate(([], [named], [{**named, **changed}, notice(5)])):
        deliver(work, {**told(*notices), "institutions": world(3)["institutions"]}, day)
    async with visitor(work) as client:
        for form in ("ndjson", "csv"):
            before, after = [await client.get(f"/deltas/{name}.{form}") for name in (SECOND, THIRD)]
            assert (before.status_code, after.status_code) == (410 if changed else 200, 200)
            assert (NAME in before.text) == (not changed)


@pytest.mark.parametrize(("title", "said"), [("某决定书", None), ("甲乙丙丁决定书", "甲乙丙丁决定书")])
async def test_the_title_of_a_document_is_not_repeated_either(work: Work, title: str, said: str | None) -> None:
    deliver(work, told({**WORDED, "docTitle": "甲乙丙丁决定书"}), 0)
    deliver(work, told({**WORDED, "docTitle": title}, notice(5)), 1)
    id = known(work, "facts", FACTS)
    async with visitor(work) as client:
        assert (await client.get(f"/notices/{id}.json?as_of={FIRST}")).json()["document_title"] == said


@pytest.mark.parametrize(("changed", "found"), [({"creditCode": ""}, False), ({"fineWan": "1.6"}, True)])
async def test_a_number_that_was_taken_out_finds_nothing_in_the_past(work: Work, changed: dict[str, Any], found: bool) -> None:
    code = credit_code(7)
    deliver(work, told({**WORDED, "creditCode": code}), 0)
    deliver(work, told({**WORDED, "creditCode": code, **changed}), 1)
    async with visitor(work) as client:
        answer = (await client.get("/search.json", params={"q": code, "as_of": FIRST})).json()
    assert [it["title"] for it in answer["notices"]] == ["关于启明3的处罚决定"] * found


AMOUNTS = {"fineWan": "2.5", "confiscatedWan": "1.5", "decidedOn": "2026-09-15", "publishedOn": "2026-09-20", "seriousness": "严重"}


async def test_amounts_and_dates_that_were_corrected_are_neither_shown_nor_found(work: Work) -> None:
    """One notice keeps its own: what is the same today is shown and found as it was."""
    deliver(work, told({**WORDED, **AMOUNTS}, {**notice(6), **AMOUNTS}), 0)
    deliver(work, told(WORDED, {**notice(6), **AMOUNTS}), 1)
    changed, kept = (
        next(id for (id,) in query(work, "SELECT id FROM notices WHERE title = ?", title))
        for title in ("关于启明3的处罚决定", "关于启明6的处罚决定")
    )
    async with visitor(work) as client:
        now = (await client.get(f"/notices/{changed}.json")).json()
        then, same = [(await client.get(f"/notices/{id}.json?as_of={FIRST}")).json() for id in (changed, kept)]
        columns = ["fine_fen", "confiscated_fen", "decided_on", "published_on", "seriousness"]
        assert all(now[name] != same[name] for name in columns)
        assert [then[name] for name in columns] == [None] * len(columns)
        assert set(columns) <= set(then["not_repeated"])
        for lang in LANGUAGES:
            page = (await client.get(f"{'' if lang == 'zh' else '/en'}/notices/{changed}?as_of={FIRST}")).text
            assert "25,000" not in page
            assert wording(lang)["as_of.not_repeated"] in page
        for asked in (
            {"q": "罚款:25000"},
            {"q": "fine:2万..3万"},
            {"q": "处罚决定", "since": "2026-09-15", "until": "2026-09-15"},
            {"q": "日期:2026-09-15"},
            {"seriousness": "serious"},
        ):
            answer = (await client.get("/notices.json", params={**asked, "as_of": FIRST, "limit": "100"})).json()
            assert [it["id"] for it in answer["results"]] == [kept], asked
            assert answer["total"] == 1 == sum(answer["facets"]["year"].values())
        everything = (await client.get("/notices.json", params={"as_of": FIRST, "limit": "100"})).json()
        assert changed in {it["id"] for it in everything["results"]}
        assert "2500000" not in json.dumps([it for it in everything["results"] if it["id"] == changed])


HARSH = {"penaltyTypes": ["罚款", "吊销许可证件"], "measures": ["责令改正", "列入黑名单"], "seriousness": "严重"}


async def test_what_a_notice_ordered_and_until_when_it_is_public_are_told_as_they_are_today(work: Work) -> None:
    """One notice keeps what it ordered; of the other a penalty, a measure and the longer term were wrong."""
    kept = {**notice(6), **HARSH}
    for day, notices in enumerate(((), ({**WORDED, **HARSH}, kept), (WORDED, kept))):
        deliver(work, told(*notices), day)
    changed, same = (known(work, "title", title) for title in ("关于启明3的处罚决定", "关于启明6的处罚决定"))
    async with visitor(work) as client:
        now = (await client.get(f"/notices/{changed}.json")).json()
        then, other = [(await client.get(f"/notices/{id}.json?as_of={SECOND}")).json() for id in (changed, same)]
        assert (then["penalties"], then["measures"]) == (["fine"], ["order_to_correct"]) == (now["penalties"], now["measures"])
        assert (then["public_until"], other["public_until"]) == (now["public_until"], "2029-10-20") != ("2029-10-20",) * 2
        assert set(then["not_repeated"]) == {"penalties", "measures", "seriousness", "public_until"}
        assert other["not_repeated"] == []
        for asked in ("处罚:吊销许可证件", "penalty:revoke", "措施:黑名单", "启明 措施:黑名单"):
            answer = (await client.get("/notices.json", params={"q": asked, "as_of": SECOND})).json()
            assert [it["id"] for it in answer["results"]] == [same], asked
        for (table, column), codes in zip(CODES.values(), ({"fine"}, {"order_to_correct"}), strict=True):
            rows = (await client.get(f"/history/{table}_as_of.json", params={"release": SECOND, "_shape": "array"})).json()
            assert {row[column] for row in rows if row["notice_id"] == changed} == codes
            assert len([row for row in rows if row["notice_id"] == same]) == 2
        rows = (await client.get("/history/notices_as_of.json", params={"release": SECOND, "_shape": "array"})).json()
        assert {row["id"]: (row["seriousness"], row["public_until"]) for row in rows if row["id"] in (changed, same)} == {
            changed: (None, None),
            same: ("serious", "2029-10-20"),
        }
        items = (await client.get("/changes.json", params={"subject": changed, "limit": "200"})).json()["items"]
        assert not [item for item in items if {"revoke_permit", "blacklisted"} & set((item["key"] or "").split(" "))]
        fields = {
            field["field"]: (field["before"], field["after"]) for item in items if item["kind"] == "change" for field in item["fields"]
        }
        assert fields["seriousness"] == ("serious", "general"), "a change says what was wrong beside what is right"


PENALTY = "罚款1.9万元，责令退费"


@pytest.mark.parametrize("disputed", [False, True])
async def test_a_correction_is_told_once_without_what_it_corrects(work: Work, disputed: bool) -> None:
    """Neither by what it replaced nor by the change that had brought that; and a dispute that follows does not hide it."""
    wrong = {**HARSH, "fineWan": "1.9", "penaltyContent": PENALTY}
    deliver(work, told({**WORDED, **wrong, "fineWan": "1.7"}), 0)
    deliver(work, told({**WORDED, **wrong}), 1)
    id = known(work, "title", "关于启明3的处罚决定")
    signed = {"document": "更正通知", "by": "张三", "note": "来源多写了一位"}
    amend(on(work, 2), Request("correct", id, fields={"fine_fen": "2000元", "fine_text": "2000元", "penalty_text": "罚款2000元"}, **signed))
    if disputed:
        amend(on(work, 2), Request("dispute", id, **signed))
    async with visitor(work) as client:
        answer = (await client.get(f"/notices/{id}.json")).json()
        owner = answer["links"][0]["institution_id"]
        items = (await client.get("/changes.json", params={"subject": id})).json()["items"]
        fines = [field for item in items for field in item["fields"] if field["field"] == "fine_fen"]
        hidden = {"field": "fine_fen", "before": None, "has_values": False}
        assert fines == [{**hidden, "after": 200_000}, {**hidden, "after": None}], "newest first"
        events = [it["event"] for it in answer["timeline"]]
        assert events == [*(["disputed"] if disputed else []), "corrected", "changed", "first"]
        if disputed:
            assert [(f["before"], f["after"]) for f in answer["timeline"][0]["fields"]] == [("corrected", "disputed")]
        for path in (
            f"/notices/{id}",
            f"/institutions/{owner}",
            f"/changes?subject={id}",
            "/history/changes.json?_shape=array",
            "/changes.csv",
        ):
            text = (await client.get(path)).text
            assert not [it for it in ("19,000", "17,000", "1900000", "1700000", "1.9", PENALTY) if it in text], path
        for lang in LANGUAGES:
            words, prefix = wording(lang), "" if lang == "zh" else "/en"
            page, institution, compared = [
                text_of((await client.get(f"{prefix}{path}")).text)
                for path in (f"/notices/{id}", f"/institutions/{owner}", f"/compare?id={owner}")
            ]
            label = {"zh": ("有异议", "已更正"), "en": ("Disputed", "Corrected")}[lang]
            assert words["changes.not_repeated"] in page
            assert words["notice.corrected_here"] in page
            assert (words["notice.disputed"] in page) == disputed
            for text in (page, institution):
                assert ((label[0] + words["list.and"] + label[1]) in text) == disputed, lang
            fine, penalty, measure = (
                words["notice.yuan"].format(yuan="2,000.00"),
                *(("吊销许可证件", "列入黑名单") if lang == "zh" else ("Permit revoked", "Put on the black list")),
            )
            for text in (institution, compared):
                assert not [it for it in (fine, penalty, measure, label[1]) if it not in text]
        both = (await client.get(f"/compare.json?id={owner}")).json()["institutions"][0]["notices_in_force"]
        assert [(it["fine_fen"], it["penalties"], it["corrections"]) for it in both if it["id"] == id] == [
            (200_000, ["fine", "revoke_permit"], 1)
        ]


def edit(database: Path, sql: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(sql)


async def test_a_statement_of_then_is_the_one_of_now_in_its_words(work: Work) -> None:
    deliver(work, told(WORDED), 0)
    id = known(work, "facts", FACTS)
    given = {"document": "来函〔2026〕3号", "by": "张三", "note": "来函", "said_by": "杭州市西湖区启明3艺术培训中心有限公司"}
    for text in REPLIES:
        amend(on(work, 1), Request("reply", id, text=text, said_on="2026-11-01", **given))
    deliver(work, told(WORDED, notice(5)), 2)
    with_statements = "2026-11-02.2"
    sql = "UPDATE notice_statements SET text = '申辩' WHERE number = 1; DELETE FROM notice_statements WHERE number = 2"
    async with visitor(work) as client:
        assert [one["text"] for one in (await client.get(f"/notices/{id}.json?as_of={with_statements}")).json()["statements"]] == REPLIES
        assert (await client.get(f"/deltas/{with_statements}.ndjson")).status_code == 200
    edit(work.home.releases / THIRD / "mingbai.db", sql)
    async with visitor(work) as client:
        found = (await client.get(f"/notices/{id}.json?as_of={with_statements}")).json()
        assert [(one["number"], one["text"]) for one in found["statements"]] == [(1, "申辩")]
        assert (await client.get(f"/deltas/{with_statements}.ndjson")).status_code == 410


def test_every_other_column_of_a_notice_is_compared_too(catalogue: Catalogue) -> None:
    """But for what it is and where it comes from: its state is that of then, and `state_now` says today's."""
    found = {column.name for column in catalogue.tables["notices"].published} - {*WORDS["notices"], *VALUES, END, *PARTY}
    assert found == {"id", "state", "absent_since", "source_id", "document_id"}
    parts = {table.name for table in catalogue.tables.values() if table.parent == "notices"}
    assert parts == {*(table for table, _ in CODES.values()), "notice_statements"}


def test_every_published_text_of_these_tables_is_compared(catalogue: Catalogue) -> None:
    for table, columns in WORDS.items():
        texts = {c.name for c in catalogue.tables[table].published if c.kind in ("name", "prose", "text", "credit_code", "permit_no")}
        assert set(columns) == texts, table
