"""What describes a release is read by others' readers: Frictionless, csvw, rdflib, SHACL, a YAML reader; and it says what the files and the data are."""

import csv
import gzip
import hashlib
import json
import re
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import frictionless
import pytest
import yaml
from csvw import CSVW
from pyshacl import validate
from rdflib import DCTERMS, RDFS, Graph, URIRef
from rdflib.compare import isomorphic

from described_release import VERSIONS, make
from publish import citation
from publish.catalogue import Catalogue
from publish.columnkinds import SAID
from publish.dataset import KINDS
from publish.dcat import release_nodes
from publish.described import Described, described
from publish.descriptions import PACKAGE, contents, in_archive
from publish.dictionary import dictionary_rows, source_rows
from publish.linked import placed, turtle
from publish.wording import LANGUAGES
from web_release import HOSTILE, TODAY

BASE = f"https://site.example/data/{TODAY}/"
SHAPES = Path(__file__).parent / "dcat_ap.ttl"
# rdflib reads JSON-LD by a class of its own that it calls deprecated; csvw says by warnings what is wrong with a table; Frictionless leaves files to the collector
IGNORED = ("DeprecationWarning:rdflib", "UserWarning:csvw", "ResourceWarning", "pytest.PytestUnraisableExceptionWarning")
pytestmark = [pytest.mark.filterwarnings(f"ignore::{kind}") for kind in IGNORED]
REFERRED = ("sources", "documents", "institutions")
DCAT = "http://www.w3.org/ns/dcat#"


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def it(home: Path, catalogue: Catalogue) -> Described:
    return make(home, catalogue)


@pytest.fixture(scope="module")
def folder(home: Path, it: Described) -> Path:
    """The release's downloads with what describes them."""
    return home / "releases" / it.release / "downloads"


def _report(folder: Path, *only: str) -> frictionless.Report:
    package = json.loads((folder / PACKAGE).read_bytes())
    if only:
        package["resources"] = [one for one in package["resources"] if one["name"] in only]
    return frictionless.Package(package, basepath=str(folder)).validate()


