"""A home in which real runs publish what the sources say, and what of it may be seen on a day: the oracle of each release beside the release."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from making import Record, approved, snapshot
from publish.amend import Request, amend
from publish.errors import ReviewNeeded
from publish.run import run
from publish.withdraw import withdraw
from publish.work import Work

from .lives import CUT, Life
from .oracle import of_listing, of_notice

CORRECTION = {"seriousness": "一般"}  # what people correct: then the term of the law is shorter
Ends = dict[str, date]  # by mark: the last day on which it may be shown


def at(day: date, hour: int = 12) -> datetime:
    """An instant of a day in China (UTC+8)."""
    return datetime.combine(day, time(hour), UTC) - timedelta(hours=8)


class Releases:
    """What is live, and what may be shown of it and of every release before."""

    def __init__(self, work: Work, institutions: Sequence[Record], lives: Sequence[Life], cut: tuple[date, date]) -> None:
        self.work, self.institutions, self.cut = work, institutions, cut
        self.lives = sorted(lives, key=lambda life: life.turns[0][0])  # what is new comes behind, so that few pages change
        self.live: Ends = {}
        self.then: dict[str, Ends] = {}  # by release: what was live with it
        self.kept: set[str] = set()  # of the live ones those that their list missed once
        self.ids: dict[bytes, str] = {}  # of notices, listings and their documents: the mark
        self.id_of: dict[str, str] = {}
        self.linked: dict[str, set[str]] = {}  # by mark, the ids of institutions that stand or stood with it
        self.searchable: set[str] = set()
        self.corrected: set[str] = set()
        self.withdrawn: set[str] = set()
        self.deliveries = 0
        self.last = date.min  # of the deliveries before the cut
        self._seen: tuple[object, frozenset[str]] = None, frozenset()

    def deliver(self, day: date) -> None:
        """The sources hand in what they have on a day, and a run publishes it; whoever has to approve does."""
        self.deliveries += 1
        if day < self.cut[0]:
            self.last = day
        said = {life.mark: self._said(life, day) for life in self.lives}
        cut = self.cut[0] <= day < self.cut[1]
        records = [
            record for life in self.lives if (record := said[life.mark]) and not (cut and life.table == "notices" and life.county == CUT)
        ]
        news = {**self.institutions[0], "address": f"文三路{self.deliveries}号"}
        listings = {
            "institutions": [news, *self.institutions[1:]], "listings": [r for r in records if "listingId" in r],
            "notices": [r for r in records if "noticeId" in r], "ratings": [],
        }  # fmt: skip
        work = self._on(day)
        made = snapshot(
            self.work.home.path.parent / "in",
            f"p{self.deliveries}",
            listings,
            page_size=200,
            as_of=day.isoformat(),
            taken_at=work.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        try:
            run(work, {"platform": str(made.folder)})
        except ReviewNeeded:
            approved(work)
        held = {(row["table"], row["region"]) for row in work.live_manifest()["held"]}
        assert held == ({("notices", CUT)} if cut else set()), (
            f"{day}: {held}, {CUT} has {sum(life.county == CUT for life in self.lives if life.mark in self.live)} of {len(self.live)}"
        )
        self._expect(said, day)

    def corrected_end(self, life: Life, day: date) -> date:
        """The last day of a notice if it were of general seriousness."""
        record = life.at(day)
        return self._window(record | CORRECTION)[1] if record else date.min

    def correct(self, mark: str, day: date) -> None:
        """A clerk corrects a notice so that its term is shorter."""
        request = Request("correct", self.id_of[mark], "更正通知", "张三", "来源多写了", fields={"seriousness": CORRECTION["seriousness"]})
        amend(self._on(day), request)
        self.corrected.add(mark)
        self.live[mark] = self.corrected_end(next(life for life in self.lives if life.mark == mark), day)
        self._record()

    def withdraw(self, mark: str, day: date) -> None:
        """Two people withdraw a notice: it is gone from every release."""
        for name in ("张三", "李四"):
            try:
                withdraw(self._on(day), self.id_of[mark], "revoked", "撤销判决书", name, "法院撤销")
            except ReviewNeeded:
                assert name == "张三"
        self.withdrawn.add(mark)
        for ends in (self.live, *self.then.values()):
            ends.pop(mark, None)
        self._record()

    def visible(self, day: date) -> frozenset[str]:
        """The marks of what may be shown of the live release on a day."""
        if self._seen[0] != (day, len(self.then), len(self.withdrawn)):
            shown = frozenset(mark for mark, end in self.live.items() if day <= end)
            self._seen = (day, len(self.then), len(self.withdrawn)), shown
        return self._seen[1]

    def must(self, day: date) -> frozenset[str]:
        """Those that are to be shown, too."""
        return self.visible(day) - self.kept

    def visible_of(self, release: str, day: date) -> set[str]:
        """What an earlier release may show today."""
        return {mark for mark in self.visible(day) if day <= self.then[release].get(mark, date.min)}

    def _on(self, day: date) -> Work:
        return replace(self.work, now=at(day))

    def _said(self, life: Life, day: date) -> Record | None:
        if life.table == "notices" and life.county == CUT and self.cut[0] <= day < self.cut[1]:
            return life.at(self.last)  # it stays as it was
        return life.at(day)

    def _window(self, record: Record) -> tuple[date, date]:
        return (of_listing if "listingId" in record else of_notice)(record) or (date.max, date.min)

    def _expect(self, said: Mapping[str, Record | None], day: date) -> None:
        before, self.live, missed = self.live, {}, set()
        for mark, record in said.items():
            if mark in self.withdrawn:
                continue
            if record is None:
                if mark in before and mark not in self.kept and before[mark] >= day:
                    self.live[mark] = before[mark]
                    missed.add(mark)
                continue
            first, end = self._window(record)
            if mark in self.corrected:
                end = min(end, self._window(record | CORRECTION)[1])
            if first <= day <= end:
                self.live[mark] = end
        self.kept = missed
        self._record()

    def _record(self) -> None:
        live = str(self.work.live)
        self.then[live] = dict(self.live)
        with closing(sqlite3.connect(f"file:{self.work.live_database}?mode=ro&immutable=1", uri=True)) as connection:
            for table, text in (("notices", "title"), ("listings", "batch_label"), ("documents", "title")):
                for identifier, said in connection.execute(f"SELECT id, {text} FROM {table}"):
                    at = said.find("mk") if "mk" in said else said.find("ml")
                    if at >= 0:
                        self.ids[identifier.encode()] = mark = said[at : at + 8]
                        if table != "documents":
                            self.id_of[mark] = identifier
            pairs: list[Any] = connection.execute(
                "SELECT notice_id, institution_id FROM notice_links UNION SELECT id, institution_id FROM listings"
            ).fetchall()
            found = connection.execute("SELECT id FROM notices WHERE subject_kind = 'organisation'")
            self.searchable |= {self.ids[identifier.encode()] for (identifier,) in found}
        for identifier, one in pairs:
            if mark := self.ids.get(identifier.encode()):
                self.linked.setdefault(mark, set()).add(one)
        there = {mark for mark in self.id_of if mark in self.live}
        assert there == set(self.live), f"not in {live}: {sorted(set(self.live) - there)[:9]}"
