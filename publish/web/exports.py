"""What a page of results has found, or a table holds of one region, in every form: made when it is asked for, of the live release as it may be told today.

The rows are those of the release's tables, with all their public columns, in the order of the page. They go into a temporary file first, so that what
cannot be made is said and never breaks off; a few are made at once, beside the loop. Nobody's question is written down.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from tempfile import TemporaryFile
from typing import IO, Any
from urllib.parse import quote

import orjson

from .. import forms
from ..dataset import Column
from ..declarations import Words
from . import noticing
from .answer import Answer, Instead
from .asked import AS_OF, REGIONS, NoSuchChoice, read, refused, unsearchable
from .ended import ended, keys
from .frame import Dictionary
from .notice_question import Question as NoticeQuestion
from .notice_question import ask as ask_notices
from .question import Question, ask
from .reader import NoIndex, Reader, Row
from .selection import regions_under
from .visit import Visit

PIECE_BYTES = 256 * 1024
MOST = 2  # at once in a process
BATCH = 2_000  # rows
RETRY_SECONDS = 10
FORM = "|".join(form.suffix[1:].replace(".", r"\.") for form in forms.FORMS.values())
BY_SUFFIX = {form.suffix[1:]: form for form in forms.FORMS.values()}
PAGED = ("limit", "offset")  # a file has all of it
ROWS = 'SELECT id AS mingbai_id, $columns FROM "$table" WHERE id IN (SELECT value FROM json_each(?))'
OF_REGION = 'SELECT $columns FROM "$table" WHERE $under AND $shown ORDER BY $key'
BELONGS = '"$ref" IN (SELECT "$key" FROM "$table" WHERE $above)'
CODES = "IN (SELECT value FROM json_each(?))"
log = logging.getLogger(__name__)
Batches = Iterable[Sequence[Sequence[object]]]


class Exports:
    """`problem` is that of Pages."""

    def __init__(self, problem: Callable[..., Answer], dictionary: Dictionary) -> None:
        self._problem = problem
        self._tables = {name: table for dataset in dictionary.values() for name, table in dataset["tables"].items()}
        self._room = threading.BoundedSemaphore(MOST)

    def has(self, table: str) -> bool:
        """Whether there is such a table."""
        return table in self._tables

    def institutions(self, visit: Visit, reader: Reader) -> Answer:
        """Everything that /search finds."""
        return self._found(visit, reader, "institutions", Question, lambda pairs: ask(pairs, reader), _institutions)

    def notices(self, visit: Visit, reader: Reader) -> Answer:
        """Everything that /notices finds."""
        return self._found(visit, reader, "notices", NoticeQuestion, lambda pairs: ask_notices(pairs, reader), _notices)

    def _found(
        self, visit: Visit, reader: Reader, table: str, question: Any, asking: Callable[..., Any], pages: Callable[..., Any]
    ) -> Answer:
        path = "/search" if table == "institutions" else "/notices"
        known = tuple(key for key in question.KEYS if key not in PAGED)
        try:
            pairs = visit.pairs
            if odd := next((key for key, _ in pairs if key in (*PAGED, AS_OF)), None):
                raise NoSuchChoice(odd, ", ".join(known), is_key=True)
            asked = asking(pairs)
            if table == "institutions" and not asked.query:
                raise NoSuchChoice("q", visit.t("search.label"))
            ids = pages(reader, visit.today, asked)
            first: list[str] = next(ids, [])
        except NoSuchChoice as no:
            return refused(self._problem, visit, no, path, known)
        except Misunderstood as no:
            said = visit.t(
                f"notices.problem.{no.problem.kind}", at=no.problem.at + 1, near=no.problem.near, known=" ".join(noticing.called(visit))
            )
            return self._problem(visit, 400, "not_understood", {"said": said})
        except ValueError:
            return self._problem(visit, 400, "bad_request")
        except NoIndex:
            return unsearchable(self._problem, visit, reader, table)
        columns = self._columns(reader, table)

        def batches() -> Iterator[Sequence[Sequence[object]]]:
            for some in chain([first], ids):
                yield _in_order(reader, table, columns, some)

        return self._file(visit, reader, table, columns, batches())

    def of_region(self, visit: Visit, reader: Reader) -> Answer:
        """The rows of a table under a region: of one with a region, or of what belongs to something that has one."""
        table = visit.parts["table"]
        try:
            asked = read(visit.pairs, ("region",))
            under = self._under(table)
            if under is None:
                raise NoSuchChoice("region", ", ".join(name for name in self._tables if self._under(name)), is_key=True)
            region = asked.get("region", [""])[0]
            if region not in reader.regions or len(asked["region"]) > 1:
                raise NoSuchChoice("region", ", ".join(code for code, row in reader.regions.items() if row["level"] == REGIONS[0]))
        except NoSuchChoice as no:
            return refused(self._problem, visit, no, visit.path, ("region",))
        except ValueError:
            return self._problem(visit, 400, "bad_request")
        codes = [region]
        for code in codes:  # grows while it is read; the table of regions is a tree
            codes += regions_under(reader, code, visit.today)
        columns = self._columns(reader, table)
        column = keys(reader).get(table)
        over = ended(reader, visit.today).gone
        sql = OF_REGION.replace("$under", under.replace("$codes", CODES)).replace("$shown", f'"{column}" NOT {CODES}' if column else "1")
        sql = (
            sql.replace("$columns", _names(columns))
            .replace("$table", table)
            .replace("$key", ", ".join(f'"{key}"' for key in self._tables[table]["key"]))
        )
        values = [orjson.dumps(codes).decode()] + ([over[table]] if column else [])

        def batches() -> Iterator[Sequence[Sequence[object]]]:
            yield from reader.batches(sql, values, BATCH)

        return self._file(visit, reader, f"{table}-{region}", columns, batches())

    def _under(self, table: str) -> str | None:
        """The condition for the rows under a region, of which the codes are `$codes`; None for a table without regions."""
        columns = self._tables[table]["columns"]
        own = next((name for name, column in columns.items() if column["kind"] == "region" and name != "parent_code"), None)
        if own is not None:
            return f'"{own}" $codes'
        for name, column in columns.items():
            of = column.get("ref")
            if column["kind"] == "ref" and of not in (table, "sources", "documents") and (above := self._under(str(of))):
                key = self._tables[str(of)]["key"][0]
                return BELONGS.replace("$ref", name).replace("$key", key).replace("$table", str(of)).replace("$above", above)
        return None

    def _columns(self, reader: Reader, table: str) -> list[Column]:
        """The columns of a table that are declared and that the release has."""
        there = {row["name"] for row in reader.rows("SELECT name FROM pragma_table_info(?)", table)}
        return [column(name, said) for name, said in self._tables[table]["columns"].items() if name in there]

    def _file(self, visit: Visit, reader: Reader, name: str, columns: Sequence[Column], batches: Batches) -> Answer:
        form = BY_SUFFIX[visit.parts["form"]]
        busy = self._problem(visit, 503, "export_busy")
        busy = Answer(503, busy.body, busy.type, (("cache-control", "no-store"), ("retry-after", str(RETRY_SECONDS))))
        label = self._tables[name.partition("-")[0]]["label"]["zh"]
        headers = (
            ("cache-control", "no-cache"),
            ("access-control-allow-origin", "*"),
            ("content-disposition", attachment(f"{name}-{reader.id}{form.suffix}", f"{label}-{reader.id}{form.suffix}")),
        )

        def make(file: IO[bytes]) -> None:
            forms.write(form.name, columns, batches, file, label)

        return Answer(200, b"", form.media_type, headers, self._parts(make, busy, self._problem(visit, 500, "bug")), in_threads=True)

    def _parts(self, make: Callable[[IO[bytes]], None], busy: Answer, failed: Answer) -> Iterator[bytes]:
        if not self._room.acquire(blocking=False):
            raise Instead(busy)
        try:
            with TemporaryFile() as file:
                try:
                    make(file)
                except Exception as error:
                    log.exception("an export could not be made")  # without the question
                    raise Instead(failed) from error
                file.seek(0)
                while piece := file.read(PIECE_BYTES):
                    yield piece
        finally:
            self._room.release()


class Misunderstood(Exception):
    """A query that cannot be understood; `problem` is what search says of it."""

    def __init__(self, problem: Any) -> None:
        super().__init__()
        self.problem = problem


def _institutions(reader: Reader, today: str, asked: Question) -> Iterator[list[str]]:
    offset = 0
    while True:
        hits = reader.index.search(asked.query, limit=BATCH, offset=offset, filters=asked.filters, sort=asked.order).hits
        yield [hit.id for hit in hits]
        offset += BATCH
        if len(hits) < BATCH:
            return


def _notices(reader: Reader, today: str, asked: NoticeQuestion) -> Iterator[list[str]]:
    how: Mapping[str, Any] = {
        "ranges": {"decided_on": (asked.since or None, asked.until or None)},
        "filters": asked.filters,
        "sort": asked.order,
    }
    offset = 0
    while True:
        found = noticing.find(reader, today, asked.query, limit=BATCH, offset=offset, **how)
        if found.problem is not None:
            raise Misunderstood(found.problem)
        yield list(found.ids)
        offset += BATCH
        if len(found.ids) < BATCH:
            return


def _in_order(reader: Reader, table: str, columns: Sequence[Column], ids: Sequence[str]) -> list[Sequence[object]]:
    rows = reader.rows(ROWS.replace("$columns", _names(columns)).replace("$table", table), orjson.dumps(ids).decode())
    found: dict[str, Row] = {row.pop("mingbai_id"): row for row in rows}
    return [[found[id][column.name] for column in columns] for id in ids if id in found]


def _names(columns: Sequence[Column]) -> str:
    return ", ".join(f'"{column.name}"' for column in columns)


def column(name: str, said: Mapping[str, Any]) -> Column:
    """A column as the data dictionary says it."""
    return Column(
        name,
        said["kind"],
        Words(**said["label"]),
        Words(**said["about"]),
        "public",
        "given",
        said.get("unit"),
        said.get("codes"),
        said.get("ref"),
        0,
        False,
        False,
    )


def attachment(ascii: str, chinese: str) -> str:
    """A Content-Disposition with a name for everybody and one for who reads Chinese (RFC 6266)."""
    return f"attachment; filename=\"mingbai-{ascii}\"; filename*=UTF-8''{quote(f'明白-{chinese}')}"
