"""A release that has a case for each answer to "is this one listed": invented institutions, listings, notices and sources."""

import csv
import json
from pathlib import Path
from typing import Any

from stdnum.cn import uscc

from publish.catalogue import Catalogue
from search import Results
from web_release import TODAY, _notice, go_live, make_release

GULOU, TAIJIANG, CANGSHAN, SIMING, NANJING_GULOU, CHAOYANG = "350102", "350103", "350104", "350203", "320106", "110105"


def code(number: int) -> str:
    """The credit code of nobody."""
    body = f"91350100MA{number:07d}"
    return f"{body}{uscc.calc_check_digit(body)}"


with (Path(__file__).parents[1] / "datasets" / "codes" / "institution_statuses.csv").open(encoding="utf-8") as file:
    STATES = [row["code"] for row in csv.DictReader(file)]
# id: (name, region, more columns)
INSTITUTIONS: dict[str, tuple[str, str | None, dict[str, Any]]] = {
    "i-white": ("福州市鼓楼区甜果培训中心有限公司", GULOU, {"credit_code": code(1), "address": "东大路 1 号"}),
    "i-twin-a": ("晨星培训学校", GULOU, {"credit_code": code(2)}),
    "i-twin-b": ("晨星培训学校", SIMING, {"credit_code": code(3)}),
    "i-black": ("乐童培训中心", GULOU, {"credit_code": code(4)}),
    "i-both": ("双榜培训中心", GULOU, {"credit_code": code(5)}),
    "i-none": ("小树培训中心", GULOU, {"credit_code": code(6)}),
    "i-left": ("大河培训中心", GULOU, {"credit_code": code(7), "absent_since": "2026-11-01"}),
    "i-over": ("石桥培训中心", GULOU, {"credit_code": code(8)}),
    "i-stale": ("旧闻培训中心", SIMING, {"credit_code": code(9), "source_id": "slow"}),
    "i-held": ("停云培训中心", CANGSHAN, {"credit_code": code(10)}),
    "i-renamed": ("新名培训中心", GULOU, {}),
    "i-sign": ("飞鸟培训中心", GULOU, {}),
    "i-taken": ("彩虹培训中心", TAIJIANG, {}),
    "i-branch-a": ("总店培训中心一部", GULOU, {"credit_code": code(11)}),
    "i-branch-b": ("总店培训中心二部", TAIJIANG, {"credit_code": code(11)}),
    "i-nowhere": ("云上培训中心", None, {}),
    "i-cancelled": ("青禾培训中心", GULOU, {"credit_code": code(12)}),
    "i-normal": ("白杨培训中心", GULOU, {"credit_code": code(13)}),
    "i-calm": ("百川培训中心", GULOU, {"credit_code": code(14)}),
    "i-warned": ("秋实培训中心", GULOU, {"credit_code": code(15)}),
    "i-noticed": ("玉兰培训中心", GULOU, {"credit_code": code(17)}),
    "i-ordered": ("丹桂培训中心", GULOU, {"credit_code": code(18)}),
    "i-revoked": ("吊兰培训中心", GULOU, {"credit_code": code(93)}),
    "i-early": ("早春培训中心", GULOU, {"credit_code": code(94)}),
    "i-doomed": ("晚秋培训中心", GULOU, {"credit_code": code(95)}),
    **{f"i-is-{status}": (f"状态{at}号培训中心", GULOU, {"credit_code": code(100 + at), "status": status}) for at, status in enumerate(STATES)},
    "i-alike": ("百灵培训中心", GULOU, {"credit_code": code(92)}),
    "i-closed": ("海棠培训中心", GULOU, {"credit_code": code(16)}),
}  # fmt: skip
ALIASES = [("i-renamed", "老名培训中心", "former"), ("i-sign", "彩虹培训中心", "sign"), ("i-white", "甜果英语", "brand")]
LISTINGS: list[dict[str, Any]] = [
    {"institution_id": "i-white", "list": "white", "subject_name": "甜果培训中心"},
    {"institution_id": "i-twin-a", "list": "white"},
    {"institution_id": "i-twin-b", "list": "white", "region_code": SIMING},
    {"institution_id": "i-black", "list": "black"},
    {"institution_id": "i-both", "list": "white"},
    {"institution_id": "i-both", "list": "black"},
    {"institution_id": "i-left", "list": "white", "absent_since": "2026-11-01"},
    {"institution_id": "i-over", "list": "white", "valid_until": "2026-10"},
    {"institution_id": "i-stale", "list": "white", "region_code": SIMING, "source_id": "slow"},
    {"institution_id": "i-held", "list": "white", "region_code": CANGSHAN},
    {"institution_id": "i-renamed", "list": "white"},
    {"institution_id": "i-sign", "list": "white"},
    {"institution_id": "i-taken", "list": "white", "region_code": TAIJIANG},
    {"institution_id": "i-nowhere", "list": "white", "region_code": None},
    {"institution_id": "i-cancelled", "list": "cancelled"},
    {"institution_id": "i-normal", "list": "normal"},
    {"institution_id": "i-calm", "list": "normal"},
    {"institution_id": "i-calm", "list": "white"},
    {"institution_id": "i-warned", "list": "white"},
    {"institution_id": "i-warned", "list": "warning", "source_id": "slow"},
    {"institution_id": "i-closed", "list": "cancelled"},
    {"institution_id": "i-noticed", "list": "white"},
    {"institution_id": "i-closed", "list": "white"},
    {"institution_id": "i-alike", "list": "white"},
    {"institution_id": "i-revoked", "list": "white"},
    {"institution_id": "i-early", "list": "white", "listed_on": "2026-12"},
    {"institution_id": "i-doomed", "list": "white"},
    {"institution_id": "i-doomed", "list": "black", "listed_on": "2026-11-24"},
    *({"institution_id": f"i-is-{status}", "list": "white"} for status in STATES),
]
HELD = [("listings", CANGSHAN), ("notices", TAIJIANG)]
SOURCES: list[dict[str, Any]] = [
    {"id": "platform", "label_zh": "全国平台", "region_code": "000000", "batch_kind": "full_snapshot", "interval_days": 1, "as_of": "2026-11-22"},
    {"id": "slow", "label_zh": "某区教育局", "region_code": SIMING, "interval_days": 30, "as_of": "2026-01-31"},
]  # fmt: skip