def test_frictionless_finds_every_table_as_it_is_described(it, folder):
    report = _report(folder)
    assert report.valid, report.flatten(["name", "type", "note"])[:5]
    read = {task.name: task.stats.get("rows", 0) for task in report.tasks if task.type == "table"}
    assert read == {file.table: file.rows for file in it.files if file.table}
    assert read["notices"] > 0


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("institutions", "status", "happy"), ("institutions", "region_code", "35010"), ("institutions", "document_id", "d-nobody"), ("institutions", "id", ""),
        ("ratings", "is_suppressed", "2"), ("ratings", "month", "2026"), ("ratings", "histogram", "1,2"), ("notices", "fine_fen", "1.5"), ("listings", "as_of", "1. Oct"),
    ],
)  # fmt: skip
def test_frictionless_finds_a_value_that_its_column_cannot_have(it, folder, tmp_path, table, column, value):
    """So that the description is known to say something: of a table with another sum, whose sum is described."""
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    with gzip.open(copy / f"{table}.csv.gz", "rt", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    lines[0][column] = value
    with gzip.open(copy / f"{table}.csv.gz", "wt", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, lines[0])
        writer.writeheader()
        writer.writerows(lines)
    package = json.loads((copy / PACKAGE).read_bytes())
    resource = next(one for one in package["resources"] if one["name"] == table)
    body = (copy / resource["path"]).read_bytes()
    resource |= {"bytes": len(body), "hash": f"sha256:{hashlib.sha256(body).hexdigest()}"}
    (copy / PACKAGE).write_text(json.dumps(package))
    assert not _report(copy, table, *REFERRED).valid


def test_frictionless_finds_a_file_that_is_another(folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    with gzip.open(copy / "regions.csv.gz", "ab") as file:
        file.write("999999,1980,,某地,Somewhere,county,000000,\n".encode())
    assert {error[1] for error in _report(copy, "regions").flatten(["name", "type"])} & {"hash-count", "byte-count"}


def test_the_archive_of_all_tables_is_described_as_it_is_unpacked(it, folder, tmp_path):
    for name, body in in_archive(it).items():
        (tmp_path / name).write_bytes(body)
    for file in it.files:
        if file.form == "csv" and file.plain:
            shutil.copyfile(folder / file.plain[0], tmp_path / file.plain[0])
    report = _report(tmp_path, *(name for name in it.tables if name != "regions"))
    assert report.valid, report.flatten(["name", "type", "note"])[:5]
    assert {Path(task.place).suffix for task in report.tasks} == {".csv"}


def test_csv_on_the_web_reads_the_tables_by_their_types(folder):
    found = CSVW(str(folder / "csvw.json"), validate=True)
    assert found.is_valid, found.warnings
    ratings = next(table for table in found.tables if table.local_name == "ratings.csv")
    first = next(iter(ratings))
    assert (first["histogram"], first["is_suppressed"], first["mean_rating"]) == ([1, 0, 2, 7, 20], False, 4.5)


def test_csv_on_the_web_finds_a_wrong_value(folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    text = (copy / "institutions.csv").read_text("utf-8")
    (copy / "institutions.csv").write_text(text.replace("350102", "35010"), "utf-8")
    with pytest.raises(ValueError, match="region_code: invalid lexical value for string: 35010"):
        _ = CSVW(str(copy / "csvw.json"), validate=True).is_valid


def _graph(folder: Path, end: str) -> Graph:
    return Graph().parse(data=(folder / f"dcat.{end}").read_bytes(), format={"jsonld": "json-ld", "ttl": "turtle"}[end], publicID=BASE)


def test_the_catalogue_is_one_graph_in_both_forms(folder):
    graphs = [_graph(folder, end) for end in ("jsonld", "ttl")]
    assert len(graphs[0]) > 500
    assert isomorphic(*graphs)


def test_what_we_added_is_licensed_and_not_what_the_sources_published(folder):
    """A harvester takes a licence of a file for one of all that is in it."""
    for path in sorted(folder.iterdir()):
        if path.suffix in (".json", ".jsonld", ".ttl", ".cff"):
            assert not re.search(r"(licen[sc]e|rights)\"?:? [^a-z]*https://creativecommons|CC-BY", path.read_text("utf-8")), path.name
    graph = _graph(folder, "ttl")
    said = {str(text) for one in graph.objects(None, DCTERMS.rights) for text in graph.objects(one, RDFS.label)}
    assert any("公开信息" in text for text in said)


def test_a_release_is_not_said_to_be_updated(folder):
    graph = _graph(folder, "ttl")
    assert not [*graph.subject_objects(DCTERMS.accrualPeriodicity), *graph.subject_objects(DCTERMS.modified)]


def test_the_catalogue_keeps_to_the_profile(folder):
    conforms, _, said = validate(_graph(folder, "ttl"), shacl_graph=Graph().parse(SHAPES))
    assert conforms, said


@pytest.mark.parametrize("gone", ["dcterms:publisher", "dcat:accessURL", "dcterms:title", "foaf:name", "spdx:checksumValue"])
def test_a_catalogue_that_lacks_something_does_not_keep_to_it(it, gone):
    text = turtle(release_nodes(replace(it, files=it.files[:2]))).decode()
    assert validate(Graph().parse(data=text, format="turtle", publicID=BASE), shacl_graph=Graph().parse(SHAPES))[0]
    less = re.sub(rf"(?m)^(\s*){gone} [^\n]*;\n", "", text, count=1) if gone != "foaf:name" else text.replace("foaf:name", "foaf:nick")
    less = re.sub(rf";\n\s*{gone} [^\]]*\]", "]", less, count=1) if less == text else less
    assert less != text
    conforms, _, _ = validate(Graph().parse(data=less, format="turtle", publicID=BASE), shacl_graph=Graph().parse(SHAPES))
    assert not conforms


def test_each_file_is_a_distribution_with_its_address_size_and_sum(it, folder):
    graph = _graph(folder, "jsonld")
    for file in it.files:
        one = next(graph.subjects(URIRef(f"{DCAT}downloadURL"), URIRef(BASE + file.name)))
        said = next(
            graph.objects(graph.value(one, URIRef("http://spdx.org/rdf/terms#checksum")), URIRef("http://spdx.org/rdf/terms#checksumValue"))
        )
        size = int(graph.value(one, URIRef(f"{DCAT}byteSize")))
        assert (str(said), size) == (hashlib.sha256((folder / file.name).read_bytes()).hexdigest(), (folder / file.name).stat().st_size)


def test_what_is_put_under_an_address_is_the_same_graph(it, folder):
    nodes = json.loads((folder / "dcat.jsonld").read_bytes())
    there = Graph().parse(
        data=json.dumps({**nodes, "@graph": placed(nodes["@graph"], BASE)}), format="json-ld", publicID="https://elsewhere.example/"
    )
    assert isomorphic(there, _graph(folder, "jsonld"))


def test_schema_org_has_the_datasets_with_their_files(it, folder):
    found = json.loads((folder / "schemaorg.jsonld").read_bytes())
    assert (found["@context"], found["@type"]) == ("https://schema.org/", "DataCatalog")
    for one in found["dataset"]:
        assert one["@type"] == "Dataset"
        assert 50 <= len(one["description"]) <= 5000
        assert (one["license"]["@id"], "CC BY 4.0" in one["license"]["text"]) == ("../../data#licence", True)
    named = {file["contentUrl"] for one in found["dataset"] for file in one["distribution"]}
    assert named == {file.name for file in it.files}
    assert {file["contentUrl"] for file in placed(found, BASE)["dataset"][0]["distribution"]} >= {
        f"{BASE}mingbai.db.gz",
        f"{BASE}mingbai.csv.zip",
    }


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_dictionary_has_every_published_column_and_code_and_no_mark_up_of_a_source(it, folder, catalogue, lang):
    text = (folder / f"dictionary.{lang}.md").read_text("utf-8")
    for table in catalogue.tables.values():
        of_table = text.split(f" `{table.name}`\n", 1)[1].split("\n### ", 1)[0]
        for column in table.columns.values():
            assert (f"| `{column.name}` | " in of_table) == column.published
    for codes in catalogue.codes.values():
        assert all(f"| `{code}` |" in text for code in codes)
    assert "`legal_representative`" not in text
    assert ("第二个\\|来源\\*" if lang == "zh" else "A second \\[source\\]") in text
    assert re.search(r"2\.5\.1", text)
    assert "None" not in text


def test_the_rows_for_a_workbook_are_texts_of_one_width(it, catalogue):
    for rows in (list(dictionary_rows(it)), list(source_rows(it))):
        assert len({len(row) for row in rows}) == 1
        assert all(isinstance(cell, str) for row in rows for cell in row)
    heading, *rows = dictionary_rows(it)
    assert (len(heading), heading[0], heading[2]) == (11, "数据表 Table", "名称")
    published = sum(len(table.published) for table in catalogue.tables.values())
    assert len(rows) == published + sum(len(codes) for codes in catalogue.codes.values())
    assert ["listings", "list", "名单", "List"] in [row[:4] for row in rows]


def test_a_citation_is_read_by_its_readers(it, folder):
    said = yaml.safe_load((folder / "CITATION.cff").read_text("utf-8"))
    assert (said["cff-version"], said["type"], said["version"], str(said["date-released"])) == ("1.2.0", "dataset", TODAY, TODAY)
    assert ("license" in said, said["authors"]) == (False, [{"name": "明白 mingbai"}])  # it takes a licence of everything alone
    bib = (folder / "citation.bib").read_text("utf-8")
    entries = re.findall(r"@dataset\{([\w.-]+),\n((?:  \w+ = \{.*\},?\n)+)\}\n", bib)
    assert [key for key, _ in entries] == [f"mingbai-{TODAY}", *(f"mingbai-{TODAY}-{name}" for name in it.datasets)]
    assert "version = {2.5.1}" in dict(entries)[f"mingbai-{TODAY}-institutions"]
    assert bib.count("{") == bib.count("}")
    assert citation.sentence(TODAY, TODAY, "en", "Institutions", "2.5.1", "https://site.example/") == (
        f"mingbai: Institutions (version 2.5.1) [data set]. Release {TODAY}, {TODAY}. https://site.example/"
    )


def test_descriptions_are_the_same_bytes_again_and_name_no_place(it):
    first, again = (dict(contents(it)) for _ in range(2))
    assert first == again
    for name, body in first.items():
        addresses = set(re.findall(r"https?://[\w.-]+", body.decode()))
        assert not {one for one in addresses if "mingbai" in one or "127.0.0.1" in one or "localhost" in one}, name


def test_what_a_release_does_not_have_is_not_described(it, tmp_path, catalogue, folder):
    """One that is issued anew may be older than a table, a column or a code."""
    database = tmp_path / "mingbai.db"
    shutil.copyfile(folder.parent / "mingbai.db", database)
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(
            "DROP TABLE notice_statements; ALTER TABLE institutions DROP COLUMN registrar; DELETE FROM codes WHERE code = 'talk'"
        )
    older = described(database, catalogue, TODAY, TODAY, VERSIONS, [file for file in it.files if file.table != "notice_statements"])
    text = b"".join(body for _, body in contents(older)).decode()
    assert ("notice_statements" in text, '"registrar"' in text, "`registrar`" in text, '"talk"' in text) == (False,) * 4
    assert '"order_to_correct"' in text


def test_every_kind_is_said_in_every_form():
    assert SAID.keys() == KINDS.keys()


def test_a_hostile_source_makes_no_statement_in_turtle(it):
    evil = {**it.sources[0], "label_zh": f'x"@zh ; a <urn:evil> . # \\ \n{HOSTILE}', "as_of": "2026-11-22"}
    bodies = dict(contents(replace(it, sources=(evil,), files=it.files[:2])))
    graphs = [
        Graph().parse(data=bodies[name], format=form, publicID=BASE) for name, form in (("dcat.jsonld", "json-ld"), ("dcat.ttl", "turtle"))
    ]
    assert isomorphic(*graphs)
    assert URIRef("urn:evil") not in set(graphs[1].all_nodes())
