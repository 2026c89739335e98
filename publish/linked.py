"""Linked data as plain nodes, written as JSON-LD and as Turtle: what both of our forms need of RDF, and no more.

A node is a dict with `@id`, `@type` and properties by their short names (dcterms:title); a value is a text, a number, `{"@id": …}`, `{"@value": …, "@language"
or "@type": …}`, a node without an id, or a list of these. An id without a scheme is relative to the folder of the release (`./#institutions`), or is put
under an address by `placed`. rdflib is not needed for this, and a test of ours reads both forms with it and finds the same graph.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urljoin

import orjson

Node = Mapping[str, Any]
PREFIXES = {
    "adms": "http://www.w3.org/ns/adms#", "dcat": "http://www.w3.org/ns/dcat#", "dcterms": "http://purl.org/dc/terms/", "foaf": "http://xmlns.com/foaf/0.1/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#", "skos": "http://www.w3.org/2004/02/skos/core#", "spdx": "http://spdx.org/rdf/terms#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}  # fmt: skip
ADDRESSES = ("@id", "contentUrl")  # keys whose text is an address
_SHORT = re.compile(rf"({'|'.join(PREFIXES)}):\w+")
_NOT_IN_IRI = re.compile(r'[\x00-\x20<>"{}|^`\\]')


def json_ld(nodes: Sequence[Node]) -> bytes:
    """A document of the nodes, with no context but prefixes: nothing has to be fetched to read it."""
    said = {"@context": PREFIXES, "@graph": [*nodes]}
    return orjson.dumps(said, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def turtle(nodes: Sequence[Node]) -> bytes:
    """The same nodes in Turtle."""
    lines = [f"@prefix {name}: <{iri}> ." for name, iri in PREFIXES.items()]
    for node in nodes:
        lines.append(f"\n{_iri(node['@id'])} {_properties(node, '    ')} .")
    return ("\n".join(lines) + "\n").encode()


def placed(value: Any, base: str) -> Any:
    """Nodes with what is relative put under `base`, the address of the release's folder with a slash at its end."""
    if isinstance(value, list):
        return [placed(one, base) for one in value]
    if not isinstance(value, dict):
        return value
    return {key: urljoin(base, one) if key in ADDRESSES and isinstance(one, str) else placed(one, base) for key, one in value.items()}


def texts(words: Mapping[str, str]) -> list[Node]:
    """A text in its languages."""
    return [{"@value": text, "@language": lang} for lang, text in words.items()]


def reached(nodes: Sequence[Node], start: str) -> list[Node]:
    """The node with an id and all that it leads to, each once, in the order of the nodes."""
    by_id = {node["@id"]: node for node in nodes}
    found, left = {start}, [start]
    while left:
        new = [id for id in _named(by_id[left.pop()]) if id in by_id and id not in found]
        found.update(new)
        left += new
    return [node for node in nodes if node["@id"] in found]


def _named(value: Any) -> Iterator[str]:
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if isinstance(one, str) and isinstance(value, dict) and one == value.get("@id"):
            yield one
        else:
            yield from _named(one)


def _properties(node: Node, indent: str) -> str:
    types = node.get("@type", [])
    found = [f"a {', '.join(_short(one) for one in ([types] if isinstance(types, str) else types))}"] if types else []
    for key, value in node.items():
        if not key.startswith("@") and value != []:
            found.append(f"{key} {', '.join(_values(value, indent))}")
    return f" ;\n{indent}".join(found)


def _values(value: Any, indent: str) -> Iterator[str]:
    for one in value if isinstance(value, list) else [value]:
        if not isinstance(one, dict):
            yield orjson.dumps(one).decode()
        elif "@id" in one:
            yield _iri(one["@id"])
        elif "@value" in one:
            end = f"@{one['@language']}" if "@language" in one else f"^^{one['@type']}"
            yield _literal(str(one["@value"])) + end
        else:
            yield f"[ {_properties(one, indent + '    ')} ]"


def _literal(text: str) -> str:
    """A text in Turtle. JSON's escapes are Turtle's, but for a slash that nobody escapes."""
    return orjson.dumps(text).decode()


def _short(name: str) -> str:
    return name if _SHORT.fullmatch(name) else _iri(name)


def _iri(id: str) -> str:
    return id if _SHORT.fullmatch(id) else f"<{_NOT_IN_IRI.sub(lambda found: f'%{ord(found[0]):02X}', id)}>"