def tables(sources: list[dict[str, Any]] = SOURCES) -> dict[str, list[dict[str, Any]]]:
    base = {
        "source_id": "platform",
        "region_code": GULOU,
        "authority": "福州市教育局",
        "batch_label": "第三期",
        "as_of": "2026-11-20",
        "listed_on": "2026-11-18",
    }
    return {
        "sources": sources,
        "documents": [{"id": "d-ccccccccccc2", "source_id": "platform", "kind": "decision", "title": "决定书", "as_of": "2026-10-15"}],
        "institutions": [{"id": id, "name": name, "region_code": region, "source_id": "platform", **more} for id, (name, region, more) in INSTITUTIONS.items()],
        "institution_aliases": [{"institution_id": id, "name": name, "kind": kind} for id, name, kind in ALIASES],
        "permits": [{"institution_id": "i-renamed", "permit_no": "教民135010270000031", "valid_until": "2026-05-01"}, {"institution_id": "i-white", "permit_no": "教民135010270000018"}, {"institution_id": "i-black", "permit_no": "教民135010270000020"}],
        "listings": [{"id": f"l-{number}", **base, **row} for number, row in enumerate(LISTINGS)],
        "notices": [
            _notice("n-black", kind="blacklist", subject_name="乐童培训中心"),
            _notice("n-noticed", kind="blacklist", subject_name="玉兰培训中心"),
            _notice("n-ordered", subject_name="丹桂培训中心"),
            _notice("n-over", subject_name="乐童培训中心", public_until="2026-11-22"),
            _notice("n-outside", kind="blacklist", subject_name="暗礁培训中心", subject_credit_code=code(90), subject_permit_no="教民135010270000090"),
            _notice("n-fined", subject_name="浅滩培训中心", subject_credit_code=code(91)),
            _notice("n-revoked", subject_name="吊兰培训中心"),
            _notice("n-namesake", kind="blacklist", subject_name="百灵培训中心", region_code=GULOU),
            _notice("n-unlinked", kind="warning", subject_name="小树培训中心", region_code=GULOU),
        ],
        "notice_penalties": [{"notice_id": "n-revoked", "penalty_code": "revoke_permit"}],
        "notice_measures": [{"notice_id": "n-ordered", "measure_code": "blacklisted"}],
        "notice_links": [
            {"notice_id": notice, "institution_id": id, "method": "credit_code", "confidence": 1.0}
            for notice, id in (("n-black", "i-black"), ("n-over", "i-black"), ("n-noticed", "i-noticed"), ("n-ordered", "i-ordered"), ("n-revoked", "i-revoked"))
        ],
    }  # fmt: skip


def publish_world(home: Path, catalogue: Catalogue) -> None:
    """Make it the live release of a home."""
    folder = make_release(home, TODAY, catalogue, tables=tables())
    held = [{"source": "platform", "table": table, "region": region, "since": "2026-11-10"} for table, region in HELD]
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "held": held}))
    go_live(home, TODAY)


class Broken:
    """An index that fails."""

    def search(self, query: str, **more: object) -> Results:
        raise OSError("gone")

    def close(self) -> None:
        """Nothing is open."""


class Empty(Broken):
    """An index that finds nobody, as one that is damaged may."""

    def search(self, query: str, **more: object) -> Results:
        return Results(0)
