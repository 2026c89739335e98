"""What a page of results has found, or a table holds of one region, in every form: made when it is asked for, of the live release as it may be told today.

The rows are those of the release's tables, with all their public columns, in the order of the page, read by a connection of their own; what is found is asked of the
release's own index, some thousands at a time. They go into a temporary file first: what cannot be made is said and never breaks off, and what is sent has a length and a tag, and can be gone
on with. Few are made at once, the others wait their turn. Nobody's question is written down.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from sqlite3 import Connection
from tempfile import TemporaryFile
from typing import Any, BinaryIO, cast

import orjson

import search

from .. import forms
from ..dataset import Column, Table
from ..declarations import Words
from ..extracts import belonging, rows
from ..forms.packed import Counted
from . import noticing
from .answer import READ_IN_PARTS, Answer, busy
from .asked import AS_OF, REGIONS, NoSuchChoice, read, refused, unsearchable
from .downloads import attachment
from .ended import keys
from .feedfile import FORMS as FEED_FORMS
from .feedfile import SEARCHED
from .found import MOST_WORDS
from .frame import Dictionary
from .near import near
from .notice_question import Question as NoticeQuestion
from .notice_question import ask as ask_notices
from .pieces import Stored
from .question import Question, ask
from .reader import NoIndex, Reader, read_only
from .visit import Visit, address, spelt
from .whole import without_persons

MOST, MOST_WAITING, MOST_OPEN = 2, 20, 64  # at once in a process: made, waiting for their turn, and lying in temporary files
MOST_BYTES = 2**30  # of those that lie there; where that is says TMPDIR
MOST_ROWS = forms.form.SHEET_ROWS  # as many as a sheet holds, in any form: what is larger lies ready as a file
BATCH = 2_000  # rows
FORM = "|".join(form.suffix[1:].replace(".", r"\.") for form in forms.FORMS.values())
BY_SUFFIX = {form.suffix[1:]: form for form in forms.FORMS.values()}
PAGED = ("limit", "offset")  # a file has all of it
IN = "IN (SELECT value FROM json_each(?{}))"
log = logging.getLogger(__name__)
Batch = Sequence[Sequence[object]]
Batches = Callable[[Connection, Sequence[Column]], Iterator[Batch]]


class TooMany(Exception):
    """There are more rows than an export has."""


class Exports:
    """`problem` is that of Pages."""

    def __init__(self, problem: Callable[..., Answer], dictionary: Dictionary) -> None:
        self._problem = problem
        self._tables = {name: _table(name, dataset, said) for dataset, each in dictionary.items() for name, said in each["tables"].items()}
        self._places = {name for name, table in self._tables.items() if belonging(self._tables, table, str)}
        self._room = asyncio.Semaphore(MOST)
        self._waiting, self._open, self._bytes = 0, 0, 0

    def has(self, table: str) -> bool:
        """Whether there is such a table."""
        return table in self._tables

    def institutions(self, visit: Visit, reader: Reader) -> Answer:
        """Everything that /search finds."""
        return self._found(visit, reader, "institutions", Question, ask, _institutions)

    def notices(self, visit: Visit, reader: Reader) -> Answer:
        """Everything that /notices finds."""
        return self._found(visit, reader, "notices", NoticeQuestion, ask_notices, _notices)

    def nothing(self, visit: Visit, reader: Reader) -> Answer:
        """What is said of the address of results in a form that there is none of: the forms that there are, the feed where it is that of one."""
        page, form = visit.parts["page"], visit.parts["form"]
        there = {one: f"/{page}.{one}" for one in (*BY_SUFFIX, "json") if page == "notices" or visit.query}
        feeds = {one: f"/feeds/{page}.{one}" for one in FEED_FORMS if page in SEARCHED}
        others = near(form, feeds if form.lower() in feeds and form.lower() not in there else there)
        said = {"name": visit.parts["name"], "forms": [*BY_SUFFIX, "json"]}
        onward = [("results", spelt(visit, f"/{page}")), ("files", address("/data/latest", visit.lang))]
        return self._problem(visit, 404, "no_form", said, near=[(where, spelt(visit, where)) for _, where in others], instead=onward)

    def _found(self, visit: Visit, reader: Reader, table: str, kind: Any, asking: Callable[..., Any], pages: Callable[..., Any]) -> Answer:
        path = "/search" if table == "institutions" else "/notices"
        known = tuple(key for key in kind.KEYS if key not in PAGED)
        try:
            if odd := next((key for key, _ in visit.pairs if key in (*PAGED, AS_OF)), None):
                raise NoSuchChoice(odd, ", ".join(known), "key")
            asked = asking(visit.pairs, reader)
            if table == "institutions" and not asked.query:
                raise NoSuchChoice("q", visit.t("search.label"))
            if table == "institutions" and (asked.typed != asked.query or not search.is_question(asked.query, MOST_WORDS)):
                return self._problem(visit, 400, "no_question")  # and never an empty file
        except NoSuchChoice as no:
            return refused(self._problem, visit, no, path, known)
        except ValueError:
            return self._problem(visit, 400, "bad_request")

        def batches(connection: Connection, columns: Sequence[Column]) -> Iterator[Batch]:
            sql = rows(self._tables[table], columns, f'"id" {IN.format(1)}')
            at = next(place for place, column in enumerate(columns) if column.name == "id")
            for ids in pages(reader, visit.today, asked):
                found = {row[at]: row for row in connection.execute(sql, [orjson.dumps(ids).decode()])}
                yield [found[id] for id in ids if id in found]

        return self._file(visit, reader, table, "", batches)

    def of_region(self, visit: Visit, reader: Reader) -> Answer:
        """The rows of a table under a region: of one with a region, or of what belongs to something that has one; no notice about a person (rule 8)."""
        table = visit.parts["table"]
        try:
            asked = read(visit.pairs, ("region",))
            if table not in self._places:
                raise NoSuchChoice("region", ", ".join(sorted(self._places)), "key")
            region = asked.get("region", [""])[0]
            if region not in reader.regions or len(asked["region"]) > 1:
                raise NoSuchChoice("region", ", ".join(code for code, row in reader.regions.items() if row["level"] == REGIONS[0]))
        except NoSuchChoice as no:
            return refused(self._problem, visit, no, visit.path, ("region",))
        except ValueError:
            return self._problem(visit, 400, "bad_request")

        def batches(connection: Connection, columns: Sequence[Column]) -> Iterator[Batch]:
            under = belonging(self._tables, self._tables[table], lambda column: f'"{column}" {IN.format(1)}')
            codes = {row.code for row in reader.territory.rows() if reader.territory.is_within(row.code, region)}
            values = [orjson.dumps(sorted(codes)).decode()]
            if column := keys(reader).get(table):
                under = f'{under} AND "{column}" NOT {IN.format(2)}'
                values.append(without_persons(reader, visit.today).gone[table])
            cursor = connection.execute(rows(self._tables[table], columns, str(under)), values)
            while some := cursor.fetchmany(BATCH):
                yield some

        return self._file(visit, reader, table, region, batches)

    def _file(self, visit: Visit, reader: Reader, table: str, region: str, batches: Batches) -> Answer:
        async def later() -> Answer:
            if self._waiting >= MOST_WAITING + MOST or self._open >= MOST_OPEN or self._bytes >= MOST_BYTES:
                return busy()
            self._waiting += 1
            try:
                async with self._room:
                    answer = await asyncio.to_thread(self._made, visit, reader, table, region, batches)
                if answer.stored is not None:
                    self._open += 1
                    self._bytes += answer.stored.size
                return answer
            except TooMany:
                return self._problem(visit, 400, "export_large", {"most": f"{MOST_ROWS:,}"})
            except Misunderstood as no:
                return self._problem(visit, 400, "not_understood", {"said": no.said(visit)})
            except NoIndex:
                return unsearchable(self._problem, visit, reader, table)
            except Exception:
                log.exception("an export could not be made")  # without the question
                said = self._problem(visit, 503, "export_failed")
                return Answer(said.status, said.body, said.type, (("cache-control", "no-store"), ("retry-after", "60")))
            finally:
                self._waiting -= 1

        return Answer(200, b"", later=later)

    def _made(self, visit: Visit, reader: Reader, table: str, region: str, batches: Batches) -> Answer:
        """The export in a temporary file. Raises TooMany, Misunderstood, NoIndex."""
        form, label = BY_SUFFIX[visit.parts["form"]], self._tables[table].label.zh
        with closing(read_only(reader.database)) as connection:
            there = {name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", [table])}
            columns = [column for column in self._tables[table].published if column.name in there]
            if not columns:  # of a release from before the table
                return self._problem(visit, 404, "not_found")
            file = cast(BinaryIO, TemporaryFile())  # noqa: SIM115 - whoever sends it closes it
            target = Counted(file)
            try:
                forms.write(form.name, columns, _few(batches(connection, columns)), target, label)
                file.flush()
            except BaseException:
                target.drop()  # before the file is closed
                file.close()
                raise
        stored = Stored(file, target.size, closed=partial(self._closed, target.size))
        places = [f"-{region}", f"-{reader.region_name(region, 'zh')}"] if region else ["", ""]
        names = [f"{name}{place}-{reader.id}{form.suffix}" for name, place in zip((table, label), places, strict=True)]
        headers = (*READ_IN_PARTS, ("etag", f'"{target.sha256[:32]}"'), ("content-disposition", attachment(*names)))
        return Answer(200, b"", form.media_type, headers, stored=stored)

    def _closed(self, size: int) -> None:
        self._open -= 1
        self._bytes -= size


class Misunderstood(Exception):
    """A query that cannot be understood; `problem` is what search says of it."""

    def __init__(self, problem: Any) -> None:
        super().__init__()
        self.problem = problem

    def said(self, visit: Visit) -> str:
        it, known = self.problem, " ".join(noticing.called(visit))
        return visit.t(f"notices.problem.{it.kind}", at=it.at + 1, near=it.near, known=known)


def _few(batches: Iterator[Batch]) -> Iterator[Batch]:
    number = 0
    for some in batches:
        number += len(some)
        if number > MOST_ROWS:
            raise TooMany
        yield some


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


def _table(name: str, dataset: str, said: Mapping[str, Any]) -> Table:
    """A table as the data dictionary says it."""
    return Table(
        name, dataset, Words(**said["label"]), tuple(said["key"]), None, None, {it: _column(it, one) for it, one in said["columns"].items()}
    )


def _column(name: str, said: Mapping[str, Any]) -> Column:
    label, about = Words(**said["label"]), Words(**said["about"])
    return Column(
        name, said["kind"], label, about, "public", "given", said.get("unit"), said.get("codes"), said.get("ref"), 0, False, False
    )
