"""What the site tells machines of its pages: search engines, those who show a link, browsers that are told what a page may do."""

import gzip
import json
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest
import pytest_asyncio
from lxml import etree

from publish.catalogue import Catalogue, dictionary
from publish.web import crawlers
from publish.web.server import Application, build_app
from publish.wording import LANGUAGES, wording
from web_release import ACTIVE, ENDS_TODAY, PERSON, REPAIRED, SERIOUS, SHADY, SWEET, TODAY, UNLINKED, go_live, make_release, write_past

HERE = "https://mingbai.example"
NOON, TOMORROW = datetime(2026, 11, 23, 4, tzinfo=UTC), datetime(2026, 11, 24, 4, tzinfo=UTC)
OURS = (
    "/",
    "/search",
    "/verify",
    "/notices",
    "/data",
    "/changes",
    "/feeds",
    "/status",
    f"/institutions/{SWEET}",
    f"/notices/{ACTIVE}",
    "/regions",
    "/regions/350102",
    "/words",
    "/for-institutions",
    "/data/about/notices",
)
WRONG = (
    ("/nothing", 404, "not_found"),
    ("/search?q=x&color=red", 400, "key"),
    ("/mingbai/institutions?_sort=nothing", 400, "bad_request"),
    ("/mingbai?sql=with+recursive+n(x)+as+(select+1+union+all+select+x%2B1+from+n)+select+max(x)+from+n", 400, "slow"),
)
SITEMAP = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "x": "http://www.w3.org/1999/xhtml"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    home = tmp_path_factory.mktemp("home")
    make_release(home, TODAY, catalogue, mark="标记")
    write_past(home, catalogue, TODAY)
    go_live(home, TODAY)
    return home


@pytest.fixture(scope="module")
def app(home: Path, catalogue: Catalogue) -> Iterator[Application]:
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: NOON, base_url=f"{HERE}/")
    yield app
    app.shelf.close()


@pytest_asyncio.fixture
async def site(app: Application) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://behind.example") as client:
        yield client


def prefixed(path: str, lang: str) -> str:
    return path if lang == "zh" else f"/en{path}"


def links(page: str, rel: str) -> list[dict[str, str]]:
    """The link elements of a page of one relation, by their attributes."""
    found = [dict(re.findall(r'(\w+)="([^"]*)"', tag)) for tag in re.findall(r"<link ([^>]*)>", page)]
    return [{key: unescape(value) for key, value in one.items()} for one in found if one["rel"] == rel]


def metas(page: str) -> dict[str, str]:
    return {name: unescape(text) for name, text in re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)">', page)}


def linked(page: str) -> list[dict[str, Any]]:
    """What a page says in JSON-LD."""
    return [json.loads(text) for text in re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)]


def is_crawled(robots: str, path: str) -> bool:
    """Whether a robots.txt lets a path be crawled, as RFC 9309 reads it: the longest rule that fits decides, and of two as long the one that allows."""
    rules = [line.split(": ", 1) for line in robots.splitlines() if line.startswith(("Allow: ", "Disallow: "))]
    fitting = [
        (len(rule), kind == "Allow")
        for kind, rule in rules
        if re.match(re.escape(rule).replace(r"\*", ".*").replace(r"\$", "$"), quote(path, safe="/?=&.-_"))
    ]
    return max(fitting, default=(0, True))[1]


# -- for search engines ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_a_page_and_its_other_language_name_each_other_and_themselves(site, lang):
    for path in OURS:
        page = (await site.get(f"{prefixed(path, lang)}")).text
        zh, en = HERE + path, f"{HERE}/en{path}"
        assert [one["href"] for one in links(page, "canonical")] == [{"zh": zh, "en": en}[lang]], path
        others = {one["hreflang"]: one["href"] for one in links(page, "alternate") if "hreflang" in one}
        assert others == {"zh-Hans": zh, "x-default": zh, "en": en}, path


async def test_a_page_names_no_address_that_is_not_its_own(site, home, catalogue):
    for path in ("/nothing", f"/institutions/{SWEET}?as_of={TODAY}", "/search?q=x&color=red", f"/notices/{REPAIRED}"):
        page = (await site.get(path)).text
        assert links(page, "canonical") == [one for one in links(page, "alternate") if "hreflang" in one] == [], path
        assert "og:url" not in metas(page), path
    asked = (await site.get("/changes?region=350000")).text
    assert {one["href"] for one in links(asked, "canonical")} == {f"{HERE}/changes"}
    assert {one["hreflang"]: one["href"] for one in links(asked, "alternate") if "hreflang" in one}["en"] == f"{HERE}/en/changes"
    untold = build_app(home, dictionary=dictionary(catalogue), now=lambda: NOON)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=untold), base_url="http://behind.example") as client:
        assert links((await client.get("/")).text, "canonical") == []
        missing, robots = await client.get("/sitemap.xml"), await client.get("/robots.txt")
    assert (missing.status_code, wording("zh")["problem.no_address.title"] in missing.text) == (404, True)
    assert (robots.status_code, "Sitemap" in robots.text) == (200, False)
    untold.shelf.close()


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_a_link_that_is_shared_says_what_it_leads_to(site, lang):
    said = set()
    for path in OURS:
        page = (await site.get(f"{prefixed(path, lang)}")).text
        told = metas(page)
        assert f"{told['og:title']} · {told['og:site_name']}" == unescape(re.findall(r"<title>(.*?)</title>", page)[0]), path
        assert told["og:locale"] == wording(lang)["site.locale"]
        assert told["description"] == told["og:description"]
        assert 10 < len(told["description"]) < 300, path
        assert "<" not in told["description"], path
        assert "og:image" not in told
        said.add(told["description"])
    assert len(said) >= len(OURS) - 2  # each its own


