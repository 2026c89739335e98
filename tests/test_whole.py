"""A notice about a natural person, or about who could be one, is in the whole of a table and in nothing that is looked up in it (rule 8)."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from html import unescape
from typing import Any

import httpx
import pytest

from publish.catalogue import Catalogue, dictionary
from publish.web.server import Application, build_app
from publish.web.whole import NAMED_BY
from publish.wording import LANGUAGES, wording
from web_release import ACTIVE, PERSON, SWEET, TODAY, UNLINKED, _notice, _statement, go_live, make_release, rows, write_index, write_past

BEFORE = "2026-11-22"
UNKNOWN, ONCE = (
    "n-hhhhhhhhhhh2",
    "n-iiiiiiiiiii2",
)  # about nobody knows whom; about a person in the first release, about an organisation since
THEIR_DOCUMENT, NUMBER = "d-fffffffffff2", "鼓教罚〔2026〕7号"
WHO = (PERSON, UNKNOWN, THEIR_DOCUMENT)
GULOU, FUJIAN = "350102", "350000"
LABELS = {
    "zh": ("公告编号 id、决定书文号 document_no", "文件编号 id", "公告 notice_id"),
    "en": ("Notice ID id, Document number document_no", "Document ID id", "Notice notice_id"),
}
THROUGH = '{"table":"notices","column":"subject_name","value":"张某"}'


def with_persons(mark: str, once: str = "organisation") -> dict[str, list[dict[str, Any]]]:
    """A release in which a person and somebody unknown have all that a notice can have."""
    made, its = rows(mark), {"document_id": THEIR_DOCUMENT}
    person = next(row for row in made["notices"] if row["id"] == PERSON)
    person |= {**its, "document_no": NUMBER}
    made["documents"].append({"id": THEIR_DOCUMENT, "source_id": "platform", "kind": "decision", "title": "关于张某的决定书"})
    made["notices"] += [
        _notice(UNKNOWN, title="关于某处的处罚", subject_name="某", subject_kind="unknown", facts=mark, **its),
        _notice(ONCE, title="更正过的公告", subject_name="某培训部", subject_kind=once),
    ]
    made["notice_penalties"] += [{"notice_id": id, "penalty_code": "fine"} for id in (PERSON, UNKNOWN)]
    made["notice_measures"] += [{"notice_id": id, "measure_code": "order_to_correct"} for id in (PERSON, UNKNOWN)]
    made["notice_statements"] += [_statement(id, 1, kind="dispute") for id in (PERSON, UNKNOWN)]
    made["notice_links"] += [{"notice_id": UNKNOWN, "institution_id": SWEET, "method": "manual", "confidence": 1.0}]
    return made


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Iterator[Application]:
    home = tmp_path_factory.mktemp("home")
    make_release(home, BEFORE, catalogue, tables=with_persons("旧", "person"))
    make_release(home, TODAY, catalogue, tables=with_persons("新"))
    write_past(home, catalogue, BEFORE, TODAY)
    write_index(home, BEFORE, TODAY)
    go_live(home, TODAY)
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: datetime(2026, 11, 23, 4, tzinfo=UTC))
    yield app
    app.shelf.close()


@asynccontextmanager
async def visitor(site: Application) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://site.example", follow_redirects=True) as client:
        yield client


async def ask(site: Application, path: str, **params: str) -> httpx.Response:
    async with visitor(site) as client:
        answer = await client.get(path, params=params or None)
    assert answer.status_code == 200, answer.text[-500:]
    return answer


def text_of(html: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)))


def rows_of(html: str) -> str:
    """The rows that a page shows; none only where it says so."""
    _, table, rows = html.partition("<tbody>")
    assert bool(table) != (wording("zh")["table.none"] in text_of(html)), "a page has rows, or says that it has none"
    return rows.partition("</tbody>")[0]


def no_persons(lang: str, by: str | None = None) -> str:
    """What is said of a table of notices; with `by` "" its beginning, which is that of any."""
    return (
        wording(lang)["table.no_persons"].partition("{by}")[0] if by == "" else wording(lang)["table.no_persons"].format(by=LABELS[lang][0])
    )


LOOK_UPS = [
    ("notices", {"region_code": GULOU}), ("notices", {"region_code__startswith": "35"}), ("notices", {"subject_name__contains": "某"}),
    ("notices", {"subject_kind": "person"}), ("notices", {"subject_kind__not": "organisation"}), ("notices", {"document_no__contains": "罚"}),
    ("notices", {"document_no__in": NUMBER}), ("notices", {"id__in": f"{PERSON},{UNKNOWN}"}), ("notices", {"id__gt": "n-"}),
    ("notices", {"id": PERSON, "region_code": GULOU}), ("notices", {"document_no": NUMBER, "_where": "1 = 1 or 1 = 1"}),
    ("notices", {"_search": NUMBER, "region_code": GULOU}), ("notices", {"_facet": "region_code"}), ("notices", {"_facet_date": "decided_on"}),
    ("notices", {"_sort": "region_code"}), ("notices", {"_sort_desc": "id"}), ("notices", {"_where": "1 = 1 or 1 = 1"}), ("notices", {"document_id": THEIR_DOCUMENT}),
    ("notices", {"_through": '{"table":"notice_penalties","column":"penalty_code","value":"fine"}'}),
    ("notices", {"_filter_column": "region_code", "_filter_op": "exact", "_filter_value": GULOU}),
    ("notice_penalties", {"penalty_code": "fine"}), ("notice_measures", {"_facet": "measure_code"}), ("notice_statements", {"kind": "dispute"}),
    ("notice_links", {"institution_id": SWEET}), ("documents", {"title__contains": "决定"}), ("documents", {"_sort": "title"}),
    ("sources", {"_where": "exists (select 1 from notices where subject_name = '张某')"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("table", "asked", "form"),
    [(*each, form) for at, each in enumerate(LOOK_UPS) for form in (".json", ".csv", "") if form == ".json" or not at % 4],
)
async def test_who_looks_something_up_in_a_table_comes_upon_no_person(site, table, asked, form):
    answer = await ask(site, f"/mingbai/{table}{form}", **asked, **({"_shape": "array"} if form == ".json" else {}))
    if form == ".json":
        assert {row.get("id", row.get("notice_id")) for row in answer.json()}.isdisjoint(WHO)
        assert table != "sources" or answer.json() == []
    elif form == ".csv":
        assert not any(id in answer.text for id in WHO)
    else:
        rows = rows_of(answer.text)
        assert not any(id in rows for id in WHO)
        assert table == "sources" or no_persons("zh", "") in text_of(answer.text)


@pytest.mark.parametrize(
    ("path", "who"),
    [
        *(
            (f"/mingbai/notices{end}", (PERSON, UNKNOWN))
            for end in (
                "",
                ".json",
                ".csv",
                ".json?_shape=array&_size=200",
                ".json?_labels=on&_nocount=1",
                f".json?_next={ACTIVE}&_col=title",
            )
        ),
        *((f"/mingbai/notices{end}", (PERSON,)) for end in (f"?id={PERSON}", f".json?id__exact={PERSON}", f"/{PERSON}", f"/{PERSON}.json")),
        *(
            (f"/mingbai/notices{end}{NUMBER}", (PERSON,))
            for end in ("?document_no=", ".json?document_no__exact=", ".csv?_search=", "?_search=")
        ),
        *(
            (f"/mingbai/{table}{end}", who)
            for table in ("notice_penalties", "notice_measures", "notice_statements")
            for end, who in (("", (PERSON, UNKNOWN)), (".json", (PERSON, UNKNOWN)), (f".json?notice_id={PERSON}", (PERSON,)))
        ),
        (f"/mingbai/notice_penalties/{PERSON},fine.json", (PERSON,)),
        ("/mingbai/documents.json", (THEIR_DOCUMENT,)),
        (f"/mingbai/documents.json?id={THEIR_DOCUMENT}", (THEIR_DOCUMENT,)),
        (f"/mingbai/documents/{THEIR_DOCUMENT}", (THEIR_DOCUMENT,)),
        (f"/history/notices_as_of.json?release={BEFORE}", (PERSON, UNKNOWN, ONCE)),
        (f"/history/notices_as_of.json?id={PERSON}", (PERSON,)),
        (f"/history/notices_as_of/{TODAY},{PERSON}.json", (PERSON,)),
        (f"/history/notices_difference.json?from_release={BEFORE}&to_release={TODAY}", (ONCE,)),
        (f"/history/changes.json?subject={ONCE}", (ONCE,)),
        ("/history/changes.json", (ONCE,)),
    ],
)
async def test_a_whole_table_a_row_and_a_number_have_them(site, path, who):
    answer = await ask(site, path)
    assert [id for id in who if id not in answer.text] == []
    assert no_persons("zh", "") not in answer.text


async def test_a_facet_and_a_count_are_of_the_rows_that_are_shown(site):
    asked = {"_facet": "subject_kind", "_size": "200"}
    found = (await ask(site, "/mingbai/notices.json", **asked)).json()
    assert found["filtered_table_rows_count"] == len(found["rows"])
    assert [(it["value"], it["count"]) for it in found["facet_results"]["subject_kind"]["results"]] == [
        ("organisation", len(found["rows"]))
    ]
    whole = (await ask(site, "/mingbai/notices.json", _size="200")).json()
    assert whole["filtered_table_rows_count"] == len(whole["rows"]) == len(found["rows"]) + 2


@pytest.mark.parametrize("row", ["sources/platform", f"institutions/{SWEET}", f"documents/{THEIR_DOCUMENT}"])
async def test_the_number_of_rows_beside_a_row_is_that_of_its_link(site, row):
    found = (await ask(site, f"/mingbai/{row}.json", _extras="foreign_key_tables")).json()["foreign_key_tables"]
    for other in found:
        if other["other_table"].startswith("notice"):
            linked = (await ask(site, other["link"].replace("?", ".json?") + "&_shape=array")).json()
            assert other["count"] == len(linked), other
            assert {it.get("id", it.get("notice_id")) for it in linked}.isdisjoint(WHO)


async def test_no_other_table_is_asked_through_them(site):
    through = await ask(site, "/mingbai/sources.json", _through=THROUGH, _shape="array")
    assert through.json() == []


@pytest.mark.parametrize(
    ("table", "asked"),
    [
        ("notices_as_of", {"region_code": GULOU}), ("notices_as_of", {"release": TODAY, "subject_kind": "person"}), ("notices_as_of", {"_where": "1 = 1 or 1 = 1"}),
        ("notices_difference", {"from_release": BEFORE, "to_release": TODAY, "kind": "change"}), ("notice_penalties_as_of", {"penalty_code": "fine"}),
        ("documents_as_of", {"title__contains": "决定"}), ("changes", {"region": GULOU}), ("changes", {"table_name": "notices"}), ("changes", {"_sort_desc": "number"}),
    ],
)  # fmt: skip
async def test_who_looks_something_up_in_the_past_comes_upon_no_person(site, table, asked):
    answer = await ask(site, f"/history/{table}.json", **asked, _shape="array")
    assert not any(id in answer.text for id in (*WHO, ONCE))


SPELT = ("notices", "n~6Ftices", "%6Eotices", "n%7E6Ftices", "NOTICES", "notice_penalties", "notice~5Fpenalties", "Notice_Penalties")


@pytest.mark.parametrize(
    "asked",
    [
        "region_code=350102", "Region_Code=350102", "%72egion_code=350102", "_sort=id&_sort=title", f"id=n-x&id={PERSON}&id__not=x", f"ID={PERSON}&_where=1=1", "_size=5&_where=1=1", "_WHERE=1=1",
        f"notice_id={PERSON}&notice_id__not=x", "document_no__exact=x&_where=0=1&_where=1=1+or+1=1", "_search=&_filter_column=id&_filter_op=not&_filter_value=x",
    ],
)  # fmt: skip
async def test_however_a_question_of_a_table_is_spelt_no_person_is_come_upon(site, asked):
    seen = []
    async with visitor(site) as client:
        for table in SPELT:
            for end in (".json", ".csv"):
                answer = await client.get(f"/mingbai/{table}{end}?{asked}")
                seen.append(answer.status_code)
                if answer.status_code == 200:
                    rows = answer.text if end == ".csv" else str(answer.json()["rows"])
                    assert not any(id in rows for id in WHO), (table, end)
                else:  # it repeats what was asked
                    assert answer.status_code in (400, 404), (table, end)
                assert answer.status_code == 404 or not table[0].isupper(), table
    assert 200 in seen


@pytest.mark.parametrize("path", ["/mingbai/notices", "/mingbai/notices.json", "/en/mingbai.json", "/history/changes.csv", f"/mingbai/notices/{ACTIVE}", "/mingbai.csv", "/-/versions.json"])  # fmt: skip
async def test_more_keys_than_anybody_asks_for_are_refused(site, path):
    async with visitor(site) as client:
        answer = await client.get(f"{path}?{'&'.join(f'k{at}=1' for at in range(60))}")
    assert answer.status_code == 400
    assert "Traceback" not in answer.text


SQL = [
    "select * from notices where region_code = '350102'", "select * from [NOTICES] where subject_name like '张%'", "select id from documents", "select notice_id from notice_penalties",
    "select * from notice_statements", "with n as (select * from notices) select count(*), group_concat(id) from n",
]  # fmt: skip
OF_THE_PAST = [
    "select * from notices_as_of where region_code = '350102'", "select * from notices_difference", "select * from changes", "select id from documents_as_of",
    "select * from notice_measures_as_of",
]  # fmt: skip


@pytest.mark.parametrize("form", ["", ".json", ".csv"])
@pytest.mark.parametrize(("route", "sql"), [*(("mingbai", sql) for sql in SQL), *(("history", sql) for sql in OF_THE_PAST)])
async def test_sql_of_ones_own_comes_upon_no_person(site, route, sql, form):
    answer = await ask(site, f"/{route}{form}", sql=sql)
    found = answer.text if form else rows_of(answer.text)
    assert not any(id in found for id in (*WHO, *([ONCE] if route == "history" else [])))
    if form == "":
        assert wording("zh")["sql.no_persons"] in text_of(answer.text)


@pytest.mark.parametrize("asked", ["s%71l=", "x=1&sql=", "sql=&sql=", "_shape=array&sql="])
async def test_however_the_key_of_sql_is_spelt_no_person_is_found(site, asked):
    async with visitor(site) as client:
        answer = await client.get(f"/mingbai.json?{asked}select+group_concat(id)+from+notices")
    assert answer.status_code == 200
    assert (ACTIVE in answer.text) == (asked != "sql=&sql=")  # the first alone is read
    assert not any(id in answer.text for id in WHO)


async def test_the_questions_of_the_site_are_asked_of_all_and_do_not_say_otherwise(site):
    page = (await ask(site, "/mingbai/notices_by_violation_and_month")).text
    assert wording("zh")["sql.no_persons"] not in text_of(page)
    changed = await ask(site, "/history/changes_of_an_institution.json", id=ONCE, _shape="array")
    assert ONCE in changed.text


async def test_an_extract_of_a_region_has_nothing_of_them_in_any_table(site, catalogue):
    for table in ("notices", "notice_penalties", "notice_measures", "notice_statements", "notice_links"):
        told = (await ask(site, f"/data/{table}.csv", region=FUJIAN)).text
        assert ACTIVE in told, table
        assert not any(id in told for id in WHO), table


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_it_is_said_by_what_they_can_be_asked_for(site, lang):
    for table, by in zip(("notices", "documents", "notice_penalties"), LABELS[lang], strict=True):
        said = wording(lang)["table.no_persons"].format(by=by)
        page = (await ask(site, f"{'' if lang == 'zh' else '/en'}/mingbai/{table}", _sort_desc=NAMED_BY.get(table, ("notice_id",))[0])).text
        assert said in text_of(page)


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_a_search_of_the_table_says_by_what_they_are_found(site, lang):
    prefix, said = "" if lang == "zh" else "/en", wording(lang)["notices.person"]
    for words in ("公告", NUMBER):
        assert said in text_of((await ask(site, f"{prefix}/mingbai/notices", _search=words)).text)
        assert f"({said})" in (await ask(site, f"{prefix}/mingbai/notices.json", _search=words)).json()["human_description_en"]
    for other in ({"table": "notices"}, {"table": "institutions", "_search": "培训"}):
        assert said not in text_of((await ask(site, f"{prefix}/mingbai/{other.pop('table')}", **other)).text)


NOTICES, OF_A_DAY = "/mingbai/notices", f"/history/notices_as_of?release={BEFORE}"


@pytest.mark.parametrize(
    ("path", "whole"),
    [
        *((f"/mingbai/notices.{end}region_code={GULOU}", NOTICES) for end in ("json?_shape=array&", "json?_shape=object&", "json?", "csv?", "csv?_stream=on&")),
        (f"/mingbai/notices?region_code={GULOU}", NOTICES), (f"/en/mingbai/notices.json?region_code={GULOU}", f"/en{NOTICES}"), ("/mingbai/documents.csv?_stream=on&_sort=title", "/mingbai/documents"),
        (f"/history/notices_as_of.json?release={BEFORE}&region_code={GULOU}", OF_A_DAY), (f"/history/notices_as_of.csv?release={BEFORE}&_sort=id", OF_A_DAY),
        (f"/history/notices_difference.json?from_release={BEFORE}&to_release={TODAY}&kind=change", f"/history/notices_difference?from_release={BEFORE}&to_release={TODAY}"),
        ("/mingbai.json?sql=select+1", NOTICES), ("/mingbai.csv?sql=select+1+as+one", NOTICES), ("/history.json?sql=select+1", "/history/notices_as_of"),
        ("/mingbai/sources.json?_where=1+or+1", NOTICES), (f"/mingbai/institutions/{SWEET}.json?_extras=foreign_key_tables", NOTICES),
    ],
)  # fmt: skip
async def test_who_takes_less_than_the_whole_is_told_where_that_is(site, path, whole):
    answer = await ask(site, path)
    (link,) = [link for link in answer.headers.get_list("link") if "collection" in link]
    assert link.startswith(f'<{whole}>; rel="collection"; title="')
    if path.endswith(("_sort=title", "_sort=id")) or "csv?_stream" in path:
        assert f'filename="{whole.partition("?")[0].rpartition("/")[2]}-without-persons.csv"' in answer.headers["content-disposition"]
    if "json" not in path and "csv" not in path:
        assert f'href="{whole}"' in answer.text


@pytest.mark.parametrize("path", ["/mingbai/notices.json", "/mingbai/notices.csv?_stream=on", f"/mingbai/notices.json?id={PERSON}", "/mingbai/institutions.json?_sort=name", f"/mingbai/notices/{PERSON}.json", "/mingbai", "/mingbai/sources?_sort=id"])  # fmt: skip
async def test_the_whole_is_not_said_to_be_less(site, path):
    answer = await ask(site, path)
    assert "collection" not in answer.headers.get("link", "")
    assert "without-persons" not in answer.headers.get("content-disposition", "")


async def test_the_whole_of_a_release_is_linked_as_that(site):
    page = (await ask(site, "/history/notices_as_of", release=BEFORE, region_code=GULOU)).text
    assert f'href="{OF_A_DAY}"' in page


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_numbers_beside_a_row_and_what_is_joined_say_it_too(site, lang):
    prefix, said = "" if lang == "zh" else "/en", wording(lang)["table.without_persons"]
    for row in (f"institutions/{SWEET}", "sources/platform", f"documents/{THEIR_DOCUMENT}"):
        assert said in text_of((await ask(site, f"{prefix}/mingbai/{row}")).text), row
    for asked in ({"_through": THROUGH}, {"_where": "id in (select source_id from notices)"}):
        assert said in text_of((await ask(site, f"{prefix}/mingbai/sources", **asked)).text)
        assert f"({said})" in (await ask(site, f"{prefix}/mingbai/sources.json", **asked)).json()["human_description_en"]
    for path in (f"/mingbai/notices/{ACTIVE}", "/mingbai/sources?_sort=id"):
        assert said not in text_of((await ask(site, prefix + path)).text), path


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_that_they_are_left_out_is_said_where_they_are(site, lang):
    prefix, said = "" if lang == "zh" else "/en", no_persons(lang)
    page = (await ask(site, f"{prefix}/mingbai/notices", region_code=GULOU)).text
    assert said in text_of(page)
    assert f'href="{prefix}/mingbai/notices"' in page
    found = (await ask(site, f"{prefix}/mingbai/notices.json", region_code=GULOU)).json()
    assert f"({said})" in found["human_description_en"]
    assert UNLINKED not in str(found["rows"]), "the filter holds still"
    for table in ("institutions", "regions"):
        assert said not in (await ask(site, f"{prefix}/mingbai/{table}", _sort="name" if table == "institutions" else "code")).text
