"""Write one feed as RSS 2.0, Atom and JSON Feed 1.1. Knows XML and feeds, and nothing of what is published in them."""

from .clean import plain
from .form import Element, Form, cleaned
from .json_feed import json_feed
from .model import Detail, Entry, Feed, Link, Tombstone
from .xml import atom, rss

FORMS = (rss, atom, json_feed)

__all__ = ["FORMS", "Detail", "Element", "Entry", "Feed", "Form", "Link", "Tombstone", "atom", "cleaned", "json_feed", "plain", "rss"]
