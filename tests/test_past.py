"""What may be told of the past: every change with its cause and its dates, and nothing of what may no longer be shown."""

import ast
import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from typing import Any

import pytest

from making import approved, copied, deliver, institution, listing, notice, on, query, rating, world
from publish.amend import Request, amend
from publish.decide import back
from publish.errors import BadHome, ReviewNeeded
from publish.hidden import BY, HERE
from publish.live import repair
from publish.web.past import Past, past_ended
from publish.web.reader import Reader
from publish.withdraw import withdraw
from publish.work import Work

FACTS = "擅自举办培训班的事实甲乙丙"
BLACK = listing(
    2,
    listingId="B000002",
    list="黑名单",
    listedOn="2026-10-30",
    asOf="2026-10-30",
    docTitle="黑名单公告甲乙丙",
    docUrl="https://example.org/black/1",
)


def told(work: Work, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{work.home.past / f'{work.live}.db'}?mode=ro&immutable=1", uri=True)) as connection:
        return connection.execute(sql, values).fetchall()


def changes(work: Work, release: str, table: str) -> list[tuple[Any, ...]]:
    sql = """SELECT kind, field, before, after, cause, subject IS NOT NULL, region, effective_on, published_on, is_shown FROM changes c
        JOIN releases r ON r.number = c.release WHERE r.id = ? AND table_name = ? ORDER BY c.number"""
    return told(work, sql, release, table)


def bytes_of(work: Work) -> bytes:
    (path,) = work.home.past.iterdir()
    return path.read_bytes()


@pytest.fixture(scope="module")
def made(begun: Callable[[], Work]) -> Work:
    """A second notice and a black listing come on the second day."""
    work = begun()
    deliver(work, {**world(3), "notices": [notice(1)]}, 0)
    second = notice(2, facts=FACTS, docTitle="处罚决定甲乙丙", decidedOn="2026-10-30", publishedOn="2026-10-31")
    deliver(work, {**world(3), "notices": [notice(1), second], "listings": [*world(3)["listings"], BLACK]}, 1)
    return work


@pytest.fixture
def published(made: Work, work: Work) -> Work:
    return copied(made, work)


def test_an_addition_has_the_dates_of_its_own_row(published: Work) -> None:
    assert changes(published, "2026-11-02", "notices") == [("add", None, None, None, "source", 1, "330106", "2026-10-30", "2026-10-31", 1)]
    assert changes(published, "2026-11-02", "listings") == [("add", None, None, None, "source", 1, "330106", "2026-10-30", "2026-10-30", 1)]
    ((subject,),) = told(published, "SELECT subject FROM changes WHERE table_name = 'listings'")
    assert subject in {row[0] for row in query(published, "SELECT id FROM institutions")}


def test_a_change_has_the_day_up_to_which_its_source_was_read_and_its_fields(published: Work) -> None:
    renamed = institution(1, orgName="杭州市西湖区启明新艺术培训中心有限公司", updatedOn="2026-11-02")
    deliver(
        published,
        {**world(3), "institutions": [renamed, institution(2), institution(3)], "notices": [notice(1)], "listings": world(3)["listings"]},
        2,
    )
    rows = [row for row in changes(published, "2026-11-03", "institutions") if row[1] == "name"]
    assert rows == [
        (
            "change",
            "name",
            "杭州市西湖区启明1艺术培训中心有限公司",
            "杭州市西湖区启明新艺术培训中心有限公司",
            "source",
            1,
            "330106",
            "2026-11-02",
            "2026-11-03",
            1,
        )
    ]


def test_that_a_list_lost_somebody_holds_since_no_day_that_the_row_had_before(published: Work) -> None:
    without = {**world(3), "institutions": world(3)["institutions"][:2], "ratings": []}
    deliver(published, {**without, "notices": [notice(1), notice(2, facts=FACTS)], "listings": [listing(1), listing(2), BLACK]}, 2)
    sql = "SELECT DISTINCT table_name, effective_on, published_on FROM changes WHERE field = 'absent_since' ORDER BY 1"
    assert told(published, sql) == [("institutions", None, "2026-11-03"), ("listings", None, "2026-11-03")]


def test_a_notice_that_was_withdrawn_is_there_by_its_id_alone(published: Work) -> None:
    assert FACTS.encode() in bytes_of(published)
    ((known,),) = query(published, "SELECT id FROM notices WHERE facts = ?", FACTS)
    gone = notice(2, facts=FACTS, docTitle="处罚决定甲乙丙", state="已撤销", decidedOn="2026-10-30", publishedOn="2026-10-31")
    deliver(published, {**world(3), "notices": [notice(1), gone], "listings": [*world(3)["listings"], BLACK]}, 2)
    assert changes(published, "2026-11-02", "notices") == [("add", None, None, None, "source", 1, None, None, None, 0)]
    assert changes(published, "2026-11-03", "notices") == [("remove", None, None, None, "withdrawal", 1, None, None, None, 0)]
    assert told(published, "SELECT DISTINCT key, subject FROM changes WHERE table_name = 'notices'") == [(known, known)]
    for table in ("notices", "notice_links", "notice_penalties", "notice_measures"):
        assert known not in {row[0] for row in told(published, f"SELECT {'id' if table == 'notices' else 'notice_id'} FROM {table}")}
    assert told(published, "SELECT count(*) FROM changes WHERE table_name GLOB 'notice_*' AND key LIKE ?", f"{known}%") == [(0,)]
    for text in (FACTS, "处罚决定甲乙丙"):
        assert text.encode() not in bytes_of(published)


def test_a_black_listing_that_is_gone_does_not_say_whose_it_was(published: Work) -> None:
    ((black,),) = query(published, "SELECT id FROM listings WHERE list = 'black'")
    assert told(published, "SELECT count(*) FROM listings WHERE id = ?", black) == [(1,)]
    assert "黑名单公告甲乙丙".encode() in bytes_of(published)
    for day in (2, 3):  # it goes after the second list without it
        deliver(
            published,
            {**world(3), "notices": [notice(1), notice(2, facts=FACTS)], "ratings": [rating(1, histogram=(9, day, 2, 3, 4))]},
            day,
        )
    assert query(published, "SELECT count(*) FROM listings WHERE id = ?", black) == [(0,)]
    assert told(published, "SELECT count(*) FROM listings WHERE id = ?", black) == [(0,)]
    rows = told(
        published, "SELECT kind, subject, region, effective_on, is_shown FROM changes WHERE table_name = 'listings' ORDER BY number"
    )
    assert rows == [("add", None, None, None, 0), ("remove", None, None, None, 0)]
    assert "黑名单公告甲乙丙".encode() not in bytes_of(published)


def test_a_notice_that_its_list_no_longer_has_is_there_by_its_id_alone(published: Work) -> None:
    ((known, document),) = query(published, "SELECT id, document_id FROM notices WHERE facts = ?", FACTS)
    for day in (2, 3):
        deliver(
            published,
            {
                **world(3),
                "notices": [notice(1)],
                "listings": [*world(3)["listings"], BLACK],
                "ratings": [rating(1, histogram=(9, day, 2, 3, 4))],
            },
            day,
        )
    assert [row[0] for row in query(published, "SELECT title FROM notices")] == ["关于启明1的处罚决定"]
    assert changes(published, published.live or "", "notices")[-1] == ("remove", None, None, None, "source", 1, None, None, None, 0)
    assert told(published, "SELECT DISTINCT table_name FROM changes WHERE subject = ? OR key = ?", known, document) == [("notices",)]
    for text in (FACTS, "处罚决定甲乙丙", document):
        assert text.encode() not in bytes_of(published)


@pytest.mark.parametrize(
    ("changed", "cause"),
    [
        ({"publicUntil": "2026-11-02"}, "expiry"),
        ({"seriousness": "轻微"}, "correction"),
        ({"state": "已由上级机关重新审查"}, "correction"),
        ({"publicUntil": "已到期"}, "correction"),
        ({"decidedOn": "2027-10-30", "publishedOn": ""}, "correction"),
    ],
)
def test_what_its_source_says_otherwise_is_not_missing_from_its_list(published: Work, changed: dict[str, str], cause: str) -> None:
    other = notice(2, **{"facts": FACTS, "docTitle": "处罚决定甲乙丙", "decidedOn": "2026-10-30", "publishedOn": "2026-10-31", **changed})
    deliver(published, {**world(3), "notices": [notice(1), other], "listings": [*world(3)["listings"], BLACK]}, 2)
    assert [row[:5] for row in changes(published, "2026-11-03", "notices")] == [("remove", None, None, None, cause)]
    assert FACTS.encode() not in bytes_of(published)
    (stone,) = json.loads((published.home.releases / str(published.live) / "tombstones.json").read_bytes()).values()
    assert stone["class"] == {"expiry": "expired", "correction": "corrected"}[cause]


def test_the_document_that_a_notice_named_before_says_nothing_any_more(published: Work) -> None:
    other = {"docTitle": "另一份决定书", "docUrl": "https://example.org/notice/2/corrected"}
    second = notice(2, facts=FACTS, decidedOn="2026-10-30", publishedOn="2026-10-31", **other)
    deliver(published, {**world(3), "notices": [notice(1), second], "listings": [*world(3)["listings"], BLACK]}, 2)
    assert ("处罚决定甲乙丙".encode() in bytes_of(published), "另一份决定书".encode() in bytes_of(published)) == (False, True)
    assert told(published, "SELECT count(*) FROM notices n JOIN documents d ON d.id = n.document_id WHERE facts = ?", FACTS)[0][0] == 2


def test_the_document_of_a_notice_that_people_withdrew_is_in_no_change(published: Work) -> None:
    ((known, document),) = query(published, "SELECT id, document_id FROM notices WHERE facts = ?", FACTS)
    assert told(published, "SELECT kind FROM changes WHERE key = ?", document) == [("add",)]
    for name in ("张三", "李四"):
        with suppress(ReviewNeeded):
            withdraw(on(published, 2), known, "revoked", "撤销判决书", name, "法院撤销")
    deliver(published, {**world(4), "notices": [notice(1)], "listings": [*world(4)["listings"], BLACK]}, 3)
    assert told(published, "SELECT kind FROM changes WHERE key = ?", document) == []


def test_what_has_ended_since_the_release_is_told_of_no_more_though_the_file_still_has_it(published: Work) -> None:
    reader = Reader(published.home.releases / str(published.live))
    past = Past(reader)
    assert past.rows("2026-11-02", "SELECT count(*) AS n FROM notices WHERE facts = ?", FACTS) == [{"n": 1}]
    ends = query(published, "SELECT public_until FROM notices WHERE facts = ?", FACTS)[0][0]
    assert past.rows(ends, "SELECT count(*) AS n FROM notices WHERE facts = ?", FACTS) == [{"n": 1}], "its last day is one of them"
    late = "2028-01-01"
    assert past.rows(late, "SELECT count(*) AS n FROM notices") == [{"n": 0}]
    assert past.rows(late, "SELECT count(*) AS n FROM notice_links") == [{"n": 0}]
    assert past.rows(late, "SELECT count(*) AS n FROM listings WHERE list = 'black'") == [{"n": 0}]
    assert past.rows(
        late,
        "SELECT DISTINCT kind, subject IS NULL AS unnamed, region, effective_on, is_shown FROM changes WHERE table_name IN ('notices', 'listings') ORDER BY 2",
    ) == [
        {"kind": "add", "unnamed": 0, "region": None, "effective_on": None, "is_shown": 0},
        {"kind": "add", "unnamed": 1, "region": None, "effective_on": None, "is_shown": 0},
    ]
    assert past.rows(late, "SELECT count(*) AS n FROM changes WHERE table_name GLOB 'notice_*'") == [{"n": 0}]
    assert past.rows(late, "SELECT title FROM documents WHERE title IN ('处罚决定甲乙丙')") == []
    past.close()
    reader.close()


def test_what_our_recipe_masked_since_is_told_of_no_release_before(published: Work) -> None:
    ((known,),) = query(published, "SELECT id FROM notices WHERE facts = ?", FACTS)
    with closing(
        sqlite3.connect(published.home.history)
    ) as connection:  # as if the release of the second day had been made by a better screen
        connection.execute("UPDATE notices SET facts = '校长王小明' || facts, release_to = 2 WHERE id = ?", [known])
        connection.execute("UPDATE notices SET release_from = 1 WHERE id = ?", [known])
        columns = ", ".join(
            row[1] for row in connection.execute("PRAGMA table_info(notices)") if row[1] not in ("release_from", "release_to", "facts")
        )
        connection.execute(
            f"INSERT INTO notices (release_from, facts, {columns}) SELECT 2, ?, {columns} FROM notices WHERE id = ?", [FACTS, known]
        )
        connection.execute("DELETE FROM changes WHERE key = ?", [known])
        connection.execute(
            "INSERT INTO changes (release, table_name, key, kind, field, before, after, cause, subject) VALUES (2, 'notices', ?, 'change', 'facts', '校长王小明', '校长王某', 'pipeline', ?)",
            [known, known],
        )
        connection.commit()
    (path,) = published.home.past.iterdir()
    path.unlink()
    assert repair(published.home, published.catalogue, published.site) == ["made the past of release 2026-11-02 again"]
    assert told(published, "SELECT release_from, facts FROM notices WHERE id = ? ORDER BY 1", known) == [(1, None), (2, FACTS)]
    assert told(published, "SELECT before, after FROM changes WHERE key = ?", known) == [(None, None)]
    assert "王小明".encode() not in bytes_of(published)


def test_a_column_that_is_private_today_is_told_of_no_release(published: Work) -> None:
    table = published.catalogue.tables["institutions"]
    columns = {**table.columns, "address": replace(table.columns["address"], privacy="private")}
    catalogue = replace(published.catalogue, tables={**published.catalogue.tables, "institutions": replace(table, columns=columns)})
    (path,) = published.home.past.iterdir()
    assert "文三路1号2楼".encode() in path.read_bytes()
    path.unlink()
    repair(published.home, catalogue, published.site)
    assert "文三路1号2楼".encode() not in bytes_of(published)


def test_counts_are_of_rows_and_name_no_region_of_what_is_not_shown(published: Work) -> None:
    gone = notice(2, facts=FACTS, state="已撤销")
    deliver(published, {**world(3), "notices": [notice(1), gone], "listings": [*world(3)["listings"], BLACK]}, 2)
    rows = told(published, "SELECT release, kind, cause, region, rows FROM change_counts WHERE table_name = 'notices'")
    assert rows == [(2, "add", "source", "", 1), (3, "remove", "withdrawal", "", 1)]
    assert told(published, "SELECT region, rows FROM change_counts WHERE table_name = 'listings'") == [("330106", 1)]


def test_the_file_of_the_release_before_goes_and_a_lost_one_is_made_again(published: Work) -> None:
    assert [path.name for path in published.home.past.iterdir()] == ["2026-11-02.db"]
    before = bytes_of(published)
    (published.home.past / "2026-11-02.db").write_bytes(b"torn")
    (published.home.past / "2026-11-01.db").write_bytes(b"")
    repair(published.home, published.catalogue, published.site)
    assert [path.name for path in published.home.past.iterdir()] == ["2026-11-02.db"]
    assert bytes_of(published) == before, "the same history makes the same bytes"


def test_a_file_of_another_form_is_shown_by_nobody_and_made_again(published: Work) -> None:
    (path,) = published.home.past.iterdir()
    with closing(sqlite3.connect(path)) as connection:  # as a mingbai left it that told what this one leaves out
        connection.execute("PRAGMA user_version=2")
    reader = Reader(published.home.releases / str(published.live))
    for show in (lambda: Past(reader), lambda: past_ended(reader, "2026-11-02")):
        with pytest.raises(BadHome, match="is of form 2 and not 7; run `mingbai run`"):
            show()
    assert repair(published.home, published.catalogue, published.site) == ["made the past of release 2026-11-02 again"]
    past = Past(reader)
    assert past.rows("2026-11-02", "SELECT count(*) AS n FROM notices WHERE facts = ?", FACTS) == [{"n": 1}]
    past.close()
    reader.close()


def test_whatever_hides_is_in_what_a_judgement_of_it_is_known_by() -> None:
    """All that hidden.py imports of ours as soon as it is there, but the classes of errors."""
    todo, found = [HERE / "hidden.py"], set()
    while todo:
        path = todo.pop()
        found.add(path)
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ImportFrom) and (node.level or node.module == "search"):
                folder = path.parent if node.level else HERE.parent
                file = folder / f"{node.module}.py"
                todo += {file if file.is_file() else folder / str(node.module) / "__init__.py"} - found
    assert {os.path.relpath(path, HERE) for path in found} - {"errors.py"} <= {*BY}


