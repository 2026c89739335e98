"""?_search= in Datasette's tables: the rows that the site's own search finds, by the same rules, so that a notice about a natural person is found by the
whole number of its decision alone (rule 8).

Datasette looks for an FTS table, of which a release has none, and would answer with every row as if it had been found. So a table that is not searched is
refused (site.py), and of one that is the best MOST are shown, in the order of the table: a search of the whole, in its own order, is the site's page.
"""

from collections.abc import Mapping

import search

from . import noticing
from .question import LONGEST
from .reader import Reader
from .visit import Visit

PAGES = {"institutions": "/search", "notices": "/notices"}  # tables that are searched, and the page that searches the same
KEY = "_search"
MOST = 1_000  # ids that go into the query as a value, and so into its JSON
MOST_WORDS = 16
IN = '"id" IN (SELECT value FROM json_each(:found_by_search))'


class NotAsked(Exception):
    """What is searched for is no question: `kind` is that of a problem, `said` what its text names."""

    def __init__(self, kind: str, said: Mapping[str, str]) -> None:
        super().__init__(kind)
        self.kind, self.said = kind, said


def is_refused(table: str, asked: Mapping[str, str]) -> bool:
    """Whether a query string asks to search a table that is not searched, a single column, or an FTS table; nothing is asked by a key without a value."""
    keys = {key for key, value in asked.items() if key.startswith(("_search", "_fts_")) and key != "_searchmode" and value}
    return bool(keys - ({KEY} if table in PAGES else set()))


def found(visit: Visit, reader: Reader, table: str, query: str) -> tuple[tuple[str, ...], int]:
    """The ids that are found, at most MOST, and how many there are. Raises NotAsked, NoIndex."""
    if table == "notices":
        notices = noticing.find(reader, visit.today, query, limit=MOST)
        if notices.problem is not None:
            raise NotAsked("not_understood", {"said": noticing.why_misunderstood(visit, notices.problem)})
        return notices.ids, notices.total
    if not search.is_question(query[:LONGEST], MOST_WORDS):
        raise NotAsked("no_question", {})
    institutions = reader.index.search(query[:LONGEST], limit=MOST)
    return tuple(hit.id for hit in institutions.hits), institutions.total
