"""openapi.json against the site: every address that answers in JSON is in it, every example runs, and what comes back is as it says, also for schemathesis."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from described_release import make as make_described
from publish.catalogue import Catalogue, dictionary
from publish.web.api import ROUTES, Route, samples
from publish.web.frame import Frame, environment
from publish.web.openapi import example
from publish.web.pages import Pages
from publish.web.server import Application, build_app
from publish.web.shelf import Shelf
from publish.wording import LANGUAGES, wording
from readmes import addresses
from web_release import ACTIVE, REPAIRED, SWEET, TODAY, go_live, make_release, write_index, write_past

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
SITE = "http://site.example"
BEFORE = "2026-11-22"
# beside the examples: answers of every other status and shape that an address has
MORE = (
    "/search.json", "/search.json?q=福州&province=350000&list=white&as_of=2026-11-22", "/search.json?nothing=1", "/search.json?q=%3F", "/search.json?q=a&province=1", "/suggest.json?q=",
    "/verify.json", f"/verify.json?name={quote('福州市鼓楼区甜果培训中心有限公司')}&region=350102", "/verify.json?code=91350100M000100Y43", "/verify.json?code=x&nothing=1", "/verify.json?name=a&name=b",
    f"/institutions/{SWEET}.json?as_of=2026-11-22", "/institutions/i-nobody.json", f"/notices/{ACTIVE}.json?as_of=2026-11-22", f"/notices/{REPAIRED}.json", "/notices/n-nobody.json",
    "/notices.json", "/notices.json?q=收费&sort=newest&since=2025", "/notices.json?q=(", "/notices.json?sort=relevance", "/notices.json?as_of=2030-01-01", "/notices.json?as_of=1999-01-01",
    "/changes.json?from=2026-11-22", "/changes.json?region=1", "/data/changelog.json?as_of=2026-11-22", "/data/about/notices.json?as_of=2026-11-22", "/data/about/nothing.json", "/data/about/notices.json?x=1", "/mingbai/institutions.json?_search=甜果", "/mingbai/notices.json?_search=(", "/mingbai/listings.json?_search=甜果", "/feeds/notices.json?q=收费", "/feeds/notices.json?q=(", "/feeds/nothing.json",
    "/reconcile?queries=%7B%22a%22%3A%7B%22query%22%3A%22甜果%22%7D%7D", "/reconcile?queries=1", "/reconcile/suggest/entity?prefix=福州", "/reconcile/flyout/entity?id=nobody",
    "/regions.json?class=arts", "/regions.json?class=x", "/regions/350102.json?class=subject&list=white&address=东街&limit=5&offset=0", "/regions/710000.json", "/regions/371202.json", "/regions/nowhere.json", "/regions/350102.json?as_of=2026-11-22",
    "/mingbai.json?sql=nothing", "/mingbai.json?sql=select+*+from+sqlite_master", "/mingbai/nothing.json", f"/mingbai/notices/{REPAIRED}.json", "/mingbai/regions.json?_shape=array",
)  # fmt: skip
SENT = (
    {"names": ["甜果", "某某"]},
    {"queries": [{"name": "甜果", "region": "350102"}]},
    {"names": []},
    {"nothing": 1},
    {"names": ["a"] * 1001},
    [1],
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    home = tmp_path_factory.mktemp("home")
    make_release(home, BEFORE, catalogue)
    make_described(home, catalogue)
    write_past(home, catalogue, BEFORE, TODAY)
    write_index(home, BEFORE, TODAY)
    go_live(home, TODAY)
    return home


@pytest.fixture(scope="module")
def site(home: Path, catalogue: Catalogue) -> Iterator[Application]:
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: NOON)
    yield app
    app.shelf.close()


def client(site: Application) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url=SITE)


async def described(site: Application, lang: str = "zh") -> dict[str, Any]:
    async with client(site) as visitor:
        return (await visitor.get("/openapi.json" if lang == "zh" else f"/{lang}/openapi.json")).json()


def address(route: Route, known: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """A route's example as path and query."""
    values = example(route, known)
    path = route.path
    for part in route.parts:
        path = path.replace(f"{{{part}}}", values.pop(part, {"facet": "region", "value": "350100"}.get(part, "1")))
    return path, values


def templates(document: Mapping[str, Any], path: str) -> str:
    """The address of a description that a path is of."""
    exact = [name for name in document["paths"] if "{" not in name and name == path]
    found = exact or [route.path for route in ROUTES if "{" in route.path and _fits(route.path, path)]
    return min(found, key=lambda name: name.count("{"))


def _fits(template: str, path: str) -> bool:
    pattern = "".join(f"[^/]+{re.escape(rest)}" if place else re.escape(rest) for place, rest in enumerate(re.split(r"\{\w+\}", template)))
    return re.fullmatch(pattern, path) is not None


