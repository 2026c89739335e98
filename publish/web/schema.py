"""What our pages say of themselves in schema.org's words (JSON-LD): data in an element that no browser runs.

Who an institution is, and no more: ratings, listings and notices have no words there that say with them until when, by whom and what they do not mean.
"""

from typing import Any

import orjson
from markupsafe import Markup

from ..schemaorg import CONTEXT
from ..wording import LANGUAGES, say
from .frame import Frame, clean
from .reader import Reader, Row
from .visit import Visit

IN_SCRIPT = (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"))  # nothing in a text ends the element
CREDIT_CODE = "统一社会信用代码"


def in_page(said: object) -> Markup:
    """Plain data as it may stand in a page's script element of type application/ld+json."""
    text = orjson.dumps(said).decode()
    for sign, written in IN_SCRIPT:  # str.translate takes 50 times as long
        text = text.replace(sign, written)
    return Markup(text)


def website(frame: Frame, visit: Visit) -> Markup:
    """For the start page: the site, who makes it, and how it is searched."""
    lang = visit.lang
    publisher = {
        "@type": "Organization",
        "@id": f"{frame.root}/#publisher",
        "name": say(lang, "site.name"),
        "url": frame.site("/", LANGUAGES[0]),
    }
    action = {
        "@type": "SearchAction",
        "target": {"@type": "EntryPoint", "urlTemplate": f"{frame.site('/search')}?q={{search_term_string}}"},
        "query-input": "required name=search_term_string",
    }
    return in_page({"@context": CONTEXT, **_site(frame), "name": say(lang, "site.name"), "description": say(lang, "start.is"), "publisher": publisher, "potentialAction": action})  # fmt: skip


def institution(frame: Frame, visit: Visit, reader: Reader, it: Row) -> Markup:
    """For the page of an institution: that it is of the day of this release, and about whom."""
    path = f"/institutions/{it['id']}"
    url, about = frame.site(path), f"{frame.site(path, LANGUAGES[0])}#institution"
    page = {
        "@type": "WebPage",
        "@id": url,
        "url": url,
        "name": clean(it["name"]),
        "inLanguage": say(visit.lang, "site.lang"),
        "dateModified": reader.released_on,
        "isPartOf": _site(frame),
        "about": {"@id": about},
    }
    organisation: dict[str, Any] = {
        "@type": "Organization",
        "@id": about,
        "name": clean(it["name"]),
        "alternateName": [clean(alias["name"]) for alias in it["aliases"]],
        "identifier": [{"@type": "PropertyValue", "propertyID": CREDIT_CODE, "value": it["credit_code"]}] if it["credit_code"] else [],
        "address": {
            "@type": "PostalAddress",
            "addressCountry": "CN",
            "addressRegion": clean(reader.region(it["region_code"], it["region_text"], LANGUAGES[0])),
            "streetAddress": clean(it["address"]),
        },
    }
    organisation["address"] = {key: value for key, value in organisation["address"].items() if value}
    return in_page({"@context": CONTEXT, "@graph": [page, {key: value for key, value in organisation.items() if value}]})


def _site(frame: Frame) -> dict[str, Any]:
    return {"@type": "WebSite", "@id": f"{frame.root}/#site", "url": frame.site("/", LANGUAGES[0]), "inLanguage": [say(lang, "site.lang") for lang in LANGUAGES]}  # fmt: skip
