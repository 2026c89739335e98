"""The reconciliation service as OpenRefine meets it, and when it is sure whom a row means.

The schemas below say what version 0.2 of the specification says in its text.
"""

import asyncio
import json
import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from publish.catalogue import Catalogue, dictionary
from publish.web import reconcile
from publish.web.candidates import Line, candidates
from publish.web.reader import Reader
from publish.web.server import Application, build_app
from publish.wording import LANGUAGES, wording
from web_release import ACTIVE, CLOSED, ENDS_TODAY, HOSTILE, SHADY, SWEET, TODAY, TONG, go_live, make_release, rows, write_past

NOON, TOMORROW = datetime(2026, 11, 23, 4, tzinfo=UTC), datetime(2026, 11, 23, 17, tzinfo=UTC)
TEXT, NUMBER = {"type": "string", "minLength": 1}, {"type": "number"}


def thing(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {**required, **optional}, "required": list(required), "additionalProperties": False}


def listed(items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **more}


def named(**optional: Any) -> dict[str, Any]:
    return thing({"id": TEXT, "name": TEXT}, **optional)


URL = {"type": "string", "pattern": "^https?://"}
TEMPLATE = {**URL, "pattern": r"^https?://.*\{\{id\}\}"}
SERVICE = thing(
    {"service_url": URL, "service_path": {"type": "string", "pattern": "^/"}},
    flyout_service_path={"type": "string", "pattern": r"\$\{id\}"},
)
MANIFEST = thing(
    {"versions": listed(TEXT, contains={"const": "0.2"}), "name": TEXT, "identifierSpace": URL, "schemaSpace": URL},
    documentation=URL, defaultTypes=listed(named()), view=thing({"url": TEMPLATE}),
    preview=thing({"url": TEMPLATE, "width": {"type": "integer"}, "height": {"type": "integer"}}), suggest=thing({}, entity=SERVICE, property=SERVICE, type=SERVICE),
    extend=thing({}, propose_properties=SERVICE, property_settings=listed({})), batchSize={"type": "integer", "minimum": 1},
)  # fmt: skip
CANDIDATE = named(
    description={"type": "string"}, score={**NUMBER, "minimum": 0, "maximum": 100}, match={"type": "boolean"}, type=listed(named()),
    features=listed(thing({"id": TEXT, "value": {"type": ["boolean", "number"]}})),
)  # fmt: skip
CANDIDATE["required"] += ["score", "match", "type", "features"]
RESULTS = {"type": "object", "additionalProperties": thing({"result": listed(CANDIDATE, maxItems=20)}, error=TEXT)}
ENTITIES = thing({"result": listed(named(description={"type": "string"}, notable=listed(named())))})
DESCRIBED = thing({"result": listed(named(description={"type": "string"}))})
FLYOUT = thing({"id": TEXT, "html": TEXT})
PROPOSED = thing({"type": TEXT, "properties": listed(named(), minItems=1)}, limit=NUMBER)
CELL = {"oneOf": [thing({}), thing({"str": TEXT}), thing({"int": {"type": "integer"}}), thing({"float": NUMBER})]}
EXTENDED = thing({"meta": listed(named()), "rows": {"additionalProperties": {"type": "object", "additionalProperties": listed(CELL)}}})


def checked(data: Any, schema: dict[str, Any]) -> Any:
    Draft202012Validator(schema).validate(data)
    return data


# Made up for who is sure about whom; the codes are those of nobody.
BY_CODE, LETTER, BRAND, ALIAS, HERE, THERE, LOST, BRANCH, OTHER_BRANCH, GREY = (f"i-{letter * 11}3" for letter in "abcdefghjk")


def _institution(id: str, name: str, region: str | None = "350102", **more: Any) -> dict[str, Any]:
    return {"id": id, "name": name, "region_code": region, "source_id": "platform", "document_id": "d-aaaaaaaaaaa2", **more}


