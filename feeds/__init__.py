"""Write one feed as RSS 2.0, Atom and JSON Feed 1.1. Knows XML and feeds, and nothing of what is published in them."""

from .json_feed import json_feed
from .model import Entry, Feed
from .xml import atom, rss

__all__ = ["Entry", "Feed", "atom", "json_feed", "rss"]
