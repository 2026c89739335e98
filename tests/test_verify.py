"""Is this one listed? Listed, not listed or cannot say: each rule of the answer, on a release that has a case for each."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from publish.answering import CANNOT_SAY, LISTED, NOT_LISTED, OTHER_LIST, STATUSES
from publish.catalogue import Catalogue, dictionary
from publish.meant import LONGEST, Query, near_codes, place_of, place_said
from publish.values import is_credit_code
from publish.web.candidates import Line, candidates
from publish.web.reader import Reader
from publish.web.server import Application, build_app
from publish.web.verifier import Verifier
from publish.web.verify import IN_HEADING, MEANING, MOST
from publish.wording import LANGUAGES, wording
from verify_release import (
    CANGSHAN,
    CHAOYANG,
    GULOU,
    INSTITUTIONS,
    NANJING_GULOU,
    SIMING,
    SOURCES,
    STATES,
    TAIJIANG,
    Broken,
    Empty,
    code,
    publish_world,
    tables,
)
from web_release import TODAY, make_release

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    home: Path = tmp_path_factory.mktemp("home")
    publish_world(home, catalogue)
    return home


@pytest.fixture(scope="module")
def verifier(home: Path) -> Iterator[Verifier]:
    reader = Reader(home / "releases" / TODAY)
    yield Verifier(reader, TODAY)
    reader.close()


CASES = [
    # the name alone
    (Query("福州市鼓楼区甜果培训中心有限公司"), CANNOT_SAY, "name_alone", "i-white"),
    (Query("福州市鼓樓區甜果培訓中心有限公司"), CANNOT_SAY, "name_alone", "i-white"),
    (Query("晨星培训学校"), CANNOT_SAY, "ambiguous", None),
    (Query("老名培训中心"), CANNOT_SAY, "name_alone", "i-renamed"),
    (Query("彩虹培训中心"), CANNOT_SAY, "ambiguous", None),  # one's name and another's sign
    (Query("甜果"), CANNOT_SAY, "near", None),
    (Query("甜果英语"), CANNOT_SAY, "by_alias", None),  # a brand, which others may use too
    (Query("甜"), CANNOT_SAY, "near", None),
    (Query(f"信用代码：{code(1)}"), CANNOT_SAY, "near", None),  # a number with something beside it is found, and no name
    (Query(code(1)[:-2]), CANNOT_SAY, "near", None),
    (Query(permit="教民135010270000019"), CANNOT_SAY, "near_permit", None),  # one digit is another
    (Query("教民135010270000019"), CANNOT_SAY, "near_permit", None),
    (Query("乐童培训中心"), CANNOT_SAY, "name_alone", "i-black"),
    (Query("小树培训中心"), CANNOT_SAY, "name_alone", "i-none"),  # the same as where there is a black list
    (Query("大河培训中心", region=GULOU), NOT_LISTED, "left", "i-left"),
    (Query("石桥培训中心", region=GULOU), NOT_LISTED, "over", "i-over"),
    (Query("旧闻培训中心", region=SIMING), CANNOT_SAY, "stale_source", "i-stale"),
    (Query("停云培训中心", region=CANGSHAN), CANNOT_SAY, "held", "i-held"),
    (Query("福州市鼓楼区甜梨培训中心有限公司"), CANNOT_SAY, "near", None),  # one character of the brand
    (Query("福州市台江区甜果培训中心有限公司"), CANNOT_SAY, "near", None),
    (Query("乐童艺术培训学校"), CANNOT_SAY, "near", None),
    (Query("tianguo"), CANNOT_SAY, "near", None),
    (Query("福州市鼓楼区明德培训中心有限公司"), NOT_LISTED, "not_found", None),  # all but the brand is the same, which anybody has
    (Query("无此机构"), NOT_LISTED, "not_found", None),
    # the place is in the name alone
    (Query("上海市浦东新区无此机构"), CANNOT_SAY, "region_empty", None),
    (Query("江苏省南京市无此机构", code=code(99)), CANNOT_SAY, "region_empty", None),
    (Query("江苏省南京市无此机构", code=code(90)), CANNOT_SAY, "region_empty", None),  # and the notice is told beside it
    (Query("福建省福州市鼓楼区无此机构"), NOT_LISTED, "not_found", None),
    (Query("福州市仓山区无此机构"), CANNOT_SAY, "held", None),  # as with that region
    (Query("福建省福州市无此机构"), CANNOT_SAY, "held", None),
    (Query("厦门市思明区无此机构"), CANNOT_SAY, "stale_source", None),
    (Query("南京路无此机构"), NOT_LISTED, "not_found", None),
    (Query("中山市场无此机构"), NOT_LISTED, "not_found", None),
    # with a region
    (Query("晨星培训学校", region=GULOU), LISTED, "is_listed", "i-twin-a"),
    (Query("晨星培训学校", region="厦门市思明区"), LISTED, "is_listed", "i-twin-b"),
    (Query("晨星培训学校", region="福建省"), CANNOT_SAY, "ambiguous", None),
    (Query("晨星培训学校", region=NANJING_GULOU), CANNOT_SAY, "other_region", None),
    (Query("彩虹培训中心", region=TAIJIANG), LISTED, "is_listed", "i-taken"),
    (Query("乐童培训中心", region=GULOU), OTHER_LIST, "on_other_list", "i-black"),
    (Query("小树培训中心", region=GULOU), NOT_LISTED, "registered", "i-none"),
    (Query("云上培训中心", region=GULOU), CANNOT_SAY, "name_alone", "i-nowhere"),  # its source gives no region: nothing else has the name
    (Query("晨星培训学校", region="Gulou District, Fuzhou"), LISTED, "is_listed", "i-twin-a"),
    (Query("乐童培训中心", region="Fujian, Fuzhou, Gulou"), OTHER_LIST, "on_other_list", "i-black"),
    (Query("晨星培训学校", region="Fuzhou"), CANNOT_SAY, "region_unclear", None),  # 福州 or 抚州
    (Query("无此机构", region=GULOU), NOT_LISTED, "not_found", None),
    (Query("无此机构", region=CANGSHAN), CANNOT_SAY, "held", None),
    (Query("无此机构", region="福州市"), CANNOT_SAY, "held", None),  # a part of it is
    (Query("无此机构", region=CHAOYANG), CANNOT_SAY, "region_empty", None),
    (Query("无此机构", region="鼓楼区"), CANNOT_SAY, "region_unclear", None),
    (Query("无此机构", region="不是地区"), CANNOT_SAY, "region_unclear", None),
    (Query("甜果", region=TAIJIANG), NOT_LISTED, "not_found", None),  # the near one is elsewhere
    (Query("甜果", region=SIMING), CANNOT_SAY, "stale_source", None),  # that of the county, though that of the country is fresh
    # numbers
    (Query(code=code(1)), LISTED, "is_listed", "i-white"),
    (Query(code(1).lower()), LISTED, "is_listed", "i-white"),  # in the place of the name
    (Query(permit="教民135010270000018号"), LISTED, "is_listed", "i-white"),
    (Query("教民135010270000018"), LISTED, "is_listed", "i-white"),
    (Query("135010270000018"), LISTED, "is_listed", "i-white"),
    (Query(permit="135010270000018"), LISTED, "is_listed", "i-white"),
    (Query(code=code(4)), OTHER_LIST, "on_other_list", "i-black"),
    (Query(code=code(6)), NOT_LISTED, "registered", "i-none"),
    (Query(code=code(99)), NOT_LISTED, "not_found", None),
    (Query(code=code(1)[:-1] + "0"), CANNOT_SAY, "code_invalid", None),
    (Query(code="是"), CANNOT_SAY, "no_question", None),  # which is how a list says that there is none yet
    (Query("福州市鼓楼区甜果培训中心有限公司", code=" 是 ", permit="办理中"), CANNOT_SAY, "name_alone", "i-white"),
    (Query("晨星培训学校", code="无", region=GULOU), LISTED, "is_listed", "i-twin-a"),
    (Query("无此机构", code="正在办理"), NOT_LISTED, "not_found", None),
    (Query("无此机构", permit="12"), CANNOT_SAY, "permit_invalid", None),
    (Query("无此机构", code="是的"), CANNOT_SAY, "code_invalid", None),
    (Query(code=code(11)), CANNOT_SAY, "ambiguous", None),  # two branches
    (Query(code=code(11), region=TAIJIANG), NOT_LISTED, "registered", "i-branch-b"),
    (Query("总店培训中心一部", code=code(11)), NOT_LISTED, "registered", "i-branch-a"),
    # what does not go together
    (Query("甜果培训中心", code=code(1)), LISTED, "is_listed", "i-white"),  # half its name
    (Query("甜果英语", code=code(1)), LISTED, "is_listed", "i-white"),
    (Query("甜梨培训中心", code=code(1)), CANNOT_SAY, "number_and_name_differ", None),
    (Query("晨星培训学校", code=code(1)), CANNOT_SAY, "number_and_name_differ", None),
    (Query("晨星培训学校", code=code(99), region=GULOU), CANNOT_SAY, "number_and_name_differ", None),
    (Query("新名培训中心", code=code(99)), CANNOT_SAY, "name_alone", "i-renamed"),  # which has no code that could differ
    (Query(code=code(1), permit="教民135010270000020"), CANNOT_SAY, "numbers_differ", None),
    (Query(code=code(1), region=SIMING), CANNOT_SAY, "number_and_region_differ", None),
    # `listed` is on a white list in force, with no other list beside it
    (Query("双榜培训中心"), CANNOT_SAY, "name_alone", "i-both"),  # a black list is not told by a name alone
    (Query(code=code(5)), OTHER_LIST, "on_other_list", "i-both"),
    (Query("青禾培训中心"), CANNOT_SAY, "name_alone", "i-cancelled"),
    (Query(code=code(12)), OTHER_LIST, "on_other_list", "i-cancelled"),
    (Query("海棠培训中心"), CANNOT_SAY, "name_alone", "i-closed"),
    (Query(code=code(13)), OTHER_LIST, "on_other_list", "i-normal"),
    (Query(code=code(14)), LISTED, "is_listed", "i-calm"),
    (Query("秋实培训中心"), CANNOT_SAY, "name_alone", "i-warned"),
    (Query(code=code(15)), CANNOT_SAY, "stale_source", "i-warned"),  # nobody knows whether the warning stands
    (Query("玉兰培训中心"), CANNOT_SAY, "name_alone", "i-noticed"),
    (Query(code=code(17)), OTHER_LIST, "black_notice", "i-noticed"),
    (Query(code=code(18)), OTHER_LIST, "black_notice", "i-ordered"),  # a penalty whose measures put it on the black list
    # a notice in force names what nobody in the register has
    (Query(code=code(90)), OTHER_LIST, "black_notice", None),
    (Query(code(90)), OTHER_LIST, "black_notice", None),
    (Query(permit="教民135010270000090号"), OTHER_LIST, "black_notice", None),
    (Query(permit="135010270000090"), OTHER_LIST, "black_notice", None),
    (Query("暗礁培训中心", code=code(90), region=GULOU), OTHER_LIST, "black_notice", None),
    (Query("暗礁培训中心", code=code(90), region=CHAOYANG), OTHER_LIST, "black_notice", None),
    (Query("明滩培训中心", code=code(90)), CANNOT_SAY, "maybe_black_notice", None),
    (Query("暗礁培训中心", region=GULOU), CANNOT_SAY, "maybe_black_notice", None),
    (Query("暗礁培训中心", region=TAIJIANG), NOT_LISTED, "not_found", None),
    (Query("暗礁培训中心", code=code(99), region=GULOU), CANNOT_SAY, "maybe_black_notice", None),
    (Query(code=code(91)), NOT_LISTED, "not_found", None),  # a penalty is no list
    (Query("浅滩培训中心", region=GULOU), NOT_LISTED, "not_found", None),
    (Query(code=code(92)), CANNOT_SAY, "maybe_black_notice", "i-alike"),  # on a white list
    # what speaks against it is no list
    *(
        (Query(code=code(100 + at)), *((LISTED, "is_listed") if state == "operating" else (CANNOT_SAY, "not_operating")), f"i-is-{state}")
        for at, state in enumerate(STATES)
    ),
    (Query(code=code(93)), CANNOT_SAY, "permit_revoked", "i-revoked"),
    (Query(code=code(94)), CANNOT_SAY, "to_come", "i-early"),
    (Query(code=code(95)), CANNOT_SAY, "to_come", "i-doomed"),
    # no question
    (Query("。"), CANNOT_SAY, "no_question", None),
    (Query(region=GULOU), CANNOT_SAY, "no_question", None),
    (Query("长" * (LONGEST + 1)), CANNOT_SAY, "too_long", None),
    (Query("长" * 150), CANNOT_SAY, "too_long", None),  # which the index does not look for
    (Query(" ".join(f"词{at}" for at in range(30))), CANNOT_SAY, "too_long", None),
]


@pytest.mark.parametrize(("query", "status", "reason", "id"), CASES)
def test_an_answer_follows_from_what_was_asked(verifier, query, status, reason, id):
    _, answer = verifier.verify(query)
    assert (answer.status, answer.reasons, answer.found and answer.found.known.id) == (status, (reason,), id)
    assert (status == NOT_LISTED) == bool(answer.sources), "and says in which sources"


@pytest.mark.parametrize(
    ("query", "lists", "notices"),
    [
        (Query("双榜培训中心"), ["white"], None),
        (Query("双榜培训中心", region="福州市"), ["white"], None),  # a city is too wide: rule 9 links by county
        (Query("双榜培训中心", code=code(99)), [], None),
        (Query("双榜培训中心", region=GULOU), ["black", "white"], []),
        (Query(code=code(5)), ["black", "white"], []),
        (Query("乐童培训中心"), [], None),
        (Query("乐童培训中心", region=GULOU), ["black"], ["n-black"]),
        (Query(permit="教民135010270000020"), ["black"], ["n-black"]),
        (Query("乐童"), [], None),
        (Query("老名培训中心", region=GULOU), ["white"], None),  # a former name is not the legal name
    ],
)
def test_what_may_hurt_is_told_by_number_or_the_exact_name_in_its_county_alone(verifier, query, lists, notices):
    _, answer = verifier.verify(query)
    assert [it["list"] for it in answer.listings] == lists
    assert (answer.notices if answer.notices is None else [it["id"] for it in answer.notices]) == notices
    assert ("harm_untold" in answer.notes) == (answer.found is not None and notices is None)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        *((name, "310115") for name in ("上海市浦东新区启明培训中心", "上海浦东新区启明", "上海 市浦東新區啟明")),
        ("江苏省南京市启明培训学校", "320100"), ("南京市鼓楼区启明", NANJING_GULOU), ("北京朝阳区启明", CHAOYANG), ("上海市民办启明学校", "310000"), ("中山市启明", "442000"),
        ("海南省东方市启明", "469007"), ("恩施土家族苗族自治州启明", "422800"),
        # what follows is a zone, which no table of regions has
        ("西安市高新区启明", "610100"), ("苏州市工业园区启明", "320500"), ("合肥市经开区启明", "340100"), ("武汉市东湖高新区启明", "420100"), ("重庆市江北新区启明", "500000"),
        ("青岛市西海岸新区启明", "370200"), ("深圳市龙华新区启明", "440300"), ("甘肃省兰州新区启明", "620100"), ("内蒙古自治区稀土高新区启明", "150000"), ("江苏省昆山市高新区启明", "320583"),
        ("恩施州高新区启明", "422800"), ("上海市启明校区", "310000"), ("中国上海市启明", "310000"), ("中国上海市张江园区启明", "310000"),
        # what begins like a place, or with a name that several have
        *((name, None) for name in ("北京路启明", "南京路小学辅导", "东方启明", "东方市启明", "东方市民大学", "中山启明", "中山市场启明", "大同市场营销", "海南省心教育", "海淀区块链培训")),
        *((name, None) for name in ("中山市场小区启明", "东方市民小区启明", "海淀区块链园区", "杭州路小区启明", "苏州园区启明", "冀州园区启明", "昆山市高新区启明", "鼓楼区高新区启明", "中国启明")),
        *((name, None) for name in ("朝阳启明", "鼓楼区启明", "解放区的天", "上海城市学院", "启明（上海市）培训中心", "北京市", "北京", "市中区启明", "启明", "")),
    ],
)  # fmt: skip
def test_a_place_is_taken_from_a_name_where_it_is_sure(verifier, name, code):
    assert place_of(name, verifier.regions) == code


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("上海市浦东新区启明", "310115"), ("北京新东方", "110000"), ("上海启明", "310000"), ("中国上海启明", "310000"), ("北京", "110000"), ("北京市", "110000"), ("内蒙古启明", "150000"),
        ("呼和浩特启明", "150100"), ("海南启明", "460000"), ("吉林启明", "220000"), ("西安启明", "610100"), ("北京新世纪", "110000"), ("北京东城启明", "110000"),
        *((name, None) for name in ("北京路启明", "南京路小学辅导", "南京西路启明", "四川北路启明", "吉林大路启明", "东方启明", "中山启明", "大同教育", "朝阳启明", "长春藤教育", "西安区启明")),
        *((name, None) for name in ("海南省心教育", "上海城市学院", "上海滩启明", "北京市民大学", "河北区启明", "青海湖启明", "南昌县启明", "启明北京", "中国启明", "启明", "")),
    ],
)  # fmt: skip
def test_for_a_note_a_place_in_its_short_form_is_enough_where_it_is_no_road_or_brand(verifier, name, code):
    assert place_said(name, verifier.regions) == code


def test_a_name_from_where_the_sources_have_nothing_is_not_answered_as_if_they_had(verifier):
    alone, near, held, asked, known = (
        verifier.verify(query)[1]
        for query in (
            Query("上海市无此机构"),
            Query("上海市甜果培训中心有限公司"),
            Query("福州市仓山区无此机构"),
            Query("上海市无此机构", region=GULOU),
            Query(code=code(1)),
        )
    )
    assert (alone.status, alone.heading, alone.notes, alone.sources) == (CANNOT_SAY, "verify.status.cannot_say", ("place_not_covered",), ())
    assert (near.reasons, near.notes, bool(near.candidates)) == (("near",), ("place_not_covered",), True)
    assert "place_not_covered" not in (*held.notes, *asked.notes, *known.notes)


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_a_search_says_that_the_place_was_not_searched_whether_it_finds_somebody_or_not(home, catalogue, lang):
    app, note = build_app(home, dictionary=dictionary(catalogue), now=lambda: NOON), wording(lang)["verify.note.place_not_covered"]
    names = (
        "上海市浦东新区乌有",
        "北京乌有",
        "上海甜果培训中心有限公司",
        "福建省福州市乌有",
        "北京路乌有",
        "福州市鼓楼区甜果培训中心有限公司",
    )
    prefix = "" if lang == "zh" else f"/{lang}"
    pages = [(await ask(app, f"{prefix}/search", params={"q": name})).text for name in names]
    found = [(await ask(app, f"{prefix}/search.json", params={"q": name})).json() for name in ("", *names)]
    app.shelf.close()
    said = [{"code": "place_not_covered", "text": note}]
    assert [one["hints"] for one in found] == [[], said, said, said, [], [], []]
    assert [bool(one["total"]) for one in found[1:4]] == [False, False, True]
    assert [page.count(note) for page in pages] == [1, 1, 1, 0, 0, 0]
    assert pages[2].index(note) < pages[2].index('id="institutions"')


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_a_name_with_a_city_is_told_that_a_city_is_not_enough_and_never_that_it_was_the_name_alone(home, catalogue, lang):
    app, words = build_app(home, dictionary=dictionary(catalogue), now=lambda: NOON), wording(lang)
    for asked in ({"name": "福州市鼓楼区甜果培训中心有限公司", "region": "350100"}, {"name": "无此机构"}):
        page = (await ask(app, f"{'' if lang == 'zh' else '/en'}/verify", params=asked)).text
        assert words["verify.note.harm_untold"] in page
        assert re.search("省、市，还不够|province or city, is not enough", page)
        assert not re.search("只凭名称|by the name alone", page)
    assert {"zh": "全称", "en": "full name"}[lang] in words[MEANING[NOT_LISTED]["do"][0]]
    assert words[MEANING[NOT_LISTED]["do"][0]] in page
    assert words["none.do.1"] not in page
    app.shelf.close()


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Iterator[Verifier]:
    """Whoever has a name, or number, that is nearly or wholly another's too: all but one of them on a black list."""
    many = [(f"i-many{at:02}", "众星培训学校", GULOU if at in (3, 69) else NANJING_GULOU) for at in range(70)]
    heard = [(f"i-heard{at:03}", "新雅培训中心", GULOU) for at in range(120)]
    known = [("i-circle", "启明①培训学校", GULOU), ("i-short", "短号培训学校", GULOU), ("i-letters", "XINYA培训中心", GULOU), *many, *heard]
    made = tables()
    made["institutions"] = [{"id": id, "name": name, "region_code": region, "source_id": "platform"} for id, name, region in known]
    made["permits"] = [{"institution_id": "i-short", "permit_no": "教民〔2026〕7"}]
    made["listings"] = [
        {"id": f"l-{id}", "institution_id": id, "list": "white" if id == "i-many69" else "black", "region_code": region, "source_id": "platform", "as_of": TODAY}
        for id, _, region in known
    ]  # fmt: skip
    made["institution_aliases"] = made["notices"] = made["notice_links"] = []
    folder = make_release(tmp_path_factory.mktemp("crowd"), TODAY, catalogue, tables=made)
    reader = Reader(folder)
    yield Verifier(reader, TODAY)
    reader.close()


