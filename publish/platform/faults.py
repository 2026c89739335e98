"""What a platform does wrong, on request: each fault breaks one promise of the contract and keeps all others.

A fault says where (a listing, a page of it) and how often. Pages count from 1, in the order in which a reader asks for them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock

from ..errors import Mingbai

FAULTS: dict[str, str] = {
    "rate_limited": "429 with Retry-After 1, twice, then as usual",
    "server_error": "500, twice, then as usual",
    "slow": "each page takes two seconds longer",
    "cut_off_body": "the connection closes in the middle of a page; Content-Length says more",
    "page_missing": "404 for one page in the middle",
    "page_repeated": "one page holds the records of the page before it (page 1: of the page after it)",
    "total_not_met": "the total says 7 more than there are",
    "empty_listing": "the listing has no record and says so: total 0",
    "error_page_200": "one page is an HTML page that says sorry, with status 200",
    "changed_schema": "one field of every record has another name",
    "county_lost": "every record of one county is missing, and the total fits",
    "truncated_json": "one page ends in the middle of its JSON, with the Content-Length of what is there",
}
TWICE = ("rate_limited", "server_error")
ONE_PAGE = ("cut_off_body", "page_missing", "page_repeated", "error_page_200", "truncated_json")
RENAMED = {
    "institutions": ("orgName", "institutionName"),
    "listings": ("list", "listType"),
    "notices": ("subjectName", "punishedName"),
    "ratings": ("histogram", "distribution"),
}
PLACES = (*RENAMED, "index")  # index: the list of listings itself


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong. None stands for: any listing; the kind's own choice of pages; for ever."""

    kind: str
    listing: str | None = None
    page: int | None = None
    times: int | None = None
    seconds: float | None = None  # slow: the pause; rate_limited: Retry-After

    def __post_init__(self) -> None:
        if self.kind not in FAULTS:
            raise Mingbai(f"fault {self.kind!r} is not known; there are {', '.join(FAULTS)}")
        if self.listing is not None and self.listing not in PLACES:
            raise Mingbai(f"fault {self.kind}: listing {self.listing!r} is none of {', '.join(PLACES)}")
        if (self.page is not None and self.page < 1) or (self.times is not None and self.times < 1):
            raise Mingbai(f"fault {self.kind}: pages and times count from 1")

    @classmethod
    def of(cls, text: str) -> "Fault":
        """A fault from KIND[:LISTING[:PAGE[:TIMES]]]; an empty part or * means any. Raises Mingbai."""
        parts = [None if part in ("", "*") else part for part in text.strip().split(":")]
        kind, listing, *numbers = [*parts, None][: max(2, len(parts))]
        if len(parts) > 4 or not all(number is None or (number.isascii() and number.isdigit()) for number in numbers):
            raise Mingbai(f"fault {text!r} is not KIND[:LISTING[:PAGE[:TIMES]]], as in page_missing:ratings:3")
        page, times = [None if number is None else int(number) for number in [*numbers, None, None][:2]]
        return cls(kind or "", listing, page, times)

    def is_at(self, listing: str, page: int, pages: int) -> bool:
        """Whether it strikes this page. A kind that breaks one page breaks the second if nobody says, or the only one."""
        if self.listing != listing and (self.listing is not None or listing == "index"):
            return False
        wanted = self.page if self.page is not None or self.kind not in ONE_PAGE else min(2, pages)
        return wanted in (None, page)

    @property
    def pause(self) -> float:
        return self.seconds if self.seconds is not None else 2.0 if self.kind == "slow" else 1.0


class Faults:
    """The faults of a running server, which count how often they struck."""

    def __init__(self, faults: Iterable[Fault | str] = ()) -> None:
        self._all = tuple(Fault.of(fault) if isinstance(fault, str) else fault for fault in faults)
        self._left = [fault.times or (2 if fault.kind in TWICE else None) for fault in self._all]
        self._lock = Lock()

    def strike(self, listing: str, page: int, pages: int) -> dict[str, Fault]:
        """The faults of a page that is being asked for, by kind; each counts as having struck.

        A fault that refuses the page strikes alone, or one that struck twice would be used up behind another.
        """
        found: dict[str, Fault] = {}
        with self._lock:
            for place, fault in enumerate(self._all):
                left = self._left[place]
                if fault.kind in found or left == 0 or not fault.is_at(listing, page, pages):
                    continue
                if left is not None:
                    self._left[place] = left - 1
                if fault.kind in TWICE:
                    return {fault.kind: fault}
                found[fault.kind] = fault
        return found

    @property
    def any(self) -> bool:
        """Whether something goes wrong at all."""
        return bool(self._all)

    def standing(self, kind: str, listing: str) -> bool:
        """Whether a fault of a whole listing holds; asking does not count."""
        return any(fault.kind == kind and fault.listing in (None, listing) for fault in self._all)
