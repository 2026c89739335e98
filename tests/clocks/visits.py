"""What a visitor asks on a day, of every surface, and which of the answers hold a mark that may not be shown."""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable
from datetime import date, timedelta
from pathlib import Path
from random import Random

import httpx

from publish.catalogue import Catalogue, dictionary
from publish.web.past import Past
from publish.web.server import build_app

from .lives import FIRST_DAY
from .releases import Releases, at

TRIES = 5  # a query may take 0.3 seconds: on a machine that does other things too it is asked again
MARK, ID = re.compile(rb"m[kl]\d{5}x"), re.compile(rb"\b[nld]-[0-9a-f]{16}\b")
TABLES = {
    "notices": "group_concat(id || title || coalesce(facts, '') || coalesce(document_no, ''))", "documents": "group_concat(id || title || coalesce(url, ''))",
    "listings": "group_concat(id || batch_label || subject_name)", "notice_links": "group_concat(notice_id)", "notice_penalties": "group_concat(notice_id)",
    "notice_measures": "group_concat(notice_id)", "notice_statements": "group_concat(notice_id || coalesce(document, ''))",
}  # fmt: skip
AROUND = (  # what a visitor may try
    "select group_concat(title) as t from main.notices", "with notices as (select * from main.notices) select group_concat(title) as t from notices",
    'select group_concat(title) as t from "_in_force_notices"', "select group_concat(title) as t from temp.notices", "select group_concat(batch_label) as t from main.listings",
    "with listings as (select * from main.listings) select group_concat(batch_label) as t from listings", "select group_concat(title) as t from main.documents",
)  # fmt: skip
FEEDS = (
    *(f"{key}.{form}" for key in ("notices", "records", "records/seriousness/serious") for form in ("rss", "atom", "json")),
    *("notices/region/330000.json", "records/since/0.json", "records/archive/1.atom", "records", "corrections"),
)
CHANGES = "SELECT key, field, before, after, subject FROM changes WHERE is_shown AND table_name <> 'institutions'"


