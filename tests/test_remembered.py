"""Whoever verified a release before is told when another chain, or an old release, is shown to them with good signatures."""

import shutil
import tracemalloc
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from publish.chain import chain
from publish.cli import main
from publish.home import LINKS, SIGNATURE, Home
from publish.manifests import Found, read
from publish.places import Folder
from publish.release import close, file_sha256
from publish.remembered import Remembered, age
from publish.verified import Verified, verify
from signed import DAYS, a_home, a_key, issue_anew, keys_of, lay

KEY, OTHER = a_key(1), a_key(2)
TODAY = date(2026, 11, 7)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Five releases, as they were verified. Nobody alters it."""
    return a_home(tmp_path_factory.mktemp("whole") / "home", KEY, DAYS)


@pytest.fixture
def restored(whole: Home, tmp_path: Path) -> Home:
    """The home from a copy of the third day."""
    shutil.copytree(whole.path, tmp_path / "home", symlinks=True)
    home = Home(tmp_path / "home")
    for day in DAYS[3:]:
        shutil.rmtree(home.releases / day)
    return home


def manifest(home: Home, day: str) -> Path:
    return home.releases / day / "manifest.json"


def looked(home: Home, day: str, after: str, of: str | None = None) -> Verified:
    return verify(Folder(home.releases / day), KEY.public, (), Remembered(TODAY, after, of))


def faults(home: Home, day: str, after: Path, of: str | None = None) -> list[str]:
    return list(looked(home, day, file_sha256(after), of).faults)


@pytest.mark.parametrize("day", range(5))
def test_a_chain_goes_on_from_each_release_in_it_and_from_no_later_one(whole: Home, day: int) -> None:
    for before in range(5):
        found = faults(whole, DAYS[day], manifest(whole, DAYS[before]), DAYS[before])
        assert bool(found) == (before > day)
        assert all(f"is of release {DAYS[day]}, and {DAYS[before]} was verified before; expected that or a later" in line for line in found)
    later = faults(whole, DAYS[0], manifest(whole, DAYS[1]))
    assert bool(later), "of a hash alone it is not known which release it was"


@pytest.mark.parametrize("of", [DAYS[4], None])
@pytest.mark.parametrize("days", [DAYS[3:], ("2026-11-05.2", "2026-11-06"), ("2026-11-06",)])
def test_a_publisher_who_went_on_from_an_older_copy_is_found_out_by_who_verified_a_later_release(whole: Home, restored: Home, days: tuple[str, ...], of: str | None) -> None:  # fmt: skip
    for before, day in zip((DAYS[2], *days), days, strict=False):
        lay(restored, day, KEY, before, more="another")
    assert verify(Folder(restored.releases / days[-1]), KEY.public).faults == (), "by signatures all is well"
    assert faults(restored, days[-1], manifest(whole, DAYS[2]), DAYS[2]) == []
    (fault,) = faults(restored, days[-1], manifest(whole, DAYS[4]), of)
    which = f"release {of} as it was verified before" if of else "what was verified before"
    sha256 = file_sha256(manifest(whole, DAYS[4]))
    issue = "or a later issue of it" if of else "(of a hash alone no later issue of it is known: give RELEASE:SHA256)"
    assert fault == (
        f"manifest.json: does not go on from {which}; expected manifest sha256 {sha256}, {issue}, in the chain: "
        "keep both manifests, ask the publisher, and compare with another reader"
    )


def test_a_release_that_was_issued_anew_is_what_it_was_verified_as_and_that_is_said(whole: Home, restored: Home) -> None:
    for _ in range(2):
        issue_anew(restored, DAYS[1], KEY)
        issue_anew(restored, DAYS[2], KEY)
    lay(restored, "2026-11-06", KEY, DAYS[2])
    for day in DAYS[1:3]:
        for newest in ("2026-11-06", DAYS[2]):
            known = file_sha256(manifest(whole, day))
            found = looked(restored, newest, known, day)
            assert (found.faults, len(found.notes)) == ((), 1)
            assert f"release {day} was issued anew since you verified it: delete your copy" in found.notes[0]
            (fault,) = looked(restored, newest, known).faults
            assert "give RELEASE:SHA256" in fault, "of a hash alone it is not known of which release that was"
    for day in (DAYS[0], DAYS[2]):  # as they are there
        for of in (day, None):
            found = looked(restored, "2026-11-06", file_sha256(manifest(restored, day)), of)
            assert (found.faults, found.notes) == ((), ())
    assert faults(restored, "2026-11-06", manifest(whole, DAYS[0]), DAYS[1]) != [], "that is of another release"


def test_no_release_vouches_for_what_was_verified_of_another(whole: Home, restored: Home) -> None:
    sha256 = file_sha256(manifest(whole, DAYS[4]))
    lay(restored, "2026-11-06", KEY, DAYS[2], reissues=[{"supersedes": sha256}])
    lay(restored, "2026-11-07", KEY, "2026-11-06", reissues=[{"supersedes": sha256}])
    for day in ("2026-11-06", "2026-11-07"):
        assert verify(Folder(restored.releases / day), KEY.public).faults == (), "by signatures all is well"
        for of in (DAYS[4], None):
            assert ["does not go on from" in line for line in looked(restored, day, sha256, of).faults] == [True]


def test_only_an_issue_that_the_publisher_signed_stands_for_the_one_before(whole: Home, restored: Home) -> None:
    lay(restored, "2026-11-06", KEY, DAYS[2])
    said = restored.manifest(DAYS[2])
    close(restored.releases / DAYS[2], {**said, "reissues": [{"supersedes": file_sha256(manifest(whole, day))} for day in DAYS[2:]]}, OTHER)
    assert any("goes on from" in line or "go on from" in line for line in faults(restored, "2026-11-06", manifest(whole, DAYS[4])))


def test_of_a_chain_of_years_no_manifest_is_kept(tmp_path: Path) -> None:
    home = a_home(tmp_path, KEY, ())
    for before, day in zip((None, *DAYS), DAYS, strict=False):
        lay(home, day, KEY, before, more="x" * (200 << 10))
    there = Folder(home.releases / DAYS[-1])
    first = read(there.small("manifest.json") or b"", "manifest.json", [])
    tracemalloc.start()
    try:
        followed = list(chain(there, first, keys_of(home), None, Found()))
        assert (len(followed), tracemalloc.get_traced_memory()[0] < 200 << 10) == (4, True)
    finally:
        tracemalloc.stop()


def test_a_copy_alone_goes_on_from_the_one_before_and_says_where_it_cannot_say(whole: Home, tmp_path: Path) -> None:
    alone = Home(tmp_path)
    shutil.copytree(whole.releases / DAYS[4], alone.releases / DAYS[4])
    assert faults(alone, DAYS[4], manifest(whole, DAYS[3]), DAYS[3]) == []
    for of in (DAYS[1], None):
        (fault,) = faults(alone, DAYS[4], manifest(whole, DAYS[1]), of)
        assert f"is not known to go on from {f'release {of} as it' if of else 'what'} was verified before: its chain is here back to {DAYS[4]}; expected" in fault  # fmt: skip
        assert "verify at the publisher's address, where all of it is" in fault


@pytest.mark.parametrize(("days", "most", "words"), [
    (0, 0, None), (2, 2, None), (2, None, None),
    (3, 2, "is of 2026-11-05, 3 days ago; expected at most 2 days: ask the publisher"),
])  # fmt: skip
def test_a_release_may_be_as_old_as_it_is_said(whole: Home, days: int, most: int | None, words: str | None) -> None:
    today = date.fromordinal(date(2026, 11, 5).toordinal() + days)
    assert age(DAYS[4], today) == days
    found = verify(Folder(whole.releases / DAYS[4]), KEY.public, (), Remembered(today, most=most)).faults
    assert [words in line for line in found if words] == [True] * len(found)
    assert bool(found) == (words is not None)


def test_by_a_clock_that_is_behind_it_cannot_be_judged_how_old_a_release_is_and_the_release_is_not_at_fault(whole: Home) -> None:
    folder = str(whole.releases / DAYS[4])
    code, output = said(folder, "--not-older-than", "2", now="2026-11-04T12:00:00+08:00")
    assert (code, "not all that is asked could be judged" in output, "tell the publisher" in output, "next time" in output) == (
        3,
        True,
        False,
        False,
    ), output
    assert f"release {DAYS[4]} is of a day to come by this machine's clock, by which today is 2026-11-04: set the clock" in output
    (whole.releases / DAYS[4] / "more").write_bytes(b"")
    try:
        code, output = said(folder, "--not-older-than", "2", now="2026-11-04T12:00:00+08:00")
    finally:
        (whole.releases / DAYS[4] / "more").unlink()
    assert (code, ": 1 fault; do not use it, and tell the publisher" in output, "set the clock" in output) == (1, True, True)
    assert said(folder, now="2026-11-04T12:00:00+08:00")[0] == 0


def test_a_day_that_is_none_has_no_age(tmp_path: Path) -> None:
    assert age("2026-13-01", TODAY) is None
    home = a_home(tmp_path, KEY, ("2026-13-01",))
    (fault,) = verify(Folder(home.releases / "2026-13-01"), KEY.public, (), Remembered(TODAY, most=2)).faults
    assert "is of 2026-13-01; expected a day of the calendar" in fault


def said(*arguments: str, now: str = "2026-11-07T12:00:00+08:00") -> tuple[int, str]:
    found = CliRunner().invoke(main, ["--now", now, "verify-release", *arguments, "--key", KEY.public.line])
    return found.exit_code, found.output


def test_a_person_types_the_manifest_or_its_hash_and_is_told_what_to_type_next_time(whole: Home, restored: Home) -> None:
    folder, mine = str(whole.releases / DAYS[4]), str(manifest(whole, DAYS[4]))
    code, output = said(folder, "--after", mine, "--not-older-than", "2")
    sha256 = file_sha256(Path(mine))
    assert (code, output.splitlines()[-1]) == (0, f"next time: --after {DAYS[4]}:{sha256}")
    forms = (mine, f"{DAYS[4]}:{sha256}", sha256)
    for after in (*forms, sha256.upper()):
        assert said(folder, "--after", after)[0] == 0
    for after in forms:
        code, output = said(str(restored.releases / DAYS[2]), "--after", after)
        assert (code, "1 fault; do not use it" in output, "next time" in output) == (1, True, False)
    code, output = said(folder, "--not-older-than", "1")
    assert (code, "2 days ago; expected at most 1 day" in output, "or not what is asked of it: 1 fault" in output) == (1, True, True)


@pytest.mark.parametrize(
    "after",
    [
        "nowhere",
        "",
        "0" * 63,
        "/",
        "2026-11-05:",
        ":" + "0" * 64,
        "today:" + "0" * 64,
        "2026-11-05:" + "0" * 63,
        SIGNATURE,
        "mingbai.db",
        "a\0b",
        "x" * 5000,
    ],
)
def test_what_is_no_manifest_is_not_taken_for_one_that_was_verified(whole: Home, after: str) -> None:
    given = str(whole.releases / DAYS[4] / after) if after in (*LINKS, "mingbai.db") else after
    code, output = said(str(whole.releases / DAYS[4]), "--after", given)
    assert (code, "Invalid value for --after" in output) == (2, True), output
