"""Write what describes a release beside its downloads: packages, catalogue, dictionary, citation.

All of it is a function of the release's database, of its other downloads and of the declarations: no clock, no host. The stage that makes the downloads
calls `descriptions` when these are there, and lists what it returns as it lists them.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from .citation import FILES as CITATIONS
from .citation import bibtex, cff
from .csvw import csvw
from .datapackage import datapackage
from .dcat import release_nodes
from .described import Described
from .dictionary import markdown
from .home import as_json, write_whole
from .linked import json_ld, turtle
from .schemaorg import data_catalog
from .wording import LANGUAGES

PACKAGE, CSVW, DCAT, SCHEMA = "datapackage.json", "csvw.json", "dcat", "schemaorg.jsonld"
TYPES = {  # media types of what is written here, by how a name ends
    ".json": "application/json", ".jsonld": "application/ld+json", ".ttl": "text/turtle; charset=utf-8", ".md": "text/markdown; charset=utf-8",
    ".cff": "application/yaml", ".bib": "text/x-bibtex; charset=utf-8",
}  # fmt: skip


def contents(it: Described) -> Iterator[tuple[str, bytes]]:
    """Each file that describes a release: its name and bytes. `it.files` are the downloads that they describe."""
    yield PACKAGE, as_json(datapackage(it))
    yield CSVW, as_json(csvw(it))
    nodes = release_nodes(it)
    yield f"{DCAT}.jsonld", json_ld(nodes)
    yield f"{DCAT}.ttl", turtle(nodes)
    yield SCHEMA, as_json(data_catalog(it))
    for lang in LANGUAGES:
        yield f"dictionary.{lang}.md", markdown(it, lang).encode()
    yield CITATIONS[0], cff(it).encode()
    titles = {name: (f"{one.label.zh} {one.label.en}", it.versions.get(name, "")) for name, one in it.datasets.items()}
    yield CITATIONS[1], bibtex(it.release, it.day, titles).encode()


def in_archive(it: Described) -> Mapping[str, bytes]:
    """What goes into the archive of all tables beside them (mingbai.csv.zip): there the tables are unpacked."""
    return {PACKAGE: as_json(datapackage(it, plain=True)), CSVW: as_json(csvw(it))}


def descriptions(it: Described, folder: Path) -> list[Path]:
    """Write them all into `folder`, each whole or not at all. Returns their paths."""
    written = []
    for name, body in contents(it):
        write_whole(folder / name, body)
        written.append(folder / name)
    return written
