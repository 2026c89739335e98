"""`make bench ARGS="--feeds 20000"`: every feed of a release with about so many notices, made ahead, and again after half a percent changed.

The release is made of the reference platform by a real run, so all is in the records' feeds, and the alert feeds are empty: it is its source's first. The floor is
the same entries, already in words and clean, in the same documents, written with lxml and json alone, each anew in each feed, and not packed. Each step is a
process of its own, for its memory. Nothing here asserts: seconds are those of a shared machine, and the ratios are of one run.
"""

import json
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
from lxml import etree

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent.parent)]

from history import Days  # noqa: E402 - found by the line above, as a script and as a part of run.py
from run import Cost, mingbai, platform, show, timed  # noqa: E402

from feeds import Entry, Feed, atom, cleaned  # noqa: E402
from feeds.extension import ATOM, MB  # noqa: E402
from publish import history  # noqa: E402
from publish.assembled import Assembled  # noqa: E402
from publish.catalogue import load  # noqa: E402
from publish.channel import Channel  # noqa: E402
from publish.diff import diff  # noqa: E402
from publish.documents import asking  # noqa: E402
from publish.entries import Teller  # noqa: E402
from publish.feedfile import feedfile  # noqa: E402
from publish.home import Home  # noqa: E402

SITE = "https://mingbai.example"
SHOWABLE = 1.7  # notices that the platform has for each that may be shown
SECOND = "2026-11-02"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}"
DC, TERMS = "{http://purl.org/dc/elements/1.1/}", "{http://purl.org/dc/terms/}"


def first(home: Home) -> dict[str, float]:
    """Make the file of feeds of the live release, of nothing."""
    shutil.rmtree(home.feeds, ignore_errors=True)
    live = str(home.live())
    began = time.process_time()
    path = feedfile(home, load(), home.releases / live, live, SITE)
    return {"seconds": time.process_time() - began, **counted(path)}


def counted(path: Path) -> dict[str, float]:
    with closing(sqlite3.connect(path)) as connection:
        sql = """SELECT count(*), sum(size), sum(length(gzip)), sum(length(brotli)),
          (SELECT sum(last - first + 1) FROM feeds WHERE last > 0), (SELECT count(*) FROM feeds WHERE last > 0) FROM documents"""
        names = ("documents", "bytes", "gzip", "brotli", "entries", "feeds")
        return {"file": path.stat().st_size, **dict(zip(names, connection.execute(sql).fetchone(), strict=True))}


def second(home: Home) -> dict[str, float]:
    """Half a percent of the release changes: enter it in history and make the file of feeds of it, beside the one before."""
    catalogue, before = load(), str(home.live())
    old, now = home.releases / before / "mingbai.db", home.releases / SECOND / "mingbai.db"
    now.parent.mkdir()
    for name in ("mingbai.db", "manifest.json"):
        shutil.copyfile(old.with_name(name), now.with_name(name))
    day = Days(catalogue, now)
    day.pick(1)
    day.next(1)
    day.connection.close()
    made = Assembled(now, SECOND, {}, {}, {}, {}, None)
    history.record(home.history, catalogue, SECOND, SECOND, now, diff(made, old, catalogue, home.path / "changes.db"), before, None)
    began = time.process_time()
    path = feedfile(home, catalogue, now.parent, SECOND, SITE)
    seconds = time.process_time() - began
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ATTACH ? AS before", [str(home.feeds / f"{before}.db")])
        ((kept,),) = connection.execute(
            "SELECT count(*) FROM documents d JOIN before.documents b USING (feed, form, fingerprint)"
        ).fetchall()
    return {"seconds": seconds, "kept": kept, **counted(path)}


def floor(home: Home) -> dict[str, float]:
    """Write the same documents with lxml and json alone."""
    live = str(home.live())
    seconds, size, documents = 0.0, 0, 0
    with (
        closing(sqlite3.connect(home.feeds / f"{live}.db")) as ledger,
        closing(sqlite3.connect(home.releases / live / "mingbai.db")) as release,
    ):
        channel = Channel(asking(ledger), asking(release), Teller(load(), SITE))
        for row in list(asking(ledger)("SELECT * FROM feeds WHERE last > 0 ORDER BY feed")):
            feed = channel.current(row, atom)
            entries = cleaned(feed.entries)
            began = time.process_time()
            written = [_rss(feed, entries), _atom(feed, entries), _json(feed, entries)]
            seconds += time.process_time() - began
            size += sum(map(len, written))
            documents += len(written)
    return {"seconds": seconds, "bytes": size, "documents": documents}


def _sub(parent: Any, name: str, text: str = "", **attributes: str) -> Any:
    element = etree.SubElement(parent, name, attributes)
    element.text = text or None
    return element


def _ours(element: Any, entry: Entry) -> None:
    for name, text in (("event", entry.event), ("number", str(entry.number)), ("replaces", " ".join(map(str, entry.replaces)))):
        if text:
            _sub(element, f"{MB}{name}", text)


