"""A real register and its findings, handed over by a bureau date after date: every row is published or accounted for."""

import gzip
import sqlite3
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from making import approved
from publish.catalogue import Catalogue, load
from publish.errors import Mingbai, ReviewNeeded
from publish.home import CHINA, Home
from publish.run import run
from publish.work import Result, Work

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load(more_sources=Path(__file__).parent / "real" / "sources")


def deliver(register: Path, folder: Path, work: Work, day: str, stem: str | None = None, violations: str | None = None) -> Result:
    """Lay the files of a day out as a bureau's delivery and run on that day."""
    folder.mkdir(exist_ok=True)
    (folder / "registry.csv").write_bytes(gzip.decompress((register / f"{stem or f'registry_{day}'}.csv.gz").read_bytes()))
    (folder / "violations.csv").write_bytes(gzip.decompress((register / f"violations_{violations or day}.csv.gz").read_bytes()))
    return run(replace(work, now=noon(day)), {"register": str(folder)})


def noon(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=CHINA)


@pytest.mark.timeout(900)
def test_every_row_of_thirteen_dates_is_published_or_accounted_for(real_data: Path, catalogue: Catalogue, tmp_path: Path) -> None:
    register = real_data / "register"
    days = sorted(path.name[9:19] for path in register.glob("registry_*.csv.gz"))
    assert len(days) == 13
    work = Work(Home(tmp_path / "home"), catalogue, datetime.now(CHINA))
    outcomes = []
    for day in days:
        try:
            outcomes.append(deliver(register, tmp_path / "delivery", work, day).outcome)
        except ReviewNeeded as held:
            print(held)
            outcomes.append(f"held {day}")
            approved(replace(work, now=noon(day)))
        manifest = work.live_manifest()
        for table, stem in (("institutions", "registry"), ("notices", "violations")):
            counts = manifest["accounting"][table]
            with gzip.open(register / f"{stem}_{day}.csv.gz", "rt", encoding="utf-8") as file:
                assert counts["records"] == sum(1 for _ in file) - 1, (day, table, counts)
        print(day, outcomes[-1], manifest["accounting"], manifest["issues"])  # pytest -s shows what the closing note says
    # Between 2021-09-30 and 2024-05-31 the register stood still, only terms of notices ended. What it says after that is three years of
    # changes at once: a tenth of the schools is gone, and a person looks. In September 2024 the findings in their term grew by two thirds
    # at once, and a person looks again. Every other month goes through by itself.
    held = ["2024-06-30", "2024-09-30"]
    assert outcomes == [f"held {day}" if day in held else "released" for day in days]
    past = sqlite3.connect(work.home.history)
    assert past.execute("SELECT count(*) FROM changes WHERE release = 2 AND table_name = 'institutions'").fetchone() == (0,)
    past.close()


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("accident", "after", "next_day"), [("2024-10-12", "ReviewNeeded", "ReviewNeeded"), ("2025-08-31", "SourceBroken", "released")]
)
def test_a_real_accident_leaves_the_last_good_release(
    real_data: Path, catalogue: Catalogue, tmp_path: Path, accident: str, after: str, next_day: str
) -> None:
    """In 2024 counties were cut short, a ninth of the register, and on the next day a fifteenth was missing still. In 2025 it was empty."""
    register = real_data / "register"
    days = {kind: next(register.glob(f"accident_{accident}_{kind}_*")).name[-17:-7] for kind in ("before", "after", "next")}
    violations = "2024-09-30" if accident < "2025" else "2025-04-30"
    work = Work(Home(tmp_path / "home"), catalogue, datetime.now(CHINA))
    found = {}
    for kind, day in days.items():
        live = work.live
        try:
            found[kind] = deliver(register, tmp_path / "delivery", work, day, f"accident_{accident}_{kind}_{day}", violations).outcome
        except Mingbai as error:
            found[kind] = type(error).__name__
            assert work.live == live
    assert found == {"before": "released", "after": after, "next": next_day}
