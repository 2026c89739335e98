"""Where a page is in a listing, from a request's cursor and limit. What a page holds is not known here."""

from collections.abc import Mapping
from dataclasses import dataclass

from .world import World

LIMIT, MOST = 1000, 5000


class Problem(Exception):
    """A request that is refused, with the status and the words of the answer."""

    def __init__(self, status: int, title: str, detail: str, *headers: tuple[str, str]) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail, self.headers = status, title, detail, headers


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing: where it begins, which number it has, where the next one begins."""

    listing: str
    part: str
    start: int
    limit: int
    number: int
    pages: int
    following: str | None


def number_in(query: Mapping[str, str], name: str, default: int | None, low: int, high: int) -> int:
    """A whole number of a query. Raises Problem (400) for what is none, is out of bounds, or is missing and has no default."""
    text = query.get(name)
    if text is None and default is not None:
        return default
    if text is None or not (text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high):
        raise Problem(400, "Bad Request", f"{name} is a whole number from {low} to {high}, not {text!r}")
    return int(text)


def find(world: World, listing: str, query: Mapping[str, str]) -> Page:
    """The page that a cursor names. A cursor is a part and a place, so it means the same on every day and for every limit."""
    limit = number_in(query, "limit", LIMIT, 1, MOST)
    parts = [part for part in world.parts(listing) if part.places]
    cursor = query.get("cursor")
    if cursor is None and not parts:
        return Page(listing, "", 0, limit, 1, 1, None)
    name, _, place = cursor.rpartition(".") if cursor is not None else (parts[0].name, ".", "0")
    at = next((at for at, part in enumerate(parts) if part.name == name), None)
    if at is None or not (place.isascii() and place.isdigit() and len(place) < 10 and int(place) < parts[at].places):
        raise Problem(400, "Bad Request", f"cursor {cursor!r} is not one that this listing gave out")
    start, lengths = int(place), [-(-part.places // limit) for part in parts]
    following = None
    if start + limit < parts[at].places:
        following = f"{name}.{start + limit}"
    elif at + 1 < len(parts):
        following = f"{parts[at + 1].name}.0"
    return Page(listing, name, start, limit, sum(lengths[:at]) + start // limit + 1, sum(lengths), following)


def neighbour(world: World, page: Page) -> Page:
    """The page before this one; of the first the one after it; of the only one itself."""
    if page.number == 1:
        return find(world, page.listing, {"cursor": page.following, "limit": str(page.limit)}) if page.following else page
    earlier = find(world, page.listing, {"limit": str(page.limit)})
    while earlier.number < page.number - 1 and earlier.following:
        earlier = find(world, page.listing, {"cursor": earlier.following, "limit": str(page.limit)})
    return earlier
