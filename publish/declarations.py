"""Read a YAML declaration strictly: every key known, every key needed present, nothing said twice.

YAML's own reading is lenient in ways that publish a telephone number on a typo: a repeated key silently replaces the first one, and an
unknown key is ignored. Here both are refused, naming the file and the key. This module is the home of PyYAML; it knows no dataset.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from .errors import BadDeclaration

# A file holds a few hundred short lines. Aliases are refused because a "billion laughs" of them needs no more than that.
MAX_BYTES = 1_000_000


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # libyaml where it is: eight times as fast
    pass


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node)
        if key in seen:
            raise yaml.MarkedYAMLError(problem=f"key {key!r} is given twice", problem_mark=key_node.start_mark)
        seen.add(key)
    found: dict[Any, Any] = loader.construct_mapping(node, deep=True)
    return found


# Dates and yes/no stay the text that was written: a code such as `no` or a day is never turned into something else.
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda loader, node: str(node.value))


@dataclass(frozen=True)
class Words:
    """A text in both languages."""

    zh: str
    en: str


@dataclass(frozen=True)
class Node:
    """One mapping of a declaration and where it is, so that a complaint can name it: `institutions.yml: tables.permits.key`."""

    data: Mapping[str, Any]
    where: str

    def fail(self, message: str, key: str = "") -> BadDeclaration:
        place = f"{self.where}{'.' if ': ' in self.where and key else ''}{key}" if ": " in self.where else f"{self.where}: {key}"
        return BadDeclaration(f"{place.rstrip(': ')}: {message}")

    def only(self, *known: str) -> None:
        """Refuse every key that is not in `known`."""
        for key in self.data:
            if key not in known:
                raise self.fail(f"is not a key here; expected one of {', '.join(known)}", str(key))

    def _get(self, key: str, kind: type | tuple[type, ...], word: str, default: Any) -> Any:
        if key not in self.data:
            if default is ...:
                raise self.fail(f"is missing; expected {word}", key)
            return default
        value = self.data[key]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.fail(f"{value!r} is not {word}", key)
        return value

    def text(self, key: str, default: Any = ...) -> Any:
        value = self._get(key, str, "text", default)
        if value == "":
            raise self.fail("is empty; expected text", key)
        return value

    def number(self, key: str, default: Any = ...) -> Any:
        return self._get(key, (int, float), "a number", default)

    def integer(self, key: str, default: Any = ...) -> Any:
        return self._get(key, int, "a whole number", default)

    def flag(self, key: str, default: bool = False) -> bool:
        return bool(self._get(key, bool, "true or false", default))

    def choice(self, key: str, among: Sequence[str], default: Any = ...) -> Any:
        value = self.text(key, default)
        if value is not default and value not in among:
            raise self.fail(f"{value!r} is none of {', '.join(among)}", key)
        return value

    def texts(self, key: str, default: Any = ...) -> tuple[str, ...]:
        value = self._get(key, list, "a list of texts", list(default) if default is not ... else ...)
        for item in value:
            if not isinstance(item, str) or not item:
                raise self.fail(f"{item!r} in the list is not text", key)
        return tuple(value)

    def node(self, key: str, default: Any = ...) -> "Node":
        value = self._get(key, dict, "a mapping", default)
        for name in value:
            if not isinstance(name, str):
                raise self.fail(f"key {name!r} is not text; put it in quotes", key)
        return Node(value, str(self.fail("", key)).rstrip(": "))

    def words(self, key: str) -> Words:
        below = self.node(key)
        below.only("zh", "en")
        return Words(below.text("zh"), below.text("en"))

    def nodes(self, key: str) -> dict[str, "Node"]:
        """The mappings below `key`, by name."""
        below = self.node(key)
        return {name: below.node(name) for name in below.data}


def read(path: Path) -> Node:
    """The declaration in `path`. Raises BadDeclaration when it is not readable, not YAML, or not a mapping."""
    try:
        raw = path.read_bytes()
        if len(raw) > MAX_BYTES:
            raise BadDeclaration(f"{path.name}: {len(raw)} bytes; expected at most {MAX_BYTES}")
        return _parsed(raw, path.name)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadDeclaration(f"{path.name}: not readable as YAML: {' '.join(str(error).split())}") from error


@lru_cache(64)  # what is declared and the recipe are of the same files
def _parsed(raw: bytes, name: str) -> Node:
    text = raw.decode("utf-8")
    if "*" in text and any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, Loader=_Loader)):
        raise BadDeclaration(f"{name}: has an alias (*name); write the value out")
    data = yaml.load(text, Loader=_Loader)
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        raise BadDeclaration(f"{name}: holds {type(data).__name__}; expected a mapping with text keys")
    return Node(data, name)