def test_a_live_release_from_before_tombstones_has_a_past_all_the_same(published: Work) -> None:
    before = bytes_of(published)
    (published.home.releases / "2026-11-02" / "tombstones.json").unlink()
    (published.home.past / "2026-11-02.db").unlink()
    assert repair(published.home, published.catalogue, published.site) == ["made the past of release 2026-11-02 again"]
    assert bytes_of(published) == before


def test_whoever_is_a_person_today_is_named_in_no_earlier_release(published: Work) -> None:
    name = "欧阳锦程书屋"
    person = {"subjectName": name, "facts": f"{name}擅自办班", "title": f"关于{name}的决定", "creditCode": "", "decidedOn": "2026-10-30"}
    listings = {**world(3), "listings": [*world(3)["listings"], BLACK]}
    deliver(published, {**listings, "notices": [notice(1), notice(2, **person)]}, 2)
    ((known,),) = query(published, "SELECT id FROM notices WHERE subject_name = ?", name)
    reply = Request("reply", known, "来函", "张三", "当事人来函", text="我们已经退费甲乙丙", said_by=name, said_on="2026-11-02")
    amend(on(published, 2), reply)
    assert all(text.encode() in bytes_of(published) for text in (name, "我们已经退费甲乙丙"))
    deliver(published, {**listings, "notices": [notice(1), notice(2, **person, subjectType="个人")]}, 3)
    assert query(published, "SELECT count(*) FROM notice_statements") == [(0,)], "as long as it stands for an organisation"
    assert not [text for text in (name, "我们已经退费甲乙丙") if text.encode() in bytes_of(published)]
    rows = told(published, "SELECT field, before, after, has_values FROM changes WHERE table_name = 'notices' AND field = 'subject_name'")
    assert set(rows) == {("subject_name", None, None, 0)}


