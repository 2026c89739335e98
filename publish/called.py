"""What codes, columns, regions and names are called in an entry of a feed, and where on the site the page of a thing is.

Texts are Chinese, as the sources' are. It knows the catalogue's labels and the site's address; no row, event or rule of what may be said.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from feeds import Detail

from .catalogue import Catalogue
from .telling import name_key

FORMER_NAME = "曾用名"
LONGEST = 80  # characters of a name in a title: no real one has as many, and what a source writes into the wrong field may have thousands


@dataclass(frozen=True, slots=True)
class Called:
    """The labels of a catalogue, and pages of a site at an address without a slash at its end."""

    catalogue: Catalogue
    site: str
    _names: dict[str, str] = field(default_factory=dict, repr=False)  # of regions, asked for once

    def label(self, table: str, code: str | None) -> str:
        """What a code is called in a code table; "" for one that is not in it."""
        codes = self.catalogue.codes[table]
        return codes.label(code).zh if code in codes and code is not None else ""

    def column(self, table: str, column: str) -> str:
        """What a column of a table is called."""
        return self.catalogue.tables[table].columns[column].label.zh

    def region(self, code: str | None, printed: str | None = None) -> str:
        """A region in full, as it is called today, else as its source prints it."""
        regions = self.catalogue.regions
        if code and code not in self._names:
            self._names[code] = regions.name(code) if regions.at(code) else ""
        return (code and self._names[code]) or printed or ""

    def notice_page(self, notice: str) -> str:
        """The address of a notice's page."""
        return f"{self.site}/notices/{notice}"

    def institution_page(self, institution: str) -> str:
        """The address of an institution's page."""
        return f"{self.site}/institutions/{institution}"

    def release_page(self, release: str) -> str:
        """The address of the page of what a release changed."""
        return f"{self.site}/changes?release={release}"


def is_among(name: str | None, names: Iterable[str]) -> bool:
    """Whether a name is one of several, to the letter."""
    return name is not None and name_key(name) in map(name_key, names)


def short(name: str) -> str:
    """A name as a title can have it; whole it is in the content."""
    return name if len(name) <= LONGEST else f"{name[:LONGEST]}…"


def in_lines(details: Iterable[Detail]) -> str:
    """Details as a text, one a line."""
    return "\n".join(f"{one.label}：{one.value}" for one in details)
