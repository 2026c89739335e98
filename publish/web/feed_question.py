"""What an address under /feeds asks of a feed: nothing, or a search for notices, by the keys and values of /notices and refused with those that exist."""

from ..regions import COUNTRY
from .asked import REGIONS, NoSuchChoice
from .notice_question import Question, ask
from .reader import Reader
from .verifier import Verifier
from .visit import Visit

UNASKED = ("sort", "limit", "offset")  # a feed is the newest of what is found
KEYS = (*(key for key in Question.KEYS if key not in UNASKED), "region")


def nothing(visit: Visit, feed: str) -> None:
    """Raises NoSuchChoice where something is asked of a feed that is no search: who asks for less, or for a day of the past, would believe to have
    got it."""
    if asked := visit.pairs:
        raise NoSuchChoice(asked[0][0], f"/feeds/notices?{'=…&'.join(KEYS)}=… ({feed})", "key")


def places(text: str, reader: Reader, today: str) -> list[str]:
    """The regions below the country that a code or a name may mean, in Chinese or in Pinyin, as /verify reads it."""
    return [row.code for row in Verifier(reader, today).meanings(text) if row.code != COUNTRY] if text else []


def question(asked: list[tuple[str, str]], reader: Reader, today: str) -> Question:
    """A search as a feed: what /notices takes, but for order and pages, and `region` for a code of any level, or a name. Raises NoSuchChoice."""
    found = []
    for key, value in asked:
        if key not in KEYS:
            raise NoSuchChoice(key, ", ".join(KEYS), "key")
        if key == "region" and value:
            meant = [value] if value in reader.regions and value != COUNTRY else places(value, reader, today)
            if len(meant) != 1:  # none, or several
                provinces = (code for code, row in reader.regions.items() if row["level"] == REGIONS[0])
                raise NoSuchChoice("region", ", ".join(meant or provinces))
            key, value = reader.regions[meant[0]]["level"], meant[0]
        found += [] if key == "region" else [(key, value)]
    return ask(found, reader)
