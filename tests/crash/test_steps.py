"""The steps as single commands: one that was killed is typed again, and what follows makes the release that it would have made."""

import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from homes import Scene, copied, heard, left_at, on, seen_by_readers, steps_of, unlike, whole_home

from publish.candidate import Candidate
from publish.home import Home
from publish.inputs import fetch, inputs_for
from publish.steps import assembled, compare, judge, lay_out, make_downloads, make_index, publish
from publish.work import Work, opened

Step = Callable[[Work, Candidate], object]
LATER: tuple[Step, ...] = (compare, judge, lay_out, make_downloads, make_index, publish)
POINTS = 20


def typed(work: Work, archive: Path, at: Path) -> None:
    """The commands that are still to be typed. `at` says which one is, as whoever types them knows."""
    for number in range(int(at.read_text()) if at.is_file() else 0, len(LATER) + 1):
        at.write_text(str(number))
        with opened(work):
            if number == 0:
                assembled(work, inputs_for(work, {"platform": fetch(work, "platform", str(archive))}))
            else:
                LATER[number - 1](work, Candidate.load(work.home))


@pytest.fixture(scope="module")
def undisturbed(scenes: dict[str, Scene], archives: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Work:
    folder = tmp_path_factory.mktemp("steps")
    work = on(copied(scenes["second"].before, folder / "home"), 1)
    typed(work, archives[1], folder / "at")
    return work


def test_a_step_that_was_killed_is_typed_again(scenes: dict[str, Scene], archives: list[Path], undisturbed: Work, tmp_path: Path) -> None:
    scene, at = scenes["second"], tmp_path / "at"
    work = on(scene.starts(tmp_path / "home"), 1)
    steps = heard(partial(typed, work, archives[1], at), partial(steps_of, work.home), tmp_path)
    expected, new = whole_home(undisturbed.home), seen_by_readers(undisturbed.home)
    first = next(number for number, step in enumerate(steps) if step.startswith("os.mkdir /staging/candidate"))
    last = max(number for number, step in enumerate(steps) if "history.db" in step)
    chosen = {*random.Random("steps").sample(range(first, last), POINTS), *range(last, len(steps))}
    at.unlink()
    work, next_one = on(scene.starts(tmp_path / "home"), 1), tmp_path / "next"
    trial = on(replace(scene.before, home=Home(tmp_path / "trial")), 1)
    action = partial(typed, work, archives[1], at)
    for number, step in left_at(chosen, action, partial(steps_of, work.home), work.home.path, trial.home.path):
        where = f"killed at step {number}, {step}"
        found = seen_by_readers(trial.home)
        assert found in (scene.old, new), where
        if found == scene.old:
            next_one.write_bytes(at.read_bytes())
            typed(trial, archives[1], next_one)
        else:
            with opened(trial):
                pass  # any command puts right what is left
        wrong = [
            name for name in unlike(whole_home(trial.home), expected) if "2024-01-05" not in name and name not in ("releases.json", "chain")
        ]
        assert not wrong, f"{where}: the same commands did not make {wrong}"