@pytest.mark.parametrize(
    ("query", "id", "lists"),
    [
        (Query("启明①培训学校", region=GULOU), "i-circle", ["black"]),
        (Query("启明1培训学校", region=GULOU), "i-circle", []),  # is folded to the same and another name
        (Query(permit="教民〔2026〕7号"), "i-short", []),  # which every county gives out
        (Query("众星培训学校", region=GULOU), None, []),  # two are there, and one of them is not among those that are looked at
        (Query("XINYA培训中心", region=GULOU), "i-letters", ["black"]),  # behind a hundred that sound like it
    ],
)
def test_a_black_list_is_not_told_of_one_that_is_nearly_meant(crowd, query, id, lists):
    _, answer = crowd.verify(query)
    assert (answer.found and answer.found.known.id, [it["list"] for it in answer.listings]) == (id, lists)


def test_a_permit_number_that_every_county_gives_out_is_no_match_in_a_spreadsheet(crowd):
    found = candidates(crowd.reader, Line(permits=("教民〔2026〕7号",)), TODAY)
    assert [(one.card["id"], one.is_certain) for one in found] == [("i-short", False)]


def test_a_name_alone_says_the_same_whether_there_is_a_black_list_or_nothing(verifier):
    black, none = (verifier.verify(Query(INSTITUTIONS[id][0]))[1] for id in ("i-black", "i-none"))
    both, white = (verifier.verify(Query(INSTITUTIONS[id][0]))[1] for id in ("i-both", "i-calm"))
    assert (both.status, both.reasons, both.notes, both.on) == (white.status, white.reasons, white.notes, white.on)
    assert (both.status, both.has_white_name, white.has_white_name, black.has_white_name) == (CANNOT_SAY, True, True, False)
    outside, nobody = (verifier.verify(Query(name))[1] for name in ("暗礁培训中心", "无此机构"))
    assert (outside.status, outside.notes, outside.unmatched) == (nobody.status, nobody.notes, nobody.unmatched)
    assert "harm_untold" in nobody.notes
    assert (outside.heading, nobody.heading) == ("verify.name_nowhere",) * 2
    assert verifier.verify(Query("无此机构", region=GULOU))[1].heading == "verify.status.not_listed"
    assert (black.status, black.reasons, black.notes, black.listings, black.notices, black.unmatched) == (
        none.status, none.reasons, none.notes, none.listings, none.notices, none.unmatched,
    )  # fmt: skip


