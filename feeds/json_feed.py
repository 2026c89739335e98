"""Write JSON Feed 1.1. Keys stand in the order of the specification, so the same feed gives the same bytes."""

import json
from datetime import datetime
from typing import Any

from .clean import clean
from .model import Entry, Feed

VERSION = "https://jsonfeed.org/version/1.1"


def json_feed(feed: Feed) -> bytes:
    """JSON Feed 1.1 in UTF-8. Raises ValueError for what no feed can have; see `clean`.

    The form has no date of the feed itself and no id but its address.
    """
    feed = clean(feed)
    written = {
        "version": VERSION,
        "title": feed.title,
        "home_page_url": feed.url_html,
        "feed_url": feed.url_self,
        "description": feed.subtitle,
        "authors": [{"name": feed.author}],
        "language": feed.language,
        "items": [_item(entry) for entry in feed.entries],
    }
    return json.dumps({key: value for key, value in written.items() if value != ""}, ensure_ascii=False, indent=1).encode() + b"\n"


def _item(entry: Entry) -> dict[str, Any]:
    """An item has its content as markup or as text, never neither: where there is no markup the summary is the text."""
    item: dict[str, Any] = {"id": entry.id, "url": entry.url, "title": entry.title}
    if entry.content_html:
        item |= {"content_html": entry.content_html, "summary": entry.summary}
    else:
        item["content_text"] = entry.summary or entry.title
    item |= {"date_published": _instant(entry.published), "date_modified": _instant(entry.updated)}
    if entry.authority:
        item["authors"] = [{"name": entry.authority}]
    if entry.categories:
        item["tags"] = list(entry.categories)
    return item


def _instant(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
