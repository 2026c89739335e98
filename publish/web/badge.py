"""What an institution can show on its own site: whether it is on a white list, as of when, as a small picture that leads to its page here.

It says what /verify decides for the credit code, less than that page does, and never more: on a white list, on none today, or that nothing can be said by
a badge. Whatever else holds for it (a black list beside a white one, an unclear record, a source that is stale) is the last of these and never told in a picture, which others
keep and copy; and notices in force are named beside a listing, so that none is taken for praise. Its name and code stand in it, since a badge can be borrowed. A picture can be
drawn by anybody: only the page that it leads to counts, which it says itself.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ..answering import LISTED, NOT_LISTED, WHITE
from ..answering import Answer as Said
from ..errors import BadValue
from ..fresh import STALE_INTERVALS
from ..meant import Query
from ..rules import LONGEST_YEARS, SUPPRESS_BELOW, TERM_YEARS, WITHHELD_SERIOUSNESS
from ..values import credit_code
from .answer import TYPES, Answer
from .asked import NoSuchChoice, read, refused
from .frame import clean
from .limits import REMOVED_WITHIN_HOURS, REPAIRED_AFTER
from .reader import Reader
from .verifier import Verifier
from .verify import BROKEN
from .visit import Visit, address

PATTERN = r"/badge/(?P<code>[^/]{1,64})\.svg"
NAME = 26  # characters of a name; a longer one is cut
ABSENT = {"left": "badge.left", "over": "badge.over"}  # why it is not listed, where that is more than "not found"
EDGE, LINE, SIZE, SMALL = 12, 19, 14, 12  # of the picture, in pixels; its last line is small
HEADERS = (("cache-control", "no-cache"), ("access-control-allow-origin", "*"), ("cross-origin-resource-policy", "cross-origin"))


@dataclass(frozen=True)
class Badge:
    """What one says: its lines, the first its name, or nothing at all where nobody has that code."""

    lines: tuple[str, ...]
    institution: str | None = None
    code: str = ""
    status: int = 200

    @property
    def width(self) -> int:
        *lines, last = map(_width, self.lines)
        return round(max(*lines, last * SMALL / SIZE) * SIZE) + 2 * EDGE

    @property
    def height(self) -> int:
        return len(self.lines) * LINE + EDGE

    @property
    def text(self) -> str:
        return " · ".join(self.lines)


class BadgePages:
    """The picture, and the page for institutions that explains it. `render` and `problem` are those of Pages."""

    def __init__(self, render: Callable[..., Answer], problem: Callable[..., Answer]) -> None:
        self._render, self._problem = render, problem

    def picture(self, visit: Visit, reader: Reader) -> Answer:
        if visit.query:
            return refused(self._problem, visit, NoSuchChoice(visit.query.partition("=")[0][:50], "–", "key"), visit.path, ())
        badge = badge_of(visit, reader, visit.parts["code"])
        return replace(self._render("badge.svg", badge.status, badge=badge), type=TYPES[".svg"], headers=HEADERS)

    def page(self, visit: Visit, reader: Reader) -> Answer:
        try:
            given = read(visit.pairs, ("code",))
        except NoSuchChoice as no:
            return refused(self._problem, visit, no, "/for-institutions", ("code",))
        except ValueError:
            return self._problem(visit, 400, "bad_request")
        asked = given.get("code", [""])[0]
        badge = badge_of(visit, reader, asked) if asked else None
        terms = {"years": TERM_YEARS, "longest": LONGEST_YEARS, "withheld": WITHHELD_SERIOUSNESS, "least": REPAIRED_AFTER}
        return self._render(
            "institutions.html",
            badge.status if badge else 200,
            asked=asked,
            badge=badge,
            terms=terms,
            hours=REMOVED_WITHIN_HOURS,
            below=SUPPRESS_BELOW,
            intervals=STALE_INTERVALS,
            embedded=embedded,
        )


def badge_of(visit: Visit, reader: Reader, typed: str) -> Badge:
    """The badge of a credit code today, in the language of a visit."""
    try:
        code = credit_code(typed)
    except BadValue:
        code = None
    said = Verifier(reader, visit.today).verify(Query(code=code))[1] if code else None
    if code is None or said is None or said.found is None:
        broken = next((BROKEN[reason] for reason in (said.reasons if said else ()) if reason in BROKEN), 404)
        return Badge((visit.t("badge.unknown"), visit.t("badge.unknown_code"), visit.t("badge.page")), status=broken)
    name = _plain(said.found.known.name)
    lines = (name if len(name) <= NAME else f"{name[: NAME - 1]}…", *_says(visit, said), f"{code} · {visit.t('badge.page')}")
    return Badge(lines, said.found.known.id, code)


def _says(visit: Visit, said: Said) -> list[str]:
    """Its status with the day that it is as of, and what stands beside it."""
    if said.status == LISTED:
        days = [it["as_of"] for it in said.on if it["list"] == WHITE]
        key = "badge.listed"
    elif said.status == NOT_LISTED:
        days = sorted(source.as_of or "" for source in said.sources)  # of several lists the oldest: it is on none of them as of then
        key = ABSENT.get(said.reasons[0], "badge.not_found")
    else:
        days = [it["as_of"] for it in said.listings]
        key = "badge.cannot_say"
    day = next(iter(days), None)
    lines = [visit.t(key, as_of=_plain(day or visit.t("unknown")))]
    if said.status in (LISTED, NOT_LISTED) and said.notices:
        disputed = sum(it["state"] == "disputed" for it in said.notices)
        lines.append(visit.t("badge.notices_disputed" if disputed else "badge.notices", n=len(said.notices), disputed=disputed))
    elif said.status == LISTED and said.notes:
        lines.append(visit.t("badge.notes"))
    return lines


def _plain(text: Any) -> str:
    """As `clean`, and without what XML cannot hold."""
    return "".join(letter for letter in str(clean(text)) if letter.isprintable())


def _width(text: str) -> float:
    """About as wide as it is drawn, in its own height."""
    return sum(0.58 if letter.isascii() else 1 for letter in text)


def embedded(badge: Badge, root: str, lang: str, alt: str) -> str:
    """The HTML by which a site shows a badge that leads to the page here."""
    page, picture = (f"{root}{address(path, lang)}" for path in (f"/institutions/{badge.institution}", f"/badge/{badge.code}.svg"))
    return f'<a href="{page}"><img src="{picture}" alt="{alt}"></a>'  # without its size, which is another when it says something else