def tables() -> dict[str, Any]:
    made = rows("标记")
    made["institutions"] += [
        _institution(BY_CODE, "福州晨光教育培训有限公司", credit_code="91350102M000200Y1E", address="五四路 12 号"),
        _institution(LETTER, "福州启明①培训中心"),
        _institution(BRAND, "星海英语", "350203"),
        _institution(ALIAS, "福州海星文化培训中心"),
        _institution(HERE, "阳光培训中心", "350102"),
        _institution(THERE, "阳光培训中心", "350203"),
        _institution(LOST, "月牙培训中心", None, region_text="某开发区"),
        _institution(BRANCH, "福州连锁培训有限公司", credit_code="91350102M000300Y29"),
        _institution(OTHER_BRANCH, "福州连锁培训有限公司厦门分公司", "350203", credit_code="91350102M000300Y29"),
        _institution(GREY, "福州灰度培训中心"),
    ]
    made["institutions"].sort(key=lambda row: str(row["id"]))
    made["institution_aliases"] += [{"institution_id": ALIAS, "name": "星海英语", "kind": "brand"}]
    made["permits"] += [
        {"institution_id": BY_CODE, "permit_no": "教民135010270000099", "issuer": "福州市鼓楼区教育局"},
        {"institution_id": LOST, "permit_no": "办理中"},
    ]
    made["listings"] += [
        {"id": "l-fffffffffff2", "institution_id": GREY, "list": "grey", "authority": "某局", "listed_on": "2026-11-01", "as_of": "2026-11-20", "source_id": "platform", "region_code": "350102"},
        {"id": "l-ggggggggggg2", "institution_id": TONG, "list": "white", "authority": "厦门市教育局", "batch_label": "第四期", "as_of": "2026-11-21", "source_id": "platform", "region_code": "350203"},
    ]  # fmt: skip
    return made


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    home = tmp_path_factory.mktemp("home")
    make_release(home, TODAY, catalogue, tables=tables())
    write_past(home, catalogue, TODAY)
    go_live(home, TODAY)
    return home


@pytest.fixture(scope="module")
def reader(home: Path) -> Iterator[Reader]:
    with closing(Reader(home / "releases" / TODAY)) as reader:
        yield reader


@pytest.fixture(scope="module")
def client(home: Path, catalogue: Catalogue) -> Iterator[Callable[..., httpx.AsyncClient]]:
    """One site for each day, home and address: to build one takes 0.2 s."""
    made: dict[tuple[Any, ...], Application] = {}

    def make(now: datetime = NOON, where: Path = home, base_url: str | None = None) -> httpx.AsyncClient:
        key = now, where, base_url
        app = made.setdefault(key, made.get(key) or build_app(where, dictionary=dictionary(catalogue), now=lambda: now, base_url=base_url))
        return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://site.example")

    yield make
    for app in made.values():
        app.shelf.close()


def certain(reader: Reader, **asked: Any) -> list[str]:
    return [one.card["id"] for one in candidates(reader, Line(**asked), TODAY) if one.is_certain]


# -- who is certain ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "id"),
    [
        ({"name": "福州晨光教育培训有限公司"}, BY_CODE),  # nobody else has that name
        ({"name": " 福州晨光教育培训 有限公司 "}, BY_CODE),
        ({"name": "91350102M000200Y1E"}, BY_CODE),
        ({"name": "９１３５０１０２m000200y1e"}, BY_CODE),
        ({"name": "晨光", "credit_codes": ("91350102M000200Y1E",)}, BY_CODE),
        ({"name": "", "permits": ("教民135010270000099号",)}, BY_CODE),
        ({"name": BY_CODE}, BY_CODE),
        ({"name": "福州启明①培训中心"}, LETTER),
        ({"name": "福州启明①培训中心", "addresses": ("别处 9 号",)}, LETTER),  # an address contradicts nobody
        ({"name": "福州晨光教育培训有限公司", "credit_codes": ("是",), "permits": ("办理中",)}, BY_CODE),  # which are no numbers
        ({"name": "阳光培训中心", "regions": ("鼓楼区",)}, HERE),  # 鼓楼区 is four; two of this name are in others or in none of them
        ({"name": "阳光培训中心", "regions": ("福建省厦门市思明区",)}, THERE),
        ({"name": "阳光培训中心", "regions": ("Siming, Xiamen",)}, THERE),
        ({"name": "阳光培训中心", "regions": ("厦门",)}, THERE),
        ({"name": "阳光培训中心", "regions": ("350203",)}, THERE),
        ({"name": "福州连锁培训有限公司", "credit_codes": ("91350102M000300Y29",)}, BRANCH),
        ({"name": "连锁", "credit_codes": ("91350102M000300Y29",), "regions": ("思明区",)}, OTHER_BRANCH),
        ({"name": "福州市鼓楼区甜果培训中心有限公司（标记）", "regions": ("福州鼓楼",)}, SWEET),
        ({"name": "福州灰度培训中心", "regions": ("350102",)}, GREY),
    ],
)  # fmt: skip
def test_a_number_or_a_name_that_nobody_else_has_is_certain(reader, asked, id):
    assert certain(reader, **asked) == [id]


