"""How machines find what there is: the catalogue of every release that is kept, what search engines read on /data, and how the data is cited there."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from markupsafe import escape
from pyshacl import validate
from rdflib import RDF, Graph, URIRef
from rdflib.compare import isomorphic

from described_release import make
from publish.catalogue import Catalogue, dictionary
from publish.licence import terms
from publish.web.answer import App
from publish.web.server import build_app
from publish.wording import LANGUAGES, say, wording
from test_described import IGNORED, SHAPES
from web_release import HOSTILE, TODAY, go_live, make_release, write_index, write_past
from web_visitor import sites

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 23, 16, tzinfo=UTC)
SITE, BEFORE = "https://site.example", "2026-11-22"
DCAT, TERMS = "http://www.w3.org/ns/dcat#", "http://purl.org/dc/terms/"
pytestmark = [pytest.mark.filterwarnings(f"ignore::{kind}") for kind in IGNORED]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    """Two releases, of which the first is from before there was anything that describes one."""
    home = tmp_path_factory.mktemp("home")
    make_release(home, BEFORE, catalogue)
    make(home, catalogue)
    write_past(home, catalogue, BEFORE, TODAY)
    write_index(home, BEFORE, TODAY)
    go_live(home, TODAY)
    return home


@pytest.fixture
def site(home: Path, catalogue: Catalogue) -> Iterator[Callable[..., App]]:
    with sites(home, catalogue, NOON, base_url=SITE) as make:
        yield make


async def asked(app: App, path: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://local.example") as client:
        return await client.get(path)


async def graphs(app: App) -> list[Graph]:
    answers = [await asked(app, f"/catalog.{form}") for form in ("jsonld", "ttl")]
    assert [answer.headers["content-type"].partition(";")[0] for answer in answers] == ["application/ld+json", "text/turtle"]
    return [Graph().parse(data=answer.content, format=form) for answer, form in zip(answers, ("json-ld", "turtle"), strict=True)]


async def test_the_catalogue_is_one_graph_in_both_forms_and_keeps_to_the_profile(site):
    found = await graphs(site())
    assert isomorphic(*found)
    conforms, _, said = validate(found[1], shacl_graph=Graph().parse(SHAPES))
    assert conforms, said
    assert not [str(node) for node in found[1].all_nodes() if isinstance(node, URIRef) and not re.match(r"https?://", str(node))]


async def test_the_catalogue_has_every_release_that_is_kept(site):
    graph = (await graphs(site()))[1]
    catalog = next(graph.subjects(RDF.type, URIRef(f"{DCAT}Catalog")))
    versions = {
        str(version) for one in graph.objects(catalog, URIRef(f"{DCAT}dataset")) for version in graph.objects(one, URIRef(f"{DCAT}version"))
    }
    assert versions >= {BEFORE, TODAY, "2.5.1"}
    whole = URIRef(f"{SITE}/data/{TODAY}/#all")
    assert graph.value(whole, URIRef(f"{DCAT}prev")) == URIRef(f"{SITE}/data/{BEFORE}/#all")
    files = {
        str(file)
        for one in graph.objects(whole, URIRef(f"{DCAT}distribution"))
        for file in graph.objects(one, URIRef(f"{DCAT}downloadURL"))
    }
    assert files >= {f"{SITE}/data/{TODAY}/{file}" for file in ("mingbai.db.gz", "mingbai.db.zst", "mingbai.csv.zip")}
    assert (None, URIRef(f"{DCAT}endpointDescription"), URIRef(f"{SITE}/openapi.json")) in graph
    publishers = set(graph.objects(None, URIRef(f"{TERMS}publisher")))
    assert publishers == {URIRef(f"{SITE}/#publisher")}


async def test_a_release_that_is_another_makes_another_catalogue(site, home):
    app = site()
    before = (await asked(app, "/catalog.ttl")).text
    folder = home / "releases" / TODAY
    said = json.loads((folder / "downloads" / "dcat.jsonld").read_bytes())
    try:
        (folder / "downloads" / "dcat.jsonld").write_bytes(b"broken")
        manifest = (folder / "manifest.json").read_bytes()
        (folder / "manifest.json").unlink()
        (folder / "manifest.json").write_bytes(manifest)  # as one that is issued anew
        after = await asked(app, "/catalog.ttl")
    finally:
        (folder / "downloads" / "dcat.jsonld").write_bytes(json.dumps(said).encode())
    assert ("mingbai.db.gz" in before, after.status_code, "mingbai.db.gz" in after.text) == (True, 200, False)


@pytest.mark.parametrize(("path", "file"), [("/data", "schemaorg.jsonld"), ("/catalog.ttl", "dcat.jsonld")])
async def test_what_cannot_be_read_for_a_moment_is_there_again(site, home, path, file):
    app, folder = site(), home / "releases" / TODAY / "downloads"
    (folder / file).rename(folder / "kept")
    (folder / file).mkdir()  # an OSError to whoever reads it
    try:
        meanwhile = await asked(app, path)
    finally:
        (folder / file).rmdir()
        (folder / "kept").rename(folder / file)
    after = (await asked(app, path)).text
    said = f"{SITE}/data/{TODAY}/notices.csv.gz" if path == "/data" else "notices.csv.gz"
    assert (meanwhile.status_code, said in meanwhile.text, said in after) == (200, False, True)


async def test_a_file_in_which_something_has_ended_is_offered_no_more(site):
    for path in ("/catalog.ttl", "/data"):
        before, after = [(await asked(site(now=now), path)).text for now in (NOON, MIDNIGHT)]
        for file in ("mingbai.db.gz", "notices.csv.gz"):
            assert (file in before, file in after) == (True, False), (path, file)
        assert "ratings.csv.gz" in after


async def test_a_site_that_was_not_told_its_address_names_the_one_it_is_asked_at(site):
    assert "<http://local.example/data/2026-11-23/#all>" in (await asked(site(base_url=None), "/catalog.ttl")).text


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_the_data_page_says_how_to_cite_and_on_which_terms(site, lang):
    page = (await asked(site(), "/data" if lang == "zh" else "/en/data")).text
    assert wording(lang)["licence.name"] in page
    assert escape(terms(lang)) in page
    assert say(lang, "cite.sentence", what=say(lang, "cite.all"), release=TODAY, day=TODAY) in page
    assert f"{SITE}/data?as_of={TODAY}" in page
    assert f"@dataset{{mingbai-{TODAY}-notices," in page
    prefix = "" if lang == "zh" else "/en"
    for link in (
        f"{prefix}/openapi.json",
        f"{prefix}/catalog.ttl",
        f"{prefix}/data/{TODAY}/datapackage.json",
        f"{prefix}/data/{TODAY}/dictionary.{lang}.md",
    ):
        assert f'href="{link}"' in page


async def test_the_data_page_tells_search_engines_of_its_datasets_and_files(site):
    page = (await asked(site(), "/data")).text
    said = json.loads(re.search(r'<script type="application/ld\+json">([^<]*)</script>', page)[1])
    assert (said["@type"], said["@id"]) == ("DataCatalog", f"{SITE}/data/{TODAY}/")
    notices = next(one for one in said["dataset"] if one["@id"] == f"{SITE}/data/{TODAY}/#notices")
    assert f"{SITE}/data/{TODAY}/notices.csv.gz" in [file["contentUrl"] for file in notices["distribution"]]
    then = (await asked(site(), f"/data?as_of={BEFORE}")).text
    assert "ld+json" not in then  # nothing describes it


async def test_what_a_source_is_called_does_not_end_the_element(catalogue, tmp_path):
    evil = f"</script><script>alert(1)</script>{HOSTILE}".replace("'", "''")
    make(tmp_path, catalogue, (f"UPDATE sources SET label_zh = '{evil}'",))
    write_past(tmp_path, catalogue, TODAY)
    go_live(tmp_path, TODAY)
    app = build_app(tmp_path, dictionary=dictionary(catalogue), now=lambda: NOON)
    try:
        page = (await asked(app, "/data")).text
    finally:
        app.shelf.close()
    assert page.count("<script") == 1
    said = json.loads(re.search(r'<script type="application/ld\+json">([^<]*)</script>', page)[1])
    assert "alert(1)" in said["dataset"][0]["isBasedOn"][0]["name"]
