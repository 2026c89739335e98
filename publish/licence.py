"""The terms of the data, said once. The code has a licence of its own (LICENSE).

Lists, decisions and facts that an authority made public are not ours: Chinese law gives decisions of state organs and plain facts no copyright (Copyright
Law, article 5), nothing is claimed of them, and what a source asks for stands beside it (`sources.licence`). What is ours is what was added: identifiers,
codes, links, translations, the dictionary, the compilation. That is under CC BY 4.0, which asks for no more than our name. A licence for databases
(ODbL) was not taken: it would ask those who join lists to publish theirs.
"""

from .wording import say

URL = "https://creativecommons.org/licenses/by/4.0/"
PAGE = "../../data#licence"  # of these terms, from a release's folder: a machine that is told Creative Commons' address takes that for all that is in a file


def name(lang: str) -> str:
    """What the licence is called."""
    return say(lang, "licence.name")


def own(lang: str) -> str:
    """What these terms are called, of which the licence is a part."""
    return say(lang, "licence.own")


def terms(lang: str) -> str:
    """What it covers, what it does not, and what whoever has a copy is asked to do."""
    return ("" if lang == "zh" else " ").join(say(lang, key) for key in ("licence.about", "licence.ends"))
