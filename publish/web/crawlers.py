"""What search engines are told: robots.txt, and a sitemap of the pages that may be found by them.

A sitemap is an index of parts, each small enough for the protocol (50,000 addresses, 50 MB) and made when it is asked for. A notice is in it only while it is
in force and only where it is about an organisation: nobody else is to be found by a search (rule 8). What is asked in a query string is not crawled: what was
searched for, days of the past, SQL.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from functools import partial
from xml.sax.saxutils import escape, quoteattr

from ..forms.packed import gzipped
from ..wording import LANGUAGES, say
from .answer import OPEN, TEXT, TYPES, Answer, beside
from .frame import Frame
from .queries import IN_FORCE
from .reader import Reader, read_only
from .visit import ROUTES, Visit, address

PART = 10_000  # things in a part: with both languages 20,000 addresses, 8 MB and 0.3 MB when packed
FIXED = ("/", "/search", "/verify", "/notices", "/regions", "/data", "/changes", "/feeds", "/status", "/words", "/for-institutions")
IDS: Mapping[str, str] = {  # of the pages of each kind; ?2 is the day. notice.html says of a page that it is not for search engines
    "institutions": "SELECT id FROM institutions WHERE ?2 = ?2",
    "regions": """WITH RECURSIVE up(code) AS (SELECT region_code FROM institutions WHERE ?2 = ?2 UNION SELECT r.parent_code FROM up JOIN regions r ON r.code = up.code)
        SELECT DISTINCT up.code AS id FROM up JOIN regions r ON r.code = up.code WHERE r.level <> 'country' AND r.valid_until IS NULL""",
    "notices": f"SELECT n.id FROM notices n WHERE {IN_FORCE} AND n.subject_kind = 'organisation'",
}
ADDRESS = rf"/sitemap/(?P<kind>pages|{'|'.join(IDS)})-(?P<number>[1-9]\d{{0,3}})\.xml"
NAMESPACES = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:xhtml="http://www.w3.org/1999/xhtml"'
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
PACKED = (*OPEN, ("vary", "accept-encoding"))
CLOSED = ("/deltas/", "/reconcile", "/data/2", "/*.json$", "/*?")  # and Datasette's; the files of a release begin with its year


class Crawlers:
    """`problem` is that of Pages; `datasets` are those that have a page."""

    def __init__(self, problem: Callable[..., Answer], frame: Frame, datasets: Iterable[str]) -> None:
        self._problem, self._frame = problem, frame
        self._fixed = (*FIXED, *(f"/data/about/{name}" for name in datasets))

    def robots(self, visit: Visit) -> Answer | None:
        """robots.txt, which a site has one of; None in another language."""
        if visit.lang != LANGUAGES[0]:
            return None
        closed = [address(path, lang) for lang in LANGUAGES for path in (*(f"/{route}" for route in ROUTES), *CLOSED)]
        # what pages are drawn with has a query string of its own
        lines = ["User-agent: *", "Allow: /static/", *(f"Disallow: {path}" for path in closed)]
        if self._frame.is_told:
            lines += ["", f"Sitemap: {self._frame.root}/sitemap.xml"]
        return Answer(200, ("\n".join(lines) + "\n").encode(), TEXT)

    def index(self, visit: Visit, reader: Reader) -> Answer | None:
        """The parts of the sitemap; None in another language."""
        if visit.lang != LANGUAGES[0]:
            return None
        if not self._frame.is_told:
            return self._problem(visit, 404, "no_address")
        parts = "".join(
            f"<sitemap><loc>{self._frame.root}/sitemap/{kind}-{number}.xml</loc><lastmod>{reader.released_on}</lastmod></sitemap>\n"
            for kind, n in (("pages", 1), *((kind, _count(reader, kind, visit.today)) for kind in IDS))
            for number in range(1, -(-n // PART) + 1)
        )
        return Answer(200, f"{HEAD}<sitemapindex {NAMESPACES}>\n{parts}</sitemapindex>\n".encode(), TYPES[".xml"], OPEN)

    def part(self, visit: Visit, reader: Reader) -> Answer | None:
        """One of them, made beside the loop; None where there is none."""
        if visit.lang != LANGUAGES[0]:
            return None
        if not self._frame.is_told:
            return self._problem(visit, 404, "no_address")
        kind, number = visit.parts["kind"], int(visit.parts["number"])
        if (number - 1) * PART >= (1 if kind == "pages" else _count(reader, kind, visit.today)):
            return None
        failed = self._problem(visit, 500, "bug")
        return beside(partial(self._made, kind, number, reader, visit.today), lambda: failed)

    def _made(self, kind: str, number: int, reader: Reader, today: str) -> Answer:
        def make() -> tuple[bytes, str]:
            paths = self._fixed if kind == "pages" else [f"/{kind}/{id}" for id in _ids(reader, kind, today, number)]
            text = self._urls(paths, reader.released_on).encode()
            return gzipped(text), hashlib.sha256(text).hexdigest()[:32]

        packed, of = reader.once(today, f"sitemap {kind} {number}", make)
        return Answer(200, b"", TYPES[".xml"], (*PACKED, ("etag", f'"{of}"')), codings={"gzip": packed})

    def _urls(self, paths: Sequence[str], day: str) -> str:
        """Each page in each language, and each of those with all of them."""
        root, tags = quoteattr(self._frame.root)[1:-1], {lang: say(lang, "site.lang") for lang in LANGUAGES}
        made = []
        for path in paths:
            places = {lang: root + escape(address(path, lang)) for lang in LANGUAGES}
            others = "".join(f'<xhtml:link rel="alternate" hreflang="{tags[lang]}" href="{place}"/>' for lang, place in places.items())
            others += f'<xhtml:link rel="alternate" hreflang="x-default" href="{places[LANGUAGES[0]]}"/><lastmod>{day}</lastmod></url>\n'
            made += [f"<url><loc>{place}</loc>{others}" for place in places.values()]
        return f"{HEAD}<urlset {NAMESPACES}>\n{''.join(made)}</urlset>\n"


def _count(reader: Reader, kind: str, today: str) -> int:
    def count() -> int:
        return int(reader.rows(f"SELECT count(*) AS n FROM ({IDS[kind]})", "", today)[0]["n"])

    return reader.once(today, f"sitemap {kind}", count)


def _ids(reader: Reader, kind: str, today: str, number: int) -> list[str]:
    """By a connection of its own: others read meanwhile."""
    with closing(read_only(reader.database)) as connection:
        found = connection.execute(f"{IDS[kind]} ORDER BY 1 LIMIT ?3 OFFSET ?4", ["", today, PART, (number - 1) * PART])
        return [id for (id,) in found]
