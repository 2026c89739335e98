"""Rules that other people's validators hold feeds against, stated anew as checks of our own: what the W3C Feed Validator finds in Atom, RSS 2.0 and OPML.

A finding has the name that the validator gives it (validator.w3.org/feed/docs). Held are the rules for what we write, so whatever is not
known here is refused too: an element where none is expected is UndefinedElement, as it is there. JSON Feed 1.1, which that validator does
not read, is held against a schema made from its specification.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from html.entities import name2codepoint
from html.parser import HTMLParser
from typing import Any
from unicodedata import normalize
from urllib.parse import unquote

from lxml import etree

ATOM, RSS, OPML = "application/atom+xml", "application/rss+xml", "text/x-opml"
A, AT, FH, DC, DCTERMS, CONTENT = (
    f"{{{uri}}}"
    for uri in (
        "http://www.w3.org/2005/Atom", "http://purl.org/atompub/tombstones/1.0", "http://purl.org/syndication/history/1.0", "http://purl.org/dc/elements/1.1/",
        "http://purl.org/dc/terms/", "http://purl.org/rss/1.0/modules/content/",
    )
)  # fmt: skip
PREFIXES = {
    A: "atom",
    FH: "fh",
    DC: "dc",
    DCTERMS: "dcterms",
    CONTENT: "content",
}  # the namespaces that the validator knows, by their usual prefix
# what is a warning there; all else is an error
WARNINGS = frozenset(
    [
        "UnknownNamespace",
        "DuplicateUpdated",
        "DuplicateEntries",
        "MissingSelf",
        "SelfDoesntMatchLocation",
        "SelfNotAtom",
        "RelativeSelf",
        "ContainsHTML",
        "BadCharacters",
        "ImplausibleDate",
        "NotBlank",
        "AttrNotBlank",
        "MissingTextualContent",
        "NotHtml",
        "SecurityRisk",
        "SecurityRiskAttr",
        "ContainsRelRef",
        "MissingCurrentInArchive",
        "ArchiveIncomplete",
        "FeedHistoryRelInEntry",
        "UnexpectedContentType",
        "MisplacedItem",
        "NeedDescriptionBeforeContent",
        "MissingGuid",
        "DuplicateSemantics",
        "NonCanonicalURI",
        "UnregisteredAtomLinkRel",
        "AvoidNamespacePrefix",
        "ReservedPrefix",
        "MissingXmlURL",
        "MissingTitleAttr",
        "MissingOutlineType",
        "ContainsEmail",
        "ProblematicalRFC822Date",
        "AtomLinkNotEmpty",
    ]
)
RELATIONS = frozenset(["alternate", "current", "hub", "next-archive", "prev-archive", "related", "self", "via"])
HISTORY = frozenset(
    ["current", "first", "last", "next", "next-archive", "prev-archive", "previous"]
)  # RFC 5005, for feeds and not for entries
LARGEST = 5_000_000  # bytes that the validator reads
URI = re.compile(r"[a-zA-Z][0-9a-zA-Z+.-]*:(//)?[0-9a-zA-Z;/?:@&=+$.\-_!~*'()%,#]+")
TAG_URI = re.compile(r"tag:[a-z0-9.-]+,\d{4}(-\d\d(-\d\d)?)?:[0-9a-zA-Z;/?:@&=+$.\-_!~*'()%,]*")
MIME = re.compile(r"[\w.+-]+/[\w.+-]+(; ?[\w-]+=[\w-]+)*")
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
RFC2822 = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d? [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d\d[03]0")
TAGS = frozenset(
    [
        "a",
        "b",
        "blockquote",
        "br",
        "caption",
        "code",
        "dd",
        "del",
        "dl",
        "dt",
        "em",
        "h2",
        "h3",
        "h4",
        "hr",
        "i",
        "ins",
        "li",
        "ol",
        "p",
        "pre",
        "q",
        "s",
        "small",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "time",
        "tr",
        "u",
        "ul",
    ]
)
Found = Iterator[str]
Check = Callable[[str], Found]


def findings(document: bytes, address: str, media_type: str, now: datetime) -> Counter[str]:
    """What a validator has to say of a document that was fetched from an address, by the name of the rule and how often."""
    if len(document) > LARGEST:
        return Counter(["ValidatorLimit"])
    try:
        root = etree.fromstring(document, etree.XMLParser(resolve_entities=False, huge_tree=True))
    except etree.XMLSyntaxError:
        return Counter(["SAXError"])
    kind, _, charset = media_type.partition("; charset=")
    found = Counter(_around(document, root, kind))
    if charset != "utf-8":
        found["EncodingMismatch"] += 1
    judge = {f"{A}feed": _atom, "rss": _rss, "opml": _opml}.get(str(root.tag), lambda *_: iter(["UndefinedElement"]))
    return found + Counter(judge(root, address, now))


def errors(found: Counter[str]) -> list[str]:
    return sorted(found.keys() - WARNINGS)


def _around(document: bytes, root: Any, kind: str) -> Found:
    """What holds for any document."""
    expected = {f"{A}feed": ATOM, "rss": RSS, "opml": OPML}.get(str(root.tag))
    if kind != expected:
        yield "UnexpectedContentType"
    for prefix, uri in root.nsmap.items():
        if f"{{{uri}}}" not in PREFIXES:
            yield "UnknownNamespace"
        elif prefix == "atom" and kind == ATOM:
            yield "AvoidNamespacePrefix"
        elif prefix not in (None, PREFIXES[f"{{{uri}}}"]):
            yield "NonstdPrefix"
    for element in root.iter(etree.Element):
        for text in (element.text or "", *element.attrib.values()):
            if re.search("[\x80-\x9f\ufffd]", text):
                yield "BadCharacters"
    if root.getroottree().docinfo.doctype:
        yield "InvalidDoctype"


# -- values ------------------------------------------------------------------------------------------------------------


def _uri(text: str) -> Found:
    if text.lower().startswith("tag:"):
        if not TAG_URI.fullmatch(text):
            yield "InvalidTAG"
    elif not URI.fullmatch(text) or re.match(r"(http|ftp):(?!//[^/])", text) or re.search("%(?![0-9A-Fa-f]{2})", text):
        yield "InvalidFullLink"


def _canonical(text: str) -> Found:
    yield from _uri(text)
    if re.search("%[0-9A-F]?[a-f]", text) or re.match("[a-z]*[A-Z][a-z]*:", text) or normalize("NFC", unquote(text)) != unquote(text):
        yield "NonCanonicalURI"
    if text != text.strip():
        yield "UnexpectedWhitespace"


def _words(text: str) -> Found:
    """A text without markup: neither an end tag nor what a reader may take for an entity."""
    if not text.strip():
        yield "NotBlank"
    if re.search(r"</\w+>", text) or any(
        name in name2codepoint or name == "apos" or not name.isalpha() for name in re.findall(r"&(#?\w+)", text)
    ):
        yield "ContainsHTML"
    if re.search("<[/a-zA-Z]|&#[x0-9]", text):
        yield "CharacterData"
    if re.search(r"<[\w.+'-]+@[\w.-]+>", text):
        yield "ContainsEmail"


def _moment(text: str, moment: datetime, now: datetime) -> Found:
    if moment.year < 1990 or moment > now + timedelta(minutes=10):
        yield "ImplausibleDate"


def _rfc3339(now: datetime) -> Check:
    def check(text: str) -> Found:
        try:
            assert RFC3339.fullmatch(text)
            yield from _moment(text, datetime.fromisoformat(text), now)
        except (AssertionError, ValueError):
            yield "InvalidRFC3339Date"

    return check


def _rfc2822(now: datetime) -> Check:
    def check(text: str) -> Found:
        try:
            assert RFC2822.fullmatch(text)
            moment = parsedate_to_datetime(text)
        except (AssertionError, ValueError):
            yield "InvalidRFC2822Date"
            return
        if moment.strftime("%a") != text[:3]:
            yield "IncorrectDOW"
        yield from _moment(text, moment, now)

    return check


def _language(text: str) -> Found:
    if not re.fullmatch("zh-CN|zh|en", text):
        yield "InvalidLanguage"


class _Markup(HTMLParser):
    """Markup of an entry as a strict reader takes it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += ["SecurityRisk"] * (tag not in TAGS)
        for name, value in attrs:
            if name != "href":
                self.found.append("SecurityRiskAttr")
            elif not re.match(r"\w+:", value or ""):
                self.found.append("ContainsRelRef")
            elif not re.match("(https?|mailto):", value or ""):
                self.found.append("SecurityRiskAttr")
        if tag not in ("br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.found += ["NotHtml"] * (not self.open or self.open.pop() != tag)

    def handle_data(self, data: str) -> None:
        self.found += ["NotHtml"] * bool(re.search("[<&]", data))

    def handle_entityref(self, name: str) -> None:
        self.found += ["NotHtml"] * (name not in ("amp", "lt", "gt", "quot"))

    def handle_charref(self, name: str) -> None:
        self.found += ["NotHtml"] * (name not in ("x27", "39"))

    def handle_comment(self, data: str) -> None:
        self.found.append("NotHtml")

    handle_decl = handle_pi = unknown_decl = handle_comment


def _html(text: str) -> Found:
    reader = _Markup()
    reader.feed(text)
    reader.close()
    yield from reader.found
    yield from ["NotHtml"] * bool(reader.open)


# -- elements ----------------------------------------------------------------------------------------------------------


def _children(parent: Any, once: dict[str, Check | None], often: dict[str, Check | None]) -> Found:
    """What stands in an element: some of it once, some as often as one likes; foreign namespaces anywhere, as extensions may."""
    seen: set[str] = set()
    for child in parent.iterchildren(etree.Element):
        tag = str(child.tag)
        if tag not in once and tag not in often:
            if "{" not in tag or any(tag.startswith(known) for known in PREFIXES):
                yield "UndefinedElement"
            continue
        if tag in once and tag in seen:
            yield "DuplicateElement"
        seen.add(tag)
        check = once.get(tag) or often.get(tag)
        if check:
            yield from check(child.text or "")
            if len(child):
                yield "UndefinedElement"
    if (parent.text or "").strip() or any((child.tail or "").strip() for child in parent):
        yield "UnexpectedText"


def _attributes(element: Any, *known: str) -> Found:
    if set(element.attrib) - {*known, "{http://www.w3.org/XML/1998/namespace}lang"}:
        yield "UnexpectedAttribute"


def _lacks(parent: Any, **names: str) -> Found:
    for problem, tag in names.items():
        if parent.find(tag.replace("_", A)) is None:
            yield problem.rstrip("_123")


def _link(link: Any, address: str, is_entry: bool) -> Found:
    yield from _attributes(link, "rel", "href", "type", "title", "hreflang", "length")
    rel, href, kind = link.get("rel", "alternate"), link.get("href"), link.get("type")
    if rel not in RELATIONS:
        yield "UnregisteredAtomLinkRel"
    if rel in HISTORY and is_entry:
        yield "FeedHistoryRelInEntry"
    if kind is not None and not MIME.fullmatch(kind):
        yield "InvalidMIMEType"
    if rel == "self" and kind not in (None, ATOM, RSS):
        yield "SelfNotAtom"
    for name in ("rel", "title", "type"):
        if link.get(name) == "":
            yield "AttrNotBlank"
    if link.get("title"):
        yield from _words(link.get("title"))
    if len(link) or (link.text or "").strip():
        yield "AtomLinkNotEmpty"
    if href is None:
        yield "MissingHref"
        return
    if not re.match(r"\w+://", href):
        yield "RelativeSelf" if rel == "self" else "ContainsRelRef"
    yield from _uri(href)
    if rel == "self" and not is_entry and href != address:
        yield "SelfDoesntMatchLocation"


def _history(feed: Any, links: list[Any], address: str) -> Found:
    """RFC 5005: what is complete has no other pages, and an archive says where it belongs."""
    rels = [link.get("rel", "alternate") for link in links]
    if feed.find(f"{FH}complete") is not None:
        for link in links:
            if link.get("rel") == "current":
                yield from ["CurrentNotSelfInCompleteFeed"] * (link.get("href") != address)
            elif link.get("rel") in HISTORY:
                yield "FeedRelInCompleteFeed"
    elif feed.find(f"{FH}archive") is not None:
        yield from ["ArchiveIncomplete"] * (not {"prev-archive", "next-archive"} & set(rels))
        yield from ["MissingCurrentInArchive"] * ("current" not in rels)
    for end, beyond in (("first", "previous"), ("last", "next")):
        if beyond in rels and any(link.get("rel") == end and link.get("href") == address for link in links):
            yield "LinkPastEnd"
    if "self" not in rels:
        yield "MissingSelf"


def _alternates(links: list[Any]) -> Found:
    """One alternate a type and language (RFC 4287, 4.1.1)."""
    several = Counter((link.get("type"), link.get("hreflang")) for link in links if link.get("rel", "alternate") == "alternate")
    yield from ["DuplicateAtomLink"] * any(n > 1 for n in several.values())


def _person(element: Any) -> Found:
    yield from _children(element, {f"{A}name": _words}, {})
    yield from _lacks(element, MissingElement="_name")


def _texts(parent: Any, *names: str) -> Found:
    """Text constructs: plain, or markup that says so."""
    for name in names:
        for element in parent.findall(f"{A}{name}"):
            yield from _attributes(element, "type")
            kind = element.get("type", "text")
            if kind not in ("text", "html"):
                yield "InvalidTextType"
            yield from (_html if kind == "html" else _words)(element.text or "")
            yield from ["NotBlank"] * (not (element.text or "").strip())


def _atom(feed: Any, address: str, now: datetime) -> Found:
    date, entries = _rfc3339(now), feed.findall(f"{A}entry")
    yield from _children(
        feed,
        {f"{A}id": _canonical, f"{A}title": None, f"{A}subtitle": None, f"{A}updated": date, f"{FH}complete": None, f"{FH}archive": None},
        dict.fromkeys((f"{A}author", f"{A}link", f"{A}entry")),
    )
    yield from _lacks(feed, MissingElement1="_title", MissingElement2="_id", MissingElement3="_updated")
    if entries and any(str(one.tag).startswith(A) for one in entries[0].itersiblings() if one.tag != f"{A}entry"):
        yield "MisplacedMetadata"
    links = feed.findall(f"{A}link")
    for link in links:
        yield from _link(link, address, is_entry=False)
    yield from _history(feed, links, address)
    yield from _alternates(links)
    yield from _texts(feed, "title", "subtitle")
    for person in feed.findall(f"{A}author"):
        yield from _person(person)
    for stone in feed.findall(f"{AT}deleted-entry"):  # RFC 6721, which the validator does not know
        yield from _uri(stone.get("ref", ""))
        yield from date(stone.get("when", ""))
    for entry in entries:
        yield from _entry(entry, address, date, feed.find(f"{A}author") is not None)
    for name, rule in (("id", "DuplicateEntries"), ("updated", "DuplicateUpdated")):
        several = Counter(entry.findtext(f"{A}{name}") for entry in entries)
        yield from [rule] * sum(n - 1 for n in several.values())


def _entry(entry: Any, address: str, date: Check, has_author: bool) -> Found:
    once: dict[str, Check | None] = {f"{A}id": _canonical, f"{A}updated": date, f"{A}published": date}
    yield from _children(
        entry, once | dict.fromkeys((f"{A}title", f"{A}summary", f"{A}content")), dict.fromkeys((f"{A}author", f"{A}link", f"{A}category"))
    )
    yield from _lacks(entry, MissingElement1="_title", MissingElement2="_id", MissingElement3="_updated")
    if not has_author:
        yield from _lacks(entry, MissingElement="_author")
    links = entry.findall(f"{A}link")
    for link in links:
        yield from _link(link, address, is_entry=True)
    yield from _alternates(links)
    if entry.find(f"{A}content") is None:
        yield from _lacks(entry, MissingTextualContent="_summary")
        yield from ["MissingContentOrAlternate"] * (not any(link.get("rel", "alternate") == "alternate" for link in links))
    yield from _texts(entry, "title", "summary", "content")
    for person in entry.findall(f"{A}author"):
        yield from _person(person)
    for category in entry.findall(f"{A}category"):
        yield from _attributes(category, "term", "label", "scheme")
        yield from _words(category.get("term", ""))


def _rss(root: Any, address: str, now: datetime) -> Found:
    if root.get("version") != "2.0":
        yield "InvalidRSSVersion"
    channel = root.find("channel")
    if channel is None or len(root) != 1:
        yield "MissingElement"
        return
    items = channel.findall("item")
    yield from _children(
        channel,
        {"title": _words, "link": _uri, "description": _words, "language": _language, "lastBuildDate": _rfc2822(now), f"{FH}complete": None, f"{FH}archive": None},
        {f"{A}link": None, "item": None},
    )  # fmt: skip
    yield from _lacks(channel, MissingTitle="title", MissingLink="link", MissingDescription="description")
    if items and any(one.tag != "item" for one in items[0].itersiblings()):
        yield "MisplacedItem"
    links = channel.findall(f"{A}link")
    for link in links:
        yield from _link(link, address, is_entry=False)
    yield from _history(channel, links, address)
    for item in items:
        yield from _item(item, address, now)
    several = Counter(item.findtext("guid") for item in items)
    yield from ["DuplicateValue"] * sum(n - 1 for n in several.values())


def _item(item: Any, address: str, now: datetime) -> Found:
    once: dict[str, Check | None] = {
        "title": _words, "link": _uri, "description": _html, "guid": None, "pubDate": _rfc2822(now), f"{DCTERMS}modified": _rfc3339(now), f"{CONTENT}encoded": _html,
    }  # fmt: skip
    yield from _children(item, once, {"category": _words, f"{DC}creator": _words, f"{A}link": None})
    tags = [str(child.tag) for child in item]
    if "title" not in tags and "description" not in tags:
        yield "ItemMustContainTitleOrDescription"
    if f"{CONTENT}encoded" in tags and "description" not in tags[: tags.index(f"{CONTENT}encoded")]:
        yield "NeedDescriptionBeforeContent"
    for link in item.findall(f"{A}link"):
        yield from _link(link, address, is_entry=True)
    guid = item.find("guid")
    if guid is None:
        yield "MissingGuid"
        return
    yield from _attributes(guid, "isPermaLink")
    if guid.get("isPermaLink") not in (None, "true", "false"):
        yield "InvalidBooleanAttribute"
    elif guid.get("isPermaLink") != "false" and not re.match("https?://", guid.text or ""):
        yield "InvalidPermalink"
    yield from _uri(guid.text or "")


def _opml(root: Any, address: str, now: datetime) -> Found:
    yield from _attributes(root, "version")
    if root.get("version") not in ("1.0", "1.1", "2.0"):
        yield "InvalidOPMLVersion"
    head, body = root.find("head"), root.find("body")
    if head is None or body is None or body.find("outline") is None:
        yield "MissingElement"
        return
    yield from _children(head, {"title": _html, "dateModified": _rfc2822(now)}, {})
    for outline in body.iter("outline"):
        yield from _attributes(outline, "text", "title", "type", "xmlUrl", "htmlUrl", "language", "description", "version")
        yield from ["MissingAttribute"] * ("text" not in outline.attrib)
        if outline.get("type") == "rss":
            yield from ["MissingXmlURL"] * ("xmlUrl" not in outline.attrib)
            yield from ["MissingTitleAttr"] * ("title" not in outline.attrib)
        elif {"xmlUrl", "htmlUrl", "title", "language"} & set(outline.attrib):
            yield "MissingOutlineType"
        for name, check in (
            ("htmlUrl", _uri),
            ("xmlUrl", _uri),
            ("language", _language),
            ("text", _words),
            ("title", _words),
            ("text", _html),
            ("title", _html),
        ):
            if name in outline.attrib:
                yield from check(outline.attrib[name])


# -- JSON Feed 1.1 (jsonfeed.org/version/1.1) --------------------------------------------------------------------------

_ADDRESS = {"type": "string", "format": "uri", "pattern": "^https?://"}
_TEXT = {"type": "string", "minLength": 1}
_CUSTOM = {"type": "object"}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    """An object of the format: what its specification names, and custom ones, which begin with an underscore and have no full stop."""
    return {"type": "object", "required": required, "properties": properties, "patternProperties": {"^_[^.]+$": _CUSTOM}, "additionalProperties": False}  # fmt: skip


_AUTHORS = {"type": "array", "minItems": 1, "items": {**_object([], name=_TEXT, url=_ADDRESS, avatar=_ADDRESS), "minProperties": 1}}
_ITEM = _object(
    ["id"], id=_TEXT, url=_ADDRESS, external_url=_ADDRESS, title=_TEXT, content_html=_TEXT, content_text=_TEXT, summary=_TEXT, image=_ADDRESS, banner_image=_ADDRESS,
    date_published={"type": "string", "format": "date-time"}, date_modified={"type": "string", "format": "date-time"}, authors=_AUTHORS,
    tags={"type": "array", "items": _TEXT, "uniqueItems": True}, language=_TEXT, attachments={"type": "array"},
)  # fmt: skip
_ITEM["anyOf"] = [{"required": ["content_html"]}, {"required": ["content_text"]}]  # one of the two has to be there
JSON_FEED = _object(
    ["version", "title", "items"], version={"const": "https://jsonfeed.org/version/1.1"}, title=_TEXT, home_page_url=_ADDRESS, feed_url=_ADDRESS, description=_TEXT,
    user_comment=_TEXT, next_url=_ADDRESS, icon=_ADDRESS, favicon=_ADDRESS, authors=_AUTHORS, language=_TEXT, expired={"type": "boolean"},
    hubs={"type": "array", "items": _object(["type", "url"], type=_TEXT, url=_ADDRESS)}, items={"type": "array", "items": _ITEM},
)  # fmt: skip