@pytest.mark.parametrize(
    "asked",
    [
        {"name": "福州启明1培训中心"},  # another institution than ①, though search folds them into one
        {"name": "福州启明培训中心"},
        {"name": "福州晨光教育培训公司"},
        {"name": "福州辰光教育培训有限公司"},
        {"name": "福州晨光教育培训有限公司一分校"},
        {"name": "晨光教育"},
        {"name": "福州晨光教育培訓有限公司"},
        {"name": "阳光培训中心"},  # two have it
        {"name": "阳光培训中心", "regions": ("福建省",)},
        {"name": "阳光培训中心", "regions": ("西湖区",)},
        {"name": "阳光培训中心", "regions": ("没有这个地方",)},
        {"name": "福州晨光教育培训有限公司", "regions": ("厦门市",)},
        {"name": "福州晨光教育培训有限公司", "regions": ("没有这个地方",)},
        {"name": "福州晨光教育培训有限公司", "credit_codes": ("91350102M000999Y9H",)},
        {"name": "福州晨光教育培训有限公司", "permits": ("教民135010270000098",)},
        {"name": "91350102M000200Y17"},
        {"name": "福州晨光教育培训有限公司", "credit_codes": ("91350102M000200Y1E",), "regions": ("厦门市",)},
        {"name": "福州启明①培训中心", "credit_codes": ("91350102M000200Y1E",)},  # its name is wholly another's
        {"name": "随便什么", "credit_codes": ("91350102M000200Y1E",)},
        {"name": "福州晨光教育培训有限公司", "credit_codes": ("91350102M000200Y16",)},  # its check character is wrong
        {"name": "福州晨光教育培训有限公司", "credit_codes": ("91350102M000200Y1E", "91350102M000300Y29")},
        {"name": "福州海星文化培训中心", "permits": ("教民135010270000099",), "credit_codes": ("91350100M000100Y43",)},
        {"name": "", "credit_codes": ("91350102M000300Y29",)},  # of two
        {"name": "星海英语"},  # the name of one and the brand of another
        {"name": "甜果英语", "regions": ("350102",)},  # a brand alone
        {"name": "月牙培训中心", "regions": ("厦门市",)},  # nobody knows where it is
        {"name": "办理中"},
        {"name": "福州市鼓楼区甜果培训中心有限公司（标记）"},  # it has a notice in force, and there may be another one of that name
        {"name": "厦门同学堂艺术培训中心（标记）"},  # a notice that nobody is linked to has its name
        {"name": "福州灰度培训中心"},  # it is on a grey list
        {"name": "福州灰度培训中心", "regions": ("福州市",)},  # as of a notice, no more than its county is enough
        {"name": "", "regions": ("350102",)},
        {"name": "培训"},
    ],
)  # fmt: skip
def test_what_is_only_alike_or_contradicted_is_never_certain(reader, asked):
    assert certain(reader, **asked) == []


def test_a_region_agrees_by_whole_names_only(reader):
    """东西湖区 is not 西湖区."""
    found = candidates(reader, Line("阳光培训中心", regions=("楼区",)), TODAY)
    assert [one.features.get("region") for one in found if one.features["exact_name"]] == [None, None]


