"""Datasette's side of the site, as thin as it can be: its hooks, and a Datasette that reads the release of the request at hand.

Written for 0.65. There a release cannot take the place of another under one name: threads keep connections by name and would go on
reading the old file. So each release is a database of its own name on the same route, and which one a request reads is asked of the
visit: a page, and a CSV that streams for minutes, is of one release from its first row to its last.
"""

import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from json import JSONDecodeError
from typing import Any
from urllib.parse import unquote

from datasette import hookimpl
from datasette.app import Datasette
from datasette.database import Database
from datasette.plugins import pm
from datasette.utils import (
    detect_primary_keys,
    get_all_foreign_keys,
    get_outbound_foreign_keys,
    table_column_details,
    tilde_decode,
    tilde_encode,
)
from datasette.utils.asgi import Response
from datasette.views.base import DatasetteError
from jinja2 import Environment
from markupsafe import Markup, escape

from ..wording import LANGUAGES, say
from .answer import App
from .ended import INNER, ended, guard, on_day, shadow
from .frame import LONGEST, LONGEST_PROSE, Dictionary, Frame, equip, web_address
from .reader import Reader, harden, read_only
from .site import ROUTE, Site
from .visit import Visit, address, current

SETTINGS = {
    "allow_download": False,  # files are served as files, with entity tags, which Datasette does not do
    "suggest_facets": False,  # 1.6 pages a second with it
    "sql_time_limit_ms": 300,
    "max_returned_rows": 200,
    "default_page_size": 50,
    "default_cache_ttl": 0,  # a cache asks again
}


class ReleaseDatabase(Database):  # type: ignore[misc]
    """The database of one release, without what is over on the day of the request.

    What Datasette asks of the schema is answered by the release's own tables and not by the views that stand before them: a view has no
    keys and refers to nothing. A release never changes, so each of these is asked once.
    """

    def __init__(self, datasette: Datasette, reader: Reader) -> None:
        super().__init__(datasette, path=str(reader.database), is_mutable=False)
        self.reader = reader
        self._schema = read_only(reader.database)
        self._known: dict[tuple[str, ...], Any] = {}

    def _ask(self, what: str, ask: Callable[..., Any], *table: str) -> Any:
        if (what, *table) not in self._known:
            self._known[what, *table] = ask(self._schema, *table)
        return deepcopy(self._known[what, *table])

    async def execute_fn(self, fn: Callable[[sqlite3.Connection], Any]) -> Any:
        over = ended(self.reader, current.get().today)

        def of_day(connection: sqlite3.Connection) -> Any:
            with on_day(over):
                return fn(connection)

        return await super().execute_fn(of_day)

    async def execute(self, sql: str, *args: Any, **kwargs: Any) -> Any:
        """As Datasette's, without its log of failed SQL: that holds what somebody asked. What is denied is an error of the query."""
        if INNER in sql:
            raise sqlite3.OperationalError(f"not authorized: {INNER}")
        if "\0" in sql:
            raise sqlite3.OperationalError("the query contains a null character")
        try:
            return await super().execute(sql, *args, **{**kwargs, "log_sql_errors": False})
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            if "not authorized" in str(error) or "prohibited" in str(error):
                raise sqlite3.OperationalError("not authorized") from error
            raise

    def close(self) -> None:
        self._schema.close()
        super().close()

    async def attached_databases(self) -> list[Any]:
        return []

    async def hidden_table_names(self) -> list[str]:
        return []

    async def view_names(self) -> list[str]:
        return []

    async def fts_table(self, table: str) -> None:
        return None

    async def table_counts(self, limit: int = 10) -> dict[str, int]:
        visit = current.get(None)  # Datasette warms this up at its start, before any request
        return dict(ended(self.reader, visit.today).counts if visit else self.reader.counts)

    async def table_names(self) -> list[str]:
        return list(self.reader.counts)

    async def table_exists(self, table: str) -> bool:
        return table in self.reader.counts

    async def table_columns(self, table: str) -> list[str]:
        return [column.name for column in await self.table_column_details(table)]

    async def table_column_details(self, table: str) -> Any:
        return self._ask("columns", table_column_details, table)

    async def primary_keys(self, table: str) -> Any:
        return self._ask("keys", detect_primary_keys, table)

    async def foreign_keys_for_table(self, table: str) -> Any:
        return self._ask("references", get_outbound_foreign_keys, table)

    async def get_all_foreign_keys(self) -> Any:
        return self._ask("all references", get_all_foreign_keys)

    async def label_column_for_table(self, table: str) -> str | None:
        return next((column for column in await self.table_columns(table) if column in ("name", "title")), None)


