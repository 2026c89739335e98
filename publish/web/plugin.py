"""Datasette's side of the site, as thin as it can be: its hooks, and a Datasette that reads the release of the request at hand.

Written for 0.65. There a release cannot take the place of another under one name: threads keep connections by name and would go on
reading the old file. So each release is a database of its own name on the same route, and which one a request reads is asked of the
visit: a page, and a CSV that streams for minutes, is of one release from its first row to its last.
"""

import logging
import sqlite3
import sys
from collections.abc import Callable, Mapping
from json import JSONDecodeError
from typing import Any
from urllib.parse import unquote, urlencode

import orjson
from datasette import handle_exception as stock
from datasette import hookimpl
from datasette.app import Datasette
from datasette.database import QueryInterrupted
from datasette.filters import FilterArguments
from datasette.plugins import pm
from datasette.utils import tilde_decode, tilde_encode
from datasette.utils.asgi import Response
from datasette.views.base import DatasetteError
from jinja2 import Environment
from markupsafe import Markup, escape

from ..questions import QUESTIONS
from ..wording import LANGUAGES, say
from . import tablesearch
from .answer import Answer, App
from .databases import Guarded, HistoryDatabase, NoPast, ReleaseDatabase
from .frame import LONGEST, LONGEST_PROSE, Dictionary, Frame, clean, equip, web_address
from .reader import NoIndex, Reader
from .site import Site
from .views import queries
from .visit import HISTORY, ROUTE, ROUTES, Visit, address, current
from .whole import NAMED_BY, is_joined, is_told, of

SETTINGS = {
    "allow_download": False,  # files are served as files, with entity tags, which Datasette does not do
    "suggest_facets": False,  # 1.6 pages a second with it
    "sql_time_limit_ms": 300,
    "max_returned_rows": 200,
    "default_page_size": 50,
    "truncate_cells_html": 300,  # in a list of rows; a row's own page has all of it
    "default_cache_ttl": 0,  # a cache asks again
}
EXAMPLE = "select * from institutions_as_of where release = (select id from releases order by number desc limit 1) limit 10"
log = logging.getLogger(__name__)


def decoded(part: str) -> str:
    """A part of a path as Datasette reads it: it takes % for ~, so a part may be encoded in both ways."""
    return str(tilde_decode(unquote(part)))


class Shown(Datasette):  # type: ignore[misc]
    """Datasette over the releases of a shelf."""

    def __init__(self, site: Site, frame: Frame, dictionaries: Mapping[str, Dictionary], templates: str) -> None:
        self.site = site
        self.frame = frame
        self._told = {lang: tell(dictionaries, lang) for lang in LANGUAGES}
        self._by_release: dict[tuple[Reader, str], Guarded] = {}
        self._opened = 0
        self.inspect_data: dict[str, Any] = {}
        super().__init__(files=[], settings=SETTINGS, template_dir=templates, inspect_data={}, cors=True)
        self.databases: dict[str, Guarded] = {}  # neither _memory nor _internal: there is nothing in them for a reader

    def open(self, reader: Reader) -> None:
        """Make a release readable under names that no release had before in this process."""
        self._opened += 1
        self._add(reader, ROUTE, ReleaseDatabase(self, reader))
        try:
            self._open_past(reader)
        except NoPast as error:
            log.warning("there is no past of release %s to be shown: %s", reader.id, error.__cause__)

    def _open_past(self, reader: Reader) -> None:
        self._add(reader, HISTORY, HistoryDatabase(self, reader, self.setting("num_sql_threads")))

    def _add(self, reader: Reader, route: str, database: Guarded) -> None:
        name = f"{route}-{reader.id}" + (f"-{self._opened}" if self._opened > 1 else "")
        self.inspect_data = {**self.inspect_data, name: database.inspected()}
        self._by_release[reader, route] = self.add_database(database, name=name, route=route)

    def shut(self, reader: Reader) -> None:
        for database in [self._by_release.pop((reader, route), None) for route in ROUTES]:
            if database is not None:
                self.remove_database(database.name)
                self.inspect_data = {name: data for name, data in self.inspect_data.items() if name != database.name}
                database.close()

    def get_database(self, name: str | None = None, route: str | None = None) -> Any:
        if route in ROUTES or (name is None and route is None):
            reader = current.get().reader
            if reader is None:
                raise KeyError(route)
            if route == HISTORY and (reader, HISTORY) not in self._by_release:  # it may have been made again meanwhile
                self._opened += 1
                self._open_past(reader)
            return self._by_release[reader, route or ROUTE]
        return super().get_database(name=name, route=route)

    async def permission_allowed(self, actor: Any, action: str, resource: Any = None, default: Any = False) -> Any:
        """As Datasette's, but of a table it would ask a schema that no visitor may read how that is spelt; none is kept from anybody by its name."""
        return default if action == "view-table" else await super().permission_allowed(actor, action, resource, default)

    async def refresh_schemas(self) -> None:
        """Nothing: the schemas of releases are not copied into a database in memory that nobody reads."""

    def setting(self, key: str) -> Any:
        """As Datasette's; its base_url is the language's prefix, so that all its links stay in the visitor's language."""
        visit = current.get(None)
        if key == "base_url" and visit is not None:
            return address("/", visit.lang)
        return super().setting(key)

    def _connected_databases(self) -> list[dict[str, Any]]:
        """Without the paths of this machine."""
        return [{key: value for key, value in database.items() if key != "path"} for database in super()._connected_databases()]

    def metadata_in(self, lang: str) -> dict[str, Any]:
        databases = {name: self._told[lang][database.route] for name, database in self.databases.items() if database.route in ROUTES}
        return {"title": say(lang, "site.name"), "databases": databases}


