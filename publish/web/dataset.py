"""The page of one dataset: what it is, what its columns mean, where it is from and how fresh, how many rows it had, what is wrong with it, how it is taken,
asked and cited. Its JSON says the same, but for what other addresses say.

Of what could not be read it tells what the release's manifest says of tables and columns that are published, and nothing else (publish/known_issues.py).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from ..citation import bibtex_of, sentence
from . import facts
from .answer import Answer, as_json
from .api import samples
from .asked import AS_OF, NoSuchChoice, read, refused
from .catalog import CatalogPages, terms_in
from .changelog import Entry
from .ended import ended
from .frame import Dictionary, Frame
from .near import near
from .plot import levels
from .reader import Reader, Row
from .shelf import Shelf
from .tally import TABLES
from .visit import Visit, address, of_release

ADDRESS = r"/data/about/(?P<dataset>[a-z_]{1,64})(\.json)?"
MOST = 20  # entries of the changelog on the page; all are in /data/changelog.json
# kinds that have words
ISSUES = (
    "bad_value",
    "missing_field",
    "unmapped_field",
    "set_aside",
    "part_set_aside",
    "duplicate_key",
    "duplicate_part",
    "screened",
    "file",
)
WITH_PLACES = ("institutions", "listings", "notices", "ratings")  # of which the rows of a region can be taken
Example = tuple[str, str]  # the key of what it is, and the address


class DatasetPages:
    """`render` and `problem` are those of Pages, `given` is that of Downloads; `dictionary` is in reading order."""

    def __init__(
        self, shelf: Shelf, render: Callable[..., Answer], problem: Callable[..., Answer], dictionary: Dictionary, frame: Frame, catalog: CatalogPages,
        given: Callable[[Reader, str], Mapping[str, list[Row]]],
    ) -> None:  # fmt: skip
        self._shelf, self._render, self._problem = shelf, render, problem
        self._dictionary, self._frame, self._catalog, self._given = dictionary, frame, catalog, given

    def page(self, visit: Visit, reader: Reader) -> Answer:
        name = visit.parts["dataset"]
        it = self._dictionary.get(name)
        if it is None:
            said = {"name": name, "known": ", ".join(self._dictionary)}
            others = near(name, {one: address(f"/data/about/{one}", visit.lang) for one in self._dictionary})
            return self._problem(visit, 404, "no_dataset", said, near=others, onward=address("/data", visit.lang), onward_said="data.title")
        try:
            read(visit.pairs, (AS_OF,))
        except NoSuchChoice as no:
            return refused(self._problem, visit, no, visit.path, ())
        except ValueError:
            return self._problem(visit, 400, "bad_request")
        told = self._told(visit, reader, name, it)
        if visit.wants_json:
            return as_json(told)
        return self._render("dataset.html", it=it, **self._beside(visit, reader, name, it, told))

    def _told(self, visit: Visit, reader: Reader, name: str, it: Row) -> Row:
        """What the JSON says."""
        live = visit.live or reader
        counts, held = ended(reader, visit.today).counts, [row for row in reader.held if row["table"] in it["tables"]]
        over = self._shelf.archive.rows(live, reader.id)
        published = over[-1][2] if over else {}
        return {
            **of_release(visit, reader),
            "dataset": name,
            "version": reader.manifest.get("versions", {}).get(name, {}).get("version"),
            "label": it["label"],
            "about": it["about"],
            "tables": [
                {"name": table, "rows": counts.get(table, 0), "rows_as_published": published.get(table), **said}
                for table, said in it["tables"].items()
            ],
            "sources": [source["id"] for source in self._sources(visit, reader, it)],
            "rows_over_time": [
                {"release": id, "day": day, "rows": {table: of[table] for table in it["tables"] if table in of}} for id, day, of in over
            ],
            "known_issues": known(reader, it),
            "held": [{key: row.get(key) for key in ("source", "table", "region", "since", "bound")} for row in held],
        }

    def _beside(self, visit: Visit, reader: Reader, name: str, it: Row, told: Row) -> dict[str, Any]:
        """What the page has beside it."""
        over = [one for one in told["rows_over_time"] if one["rows"]]
        main = next(iter(it["tables"]))
        columns = [column for table in it["tables"].values() for column in table["columns"].values()]
        here = f"{self._frame.site(f'/data/about/{name}')}?as_of={reader.id}"
        title, version = f"{it['label']['zh']} {it['label']['en']}", told["version"] or ""
        drawn = levels([(one["release"], one["day"], one["rows"].get(main, 0)) for one in over])
        files = {} if visit.is_past else self._given(reader, visit.today)
        return {
            "told": told,
            "main": main,
            "sources": self._sources(visit, reader, it),
            "codes": {column["codes"]: reader.codes(column["codes"]) for column in columns if "codes" in column},
            "plot": drawn,
            "over": [over[bar.last] for bar in drawn.bars],
            "says_issues": "known_issues" in reader.manifest,
            "cited": sentence(reader.id, reader.released_on, visit.lang, it["label"][visit.lang], version, here),
            "bibtex": bibtex_of(reader.id, reader.released_on, name, title, version, here),
            "changelog": self._changelog(visit, reader, name)[:MOST],
            "books": [one for one in files.get(name, []) if one["form"] == "xlsx"],
            "files": {table: files.get(table, []) for table in it["tables"]},
            "examples": () if visit.is_past else self._examples(visit, reader, name, main),
            "licence": terms_in(visit.lang),
            "linked": self._catalog.for_search_engines(reader, visit.today, name),
        }

    def _examples(self, visit: Visit, reader: Reader, name: str, main: str) -> Sequence[Example]:
        past = self._shelf.past(reader)
        has_past = past is not None and main in (row["name"] for row in past.rows(visit.today, TABLES))
        return examples(reader, name, main, visit.today, has_past=has_past) if main in reader.counts else ()

    def _changelog(self, visit: Visit, reader: Reader, name: str) -> list[Entry]:
        return [entry for entry in self._shelf.archive.changelog(visit.live or reader, reader.id) if entry["dataset"] == name]

    def _sources(self, visit: Visit, reader: Reader, it: Row) -> list[Row]:
        """The sources that fill a table of a dataset; of a release that does not say so, all."""
        fills = {row["id"]: row["tables"] for row in reader.manifest.get("sources", []) if "tables" in row}
        all_of_them, tables = facts.sources(reader, visit.today), set(it["tables"])
        return [source for source in all_of_them if not tables.isdisjoint(fills.get(source["id"], tables))]


def known(reader: Reader, it: Row) -> list[Row]:
    """What of the newest records could not be used as it was: table, column or None, kind and count, of what is published and has words alone."""
    return [
        {"table": row["table"], "column": row["column"], "kind": row["kind"], "count": row["count"]}
        for row in reader.manifest.get("known_issues", [])
        if row["table"] in it["tables"] and row["column"] in (None, *it["tables"][row["table"]]["columns"]) and row["kind"] in ISSUES
    ]


def examples(reader: Reader, name: str, main: str, today: str, *, has_past: bool) -> Sequence[Example]:
    """Questions to ask by program that have an answer in this release; `main` is the dataset's first table."""
    ids = samples(reader, today)
    own: dict[str, Sequence[Example]] = {
        "institutions": (
            ("search", "/search.json?q=peixun&limit=3"),
            ("institution", f"/institutions/{quote(ids['$institution'])}.json"),
            ("verify", f"/verify.json?{urlencode({'name': ids['$name'], 'region': ids['$region']})}"),
        ),
        "notices": (("notices", "/notices.json?sort=newest&limit=3"), ("feed", "/feeds/notices.json")),
    }
    region = [("region", f"/data/{main}.csv?region={ids['$province']}")] if name in WITH_PLACES else []
    sql = urlencode({"sql": f'SELECT count(*) AS "rows" FROM "{main}"', "_shape": "array"})  # noqa: S608 # a name of the declarations
    then = [("then", f"/history/{main}_as_of.json?release={reader.id}&_shape=objects&_size=3")] if has_past else []
    return (
        *(own.get(name, ()) if reader.counts.get(name) else ()),
        ("rows", f"/mingbai/{main}.json?_shape=objects&_size=3"),
        ("sql", f"/mingbai.json?{sql}"),
        *region,
        ("changes", f"/changes.json?dataset={name}&limit=3"),
        *then,
        ("dataset", f"/data/about/{name}.json"),
    )
