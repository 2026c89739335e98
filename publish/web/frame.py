"""The templates' surroundings: words, labels, addresses and how values look, the same for our pages and for Datasette's.

Everything here looks up the visit at hand, so one environment serves all languages and releases. What a source wrote is hostile:
values are escaped, control characters and bidirectional overrides are dropped, and only http and https become links.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache, partial
from hashlib import blake2b
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

import search

from ..amounts import unit_in
from ..home import CHINA
from ..hotlines import Hotline, hotlines_of
from ..regions import COUNTRY, short_form
from ..wording import LANGUAGES, numbered, wording
from . import limits
from .facts import freshness, glance
from .qr import qr
from .templating import AtStart, Templates
from .visit import Visit, address, current

HERE = Path(__file__).parent
TEMPLATES, STATIC = HERE / "templates", HERE / "static"
LONGEST, LONGEST_PROSE = 300, 20_000  # characters of one value on a page: a 100 kB name must not push everything else away
# C0 and C1 but tab and line ends; marks, embeddings, overrides and isolates that reorder what stands beside them: none is printable to Python
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_WORD = re.compile("[!-~]{1,24}")
_DAY = re.compile(r"\d{4}(-\d\d){0,2}(\.\d+)?")
DAYS = frozenset(  # values of texts that are days; such texts are not for attributes
    ("as_of", "on", "until", "since", "start", "end", "today", "release", "first", "last")
)

IN_PATH, IN_QUERY = "/~!$&'()*+,;=:@", "/~!$&'()*+,;=:@?%"  # what stands in an address as it is (RFC 3986)
LIVE = (
    "/mingbai",
    "/history",
    "/status",
    "/feeds",
    "/changes",
    "/regions",
    "/for-institutions",
)  # pages that are of the live release alone
Dictionary = Mapping[str, Any]  # publish.catalogue.dictionary()


def clean(value: object, longest: int = LONGEST) -> object:
    """A value as it may stand on a page: nothing for None, text without characters that nobody sees, cut where it is endless."""
    if value is None:
        return ""
    if isinstance(value, str) and not isinstance(value, Markup):
        seen = value if value.isprintable() else _UNSEEN.sub("", value)
        return seen if len(seen) <= longest else seen[:longest] + "…"
    return value


def web_address(url: object) -> str | None:
    """`url` where it is a plain http or https address, else None: a `javascript:` address must not become a link."""
    if not isinstance(url, str) or _UNSEEN.search(url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.hostname else None


def prose(value: object) -> Markup:
    """A text that may be long, such as the facts of a notice."""
    return escape(clean(value, LONGEST_PROSE))


def is_word(value: object) -> bool:
    """Whether a value is a code, a number or a day as a table has it, which is read in one piece."""
    return isinstance(value, str) and _WORD.fullmatch(value) is not None


def marked(query: str, text: object) -> Markup:
    """A text as it may stand on a page, with what of it answers a query marked."""
    shown, at, before = str(clean(text)), 0, ""
    for start, end in search.spans(query, shown):
        before += f"{escape(shown[at:start])}<mark>{escape(shown[start:end])}</mark>"
        at = end
    return Markup(f"{before}{escape(shown[at:])}")


def yuan(fen: int) -> str:
    """An amount in fen as yuan with two places: 1234567 is 12,345.67."""
    return f"{Decimal(fen) / 100:,.2f}"


def _value(name: str, value: object) -> object:
    """A value of a text, escaped."""
    if type(value) is int:
        return f"{value:,}"
    shown = clean(value)
    return f"<time>{shown}</time>" if name in DAYS and isinstance(shown, str) and _DAY.fullmatch(shown) else escape(shown)


def instant(text: object) -> object:
    """An instant (UTC, ISO) as day and time in China; what is none stays as it is."""
    try:
        return datetime.fromisoformat(str(text)).astimezone(CHINA).strftime("%Y-%m-%d %H:%M UTC+8")
    except ValueError:
        return text


class Frame:
    """What base.html reads; one object for all requests."""

    def __init__(self, dictionary: Dictionary, base_url: str | None, hotlines: Sequence[Hotline] = (), *, is_demo: bool = False) -> None:
        self._tables = {name: {**table, "dataset": dataset} for dataset, d in dictionary.items() for name, table in d["tables"].items()}
        self._base_url = (base_url or "").rstrip("/")
        self._hotlines = hotlines
        self.is_demo = is_demo  # whether all of it is invented, which each page says
        self.stylesheet, self.script = _fixed("site.css"), _fixed("suggest.js")

    @property
    def visit(self) -> Visit:
        return current.get()

    @property
    def fresh(self) -> dict[str, Any] | None:
        visit = self.visit
        return freshness(visit.reader, visit.today) if visit.reader else None

    @property
    def languages(self) -> list[dict[str, str]]:
        """This page in each language: its address, and its public one without what was asked, which is a page's own to say."""
        visit = self.visit
        query = f"?{quote(visit.query.encode('latin-1'), safe=IN_QUERY)}" if visit.query else ""
        places = [(lang, quote(address(visit.path, lang), safe=IN_PATH)) for lang in LANGUAGES]
        return [{"lang": lang, "href": place + query, "public": self._base_url + place} for lang, place in places]

    @property
    def canonical(self) -> str | None:
        """Its public address; none of a page of an earlier release, which is not for search engines."""
        if not self.is_told or self.visit.as_of:
            return None
        return next(one["public"] for one in self.languages if one["lang"] == self.visit.lang)

    @property
    def root(self) -> str:
        """The public address of the site, without a slash at its end; where it was not told its own, the one under which it was asked."""
        return self._base_url or self.visit.origin

    @property
    def is_told(self) -> bool:
        """Whether the site knows its public address: else what it says holds for whoever asked, and for nobody else."""
        return bool(self._base_url)

    def site(self, path: str, lang: str | None = None) -> str:
        """The public address of a page of ours; where the site was not told its own, the one under which it was asked."""
        return self.root + address(path, lang or self.visit.lang)

    def url(self, path: str, **query: object) -> str:
        """The address of a page of ours: of the release that was asked for, where that page has a past."""
        if self.visit.as_of and not path.startswith(LIVE):
            query["as_of"] = self.visit.as_of
        return address(path, self.visit.lang) + (f"?{urlencode(query)}" if query else "")

    def then(self, path: str, release: str | None) -> str:
        """The address of a page of ours in another release, or (None) in the live one."""
        return address(path, self.visit.lang) + (f"?{urlencode({'as_of': release})}" if release else "")

    def at(self, release: str | None) -> str:
        """This page in another release, or (None) in the live one."""
        query = [(key, value) for key, value in parse_qsl(self.visit.query, keep_blank_values=True) if key != "as_of"]
        query += [("as_of", release)] if release else []
        return address(quote(self.visit.path), self.visit.lang) + (f"?{urlencode(query)}" if query else "")

    def t(self, key: str, **values: object) -> Markup:
        """A text with its values, escaped. Days are marked as such, so that they do not break at their hyphens."""
        text = _escaped(self.visit.lang, key)
        if not values and "{" not in text:
            return text
        # Markup.format says the same four times as slowly, and a page has hundreds of texts
        return Markup(str.format(numbered(text, values), **{name: _value(name, value) for name, value in values.items()}))

    def label(self, codes: str, code: str | None) -> str:
        reader = self.visit.reader
        return reader.label(codes, code, self.visit.lang) if reader else str(code or "")

    def region(self, code: str | None, text: str | None = None) -> str:
        reader = self.visit.reader
        return reader.region(code, text, self.visit.lang) if reader else str(text or code or "")

    def region_name(self, code: str) -> str:
        reader = self.visit.reader
        return reader.region_name(code, self.visit.lang) if reader else code

    def region_short(self, code: str) -> str:
        return short_form(self.region_name(code))

    def hotlines(self, region: str | None) -> list[Hotline]:
        """Whom to call about what is in a region, the nearest first."""
        reader = self.visit.reader
        return hotlines_of(self._hotlines, [*reversed(reader.lies_in(region)), COUNTRY] if reader else [COUNTRY])

    def table_label(self, table: str) -> str:
        found = self._tables.get(table)
        return str(found["label"][self.visit.lang]) if found else table

    def column_label(self, table: str | None, column: str) -> str | None:
        found = self._tables.get(table or "", {"columns": {}})["columns"].get(column)
        return str(found["label"][self.visit.lang]) if found else None

    def kind(self, table: str | None, column: str) -> str | None:
        """What kind of value a column has, as its declaration says."""
        kind: str | None = self._tables.get(table or "", {"columns": {}})["columns"].get(column, {}).get("kind")
        return kind

    def meaning(self, table: str | None, column: str, value: str | None) -> str | None:
        """What a code or a region's code in a column means; None where it is neither, or has no word of its own."""
        about = self._tables.get(table or "", {"columns": {}})["columns"].get(column, {})
        if value is None or about.get("kind") not in ("code", "region"):
            return None
        found = self.label(about["codes"], value) if about["kind"] == "code" else self.region(value)
        return found if found and found != value else None

    def column_about(self, table: str, column: str) -> str:
        """What the declaration says of a column."""
        found = self._tables.get(table, {"columns": {}})["columns"].get(column)
        return str(found["about"][self.visit.lang]) if found else ""

    def said(self, table: str, column: str, value: object) -> object:
        """A value of a column as a reader knows it: codes and regions by their names, money in yuan, flags and shares in words."""
        about = self._tables.get(table, {"columns": {}})["columns"].get(column, {})
        kind = about.get("kind")
        if value is None:
            return None
        if kind == "code":
            return self.label(about["codes"], str(value))
        if kind == "region":
            return self.region(str(value))
        if kind == "fen" and isinstance(value, int):
            return self.t("notice.yuan", yuan=yuan(value))
        if kind == "flag":
            return self.t("yes" if value else "no")
        return f"{value:.0%}" if kind == "share" and isinstance(value, int | float) else value

    def source(self, row: Mapping[str, Any]) -> str:
        return str((row["source_zh"] if self.visit.lang == "zh" else row["source_en"] or row["source_zh"]) or "")


