"""What an address under /feeds asks of a feed: nothing, or a search for notices, by the keys and values of /notices and refused with those that exist."""

from .asked import REGIONS, NoSuchChoice
from .notice_question import Question, ask
from .reader import Reader
from .visit import Visit

UNASKED = ("sort", "limit", "offset")  # a feed is the newest of what is found
KEYS = (*(key for key in Question.KEYS if key not in UNASKED), "region")


def asked(visit: Visit) -> list[tuple[str, str]]:
    """What an address asks; a day of the past is not for feeds, which are of the live release."""
    return [(key, value) for key, value in visit.pairs if key != "as_of"]


def nothing(asked: list[tuple[str, str]], feed: str) -> None:
    """Raises NoSuchChoice where something is asked of a feed that is no search: who asks for less would believe to have got it."""
    if asked:
        raise NoSuchChoice(asked[0][0], f"/feeds/notices?{'=…&'.join(KEYS)}=… ({feed})", "key")


def question(asked: list[tuple[str, str]], reader: Reader) -> Question:
    """A search as a feed: what /notices takes, but for order and pages, and `region` for a code of any level. Raises NoSuchChoice."""
    found = []
    for key, value in asked:
        if key not in KEYS:
            raise NoSuchChoice(key, ", ".join(KEYS), "key")
        if key == "region" and value:
            at = reader.regions.get(value)
            if not at or at["level"] not in REGIONS:
                raise NoSuchChoice("region", ", ".join(code for code, row in reader.regions.items() if row["level"] == REGIONS[0]))
            key = at["level"]
        found += [] if key == "region" else [(key, value)]
    return ask(found, reader)
