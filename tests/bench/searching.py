"""`make bench ARGS="--search 200000"`: how well institutions are found, and what that costs.

An index of the corpus is built in a process of its own; every query is asked once in this one; then neighbours, suggestions, hostile input and two
baselines over a sample. Nothing here asserts: what falls short of an aim is named at the end. The tuning part is for looking at misses; the held part is
only scored, and no miss of it is shown.
"""

import json
import os
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from rapidfuzz import fuzz, process

from search import compact, open_index

from .corpus import ROOT, SOURCES, Institution, corpus, weights
from .hostile import HOSTILE
from .labels import Labels
from .queries import TYPOS, Neighbour, Query, neighbours, queries

REAL = Path(os.environ.get("MINGBAI_REAL_DATA", ROOT.parent / "shared" / "data"))
AIM, AIM_TYPOS, AIM_FALSE = 0.98, 0.95, 0.02
SHOWN = 20  # results that a query is judged by
SURE = 0.9  # a score from here on reads as the same, whatever the page says
KIND = "institution"


@dataclass(slots=True)
class Score:
    """Of some queries: shares of those that were answered, and milliseconds of each."""

    recall: list[float] = field(default_factory=list)
    first: list[bool] = field(default_factory=list)
    fifth: list[bool] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def add(self, right: frozenset[str], ids: Sequence[str], wall: float, cpu: float) -> None:
        self.recall.append(len(right & set(ids)) / min(len(right), SHOWN))
        self.first.append(not right.isdisjoint(ids[:1]))
        self.fifth.append(not right.isdisjoint(ids[:5]))
        self.wall.append(wall)
        self.cpu.append(cpu)

    def line(self) -> str:
        return (
            f"{len(self.first):6,}  {mean(self.recall):9.3f}  {mean(self.first):9.3f}  {mean(self.fifth):9.3f}"
            f"  {at(self.wall, 50):8.2f} {at(self.wall, 99):8.2f}  {at(self.cpu, 50):8.2f} {at(self.cpu, 99):8.2f}"
        )


HEAD = f"{'':24} {'n':>6}  {'recall@20':>9}  {'success@1':>9}  {'success@5':>9}  {'p50 ms':>8} {'p99 ms':>8}  {'p50 cpu':>8} {'p99 cpu':>8}"


def mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else 0.0


def at(values: Sequence[float], percent: int) -> float:
    """The value below which so many of a hundred lie."""
    ordered = sorted(values) or [0.0]
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def asked(task: Callable[[], Any]) -> tuple[Any, float, float]:
    """What a task returns, and its milliseconds by the clock and of this thread's CPU."""
    wall, cpu = time.perf_counter(), time.thread_time()
    found = task()
    return found, (time.perf_counter() - wall) * 1e3, (time.thread_time() - cpu) * 1e3


