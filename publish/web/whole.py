"""Which of Datasette's answers may hold a notice about a natural person, or about who could be one (rule 8).

A whole table may, a row by its key, what is asked for by an id or by the exact number of a decision, and a ready question of ours. Any other question (a
filter, an order, a facet, `_where`, `_through`, a number of rows beside another row, SQL of one's own) could look a person up: it reads the views (ended.py)
without these notices, their parts and the documents that they alone name. So counts and facets follow, and no OR in an address goes past it, as it would
past a condition. `mingbai sql` and the files have all of them.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from ..cleaning import words
from ..wording import say
from .ended import Ended, ended, keys, without
from .noticing import unseen
from .past import CHANGES, past_ended, past_without_persons
from .reader import Reader
from .views import AS_OF, DIFFERENCE
from .visit import HISTORY, ROUTE, Visit, address

OF_RELEASES = words("release from_release to_release")
# keys that choose no rows: how many and from where on in the order of the key, which columns, in what form; what _search finds keeps the rule itself
PLAIN = words(
    "_size _next _stream _col _nocol _shape _labels _label _json _json_infinity _nl _ttl _timelimit _trace _dl _header _nocount _nofacet _nosuggest "
    "_extra _extras _search _searchmode"
).union(OF_RELEASES)
NAMED_BY = {"notices": ("id", "document_no"), "documents": ("id",), CHANGES: ("subject", "key")}  # else by the id of the notice


def of(table: str) -> str:
    """The table that one of /history shows the past of."""
    return table.removesuffix(AS_OF).removesuffix(DIFFERENCE)


def may_hold_persons(reader: Reader) -> frozenset[str]:
    """The tables that show a notice, a part of one or a document, or that one changed."""
    return frozenset((*keys(reader), CHANGES)) - {"listings"}


def narrowed(reader: Reader, table: str, is_row: bool, asked: Collection[str]) -> frozenset[str]:
    """The tables that a question of a table, or one for a row, reads without these notices; `asked` are the keys of its query string."""
    base, tables = of(table), may_hold_persons(reader)
    if is_row:
        return tables - {base} if base == "documents" or base not in tables else frozenset()
    exact = {f"{column}{end}" for column in NAMED_BY.get(base, ("notice_id",)) for end in ("", "__exact")} if base in tables else set()
    return tables if set(asked) - PLAIN - exact else frozenset()


def is_told(visit: Visit, table: str) -> bool:
    """Whether a page of a table has to say that rows are left out."""
    return of(table) in visit.narrow


def is_joined(visit: Visit) -> bool:
    """Whether what rows of others are left out of may decide which rows a table shows."""
    return bool(visit.narrow) and not visit.asked.keys().isdisjoint(("_through", "_where"))


def less(visit: Visit, tables: frozenset[str], table: str = "", is_row: bool = False) -> Visit:
    """The visit as one that reads these tables without such notices, for a table, a row, or neither, which is SQL."""
    seen = replace(visit, narrow=tables)
    if not tables or (table and not is_row and not is_told(seen, table) and not is_joined(seen)):
        return seen
    route = HISTORY if visit.path.startswith(f"/{HISTORY}") else ROUTE
    if is_told(seen, table):
        name, kept = table, [(key, value) for key, value in visit.pairs if key in OF_RELEASES]
    else:
        name, kept = "notices" if route == ROUTE else f"notices{AS_OF}", []
    return replace(seen, whole=quote(address(f"/{route}/{name}", visit.lang)) + (f"?{urlencode(kept)}" if kept else ""))


def headers(visit: Visit) -> dict[bytes, bytes]:
    """What an answer says of itself that gives less than the whole: CSV, and JSON in some shapes, have no room for a word."""
    if not visit.whole:
        return {}
    found = {b"link": f'<{visit.whole}>; rel="collection"; title="{say("en", "table.without_persons")}"'.encode()}
    if visit.path.endswith(".csv"):
        how, name = "attachment" if visit.asked.get("_dl") else "inline", quote(PurePosixPath(visit.path).stem)
        found[b"content-disposition"] = f'{how}; filename="{name}-without-persons.csv"'.encode()
    return found


def shown(visit: Visit, reader: Reader) -> Ended:
    """What a request of Datasette's does not read of the live release, and how many rows are left."""
    every = ended(reader, visit.today)
    return _some(every, without_persons(reader, visit.today), visit.narrow) if visit.narrow else every


def without_persons(reader: Reader, today: str) -> Ended:
    """What is not read of the live release by whoever may not hold these notices; worked out once a day."""
    return reader.once(today, "without persons", lambda: _without_persons(reader, today))


def _without_persons(reader: Reader, today: str) -> Ended:
    hidden = orjson.dumps(sorted(unseen(reader, today).hidden)).decode()
    return without(reader, hidden, ended(reader, today).gone["listings"])


def past_shown(visit: Visit, reader: Reader) -> Ended:
    """The same of the past."""
    every = past_ended(reader, visit.today)
    return _some(every, past_without_persons(reader, visit.today), visit.narrow) if visit.narrow else every


def _some(every: Ended, less: Ended, tables: Collection[str]) -> Ended:
    """`every`, and of these tables `less`."""

    def of_each(what: Mapping[str, Any], those: Mapping[str, Any]) -> dict[str, Any]:
        return {table: (those if table in tables else what)[table] for table in what}

    return replace(every, gone=of_each(every.gone, less.gone), counts=of_each(every.counts, less.counts))
