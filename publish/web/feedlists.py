"""The pages about feeds for people: all of them and how to choose, one with its addresses and latest entries, and lists for readers to import (OPML).

A choice of one thing is a feed with numbers of its own; of several, or of words, it is the feed of a search. All of it works by links and forms.
"""

import logging
from collections.abc import Callable, Mapping
from xml.etree.ElementTree import Element, SubElement, tostring

from feeds import plain

from ..coverage import LISTS, NOTICES, why_silent
from ..families import CODES, FACETS, told_by
from ..regions import COUNTRY
from . import facts, feed_question
from .answer import TYPES, Answer
from .asked import NoSuchChoice, read
from .feedfile import SEARCHED, Feeds
from .feedmade import Maker
from .frame import Frame, clean
from .notice_question import Question, ask
from .noticing import find, why_misunderstood
from .reader import Reader, Row
from .visit import Visit, address

log = logging.getLogger(__name__)
KEYS = ("region", "violation", "seriousness", "q", "authority")
LATEST, MOST_AUTHORITIES, MOST_REGIONS = 20, 50, 20
LATEST_OF = """SELECT i.seq, e.what, e.id, e.kind, e.cause, r.id AS release, r.day FROM feed_items i JOIN feed_events e ON e.number = i.event
    JOIN releases r ON r.number = e.release WHERE i.feed = ? ORDER BY i.seq DESC LIMIT ?"""
AUTHORITIES = """SELECT code, label_zh FROM feeds WHERE family = 'records' AND facet = 'authority' AND instr(lower(label_zh), lower(?))
    ORDER BY label_zh, feed LIMIT ?"""
OF_FAMILY = "SELECT * FROM feeds WHERE family = ? ORDER BY facet IS NOT '', facet, code"


class FeedLists:
    """`render` is that of Pages."""

    def __init__(self, render: Callable[..., Answer], frame: Frame) -> None:
        self._render, self._frame = render, frame

    def index(self, visit: Visit, reader: Reader, feeds: Feeds) -> Answer:
        """Raises NoSuchChoice for a key that the page does not have, a code that there is none of, or two values where there is one."""
        given = read(visit.pairs, KEYS)
        asked = {key: given.get(key, [""])[0][:200] for key in KEYS}
        codes = {facet: told_by(facet, reader.codes(table)) for facet, table in CODES.items()}
        for key, known in codes.items():
            if asked[key] and asked[key] not in known:
                raise NoSuchChoice(key, ", ".join(known))
        regions = feed_question.places(asked["region"], reader, visit.today)
        wrong = _wrong(visit, reader, asked["q"])
        return self._render(
            "feeds.html",
            asked=asked,
            regions=regions,
            wrong=wrong,
            chosen=[] if wrong else _chosen(visit, feeds, asked, regions),
            silent=_silent(visit, reader, regions),
            below=_below(reader, regions[0]) if len(regions) == 1 else [],
            provinces=_below(reader, COUNTRY),
            families=list(FACETS),
            codes=codes,
            tables=CODES,
            authorities=feeds.rows(AUTHORITIES, asked["authority"], MOST_AUTHORITIES) if asked["authority"] else None,
        )

    def page(self, visit: Visit, reader: Reader, feeds: Feeds, feed: Row) -> Answer:
        """A feed, for who subscribes to it."""
        latest = feeds.rows(LATEST_OF, feed["feed"], LATEST)
        told = {it["id"] for it in latest if it["what"] == "notice"}
        told -= Maker(feeds, visit.today, self._frame.root).not_of(feed, told) if feed["facet"] else set()
        shown = {row["id"]: row for row in facts.notices(reader, sorted(told), visit.today)}
        named = {row["id"]: row for row in facts.names(reader, [it["id"] for it in latest if it["what"] == "listing"])}
        others = [
            other
            for family in FACETS
            if family != feed["family"] and (other := feeds.find(feed["feed"].replace(feed["family"], family, 1)))
        ]
        return self._render(
            "feed.html",
            it=feed,
            silent=why_silent(feed["feed"], feed["silence"], visit.lang) if feed["silence"] else None,
            title=titled(visit, feed),
            latest=latest,
            shown=shown,
            named=named,
            others=[(titled(visit, one), one["feed"]) for one in others],
        )

    def search(self, visit: Visit, feeds: Feeds, family: str, question: Question) -> Answer:
        """A search, for who subscribes to it."""
        feed, why = Maker(feeds, visit.today, self._frame.root).silence(question)
        silent = why and why_silent(feed, why, visit.lang)
        return self._render("feed_search.html", query=question.link(), family=family, families=SEARCHED, silent=silent)

    def opml(self, visit: Visit, feeds: Feeds, key: str | None) -> Answer:
        """Every feed that has told something, or those of a family, for a reader to import."""
        groups = {}
        for family in (key,) if key else FACETS:
            known = feeds.rows(OF_FAMILY, family)
            is_there = any(feed["feed"] == family for feed in known)
            groups[family] = known if is_there else [{"feed": family, "family": family, "facet": "", "code": ""}, *known]
        return self._outlines(visit, visit.t("feed.title"), groups)

    def region_opml(self, visit: Visit, feeds: Feeds, code: str) -> Answer | None:
        """Every feed of a region, for a reader to import; None where there is no such region."""
        found = {family: [feeds.find(f"{family}/region/{code}")] for family, facets in FACETS.items() if "region" in facets}
        groups = {family: [feed for feed in several if feed] for family, several in found.items()}
        name = feeds.reader.region(code, None, visit.lang)
        return self._outlines(visit, visit.t("feed.of", family=visit.t("feed.title"), what=name), groups) if all(groups.values()) else None

    def _outlines(self, visit: Visit, title: str, groups: Mapping[str, list[Row]]) -> Answer:
        root = Element("opml", version="2.0")
        SubElement(SubElement(root, "head"), "title").text = _html_too(f"{visit.t('site.name')} · {title}")
        body, site = SubElement(root, "body"), self._frame.root
        for family, known in groups.items():
            group = SubElement(body, "outline", text=visit.t(f"feed.family.{family}"))
            for feed in known:
                text, page = _html_too(titled(visit, feed)), address(f"/feeds/{feed['feed']}", visit.lang)
                link = {"xmlUrl": f"{site}/feeds/{feed['feed']}.atom", "htmlUrl": f"{site}{page}"}
                SubElement(group, "outline", {"type": "rss", "text": text, "title": text, **link, "language": "zh-CN"})
        return Answer(200, tostring(root, "utf-8", xml_declaration=True), TYPES[".opml"])


