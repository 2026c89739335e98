"""Validate pages on every core, in order. The whole of a first run is mostly this, and pages do not know each other.

A worker is a process with a catalogue and memories of its own that gets the name of a page and gives its rows back. Few pages are read in
this process: starting workers costs half a second each.
"""

import gc
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from pathlib import Path

from .catalogue import Catalogue, load
from .snapshot import Page, Snapshot
from .unchanged import Earlier
from .validate import Batch, Validator

FEW = 50_000  # records: 0.2 s (ratings) to 3 s (institutions) of reading; a worker takes 0.5 s to start
AHEAD = 4  # pages a worker: enough to keep it busy, few enough to keep their rows out of memory

Task = tuple[str, str, Path, Page, str | None, Earlier | None]  # source, snapshot id, its folder, page, as-of day, the page as it was


class _Reader:
    """A catalogue and the validator of the listing that is being read."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.key: tuple[str, str] | None = None

    def read(self, task: Task) -> Batch:
        source, snapshot, folder, page, as_of, earlier = task
        if self.key != (snapshot, page.listing):
            declared = self.catalogue.source(source)
            self.key, self.validator = (snapshot, page.listing), Validator(declared.listings[page.listing], declared, self.catalogue, as_of)
        return self.validator.page(folder, page, earlier)


_mine: _Reader


@contextmanager
def _without_circles() -> Iterator[None]:
    """Rows and records are trees: looking for circles in them takes a fifth of the time."""
    looks = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if looks:
            gc.enable()


def _begin(folder: Path, more_sources: Path | None) -> None:
    global _mine
    gc.disable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted and ends its workers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _mine = _Reader(load(folder, more_sources))


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _read(task: Task) -> Batch:
    return _mine.read(task)


def validated(pages: Sequence[tuple[Snapshot, Page, Earlier | None]], catalogue: Catalogue) -> Iterator[Batch]:
    """What each page became, in the order given, after what is known of it as it was. Raises what validation raises."""
    listings = {(snapshot.id, page.listing): snapshot for snapshot, page, _ in pages}
    days = {(name, listing): snapshot.as_of(listing) for (name, listing), snapshot in listings.items()}
    tasks = [
        (snapshot.source, snapshot.id, snapshot.folder, page, days[snapshot.id, page.listing], earlier) for snapshot, page, earlier in pages
    ]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if cores == 1 or len(pages) < cores or sum(page.records for _, page, _ in pages) < FEW:
        with _without_circles():
            yield from map(_Reader(catalogue).read, tasks)
        return
    with _without_circles(), ProcessPoolExecutor(cores, get_context("spawn"), _begin, (catalogue.folder, catalogue.more_sources)) as pool:
        waiting: deque[Future[Batch]] = deque()
        try:
            for task in tasks:
                waiting.append(pool.submit(_read, task))
                if len(waiting) > AHEAD * cores:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
