"""An archive of a feed is the same for ever, byte for byte: these were written in 2026, and readers keep what they have from then.

Where this fails, a change of words, labels, forms or libraries reaches archives. The files are never written anew: what a change has to say is
said in documents that are not archives, or archives of another form get other addresses.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from feed_file import write_feed_file
from feeds import FORMS, Form
from publish import channel
from publish.catalogue import Catalogue
from publish.channel import Channel
from publish.documents import asking
from publish.entries import Teller
from publish.happened import HAPPENED

HERE = Path(__file__).parent / "archives"
PAGE = 13  # numbers of an archive here, that the files stay small; the number of them is no part of the form
FEEDS = {"records/region/350102": "records", "listings": "listings"}
# a first page of what is told most, and on the second everything that an archive can say
NOTICES = [
    *((2, "notice", f"n-aaaaaaaaaa{n:02}", "first", "source", None) for n in range(1, PAGE + 1)),
    (2, "notice", "n-bbbbbbbbbbb2", "first", "source", None), (2, "notice", "n-aaaaaaaaaa01", "changed", "source", None),
    (3, "notice", "n-aaaaaaaaaa02", "corrected", "correction", None), (3, "notice", "n-aaaaaaaaaa02", "correction", "correction", None),
    (3, "notice", "n-aaaaaaaaaa03", "tombstone", "repaired", None), (3, "notice", "n-aaaaaaaaaa03", "removal", "repaired", None),
    (3, "notice", "n-aaaaaaaaaa04", "dispute", "dispute", None), (3, "notice", "n-bbbbbbbbbbb2", "tombstone", "expired", None), (3, "notice", "n-bbbbbbbbbbb2", "removal", "expired", None),
    (4, "notice", "n-bbbbbbbbbbb2", "again", "source", None), (4, "notice", "n-aaaaaaaaaa05", "removal", "absent", None), (4, "notice", "n-aaaaaaaaaa06", "removal", "unpublished", None),
    (4, "notice", "n-aaaaaaaaaa01", "changed", "source", None),
]  # fmt: skip
LISTINGS = [
    (4, "listing", f"i-aaaaaaaaaa{n:02}", "left" if n % 2 else "entered", "source", "350102" if n % 3 else None) for n in range(1, PAGE + 1)
]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Iterator[Channel]:
    path, events = tmp_path_factory.mktemp("archives") / "feeds.db", [*NOTICES, *LISTINGS]
    assert {kind for _, _, _, kind, *_ in events} == set(HAPPENED) - {"released"}
    numbers = range(1, len(NOTICES) + 1), range(len(NOTICES) + 1, len(events) + 1)
    write_feed_file(path, events, {feed: (family, items) for (feed, family), items in zip(FEEDS.items(), numbers, strict=True)})
    with closing(sqlite3.connect(path)) as connection:
        yield Channel(
            asking(connection), lambda *_: 1 / 0, Teller(catalogue, "https://mingbai.example"), ("https://hub.example/",), "2031-01-01"
        )


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize(("feed", "page"), [("records/region/350102", 2), ("listings", 1)])
def test_an_archive_is_the_same_for_ever(told: Channel, monkeypatch: pytest.MonkeyPatch, form: Form, feed: str, page: int) -> None:
    monkeypatch.setattr(channel, "PAGE", PAGE)
    (row,) = told.feeds("SELECT * FROM feeds WHERE feed = ?", feed)
    made = form(told.archive(row, page, form))
    kept = HERE / f"{FEEDS[feed]}.{form.name}"
    assert made.decode().splitlines() == kept.read_text("utf-8").splitlines()
    assert made == kept.read_bytes()


def test_a_page_of_an_archive_has_a_hundred_numbers() -> None:
    assert channel.PAGE == 100