@pytest.mark.parametrize(("id", "lists"), [("i-white", {"white": 1}), ("i-over", {}), ("i-left", {}), ("i-black", {})])
def test_a_listing_whose_term_is_over_is_counted_on_no_list(verifier, id, lists):
    found = verifier.reader.index.search(INSTITUTIONS[id][0], kind="institution", count=("list",))
    assert ([hit.id for hit in found.hits], found.facets) == ([id], {"list": lists})


def test_a_notice_of_the_same_name_that_is_linked_to_nobody_is_shown_as_that(verifier):
    _, answer = verifier.verify(Query("小树培训中心", region=GULOU))
    assert ([it["id"] for it in answer.unmatched], answer.notices) == (["n-unlinked"], ())


@pytest.mark.parametrize(
    ("query", "notices", "unmatched", "is_said"),
    [
        (Query(code=code(90)), ["n-outside"], [], False),
        (Query("暗礁培训中心", region=GULOU), [], ["n-outside"], True),
        (Query("明滩培训中心", code=code(90)), [], ["n-outside"], True),
        (Query(code=code(91)), [], ["n-fined"], True),
        (Query("浅滩培训中心", region=GULOU), [], ["n-fined"], True),
        (Query("暗礁培训中心"), [], [], False),  # nothing is told by a name alone
        (Query("暗礁培训中心", region="福州市"), [], [], False),
    ],
)
def test_a_notice_that_names_what_nobody_in_the_register_has_is_shown(verifier, query, notices, unmatched, is_said):
    _, answer = verifier.verify(query)
    assert ([it["id"] for it in answer.notices or ()], [it["id"] for it in answer.unmatched]) == (notices, unmatched)
    assert ("notice_names" in answer.notes) == is_said
    assert answer.lists == (("black",) if notices else ())


