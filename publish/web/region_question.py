"""Which institutions of a region are asked for: a class, a list, a part of an address, and a page of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from . import regional
from .asked import MOST, PAGE, NoSuchChoice, read, whole
from .reader import Reader
from .visit import Visit

CHOICES = ("class", "list", "address")
KEYS = (*CHOICES, "limit", "offset")
LONGEST = 100  # characters of a part of an address


@dataclass(frozen=True)
class Asked:
    """`chosen` has each of CHOICES, "" where it is not."""

    code: str
    chosen: Mapping[str, str]
    limit: int
    offset: int

    def link(self, **instead: object) -> str:
        """The query string of this list, or of one with others; of its first page but by `offset`."""
        pairs = {**self.chosen, "limit": self.limit, "offset": 0, **instead}
        return urlencode([(key, value) for key, value in pairs.items() if value and (key, value) != ("limit", PAGE)])


def ask(visit: Visit, reader: Reader, code: str) -> Asked:
    """Raises NoSuchChoice, and ValueError for more keys than there can be."""
    given = read(visit.pairs, KEYS)
    chosen = {name: given.get(name, [""])[0] for name in CHOICES}
    check("class", chosen["class"], reader.codes("classes"))
    check("list", chosen["list"], (*reader.codes("lists"), regional.ANY_ADVERSE))
    if len(chosen["address"]) > LONGEST:
        raise NoSuchChoice("address", f"1–{LONGEST}")
    return Asked(code, chosen, min(MOST, whole("limit", given, PAGE, f"1–{MOST}") or PAGE), whole("offset", given, 0, "0, 1, 2 …"))


def check(name: str, value: str, known: Sequence[str]) -> None:
    """Raises NoSuchChoice."""
    if value and value not in known:
        raise NoSuchChoice(name, ", ".join(known))