def test_a_correction_of_the_party_does_not_repeat_who_it_was(published: Work) -> None:
    ((known,),) = query(published, "SELECT id FROM notices WHERE facts = ?", FACTS)
    wrong = "杭州市西湖区启明2艺术培训中心有限公司"
    right = "杭州市西湖区启明3艺术培训中心有限公司"
    about = Request("correct", known, "更正通知", "张三", "写错了当事人", fields={"subject_name": right})
    amend(on(published, 2), about)
    assert told(published, "SELECT DISTINCT subject_name FROM notices WHERE id = ? ORDER BY 1", known) == [(None,), (right,)]
    assert wrong not in {row[0] for row in told(published, "SELECT before FROM changes WHERE subject = ?", known)}


def test_a_listing_that_was_white_before_it_was_black_does_not_say_whose_it_was(published: Work) -> None:
    white, black = (listing(3, list=name, listedOn="2026-10-30", asOf="2026-10-30") for name in ("白名单", "黑名单"))
    for day, third in ((2, [white]), (3, [black]), (4, []), (5, [])):
        lists = {"listings": [listing(1), listing(2), *third, BLACK], "ratings": [rating(1, histogram=(9, day, 2, 3, 4))]}
        deliver(published, {**world(3), "notices": [notice(1), notice(2, facts=FACTS)], **lists}, day)
    ((institution_id,),) = query(published, "SELECT id FROM institutions WHERE name LIKE '%启明3%'")
    assert told(published, "SELECT count(*) FROM listings WHERE institution_id = ?", institution_id) == [(0,)]
    rows = told(published, "SELECT key, subject FROM changes WHERE table_name = 'listings' AND NOT is_shown")
    assert rows
    assert {subject for _, subject in rows} == {None}
    assert all(key.startswith("#") for key, _ in rows)