def test_candidates_say_how_they_match_and_where_they_differ(verifier):
    def told(query: Query) -> list[tuple[Any, ...]]:
        return [
            (it.known.id, it.how, it.matched, [(d.part, d.asked, d.found) for d in it.differences])
            for it in verifier.verify(query)[1].candidates
        ]

    assert told(Query("甜果")) == [
        ("i-white", "near", INSTITUTIONS["i-white"][0], [("place", "", "福州市鼓楼区"), ("kind", "", "培训中心有限公司")])
    ]
    assert told(Query("福州市鼓楼区甜梨培训中心有限公司")) == [("i-white", "near", INSTITUTIONS["i-white"][0], [("brand", "梨", "果")])]
    assert told(Query("老名中心")) == [("i-renamed", "near", "老名培训中心", [("kind", "", "培训")])]
    assert told(Query("晨星培训学校")) == [(id, "name", "晨星培训学校", []) for id in ("i-twin-a", "i-twin-b")]
    assert told(Query(code=code(1)[:-1] + "0")) == [("i-white", "code_near", code(1), [])]
    assert told(Query("甜果培训中心有限公司", region="鼓楼区"))[0][:2] == ("i-white", "near")
    _, answer = verifier.verify(Query("老名培训中心"))
    assert (answer.found.how, answer.found.alias_kind, answer.found.known.name) == ("alias", "former", "新名培训中心")