def faults(document: Mapping[str, Any], path: str, answer: httpx.Response, method: str = "get") -> list[str]:
    """What of an answer is not as it is described, a key that nobody describes too."""
    operation = document["paths"][templates(document, path)][method]
    said = operation["responses"].get(str(answer.status_code))
    if said is None:
        return [f"{path}: {answer.status_code} is not described"]
    if "content" not in said:
        return [f"{path}: {answer.status_code} has a body"] if answer.content else []
    media = answer.headers["content-type"].partition(";")[0]
    if media not in said["content"]:
        return [f"{path}: {media} is not described"]
    whole = {**said["content"][media]["schema"], "components": document["components"]}
    validator = Draft202012Validator(whole)
    found = [f"{path}: {error.json_path}: {error.message[:200]}" for error in validator.iter_errors(answer.json())]
    return found or [f"{path}: {key} is not described" for key in undescribed(answer.json(), said["content"][media]["schema"], document)]


def undescribed(value: Any, schema: Mapping[str, Any], document: Mapping[str, Any], at: str = "$") -> Iterator[str]:
    """Keys of objects that no property of theirs describes."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        some = [list(undescribed(value, one, document, at)) for one in schema["anyOf"] if _is(value, one, document)]
        yield from min(some, key=len, default=[])
    elif isinstance(value, dict) and "properties" in schema:
        for key, below in value.items():
            if key in schema["properties"]:
                yield from undescribed(below, schema["properties"][key], document, f"{at}.{key}")
            else:
                yield f"{at}.{key}"
    elif isinstance(value, list) and "items" in schema:
        for below in value:
            yield from undescribed(below, schema["items"], document, f"{at}[]")


def _is(value: Any, schema: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
    return Draft202012Validator({**schema, "components": document["components"]}).is_valid(value)


# as READMEs write an address, and of what it is in this home; of the longer one first
FILLED = {
    "TABLE.FORM": "notices.csv", "表名.格式": "notices.csv", "地区代码": "350100", "RELEASE": TODAY, "版本号": TODAY, "CREDITCODE": "91350100M000100Y43", "FORM": "csv", "格式": "csv",
    "FILE": "notices.csv", "CODE": "350100", "KEY": "notices", "FEED": "notices", "NAME": "institutions", "名称": "institutions", "/N.json": "/0.json",
    "notices/ID": f"notices/{ACTIVE}", "institutions/ID": f"institutions/{SWEET}", "编号": SWEET, "id=A&id=B": f"id={SWEET}", "id=&id=": f"id={SWEET}",
    "2026-11-01": BEFORE, "q=…": "q=培训", "?…": "?q=培训", "sql=": "sql=SELECT 1 AS one",
}  # fmt: skip
ELSEWHERE = {  # what this home has nothing for; each has tests of its own
    "/data/2026-11-23/SHA256SUMS": 404, "/data/2026-11-23/manifest.json.minisig": 404, "/data/keys.json": 404,  # it is not signed
    "/deltas/2026-11-23.ndjson": 404, "/deltas/day.ndjson": 404,
    "/data/2026-11-23/notices.csv": 503,  # something in it has ended
    "/sitemap.xml": 404,  # the site does not know its address
    "/verify.json": 400, "/verify.json?name=&code=&permit=&region=": 400, "/data/notices.csv?region=": 400, "/search.csv": 400,  # nothing is asked
}  # fmt: skip


async def test_every_address_of_the_readmes_is_there(site, root):
    found, asked = {}, 0
    async with client(site) as visitor:
        for told in addresses(root):
            path = told
            for name, value in FILLED.items():
                path = path.replace(name, value)
            if "…" in path:
                continue  # the beginning of several, which stand beside it
            asked += 1
            answer = await visitor.get(path)
            if answer.status_code >= 400:
                found[path] = answer.status_code
    assert asked > 90
    assert found == ELSEWHERE


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_the_description_is_openapi_in_both_languages(site, lang):
    document = await described(site, lang)
    validate(document)
    assert document["openapi"] == "3.1.0"
    assert [server["url"] for server in document["servers"]] == ([SITE, f"{SITE}/en"] if lang == "zh" else [f"{SITE}/en", SITE])
    text = json.dumps(document["paths"], ensure_ascii=False)
    assert ("查机构" in text, "Search institutions" in text) == ((True, False) if lang == "zh" else (False, True))


def test_every_address_that_answers_in_json_is_described(home, catalogue):
    with closing(Shelf(home, dictionary(catalogue))) as shelf:
        shelf.open_now()
        assert shelf.reader is not None
        said = dictionary(catalogue)
        pages = Pages(shelf, environment(Frame(said, None)), said)
        known = samples(shelf.reader, TODAY)
        paths = [address(route, known)[0] for route in ROUTES]
        reconciled = {pages.reconciliation.page, pages.catalog.catalog}
        ours = [pattern for pattern, page in pages._routes if "json" in pattern.pattern.replace("ndjson", "") or page in reconciled]
        feeds = [pattern for pattern, _ in pages.feeds._routes if "json" in pattern.pattern]
        for pattern in (*ours, *feeds):
            assert any(pattern.fullmatch(path) for path in paths), pattern.pattern
        assert {*pages.hot} <= {*paths, *(f"/{lang}{path}" for lang in LANGUAGES for path in paths)}


async def test_every_word_about_an_address_is_said(site):
    document = await described(site)
    said = {key for key in wording("zh") if key.startswith(("api.route.", "api.key.", "api.status."))}
    text = json.dumps(document["paths"], ensure_ascii=False)
    assert [key for key in said if json.dumps(wording("zh")[key], ensure_ascii=False) not in text] == []


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_every_example_runs_and_is_answered_as_described(site, lang):
    document = await described(site, lang)
    assert site.shelf.reader is not None
    known = samples(site.shelf.reader, TODAY)
    async with client(site) as visitor:
        for route in ROUTES:
            path, query = address(route, known)
            answer = await visitor.get(path if lang == "zh" else f"/{lang}{path}", params=query)
            wanted = {200, *(status for status in route.answers if status == 307 or route.name.endswith("_part"))}
            assert answer.status_code in wanted or (route.name.startswith(("feed", "keys")) and answer.status_code == 404), (
                path,
                answer.text[:200],
            )
            assert faults(document, path, answer) == []


@pytest.mark.parametrize("path", MORE)
async def test_every_other_answer_is_as_described(site, path):
    document = await described(site)
    async with client(site) as visitor:
        answer = await visitor.get(path)
    assert faults(document, path.partition("?")[0], answer) == []


@pytest.mark.parametrize("sent", SENT)
async def test_what_is_sent_is_answered_as_described(site, sent):
    document = await described(site)
    async with client(site) as visitor:
        answers = [
            await visitor.post("/verify.json", json=sent),
            await visitor.post("/verify.json", content=b"x", headers={"content-type": "text/plain"}),
        ]
    assert [faults(document, "/verify.json", answer, "post") for answer in answers] == [[], []]
    assert (answers[0].status_code == 200) == _is(sent, document["components"]["schemas"]["ToVerify"], document)


CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
TRIES = int(os.environ.get("SCHEMATHESIS_TRIES", "5"))  # of each address, with what it takes and with what it does not
OPERATIONS = [(route.path, method) for route in ROUTES for method in ("get", "post") if method == "get" or route.sent]


@pytest.fixture(scope="module")
def api(site: Application) -> Any:
    async def served(scope: Any, receive: Any, send: Any) -> None:
        """The site, which does not end with each request, as each of schemathesis's is a lifetime."""
        if scope["type"] != "lifespan":
            await site(scope, receive, send)
            return
        for step in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{step}.complete"})

    return schemathesis.openapi.from_asgi("/openapi.json", served)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_schemathesis_finds_no_answer_that_is_not_described(api, path, method, mode):
    """Its own way into pytest knows an older one. A key without a value is one that was not asked, whatever its schema says."""
    operation = api[path][method]

    @settings(max_examples=TRIES, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def asked(case: schemathesis.Case) -> None:
        answer = case.call()
        case.validate_response(answer, checks=list(CHECKS))
        if mode is GenerationMode.NEGATIVE and answer.status_code < 300 and not _silent(case.query):
            case.validate_response(answer, checks=[negative_data_rejection])

    try:
        asked()
    except Unsatisfiable:  # an address without a key or a part takes nothing that is wrong
        assert mode is GenerationMode.NEGATIVE


@pytest.mark.parametrize("end", ["", ".json"])
async def test_a_row_by_a_part_of_its_key_is_not_there(site, end):
    async with client(site) as visitor:
        answers = [await visitor.get(f"/mingbai/{row}{end}") for row in (f"institution_aliases/{SWEET}", f"ratings/{SWEET},2026-08")]
    assert [answer.status_code for answer in answers] == [404] * 2


def _silent(query: Mapping[str, Any]) -> bool:
    return any(value == "" or (isinstance(value, list) and "" in value) for value in query.values())


async def test_a_feed_that_is_asked_too_much_is_a_mistake_of_who_asks(site):
    async with client(site) as visitor:
        answers = [
            await visitor.get(f"/feeds/notices{end}?{'&'.join(['year=2026'] * 51)}") for end in (".json", ".atom", "", "/since/0.json")
        ]
    assert [answer.status_code for answer in answers] == [400] * 4


async def test_a_form_of_rows_that_a_page_without_rows_cannot_have_is_refused_and_not_written_down(site, capfd):
    """Where rich is installed Datasette prints what failed with all that was asked."""
    async with client(site) as visitor:
        answers = [
            await visitor.get(f"/{base}.json?_shape={shape}&x=secretword")
            for base in ("mingbai", "history")
            for shape in ("array", "arrayfirst")
        ]
    assert [answer.status_code for answer in answers] == [400] * 4
    assert "secretword" not in "".join(capfd.readouterr())