def _rss(feed: Feed, entries: list[Entry]) -> bytes:
    root = etree.Element(
        "rss",
        {"version": "2.0"},
        nsmap={"atom": ATOM[1:-1], "mb": MB[1:-1], "content": CONTENT[1:-1], "dc": DC[1:-1], "dcterms": TERMS[1:-1]},
    )
    channel = _sub(root, "channel")
    for name, text in (("title", feed.title), ("link", feed.url_html), ("description", feed.subtitle), ("language", feed.language)):
        _sub(channel, name, text)
    for entry in entries:
        item = _sub(channel, "item")
        for name, text in (("title", entry.title), ("link", entry.url), ("description", entry.content_html or entry.summary)):
            _sub(item, name, text)
        _sub(item, "guid", entry.id, isPermaLink="false")
        for category in entry.categories:
            _sub(item, "category", category)
        _sub(item, "pubDate", entry.published.strftime("%a, %d %b %Y %H:%M:%S %z"))
        _sub(item, f"{DC}creator", entry.authority or "")
        _sub(item, f"{TERMS}modified", entry.updated.isoformat())
        for link in entry.links:
            _sub(item, f"{ATOM}link", rel=link.rel, href=link.href, title=link.title)
        _ours(item, entry)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)


def _atom(feed: Feed, entries: list[Entry]) -> bytes:
    root = etree.Element(f"{ATOM}feed", nsmap={None: ATOM[1:-1], "mb": MB[1:-1]})
    for name, text in (("id", feed.id), ("title", feed.title), ("updated", feed.updated.isoformat()), ("subtitle", feed.subtitle)):
        _sub(root, f"{ATOM}{name}", text)
    for entry in entries:
        element = _sub(root, f"{ATOM}entry")
        for name, text in (
            ("id", entry.id),
            ("title", entry.title),
            ("updated", entry.updated.isoformat()),
            ("published", entry.published.isoformat()),
        ):
            _sub(element, f"{ATOM}{name}", text)
        _sub(_sub(element, f"{ATOM}author"), f"{ATOM}name", entry.authority or "")
        _sub(element, f"{ATOM}content", entry.content_html or entry.summary, type="html")
        _sub(element, f"{ATOM}link", href=entry.url)
        for category in entry.categories:
            _sub(element, f"{ATOM}category", term=category)
        for link in entry.links:
            _sub(element, f"{ATOM}link", rel=link.rel, href=link.href, title=link.title)
        _ours(element, entry)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)


def _json(feed: Feed, entries: list[Entry]) -> bytes:
    items = [
        {
            "id": entry.id, "url": entry.url, "title": entry.title, "content_html": entry.content_html, "content_text": entry.summary,
            "date_published": entry.published.isoformat(), "date_modified": entry.updated.isoformat(), "authors": [{"name": entry.authority}],
            "tags": list(entry.categories), "_mingbai": {"event": entry.event, "number": entry.number, "replaces": list(entry.replaces)},
        }
        for entry in entries
    ]  # fmt: skip
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": feed.title, "items": items}, ensure_ascii=False).encode()


STEPS: dict[str, Callable[[Home], dict[str, float]]] = {"first": first, "floor": floor, "second": second}


def measure(size: int) -> None:
    """Print what all feeds of a release with about `size` notices cost."""
    folder = Path(tempfile.mkdtemp(prefix="mingbai-feeds-"))
    try:
        home, report = folder / "home", folder / "report.json"
        with platform(size, 1, 0, round(size * SHOWABLE)) as address:
            show("the run that makes it", timed(mingbai(home, 0, "run", "--source", f"platform={address}", "--rate", "0")))
        found: dict[str, dict[str, float]] = {}
        costs: dict[str, Cost] = {}
        for step in STEPS:
            costs[step] = timed([sys.executable, str(HERE), step, str(home)], MINGBAI_REPORT=str(report))
            found[step] = orjson.loads(report.read_bytes())
        made, base, again = (found[step] for step in STEPS)
        print(
            f"  {made['feeds']:,.0f} feeds with {made['entries']:,.0f} entries in {made['documents']:,.0f} documents of {made['bytes'] / 2**20:,.0f} MiB; "
            f"packed {made['gzip'] / 2**20:,.0f} MiB by gzip, {made['brotli'] / 2**20:,.0f} by brotli; the file {made['file'] / 2**20:,.0f} MiB"
        )
        print(
            f"  all feeds: cpu {made['seconds']:.1f} s, peak {costs['first'].peak:.0f} MiB, x{made['seconds'] / base['seconds']:.2f} of lxml alone "
            f"(cpu {base['seconds']:.1f} s for {base['documents']:,.0f} documents of {base['bytes'] / 2**20:,.0f} MiB, not packed)"
        )
        written = again["documents"] - again["kept"]
        print(
            f"  half a percent later: cpu {again['seconds']:.1f} s, {again['seconds'] / made['seconds']:.0%} of the first, peak {costs['second'].peak:.0f} MiB; "
            f"{written:,.0f} of {again['documents']:,.0f} documents written"
        )
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    Path(os.environ["MINGBAI_REPORT"]).write_bytes(orjson.dumps(STEPS[sys.argv[1]](Home(Path(sys.argv[2])))))