def tell(dictionaries: Mapping[str, Dictionary], lang: str) -> dict[str, dict[str, Any]]:
    """What Datasette is told of the database of each route, in one language."""
    tables = {route: describe(said, lang) for route, said in dictionaries.items()}
    of_past = {"title": say(lang, "history.title"), "description": say(lang, "history.about"), "example": EXAMPLE, "queries": queries(lang)}
    asked = {
        name: {"sql": text, "title": say(lang, f"question.{name}"), "description": say(lang, f"question.{name}.about")}
        for name, text in QUESTIONS.items()
    }
    return {
        ROUTE: {"title": say(lang, "site.name"), "tables": tables[ROUTE], "queries": asked},
        HISTORY: {**of_past, "tables": tables[HISTORY]},
    }


def describe(dictionary: Dictionary, lang: str) -> dict[str, Any]:
    """Titles and columns of the tables in Datasette's shape, in one language."""
    tables: dict[str, Any] = {}
    for dataset in dictionary.values():
        for name, table in dataset["tables"].items():
            columns = {column: f"{said['label'][lang]}: {said['about'][lang]}" for column, said in table["columns"].items()}
            tables[name] = {"title": table["label"][lang], "description": dataset["about"][lang], "columns": columns}
    return tables


@hookimpl
def asgi_wrapper(datasette: Datasette) -> Callable[[App], App]:
    return datasette.site.around if isinstance(datasette, Shown) else lambda app: app


@hookimpl
def get_metadata(datasette: Datasette, key: str | None) -> Mapping[str, Any]:
    # "tables" is asked by the check of permissions, which copies all of it each time; there are none to find
    if not isinstance(datasette, Shown) or key == "tables":
        return {}
    visit = current.get(None)
    return datasette.metadata_in(visit.lang if visit else LANGUAGES[0])


@hookimpl
def prepare_connection(conn: sqlite3.Connection, database: str, datasette: Datasette) -> None:
    if isinstance(datasette, Shown) and database != "_memory":  # which /-/versions asks for; of any other that is not known none is opened
        datasette.databases[database].prepare(conn)


@hookimpl
def prepare_jinja2_environment(env: Environment, datasette: Datasette) -> None:
    if isinstance(datasette, Shown):
        equip(env, datasette.frame, LONGEST_PROSE)


@hookimpl
def filters_from_request(request: Any, database: str, table: str, datasette: Datasette) -> FilterArguments | None:
    """?_search= by our own indexes; what cannot be searched was refused before (site.py). And that notices about persons are left out, in words."""
    if not isinstance(datasette, Shown):
        return None
    visit: Visit = current.get()
    said = ""
    if is_told(visit, table):
        by = (f"{datasette.frame.column_label(table, one) or ''} {one}".strip() for one in NAMED_BY.get(of(table), ("notice_id",)))
        said = visit.t("table.no_persons", by=visit.t("list.and").join(by))
    elif is_joined(visit):
        said = visit.t("table.without_persons")
    words = [f"({said})"] if said else []
    context: dict[str, Any] = {"no_persons": said, "whole": visit.whole if is_told(visit, table) else ""}
    if datasette.databases[database].route != ROUTE or table not in tablesearch.PAGES:
        return FilterArguments([], {}, words, context)
    query = request.args.get(tablesearch.KEY, "").strip()
    page = tablesearch.PAGES[table]
    if not query or visit.reader is None:
        return FilterArguments([], {}, words, {**context, "searched": {"query": "", "page": page}})
    ids, total = tablesearch.found(visit, visit.reader, table, query)
    persons = visit.t("notices.person") if table == "notices" else ""
    searched = {"query": query, "page": f"{page}?{urlencode({'q': query})}", "total": total, "shown": len(ids), "persons": persons}
    words += [f"({persons})"] if persons else []
    return FilterArguments([tablesearch.IN], {"found_by_search": orjson.dumps(ids).decode()}, words, {**context, "searched": searched})