UNCOVERED = [
    ([{**SOURCES[0], "region_code": GULOU}], Query("无此机构"), "region_needed"),
    ([{**SOURCES[0], "region_code": GULOU}], Query("无此机构", region=CHAOYANG), "region_not_covered"),
    ([{**SOURCES[0], "region_code": None}], Query("无此机构", region=GULOU), "region_not_covered"),
    ([{**SOURCES[0], "region_code": GULOU}], Query("北京市朝阳区无此机构"), "region_needed"),
    ([{**SOURCES[0], "as_of": "2026-11-01"}], Query("无此机构", region=GULOU), "stale_source"),
    ([{**SOURCES[0], "as_of": "2026-11-01"}], Query("无此机构"), "stale_source"),
    ([{**SOURCES[0], "as_of": "2026-11-01"}], Query("小树培训中心", region=GULOU), "stale_source"),
    ([{**SOURCES[0], "as_of": "2026-11-01"}], Query(code=code(1)), "stale_source"),
    ([{**SOURCES[0], "as_of": "2026-11-01"}, {**SOURCES[0], "id": "register"}], Query("无此机构", region=GULOU), "stale_source"),
    ([{**SOURCES[0], "as_of": "2026-11-01"}, {**SOURCES[0], "id": "register"}], Query(code=code(6)), "stale_source"),
]