class _Counts(Mapping[str, Mapping[str, int]]):
    """The rows of each table that are shown today, in the shape of Datasette's inspect data, which is else that of the whole file."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def __getitem__(self, table: str) -> Mapping[str, int]:
        return {"count": ended(self._reader, current.get().today).counts[table]}

    def __iter__(self) -> Iterator[str]:
        return iter(self._reader.counts)

    def __len__(self) -> int:
        return len(self._reader.counts)


def decoded(part: str) -> str:
    """A part of a path as Datasette reads it: it takes % for ~, so a part may be encoded in both ways."""
    return str(tilde_decode(unquote(part)))


class Shown(Datasette):  # type: ignore[misc]
    """Datasette over the releases of a shelf."""

    def __init__(self, site: Site, frame: Frame, dictionary: Dictionary, templates: str) -> None:
        self.site = site
        self.frame = frame
        self._described = {lang: describe(dictionary, lang) for lang in LANGUAGES}
        self._by_release: dict[Reader, ReleaseDatabase] = {}
        self._opened = 0
        self.inspect_data: dict[str, Any] = {}
        super().__init__(files=[], settings=SETTINGS, template_dir=templates, inspect_data={}, cors=True)
        self.databases: dict[str, ReleaseDatabase] = {}  # neither _memory nor _internal: there is nothing in them for a reader

    def open(self, reader: Reader) -> None:
        """Make a release readable under a name that no release had before in this process."""
        self._opened += 1
        name = f"{ROUTE}-{reader.id}" + (f"-{self._opened}" if self._opened > 1 else "")
        tables = _Counts(reader)
        size = reader.database.stat().st_size
        sha256 = reader.manifest.get("files", {}).get(reader.database.name, {}).get("sha256", "")
        # what Datasette would else find out by hashing the file and counting every table
        self.inspect_data = {**self.inspect_data, name: {"hash": sha256, "size": size, "file": reader.database.name, "tables": tables}}
        self._by_release[reader] = self.add_database(ReleaseDatabase(self, reader), name=name, route=ROUTE)

    def shut(self, reader: Reader) -> None:
        database = self._by_release.pop(reader)
        self.remove_database(database.name)
        self.inspect_data = {name: data for name, data in self.inspect_data.items() if name != database.name}
        database.close()

    def get_database(self, name: str | None = None, route: str | None = None) -> Any:
        if route == ROUTE or (name is None and route is None):
            reader = current.get().reader
            if reader is None:
                raise KeyError(route)
            return self._by_release[reader]
        return super().get_database(name=name, route=route)

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
        title = say(lang, "site.name")
        return {"title": title, "databases": {name: {"title": title, "tables": self._described[lang]} for name in self.databases}}


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
    if isinstance(datasette, Shown) and database.startswith(ROUTE):
        reader = datasette.databases[database].reader
        shadow(conn, reader)
        harden(conn)
        guard(conn, reader)


@hookimpl
def prepare_jinja2_environment(env: Environment, datasette: Datasette) -> None:
    if isinstance(datasette, Shown):
        equip(env, datasette.frame, LONGEST_PROSE)


@hookimpl
def render_cell(value: object, column: str, table: str | None, datasette: Datasette) -> Markup | None:
    """An address as a link that tells its site nothing; a reference as one by the route: Datasette makes it by the release's name."""
    if isinstance(datasette, Shown) and isinstance(value, str) and (to := web_address(value.strip())):
        return Markup('<a href="{}" rel="noopener noreferrer nofollow">{}</a>').format(to, to if len(to) <= LONGEST else to[:LONGEST] + "…")
    if not isinstance(datasette, Shown) or not isinstance(value, dict) or table is None:
        return None
    visit: Visit = current.get()
    other = visit.reader.references.get((table, column)) if visit.reader else None
    href = f"{address('/', visit.lang)}{ROUTE}/{tilde_encode(other or table)}/{tilde_encode(str(value['value']))}"
    return (
        Markup('<a href="{}">{}</a> <span class="code">{}</span>').format(href, value["label"], value["value"])
        if other
        else escape(str(value["value"]))
    )


@hookimpl(tryfirst=True)
def handle_exception(datasette: Datasette, exception: Exception) -> Callable[[], Any] | None:
    return (lambda: _problem(datasette.site, exception)) if isinstance(datasette, Shown) else None


def _is_a_visitors(exception: Exception, visit: Visit) -> bool:
    """Whether it is a mistake in the address that Datasette gives no status, or 500."""
    if isinstance(exception, DatasetteError):
        return exception.status == 500 and str(exception.message).startswith(("Cannot sort", "Cannot use", "Invalid _through"))
    if isinstance(exception, sqlite3.OperationalError | JSONDecodeError):  # JSON that it reads is in the address
        return True
    return isinstance(exception, KeyError | TypeError | ValueError | AttributeError) and not visit.asked.keys().isdisjoint(
        ("_through", "_facet_size")
    )


async def _problem(site: Site, exception: Exception) -> Response:
    """Datasette's errors as ours: 404, 400 with SQLite's own word on the SQL, 403, and 500 with no detail."""
    visit = current.get()
    status = 400 if _is_a_visitors(exception, visit) else getattr(exception, "status", 500)
    kind = {400: "bad_request", 403: "forbidden", 404: "not_found"}.get(status, "bug")
    slow = getattr(exception, "title", None) == "SQL Interrupted"
    detail = None if status >= 500 or slow or kind == "not_found" else str(getattr(exception, "message", None) or exception)
    answer = site.pages.problem(visit, status, "slow" if slow else kind, detail=detail)
    return Response(answer.body.decode(), status, dict(answer.headers), answer.type)


def register() -> None:
    """Tell Datasette about this plugin, once a process."""
    this = sys.modules[__name__]
    if not pm.is_registered(this):
        pm.register(this)
