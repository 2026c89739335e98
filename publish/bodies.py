"""What a webhook says of numbers of a feed."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .deliver import Tell
from .home import CHINA
from .work import Work

EVENTS = """
SELECT i.seq, e.number, r.id, r.day, e.what, e.id, e.kind, e.cause FROM feed_items i JOIN feed_events e ON e.number = i.event
JOIN releases r ON r.number = e.release WHERE i.feed = ? AND i.seq = ?
"""


def teller(work: Work, identifier: str, feeds: Path) -> Tell:
    """What may be said today of the numbers of the live release's feeds."""

    def tell(feed: str, numbers: Sequence[int]) -> Mapping[int, Mapping[str, Any]]:
        with closing(sqlite3.connect(f"file:{quote(str(feeds))}?mode=ro&immutable=1", uri=True)) as connection:
            rows = [row for number in numbers for row in connection.execute(EVENTS, [feed, number])]
        return {
            seq: {
                "type": f"{what}.{kind}",
                "timestamp": datetime.combine(date.fromisoformat(day), time(0), CHINA).isoformat(),
                "data": {"event": event, "release": release, "cause": cause, "item": {"what": what, "id": key}},
            }
            for seq, event, release, day, what, key, kind, cause in rows
        }

    return tell
