"""Keep of an entry's markup what is needed for reading it.

By allow-list, and written anew from what was parsed: whatever is not known is text or nothing. Readers have their own filters; not all
are good, and some show entries inside pages that hold a user's session.
"""

from html import escape
from html.parser import HTMLParser

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
VOID = frozenset(("br", "hr"))
UNSEEN = frozenset(("script", "style"))  # their text is no text
DEEPEST = 50  # tags inside tags


def safe_html(markup: str) -> str:
    """The markup with the known tags alone, closed in order, and no attribute but a link's http(s) or mail address. Never raises."""
    reader = _Reader()
    try:
        reader.feed(markup)
        reader.close()
    except AssertionError:  # html.parser gives up on some broken declarations
        return escape(markup, quote=False)
    return "".join(reader.done())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._out: list[str] = []
        self._open: list[str] = []
        self._unseen = 0

    def done(self) -> list[str]:
        """What was kept, with what is still open closed."""
        return [*self._out, *(f"</{tag}>" for tag in reversed(self._open))]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in UNSEEN:
            self._unseen += 1
        if self._unseen or tag not in TAGS or len(self._open) >= DEEPEST:
            return
        href = dict(attrs).get("href") if tag == "a" else None
        linked = href is not None and href.strip().lower().startswith(("https://", "http://", "mailto:"))
        self._out.append(f'<{tag} href="{escape(href.strip())}">' if href and linked else f"<{tag}>")
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in UNSEEN:
            self._unseen = max(self._unseen - 1, 0)
        elif not self._unseen and tag in self._open:
            while True:
                last = self._open.pop()
                self._out.append(f"</{last}>")
                if last == tag:
                    break

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self._out.append(escape(data, quote=False))
