"""The homes that trials start from: made once, copied for each trial."""

from contextlib import suppress
from pathlib import Path

import homes
import pytest
from homes import Scene, a_work, ask, copied, delivered, scene

from making import one_province
from publish import decide
from publish.candidate import Candidate
from publish.catalogue import Catalogue
from publish.errors import ReviewNeeded
from publish.work import Work


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return one_province()


@pytest.fixture
def said() -> list[str]:
    """What runs say, for those that are given it."""
    return []


@pytest.fixture(scope="session")
def archives(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The deliveries of twelve days."""
    folder = tmp_path_factory.mktemp("archives")
    return [delivered(folder, number) for number in range(12)]


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue, archives: list[Path]) -> dict[str, Scene]:
    """The first release, the one after it, and one that was held and that a person lets through."""
    folder = tmp_path_factory.mktemp("scenes")
    empty = a_work(folder / "empty", catalogue)
    empty.home.prepare()
    one = copied(empty, folder / "one")
    ask(one, archives[0], 0)
    for identifier in ("2024-01-05", "2024-01-20"):  # the next release lets the first of them go, and what it was made of
        homes.old_snapshot(one.home, identifier, f"platform-{identifier}")
        homes.old_release(one.home, identifier, f"platform-{identifier}")
    lost = delivered(folder / "lost", 1, {name: records[:20] for name, records in homes.day_of(1).items()})
    held = copied(one, folder / "held")

    def hold(work: Work) -> None:
        with pytest.raises(ReviewNeeded):
            ask(work, lost, 1)

    def approve(work: Work) -> None:
        digest = str(Candidate.load(work.home).digest)
        for name in ("王芳", "李强"):  # two, where two are asked for
            with suppress(ReviewNeeded):
                decide.approve(homes.on(work, 1), digest, name, "核对无误")
            if work.live != one.live:
                return
        raise AssertionError(f"{digest} was approved twice and is not live")

    def approve_again(work: Work) -> None:
        if work.live != one.live:
            ask(work, lost, 1)
            return
        if not work.home.candidate_file.is_file():
            hold(work)
        approve(work)

    hold(held)
    return {
        "first": scene("first", empty, lambda work: ask(work, archives[0], 0), folder),
        "second": scene("second", one, lambda work: ask(work, archives[1], 1), folder),
        "approved": scene("approved", held, approve, folder, approve_again),
    }