def test_candidates_come_best_first_and_a_contradiction_costs(reader):
    found = candidates(reader, Line("福州晨光教育培训有限公司", regions=("厦门市",), addresses=("五四路12号",)), TODAY)
    alone = candidates(reader, Line("福州晨光教育培训有限公司"), TODAY)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    its = next(one for one in found if one.card["id"] == BY_CODE)
    assert its.features["region"] is False
    assert its.features["address"] == 100.0
    assert its.score == 70.0
    assert alone[0].score == 100.0


@given(
    name=st.text(max_size=60)
    | st.sampled_from(["福州晨光", "阳光培训中心", "9135"]).flatmap(lambda known: st.text(max_size=5).map(known.__add__)),
    value=st.text(max_size=30),
)
def test_whatever_is_asked_one_at_most_is_certain_and_bears_the_name(reader, name, value):
    found = candidates(reader, Line(name, credit_codes=(value,), regions=(value,) if value else (), addresses=(value,)), TODAY)
    assert sum(one.is_certain for one in found) <= 1
    assert all(0 <= one.score <= 100 for one in found)
    assert all(one.features["exact_name"] or "91350" in name + value or name.startswith("i-") for one in found if one.is_certain)


# -- the protocol --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("base", [None, "https://mingbai.example/"])
async def test_the_manifest_names_services_that_answer(client, lang, base):
    prefix = "" if lang == "zh" else "/en"
    async with client(base_url=base) as ask:
        answer = await ask.get(f"{prefix}/reconcile")
        manifest = checked(answer.json(), MANIFEST)
        public = "https://mingbai.example" if base else "http://site.example"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert manifest["name"] == wording(lang)["reconcile.name"]
        assert manifest["identifierSpace"] == f"{public}/institutions/"  # one space in every language
        assert manifest["view"]["url"] == f"{public}{prefix}/institutions/{{{{id}}}}"
        addresses = [manifest["documentation"], *(manifest[part]["url"].replace("{{id}}", SWEET) for part in ("view", "preview"))]
        for of, id in (("entity", SWEET), ("property", "credit_code"), ("type", "institution")):
            service = manifest["suggest"][of]
            addresses.append(service["service_url"] + service["service_path"] + "?prefix=a")
            addresses.append(service["service_url"] + service["flyout_service_path"].replace("${id}", id))
        addresses.append("".join(manifest["extend"]["propose_properties"].values()) + "?type=institution")
        for address in addresses:
            assert address.startswith(public + prefix + "/")
            assert (await ask.get(address.removeprefix(public))).status_code == 200, address


async def test_a_host_that_is_none_is_not_repeated(client):
    async with client() as ask:
        answer = await ask.get("/reconcile", headers={"host": 'a"<b>'})
    assert answer.status_code == 400
    assert "<b>" not in answer.text


QUERIES = {
    "q0": {"query": "福州晨光教育培训有限公司", "type": "institution", "limit": 5, "type_strict": "should"},
    "q1": {"query": "阳光培训中心", "properties": [{"pid": "region", "v": ["", "思明区"]}]},
    "q2": {
        "query": "晨光",
        "properties": [{"pid": "permits.permit_no", "v": {"id": "x", "name": "教民135010270000099"}}, {"pid": "colour", "v": 1.5}],
    },
    "没有": {"query": "不存在的名称"},
}


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_a_batch_is_answered_by_get_and_by_post(client, lang):
    path = "/reconcile" if lang == "zh" else "/en/reconcile"
    async with client() as ask:
        got = await ask.get(path, params={"queries": json.dumps(QUERIES)})
        posted = await ask.post(path, data={"queries": json.dumps(QUERIES)})
    found = checked(posted.json(), RESULTS)
    assert got.json() == found
    assert posted.headers["access-control-allow-origin"] == "*"
    assert {key: [one["id"] for one in answer["result"] if one["match"]] for key, answer in found.items()} == {
        "q0": [BY_CODE], "q1": [THERE], "q2": [BY_CODE], "没有": [],
    }  # fmt: skip
    first = found["q0"]["result"][0]
    assert first["type"] == [{"id": "institution", "name": wording(lang)["reconcile.type"]}]
    assert first["description"].endswith("五四路 12 号 · 91350102M000200Y1E")
    assert len(found["q0"]["result"]) <= 5