async def test_robots_are_kept_from_what_is_asked_and_from_nothing_that_pages_are_drawn_with(site):
    answer = await site.get("/robots.txt")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    for prefix in ("", "/en"):
        for path in (*OURS, "/feeds/notices.atom"):
            assert is_crawled(answer.text, prefix + path), path
        for path in (
            "/search?q=甜果", f"/institutions/{SWEET}?as_of={TODAY}", f"/institutions/{SWEET}.json", "/mingbai/institutions", "/mingbai?sql=select+1",
            "/history/notices_as_of", f"/data/{TODAY}/institutions.csv", "/deltas/index.json", "/verify?name=甜果",
        ):  # fmt: skip
            assert not is_crawled(answer.text, prefix + path), path
    sheet = re.findall(r'<link rel="stylesheet" href="([^"]+)">', (await site.get("/")).text)[0]
    assert "?v=" in sheet
    assert is_crawled(answer.text, sheet)
    assert f"Sitemap: {HERE}/sitemap.xml" in answer.text
    assert (await site.get("/en/robots.txt")).status_code == 404


async def sitemap(client: httpx.AsyncClient) -> dict[str, list[etree._Element]]:
    """The addresses of each part of the sitemap."""
    index = etree.fromstring((await client.get("/sitemap.xml")).content)
    parts = index.xpath("//s:sitemap/s:loc/text()", namespaces=SITEMAP)
    assert index.xpath("//s:lastmod/text()", namespaces=SITEMAP) == [TODAY] * len(parts)
    found = {}
    for part in parts:
        assert part.startswith(f"{HERE}/")
        answer = await client.get(urlsplit(part).path)
        assert answer.headers["content-type"] == "application/xml; charset=utf-8"
        found[part.rpartition("/")[2]] = etree.fromstring(answer.content).xpath("//s:url", namespaces=SITEMAP)
    return found


async def test_the_sitemap_has_each_page_that_may_be_found_in_each_language(site):
    robots, seen = (await site.get("/robots.txt")).text, []
    for each in (await sitemap(site)).values():
        for url in each:
            (place,) = url.xpath("s:loc/text()", namespaces=SITEMAP)
            path = place.removeprefix(HERE)
            answer = await site.get(path)
            assert (answer.status_code, is_crawled(robots, path)) == (200, True), path
            assert "noindex" not in metas(answer.text).get("robots", ""), path
            assert links(answer.text, "canonical")[0]["href"] == place
            others = {one.get("hreflang"): one.get("href") for one in url.xpath("x:link", namespaces=SITEMAP)}
            assert others == {one["hreflang"]: one["href"] for one in links(answer.text, "alternate") if "hreflang" in one}
            assert url.xpath("s:lastmod/text()", namespaces=SITEMAP) == [TODAY]
            seen.append(path)
    assert len(seen) == len(set(seen))
    assert {
        "/regions/350000",
        "/regions/350100",
        "/en/regions/350102",
        "/data/about/ratings",
        f"/notices/{ACTIVE}",
        f"/en/notices/{ACTIVE}",
        f"/institutions/{SHADY}",
        "/en/data",
        "/data/about/notices",
        f"/notices/{ENDS_TODAY}",
    } <= set(seen)
    assert {id for id in (PERSON, REPAIRED) if any(path.endswith(id) for path in seen)} == set()


async def test_a_notice_leaves_the_sitemap_when_it_ends(home, catalogue):
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: TOMORROW, base_url=HERE)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://behind.example") as client:
        notices = [url[0].text for url in (await sitemap(client))["notices-1.xml"]]
    app.shelf.close()
    assert [place for place in notices if place.endswith(ENDS_TODAY)] == []
    assert [place for place in notices if place.endswith(UNLINKED)] == [f"{HERE}/notices/{UNLINKED}", f"{HERE}/en/notices/{UNLINKED}"]


async def test_a_sitemap_with_other_addresses_is_another_one(home, catalogue):
    tags = []
    for here in (HERE, "https://other.example"):
        app = build_app(home, dictionary=dictionary(catalogue), now=lambda: NOON, base_url=here)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://behind.example") as client:
            tags += [(await client.get("/sitemap/pages-1.xml")).headers["etag"] for _ in range(2)]
        app.shelf.close()
    assert (tags[0], tags[2]) == (tags[1], tags[3])
    assert tags[0] != tags[2]


