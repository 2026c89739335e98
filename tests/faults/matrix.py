"""The matrix of fault, strength and outcome, as a table of the repository. `make matrix` writes it; a test compares it with what it finds."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path

import pytest

from publish.catalogue import Catalogue, load
from publish.extract import extract
from publish.home import Home
from publish.platform import FAULTS as WIRE
from publish.platform import Server, new_world, serve
from publish.platform.faults import Faults
from publish.run import run
from publish.work import Work

from . import columns, lists
from .clean import Days, Records
from .fault import FAULTS, Fault, Strength, damaged
from .files import FILE_FAULTS, FileFault, write
from .harness import FEW_ROWS, PAGE, UNLIMITED, Ground, Outcome, grounded, hand_over, prepared

PATH = Path(__file__).parent / "MATRIX.md"
SOURCES = Path(__file__).parent.parent / "sources"
TODAY = 69  # days after the world began; its second good release is of the day before
AGES = (3, 32, 62)  # days: of the old deliveries that are handed in again
BROKEN = ("cut_off_body", "page_missing", "page_repeated", "total_not_met", "empty_listing", "error_page_200", "changed_schema", "county_lost", "truncated_json")  # fmt: skip
ALWAYS = Strength("a page, or the listing", True)
ENTERED = (columns, lists)  # importing them enters their faults


@dataclass(frozen=True)
class Trial:
    """One cell of the matrix: a fault at a strength."""

    fault: str
    about: str
    strength: Strength
    where: str

    @property
    def key(self) -> str:
        return f"{self.fault}, {self.strength.label}"


def trials() -> list[Trial]:
    """Every cell, in the order of the table."""
    found = [Trial(f.name, f.about, s, "records") for f in FAULTS.values() for s in f.strengths]
    found += [Trial(f.name, f.about, s, "file") for f in FILE_FAULTS.values() for s in f.strengths]
    return found + [Trial(f"platform: {kind}", WIRE[kind], ALWAYS, "wire") for kind in BROKEN]


@dataclass
class Row:
    """What a trial gave."""

    trial: Trial
    damaged: int | None
    outcome: Outcome

    @property
    def silent(self) -> bool:
        return self.trial.strength.accident and not self.outcome.harmless

    def line(self) -> str:
        """The row of the table."""
        outcome, strength = self.outcome, self.trial.strength
        word = f"{outcome.word} ({outcome.held})" if outcome.held else outcome.word
        found = ", ".join(outcome.bounds[:4]) + (f" and {len(outcome.bounds) - 4} more" if len(outcome.bounds) > 4 else "")
        reach = "" if outcome.word in ("refused", "stopped") else str(outcome.wrong)
        cells = (
            self.trial.fault, strength.label, "accident" if strength.accident else "mild", "" if self.damaged is None else str(self.damaged),
            f"**silent: {word}**" if self.silent else word, found, reach,
        )  # fmt: skip
        return f"| {' | '.join(cells)} |"


@dataclass
class Grounds:
    """The worlds that faults are done to, each made when it is first needed."""

    folder: Path
    catalogue: Catalogue = field(default_factory=lambda: load(more_sources=SOURCES))

    @cached_property
    def records(self) -> tuple[Ground, Records, dict[int, Records]]:
        """A platform of some hundreds of institutions, its clean delivery of the day, and older ones by age."""
        days, past = Days(), {}
        for age in range(TODAY, 2, -1):
            if age in AGES:
                past[age] = days.records()
            days.step()
        ground, clean = prepared(self.folder / "records", self.catalogue, days)
        return ground, clean, past

    @cached_property
    def files(self) -> Ground:
        """A bureau of one county with two good months."""
        folder = self.folder / "files"
        for month, day in enumerate(("2026-11-01", "2026-12-01")):
            work = Work(Home(folder / "home"), self.catalogue, datetime.fromisoformat(f"{day}T04:00:00+00:00").astimezone(UTC))
            assert run(work, {"bureau": str(write(folder / "delivery", month, day))}).outcome == "released"
        work = replace(work, now=datetime(2027, 1, 1, 4, tzinfo=UTC))
        return grounded(work, "bureau", str(write(folder / "delivery", 2, "2027-01-01")), folder / "truth.db")

    @contextmanager
    def wire(self) -> Iterator[tuple[Ground, Server]]:
        """A platform that is asked over HTTP, in pages of a hundred, by somebody who never waits."""
        platform = replace(self.catalogue.source("platform"), page_size=PAGE)
        catalogue = replace(self.catalogue, sources={**self.catalogue.sources, "platform": platform})
        folder = self.folder / "wire"
        with pytest.MonkeyPatch.context() as patched, serve(new_world(240, months=2)) as server:
            patched.setattr("publish.inputs.extract", partial(extract, wait=lambda seconds: None))
            work = Work(Home(folder / "home"), catalogue, datetime(2026, 11, 1, 4, tzinfo=UTC))
            assert run(work, {"platform": server.url}, access=UNLIMITED).outcome == "released"
            server.move(1)
            yield grounded(replace(work, now=datetime(2026, 11, 2, 4, tzinfo=UTC)), "platform", server.url, folder / "truth.db"), server
        shutil.rmtree(folder)

    def tried(self, chosen: list[Trial]) -> Iterator[Row]:
        """What each of the trials gives."""
        wired = [trial for trial in chosen if trial.where == "wire"]
        for trial in chosen:
            if trial.where == "records":
                yield self._records(trial, FAULTS[trial.fault])
            elif trial.where == "file":
                yield self._file(trial, FILE_FAULTS[trial.fault])
        if wired:
            with self.wire() as (ground, server):
                for trial in wired:
                    server.service.faults = Faults([trial.fault.partition(": ")[2]])
                    yield Row(trial, None, ground.outcome(server.url))

    def _records(self, trial: Trial, fault: Fault) -> Row:
        ground, clean, past = self.records
        records = fault.done_to(clean, trial.strength, past=past)
        address = hand_over(self.folder / "records" / "handed", records, ground.work.now)
        try:
            return Row(trial, damaged(clean, records), ground.outcome(address))
        finally:
            shutil.rmtree(address)

    def _file(self, trial: Trial, fault: FileFault) -> Row:
        ground, folder = self.files, write(self.folder / "files" / "delivery", 2, "2027-01-01")
        fault.done_to(folder, trial.strength)
        return Row(trial, None, ground.outcome(str(folder)))


def table(rows: list[Row]) -> str:
    """The whole page: what the columns mean, the count, the rows."""
    accidents = [row for row in rows if row.trial.strength.accident]
    silent, mild = [row for row in accidents if row.silent], [row for row in rows if not row.trial.strength.accident]
    let = sum(row.outcome.word in ("go", "set aside") for row in mild)
    head = [
        "# What becomes of a delivery that went wrong", "",
        "Written by `make matrix`, never by hand. Each row is one trial: a fault of some strength done to an otherwise clean delivery after good releases.", "",
        "- *refused*: the source broke a promise. *stopped*: nothing is published until people approve. *held (n)*: n partitions stay at their last good rows.",
        "- *set aside*: the records that could not be used are reported and left out. *go*: published as it is.",
        "- *records*: how many the fault struck. *bounds*: which were passed. *reach readers*: rows, and parts of rows, that the undamaged delivery does "
        "not say, or rows that stayed the same and are missing. What the last release said is right only where its partition is held. What a fault kept "
        "from coming (a new record, a change) is not counted unless the old row stays in its place.",
        f"- *silent*: called an accident, and more than {FEW_ROWS} such rows reach readers though nobody was asked. So few are what a small county may lose or "
        "change on an ordinary day (rule 3): nothing in one day's delivery tells them from true changes, and a gate that asked about them would ask every day.", "",
        f"{len({row.trial.fault for row in rows})} kinds of fault, {len(rows)} trials. Of {len(accidents)} accidents {len(silent)} are silent. "
        f"Of {len(mild)} mild ones {let} go out by themselves.", "",
        "| fault | strength | called | records | outcome | bounds | reach readers |", "|---|---|---|---:|---|---|---:|",
    ]  # fmt: skip
    return "\n".join([*head, *(row.line() for row in rows), ""])


def main() -> None:
    """Try everything and write the table."""
    with tempfile.TemporaryDirectory() as folder:
        chosen = [trial for trial in trials() if len(sys.argv) < 2 or any(word in trial.key for word in sys.argv[1:])]
        rows = list(Grounds(Path(folder)).tried(chosen))
    for row in rows:
        if (
            row.silent
            or row.outcome.word == "nothing new"
            or (not row.trial.strength.accident and row.outcome.word not in ("go", "set aside"))
            or len(sys.argv) > 1
        ):
            sys.stdout.write(f"{row.line()}\n    {row.outcome.said[:300]}\n")
    if len(chosen) == len(trials()):
        PATH.write_text(table(rows), "utf-8")


if __name__ == "__main__":
    main()
