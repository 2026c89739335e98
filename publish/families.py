"""Which feeds there are: the families, what each is called and can be had by, and whether one can be asked for that has told nothing yet.

It knows the keys of feeds and no entry, release or ledger.
"""

from collections.abc import Callable, Container, Iterable, Mapping
from hashlib import sha256

from .rules import WITHHELD_SERIOUSNESS

FAMILIES = {
    "notices": ("校外培训机构公告", "新公布的黑名单、行政处罚、典型案例和风险提示。只转载机关已公布的内容，不作评价。"),
    "records": ("校外培训机构公告（全部收录）", "公示期内的全部公告，含首次收录的来源和较早作出的决定，不是新消息。只转载机关已公布的内容，不作评价。"),
    "corrections": ("更正与撤下", "公告的更正、异议和撤下。不重复被更正或撤下的内容。"),
    "listings": ("白名单变动", "机构列入白名单，或不在最新一期名单中。列入名单只说明列入，不是评价；不在名单中不说明原因。"),
    "releases": ("数据版本", "每发布一个版本有一条。"),
}  # fmt: skip
BY = ("region", "violation", "seriousness", "authority")
FACETS: Mapping[str, tuple[str, ...]] = {
    "notices": BY,
    "records": BY,
    "corrections": ("region",),
    "listings": ("region",),
    "releases": (),
}  # what each family can be had by
CODES = {"violation": "violation_types", "seriousness": "seriousness"}  # the code tables of those that have one
NEVER_TOLD = {"seriousness": WITHHELD_SERIOUSNESS}  # codes of which nothing is ever published: a feed of one would be empty for ever


def told_by(facet: str, codes: Iterable[str]) -> list[str]:
    """The codes of a facet that a feed can be had by."""
    return [code for code in codes if code not in NEVER_TOLD.get(facet, ())]


def can_tell(feed: str, is_region: Callable[[str], bool], codes: Callable[[str], Container[str]]) -> bool:
    """Whether a feed can be asked for that has told nothing yet: of all of a family, of a region below the country, or of a code of a table."""
    family, _, rest = feed.partition("/")
    facet, _, code = rest.partition("/")
    if not rest or facet not in FACETS.get(family, ()):
        return feed in FACETS
    return is_region(code) if facet == "region" else facet in CODES and code in codes(CODES[facet]) and bool(told_by(facet, [code]))


def authority_key(name: str | None) -> str | None:
    """What stands for an authority in the address of its feed: for its name as it is printed, since few have a code of their own."""
    return None if name is None else sha256(name.encode()).hexdigest()[:12]
