"""How a release, and a dataset of one, is cited: a sentence in each language, CITATION.cff and BibTeX.

A release is cited by its id, which is a day and never changes its meaning. The site's address is not known in a release: `site` is given by who knows it.
"""

from collections.abc import Mapping

import orjson

from .described import Described
from .licence import own
from .wording import LANGUAGES, say

NAME = "明白 mingbai"
FILES = ("CITATION.cff", "citation.bib")


def sentence(release: str, day: str, lang: str, dataset: str | None = None, version: str | None = None, site: str = "") -> str:
    """One line for a footnote. `dataset` is what it is called in that language."""
    what = (
        say(lang, "cite.dataset", dataset=dataset, version=version)
        if dataset and version
        else say(lang, "cite.part", dataset=dataset)
        if dataset
        else say(lang, "cite.all")
    )
    return say(lang, "cite.sentence", what=what, release=release, day=day, year=day[:4]) + (f" {site}" if site else "")


def cff(it: Described, site: str = "") -> str:
    """CITATION.cff (form 1.2.0) of the release. Its texts are JSON, which is YAML."""
    lines = [
        "cff-version: 1.2.0",
        "message: " + _quoted(_both("cite.message")),
        "type: dataset",
        "title: " + _quoted(_both("cite.all")),
        "abstract: " + _quoted(_both("package.about")),
        "authors:",
        f"  - name: {_quoted(NAME)}",
        f"version: {_quoted(it.release)}",
        f"date-released: {_quoted(it.day)}",
    ]
    return "\n".join([*lines, *([f"url: {_quoted(site)}"] if site else [])]) + "\n"


def bibtex(release: str, day: str, datasets: Mapping[str, tuple[str, str]], site: str = "") -> str:
    """An entry for the release, and one for each of its datasets: what it is called in both languages, and its version (or "")."""
    entries = [_entry(release, day, "", _both("cite.all"), release, site)]
    entries += [bibtex_of(release, day, name, *of, site) for name, of in datasets.items()]
    return "\n".join(entries)


def bibtex_of(release: str, day: str, dataset: str, title: str, version: str, site: str = "") -> str:
    """The entry for one dataset of a release."""
    return _entry(release, day, f"-{dataset}", title, version or release, site)


def _entry(release: str, day: str, suffix: str, title: str, version: str, site: str) -> str:
    year, month, of_month = day.split("-")
    fields = {
        "author": f"{{{NAME}}}", "title": f"{{{_plain(title)}}}", "year": year, "month": month, "day": of_month, "version": version, "edition": release,
        "language": "chinese and english", "note": f"{own('zh')} {own('en')}",
    } | ({"url": site} if site else {})  # fmt: skip
    said = ",\n".join(f"  {key} = {{{value}}}" for key, value in fields.items())
    return f"@dataset{{mingbai-{release}{suffix},\n{said}\n}}\n"


def _both(key: str) -> str:
    return " ".join(say(lang, key) for lang in LANGUAGES)


def _plain(text: str) -> str:
    """A text without what means something in BibTeX."""
    return "".join(character for character in text if character not in "{}\\%#&$~^_")


def _quoted(text: str) -> str:
    return orjson.dumps(text).decode()
