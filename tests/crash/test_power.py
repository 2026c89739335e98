"""The power is cut: what was not fsynced is gone, and still readers find the old release or the new one, and the next run goes on."""

import random
from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest
from disk import Disk
from homes import FINE, Scene, ended, forked, seen_by_readers
from test_kill import POINTS

from publish.work import Work

CUTS = max(POINTS // 5, 1)


def with_cuts(work: Work, scene: Scene, folder: Path, chosen: set[int] | None) -> None:
    """For a child: the run, and at each chosen moment the home as a cut would leave it. The moments are written down."""
    moments: list[str] = []

    def cut(disk: Disk, moment: str) -> None:
        if chosen is not None and len(moments) in chosen:
            for lost in (True, False):
                disk.lay_out(folder / f"{len(moments)}-{lost}", lost)
        moments.append(moment)

    disk = Disk(work.home.path, cut)
    disk.begin()
    scene.act(work)
    cut(disk, "at the end")
    (folder / "moments").write_text("\n".join(moments), "utf-8")


def moments_of(scene: Scene, folder: Path, chosen: set[int] | None = None, without: str | None = None) -> list[str]:
    """What happened when the power could be cut; `without` names a function of ours that then does nothing."""
    work, said = scene.starts(folder / "home"), folder / "said"

    def act() -> None:
        if without:
            module, _, name = without.rpartition(".")
            setattr(import_module(module), name, lambda *_: None)
        with_cuts(work, scene, folder, chosen)

    assert ended(forked(act, said)) == FINE, said.read_text("utf-8")
    return (folder / "moments").read_text("utf-8").splitlines()


@pytest.mark.parametrize("name", ["first", "second", "approved"])
def test_the_power_is_cut(name: str, scenes: dict[str, Scene], tmp_path: Path) -> None:
    scene = scenes[name]
    moments = moments_of(scene, tmp_path)
    commit = moments.index("before the rename to current")
    near = set(range(commit - 2, len(moments)))  # and of what comes before, some
    chosen = near | set(random.Random(f"power {name}").sample(range(commit - 2), min(CUTS // 3, commit - 2)))
    moments_of(scene, tmp_path, chosen)
    found: Counter[str] = Counter()
    for number in sorted(chosen):
        for lost in (True, False):
            home = tmp_path / f"{number}-{lost}"
            if home.is_dir():
                work = scene.placed(home, tmp_path / "home")
                found[scene.judge(work, f"cut {moments[number]}, {'names' if lost else 'data'} lost")] += 1
    assert found["old"], found
    assert found["new"], found


@pytest.mark.parametrize("without", ["publish.live.sync", "publish.release.sync"])
def test_without_one_sync_a_cut_is_seen(without: str, scenes: dict[str, Scene], tmp_path: Path) -> None:
    """The check checks something: what makes a release durable cannot be taken out unnoticed."""
    scene = scenes["second"]
    work = scene.starts(tmp_path / "home")
    moments = moments_of(scene, tmp_path, without=without)
    chosen = set(
        range(max(number for number, moment in enumerate(moments) if moment.startswith("before the rename to current")), len(moments))
    )
    moments_of(scene, tmp_path, chosen, without)
    torn = 0
    for home in tmp_path.glob("[0-9]*-*"):
        work = scene.placed(home, tmp_path / "home")
        torn += seen_by_readers(work.home) not in (scene.old, scene.new)
    assert torn, moments