async def test_a_large_sitemap_is_in_parts(home, catalogue, monkeypatch):
    monkeypatch.setattr(crawlers, "PART", 3)
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: NOON, base_url=HERE)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://behind.example") as client:
        parts = await sitemap(client)
        beyond = [(await client.get(f"/sitemap/{name}.xml")).status_code for name in ("institutions-3", "pages-2", "institutions-0", "x-1")]
    app.shelf.close()
    assert {name: len(urls) for name, urls in parts.items() if name.startswith("institutions")} == {
        "institutions-1.xml": 6,
        "institutions-2.xml": 2,
    }
    assert beyond == [404] * 4


async def test_a_search_engine_is_told_when_a_notice_ends_and_to_keep_no_copy(site):
    told = {id: metas((await site.get(f"/notices/{id}")).text)["robots"] for id in (ACTIVE, SERIOUS, PERSON, REPAIRED)}
    assert told == {ACTIVE: "noarchive, unavailable_after: 2027-10-15", SERIOUS: "noarchive", PERSON: "noindex", REPAIRED: "noindex"}
    assert "noindex" in metas((await site.get(f"/mingbai/notices/{PERSON}")).text)["robots"]


async def test_json_ld_says_who_an_institution_is_and_judges_nothing(site):
    (said,) = linked((await site.get(f"/en/institutions/{SWEET}")).text)
    page, organisation = said["@graph"]
    assert (page["url"], page["dateModified"], page["about"]) == (f"{HERE}/en/institutions/{SWEET}", TODAY, {"@id": organisation["@id"]})
    assert organisation["@id"].startswith(f"{HERE}/institutions/{SWEET}")  # one thing, whatever language its page is in
    assert organisation["identifier"] == [{"@type": "PropertyValue", "propertyID": "统一社会信用代码", "value": "91350100M000100Y43"}]
    assert organisation["alternateName"] == ["甜果英语"]
    everything = json.dumps([linked((await site.get(path)).text) for path in OURS if not path.startswith("/data")], ensure_ascii=False)
    assert not re.search(r"rating|review|白名单|黑名单|罚", everything, re.IGNORECASE)
    assert linked((await site.get(f"/institutions/{SWEET}?as_of={TODAY}")).text) == []
    (start,) = linked((await site.get("/")).text)
    assert start["potentialAction"]["target"]["urlTemplate"] == f"{HERE}/search?q={{search_term_string}}"


async def test_a_hostile_name_stays_within_its_data(site):
    page = (await site.get(f"/institutions/{SHADY}")).text
    ((_, organisation),) = [said["@graph"] for said in linked(page)]
    assert organisation["name"] == "恶意<script>alert(1)</script>'\"&培训（标记）"
    assert len(organisation["address"]["streetAddress"]) < 400
    assert "\u202e" not in page
    assert "<script>alert" not in page


# -- for browsers ----------------------------------------------------------------------------------------------------


async def test_a_page_is_packed_for_who_takes_it_so(site):
    plain = await site.get("/data", headers={"accept-encoding": "identity"})
    async with site.stream("GET", "/data", headers={"accept-encoding": "br, gzip"}) as answer:
        packed = b"".join([part async for part in answer.aiter_raw()])
    assert (answer.headers["content-encoding"], "content-encoding" in plain.headers) == ("gzip", False)
    assert gzip.decompress(packed) == plain.content
    assert int(answer.headers["content-length"]) == len(packed)
    assert len(packed) < 1.25 * len(gzip.compress(plain.content, 6))  # and little larger than by who takes more time for it
    assert (answer.headers["vary"], plain.headers["vary"]) == ("accept-encoding", "accept-encoding")
    tags = answer.headers["etag"], plain.headers["etag"]
    assert tags[0] != tags[1]
    again = await site.get("/data", headers={"accept-encoding": "gzip", "if-none-match": tags[0]})
    other = await site.get("/data", headers={"accept-encoding": "gzip", "if-none-match": tags[1]})
    assert (again.status_code, again.content, other.status_code) == (304, b"", 200)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(("path", "status", "kind"), WRONG)
async def test_what_went_wrong_is_said_in_the_visitors_language_behind_the_same_locks(site, lang, path, status, kind):
    answer = await site.get(prefixed(path, lang))
    assert (answer.status_code, wording(lang)[f"problem.{kind}.title"] in unescape(answer.text)) == (status, True)
    assert metas(answer.text)["robots"] == "noindex"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; ")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "path", ["/", "/search", f"/institutions/{SWEET}", "/mingbai/institutions", "/mingbai?sql=select+1", "/robots.txt", "/static/site.css"]
)
async def test_every_answer_says_what_it_may_do(site, path):
    said = (await site.get(path)).headers
    policy = said["content-security-policy"]
    assert not re.search(r"unsafe|https?:|\*", policy)
    assert {"base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"} <= set(policy.split("; "))
    assert ("script-src" in policy) == ("require-trusted-types-for 'script'" in policy) == (path in ("/", "/search"))
    assert (said["x-content-type-options"], said["referrer-policy"], said["cross-origin-opener-policy"]) == (
        "nosniff",
        "no-referrer",
        "same-origin",
    )
    assert "geolocation=()" in said["permissions-policy"]
    assert "set-cookie" not in said
