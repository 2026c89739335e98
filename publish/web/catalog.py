"""The catalogue of all releases (DCAT-AP 3), what search engines read on /data, and openapi.json: how machines find what there is.

A release describes itself in its own folder; here that is put under the site's address. Releases never change but by being issued anew, so what was made
of them is kept until another one is live or one is another.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from markupsafe import Markup

from .. import licence
from ..citation import bibtex, sentence
from ..dcat import site_nodes
from ..descriptions import CSVW, DCAT, PACKAGE, SCHEMA
from ..home import DOWNLOAD_INDEX, DOWNLOADS
from ..linked import Node, json_ld, placed, turtle
from .answer import OPEN, Answer, as_json
from .archive import identity_of
from .frame import Dictionary, Frame
from .openapi import openapi
from .reader import Made, Reader
from .schema import in_page
from .shelf import Shelf
from .terms import over
from .visit import Visit

ADDRESS = r"/catalog\.(?P<form>jsonld|ttl)"
FORMS = {"jsonld": ("application/ld+json", json_ld), "ttl": ("text/turtle; charset=utf-8", turtle)}
log = logging.getLogger(__name__)


class CatalogPages:
    """The pages for machines over one shelf."""

    def __init__(self, shelf: Shelf, frame: Frame, dictionary: Dictionary) -> None:
        self._shelf, self._frame, self._dictionary = shelf, frame, dictionary
        self._made: tuple[object, dict[str, bytes]] = None, {}

    def catalog(self, visit: Visit, reader: Reader) -> Answer:
        """Made beside the loop: hundreds of releases are read."""
        form = visit.parts["form"]
        return Answer(
            200,
            b"",
            FORMS[form][0],
            OPEN,
            self._parts(form, self._shelf.archive.known(reader), self._frame.root, visit.today),
            in_threads=True,
        )

    def _parts(self, form: str, known: Sequence[tuple[str, str]], root: str, today: str) -> Iterator[bytes]:
        folders = [self._shelf.home / "releases" / id for id, _ in known]
        key = root, today, tuple((folder.name, identity_of(folder / "manifest.json")) for folder in folders)
        if self._made[0] != key:
            said = [_nodes(folder, today) for folder in folders]
            nodes = site_nodes(root, [(id, day, its or []) for (id, day), its in zip(known, said, strict=True)])
            if None in said:
                yield FORMS[form][1](nodes)
                return
            self._made = key, {name: write(nodes) for name, (_, write) in FORMS.items()}
        yield self._made[1][form]

    def _once(self, reader: Reader, today: str, what: str, make: Callable[[], Made]) -> Made:
        """What `make` gives, kept for the day where it is the same for whoever asks: the site's address stands in it."""
        return reader.once(today, what, make) if self._frame.is_told else make()

    def openapi(self, visit: Visit, reader: Reader) -> Answer:
        def make() -> Answer:
            return as_json(openapi(reader, self._dictionary, visit.lang, self._frame.root, visit.today))

        return self._once(reader, visit.today, f"openapi {visit.lang}", make)

    def told(self, visit: Visit, reader: Reader, versions: Mapping[str, str]) -> dict[str, Any]:
        """What /data says of the release for who cites it and for programs."""
        lang, site = visit.lang, f"{self._frame.root}/data?as_of={reader.id}"
        labels = {name: one["label"] for name, one in self._dictionary.items()}
        titles = {name: (f"{label['zh']} {label['en']}", versions.get(name, "")) for name, label in labels.items()}
        files = (
            (PACKAGE, "package"),
            (CSVW, "csvw"),
            (f"{DCAT}.ttl", "dcat"),
            (f"dictionary.{lang}.md", "dictionary"),
            ("CITATION.cff", "cff"),
        )
        return {
            "cited": {
                "whole": sentence(reader.id, reader.released_on, lang, site=site),
                "bibtex": bibtex(reader.id, reader.released_on, titles, site),
            },
            "licence": terms_in(lang),
            "described": [file for file in files if (reader.folder / DOWNLOADS / file[0]).is_file()],
            "linked": self.for_search_engines(reader, visit.today),
        }

    def for_search_engines(self, reader: Reader, today: str, dataset: str | None = None) -> Markup | None:
        """A release's description in schema.org's words, or that of one dataset of it, as it may stand in a page: data in an element that no browser runs."""
        try:
            return self._once(reader, today, f"for search engines: {dataset or ''}", lambda: self._in_page(reader, today, dataset))
        except (OSError, ValueError, KeyError, StopIteration):  # and not kept: the next one may read it
            return None

    def _in_page(self, reader: Reader, today: str, dataset: str | None) -> Markup:
        found = orjson.loads((reader.folder / DOWNLOADS / SCHEMA).read_bytes())
        ended = _ended(reader.folder, today)
        for one in found["dataset"]:
            one["distribution"] = [file for file in one["distribution"] if file["contentUrl"] not in ended]
        if dataset is not None:
            found = {"@context": found["@context"], **next(one for one in found["dataset"] if one["@id"] == f"./#{dataset}")}
        return in_page(placed(found, f"{self._frame.root}/data/{reader.id}/"))


def terms_in(lang: str) -> dict[str, str]:
    """The licence as a page says it."""
    return {"url": licence.URL, "name": licence.name(lang), "terms": licence.terms(lang)}


def _nodes(folder: Path, today: str) -> list[Node] | None:
    """What a release says of itself, without files in which something has ended: they are given to nobody. Nothing where it is from before it said anything;
    None where it cannot be read just now."""
    try:
        nodes: list[dict[str, Any]] = orjson.loads((folder / DOWNLOADS / f"{DCAT}.jsonld").read_bytes())["@graph"]
        ended = {f"./#file-{name}" for name in _ended(folder, today)}
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError) as error:
        log.exception("what describes release %s cannot be read", folder.name)
        return None if isinstance(error, OSError) else []
    for node in nodes:
        if "dcat:distribution" in node:
            node["dcat:distribution"] = [file for file in node["dcat:distribution"] if file["@id"] not in ended]
    return [node for node in nodes if node["@id"] not in ended]


def _ended(folder: Path, today: str) -> set[str]:
    """The names of a release's downloads in which something has ended; of an earlier release more may be kept back, which is known when they are asked for."""
    made = orjson.loads((folder / DOWNLOADS / DOWNLOAD_INDEX).read_bytes())
    return {name for name, said in made["files"].items() if said["first_end"] is not None and over(said["first_end"], today)}