@hookimpl
def render_cell(value: object, column: str, table: str | None, datasette: Datasette) -> Markup | None:
    """An address as a link that tells its site nothing; a code or region with what it means; a reference as a link by the route: Datasette makes it by
    the release's name."""
    if not isinstance(datasette, Shown):
        return None
    if isinstance(value, str) and (to := web_address(value.strip())):
        return Markup('<a href="{}" rel="noopener noreferrer nofollow">{}</a>').format(to, to if len(to) <= LONGEST else to[:LONGEST] + "…")
    if isinstance(value, str) and (meaning := datasette.frame.meaning(table, column, value)):
        return Markup('{} <span class="code">{}</span>').format(meaning, value)
    if not isinstance(value, dict) or table is None:
        return None
    visit: Visit = current.get()
    other = visit.reader.references.get((table, column)) if visit.reader else None
    if not other:
        return escape(clean(value["value"]))
    href = f"{address('/', visit.lang)}{ROUTE}/{tilde_encode(other)}/{tilde_encode(str(value['value']))}"
    if value["label"] in (None, "", value["value"]):
        return Markup('<a href="{}">{}</a>').format(href, clean(value["value"]))
    return Markup('<a href="{}">{}</a> <span class="code">{}</span>').format(href, clean(value["label"]), clean(value["value"]))


@hookimpl(tryfirst=True)
def handle_exception(datasette: Datasette, exception: Exception) -> Callable[[], Any] | None:
    return (lambda: _problem(datasette.site, exception)) if isinstance(datasette, Shown) else None


def _is_a_visitors(exception: Exception, visit: Visit) -> bool:
    """Whether it is a mistake in the address that Datasette gives no status, or 500."""
    if isinstance(exception, DatasetteError):
        return exception.status == 500 and str(exception.message).startswith(("Cannot sort", "Cannot use", "Invalid _through"))
    if isinstance(exception, KeyError) and exception.args == ("rows",) and "_shape" in visit.asked:  # of a page that has none
        return True
    if isinstance(exception, sqlite3.OperationalError | JSONDecodeError):  # JSON that it reads is in the address
        return True
    return isinstance(exception, KeyError | TypeError | ValueError | AttributeError) and not visit.asked.keys().isdisjoint(
        ("_through", "_facet_size")
    )


def _has_less_of_a_key(exception: Exception) -> bool:
    """Whether the row of an address has fewer parts than its table's key: no row has that name."""
    return isinstance(exception, sqlite3.ProgrammingError) and "did not supply a value" in str(exception)


async def _problem(site: Site, exception: Exception) -> Response:
    """Datasette's errors as ours: 404, 400 with SQLite's own word on the SQL, 403, and 500 with no detail."""
    visit = current.get()
    if isinstance(exception, tablesearch.NotAsked):
        return _as_response(site.pages.problem(visit, 400, exception.kind, exception.said))
    if isinstance(exception, NoIndex):
        return _as_response(site.pages.problem(visit, 503, "unsearchable"))
    status = (
        404
        if _has_less_of_a_key(exception)
        else 400
        if isinstance(exception, QueryInterrupted) or _is_a_visitors(exception, visit)
        else getattr(exception, "status", 500)
    )
    kind = {400: "bad_request", 403: "forbidden", 404: "not_found", 503: "no_past"}.get(status, "bug")
    slow = isinstance(exception, QueryInterrupted) or getattr(exception, "title", None) == "SQL Interrupted"
    detail = None if status >= 500 or kind == "not_found" else str(getattr(exception, "message", None) or exception)
    if slow:
        return _as_response(site.pages.problem(visit, status, "slow", instead=_for_the_patient(visit)))
    where = visit.path.partition(".")[0]
    return _as_response(site.pages.problem(visit, status, kind, detail=detail, instead=_nearby(kind, where, visit.lang)))


def _nearby(kind: str, where: str, lang: str) -> list[tuple[str, str]]:
    """Where to go from a wrong question to a table, or from a table or row that is not there, as problem.html takes it."""
    parts = where.split("/")[1:]
    if parts[0] not in ROUTES or kind not in ("bad_request", "not_found"):
        return []
    if (kind, len(parts)) in (("bad_request", 2), ("not_found", 3)):
        return [("table", address("/" + "/".join(parts[:2]), lang))]
    return [("tables", address(f"/{parts[0]}", lang))]


def _for_the_patient(visit: Visit) -> list[tuple[str, str]]:
    """Where to go with a query that takes longer than the site gives it, as problem.html takes it."""
    return [("files", address("/data/latest", visit.lang)), ("workshop", address("/data#questions", visit.lang))]


def _as_response(answer: Answer) -> Response:
    return Response(answer.body.decode(), answer.status, dict(answer.headers), answer.type)


def register() -> None:
    """Tell Datasette about this plugin, once a process."""
    stock.rich = None  # where it is installed Datasette prints what failed with all that was asked
    this = sys.modules[__name__]
    if not pm.is_registered(this):
        pm.register(this)