@cache
def _escaped(lang: str, key: str) -> Markup:
    """A text as it stands on a page; its braces are none that escaping would change."""
    return escape(wording(lang)[key])


def _fixed(name: str) -> str:
    """The address of a static file as it is now: another content has another one."""
    return f"/static/{name}?v={blake2b((STATIC / name).read_bytes(), digest_size=6).hexdigest()}"


def equip(env: Environment, frame: Frame, longest: int = LONGEST) -> None:
    """Give an environment, ours or Datasette's, what the templates use, and the templates as they are now."""
    if env.loader:
        env.loader, env.auto_reload = AtStart(env, env.loader), False
    env.finalize = partial(clean, longest=longest)
    env.globals |= {
        "frame": frame, "t": frame.t, "label": frame.label, "region": frame.region, "region_name": frame.region_name, "region_short": frame.region_short, "url": frame.url,
        "web_address": web_address, "marked": marked, "source": frame.source, "table_label": frame.table_label, "said": frame.said, "column_about": frame.column_about, "column_label": frame.column_label, "meaning": frame.meaning, "kind": frame.kind, "is_word": is_word, "unit_in": unit_in, "quote": quote,
    }  # fmt: skip
    env.filters |= {"yuan": yuan, "prose": prose, "instant": instant, "glance": glance, "number": "{:,}".format}


def environment(frame: Frame, contact: object = None) -> Environment:
    """The environment of our own pages; a name that is not there is an error and no empty text. `contact` is the operator's (contact.py), or None."""
    env = Templates(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    equip(env, frame)
    env.globals |= {"contact": contact, "qr": qr, "limits": limits}
    return env
