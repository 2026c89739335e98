"""A withdrawal that is killed: every release is whole at each moment, readers see the old live release or the new, and the next run ends it."""

import os
import random
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from homes import (
    FINE,
    KILLED,
    Followed,
    a_work,
    ask,
    copied,
    day_of,
    delivered,
    heard,
    killed_after,
    left_at,
    on,
    seen_by_readers,
    sha256,
    steps_of,
)

from making import query
from publish.catalogue import Catalogue
from publish.errors import ReviewNeeded
from publish.home import Home
from publish.nowhere import nowhere
from publish.reissue import NEW
from publish.withdraw import withdraw
from publish.withdrawals import in_database
from publish.work import Work

POINTS = int(os.environ.get("CRASH_POINTS", 200)) // 4
REASON, DOCUMENT, WHY = "revoked", "撤销决定书", "法院撤销了这一决定"


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> tuple[Work, str, Path]:
    """A home of three releases, a notice in all of them whose withdrawal one person has signed, and what its source says next."""
    folder = tmp_path_factory.mktemp("withdrawal")
    work = a_work(folder / "home", catalogue)
    work.home.prepare()
    for number in range(3):
        ask(work, delivered(folder, number), number)
    identifier = str(query(work, "SELECT id FROM notices WHERE document_no LIKE '%〕20号'")[0][0])
    with pytest.raises(ReviewNeeded):
        withdraw(on(work, 2), identifier, REASON, DOCUMENT, "王芳", WHY)
    return work, identifier, delivered(folder / "next", 2, day_of(2))


def second(work: Work, identifier: str) -> None:
    withdraw(on(work, 2), identifier, REASON, DOCUMENT, "李强", WHY)


def whole(home: Home) -> dict[str, str]:
    """Every release by the hash of its sums, each file of which is what they say."""
    found = {}
    for name in home.release_ids():
        folder = home.releases / name
        for line in (line for line in (folder / "SHA256SUMS").read_text().splitlines() if line[0] != "#"):
            expected, _, file = line.partition("  ")
            assert sha256(folder / file) == expected, f"{name}/{file}"
        found[name] = sha256(folder / "SHA256SUMS")
    return found


@pytest.fixture(scope="module")
def followed() -> Followed:
    return Followed()


def judge(trial: Work, identifier: str, archive: Path, seen: tuple[dict[str, str], ...], followed: Followed, where: str) -> bool:
    """Check a home in which a withdrawal died, let the next run go on, check again. Whether the withdrawal was signed."""
    assert seen_by_readers(trial.home) in seen, where
    whole(trial.home)
    signed = True
    with followed.to_its_end(trial.home):
        ask(trial, archive, 2)
        signed = not in_database(trial.home.releases / trial.live / "mingbai.db", [identifier])
        if not signed:  # it died before the second name was entered
            second(trial, identifier)
        (line,) = nowhere(on(trial, 2))
        assert "are in none of" in line, where
        names = whole(trial.home)
        assert {"2026-11-01", "2026-11-02", "2026-11-03"} < set(names), f"{where}: no release is lost"
        assert not list(trial.home.releases.glob("*.part")), where
    return signed


def test_a_withdrawal_killed_anywhere_is_ended_by_the_next_run(begun: tuple[Work, str, Path], followed: Followed, tmp_path: Path) -> None:
    work, identifier, archive = begun
    after = copied(work, tmp_path / "after")
    second(after, identifier)
    seen = (seen_by_readers(work.home), seen_by_readers(after.home))
    killed, trial = copied(work, tmp_path / "home"), replace(work, home=Home(tmp_path / "trial"))
    steps = heard(partial(second, killed, identifier), partial(steps_of, killed.home), tmp_path)
    between = {number for number, step in enumerate(steps) if step.startswith("os.rename ") and step.endswith(NEW)}  # two renames
    assert len(between) == 3, "each earlier release is issued anew"
    draw, downloads = random.Random("withdrawal"), [number for number, step in enumerate(steps) if "/downloads/" in step]
    others = sorted(set(range(len(steps))) - set(downloads))
    # a hundred files to take away of each release are written alike: some of these, so that what is around them is met as often as without
    chosen = {0, *draw.sample(others, min(POINTS, len(others))), *draw.sample(downloads, min(POINTS // 4, len(downloads)))}
    killed = copied(work, tmp_path / "home")
    action, listen = partial(second, killed, identifier), partial(steps_of, killed.home)
    found = {
        judge(trial, identifier, archive, seen, followed, f"killed at step {number}, {step}")
        for number, step in left_at({*chosen, *between}, action, listen, killed.home.path, trial.home.path)
    }
    assert found == {True, False}


def test_a_withdrawal_killed_by_the_clock_is_ended_by_the_next_run(
    begun: tuple[Work, str, Path], followed: Followed, tmp_path: Path
) -> None:
    work, identifier, archive = begun
    after = copied(work, tmp_path / "after")
    second(after, identifier)
    seen = (seen_by_readers(work.home), seen_by_readers(after.home))
    draw = random.Random("withdrawal by the clock")
    for _ in range(POINTS // 4):
        trial, moment = copied(work, tmp_path / "home"), draw.random() * 1.5
        code = killed_after(moment, partial(second, trial, identifier), tmp_path / "said")
        assert code in (KILLED, FINE), (tmp_path / "said").read_text("utf-8")
        judge(trial, identifier, archive, seen, followed, f"killed after {moment:.4f} s")
