"""Old releases are kept as the policy says: whatever the clock says, never the live one or the one before it, nor what a kept one is made of."""

from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path

import pytest
from homes import a_work, ask, day_of, old_release, old_snapshot, on
from hypothesis import given
from hypothesis import strategies as st

from making import approved, snapshot
from publish.catalogue import Catalogue
from publish.errors import ReviewNeeded
from publish.home import Home, as_json, release_order
from publish.keep import AT_ONCE, DAYS, gone, keep

START = date(2024, 1, 1)


def daily(days: int) -> list[str]:
    return [(START + timedelta(days=number)).isoformat() for number in range(days)]


def point(home: Home, identifier: str) -> None:
    home.current.unlink(missing_ok=True)
    home.current.symlink_to(Path("releases") / identifier)


def test_every_day_of_the_term_is_kept_and_then_the_last_of_each_month() -> None:
    releases = daily(800)
    went = set(gone(releases, releases[-1]))
    kept = [identifier for identifier in releases if identifier not in went]
    assert kept[-DAYS - 2 :] == releases[-DAYS - 2 :], "counted from the one before the live one, that day included"
    months = [f"2024-{month:02d}-{day}" for month, day in enumerate((31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), 1)]
    assert kept[: -DAYS - 2] == [*months, "2025-01-31"]


def test_of_two_releases_on_the_last_day_of_a_month_the_later_one_is_kept() -> None:
    releases = ["2024-01-31", "2024-01-31.2", "2024-01-31.10", "2026-01-01", "2026-01-02"]
    assert gone(releases, "2026-01-02") == ["2024-01-31", "2024-01-31.2"]


@given(st.lists(st.integers(0, 4000), min_size=1, max_size=60, unique=True), st.integers(1, 3), st.data())
def test_live_the_one_before_and_each_month_are_always_there(days: list[int], a_day: int, data: st.DataObject) -> None:
    names = [(START + timedelta(days=day)).isoformat() for day in days]
    releases = [f"{name}.{number}" if number > 1 else name for name in names for number in range(1, a_day + 1)]
    ordered = sorted(releases, key=release_order)
    live = data.draw(st.sampled_from(ordered))
    kept = set(releases) - set(gone(releases, live))
    at = ordered.index(live)
    assert {live, ordered[max(at - 1, 0)], *ordered[at:]} <= kept
    assert {name[:7] for name in kept} == {name[:7] for name in releases}
    assert gone(kept, live) == [], "what was kept is kept"


def test_a_clock_that_is_years_ahead_for_one_run_removes_nothing_and_then_not_everything() -> None:
    releases = [*daily(300), "2036-05-01"]
    assert gone(releases, "2036-05-01") == []
    assert len(gone([*releases, "2036-05-02"], "2036-05-02")) > AT_ONCE, "what a run does not do at once"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Daily releases from 2024-01-01 to the end of January and two of 2026, each made of a snapshot of its own."""
    home = Home(tmp_path / "home").prepare()
    for identifier in (*daily(31), "2026-01-01", "2026-01-02"):
        old_snapshot(home, identifier, f"platform-{identifier}")
        old_release(home, identifier, f"platform-{identifier}")
    point(home, "2026-01-02")
    return home


def left(home: Home) -> tuple[list[str], list[str]]:
    return home.release_ids(), sorted(path.name.removeprefix("platform-") for path in home.raw.iterdir())


def test_a_snapshot_goes_with_the_last_release_that_is_made_of_it(home: Home) -> None:
    said = keep(home)
    assert left(home) == (["2024-01-31", "2026-01-01", "2026-01-02"],) * 2
    assert len(said) == 60
    assert said[0].startswith("removed release 2024-01-01; kept is every release of the last 400 days")
    assert keep(home) == []


def test_what_a_kept_release_or_the_candidate_is_made_of_stays(home: Home) -> None:
    old_snapshot(home, "2024-01-10", "platform-refused")
    old_snapshot(home, "2025-12-31", "platform-refused-lately")
    old_release(home, "2026-01-03", "platform-2024-01-05")
    point(home, "2026-01-03")
    home.candidate.mkdir()
    home.candidate_file.write_bytes(as_json({"inputs": {"platform": ["platform-2024-01-07"]}}))
    keep(home)
    assert left(home)[1] == ["2024-01-05", "2024-01-07", "2024-01-31", "2026-01-01", "2026-01-02", "refused-lately"]


def test_a_delivery_that_comes_again_is_not_taken_from_the_older_release_that_is_made_of_it(
    catalogue: Catalogue, tmp_path: Path, said: list[str]
) -> None:
    work, days = a_work(tmp_path / "home", catalogue, said), (0, 1, 0)
    archives = [
        snapshot(
            tmp_path / "archives", f"platform-{number}", day_of(day), as_of="2026-11-01", taken_at=f"2026-11-0{number + 1}T04:00:00Z"
        ).folder
        for number, day in enumerate(days)
    ]
    for number, archive in enumerate(archives):
        with suppress(ReviewNeeded):
            ask(work, archive, number)
        if (work.home.candidate / "candidate.json").is_file():  # what was said before is looked at
            approved(on(work, number))
    assert [row["id"] for row in work.live_manifest()["sources"][0]["snapshots"]] == ["platform-2", "platform-1"]
    assert ask(work, archives[0], 2).outcome == "nothing_new"
    assert sorted(path.name for path in work.home.raw.iterdir()) == ["platform-0", "platform-1", "platform-2"]


def test_so_many_go_at_once_and_no_more(home: Home) -> None:
    for number in range(2, 40):
        old_release(home, f"2024-01-02.{number}")
    assert len([line for line in keep(home) if "release 20" in line]) == AT_ONCE
    assert [name for name in home.release_ids() if name.startswith("2024-01-02")] == [f"2024-01-02.{number}" for number in range(31, 40)]


def test_before_the_first_release_there_is_nothing_to_keep(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").prepare()
    old_snapshot(home, "2020-01-01", "platform-old")
    assert keep(home) == []
    assert left(home) == ([], ["old"])


def test_a_run_says_what_it_removed_and_releases_json_no_longer_names_it(
    catalogue: Catalogue, archives: list[Path], tmp_path: Path, said: list[str]
) -> None:
    work = a_work(tmp_path / "home", catalogue, said)
    ask(work, archives[0], 0)
    old_release(work.home, "2024-01-05")
    old_release(work.home, "2024-01-06")
    ask(work, archives[1], 1)
    assert [line for line in said if line.startswith("removed")] == [
        "removed release 2024-01-05; kept is " + said[-1].partition("kept is ")[2]
    ]
    assert b"2024-01-06" in (work.home.path / "releases.json").read_bytes()
    assert b"2024-01-05" not in (work.home.path / "releases.json").read_bytes()
    assert on(work, 1).live == "2026-11-02"