@pytest.mark.parametrize(
    ("type", "strict", "is_answered"),
    [
        (None, None, True), ("institution", None, True), (["institution", "x"], "any", True), (["institution", "x"], None, True), ("x", "should", True), ([{"id": "institution"}], "all", True),
        ("x", None, False), (["x"], "any", False), (["institution", "x"], "all", False), ([], "all", True),
    ],
)  # fmt: skip
async def test_types_are_a_condition_or_a_wish(client, type, strict, is_answered):
    query = {
        "query": "福州晨光教育培训有限公司",
        **({"type": type} if type is not None else {}),
        **({"type_strict": strict} if strict else {}),
    }
    async with client() as ask:
        found = (await ask.post("/reconcile", data={"queries": json.dumps({"q": query})})).json()
    assert bool(checked(found, RESULTS)["q"]["result"]) is is_answered


BAD = [
    "text",
    7,
    None,
    [],
    {},
    {"query": ""},
    {"query": " "},
    {"query": 7},
    {"query": "长" * 201},
    {"query": "长" * 150},  # which the index does not look for
    {"query": "晨光", "properties": {}},
    {"query": "晨光", "properties": [7]},
]
BAD += [
    {"properties": [{"pid": "region", "v": "福州"}] * 21},
    {"properties": [{"pid": "region", "v": [True, None, {}, [1]]}]},
    {"query": "晨光", "properties": [{"v": "福州"}]},
]


@pytest.mark.parametrize("bad", BAD, ids=str)
async def test_a_bad_query_says_so_and_spoils_no_other(client, bad):
    async with client() as ask:
        found = (await ask.post("/reconcile", data={"queries": json.dumps({"bad": bad, "good": QUERIES["q0"]})})).json()
    checked(found, RESULTS)
    assert found["bad"]["result"] == []
    assert found["bad"]["error"]  # or else it would read as "not found"
    assert found["good"]["result"][0]["match"] is True


@pytest.mark.parametrize("limit", [0, -1, 1e300, 10**30, "3", "x", True, None, 2.7])
async def test_a_limit_is_kept_within_bounds(client, limit):
    async with client() as ask:
        found = (await ask.post("/reconcile", data={"queries": json.dumps({"q": {"query": "福州", "limit": limit}})})).json()
    assert 1 <= len(checked(found, RESULTS)["q"]["result"]) <= 20


