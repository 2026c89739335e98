"""What feeds tell of: an event of the ledger, what each kind is called, and the id and the time of the entry that tells of it.

An entry is published with the release that first showed it and updated with the one that changed it last, at midnight in China (the second
release of a day a second later), so that the same releases give the same bytes. What an entry says is for entries.py to know.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from .home import CHINA, release_order

TAG = "tag:mingbai.example,2026"  # not the address of the site, which may move
NOT_LISTED = "不在最新一期名单中"
HAPPENED = {
    "first": "首次公布", "again": "再次公布", "changed": "有变更", "corrected": "已更正", "tombstone": "撤下", "removal": "撤下说明", "correction": "更正说明", "dispute": "异议说明",
    "entered": "列入白名单", "left": NOT_LISTED, "released": "发布",
}  # fmt: skip
ENDED = {"expired": "公示结束", "absent": "来源不再列出", "unpublished": "本站不再公布"}  # classes of reason that are no withdrawal
BESIDE = ("correction", "dispute")  # events of which an entry tells that says more where the notice may be shown
SHOWN = ("first", "again", "changed", "corrected")  # events of which the notice's own entry tells, while the release has it


@dataclass(frozen=True, slots=True)
class Event:
    """What the ledger tells: `kind` happened to the notice, the institution's listing or the release of this id with `release`, for `reason`.

    `number` is the ledger's own; `region` that of the white list that was entered or left.
    """

    number: int
    what: str
    id: str
    kind: str
    release: str
    reason: str = ""
    region: str = ""

    @property
    def entry(self) -> str:
        """The id of the entry that tells of it: a notice's own, or that of one beside it, of a listing's coming or going, of a release."""
        if self.what == "notice":
            beside = {"correction": "corrections", "removal": "removals", "dispute": "disputes"}.get(self.kind)
            return tag(f"notices/{self.id}/{beside}/{self.release}") if beside else notice_id(self.id)
        # two lists may be left with one release
        return tag(f"institutions/{self.id}/listings/{self.number}" if self.what == "listing" else f"releases/{self.id}")


def instant(release: str) -> datetime:
    """When a release was, as feeds say it. Raises BadHome for what is no release id."""
    day, number = release_order(release)
    return datetime.combine(date.fromisoformat(day), time(0), CHINA) + timedelta(seconds=number - 1)


def tag(what: str) -> str:
    """A tag: URI (RFC 4151) of our own naming: for ever, wherever the site is served from."""
    return f"{TAG}:{what}"


def notice_id(notice: str) -> str:
    """The id of a notice's own entry."""
    return tag(f"notices/{notice}")
