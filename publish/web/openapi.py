"""openapi.json: the addresses of api.py with the shapes of shapes.py, in one language, of the release at hand (OpenAPI 3.1)."""

from collections.abc import Mapping
from typing import Any

from .. import licence
from ..wording import LANGUAGES, say
from .api import FOUND, ROUTES, Route, key_schema, samples
from .frame import Dictionary
from .reader import Reader
from .shapes import ref, shapes
from .visit import address

JSON = "application/json"
HTTP = {300: "Multiple Choices", 302: "Found", 307: "Temporary Redirect", 308: "Permanent Redirect"}


def openapi(reader: Reader, dictionary: Dictionary, lang: str, root: str, today: str) -> dict[str, Any]:
    """The description for a language; `root` is the site's address, whose pages in either language are its two servers."""
    known = samples(reader, today)
    paths: dict[str, Any] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {}).update(_operations(route, reader, lang, known))
    others = [one for one in LANGUAGES if one != lang]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": say(lang, "site.name"),
            "version": reader.id,
            "summary": say(lang, "cite.all"),
            "description": f"{say(lang, 'api.about')}\n\n{licence.terms(lang)}",
            "license": {"name": licence.own(lang), "url": f"{root}{address('/data', lang)}#licence"},
        },
        "servers": [
            {"url": f"{root}{address('/', one)}".rstrip("/") or "/", "description": say(lang, f"site.language.{one}")}
            for one in (lang, *others)
        ],
        "paths": paths,
        "components": {"schemas": shapes(dictionary, lang)},
    }


def _operations(route: Route, reader: Reader, lang: str, known: Mapping[str, str]) -> dict[str, Any]:
    common = {"summary": say(lang, f"api.route.{route.name}")}
    get = {
        **common,
        "operationId": _identifier(route),
        "parameters": [*(_parameter(route, name, reader, lang, known, "path") for name in route.parts), *(_parameter(route, key, reader, lang, known, "query") for key in route.keys)],
        "responses": _responses(route, lang),
    }  # fmt: skip
    if not get["parameters"]:
        del get["parameters"]
    found: dict[str, Any] = {"get": get}
    if route.sent:
        body = {"required": True, "content": {JSON: {"schema": ref(route.sent)}}}
        found["post"] = {**common, "operationId": f"{_identifier(route)}_sent", "requestBody": body, "responses": _responses(route, lang)}
    return found


def _identifier(route: Route) -> str:
    """A name of its own: several addresses have one word."""
    last = route.path.rpartition("/")[2].lstrip("-").partition(".")[0]
    return f"{route.name}_{last}" if route.name in ("datasette", "described") else route.name


def example(route: Route, known: Mapping[str, str]) -> dict[str, str]:
    """The values of a route's example, ids looked up."""
    return {key: known.get(value, value) for key, value in route.example.items()}


def _parameter(route: Route, name: str, reader: Reader, lang: str, known: Mapping[str, str], place: str) -> dict[str, Any]:
    schema: Any = key_schema(route, name, reader)
    given = example(route, known)
    found: dict[str, Any] = {"name": name, "in": place, "description": say(lang, f"api.key.{name.removeprefix('_')}")}
    if place == "path" or name == "id":
        found["required"] = True
    if name in route.many:
        found |= {"schema": {"type": "array", "items": schema}, "style": "form", "explode": True}
    else:
        found["schema"] = schema
    if name in given:
        found["example"] = int(given[name]) if schema.get("type") == "integer" else given[name]
    return found


def _responses(route: Route, lang: str) -> dict[str, Any]:
    said = {**dict.fromkeys(route.problems, "Problem"), **route.answers}
    return {str(status): _response(route, status, shape, lang) for status, shape in sorted(said.items())}


def _response(route: Route, status: int, shape: str, lang: str) -> dict[str, Any]:
    words = say(lang, "api.found") if status == FOUND else HTTP.get(status) or say(lang, f"api.status.{status}")
    if not shape:
        return {"description": words}
    named = [ref(name) for name in shape.split("|")]
    schema = named[0] if len(named) == 1 else {"anyOf": named}
    content = {route.type if status == FOUND else JSON: {"schema": schema}}
    if status == FOUND and "callback" in route.keys:
        content["text/javascript"] = {"schema": {"type": "string"}}
    return {"description": words, "content": content}
