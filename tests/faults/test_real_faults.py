"""The same faults done to a real register, between two of its real months; and how its clean months end."""

import csv
import gzip
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from publish.catalogue import Catalogue, load
from publish.home import CHINA, Home
from publish.run import run
from publish.work import Work

from .clean import Records
from .fault import FAULTS, REGISTER, Fault, Strength, damaged
from .harness import Ground, Outcome, grounded
from .matrix import ENTERED

pytestmark = [pytest.mark.real, pytest.mark.timeout(1800), pytest.mark.usefixtures("no_downloads")]
MONTHS = ("2024-07-31", "2024-08-31"), ("2024-11-30", "2024-12-31"), ("2025-03-31", "2025-04-30")
FEW_ROWS = 20  # of 20,000: what readers may get wrong beside what is held
TRIALS = [(fault, strength) for fault in FAULTS.values() if "register" in fault.sources for strength in fault.strengths]
assert ENTERED


def read(register: Path, name: str) -> list[dict[str, str]]:
    """The rows of a file of the register."""
    with gzip.open(register / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def month(register: Path, day: str) -> Records:
    """Both lists of a day."""
    return {stem: list(read(register, f"{stem}_{day}")) for stem in ("registry", "violations")}


def lay_out(folder: Path, records: Records) -> str:
    """The delivery as files."""
    folder.mkdir(parents=True, exist_ok=True)
    for stem, rows in records.items():
        with (folder / f"{stem}.csv").open("w", encoding="utf-8", newline="") as file:
            fields = list(dict.fromkeys(field for row in rows[:1] for field in row))
            written = csv.DictWriter(file, fields, extrasaction="ignore")
            written.writeheader()
            written.writerows(rows)
    return str(folder)


def noon(day: str) -> datetime:
    """Midday in China."""
    return datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=CHINA)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load(more_sources=Path(__file__).parent.parent / "real" / "sources")


@pytest.fixture(scope="module", params=MONTHS, ids=lambda pair: pair[1])
def ground(
    request: pytest.FixtureRequest, real_data: Path, catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Ground, Records, dict[int, Records], Path]:
    """A good release of one month, and the next month, to be damaged."""
    before, after = request.param
    register, folder = real_data / "register", tmp_path_factory.mktemp("register")
    work = Work(Home(folder / "home"), catalogue, noon(before))
    assert run(work, {"register": lay_out(folder / "delivery", month(register, before))}).outcome == "released"
    clean = month(register, after)
    found = grounded(replace(work, now=noon(after)), "register", lay_out(folder / "delivery", clean), folder / "truth.db")
    days = sorted(path.name[9:19] for path in register.glob("registry_*.csv.gz"))
    older = month(register, days[max(0, days.index(before) - 1)]), month(register, days[max(1, days.index(before) - 2)])
    return found, clean, {3: older[0], 32: older[0], 62: older[1]}, folder


def tried(ground: tuple[Ground, Records, dict[int, Records], Path], fault: Fault, strength: Strength) -> tuple[int, Outcome]:
    """How many rows the fault struck, and what became of the delivery."""
    found, clean, past, folder = ground
    records = fault.done_to(clean, strength, REGISTER, past)
    return damaged(clean, records), found.outcome(lay_out(folder / "delivery", records))


def test_a_clean_month_goes_out_whole(ground: tuple[Ground, Records, dict[int, Records], Path]) -> None:
    assert ground[0].clean == Outcome("go")


@pytest.mark.bench
@pytest.mark.parametrize(("fault", "strength"), TRIALS, ids=lambda part: getattr(part, "name", None) or part.label)
def test_every_fault_of_a_real_month(ground: tuple[Ground, Records, dict[int, Records], Path], fault: Fault, strength: Strength) -> None:
    struck, outcome = tried(ground, fault, strength)
    print(
        f"| {fault.name} | {strength.label} | {struck} | {outcome.word} {outcome.held or ''} | {', '.join(outcome.bounds[:4])} | {outcome.wrong} |"
    )
    harmless = outcome.word in ("refused", "stopped") or outcome.wrong <= FEW_ROWS
    assert harmless if strength.accident else outcome.word != "stopped", outcome.said