def test_what_our_recipe_took_out_of_a_key_is_told_of_no_release(published: Work) -> None:
    ((known,),) = query(published, "SELECT id FROM institutions WHERE name LIKE '%启明1%'")
    telling = "文三路1号 联系电话13800001234"
    with closing(sqlite3.connect(published.home.history)) as connection:  # as if the first release had been made by a weaker screen
        connection.execute(
            "INSERT INTO institution_sites (institution_id, address, release_from, release_to) VALUES (?, ?, 1, 2)", [known, telling]
        )
        sql = "INSERT INTO changes (release, table_name, key, kind, cause, subject) VALUES (2, 'institution_sites', ?, 'remove', 'pipeline', ?)"
        connection.execute(sql, [f"{known} {telling}", known])
        connection.commit()
    (path,) = published.home.past.iterdir()
    path.unlink()
    repair(published.home, published.catalogue, published.site)
    assert b"13800001234" not in bytes_of(published)
    assert told(published, "SELECT count(*) FROM institution_sites WHERE institution_id = ?", known) == [(1,)]


def test_what_only_undoes_a_going_back_is_no_news_from_the_source(published: Work) -> None:
    third = institution(4, updatedOn="2026-11-03")
    brought = {**world(3), "institutions": [*world(3)["institutions"], third], "listings": [*world(3)["listings"], BLACK]}
    brought["notices"] = [
        notice(1),
        notice(2, facts=FACTS, decidedOn="2026-10-30"),
        notice(3, decidedOn="2026-11-01", publishedOn="2026-11-02"),
    ]
    deliver(published, brought, 2)
    try:
        back(on(published, 3), "2026-11-02", "张三", "名称列错位")
    except ReviewNeeded:
        approved(on(published, 3))
    assert published.live_manifest()["restores"] == "2026-11-02"
    fifth = institution(5, updatedOn="2026-11-05")
    deliver(published, {**brought, "institutions": [*brought["institutions"], fifth], "ratings": [rating(1, histogram=(9, 9, 2, 3, 4))]}, 4)
    for table, causes in (("notices", ["source", "pipeline", "pipeline"]), ("institutions", ["source", "pipeline", "pipeline", "source"])):
        rows = told(
            published,
            "SELECT kind, cause, effective_on, published_on FROM changes WHERE table_name = ? AND kind <> 'change' AND release > 2 ORDER BY release, cause",
            table,
        )
        assert [row[1] for row in rows] == causes
        assert [row[0] for row in rows] == ["add", "remove", *["add"] * (len(causes) - 2)]
        assert all(row[2:] == (None, None) for row in rows if row[1] == "pipeline")
