"""The catalogue of all releases (DCAT-AP 3), what search engines read on /data, and openapi.json: how machines find what there is.

A release describes itself in its own folder; here that is put under the site's address. Releases never change but by being issued anew, so what was made
of them is kept until another one is live or one is another.
"""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson
from markupsafe import Markup

from ..dcat import site_nodes
from ..descriptions import DCAT, SCHEMA
from ..linked import Node, json_ld, placed, turtle
from .answer import OPEN, Answer, as_json
from .archive import identity_of
from .frame import Dictionary, Frame
from .openapi import openapi
from .reader import Reader
from .shelf import Shelf
from .visit import Visit

ADDRESS = r"/catalog\.(?P<form>jsonld|ttl)"
FORMS = {"jsonld": ("application/ld+json", json_ld), "ttl": ("text/turtle; charset=utf-8", turtle)}
DOWNLOADS = "downloads"
IN_SCRIPT = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}  # nothing in a text ends the element
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
            200, b"", FORMS[form][0], OPEN, self._parts(form, self._shelf.archive.known(reader), self._frame.root), in_threads=True
        )

    def _parts(self, form: str, known: Sequence[tuple[str, str]], root: str) -> Iterator[bytes]:
        folders = [self._shelf.home / "releases" / id for id, _ in known]
        key = root, tuple((folder.name, identity_of(folder / "manifest.json")) for folder in folders)
        if self._made[0] != key:
            nodes = site_nodes(root, [(id, day, _nodes(folder)) for (id, day), folder in zip(known, folders, strict=True)])
            self._made = key, {name: write(nodes) for name, (_, write) in FORMS.items()}
        yield self._made[1][form]

    def openapi(self, visit: Visit, reader: Reader) -> Answer:
        """Kept for the day where it is the same for whoever asks: the site's address stands in it."""

        def make() -> Answer:
            return as_json(openapi(reader, self._dictionary, visit.lang, self._frame.root, visit.today))

        return reader.once(visit.today, f"openapi {visit.lang}", make) if self._frame.is_told else make()

    def for_search_engines(self, reader: Reader) -> Markup | None:
        """A release's description in schema.org's words as it may stand in a page: data in an element that no browser runs."""
        try:
            found = orjson.loads((reader.folder / DOWNLOADS / SCHEMA).read_bytes())
        except (OSError, ValueError):
            return None
        said = orjson.dumps(placed(found, f"{self._frame.root}/data/{reader.id}/")).decode()
        return Markup(said.translate(IN_SCRIPT))


def _nodes(folder: Path) -> list[Node]:
    """What a release says of itself; nothing where it is from before there was such a thing."""
    try:
        found: list[Node] = orjson.loads((folder / DOWNLOADS / f"{DCAT}.jsonld").read_bytes())["@graph"]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError):
        log.exception("what describes release %s cannot be read", folder.name)
        return []
    return found