def size_of(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def built(found: Sequence[Institution], folder: Path) -> Path:
    """The index of the corpus, built by a process of its own; prints its cost."""
    from run import timed  # the other half of `make bench`

    with (folder / "documents.ndjson").open("wb") as out:
        for rank, one in enumerate(found, 1):
            made = one.document(rank)
            out.write(
                orjson.dumps(
                    [made.id, made.kind, made.title, made.fields, made.identifiers, made.rank, made.facets],
                    option=orjson.OPT_APPEND_NEWLINE,
                )
            )
    target = folder / "index" / "index.db"  # with whatever an engine lays beside it
    target.parent.mkdir()
    report = folder / "report.json"
    command = [
        sys.executable,
        str(Path(__file__).with_name("building.py")),
        str(folder / "documents.ndjson"),
        str(target),
        json.dumps(weights()),
    ]
    cost = timed(command, MINGBAI_REPORT=str(report))
    size, names = size_of(target.parent), sum(len(name.encode()) for one in found for name in one.names)
    texts = sum(
        len(text.encode()) for one in found for text in (*one.names, one.region_text, *one.addresses, one.content, one.code, one.permit)
    )
    took = json.loads(report.read_text())["seconds"]
    print(
        f"  index: built in {took:.1f} s of CPU, peak {cost.peak:,.0f} MiB; {size / 2**20:,.1f} MiB, x{size / names:.2f} of the bytes of names"
        f" ({names / 2**20:,.1f} MiB), x{size / texts:.2f} of all that is searched",
        flush=True,
    )
    return target


def score(index: Any, asking: Sequence[Query]) -> tuple[dict[tuple[str, str], Score], list[tuple[Query, list[Any]]]]:
    """The score of each class and source, and the queries without a right answer among five, with what was found."""
    scores: dict[tuple[str, str], Score] = defaultdict(Score)
    missed = []
    for query in asking:
        found, wall, cpu = asked(lambda query=query: index.search(query.text, kind=KIND, limit=SHOWN))
        ids = [hit.id for hit in found.hits]
        scores[query.kind, query.source].add(query.right, ids, wall, cpu)
        if query.right.isdisjoint(ids[:5]):
            missed.append((query, list(found.hits[:3])))
    return scores, missed


def together(scores: Iterable[Score]) -> Score:
    whole = Score()
    for one in scores:
        for name in ("recall", "first", "fifth", "wall", "cpu"):
            getattr(whole, name).extend(getattr(one, name))
    return whole


def show(scores: dict[tuple[str, str], Score]) -> list[str]:
    """Print the table. Returns what falls short of an aim."""
    short = []
    print(HEAD)
    for kind in dict.fromkeys(kind for kind, _ in scores):
        ours = {source: scores[kind, source] for source in SOURCES if (kind, source) in scores}
        whole = together(ours.values())
        print(f"  {kind:22} {whole.line()}")
        if len(ours) > 1:
            for source, one in ours.items():
                print(f"    {source:20} {one.line()}")
        aim = AIM_TYPOS if kind in TYPOS else AIM
        if mean(whole.fifth) < aim:
            short.append(f"{kind}: success@5 {mean(whole.fifth):.3f} < {aim}")
    whole = together(scores.values())
    print(f"  {'all':22} {whole.line()}", flush=True)
    return short


def false_matches(index: Any, near: Sequence[Neighbour], asking: Sequence[Query]) -> list[str]:
    """Print how often a name that nobody has is called somebody's, and how often one that somebody has is. Returns what falls short."""
    short, groups = [], defaultdict[str, list[str]](list)
    for one in near:
        groups[f"another {one.kind}, {one.source}"].append(one.text)
    for query in asking:
        if query.kind in ("full", "code", "permit"):
            groups[f"(somebody's: {query.kind})"].append(query.text)
    print(f"  called the same, and with a first score of at least {SURE}, though nobody has the name")
    for label, texts in groups.items():
        tops = [hits[0] for text in texts if (hits := index.search(text, kind=KIND, limit=1).hits)]
        same, sure = sum(top.exact for top in tops) / len(texts), sum(top.score >= SURE for top in tops) / len(texts)
        print(f"    {label:32} {len(texts):6,}  {same:.3f}  {sure:.3f}", flush=True)
        if label.startswith("another") and same > AIM_FALSE:
            short.append(f"false matches of {label}: {same:.3f} > {AIM_FALSE}")
    return short


def suggesting(index: Any, found: Sequence[Institution], labels: Labels, count: int = 500) -> None:
    """Every beginning of some names, as they are typed: how long it takes, and whether the name is there when half of it is."""
    walls, cpus, there, few = [], [], [], []
    for one in random.Random(len(found)).sample(found, min(count, len(found))):
        for size in range(1, len(one.name) + 1):
            offered, wall, cpu = asked(lambda one=one, size=size: index.suggest(one.name[:size], limit=8))
            walls.append(wall)
            cpus.append(cpu)
            if size == (len(one.name) + 1) // 2:
                there.append(any(offer.id == one.id or compact(offer.text) == compact(one.name) for offer in offered))
                if len(labels.names.holders(compact(one.name[:size]))) <= 8:
                    few.append(there[-1])
    print(
        f"  suggest: {len(walls):,} beginnings of {len(there)} names, p50 {at(walls, 50):.2f} p99 {at(walls, 99):.2f} ms (cpu {at(cpus, 50):.2f}, {at(cpus, 99):.2f});"
        f" after half a name it is among 8: {mean(there):.3f}, where at most 8 have that half {mean(few):.3f} ({len(few)})",
        flush=True,
    )


def hostile(index: Any) -> None:
    """What input that is meant to hurt costs, asked for and typed."""
    worst: list[tuple[float, float, str]] = []
    for name, text in HOSTILE.items():
        for ask in (index.search, index.suggest):
            _, wall, cpu = asked(lambda ask=ask, text=text: ask(text))
            worst.append((cpu, wall, name))
    worst.sort(reverse=True)
    slowest = ", ".join(f"{name} {cpu:.1f}" for cpu, _, name in worst[:5])
    print(
        f"  hostile input: at most {worst[0][0]:.1f} ms of CPU, {max(wall for _, wall, _ in worst):.1f} by the clock; the slowest {slowest}",
        flush=True,
    )


def baselines(found: Sequence[Institution], asking: Sequence[Query], count: int) -> None:
    """What a scan by rapidfuzz and SQL's LIKE find of a sample, so that the figures above mean something."""
    sample = random.Random(count).sample(asking, min(count, len(asking)))
    rows = [(one.id, name) for one in found for name in one.names]
    ids, names = [id for id, _ in rows], [compact(name) for _, name in rows]
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE names (id TEXT, name TEXT)")
        connection.executemany("INSERT INTO names VALUES (?, ?)", rows)

        def like(text: str) -> list[str]:
            return [id for (id,) in connection.execute("SELECT DISTINCT id FROM names WHERE name LIKE '%' || ? || '%' LIMIT 5", [text])]

        def scan(text: str) -> list[str]:
            return [ids[spot] for _, _, spot in process.extract(compact(text), names, scorer=fuzz.WRatio, limit=5)]

        for label, way in (("LIKE '%query%' on names", like), ("rapidfuzz WRatio, all names", scan)):
            took, right = [], []
            for query in sample:
                got, _, cpu = asked(lambda way=way, query=query: way(query.text))
                took.append(cpu)
                right.append(not query.right.isdisjoint(got))
            print(
                f"  baseline {label}: success@5 {mean(right):.3f} over {len(sample)} queries; cpu p50 {at(took, 50):,.1f} p99 {at(took, 99):,.1f} ms",
                flush=True,
            )


def measure(
    size: int,
    part: str,
    *,
    asked_for: int = 6000,
    sample: int = 200,
    misses: int = 0,
    kinds: Sequence[str] = (),
    real: Path = REAL,
) -> None:
    """Build, ask and print."""
    folder = Path(tempfile.mkdtemp(prefix="mingbai-search-"))
    try:
        found = corpus(size, real)
        counts = {source: sum(one.source == source for one in found) for source in SOURCES}
        print(
            f"{len(found):,} institutions ({', '.join(f'{count:,} {source}' for source, count in counts.items())}), part {part}", flush=True
        )
        path = built(found, folder)
        labels = Labels(found)
        asking = [query for query in queries(labels, asked_for, kinds=kinds) if query.part == part]
        with open_index(path) as opened:
            for query in asking[:: max(1, len(asking) // 20)]:
                opened.search(query.text, kind=KIND)  # pages of the file come into memory
            scores, missed = score(opened, asking)
            short = show(scores)
            if misses and part == "tune":
                told: dict[str, int] = defaultdict(int)
                names = {one.id: one.name for one in found}
                for query, hits in missed:
                    told[query.kind] += 1
                    if told[query.kind] <= misses:
                        print(f"  missed {query.kind}: {query.text!r} of {names[query.of]!r}; found {[hit.title for hit in hits]}")
            short += false_matches(opened, [one for one in neighbours(labels) if one.part == part], asking)
            suggesting(opened, found, labels)
            hostile(opened)
        if sample:
            baselines(found, asking, sample)
        print("\n".join(["  short of an aim:", *(f"    {line}" for line in short)]) if short else "  every aim is met")
    finally:
        shutil.rmtree(folder)