@pytest.mark.parametrize(("sources", "query", "reason"), UNCOVERED)
def test_what_sources_do_not_cover_today_is_never_not_listed(tmp_path, catalogue, sources, query, reason):
    make_release(tmp_path, TODAY, catalogue, tables=tables([*sources, SOURCES[1]]))
    reader = Reader(tmp_path / "releases" / TODAY)
    _, answer = Verifier(reader, TODAY).verify(query)
    reader.close()
    assert (answer.status, answer.reasons) == (CANNOT_SAY, (reason,))


@given(
    st.builds(
        Query, *[st.text(max_size=30) | st.sampled_from(["甜果", code(1), "教民135010270000018", GULOU, "福州", "\x00", "\ud800"])] * 4
    )
)
def test_every_question_has_an_answer_and_none_fails(verifier, query):
    _, answer = verifier.verify(query)
    assert answer.status in STATUSES
    assert answer.reasons
    assert "error" not in answer.reasons


@pytest.mark.parametrize(
    ("query", "is_said"),
    [
        (Query("无此机构", code="是"), True),
        (Query("无此机构", permit="无"), True),
        (Query("无此机构", code=" "), False),
        (Query(code=code(1)), False),
        (Query(code=code(1)[:-1] + "0"), False),  # a number with a slip
        (Query("无此机构", permit="12"), False),
    ],
)
def test_what_stands_in_the_place_of_a_number_and_is_none_is_said(verifier, query, is_said):
    assert ("no_number" in verifier.verify(query)[1].notes) == is_said


def test_a_code_with_one_slip_finds_the_code_that_was_meant():
    right = code(1)
    for typed in (right[:5] + "9" + right[6:], right[:5] + right[6:], right + "1", right[:9] + right[10] + right[9] + right[11:]):
        assert typed == right or right in near_codes(typed)
    near = near_codes(right[:-1] + "I")
    assert right in near
    assert all(map(is_credit_code, near))
    assert near_codes("甜果") == near_codes("1" * 500) == []


# -- the page, its JSON and lists


@pytest.fixture(scope="module")
def app(home: Path, catalogue: Catalogue) -> Iterator[Application]:
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: NOON)
    yield app
    app.shelf.close()


async def ask(app: Any, path: str, method: str = "GET", **more: Any) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://site.example") as client:
        return await client.request(method, path, **more)


SHOWN = [
    Query(), Query("福州市鼓楼区甜果培训中心有限公司"), Query("晨星培训学校"), Query("甜果"), Query("大河培训中心"), Query("乐童培训中心", region=GULOU), Query("无此机构"), Query("停云培训中心"),
    Query(code=code(4)), Query(code=code(5)), Query(code=code(12)), Query(code="1" * 18), Query("老名培训中心"), Query(code=code(90)), Query("暗礁培训中心", region=GULOU),
]  # fmt: skip


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("query", SHOWN)
async def test_the_page_says_in_words_what_its_json_says(app, query, lang):
    prefix = "" if lang == "zh" else "/en"
    asked = {key: value for key, value in vars(query).items() if value}
    page = await ask(app, f"{prefix}/verify", params=asked)
    assert page.status_code == 200
    assert wording(lang)["verify.many"] in page.text
    if not asked:
        return
    said = (await ask(app, f"{prefix}/verify.json", params=asked)).json()
    assert wording(lang)[f"verify.status.{said['status']}"] in page.text
    head = page.text.partition("</h2>")[0]
    assert said["status"] != OTHER_LIST or all(name["label"] in head for name in said["listings"] if name["list"] != "white")
    for reason in said["reasons"]:
        assert reason["code"] in IN_HEADING or reason["text"] in page.text.replace("&#39;", "'")
    for one in (said["institution"], *said["candidates"]):
        assert not one or f"{prefix}/institutions/{one['id']}" in page.text
    for key in (key for keys in MEANING[said["status"]].values() for key in keys):
        assert wording(lang)[key] in page.text
    assert not any(word in page.text for word in ("安全", "放心", "可靠"))


