"""Clean deliveries go out by themselves: day after day at half a percent of churn, and month after month.

A false stop costs more than a person's hour: a gate that cries is a gate that people learn to approve unread.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from making import approved
from publish.catalogue import Catalogue
from publish.errors import ReviewNeeded
from publish.home import Home
from publish.run import run
from publish.work import Work

from .clean import Days
from .harness import hand_over, noon

pytestmark = pytest.mark.usefixtures("no_downloads")
MONTHLY = 0.25  # of the daily pace: 1.5% of notices new, 0.4% of institutions new and gone a month, as a real register moves


def deliveries(folder: Path, catalogue: Catalogue, days: Days, step: int, number: int) -> Iterator[tuple[str, str]]:
    """How each of so many clean deliveries, `step` days apart, ended: a word (`held` where something is held that was not yet), and why."""
    work = Work(Home(folder / "home"), catalogue, noon(days))
    for _ in range(number):
        work = replace(work, now=noon(days))
        try:
            run(work, {"platform": hand_over(folder / "handed", days.records(), work.now)})
            new = [row for row in work.live_manifest()["held"] if row["since"] == work.day.isoformat()]
            yield ("held" if new else "released"), " ".join(map(str, new))
        except ReviewNeeded as stopped:
            yield "stopped", f"{days.today}: {stopped}"
            approved(work)
        days.step(step)


def counted(found: Iterator[tuple[str, str]]) -> Counter[str]:
    """How many ended in which way; the reasons are printed."""
    counts: Counter[str] = Counter()
    for word, why in found:
        counts[word] += 1
        if why:
            print(word, why)  # pytest shows it where the test fails, and with -s
    print(dict(counts))
    return counts


def test_thirty_days_of_half_a_percent_go_out_by_themselves(catalogue: Catalogue, tmp_path: Path) -> None:
    assert counted(deliveries(tmp_path, catalogue, Days(seed=11), 1, 30)) == {"released": 30}


def test_monthly_deliveries_go_out_by_themselves(catalogue: Catalogue, tmp_path: Path) -> None:
    counts = counted(deliveries(tmp_path, catalogue, Days(seed=12, pace=MONTHLY), 30, 9))
    assert counts["stopped"] == 0


@pytest.mark.bench
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(5))
def test_at_most_one_of_five_hundred_clean_releases_is_stopped(seed: int, catalogue: Catalogue, tmp_path: Path) -> None:
    """A hundred days of each of five worlds; one false stop in all of them would already be as many as is allowed."""
    counts = counted(deliveries(tmp_path, catalogue, Days(480, seed=100 + seed, counties=12), 1, 100))
    assert counts["stopped"] == 0
    assert counts["held"] <= 3  # four of a county of nineteen that go in one day are more than rule 3 lets go


@pytest.mark.bench
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(3))
def test_monthly_deliveries_of_three_worlds_go_out_by_themselves(seed: int, catalogue: Catalogue, tmp_path: Path) -> None:
    counts = counted(deliveries(tmp_path, catalogue, Days(480, seed=200 + seed, counties=12, pace=MONTHLY), 30, 25))
    assert counts["stopped"] == 0