@pytest.mark.parametrize(
    ("field", "value", "status", "kind"),
    [
        ("queries", "{", 400, "json"), ("queries", "[]", 400, "batch"), ("queries", '"x"', 400, "batch"), ("queries", "[" * 5_000, 400, "json"), ("queries", '{"q": "\\ud800"}', 400, "json"),
        ("queries", json.dumps({str(n): {"query": "x"} for n in range(reconcile.BATCH + 1)}), 413, "too_many"),
        ("extend", "{", 400, "json"), ("extend", "[]", 400, "extend"), ("extend", '{"ids": "x", "properties": []}', 400, "extend"), ("extend", '{"ids": [1], "properties": []}', 400, "extend"),
        ("extend", '{"ids": [], "properties": [{"id": "phone"}]}', 400, "property"), ("extend", '{"ids": [], "properties": [{}]}', 400, "property"),
        ("extend", json.dumps({"ids": ["x"] * 101, "properties": []}), 413, "too_many"), ("extend", json.dumps({"ids": [], "properties": [{"id": "name"}] * 51}), 413, "too_many"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_what_cannot_be_read_is_refused_with_a_word(client, field, value, status, kind, method):
    where = {"params": {field: value}} if method == "GET" else {"data": {field: value}}
    async with client() as ask:
        answer = await ask.request(method, "/reconcile", **where)
    assert (answer.status_code, answer.json()["error"]) == (status, kind)
    assert answer.json()["message"]
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_a_request_with_nothing_in_it_or_too_much_is_refused(client):
    async with client() as ask:
        empty = await ask.post("/reconcile", data={"other": "x"})
        fields = await ask.get("/reconcile?" + "&".join(f"a{n}=1" for n in range(60)))
        text = await ask.post("/reconcile", content=b"x", headers={"content-type": "text/plain"})
        nowhere = await ask.get("/reconcile/other")
    assert [one.status_code for one in (empty, fields, text, nowhere)] == [400, 400, 415, 404]
    assert all(one.json()["error"] for one in (empty, fields, text, nowhere))


async def test_a_failure_is_never_not_found_and_nobodys_question_is_written_down(client, monkeypatch, caplog):
    def fails(*_: Any, **__: Any) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr("search.Index.search", fails)
    with caplog.at_level(logging.DEBUG):
        async with client() as ask:
            answer = await ask.post("/reconcile", data={"queries": json.dumps({"q": {"query": "阳光秘密"}})})
    assert (answer.status_code, answer.json()["error"]) == (500, "failed")
    assert "阳光秘密" not in caplog.text + quote(caplog.text)
    assert quote("阳光秘密") not in caplog.text


async def test_others_have_their_turn_while_a_batch_is_worked_on(client):
    order: list[str] = []

    async def ask_for(what: str, **where: Any) -> None:
        assert (await ask.request("POST" if where else "GET", "/reconcile" if where else "/status.json", **where)).status_code == 200
        order.append(what)

    batch = {"data": {"queries": json.dumps({str(n): {"query": f"福州晨光教育培训{n}"} for n in range(reconcile.BATCH)})}}
    async with client() as ask:
        await asyncio.gather(ask_for("batch", **batch), ask_for("page"))
    assert order == ["page", "batch"]


async def test_a_callback_is_a_name_or_is_refused(client):
    async with client() as ask:
        answer = await ask.get("/reconcile?callback=jQuery.cb_1")
        refused = [
            await ask.get("/reconcile", params={"callback": odd})
            for odd in ("", "a-b", "alert(1)//", "a;b", "é", "a" * 99, "a..b", "1a", "a\n")
        ]
    assert answer.headers["content-type"].startswith("text/javascript")
    text = re.fullmatch(r"/\*\*/jQuery\.cb_1\((.*)\);", answer.text)
    assert text
    checked(json.loads(text[1]), MANIFEST)
    assert {(one.status_code, one.json()["error"]) for one in refused} == {(400, "callback")}


async def test_suggestions_are_of_entities_properties_and_the_type(client):
    async with client() as ask:
        entities = checked((await ask.get("/reconcile/suggest/entity", params={"prefix": "晨光"})).json(), ENTITIES)
        itself = checked((await ask.get("/reconcile/suggest/entity", params={"prefix": TONG})).json(), ENTITIES)
        nothing = checked((await ask.get("/reconcile/suggest/entity")).json(), ENTITIES)
        properties = checked((await ask.get("/en/reconcile/suggest/property", params={"prefix": "credit"})).json(), DESCRIBED)
        beyond = checked((await ask.get("/reconcile/suggest/property", params={"prefix": "", "cursor": "900"})).json(), DESCRIBED)
        types = checked((await ask.get("/reconcile/suggest/type", params={"prefix": "机构"})).json(), DESCRIBED)
    assert entities["result"][0]["id"] == BY_CODE
    assert itself["result"][0]["id"] == TONG
    assert nothing["result"] == beyond["result"] == []
    assert properties["result"][0]["id"] == "credit_code"
    assert types["result"] == [{"id": "institution", "name": "校外培训机构"}]


@pytest.mark.parametrize("what", ["flyout/entity", "flyout/property", "flyout/type"])
async def test_a_flyout_of_nothing_is_404(client, what):
    async with client() as ask:
        answer = await ask.get(f"/reconcile/{what}?id=<b>")
    assert answer.status_code == 404


async def extended(ask: httpx.AsyncClient, ids: list[str], *properties: str, path: str = "/reconcile") -> Any:
    query = json.dumps({"ids": ids, "properties": [{"id": one, "settings": {}} for one in properties]})
    answer = await ask.post(path, data={"extend": query})
    assert answer.status_code == 200, answer.text
    assert (await ask.get(path, params={"extend": query})).json() == answer.json()
    return checked(answer.json(), EXTENDED)["rows"]


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_every_property_that_is_proposed_can_be_added(client, lang):
    prefix = "" if lang == "zh" else "/en"
    async with client() as ask:
        proposed = checked((await ask.get(f"{prefix}/reconcile/extend?type=institution")).json(), PROPOSED)
        few = (await ask.get(f"{prefix}/reconcile/extend?type=institution&limit=3")).json()
        other = (await ask.get(f"{prefix}/reconcile/extend?type=other")).json()
        ids = [one["id"] for one in proposed["properties"]]
        found = await extended(ask, [SWEET, TONG, CLOSED, SHADY, "i-unknown", ""], *ids, path=f"{prefix}/reconcile")
    assert len(few["properties"]) == 3
    assert other["properties"] == []
    assert found["i-unknown"] == {one: [] for one in ids}
    assert not {"phone", "legal_representative", "source_key", "fund_supervision.account", "id"} & set(ids)
    sweet = found[SWEET]
    assert all(sweet[one] for one in set(ids) - {"held_since", "absent_since", "status", "credit_code_text"})
    assert sweet["permits.permit_no"] == [{"str": "教民135010270000018"}, {"str": "教民135010270000010"}]
    assert sweet["permits.valid_until"] == [{"str": "2027-12-31"}, {"str": "2023-12"}]  # in the same order, as precise as the source
    assert sweet["notices_in_force"] == [{"int": 2}]
    assert sweet["notice_page"][0] == {"str": f"http://site.example{prefix}/notices/{ACTIVE}"}
    assert found[CLOSED]["listing"] == []  # it is not in the newest issue
    if lang == "zh":
        assert sweet["region"] == [{"str": "福建省福州市鼓楼区"}]
        assert sweet["listings.list"] == [{"str": "白名单"}]
        assert sweet["listing"] == [{"str": "列入福州市教育局（标记）第三期白名单，截至 2026-11-20。"}]
        assert sweet["notice"][0] == {"str": "行政处罚 已更正 有申辩：福州市鼓楼区教育局，决定日期 2026-10-15；公示至 2027-10-15"}


async def test_what_is_over_is_neither_added_nor_previewed(client):
    async with client(TOMORROW) as ask:
        found = await extended(ask, [SWEET, TONG], "notices_in_force", "notice_page", "notice", "listings.batch_label", "listing")
        page = (await ask.get(f"/reconcile/preview?id={SWEET}")).text
    assert found[SWEET]["notices_in_force"] == [{"int": 1}]
    assert ENDS_TODAY not in json.dumps(found) + page
    assert ACTIVE in page
    assert found[TONG]["listings.batch_label"] == [{"str": "第四期"}, {}]  # a value a listing, and none of what was valid until October
    assert found[TONG]["notices_in_force"] == []  # a namesake's may be its own


async def test_none_is_not_said_of_a_region_that_is_held(client, tmp_path, catalogue):
    folder = make_release(tmp_path, TODAY, catalogue, tables=tables())
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["held"] = [{"source": "platform", "table": "notices", "region": code, "since": "2026-11-20"} for code in ("350102", "350203")]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    write_past(tmp_path, catalogue, TODAY)
    go_live(tmp_path, TODAY)
    async with client(where=tmp_path) as ask:
        found = await extended(ask, [SWEET, TONG], "notices_in_force")
    assert found == {SWEET: {"notices_in_force": [{"int": 2}]}, TONG: {"notices_in_force": []}}


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("id", [SWEET, TONG, CLOSED, SHADY, "i-unknown", HOSTILE, ""])
async def test_a_preview_may_stand_in_a_frame_and_nothing_else_of_it_is_open(client, lang, id):
    prefix = "" if lang == "zh" else "/en"
    async with client() as ask:
        answer = await ask.get(f"{prefix}/reconcile/preview", params={"id": id})
        other = await ask.get(f"{prefix}/institutions/{SWEET}")
    assert answer.status_code == (200 if id in (SWEET, TONG, CLOSED, SHADY) else 404)
    policy = answer.headers["content-security-policy"]
    assert "frame-ancestors http: https:" in policy
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "x-frame-options" not in answer.headers
    assert (other.headers["x-frame-options"], "frame-ancestors 'none'" in other.headers["content-security-policy"]) == ("DENY", True)
    assert f'<html lang="{wording(lang)["site.lang"]}">' in answer.text
    assert not re.search(r"<script|\sstyle=|<style|\son\w+=|javascript:alert\(1\)\"", answer.text)
    assert "\u202e" not in answer.text


async def test_a_hostile_name_is_harmless_in_every_answer(client):
    async with client() as ask:
        flyout = checked((await ask.get(f"/reconcile/flyout/entity?id={SHADY}")).json(), FLYOUT)
        found = (await ask.post("/reconcile", data={"queries": json.dumps({"q": {"query": SHADY}})})).json()["q"]["result"][0]
    assert "<script" not in flyout["html"]
    assert "\u202e" not in json.dumps([flyout, found], ensure_ascii=False)
    assert len(found["description"]) < 400


def test_every_word_of_the_service_is_used(root):
    folder = root / "publish" / "web"
    texts = "".join(
        (folder / name).read_text("utf-8") for name in ("reconcile.py", "properties.py", "templates/data.html", "templates/preview.html")
    )
    words = [key.removeprefix("reconcile.").removeprefix("problem.") for key in wording("zh") if key.startswith("reconcile.")]
    assert words
    assert [one for one in words if not re.search(rf"""["'.]{re.escape(one.removesuffix(".about"))}["']""", texts)] == []


# -- OpenRefine ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def address(home: Path, catalogue: Catalogue) -> Iterator[str]:
    """The site over HTTP on this machine."""
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: NOON)
    server = uvicorn.Server(uvicorn.Config(app, port=0, access_log=False, log_level="warning", lifespan="on", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def test_a_spreadsheet_is_reconciled_as_openrefine_does_it(address):
    """The service is added by its address; ten rows a batch; a look at a candidate; columns for what was matched."""
    names = ["福州晨光教育培训有限公司", "阳光培训中心", "福州辰光教育培训有限公司", "福州市鼓楼区甜果培训中心有限公司（标记）", "不存在"]
    districts = ["鼓楼区", "思明区", "鼓楼区", "鼓楼区", ""]
    with httpx.Client() as openrefine:
        manifest = checked(openrefine.get(f"{address}/reconcile").json(), MANIFEST)
        assert manifest["identifierSpace"] == f"{address}/institutions/"
        batch = {
            f"q{n}": {"query": name, "type": manifest["defaultTypes"][0]["id"], "type_strict": "should", "limit": 3, "properties": [{"pid": "region", "v": district}]}
            for n, (name, district) in enumerate(zip(names, districts, strict=True))
        }  # fmt: skip
        found = checked(openrefine.post(f"{address}/reconcile", data={"queries": json.dumps(batch)}).json(), RESULTS)
        matched = {key: answer["result"][0] for key, answer in found.items() if answer["result"] and answer["result"][0]["match"]}
        assert {key: one["id"] for key, one in matched.items()} == {"q0": BY_CODE, "q1": THERE, "q3": SWEET}
        preview = openrefine.get(manifest["preview"]["url"].replace("{{id}}", quote(matched["q3"]["id"])))
        assert preview.status_code == 200
        assert "甜果" in preview.text
        proposed = openrefine.get("".join(manifest["extend"]["propose_properties"].values()), params={"type": "institution"}).json()
        wanted = [one for one in proposed["properties"] if one["id"] in ("credit_code", "listing", "notices_in_force")]
        extend = {"ids": [one["id"] for one in matched.values()], "properties": [{"id": one["id"]} for one in wanted]}
        added = checked(openrefine.post(f"{address}/reconcile", data={"extend": json.dumps(extend)}).json(), EXTENDED)
    assert added["meta"] == wanted
    assert added["rows"][BY_CODE]["credit_code"] == [{"str": "91350102M000200Y1E"}]
    assert added["rows"][SWEET]["notices_in_force"] == [{"int": 2}]