@pytest.mark.parametrize(
    ("number", "status", "lists"),
    [(1, LISTED, ["white"]), (4, OTHER_LIST, ["black"]), (5, OTHER_LIST, ["black", "white"]), (14, LISTED, ["white", "normal"]), (8, NOT_LISTED, []), (15, CANNOT_SAY, []), (17, OTHER_LIST, ["black", "white"])],
)  # fmt: skip
async def test_a_status_says_alone_whether_it_is_a_white_list(app, number, status, lists):
    said = (await ask(app, "/verify.json", params={"code": code(number)})).json()
    assert (said["status"], said["lists"]) == (status, lists)
    assert "listed" not in OTHER_LIST, "not even for who looks for the word in it"


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", ["无此机构", "暗礁培训中心"])
async def test_not_listed_by_a_name_alone_says_at_once_what_was_not_looked_up(app, name, lang):
    """The second one is in no register, and a black notice names it."""
    prefix, said = "" if lang == "zh" else "/en", wording(lang)["verify.name_nowhere"]
    assert wording(lang)["verify.status.not_listed"] in said
    page = (await ask(app, f"{prefix}/verify", params={"name": name})).text
    assert page.partition('<h2 id="answer">')[2].partition("</h2>")[0].strip() == said
    assert (await ask(app, f"{prefix}/verify.json", params={"name": name})).json()["text"] == said
    assert f"<strong>{said}</strong>" in (await ask(app, f"{prefix}/verify", "POST", data={"names": name})).text
    with_county = (await ask(app, f"{prefix}/verify.json", params={"name": "无此机构", "region": GULOU})).json()
    assert with_county["text"] == wording(lang)["verify.status.not_listed"]


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_the_page_says_what_each_status_means(app, lang):
    page = (await ask(app, "/verify" if lang == "zh" else "/en/verify")).text
    for status in STATUSES:
        assert all(wording(lang)[key] in page for key in (f"verify.status.{status}", f"verify.says.{status}"))


async def test_json_names_release_day_listing_and_sources(app):
    said = (await ask(app, "/verify.json", params={"code": code(1)})).json()
    assert (said["release"], said["as_of"], said["status"], said["notices_in_force"]) == (TODAY, "2026-11-22", LISTED, 0)
    (listing,) = said["listings"]
    assert (listing["list"], listing["label"], listing["authority"], listing["batch_label"], listing["as_of"]) == (
        "white",
        "白名单",
        "福州市教育局",
        "第三期",
        "2026-11-20",
    )
    none = (await ask(app, "/en/verify.json", params={"name": "无此机构"})).json()
    assert none["sources"] == [{"id": "platform", "as_of": "2026-11-22"}]
    assert none["means_not"] == [wording("en")["none.means_not.1"], wording("en")["none.means_not.2"]]


async def test_what_ended_is_told_of_nobody(app):
    assert "n-over" not in (await ask(app, "/verify.json", params={"code": code(4)})).text
    assert "n-over" not in (await ask(app, "/verify", params={"code": code(4)})).text


@pytest.mark.parametrize("path", ["/verify", "/en/verify", "/verify.json"])
async def test_two_of_one_key_are_refused_and_neither_is_left_out(app, path):
    assert (await ask(app, path, params=[("name", "无此机构"), ("name", "乐童培训中心")])).status_code == 400


NAMES = ["福州市鼓楼区甜果培训中心有限公司", "无此机构", "", "晨星培训学校", code(4)]


@pytest.mark.parametrize(
    "sent",
    [{"json": {"names": NAMES}}, {"json": {"queries": [{"name": name, "region": None} for name in NAMES]}}],
)
async def test_a_list_is_answered_in_its_order(app, sent):
    said = (await ask(app, "/verify.json", "POST", **sent)).json()
    assert [it["status"] for it in said["answers"]] == [CANNOT_SAY, NOT_LISTED, CANNOT_SAY, CANNOT_SAY, OTHER_LIST]
    assert [it["query"].get("name", "") for it in said["answers"]] == NAMES
    assert (said["release"], said["as_of"]) == (TODAY, "2026-11-22")


async def test_what_of_a_list_cannot_be_read_is_cannot_say_in_its_place(app):
    said = (
        await ask(
            app,
            "/verify.json",
            "POST",
            json={"queries": [7, {"name": ["甜果"]}, None, {"name": "无此机构", "district": GULOU}, {"name": "无此机构"}]},
        )
    ).json()
    assert [it["reasons"][0]["code"] for it in said["answers"]] == ["unreadable"] * 4 + ["not_found"]


async def test_pasted_lines_are_answered_as_a_page(app):
    page = await ask(app, "/verify", "POST", data={"names": "晨星培训学校\r\n\r\n<b>甜果</b>\r\n", "region": "福州市鼓楼区"})
    assert page.status_code == 200
    assert page.text.count('<li>\n<p><a href="/verify?name=') == 2
    assert "&lt;b&gt;甜果&lt;/b&gt;" in page.text
    assert (wording("zh")["verify.status.listed"] in page.text, page.headers["cache-control"]) == (True, "no-store")


@pytest.mark.parametrize(
    ("sent", "status", "kind"),
    [
        ({"names": ["甜果"] * (MOST + 1)}, 413, "long_list"),
        ({"names": []}, 400, "no_list"),
        ({}, 400, "no_list"),
        ({"names": ["甜果"], "queries": []}, 400, "no_list"),
        ({"names": {"a": 1}}, 400, "no_list"),
    ],
)
async def test_a_list_that_is_none_is_refused_with_a_clear_word(app, sent, status, kind):
    answer = await ask(app, "/verify.json", "POST", json=sent)
    assert (answer.status_code, answer.json()["error"]) == (status, kind)
    assert "1,000" in answer.json()["message"]


