"""What measure.py counts, each of its counts on rows that differ in just that. Each case has a region of its own, so all are measured at once."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from byhand import DAY, Row, in_memory, published, staged
from publish import measure
from publish.catalogue import Catalogue
from publish.tables import Working, working

# Said only where a case is about them; every other count of a partition has to be what the case says, or 0.
ASIDE = ("filled_before", "filled_now", "chinese_before", "chinese_now", "code_before", "code_now", "written_before", "written_now")
STAYS = {"rows before": 1, "rows now": 1, "kept": 1}
CAME, WENT = {"rows now": 1, "added": 1}, {"rows before": 1}
NOTICE = {**STAYS, "adverse_before": 1}
LISTED = {**CAME, "adverse_added": 1}
Sides = tuple[list[Row], list[Row]]


def one(before: Row | None, now: Row | None) -> Sides:
    """A row as it was and as it is; None: it was not, or is not, there."""
    first, second = ([{"id": "1", **row}] if row is not None else [] for row in (before, now))
    return first, second


# what, table, rows before and now, the counts of their partition
CASES: list[tuple[str, str, Sides, dict[str, float]]] = [
    ("nothing", "institutions", one({}, {}), STAYS),
    ("a new one", "institutions", one(None, {}), CAME),
    ("one that is gone", "institutions", one({}, None), WENT),
    ("one that is absent for the first time", "institutions", one({}, {"absent_since": DAY}), WENT),
    ("one that was absent and is gone", "institutions", one({"absent_since": DAY}, None), {}),
    ("one that was absent and is back", "institutions", one({"absent_since": DAY}, {}), {"rows now": 1}),
    ("a value that changed", "institutions", one({"address": "a"}, {"address": "b"}), {**STAYS, "changed address": 1}),
    ("a value that came", "institutions", one({}, {"address": "b"}), {**STAYS, "changed address": 1, "filled_now address": 1, "filled_before address": 0}),
    ("a value that went", "institutions", one({"address": "a"}, {}), {**STAYS, "changed address": 1, "blanked address": 1, "filled_before address": 1, "filled_now address": 0}),
    ("another document", "institutions", one({"document_id": "a"}, {"document_id": "b"}), {**STAYS, "filled_now document_id": 0, "filled_now source_id": 0, "filled_now id": 0, "filled_now absent_since": 0}),
    ("another source", "institutions", one({}, {"source_id": "t"}), {"rows before": 1, "kept": 1}),
    ("a name of its own", "institutions", one({"name": "甲"}, {"name": "乙"}), {**STAYS, "changed name": 1}),
    ("the name of another", "institutions", ([{"id": "1", "name": "丙"}, {"id": "2", "name": "丁"}], [{"id": "1", "name": "丁"}, {"id": "2", "name": "丁"}]), {"rows before": 2, "rows now": 2, "kept": 2, "changed name": 1, "traded name": 1, "doubled_now": 1}),
    ("the code of another", "institutions", ([{"id": "1", "credit_code": "K1"}, {"id": "2", "credit_code": "K2"}], [{"id": "1", "credit_code": "K2"}, {"id": "2", "credit_code": "K2"}]), {"rows before": 2, "rows now": 2, "kept": 2, "changed credit_code": 1, "traded credit_code": 1}),
    ("a name that is cut", "institutions", one({"name": "戊己"}, {"name": "戊"}), {**STAYS, "changed name": 1, "cut name": 1}),
    ("a name that is cut in front", "institutions", one({"name": "庚辛"}, {"name": "辛"}), {**STAYS, "changed name": 1}),
    ("a name that is longer", "institutions", one({"name": "壬"}, {"name": "壬癸"}), {**STAYS, "changed name": 1}),
    ("a text that is cut and is no name", "institutions", one({"address": "ab"}, {"address": "a"}), {**STAYS, "changed address": 1}),
    ("Chinese", "institutions", one({"name": "培训"}, {"name": "培x"}), {**STAYS, "changed name": 1, "chinese_before name": 1, "chinese_now name": 0.5, "chinese_now address": 0}),
    ("a day after today", "institutions", one({"opened_on": DAY}, {"opened_on": "2026-11-03"}), {**STAYS, "changed opened_on": 1, "dates_now opened_on": 1}),
    ("a day before there was anything", "institutions", one({"opened_on": "1948-12-31"}, {"opened_on": "1949"}), {**STAYS, "changed opened_on": 1, "dates_before opened_on": 1}),
    ("an end to come", "listings", one({"valid_until": "2027-01-01"}, {"valid_until": "2027-01-01"}), STAYS),
    ("a code that is valid no longer", "institutions", one({"credit_code": "A", "credit_code_text": "A"}, {"credit_code_text": "A"}), {**STAYS, "changed credit_code": 1, "blanked credit_code": 1, "written_before credit_code": 1, "written_now credit_code": 1, "invalid_now credit_code": 1}),
    ("a code that is valid and not written", "institutions", one({"credit_code": "B"}, {"credit_code": "B"}), {**STAYS, "written_before credit_code": 0, "written_now credit_code": 0}),
    ("two that say the same", "institutions", ([{"id": "1", "name": "子", "address": "a"}], [{"id": "1", "name": "子", "address": "a"}, {"id": "2", "name": "子", "address": "a"}]), {"rows before": 1, "rows now": 2, "kept": 1, "added": 1, "doubled_now": 1}),
    ("two of one name elsewhere", "institutions", ([{"id": "1", "name": "丑", "address": "a"}], [{"id": "1", "name": "丑", "address": "a"}, {"id": "2", "name": "丑", "address": "b"}]), {"rows before": 1, "rows now": 2, "kept": 1, "added": 1}),
    ("two of one place by another name", "institutions", ([], [{"id": "1", "name": "寅", "address": "a"}, {"id": "2", "name": "卯", "address": "a"}]), {"rows now": 2, "added": 2}),
    ("one listed twice", "listings", ([], [{"id": n, "institution_id": "i", "authority": "a"} for n in ("1", "2")]), {"rows now": 2, "added": 2, "doubled_now": 1}),
    ("two listed", "listings", ([], [{"id": n, "institution_id": f"i{n}", "authority": "a"} for n in ("1", "2")]), {"rows now": 2, "added": 2}),
    ("one on two lists", "listings", ([], [{"id": n, "institution_id": "i", "authority": "a", "list": n} for n in ("white", "normal")]), {"rows now": 2, "added": 2}),
    ("one listed by two", "listings", ([], [{"id": n, "institution_id": "i", "authority": n} for n in ("1", "2")]), {"rows now": 2, "added": 2}),
    ("one decided twice", "notices", ([], [{"id": n, "subject_name": "某", "facts": "x", "decided_on": DAY} for n in ("1", "2")]), {"rows now": 2, "added": 2, "adverse_added": 2, "doubled_now": 1}),
    ("two decided", "notices", ([], [{"id": n, "subject_name": f"某{n}", "facts": "x", "decided_on": DAY} for n in ("1", "2")]), {"rows now": 2, "added": 2, "adverse_added": 2}),
    ("one decided for two things", "notices", ([], [{"id": n, "subject_name": "某", "facts": n, "decided_on": DAY} for n in ("1", "2")]), {"rows now": 2, "added": 2, "adverse_added": 2}),
    ("one decided on two days", "notices", ([], [{"id": n, "subject_name": "某", "facts": "x", "decided_on": f"2026-10-0{n}"} for n in ("1", "2")]), {"rows now": 2, "added": 2, "adverse_added": 2}),
    ("a code", "institutions", ([{"id": "1", "status": "open"}, {"id": "2", "status": None}], [{"id": "1", "status": "open"}, {"id": "2", "status": "open"}]), {"rows before": 2, "rows now": 2, "kept": 2, "changed status": 1, "code_before status=open": 1, "code_now status=open": 2, "code_now status=None": 0}),
    ("a listing of another institution", "listings", one({"institution_id": "i1"}, {"institution_id": "i2"}), {**STAYS, "changed institution_id": 1}),
    ("a listing of the institution of another", "listings", ([{"id": n, "institution_id": f"t{n}"} for n in ("1", "2")], [{"id": n, "institution_id": "t1"} for n in ("1", "2")]), {"rows before": 2, "rows now": 2, "kept": 2, "changed institution_id": 1, "traded institution_id": 1, "doubled_now": 1}),
    # held against somebody
    ("a white one", "listings", one(None, {}), CAME),
    ("a black one", "listings", one(None, {"list": "black"}), LISTED),
    ("a grey one", "listings", one(None, {"list": "grey"}), LISTED),
    ("a warning", "listings", one(None, {"list": "warning"}), LISTED),
    ("one that was black and is", "listings", one({"list": "black"}, {"list": "black"}), {**STAYS, "adverse_before": 1}),
    ("one that turns black", "listings", one({}, {"list": "black"}), {**STAYS, "changed list": 1, "adverse_added": 1}),
    ("one that turns white", "listings", one({"list": "black"}, {}), {**STAYS, "changed list": 1, "adverse_before": 1, "adverse_removed": 1}),
    ("a black one that is gone", "listings", one({"list": "black"}, None), {**WENT, "adverse_before": 1, "adverse_removed": 1}),
    ("a black one that is absent", "listings", one({"list": "black"}, {"list": "black", "absent_since": DAY}), {**WENT, "adverse_before": 1, "adverse_removed": 1}),
    ("a black one about another", "listings", one({"list": "black", "institution_id": "a"}, {"list": "black", "institution_id": "b"}), {**STAYS, "changed institution_id": 1, "adverse_before": 1, "adverse_removed": 1, "adverse_added": 1}),
    ("a black one of an institution whose name changed", "listings", one({"list": "black", "institution_id": "a", "subject_name": "甲"}, {"list": "black", "institution_id": "a", "subject_name": "乙"}), {**STAYS, "changed subject_name": 1, "adverse_before": 1}),
    ("a black one that names another where it has no institution", "listings", one({"list": "black", "institution_id": None, "subject_name": "甲"}, {"list": "black", "institution_id": None, "subject_name": "乙"}), {**STAYS, "changed subject_name": 1, "adverse_before": 1, "adverse_removed": 1, "adverse_added": 1}),
    ("a black one that ended", "listings", one({"list": "black", "valid_until": "2026-11-01"}, None), {}),
    ("a black one that ends today", "listings", one({"list": "black", "valid_until": DAY}, {"list": "black", "valid_until": DAY}), {**STAYS, "adverse_before": 1}),
    # notices
    ("a notice", "notices", one({}, {}), NOTICE),
    ("a new notice", "notices", one(None, {}), {**CAME, "adverse_added": 1}),
    ("a notice about another name", "notices", one({"subject_name": "甲"}, {"subject_name": "乙"}), {**NOTICE, "changed subject_name": 1, "adverse_removed": 1, "adverse_added": 1}),
    ("a notice about nobody", "notices", one({"subject_name": None}, {"subject_name": None}), NOTICE),
    ("a notice about one whose name changed", "notices", one({"subject_credit_code": "A", "subject_name": "甲"}, {"subject_credit_code": "A", "subject_name": "乙"}), {**NOTICE, "changed subject_name": 1}),
    ("a notice with the facts of another", "notices", ([{"id": n, "facts": f"事实{n}"} for n in ("1", "2")], [{"id": n, "facts": "事实1"} for n in ("1", "2")]), {"rows before": 2, "rows now": 2, "kept": 2, "changed facts": 1, "traded facts": 1, "adverse_before": 2}),
    ("a notice that is cut", "notices", one({"facts": "事实"}, {"facts": "事"}), {**NOTICE, "changed facts": 1, "cut facts": 1, "chinese_before facts": 1, "chinese_now facts": 1}),
    ("a notice that ended", "notices", one({"public_until": "2026-11-01"}, None), {}),
    ("a notice of tomorrow", "notices", one({"decided_on": "2026-11-03"}, None), {}),
    *((f"a fine {more} times as high", "notices", one({"fine_fen": 3}, {"fine_fen": 3 * more}), {**NOTICE, "changed fine_fen": 1, "scaled fine_fen": int(more in (10, 100, 1000, 10000))}) for more in (2, 10, 100, 1000, 10000, 100000)),
    *((f"a fine {less} times as low", "notices", one({"fine_fen": 3 * less}, {"fine_fen": 3}), {**NOTICE, "changed fine_fen": 1, "scaled fine_fen": int(less in (10, 100, 1000, 10000))}) for less in (2, 10, 100, 1000, 10000, 100000)),
    ("a fine of nothing", "notices", one({"fine_fen": 0}, {"fine_fen": 0}), NOTICE),
    ("a fine of nothing that is one", "notices", one({"fine_fen": 0}, {"fine_fen": 5}), {**NOTICE, "changed fine_fen": 1}),
    ("a sum that is no fine", "notices", one({"confiscated_fen": 1}, {"confiscated_fen": 10}), {**NOTICE, "changed confiscated_fen": 1, "scaled confiscated_fen": 1}),
]  # fmt: skip
GONE = {**WENT, "adverse_before": 1, "adverse_removed": 1}
# why a notice is not shown that was: what its source says of it now
WITHHELD: dict[str, tuple[Row | None, dict[str, float]]] = {
    "withdrawn": ({"withheld": "withdrawn"}, {**GONE, "explained": 1}),
    "repaired": ({"withheld": "repaired"}, {**GONE, "explained": 1}),
    "expired": ({"withheld": "expired"}, {**GONE, "explained": 1}),
    "minor": ({"withheld": "minor"}, {**GONE, "explained": 1}),
    "unreadable": ({"withheld": "unreadable"}, {**GONE, "unreadable": 1}),
    "no_end": ({"withheld": "no_end"}, {**GONE, "unreadable": 1}),
    "nothing": (None, GONE),
}


def region(number: int) -> str:
    return f"R{number:03d}"


def placed(sides: Sides, table: str, number: int) -> Iterator[dict[str, list[Row]]]:
    """The rows of both sides in the region of their case."""
    for rows in sides:
        yield {table: [{"region_code": region(number), **row, "id": f"{region(number)}-{row['id']}"} for row in rows]}


def together(*several: Mapping[str, list[Row]]) -> dict[str, list[Row]]:
    """The rows of several, by table."""
    found: dict[str, list[Row]] = {}
    for rows in several:
        for table, more in rows.items():
            found.setdefault(table, []).extend(more)
    return found


def rated(mean: float, month: str = "2026-09", **more: Any) -> Row:
    return {"institution_id": "P", "month": month, "scale_max": 5, "rating_count": 9, "mean_rating": mean, **more}


# What is where its institution is, and what has no code of a region.
PARTS_BEFORE: dict[str, list[Row]] = {
    "institutions": [{"id": "P", "region_code": "P"}, {"id": "Q", "region_code": "Q", "absent_since": DAY}, {"id": "T", "region_text": "某区"}, {"id": "U"}],
    "permits": [{"institution_id": "P", "valid_until": "2027"}, {"institution_id": "P", "permit_no": "2"}, {"institution_id": "Q"}, {"institution_id": "nobody"}],
    "institution_classes": [{"institution_id": "P", "class_code": "arts"}],
    "ratings": [rated(4.4), rated(2.0, "2026-08"), rated(1.0, "2026-11"), rated(4.4, institution_id="Q")],
    "notices": [{"id": "L1", "region_code": "P"}, {"id": "L2", "region_code": "P"}],
    "notice_links": [{"notice_id": n, "institution_id": "P"} for n in ("L1", "L2")],
    "documents": [{"id": "d"}],
}  # fmt: skip
PARTS_NOW: dict[str, list[Row]] = {
    **PARTS_BEFORE,
    "permits": [{"institution_id": "P", "valid_until": "2028"}, {"institution_id": "P", "permit_no": "3"}, {"institution_id": "Q"}],
    "institution_sites": [{"institution_id": "P", "address": "a"}],
    "ratings": [rated(4.5), rated(2.0, "2026-08", rating_count=None), rated(1.0, "2026-11"), rated(4.4, institution_id="Q")],
    "notice_links": [{"notice_id": "L1", "institution_id": "P"}],
}
PARTS: list[tuple[str, str, dict[str, float]]] = [
    ("permits", "P", {"rows before": 2, "rows now": 2, "kept": 1, "added": 1, "changed valid_until": 1, "filled_before valid_until": 1, "filled_now permit_no": 0, "filled_now institution_id": 0}),
    ("permits", "Q", {}),
    ("institution_classes", "P", {**STAYS, "code_before class_code=arts": 1, "code_now class_code=arts": 1}),
    ("institution_sites", "P", {}),  # nothing is known of it where the live release has no such table
    ("ratings", "P", {"rows before": 2, "rows now": 2, "kept": 2, "changed mean_rating": 1, "changed rating_count": 1, "blanked rating_count": 1, "code_before mean_rating=8": 1, "code_now mean_rating=9": 1, "code_now mean_rating=4": 1, "code_now scale_max=5": 2}),
    ("ratings", "Q", {}),
    ("institutions", "某区", STAYS),
    ("institutions", "", STAYS),
    ("notices", "P", {"rows before": 2, "rows now": 2, "kept": 2, "adverse_before": 2, "linked_before": 2, "linked_now": 1}),
    ("documents", "", {}),
]  # fmt: skip


def made(folder: Path, catalogue: Catalogue) -> tuple[Path, Path, Path]:
    """The candidate, the live release and the staging file of every case."""
    all_sides = [list(placed(rows, table, number)) for number, (_, table, rows, _) in enumerate(CASES)]
    gone = [{"id": reason, "region_code": reason} for reason in WITHHELD]
    before = together(PARTS_BEFORE, {"notices": [*gone, {"id": "there", "region_code": "there"}]}, *(b for b, _ in all_sides))
    now = together(PARTS_NOW, {"notices": [{"id": "there", "region_code": "there"}]}, *(n for _, n in all_sides))
    said = [{"id": reason, **row} for reason, (row, _) in WITHHELD.items() if row] + [{"id": "there", "withheld": "withdrawn"}]
    live = published(folder / "live.db", catalogue, before, without=["institution_sites"])
    return published(folder / "public.db", catalogue, now), live, staged(folder / "private.db", catalogue, {"notices": said})


def told(counts: measure.Counts, expected: Mapping[str, float]) -> dict[str, float]:
    """The counts that are to be as expected, spelled as in the tables above."""
    named = {f"{what} {subject}".strip() if what != "rows" else f"rows {subject}": number for (what, subject), number in counts.items()}
    return {
        name: number for name, number in named.items() if (number and name.split()[0] not in ASIDE) or name in expected or name in NEVER
    }


NEVER = ("filled_now absent_since", "filled_now id", "filled_now permit_no", "filled_now document_id", "filled_now source_id")


def outcomes(module: Any, catalogue: Catalogue, sides: tuple[Path, Path, Path], folder: Path) -> Iterator[tuple[str, Any, Any]]:
    """(what is asked, what `module` says, what is right) of everything that is counted."""
    with module.attached(*sides, DAY) as connection:
        found = module.measure(connection, catalogue, DAY)
    expected = {(table, region(number)): (what, counts) for number, (what, table, _, counts) in enumerate(CASES)}
    expected |= {("notices", reason): (f"a notice that is {reason}", counts) for reason, (_, counts) in WITHHELD.items()}
    expected |= {("notices", "there"): ("a notice that is withdrawn elsewhere", NOTICE)}
    expected |= {(table, where): (f"{table} of {where}", counts) for table, where, counts in PARTS}
    for (table, where), (what, counts) in expected.items():
        right = {name: number for name, number in counts.items() if number or (name.split()[0] in ASIDE and name not in NEVER)}
        said = told(found.get(("s", table, where), {}), right)
        yield f"{what} ({table})", {**dict.fromkeys(right, 0), **said}, right
    moved = next(number for number, (what, *_) in enumerate(CASES) if what == "another source")
    yield "another source", told(found["t", "institutions", region(moved)], {}), {"rows now": 1}
    yield "no other tables", {table for _, table, _ in found} <= {table for table, _ in expected} - {"documents", "institution_sites"}, True
    yield from alike(module, catalogue)
    yield from an_older_release(module, catalogue, folder)
    yield from kept_back(module, catalogue, folder)
    yield from the_rest(module, catalogue, folder)


@contextmanager
def beside(catalogue: Catalogue, before: Mapping[str, list[Row]], now: Mapping[str, list[Row]]) -> Iterator[Working]:
    """Two databases in memory, as main and old."""
    with closing(Working(":memory:")) as connection:
        connection.execute("ATTACH ':memory:' AS old")
        in_memory(connection, "main", catalogue, now)
        in_memory(connection, "old", catalogue, before)
        yield connection


def alike(module: Any, catalogue: Catalogue) -> Iterator[tuple[str, Any, Any]]:
    """Whether a table is to the letter what it was."""
    first = [rated(4.4, histogram=None), rated(2.0, "2026-08")]
    others: dict[str, tuple[list[Row], bool]] = {
        "the same": (first, True),
        "in another order": (first[::-1], True),
        "a value that changed": ([rated(4.4, histogram=None), rated(2.1, "2026-08")], False),
        "a value that came": ([rated(4.4, histogram="[]"), first[1]], False),
        "another key": ([first[0], rated(2.0, "2026-07")], False),
        "a row that is gone": (first[:1], False),
        "a row that came": ([*first, rated(2.0, "2026-07")], False),
    }
    table = catalogue.tables["ratings"]
    every = {column.name for column in table.published}
    for what, (rows, right) in others.items():
        with beside(catalogue, {"ratings": first}, {"ratings": rows}) as connection:
            yield f"is the same: {what}", module._is_the_same(connection, table, every), right
            if what == "a value that changed":
                yield "in a column that is new", module._is_the_same(connection, table, every - {"mean_rating"}), True
    with beside(catalogue, {"institutions": [{"id": "1"}]}, {"institutions": [{"id": "1"}]}) as connection:
        for name in ("institutions", "permits"):
            yield f"{name} are measured anyhow", module._is_the_same(connection, catalogue.tables[name], {"institution_id", "id"}), False
    both = {"institutions": [{"id": "P", "region_code": "P"}], "ratings": first}
    with beside(catalogue, both, both) as connection:
        connection.execute("CREATE TEMP TABLE withheld (id, reason)")
        connection.teach(module.han)
        yield "what is the same is not counted", {table for _, table, _ in module.measure(connection, catalogue, DAY)}, {"institutions"}


def an_older_release(module: Any, catalogue: Catalogue, folder: Path) -> Iterator[tuple[str, Any, Any]]:
    """Columns that are declared since the live release cannot be compared with it."""
    columns = ("address", "name", "credit_code_text", "status", "opened_on")
    rows: dict[str, list[Row]] = {
        "institutions": [{"id": "1", "address": "a", "credit_code_text": "x", "status": "open", "opened_on": "1900"}]
    }
    path, live = folder / "new.db", folder / "older.db"
    if not path.is_file():
        published(path, catalogue, rows)
        published(live, catalogue, {}, [f"institutions.{column}" for column in columns])
        with working(live) as connection:
            connection.execute("INSERT INTO institutions (id, source_id) VALUES ('1', 's')")
    with module.attached(path, live, folder / "none.db", DAY) as connection:
        found = module.measure(connection, catalogue, DAY)["s", "institutions", ""]
        yield "without a staging file nothing is withheld", connection.one("SELECT count(*) FROM temp.withheld"), 0
    yield "new columns", {key for key in found if key[1].split("=")[0] in columns or key[0].startswith(("written", "doubled"))}, set()
    yield "the others", (found["rows", "before"], found["rows", "now"], found["kept", ""]), (1, 1, 1)


# What the newest snapshots say must not be shown: table, page, the staged row, the reason or None
SAID: dict[str, tuple[str, Row, str | None]] = {
    "ended": ("notices", {"public_until": "2026-11-01", "public_until_rule": "source"}, "ended"),
    "ends today": ("notices", {"public_until": DAY, "public_until_rule": "source"}, None),
    "has no end": ("notices", {"public_until": None, "public_until_rule": "source"}, "ended"),
    "ended by our rule": ("notices", {"public_until": "2026-11-01", "public_until_rule": "general"}, None),
    "ended in the snapshot before": ("notices", {"public_until": "2026-11-01", "public_until_rule": "source", "page": 1}, None),
    "withdrawn in the snapshot before": ("notices", {"withheld": "withdrawn", "page": 1}, "withdrawn"),
    "withdrawn and ended": ("notices", {"withheld": "withdrawn", "public_until": "2026-11-01", "public_until_rule": "source"}, "withdrawn"),
    "a listing that ended": ("listings", {"list": "black", "valid_until": "2026-11-01"}, "ended"),
    "a listing withheld": ("listings", {"list": "black", "valid_until": "2026-11-01", "withheld": "x"}, None),
    "a listing that runs": ("listings", {"list": "black", "valid_until": DAY}, None),
    "a listing that ended by our rule": ("listings", {"list": "black", "listed_on": "2020-01-01"}, None),
}


def kept_back(module: Any, catalogue: Catalogue, folder: Path) -> Iterator[tuple[str, Any, Any]]:
    """What temp.withheld has."""
    path, empty = folder / "said.db", folder / "empty.db"
    if not path.is_file():
        rows = together(*({table: [{"id": what, **row}]} for what, (table, row, _) in SAID.items()))
        ended = SAID["ended"][1]
        twice = {"notices": [{"id": "twice", "withheld": "repaired"}, {"id": "twice", "withheld": "minor"}, {"id": "then ended", "withheld": "withdrawn", "page": 1}, {"id": "then ended", **ended}]}  # fmt: skip
        staged(path, catalogue, together(rows, twice))
        published(empty, catalogue, {})
    with module.attached(empty, empty, path, DAY, ["twice", "nobody has it"]) as connection:
        gone = dict(connection.all("SELECT id, reason FROM temp.withheld WHERE id IN ('twice', 'nobody has it')"))
        yield "what people withdrew", gone, {"twice": "withdrawn", "nobody has it": "withdrawn"}
    with module.attached(empty, empty, path, DAY) as connection:
        said = dict(connection.all("SELECT id, reason FROM temp.withheld"))
    yield (
        "withheld",
        said,
        {"twice": "minor", "then ended": "withdrawn", **{what: reason for what, (_, _, reason) in SAID.items() if reason}},
    )


def the_rest(module: Any, catalogue: Catalogue, folder: Path) -> Iterator[tuple[str, Any, Any]]:
    for text, right in ((None, None), ("", None), ("启明", 1.0), ("補習班", 1.0), ("abc", 0.0), ("启a", 0.5), ("鍚槑", 0.5)):
        yield f"han {text}", module.han(text), right
    read = "杭州市西湖区启明艺术培训中心有限公司未经批准增加教学点".encode().decode("gbk", "replace")
    yield "the wrong encoding", module.han(read) < 0.4, True
    parts = {("s", "notices", "a"): {("rows", "now"): 1.0}, ("s", "notices", "b"): {("rows", "now"): 2.0, ("kept", ""): 1.0}}
    parts |= {("s", "listings", "a"): {("rows", "now"): 4.0}, ("t", "notices", "a"): {("rows", "now"): 8.0}}
    ratings, note = catalogue.tables["ratings"], catalogue.tables["notices"].columns
    another = replace(ratings, columns={"title": note["title"], "document_id": note["document_id"], **ratings.columns})
    yield (
        "owners",
        [module.rows_of(t, catalogue, "main").owner for t in (another, ratings, catalogue.tables["permits"])],
        ["institutions"] * 3,
    )
    yield "total", module.total(parts, "s", "notices"), {("rows", "now"): 3.0, ("kept", ""): 1.0}
    yield "total of nothing", module.total(parts, "s", "ratings"), {}
    path = folder / "issues.db"
    if not path.is_file():
        issue = {
            "source": "s",
            "listing": "notices",
            "file": "",
            "row": 0,
            "kind": "bad_value",
            "field": "x",
            "found": "",
            "expected": "",
            "count": 1,
        }
        several = [
            {},
            {"row": 1, "count": 2},
            {"field": "y"},
            {"kind": "screened"},
            {"page": 1, "count": 5},
            {"listing": "none", "page": 2},
            {"page": 3, "field": "z"},
        ]
        page = {"source": "s", "file": "", "identity": "", "ordinal": 0, "set_aside": 0, "generation": 0}
        pages = [{**page, "page": 2, "listing": "none", "records": 0}, {**page, "page": 3, "listing": "notices", "records": 20}]
        staged(path, catalogue, {"pages": pages, "issues": [{**issue, **more} for more in several]})
    yield (
        "unread",
        module.unread(path),
        {"s/notices bad_value x": 0.1, "s/notices bad_value y": 0.033333, "s/notices bad_value z": 0.033333},
    )
    here: dict[str, list[Row]] = {
        "institutions": [{"id": str(n), "region_code": "a", "absent_since": "x" if n < 3 else None} for n in range(10)]
    }
    with beside(
        catalogue,
        {},
        together(here, {"institutions": [{"id": "b", "region_code": "b"}, {"id": "c", "region_code": "a", "source_id": "t"}]}),
    ) as connection:
        for table, right in (("institutions", {("rows", "before"): 10, ("kept", ""): 7}), ("ratings", {})):
            yield f"since the last: {table}", module.since_the_last(connection, catalogue, ("s", table, "a")), right


def test_each_count_counts_what_it_says(catalogue: Catalogue, tmp_path: Path) -> None:
    for asked, said, right in outcomes(measure, catalogue, made(tmp_path, catalogue), tmp_path):
        assert said == right, asked
