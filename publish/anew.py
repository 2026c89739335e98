"""The data of an earlier release made anew of its snapshots: what today's rules mask or leave out does not come back as it was published.

What that release held is not in its snapshots, which have it cut short or spoilt, but in those of the release before it was held. That one is
made anew beside it, and of it what the earlier release still showed is held again.
"""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .assemble import assemble
from .assembled import Assembled
from .catalogue import Catalogue
from .errors import BadHome
from .forgotten import gone
from .hold import hold
from .inputs import Inputs
from .measure import attached
from .partitions import Place
from .review import Held
from .snapshot import load
from .stage import stage, staged_tables
from .steps import assembled
from .tables import working
from .work import Work


def anew(work: Work, release: str) -> tuple[Assembled, tuple[Held, ...]]:
    """The data of `release` in the candidate's folder, as today's rules make it, and what is held in it.

    Raises BadHome where the last good rows of something that it holds cannot be made anew.
    """
    home, manifest = work.home, work.home.manifest(release)
    held, shown = tuple(Held(**row) for row in manifest["held"]), home.releases / release / "mingbai.db"
    good: dict[str, list[Held]] = defaultdict(list)
    for one in held:
        good[_last_good(work, release, (one.source, one.table, one.region))].append(one)
    made = assembled(work, _snapshots(work, manifest), shown).assembled
    path, staged = home.candidate / "good.db", home.candidate / "good-private.db"
    for name in sorted(good):
        inputs = _snapshots(work, home.manifest(name))
        assemble(stage(inputs, work.catalogue, staged, home.base, work.progress), work.catalogue, work.day, path, None, work.progress)
        _leave_only(path, shown, work.catalogue)
        with attached(made.path, path, home.candidate / "private.db", made.day, gone(work.home.history)) as connection:
            made = hold(connection, made, work.catalogue, good[name], ())
        for file in (path, staged):
            file.unlink()
    return made, held


def _last_good(work: Work, release: str, place: Place) -> str:
    """The release whose rows of a partition `release` holds: the last one before it that did not hold it itself."""
    known, name = work.home.release_ids(), release
    while name in known:
        manifest = work.home.manifest(name)
        if manifest.get("restores"):  # its snapshots do not say what was withdrawn and corrected before somebody went back to them
            break
        if place not in {(row["source"], row["table"], row["region"]) for row in manifest.get("held", [])}:
            return name
        name = manifest["previous"]
    raise BadHome(
        f"{work.home.releases}: release {release} holds {' '.join(place)} and would be made anew, with rows of release {name}, which {'has the data of an earlier one' if name in known else 'is no longer here'}; go back to another release"
    )


def _snapshots(work: Work, manifest: Mapping[str, Any]) -> Inputs:
    return {row["id"]: tuple(load(work.home.raw / snapshot["id"]) for snapshot in row["snapshots"]) for row in manifest["sources"]}


def _leave_only(path: Path, shown: Path, catalogue: Catalogue) -> None:
    """Take out of a database what `shown` does not have: what ended or was withdrawn while it was held."""
    with working(path) as connection:
        connection.execute("ATTACH ? AS shown", [f"{shown}"])
        connection.execute("BEGIN")
        for table in staged_tables(catalogue):
            if table.prefix and table.name != "documents":
                there = connection.one("SELECT count(*) FROM shown.sqlite_schema WHERE name = ?", [table.name])
                but = f'WHERE id NOT IN (SELECT id FROM shown."{table.name}")' if there else ""
                connection.execute(f'DELETE FROM main."{table.name}" {but}')
        connection.execute("COMMIT")
