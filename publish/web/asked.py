"""What a page of ours is asked, read strictly: a key or a value that does not exist is refused with those that do, and never left out.

Who misspells a filter would otherwise be told of all of them, and who asks for a day of today's. Knows no page.
"""

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlencode

from .answer import Answer
from .reader import Reader
from .visit import Visit, address

AS_OF = "as_of"  # read by site.py before a page is asked
PAGE, MOST = 20, 100  # results of one page, and at most
Given = Mapping[str, Sequence[str]]


class NoSuchChoice(Exception):
    """A value, or a key, that does not exist; `known` are those that do."""

    def __init__(self, name: str, known: str, *, is_key: bool = False) -> None:
        super().__init__(name)
        self.name, self.known, self.is_key = name, known, is_key


def read(pairs: Sequence[tuple[str, str]], keys: Sequence[str], also: Sequence[str] = (), as_is: Sequence[str] = ()) -> Given:
    """The values of each key that has any, spaces made one except of the keys `as_is`; `also` are keys that are somebody else's. Raises NoSuchChoice."""
    given: dict[str, list[str]] = {}
    for key, value in pairs:
        if key not in keys and key not in also:
            raise NoSuchChoice(key, ", ".join((*keys, *also)), is_key=True)
        if value := value.strip() if key in as_is else " ".join(value.split()):
            given.setdefault(key, []).append(value)
    return given


def whole(name: str, given: Given, default: int, known: str) -> int:
    """A whole number. Raises NoSuchChoice."""
    text = given.get(name, [str(default)])[0]
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise NoSuchChoice(name, known)
    return int(text)


def unsearchable(problem: Callable[..., Answer], visit: Visit, reader: Reader, table: str) -> Answer:
    """The answer where a release has no index that can be read: what of it can be asked all the same."""
    where = f"/history/{table}_as_of?release={reader.id}" if visit.is_past else f"/mingbai/{table}"
    instead = {"table": address(where, visit.lang)}
    if visit.is_past:
        rest = urlencode([pair for pair in visit.pairs if pair[0] != AS_OF])
        instead["newest"] = f"{address(visit.path, visit.lang)}?{rest}"
    return problem(visit, 503, "unsearchable", instead if visit.wants_json else {}, instead=list(instead.items()))


def refused(problem: Callable[..., Answer], visit: Visit, no: NoSuchChoice, path: str, keys: Sequence[str]) -> Answer:
    """The answer to what does not exist, with a link to the same page without it."""
    rest = [(key, value) for key, value in visit.pairs if key in (*keys, AS_OF) and key != no.name]
    onward = f"{address(path, visit.lang)}?{urlencode(rest)}" if rest else address(path, visit.lang)
    return problem(visit, 400, "key" if no.is_key else "choice", {"name": no.name, "known": no.known}, onward=onward)