def _html_too(text: str) -> str:
    """A text on one line that is the same as markup: outlines may be either, and a validator takes them for that."""
    return plain(text).replace("&", "＆")


def titled(visit: Visit, feed: Row) -> str:
    """What a feed is called in a visitor's language."""
    family = visit.t(f"feed.family.{feed['family']}")
    if not feed["facet"]:
        return family
    label = feed["label_zh"] if visit.lang == "zh" else feed["label_en"] or feed["label_zh"]
    return visit.t("feed.of", family=family, what=clean(label or feed["code"]))


def _chosen(visit: Visit, feeds: Feeds, asked: dict[str, str], regions: list[str]) -> list[tuple[str, str]]:
    """What was chosen: title, path below /feeds/, without its form and with its query."""
    given = {name: asked[name] for name in (*CODES, "q") if asked[name]}
    if len(regions) == 1:
        given = {"region": regions[0], **given}
    elif asked["region"]:
        return []
    if len(given) == 1 and "q" not in given:
        ((facet, code),) = given.items()
        keys = [f"{family}/{facet}/{code}" for family, facets in FACETS.items() if facet in facets]
        return [(titled(visit, feed), key) for key in keys if (feed := feeds.find(key))]
    names = {"violation": "violation_type", "region": feeds.reader.regions[regions[0]]["level"] if regions else ""}
    query = ask([(names.get(name, name), text) for name, text in given.items()], feeds.reader).link()
    return (
        [
            (visit.t("feed.of", family=visit.t(f"feed.family.{family}"), what=visit.t("feed.search")), f"{family}?{query}")
            for family in SEARCHED
        ]
        if given
        else []
    )


def _wrong(visit: Visit, reader: Reader, query: str) -> str | None:
    """Why a query is none; None where it is one, or nobody can say: then its feed says so."""
    try:
        problem = find(reader, visit.today, query, limit=0, meant=False).problem if query else None
    except Exception as error:
        log.warning("a query could not be looked at: %s", type(error).__name__)  # without the query
        return None
    return why_misunderstood(visit, problem) if problem else None


def _silent(visit: Visit, reader: Reader, regions: list[str]) -> list[tuple[str, str]]:
    """Of the one region that was chosen, the families that may be silent where something happened, and why."""
    keys = {family: f"{family}/region/{regions[0]}" for family in (NOTICES, LISTS)} if len(regions) == 1 else {}
    covered = facts.coverage(reader, visit.today)
    return [
        (visit.t(f"feed.family.{family}"), why_silent(key, why, visit.lang))
        for family, key in keys.items()
        if (why := covered.of_feed(key))
    ]


def _below(reader: Reader, code: str) -> list[str]:
    """The regions of today right below one."""
    return [row.code for row in reader.territory.rows() if row.parent_code == code and row.valid_until is None]