@pytest.mark.parametrize("prefix", ["", "/en"])
@pytest.mark.parametrize("path", ["/verify", "/verify.json"])
@pytest.mark.parametrize(("key", "known"), [("nmae", "name"), ("utm_source", "region"), ("as", "as_of")])
async def test_a_key_that_is_none_is_refused_with_those_that_are(app, prefix, path, key, known):
    answer = await ask(app, f"{prefix}{path}", params={"name": "甜果", key: "1"})
    assert (answer.status_code, key in answer.text, known in answer.text) == (400, True, True)
    assert "json" not in path or answer.json()["error"] == "key"


@pytest.mark.parametrize(
    ("query", "sent", "name"),
    [
        ({"as_of": TODAY}, {"names": ["甜果"]}, "as_of"),  # which would be answered by another release than was asked for
        ({"as_of": ""}, {"names": ["甜果"]}, "as_of"),
        ({"region": GULOU}, {"names": ["甜果"]}, "region"),
        ({}, {"names": ["甜果"], "as_of": TODAY}, "as_of"),
        ({}, {"queries": [{"name": "甜果"}], "region": GULOU}, "region"),  # each has its own
    ],
)
async def test_what_a_list_does_not_take_is_refused_and_never_left_out(app, query, sent, name):
    answer = await ask(app, "/verify.json", "POST", params=query, json=sent)
    assert (answer.status_code, answer.json()["error"], answer.json()["name"]) == (400, "posted", name)
    page = await ask(app, "/en/verify", "POST", params=query or {name: "1"}, data={"names": "甜果"})
    assert (page.status_code, wording("en")["problem.posted.title"] in page.text) == (400, True)


async def test_a_list_of_names_may_have_one_region(app):
    said = (await ask(app, "/verify.json", "POST", json={"names": ["晨星培训学校", "乐童培训中心"], "region": GULOU})).json()
    assert [it["status"] for it in said["answers"]] == [LISTED, OTHER_LIST]


async def test_as_many_as_may_be_asked_are_answered(app):
    said = (await ask(app, "/verify.json", "POST", json={"names": ["甜果"] * MOST})).json()
    assert len(said["answers"]) == MOST


@pytest.mark.parametrize(
    ("params", "status", "reason"),
    [({}, 400, "no_question"), ({"name": "长" * 300}, 400, "too_long"), ({"code": "x"}, 200, "code_invalid")],
)
async def test_what_is_no_question_is_refused_and_still_an_answer(app, params, status, reason):
    answer = await ask(app, "/verify.json", params=params)
    assert (answer.status_code, answer.json()["status"], answer.json()["reasons"][0]["code"]) == (status, CANNOT_SAY, reason)


@pytest.mark.parametrize("index", [Broken(), Empty()])
async def test_an_index_that_is_broken_is_never_not_listed(home, catalogue, index):
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: NOON)
    app.shelf.reader._index = index
    one = await ask(app, "/verify.json", params={"name": "无此机构"})
    page = await ask(app, "/verify", params={"name": "无此机构"})
    many = await ask(app, "/verify.json", "POST", json={"names": ["无此机构", code(1)]})
    app.shelf.close()
    assert (one.status_code, one.json()["status"], one.json()["reasons"][0]["code"]) == (500, CANNOT_SAY, "error")
    assert (page.status_code, wording("zh")["verify.reason.error"] in page.text) == (500, True)
    assert [it["status"] for it in many.json()["answers"]] == [CANNOT_SAY, LISTED]


async def test_a_release_whose_index_cannot_be_read_says_so_and_still_knows_numbers(home, catalogue):
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: NOON)
    app.shelf.reader._index = None
    name, number = [await ask(app, "/verify.json", params=params) for params in ({"name": "无此机构"}, {"code": code(1)})]
    page = await ask(app, "/en/verify", params={"name": "无此机构"})
    app.shelf.close()
    assert (name.status_code, name.json()["status"], name.json()["reasons"][0]["code"]) == (503, CANNOT_SAY, "unsearchable")
    assert (number.status_code, number.json()["status"]) == (200, LISTED)
    assert (page.status_code, wording("en")["verify.reason.unsearchable"] in page.text) == (503, True)


async def test_without_a_release_there_is_no_answer(tmp_path, catalogue):
    app = build_app(tmp_path, dictionary=dictionary(catalogue), now=lambda: NOON)
    answers = [await ask(app, "/verify.json", params={"name": "甜果"}), await ask(app, "/verify.json", "POST", json={"names": ["甜果"]})]
    assert [(answer.status_code, answer.json()["error"]) for answer in answers] == [(503, "no_release")] * 2


@pytest.mark.parametrize(("name", "is_over"), [("新名培训中心", True), ("福州市鼓楼区甜果培训中心有限公司", False)])
def test_a_permit_that_has_run_out_is_said_beside_a_list_that_has_not(verifier, name, is_over):
    answer = verifier.verify(Query(name, region=GULOU))[1]
    assert (answer.status, "permit_over" in answer.notes) == (LISTED, is_over)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_reason_note_and_way_has_its_words_and_no_word_is_left_over(verifier, lang):
    answers = [verifier.verify(case[0])[1] for case in CASES]
    everybody = [one for answer in answers for one in (answer.found, *answer.candidates) if one]
    seen = {
        "reason": {reason for answer in answers for reason in answer.reasons}
        | {case[2] for case in UNCOVERED}
        | {"error", "unreadable", "unsearchable"},
        "note": {note for answer in answers for note in answer.notes},
        "how": {one.how for one in everybody},
        "part": {it.part for one in everybody for it in one.differences},
        "status": {answer.status for answer in answers},
        "says": {answer.status for answer in answers},
    }
    for kind, codes in seen.items():
        assert {key.removeprefix(f"verify.{kind}.") for key in wording(lang) if key.startswith(f"verify.{kind}.")} == codes