class Visitor:
    """Asks, and writes down what should not have been in an answer (`leaks`) or should have been (`lacks`)."""

    def __init__(self, home: Path, catalogue: Catalogue, releases: Releases, draw: Random) -> None:
        self.releases, self.draw = releases, draw
        self.now = at(FIRST_DAY)
        self.app = build_app(home, dictionary=dictionary(catalogue), now=lambda: self.now, grace_seconds=0.0)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app), base_url="http://site.example")
        self.leaks: dict[str, list[str]] = {}
        self.lacks: dict[str, list[str]] = {}
        self.asked: Counter[tuple[str, int]] = Counter()
        self.tags: dict[str, tuple[str, bytes]] = {}  # by address: what a cache has of it
        self.past: Past | None = None
        self.properties: list[dict[str, str]] = []  # that can be added to a spreadsheet
        self.day = date.min

    async def to(self, day: date) -> None:
        """It is the first instant of a day in China."""
        self.day, self.now = day, at(day, 0)
        await self.app.shelf.refresh()
        reader = self.app.shelf.reader
        if reader is not None and (self.past is None or self.past.reader is not reader):
            if self.past:
                self.past.close()
            self.past, self.tags = Past(reader), {}

    def wait(self, seconds: int) -> None:
        """Time goes on, or back."""
        self.now += timedelta(seconds=seconds)

    def scan(self, where: str, body: bytes, allowed: Collection[str], what: str = "", by: str = "marks ids") -> set[str]:
        """The marks in an answer, and those of the ids in it. `by` leaves out the former where the answer repeats what was asked for, and the
        latter where it may say that something came and went."""
        found = {mark.decode() for mark in MARK.findall(body)} if "marks" in by else set()
        found |= {mark for one in ID.findall(body) if (mark := self.releases.ids.get(one))} if "ids" in by else set()
        for stray in found - set(allowed):
            self.leaks.setdefault(where, []).append(f"{self.day} {stray} {what}")
        return found

    async def ask(
        self, where: str, path: str, allowed: Collection[str], status: Collection[int] = (200,), by: str = "marks ids"
    ) -> set[str]:
        """One question, with what a cache has of its answer beside it."""
        headers = {"if-none-match": self.tags[path][0]} if path in self.tags else {}
        for _ in range(TRIES):
            answer = await self.client.get(path, headers=headers)
            body = answer.content
            if answer.status_code != 400 or b'"slow"' not in body:
                break
        self.asked[where, answer.status_code] += 1
        if answer.status_code == 304:
            body = self.tags[path][1]  # what the cache then shows
        elif answer.status_code == 200 and (tag := answer.headers.get("etag")):
            self.tags[path] = tag, body
        if (200 if answer.status_code == 304 else answer.status_code) not in status:
            self.lacks.setdefault(where, []).append(f"{self.day} {answer.status_code} {path}")
        return self.scan(where, body, allowed, path, by)

    def wants(self, where: str, found: Collection[str], expected: Iterable[str]) -> None:
        for mark in set(expected) - set(found):
            self.lacks.setdefault(where, []).append(f"{self.day} {mark}")

    async def gone(self, mark: str, as_of: str = "") -> None:
        """Every address of a notice that is not shown any more, also of an earlier release."""
        id = self.releases.id_of[mark]
        ours = [f"{lang}/notices/{id}{end}" for lang in ("", "/en") for end in ("", ".json")]
        for path in (
            [f"{path}?as_of={as_of}" for path in ours] if as_of else [*ours, f"/mingbai/notices/{id}", f"/mingbai/notices/{id}.json"]
        ):
            for method in ("GET", "HEAD") if path == ours[0] else ("GET",):
                headers = {"if-none-match": self.tags[path][0]} if path in self.tags else {}
                answer = await self.client.request(method, path, headers=headers)
                if answer.status_code not in (404, 410):
                    self.leaks.setdefault("gone", []).append(f"{self.day} {mark} {answer.status_code} {method} {path}")
                self.scan("gone", answer.content.replace(id.encode(), b""), (), path)

    async def there(self, mark: str) -> None:
        """The addresses of a notice that is to be shown."""
        id = self.releases.id_of[mark]
        for path in (f"/notices/{id}", f"/notices/{id}.json", f"/mingbai/notices/{id}.json"):
            self.wants("there", await self.ask("there", path, self.releases.visible(self.day)), {mark})

    async def overview(self) -> None:
        """What says something of many: the start page, the feeds, what SQL gives, the past."""
        allowed, must = self.releases.visible(self.day), self.releases.must(self.day)
        await self.ask("start", "/", allowed)
        feed = self.draw.choice(FEEDS)  # each takes a tenth of a second where something of it has ended
        await self.ask("feed", f"/feeds/{feed}", allowed, (200, 307), by="marks")  # that something came and went it tells by an id
        await self.ask("feed", f"/feeds/records.json?year={self.day.year}&seriousness={self.draw.choice(('serious', 'general'))}", allowed)
        found_by_sql = {
            mark for mark in allowed if not mark.startswith("mk") or mark in self.releases.searchable
        }  # nobody who is no organisation
        for table, of in TABLES.items():
            found = await self.sql(f"select {of} as t from {table}", found_by_sql)
            if table in ("notices", "listings", "documents"):
                expected = {mark for mark in must if table == "documents" or mark.startswith("mk") == (table == "notices")}
                self.wants(f"sql {table}", found, expected & found_by_sql)
        await self.sql(self.draw.choice(AROUND), found_by_sql, (200, 400))
        self.of_the_past(allowed, must)

    async def sql(self, query: str, allowed: Collection[str], status: Collection[int] = (200,)) -> set[str]:
        return await self.ask("sql", str(httpx.URL("/mingbai.json", params={"sql": query, "_shape": "array"})), allowed, status)

    def of_the_past(self, told: Collection[str], must: Collection[str]) -> None:
        """past/ID.db, as our pages read it."""
        assert self.past is not None
        today = self.day.isoformat()
        for table, of in TABLES.items():  # in parts: no value on our connections may be larger than a megabyte
            key = "notice_id" if "notice_id" in of else "id"
            rows = self.past.rows(today, f"SELECT {of} AS t FROM {table} GROUP BY substr({key}, 1, 4)")
            found = self.scan(f"past {table}", "".join(row["t"] for row in rows).encode(), told)
            if table == "notices":
                self.wants("past", found, {mark for mark in must if mark.startswith("mk")})
        self.scan("past changes", repr(self.past.rows(today, CHANGES)).encode(), told)

    async def tables(self) -> None:
        """Datasette's pages of whole tables, as HTML, JSON and CSV."""
        allowed, must = self.releases.visible(self.day), self.releases.must(self.day)
        for table in TABLES:
            await self.ask("table", f"/mingbai/{table}", allowed)
            await self.ask("table", f"/en/mingbai/{table}.json?_size=max&_labels=on&_facet=rowid", allowed, (200, 400))
            expected = (
                {mark for mark in must if mark.startswith("mk") == (table == "notices")} if table in ("notices", "listings") else set()
            )
            for _ in range(TRIES):
                found = await self.ask("csv", f"/mingbai/{table}.csv?_stream=1&_size=max", allowed)
                if expected <= found:
                    break
            self.wants(f"csv {table}", found, expected)
        for table in ("notices", "listings"):
            count = (await self.client.get(f"/mingbai/{table}.json?_size=0")).json()["filtered_table_rows_count"]
            least, most = (sum(mark.startswith("mk") == (table == "notices") for mark in marks) for marks in (must, allowed))
            if not least <= count <= most:
                self.leaks.setdefault("count", []).append(f"{self.day} {table}: {count} of {least} to {most}")
        live = self.releases.work.live
        for path in (
            f"/releases/{live}/mingbai.db",
            f"/past/{live}.db",
            f"/feeds/{live}.db",
            "/history.db",
            "/mingbai.db",
            f"/{live}/mingbai.db",
            "/current/search/index.db",
        ):
            await self.ask("file", path, (), (404,))
        for path in ("/data", "/data/about/notices", "/status", "/status.json", "/mingbai", "/mingbai/sources", "/mingbai/held_partitions"):
            await self.ask("page", path, allowed)

    async def about(self, mark: str, as_of: str = "") -> None:
        """What shows a notice or a listing beside others: its institution, the search for it, its rows by a filter."""
        allowed = self.releases.visible_of(as_of, self.day) if as_of else self.releases.visible(self.day)
        more = f"as_of={as_of}" if as_of else ""
        for institution in sorted(self.releases.linked.get(mark, ())):
            for end in ("", ".json"):
                path = f"/institutions/{institution}{end}?{more}"
                found = await self.ask("institution", path, allowed | self.releases.visible(self.day), (200, 404) if as_of else (200,))
                if end and path in self.tags:  # only what tells of changes tells of what ends otherwise today
                    rest = {key: value for key, value in json.loads(self.tags[path][1]).items() if key != "timeline"}
                    self.scan("institution", json.dumps(rest, ensure_ascii=False).encode(), allowed, path)
                if not as_of and mark in self.releases.must(self.day):
                    self.wants("institution", found, {mark})
            if not as_of:
                found = await self.ask("feed of one", f"/feeds/institutions/{institution}.json", allowed)
                if mark in self.releases.must(self.day) and mark.startswith("mk"):
                    self.wants("feed of one", found, {mark})
                await self.reconciled(institution, mark, allowed)
            await self.verify(institution, mark, allowed, as_of)
        for end in ("", ".json"):
            found = await self.ask("search", f"/search{end}?q={mark}&{more}", allowed, by="ids")
            if not as_of and mark in self.releases.must(self.day) and mark in self.releases.searchable:
                self.wants("search", found, {mark})
        for asked in (f"q={mark}", f"q=NOT+{mark}x&limit=100", f"q={mark}+OR+%E5%85%AC%E5%91%8A&sort=newest"):
            for end in ("", ".json"):
                found = await self.ask("notices", f"/notices{end}?{asked}&{more}", allowed, by="ids")
                if not as_of and end and asked == f"q={mark}" and mark in self.releases.must(self.day) and mark in self.releases.searchable:
                    self.wants("notices", found, {mark})
        if not as_of:
            found = await self.ask("feed of a search", f"/feeds/records.json?q={mark}", allowed, by="ids")
            if mark in self.releases.must(self.day) and mark in self.releases.searchable and mark.startswith("mk"):
                self.wants("feed of a search", found, {mark})
            for table, column in (("notices", "title"), ("documents", "title"), ("listings", "batch_label")):
                await self.ask("filter", f"/mingbai/{table}.json?_shape=array&{column}__contains={mark}", allowed)

    async def reconciled(self, institution: str, mark: str, allowed: Collection[str]) -> None:
        """What a spreadsheet is given of an institution: all the columns that there are, and the page that OpenRefine shows of it."""
        if not self.properties:
            self.properties = (await self.client.get("/reconcile/extend")).json()["properties"]
        extend = json.dumps({"ids": [institution], "properties": self.properties})
        found = await self.ask("extend", str(httpx.URL("/reconcile", params={"extend": extend})), allowed)
        if mark in self.releases.must(self.day) and mark.startswith("mk"):
            self.wants("extend", found, {mark})
        await self.ask("preview", f"/reconcile/preview?id={institution}", allowed)

    async def verify(self, institution: str, mark: str, allowed: Collection[str], as_of: str) -> None:
        """Whether an institution is listed: by its name in its county and by its code, alone and in a list."""
        assert self.app.shelf.reader is not None
        row = self.app.shelf.reader.row("SELECT name, region_code, credit_code FROM institutions WHERE id = ?", institution)
        if row is None:
            return
        by_code = row["credit_code"] and self.draw.random() < 0.5
        asked = {"code": row["credit_code"]} if by_code else {"name": row["name"], "region": row["region_code"]}
        for end in ("", ".json"):
            found = await self.ask("verify", str(httpx.URL(f"/verify{end}", params=asked | ({"as_of": as_of} if as_of else {}))), allowed)
            if not as_of and mark in self.releases.must(self.day):
                self.wants("verify", found, {mark})
        if not as_of:
            for end, sent in (
                (".json", {"json": {"queries": [asked]}}),
                ("", {"data": {"names": row["name"], "region": row["region_code"]}}),
            ):
                answer = await self.client.post(f"/verify{end}", **sent)  # type: ignore[arg-type]
                self.asked["verify list", answer.status_code] += 1
                self.scan("verify list", answer.content, allowed)

    async def earlier(self, release: str, marks: Iterable[str]) -> None:
        """An earlier release: what stands in it of some notices and listings, and what is over everywhere."""
        allowed = self.releases.visible_of(release, self.day)
        for path in ("/", "/data", "/en/"):
            await self.ask("as-of", f"{path}?as_of={release}", allowed)
        for mark in marks:
            await self.about(mark, release)
            if mark.startswith("mk") and mark not in allowed:
                await self.gone(mark, release)
            elif mark.startswith("mk"):
                await self.ask("as-of", f"/notices/{self.releases.id_of[mark]}.json?as_of={release}", allowed)

    async def changes(self) -> None:
        """What tells of changes: /changes, the past in SQL, and deltas. That something came and went may be told."""
        told, release = self.releases.visible(self.day), self.draw.choice(sorted(self.releases.then))
        other = self.draw.choice(sorted(self.releases.then))
        for query in (
            "",
            f"release={release}",
            f"from={release}&to={other}",
            "cause=expiry",
            "dataset=notices&kind=add&limit=200",
            "table=listings&limit=200",
        ):
            for form in ("", ".json", ".csv") if query else ("",):
                await self.ask("changes", f"/changes{form}?{query}", told, (200, 400), by="marks")
        for table, of in TABLES.items():
            for sql, by in (
                (f"select {of} as t from {table}_as_of where release = '{release}'", "marks ids"),
                (f"select {of} as t from {table}_as_of where release in ('{release}', '{other}')", "marks ids"),
                (f"select {of} as t from main.{table}", "marks"),
                (f"with {table} as (select * from main.{table}) select {of} as t from {table}", "marks"),
            ):
                await self.ask(
                    "history sql", str(httpx.URL("/history.json", params={"sql": sql, "_shape": "array"})), told, (200, 400, 404), by=by
                )
            await self.ask("history", f"/history/{table}_as_of.json?release={release}&_size=max", told, (200,))
            await self.ask(
                "history", f"/history/{table}_difference?from_release={release}&to_release={other}&_size=max", told, (200,), by="marks"
            )
        await self.ask("history", "/history/changes.csv?_stream=1&_size=max", told, (200,), by="marks")

    async def deltas(self) -> None:
        """What a client takes is of the live release alone."""
        allowed = self.releases.visible(self.day)
        for which in ("day", "week", "month", str(self.releases.work.live), self.draw.choice(sorted(self.releases.then))):
            for form in ("ndjson", "csv"):
                await self.ask("delta", f"/deltas/{which}.{form}", allowed, (200, 404, 410, 503), by="marks")

    async def close(self) -> None:
        if self.past:
            self.past.close()
        await self.client.aclose()
        self.app.shelf.close()
