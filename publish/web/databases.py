"""The databases that Datasette has of one release: its own tables, and what may be told of its past.

Both are guarded in the same way (ended.py): a visitor's SQL reads views that leave out what is over on the day of the request, and what Datasette
asks of the schema is answered here and not by the visitor's connection. A release never changes, so each such thing is asked once.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from datasette.database import Database
from datasette.utils import detect_primary_keys, get_all_foreign_keys, get_outbound_foreign_keys, table_column_details
from datasette.utils.asgi import NotFound
from datasette.views.base import DatasetteError

from ..errors import BadHome
from .ended import INNER, Ended, ended, guard, keys, on_day, shadow, tell
from .past import Past, past_file, shadow_past
from .reader import Reader, harden, read_only
from .views import make_views, views
from .visit import Visit, current
from .whole import past_shown, shown


class NoPast(Exception):
    """What may be told of a release's past cannot be read; answered with 503."""

    status = 503


class Guarded(Database):  # type: ignore[misc]
    """A database that shows nothing that is over on the day of the request, and no notice about a person to who may be looking for one (whole.py)."""

    def __init__(self, datasette: Any, reader: Reader, path: Path) -> None:
        super().__init__(datasette, path=str(path), is_mutable=False)
        self.reader = reader
        self._schema = read_only(path)
        self._known: dict[tuple[str, ...], Any] = {}

    def prepare(self, connection: sqlite3.Connection) -> None:
        """Make a connection that is new one for visitors."""
        raise NotImplementedError

    def over(self, visit: Visit) -> Ended:
        raise NotImplementedError

    def inspected(self) -> dict[str, Any]:
        """What Datasette would else find out by hashing the file and counting every table."""
        return {"hash": "", "size": Path(self.path).stat().st_size, "file": Path(self.path).name, "tables": {}}

    def _ask(self, what: str, ask: Callable[..., Any], *table: str) -> Any:
        if (what, *table) not in self._known:
            self._known[what, *table] = ask(self._schema, *table)
        return deepcopy(self._known[what, *table])

    async def execute_fn(self, fn: Callable[[sqlite3.Connection], Any]) -> Any:
        over = self.over(current.get())

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
            found = await super().execute(sql, *args, **{**kwargs, "log_sql_errors": False})
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            if "not authorized" in str(error) or "prohibited" in str(error):
                raise sqlite3.OperationalError("not authorized") from error
            raise

        visit = current.get()
        if found.truncated and visit.path.endswith(".csv"):  # a file does not say that it is cut
            raise DatasetteError(visit.t("problem.csv_cut", n=len(found.rows)), status=400)
        return found

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

    async def table_columns(self, table: str) -> list[str]:
        return [column.name for column in await self.table_column_details(table)]

    async def table_column_details(self, table: str) -> Any:
        return self._ask("columns", table_column_details, table)


class ReleaseDatabase(Guarded):
    """The tables of one release. The schema is that of the tables, and not of the views that stand before them: a view has no keys."""

    def __init__(self, datasette: Any, reader: Reader) -> None:
        super().__init__(datasette, reader, reader.database)

    def prepare(self, connection: sqlite3.Connection) -> None:
        shadow(connection, self.reader)
        harden(connection)
        guard(connection, keys(self.reader).keys())

    def over(self, visit: Visit) -> Ended:
        return shown(visit, self.reader)

    def inspected(self) -> dict[str, Any]:
        sha256 = self.reader.manifest.get("files", {}).get(self.reader.database.name, {}).get("sha256", "")
        return {**super().inspected(), "hash": sha256, "tables": _Counts(self.reader)}

    async def table_counts(self, limit: int = 10) -> dict[str, int]:
        visit = current.get(None)  # Datasette warms this up at its start, before any request
        return dict(ended(self.reader, visit.today).counts if visit else self.reader.counts)

    async def table_names(self) -> list[str]:
        return list(self.reader.counts)

    async def table_exists(self, table: str) -> bool:
        return table in self.reader.counts

    async def primary_keys(self, table: str) -> Any:
        return self._ask("keys", detect_primary_keys, table)

    async def foreign_keys_for_table(self, table: str) -> Any:
        return self._ask("references", get_outbound_foreign_keys, table)

    async def get_all_foreign_keys(self) -> Any:
        return self._ask("all references", get_all_foreign_keys)

    async def label_column_for_table(self, table: str) -> str | None:
        called = "name", "title", f"label_{current.get().lang}"
        return next((column for column in await self.table_columns(table) if column in called), None)


class HistoryDatabase(Guarded):
    """The past of one release: views alone, which Datasette takes for tables with keys, so that it goes through them by key and not by offset.

    The file goes when the next release is live, while requests may still read this one: so the connections of all threads are opened at once.
    """

    def __init__(self, datasette: Any, reader: Reader, threads: int) -> None:
        try:
            Past(reader).close()
        except BadHome as error:
            raise NoPast from error
        super().__init__(datasette, reader, past_file(reader))
        tell(self._schema)
        self._tables = shadow_past(self._schema, reader)
        self._views = views(self._schema, [name for name in self._tables if name in reader.counts])
        make_views(self._schema, self._views)
        self._all_file_connections = [read_only(Path(self.path)) for _ in range(threads)]
        self._waiting = list(self._all_file_connections)

    def connect(self, write: bool = False) -> sqlite3.Connection:
        return self._waiting.pop()

    def prepare(self, connection: sqlite3.Connection) -> None:
        tell(connection)
        shadow_past(connection, self.reader)
        make_views(connection, self._views)
        harden(connection)
        guard(connection, self._tables, self._views)

    def over(self, visit: Visit) -> Ended:
        return past_shown(visit, self.reader)

    async def table_counts(self, limit: int = 10) -> dict[str, None]:
        return dict.fromkeys(self._views)

    async def table_names(self) -> list[str]:
        return list(self._views)

    async def table_exists(self, table: str) -> bool:
        return table in self._views

    async def get_view_definition(self, view: str) -> None:
        return None

    async def get_table_definition(self, table: str, type_: str = "table") -> None:
        return None

    async def primary_keys(self, table: str) -> list[str]:
        if table not in self._views:  # of a row; nobody asked before whether its table is there
            raise NotFound(table)
        return list(self._views[table].key)

    async def foreign_keys_for_table(self, table: str) -> list[Any]:
        return []

    async def get_all_foreign_keys(self) -> dict[str, Any]:
        return {name: {"incoming": [], "outgoing": []} for name in self._views}

    async def label_column_for_table(self, table: str) -> None:
        return None


class _Counts(Mapping[str, Mapping[str, int]]):
    """The rows of each table that are shown today, in the shape of Datasette's inspect data, which is else that of the whole file."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def __getitem__(self, table: str) -> Mapping[str, int]:
        return {"count": shown(current.get(), self._reader).counts[table]}

    def __iter__(self) -> Iterator[str]:
        return iter(self._reader.counts)

    def __len__(self) -> int:
        return len(self._reader.counts)
