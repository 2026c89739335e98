"""What the three forms have in common: a document is its feed and the elements of its entries, which are made apart.

An entry is the same in every feed that it is in but for its number, and a notice is in a dozen: its element is made once and put into as many
documents as there are, each with the number that it has there.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from .clean import clean, clean_entry, distinct
from .model import Entry, Feed


class Element(NamedTuple):
    """An entry as it stands in a document of one form, and its number there with the earlier ones that it stands for."""

    written: bytes
    number: int = 0
    replaces: tuple[int, ...] = ()


def cleaned(entries: Iterable[Entry]) -> list[Entry]:
    """Entries as all forms take them. Raises ValueError for what none can have; see `clean`."""
    return [clean_entry(entry) for entry in entries]


class Form(ABC):
    """One form of a feed. Called with a feed it gives the document, in UTF-8: the same bytes for the same feed."""

    name: str
    media_type: str

    def __call__(self, feed: Feed) -> bytes:
        """The document. Raises ValueError for what no feed can have; see `clean`."""
        distinct(feed)
        elements = self.elements(cleaned(feed.entries))
        numbered = (Element(one, entry.number, entry.replaces) for one, entry in zip(elements, feed.entries, strict=True))
        return self.document(feed, numbered)

    def document(self, feed: Feed, elements: Iterable[Element]) -> bytes:
        """The document with these elements of its entries, in their order, instead of `feed.entries`. That no id comes twice is the caller's."""
        return self._document(clean(replace(feed, entries=())), elements)

    @abstractmethod
    def elements(self, entries: Sequence[Entry]) -> list[bytes]:
        """Entries that are clean as they stand in any document of this form, without their numbers."""

    @abstractmethod
    def _document(self, feed: Feed, elements: Iterable[Element]) -> bytes: ...
