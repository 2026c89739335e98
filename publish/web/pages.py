"""Our own pages and their JSON: one function an address, from a visit to an answer.

They run in the event loop, each on the visit's own release: a few look-ups of some microseconds cost less than a change of thread.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import cast

from jinja2 import Environment

from ..questions import DUCKDB, QUESTIONS
from ..wording import LANGUAGES
from . import badge, catalog, crawlers, dataset, deltas, downloads, exports, facts, reconcile, schema, sealed, status
from .answer import CSV, HTML, OPEN, Answer, as_json, file_answer, moved
from .asked import AS_OF, NoSuchChoice, read, refused
from .changed import ChangePages, as_public
from .changelog import Entry, as_csv
from .compare import ComparePages
from .ended import ended
from .feeding import FeedPages
from .found import SearchPages
from .frame import STATIC, Dictionary, Frame
from .glossary import glossary
from .noticing import NoticePages
from .provenance import origins
from .reader import Reader
from .region_pages import RegionPages
from .shelf import Shelf
from .terms import in_force, tombstone
from .verify import VerifyPages
from .visit import Visit, address, of_release, spelt

FIRST = ("institutions", "listings", "notices", "notice_links", "ratings")  # on the data page; what they lean on comes after
SCRIPTED = ("start.html", "search.html")  # where somebody types a name
TABLE = re.compile(rf"(?P<table>[a-z_]{{1,64}})\.(?P<form>{exports.FORM})")
NOTHING: Mapping[str, str] = {}
IN_RELEASES = """SELECT r.id FROM institutions h JOIN releases r ON r.number >= h.release_from AND r.number < coalesce(h.release_to, r.number + 1)
    WHERE h.id = ? ORDER BY r.number DESC"""


Page = Callable[[Visit, Reader], Answer]


class NotHere(Exception):
    """The address names nothing that we have."""


class Pages:
    """The site's pages over one shelf."""

    def __init__(self, shelf: Shelf, templates: Environment, dictionary: Dictionary, hubs: Sequence[str] = ()) -> None:
        self._shelf = shelf
        self._templates = templates
        self._dictionary = dictionary
        self._csv: tuple[list[Entry] | None, bytes] = None, b""
        frame = cast(Frame, templates.globals["frame"])
        self.found = SearchPages(self.render, self.problem)
        self.changed = ChangePages(shelf, self.render, self.problem, dictionary, FIRST)
        self.regions = RegionPages(self.render, self.problem, self.changed, frame.hotlines)
        self.reconciliation = reconcile.Reconciliation(self.render, dictionary, templates)
        self.badges = badge.BadgePages(self.render, self.problem)
        self.verify = VerifyPages(self.render, self.problem, of_release)
        self._frame = frame
        self.feeds = FeedPages(shelf, self.render, self.problem, lambda: status.told(shelf.home), frame, hubs)
        self.catalog = catalog.CatalogPages(shelf, frame, dictionary)
        self.crawlers = crawlers.Crawlers(self.problem, frame, dictionary)
        self._in_order = dict(sorted(dictionary.items(), key=_reading_order))
        self._status = status.StatusPages(shelf, self.render, self.problem)
        self._exports = exports.Exports(self.problem, dictionary)
        self.downloads = downloads.Downloads(shelf, self.render, self.problem, self._in_order)
        self.datasets = dataset.DatasetPages(shelf, self.render, self.problem, self._in_order, frame, self.catalog, self.downloads.given)
        # asked for most often, and without a problem's page: their answers are JSON whatever happens
        self.hot: Mapping[str, Page] = {
            address(path, lang): page
            for path, page in (("/search.json", self.found.page), ("/suggest.json", self.found.suggest))
            for lang in LANGUAGES
        }
        self._routes: list[tuple[re.Pattern[str], Page]] = [
            (re.compile(pattern), page)
            for pattern, page in (
                (r"/", self.start),
                (r"/search(\.json)?", self.found.page),
                (r"/suggest\.json", self.found.suggest),
                (r"/verify(\.json)?", self.verify.page),
                (r"/institutions/(?P<id>[A-Za-z0-9_-]{1,64})(\.json)?", self.institution),
                (r"/institutions/(?P<id>[A-Za-z0-9_-]{1,64})/provenance", self.provenance),
                (r"/compare(\.json)?", ComparePages(self.render, self.problem).page),
                (r"/notices(\.json)?", NoticePages(self.render, self.problem).page),
                (r"/notices/(?P<id>[A-Za-z0-9_-]{1,64})(\.json)?", self.notice),
                (r"/regions(\.json)?", self.regions.index),
                (r"/regions/(?P<code>[^/.]{1,60})(\.json)?", self.regions.page),
                (rf"/search\.(?P<form>{exports.FORM})", self._exports.institutions),
                (rf"/notices\.(?P<form>{exports.FORM})", self._exports.notices),
                (badge.PATTERN, self.badges.picture),
                (r"/for-institutions", self.badges.page),
                (r"/words", self.words),
                (r"/data", self.data),
                (r"/data/changelog\.(json|csv)", self.changelog),
                (dataset.ADDRESS, self.datasets.page),
                (catalog.ADDRESS, self.catalog.catalog),
                (r"/openapi\.json", self.catalog.openapi),
                (sealed.ADDRESS, self.sealed),
                (downloads.LIST, self.files),
                (downloads.FILE, self.file),
                (rf"/data/{TABLE.pattern}", self.table),
                (r"/data/(?P<name>.*[^/])", self.nothing),
                (r"/(?P<name>(?P<page>search|notices)\.(?P<form>[A-Za-z0-9.]{1,30}))", self._exports.nothing),
                (r"/deltas/index\.json", self.deltas),
                (deltas.ADDRESS, self.delta),
                (r"/changes(\.json|\.csv)?", self.changed.page),
                (reconcile.ADDRESS, self.reconciliation.page),
                (r"/feeds(\.opml|/.*)?", self.feeds.page),
                (r"/robots\.txt", self.robots),
                (r"/sitemap\.xml", self.sitemap),
                (crawlers.ADDRESS, self.sitemap_part),
            )
        ]

        # those of them that may be sent something: `Visit.sent`
        self.posted: tuple[Page, ...] = (self.verify.page, self.reconciliation.page)

    def takes_post(self, path: str) -> bool:
        """Whether the page at a path takes a POST."""
        found = self.find(path)
        return found is not None and found[0] in self.posted

    def find(self, path: str) -> tuple[Page, Mapping[str, str]] | None:
        """The page at a path (without language) and the parts of the path, or None where it is not ours."""
        for pattern, page in self._routes:
            match = pattern.fullmatch(path)
            if match:
                return page, {key: value for key, value in match.groupdict().items() if value is not None}
        return None

    def has_past(self, path: str) -> bool:
        """Whether a page can be of an earlier release (`as_of`)."""
        found = self.find(path)
        own: list[Page] = [self.feeds.page, self.delta, self.deltas, self.changed.page, self.found.suggest, self.reconciliation.page]
        own += [
            self.regions.index,
            self.regions.page,
            self.catalog.catalog,
            self.catalog.openapi,
            self.sealed,
            self.files,
            self.file,
            self.table,
            self.nothing,
            self.badges.picture,
            self.badges.page,
            self._exports.institutions,
            self._exports.notices,
            self._exports.nothing,
            self.robots,
            self.sitemap,
            self.sitemap_part,
        ]
        return found is not None and found[0] not in own

    def render(self, template: str, status: int = 200, **values: object) -> Answer:
        if template in SCRIPTED:
            values["scripted"] = True
        body = self._templates.get_template(template).render(**values).encode("utf-8", "replace")
        return Answer(status, body, HTML, scripted=template in SCRIPTED)

    def problem(self, visit: Visit, status: int, kind: str, said: downloads.Said = NOTHING, **values: object) -> Answer:
        """A page, or JSON where JSON was asked for, that says what went wrong in the visitor's language and no more than that.

        `said` are the values of its text.
        """
        words = {key: value if isinstance(value, str) else ", ".join(value) for key, value in said.items()}
        if visit.wants_json:
            return as_json({"error": kind, "message": visit.t(f"problem.{kind}.text", **words), "status": status, **said}, status)
        return self.render("problem.html", status, kind=kind, said=words, **values)

    # -- pages of a release ------------------------------------------------------------------------------------------

    def start(self, visit: Visit, reader: Reader) -> Answer:
        return self.render(
            "start.html",
            counts=ended(reader, visit.today).counts,
            changed=self.changed.newest(visit, reader),
            linked=None if visit.as_of else schema.website(self._frame, visit),
            **facts.overview(reader, visit.today),
        )

    def institution(self, visit: Visit, reader: Reader) -> Answer:
        id = visit.parts["id"]
        found = facts.institution(reader, id, visit.today)
        if found is None:
            return self._successors(visit, reader, id)
        found["predecessors"] = [{**row, "shown_in": self._shown_in(visit, reader, row["id"])} for row in found["predecessors"]]
        found["successors"] = facts.succeeded_by(visit.live or reader, id)
        timeline, more = self.changed.timeline(visit, reader)
        if visit.wants_json:
            return as_json({**of_release(visit, reader), **found, "timeline": as_public(timeline, visit, reader)})
        linked = None if visit.as_of else schema.institution(self._frame, visit, reader, found)
        return self.render(
            "institution.html",
            it=found,
            first=self._first(visit, reader),
            timeline=timeline,
            more=more,
            linked=linked,
            sources=facts.sources_of(reader, found),
        )

    def provenance(self, visit: Visit, reader: Reader) -> Answer:
        found = facts.institution(reader, visit.parts["id"], visit.today)
        if found is None:
            return self._successors(visit, reader, visit.parts["id"])
        found["notices"] = [{**notice, **(facts.notice(reader, notice["id"]) or {})} for notice in found["notices"]]
        return self.render("provenance.html", it=found, origins=origins(found, self._dictionary))

    def _successors(self, visit: Visit, reader: Reader, id: str) -> Answer:
        """Where to go from an institution that is gone: to the one that took its place, or a choice of several."""
        several = facts.successors(reader, id)
        if not several:
            raise NotHere
        if len(several) == 1:
            return moved(spelt(visit, f"/institutions/{several[0]['id']}{'.json' if visit.wants_json else ''}"))
        found = {"id": id, "successors": several, "lineage": facts.succeeded_by(reader, id)}
        if visit.wants_json:
            return as_json({**of_release(visit, reader), **found}, 300)
        return self.render("successors.html", 300, it=found)

    def _shown_in(self, visit: Visit, reader: Reader, institution: str) -> str | None:
        """The id of the last release that is kept and had an institution."""
        past = self._shelf.past(visit.live or reader)
        kept = {id for id, _ in self._shelf.archive.known(visit.live or reader)}
        had = past.rows(visit.today, IN_RELEASES, institution) if past else []
        return next((row["id"] for row in had if row["id"] in kept), None)

    def notice(self, visit: Visit, reader: Reader) -> Answer:
        id = visit.parts["id"]
        found = facts.notice(reader, id)
        if found is None or not in_force(found, visit.today):
            stone = tombstone(found, visit.today, reader.released_on) if found else reader.gone(id, visit.today)
            if stone is None:
                raise NotHere
            public = self.changed.was_public(visit, reader)
            if visit.wants_json:
                return as_json({**of_release(visit, reader), "tombstone": stone, **public}, 410)
            return self.render("gone.html", 410, stone=stone, **public)
        timeline, more = self.changed.timeline(visit, reader)
        if visit.wants_json:
            return as_json({**of_release(visit, reader), **found, "timeline": as_public(timeline, visit, reader)})
        return self.render(
            "notice.html",
            it=found,
            first=self._first(visit, reader),
            timeline=timeline,
            more=more,
            sources=facts.sources_of(reader, found),
            feed=self.feeds.of_notice(found, reader),
        )

    def _first(self, visit: Visit, reader: Reader) -> str:
        """The day of the first release that is kept."""
        return self._shelf.archive.known(visit.live or reader)[0][1]

    def data(self, visit: Visit, reader: Reader) -> Answer:
        return self.render(
            "data.html",
            dictionary=self._in_order,
            counts=ended(reader, visit.today).counts,
            versions=_versions(reader),
            **self.catalog.told(visit, reader, _versions(reader)),
            sources=facts.sources(reader, visit.today),
            questions=QUESTIONS,
            duckdb=DUCKDB,
            has_files=not visit.is_past and bool(self.downloads.given(reader, visit.today)),
        )

    def words(self, visit: Visit, reader: Reader) -> Answer:
        try:
            read(visit.pairs, (), (AS_OF,))
        except NoSuchChoice as no:
            return refused(self.problem, visit, no, "/words", ())
        except ValueError:
            return self.problem(visit, 400, "bad_request")
        return self.render("words.html", topics=glossary(reader, self._dictionary, visit.lang))

    def changelog(self, visit: Visit, reader: Reader) -> Answer:
        found = self._shelf.archive.changelog(visit.live or reader, reader.id)
        if visit.wants_json:
            return as_json({**of_release(visit, reader), "versions": _versions(reader), "entries": found})
        if self._csv[0] is not found:  # 400 releases take 40 ms, in which nobody else is answered
            self._csv = found, as_csv(found)
        return Answer(200, self._csv[1], CSV, OPEN)

    def deltas(self, visit: Visit, reader: Reader) -> Answer:
        return deltas.index(reader, self._shelf.home, visit.today)

    def delta(self, visit: Visit, reader: Reader) -> Answer:
        which, form = visit.parts["which"], visit.parts["form"]
        if which not in deltas.WINDOWS and which not in (id for id, _ in self._shelf.archive.known(reader)):
            raise NotHere
        return _there(deltas.delta(reader, which, form, visit.today, self._shelf.home / "releases"))

    def files(self, visit: Visit, reader: Reader) -> Answer:
        return self._refusing(visit) or self.downloads.index(visit, reader)

    def file(self, visit: Visit, reader: Reader) -> Answer:
        """A file of a release; a table of the newest one also takes a region."""
        if visit.query and visit.parts["release"] in (downloads.LATEST, reader.id) and (table := TABLE.fullmatch(visit.parts["file"])):
            return self._table(replace(visit, parts={**visit.parts, **table.groupdict()}), reader)
        return self._refusing(visit) or self.downloads.file(visit, reader)

    def table(self, visit: Visit, reader: Reader) -> Answer:
        """A table of the newest release: what lies ready, or where a region is named its rows there."""
        if visit.query:
            return self._table(visit, reader)
        name = f"{visit.parts['table']}.{visit.parts['form']}"
        if not self.downloads.has(reader, name, visit.today):
            return self.downloads.nothing(visit, reader, name)
        return downloads.to(visit, f"/data/{reader.id}/{name}")

    def nothing(self, visit: Visit, reader: Reader) -> Answer:
        """Of an address below /data that names no file."""
        return self.downloads.nothing(visit, reader, visit.parts["name"])

    def _table(self, visit: Visit, reader: Reader) -> Answer:
        if not self._exports.has(visit.parts["table"]):
            return self.downloads.nothing(visit, reader, f"{visit.parts['table']}.{visit.parts['form']}")
        return self._exports.of_region(visit, reader)

    def _refusing(self, visit: Visit) -> Answer | None:
        """A file is asked for by its name alone: a key would be taken for a filter, and the whole for what it leaves."""
        if not visit.query:
            return None
        return refused(self.problem, visit, NoSuchChoice(visit.query.partition("=")[0][:50], "–", "key"), visit.path, ())

    def sealed(self, visit: Visit, reader: Reader) -> Answer:
        there = sealed.sealed(self._shelf.home, [id for id, _ in self._shelf.archive.known(reader)], **visit.parts)
        if there is None and "release" in visit.parts:
            return self.downloads.file(visit, reader)  # which says what there is
        return _there(there)

    def robots(self, visit: Visit, reader: Reader) -> Answer:
        return _there(self.crawlers.robots(visit))

    def sitemap(self, visit: Visit, reader: Reader) -> Answer:
        return _there(self.crawlers.index(visit, reader))

    def sitemap_part(self, visit: Visit, reader: Reader) -> Answer:
        return _there(self.crawlers.part(visit, reader))

    # -- pages without a release -------------------------------------------------------------------------------------

    def status(self, visit: Visit) -> Answer:
        return self._status.page(visit)

    def static(self, name: str, fixed: bool) -> Answer | None:
        if "/" in name or name.startswith("."):
            return None
        return file_answer(STATIC / name, cache="public, max-age=31536000, immutable" if fixed else "no-cache")


def _there(answer: Answer | None) -> Answer:
    if answer is None:
        raise NotHere
    return answer


def _versions(reader: Reader) -> dict[str, str]:
    """The version of each dataset; none in a release from before there were versions."""
    return {dataset: one["version"] for dataset, one in reader.manifest.get("versions", {}).items()}


def _reading_order(item: tuple[str, object]) -> int:
    return FIRST.index(item[0]) if item[0] in FIRST else len(FIRST)
