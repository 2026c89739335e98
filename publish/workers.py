"""Validate pages on every core, in order. Much of a first run is this, and pages do not know each other.

A worker is a process with a catalogue and memories of its own that gets the name of a page and gives its rows back. This process reads too, while
it would wait for one: a worker less is half a second less to start it, and what is read here need not be sent. Few pages are read here alone.
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

from .batch import Batch
from .catalogue import Catalogue, load
from .snapshot import Page, Snapshot
from .unchanged import Earlier
from .validate import Validator

FEW = 50_000  # records: 0.2 s (ratings) to 3 s (institutions) of reading; a worker takes 0.5 s to start
# pages that a worker has before it, each 3 to 45 ms of CPU: enough for as long as this process inserts, few enough that none is left with many at the end.
# With 1, 2 and 3 a staging's 560 pages took 27.1, 27.6 and 26.5 s (one worker, two busy cores): no measured difference
AHEAD = 3
# pages a core that are begun or wait for their turn, whose rows lie in memory: of the platform's 0.2 MiB each, of 5,000 ratings 0.9, so 7 MiB a core at most
HELD = 8

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
    here = _Reader(catalogue)
    with _without_circles():
        if cores == 1 or len(pages) < cores or sum(page.records for _, page, _ in pages) < FEW:
            yield from map(here.read, tasks)
            return
        others = cores - 1  # and this process, which inserts what was read and reads while it would wait
        with ProcessPoolExecutor(others, get_context("spawn"), _begin, (catalogue.folder, catalogue.more_sources)) as pool:
            try:
                yield from _shared(tasks, pool, others, here)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)


def _shared(tasks: Sequence[Task], pool: ProcessPoolExecutor, others: int, here: _Reader) -> Iterator[Batch]:
    """What each page became, of pages that are read in the pool and here, by whoever is free."""
    todo, waiting = deque(tasks), deque[Future[Batch]]()
    while todo or waiting:
        given = sum(not one.done() for one in waiting)
        while todo and given < AHEAD * others and len(waiting) < HELD * (others + 1):
            waiting.append(pool.submit(_read, todo.popleft()))
            given += 1
        if waiting[0].done() or not todo or len(waiting) >= HELD * (others + 1):
            yield waiting.popleft().result()
        else:
            waiting.append(_done(here, todo.popleft()))


def _done(here: _Reader, task: Task) -> Future[Batch]:
    """The same as from the pool: what is wrong with a page is told when it is its turn."""
    read = Future[Batch]()
    try:
        read.set_result(here.read(task))
    except Exception as error:
        read.set_exception(error)
    return read
