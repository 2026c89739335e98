"""A run that is killed, at 200 points and at the border of each step: readers see the old release or the new, the next run puts everything
right, and nothing is lost. The home is then compared, file by file, with one in which nothing happened."""

import inspect
import os
import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from homes import FINE, KILLED, Scene, ask, ended, forked, heard, killed_after, left_at, on, seen_by_readers, steps_of

from publish import decide, inputs, run, steps
from publish.candidate import Candidate
from publish.errors import BadHome, ReviewNeeded
from publish.home import Home

POINTS = int(os.environ.get("CRASH_POINTS", 200))
SCENES = ("first", "second", "approved")
EACH = -(-POINTS // len(SCENES) // 2)


@pytest.mark.parametrize("name", SCENES)
def test_killed_at_any_moment(name: str, scenes: dict[str, Scene], tmp_path: Path) -> None:
    """SIGKILL from outside, by the clock: also while SQLite writes."""
    scene, said = scenes[name], tmp_path / "said"

    def undisturbed() -> float:
        work, began = scene.starts(tmp_path / "home"), monotonic()
        assert ended(forked(lambda: scene.act(work), said)) == FINE, said.read_text("utf-8")
        return monotonic() - began

    whole = min(undisturbed() for _ in range(3))
    draw = random.Random(f"moment {name}")
    found: Counter[str] = Counter()
    for _ in range(EACH):
        work, moment = scene.starts(tmp_path / "home"), draw.random() * whole
        code = killed_after(moment, partial(scene.act, work), said)
        assert code in (KILLED, FINE), said.read_text("utf-8")
        found["died" if code == KILLED else "was done"] += 1
        found[scene.judge(work, f"killed after {moment:.4f} of {whole:.4f} s")] += 1
    assert found["died"] > found["was done"], found
    assert found["old"], found


@pytest.mark.parametrize("name", SCENES)
def test_killed_before_any_change_to_a_file(name: str, scenes: dict[str, Scene], tmp_path: Path) -> None:
    """The same point each time, by counting."""
    scene = scenes[name]
    work = scene.starts(tmp_path / "home")
    steps = heard(partial(scene.act, work), partial(steps_of, work.home), tmp_path)
    assert len(steps) > 30, steps
    draw, downloads = random.Random(f"step {name}"), [number for number, step in enumerate(steps) if "/downloads/" in step]
    others = sorted(set(range(len(steps))) - set(downloads))
    # a hundred files to take away are written alike: some of these, so that what comes before and after them is met as often as without
    chosen = draw.sample(others, min(EACH, len(others))) + draw.sample(downloads, min(EACH // 4 + 1, len(downloads)))
    found = judged_at(chosen, scene, steps_of, tmp_path)
    assert min(found["old"], found["new"]), found


@pytest.mark.parametrize("name", ["second", *(pytest.param(name, marks=pytest.mark.bench) for name in ("first", "approved"))])
def test_killed_at_the_border_of_each_stage(name: str, scenes: dict[str, Scene], tmp_path: Path) -> None:
    scene = scenes[name]
    work = scene.starts(tmp_path / "home")
    steps = heard(partial(scene.act, work), borders, tmp_path)
    assert {"before seal", "after seal", "before go_live", "after go_live"} <= set(steps)
    found = judged_at(map(steps.index, dict.fromkeys(steps)), scene, lambda _, step: borders(step), tmp_path)
    assert min(found["old"], found["new"]), found


def borders(step: Callable[[str], None]) -> None:
    """From now on, for the rest of this process, call `step` before and after each function of ours that a run calls by its name."""

    def bordered(name: str, stage: Callable[..., Any]) -> Callable[..., Any]:
        def between(*arguments: Any, **named: Any) -> Any:
            step(f"before {name}")
            result = stage(*arguments, **named)
            step(f"after {name}")
            return result

        return between

    for room in (inputs, steps, run):
        for name, stage in inspect.getmembers(room, inspect.isfunction):
            if stage.__module__.startswith("publish.") and name not in ("china_day", "as_json"):
                setattr(room, name, bordered(name, stage))


def judged_at(chosen: Iterable[int], scene: Scene, listen: Callable[[Home, Callable[[str], None]], None], folder: Path) -> Counter[str]:
    """How many homes of a run that was killed at the chosen steps showed what; each is judged."""
    work, trial, found = scene.starts(folder / "home"), replace(scene.before, home=Home(folder / "trial")), Counter[str]()
    for number, step in left_at(chosen, partial(scene.act, work), partial(listen, work.home), work.home.path, trial.home.path):
        found[scene.judge(trial, f"killed at step {number}, {step}")] += 1
    return found


def test_a_digest_never_lets_through_what_a_killed_run_put_in_its_place(
    scenes: dict[str, Scene], archives: list[Path], tmp_path: Path
) -> None:
    """What was held is approved after a run with another delivery died: readers get what was looked at, or nothing."""
    held = scenes["approved"]
    work = held.starts(tmp_path / "home")
    digest = Candidate.load(work.home).digest
    action = partial(ask, work, archives[2], 2)
    found: Counter[str] = Counter()
    steps = heard(action, borders, tmp_path)
    stages = ("fetch", "assembled", "stage", "assemble", "compare", "diff", "judge")
    chosen = [number for number, step in enumerate(steps) if step.partition(" ")[2] in stages]
    held.starts(tmp_path / "home")
    trial = tmp_path / "trial"
    for _ in left_at(chosen, action, borders, work.home.path, trial):
        work = replace(held.before, home=Home(trial))
        if work.live != held.before.live:
            continue  # it died after its own release went live
        try:
            decide.approve(on(work, 1), digest, "王芳", "核对无误")
        except (BadHome, ReviewNeeded) as error:
            found[type(error).__name__] += 1
            assert seen_by_readers(work.home) == held.old
        else:
            found["released"] += 1
            assert seen_by_readers(work.home) == held.new
    assert found["released"], found
    assert found["BadHome"], found
