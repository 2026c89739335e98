"""What comes back with a region that is held or is held no longer, what does not, and how it is counted: one row for each thing that can be."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from byhand import DAY, Row, published, staged
from publish import hold, measure
from publish.assembled import Assembled
from publish.catalogue import Catalogue
from publish.review import Held
from publish.tables import Working

HELD, EASED, OTHER, RATED = "330106", "330108", "330109", "330105"  # counties; of the last the ratings alone are held
TURNED, SPOILT, ACTIVE, LOST, DISPUTED = (
    "330110",
    "330111",
    "330112",
    "330113",
    "330114",
)  # held: of the first two most notices turned, but of the others few
BEFORE = "2026-11-01"
PLACES = (
    *((table, HELD) for table in ("institutions", "listings", "notices")),
    ("ratings", RATED),
    ("institutions", "某区"),
    *(("notices", county) for county in (TURNED, SPOILT, ACTIVE, LOST, DISPUTED)),
)
NO_MORE = {("s", table, EASED) for table in ("institutions", "listings", "notices")} | {("s", "institutions", HELD)}
ACCOUNTING = {  # as the candidate says it, and what is right when the hold is done
    "institutions": ({"records": 9, "published": 5, "duplicate": 0}, {"records": 9, "published": 0, "held_back": 5, "kept_held": 7}),
    "listings": ({"records": 9, "published": 9}, {"records": 9, "published": 6, "held_back": 3, "kept_absent": 1, "kept_held": 4}),
    "notices": ({"records": 40, "published": 40, "kept_absent": 1}, {"records": 40, "published": 6, "held_back": 34, "kept_absent": 1, "kept_held": 37}),
    "ratings": ({"records": 0, "published": 9, "duplicate": 1}, {"records": 0, "published": 4, "duplicate": 1, "held_back": 5, "kept_held": 5}),
}  # fmt: skip

# as it was live, as the candidate has it, as it is published; None: not there.
INSTITUTIONS: dict[str, tuple[Row | None, Row | None, Row | None]] = {
    "gone": ({"region_code": HELD, "address": "live"}, None, {"region_code": HELD, "address": "live"}),
    "changed": ({"region_code": HELD, "address": "live", "document_id": "moved"}, {"region_code": HELD, "address": "new", "document_id": "moved"}, {"region_code": HELD, "address": "live", "document_id": "KEPT"}),
    "missed": ({"region_code": HELD}, {"region_code": HELD, "absent_since": DAY}, {"region_code": HELD}),
    "was missed": ({"region_code": HELD, "absent_since": BEFORE}, None, {"region_code": HELD, "absent_since": BEFORE}),
    "new": (None, {"region_code": HELD}, None),
    "moved out": ({"region_code": HELD}, {"region_code": OTHER}, {"region_code": HELD}),
    "moved in": ({"region_code": OTHER}, {"region_code": HELD}, {"region_code": OTHER}),
    "of no code": ({"region_text": "某区", "address": "live"}, {"region_text": "某区"}, {"region_text": "某区", "address": "live"}),
    "of another source": ({"region_code": HELD, "source_id": "t"}, {"region_code": HELD, "source_id": "t", "address": "new"}, {"region_code": HELD, "source_id": "t", "address": "new"}),
    "elsewhere": ({"region_code": OTHER}, {"region_code": OTHER, "address": "new"}, {"region_code": OTHER, "address": "new"}),
    "gone elsewhere": ({"region_code": OTHER}, None, None),
    "missed elsewhere": ({"region_code": OTHER}, {"region_code": OTHER, "absent_since": DAY}, {"region_code": OTHER, "absent_since": DAY}),
    "new elsewhere": (None, {"region_code": OTHER}, {"region_code": OTHER}),
    "still gone": ({"region_code": EASED, "address": "live"}, None, {"region_code": EASED, "address": "live", "absent_since": DAY}),
    "gone for good": ({"region_code": EASED, "absent_since": BEFORE}, None, None),
    "back": ({"region_code": EASED}, {"region_code": EASED, "address": "new"}, {"region_code": EASED, "address": "new"}),
    "rated": ({"region_code": RATED}, {"region_code": RATED, "address": "new"}, {"region_code": RATED, "address": "new"}),
}  # fmt: skip


def listed(institution: str, region: str, **more: Any) -> Row:
    return {"institution_id": f"i {institution}", "region_code": region, **more}


LISTINGS: dict[str, tuple[Row | None, Row | None, Row | None]] = {
    "gone": (listed("elsewhere", HELD), None, listed("elsewhere", HELD)),
    "of gone": (listed("gone", OTHER), None, listed("gone", OTHER)),
    "of gone that was missed": (listed("gone", OTHER, absent_since=BEFORE), None, listed("gone", OTHER, absent_since=BEFORE)),
    "of gone and there": (listed("gone", OTHER), listed("gone", OTHER, authority="new"), listed("gone", OTHER, authority="new")),
    "of changed": (listed("changed", OTHER), None, None),
    "of still gone": (listed("still gone", OTHER), None, listed("still gone", OTHER, absent_since=DAY)),
    "of back": (listed("back", OTHER), None, listed("back", OTHER, absent_since=DAY)),
    "of eased": (listed("elsewhere", EASED), None, listed("elsewhere", EASED, absent_since=DAY)),
    "of eased that was missed": (listed("elsewhere", EASED, absent_since=BEFORE), None, None),
    "of elsewhere": (listed("elsewhere", OTHER), None, None),
    "of nobody": (listed("gone elsewhere", HELD), None, None),
    "of new": (None, listed("new", OTHER), None),
    "of new too": (None, listed("new", OTHER), None),
    "of new that was missed": (None, listed("new", OTHER, absent_since=DAY), None),
    "ended": (listed("gone", HELD, list="black", listed_on="2020-01-01"), None, None),
    "withheld": (listed("gone", HELD, list="black"), None, None),
    "new": (None, listed("elsewhere", HELD), None),
    "missed": (listed("elsewhere", HELD), listed("elsewhere", HELD, absent_since=DAY), listed("elsewhere", HELD)),
    "missed elsewhere": (listed("elsewhere", OTHER), listed("elsewhere", OTHER, absent_since=DAY), listed("elsewhere", OTHER, absent_since=DAY)),
}  # fmt: skip
NOTICES: dict[str, tuple[Row | None, Row | None, Row | None]] = {
    "gone": ({"region_code": HELD, "document_id": "live"}, None, {"region_code": HELD, "document_id": "live"}),
    "about gone": ({"region_code": HELD, "subject_name": "i gone机构"}, None, {"region_code": HELD, "subject_name": "i gone机构"}),
    "changed": ({"region_code": HELD, "facts": "live", "document_id": "same"}, {"region_code": HELD, "facts": "new", "document_id": "same"}, {"region_code": HELD, "facts": "live", "document_id": "same"}),
    "of another day": ({"region_code": HELD, "document_id": "moved"}, {"region_code": HELD, "document_id": "moved"}, {"region_code": HELD, "document_id": "KEPT"}),
    "of another day too": ({"region_code": HELD, "document_id": "moved too"}, {"region_code": HELD, "document_id": "moved too"}, {"region_code": HELD, "document_id": "KEPT"}),
    "of another day elsewhere": ({"region_code": OTHER, "document_id": "moved"}, {"region_code": OTHER, "document_id": "moved"}, {"region_code": OTHER, "document_id": "moved"}),
    "withdrawn": ({"region_code": HELD}, None, None),
    "ended": ({"region_code": HELD, "public_until": BEFORE}, None, None),
    "ends today": ({"region_code": HELD, "public_until": DAY}, None, {"region_code": HELD, "public_until": DAY}),
    "new": (None, {"region_code": HELD, "document_id": "new"}, None),
    "still gone": ({"region_code": EASED, "document_id": "eased"}, None, {"region_code": EASED, "absent_since": DAY, "document_id": "eased"}),
    "elsewhere": (None, {"region_code": OTHER, "document_id": "there"}, {"region_code": OTHER, "document_id": "there"}),
    "disputed": ({"region_code": HELD, "facts": "live"}, {"region_code": HELD, "facts": "new", "state": "disputed"}, {"region_code": HELD, "facts": "live", "state": "disputed"}),
    "corrected": ({"region_code": HELD, "facts": "live"}, {"region_code": HELD, "facts": "new", "state": "corrected"}, None),
    "corrected and withdrawn": ({"region_code": HELD}, {"region_code": HELD, "state": "corrected"}, None),
    "corrected before": ({"region_code": HELD, "facts": "live", "state": "corrected"}, {"region_code": HELD, "facts": "live", "state": "corrected", "absent_since": DAY}, {"region_code": HELD, "facts": "live", "state": "corrected"}),
    "corrected once more": ({"region_code": HELD, "facts": "live", "state": "corrected"}, {"region_code": HELD, "facts": "new", "state": "corrected"}, None),
    "corrected once more in a fine": ({"region_code": HELD, "fine_fen": 1, "state": "corrected"}, {"region_code": HELD, "fine_fen": 2, "state": "corrected"}, None),
    "corrected once more and moved out": ({"region_code": HELD, "state": "corrected"}, {"region_code": OTHER, "state": "corrected"}, None),
    "corrected once more elsewhere": ({"region_code": OTHER, "facts": "live", "state": "corrected"}, {"region_code": OTHER, "facts": "new", "state": "corrected"}, {"region_code": OTHER, "facts": "new", "state": "corrected"}),
    "corrected and moved out": ({"region_code": HELD}, {"region_code": OTHER, "state": "corrected"}, None),
    "disputed and moved in": ({"region_code": OTHER}, {"region_code": HELD, "state": "disputed"}, {"region_code": OTHER, "state": "disputed"}),
    "corrected elsewhere": ({"region_code": OTHER, "facts": "live"}, {"region_code": OTHER, "facts": "new", "state": "corrected"}, {"region_code": OTHER, "facts": "new", "state": "corrected"}),
    **{f"disputed elsewhere {n}": ({"region_code": OTHER}, {"region_code": OTHER, "state": "disputed"}, {"region_code": OTHER, "state": "disputed"}) for n in range(4)},
    **{f"one of many {state} {n}": ({"region_code": TURNED}, {"region_code": TURNED, "state": state}, {"region_code": TURNED}) for state in ("disputed", "corrected") for n in range(2)},
    **{f"one of many corrected before {n}": ({"region_code": SPOILT, "facts": "live", "state": "corrected"}, {"region_code": SPOILT, "facts": "new", "state": "corrected"}, {"region_code": SPOILT, "facts": "live", "state": "corrected"}) for n in range(4)},
    **{f"disputed no more {n}": ({"region_code": ACTIVE, "state": "disputed"}, {"region_code": ACTIVE, "state": "active"}, {"region_code": ACTIVE, "state": "disputed"}) for n in range(4)},
    **{f"disputed before {n}": ({"region_code": DISPUTED, "facts": "live", "state": "disputed"}, {"region_code": DISPUTED, "facts": "new", "state": "disputed"}, {"region_code": DISPUTED, "facts": "live", "state": "disputed"}) for n in range(4)},
    "disputed beside those": ({"region_code": DISPUTED}, {"region_code": DISPUTED, "state": "disputed"}, {"region_code": DISPUTED, "state": "disputed"}),
    "disputed beside them": ({"region_code": ACTIVE}, {"region_code": ACTIVE, "state": "disputed"}, {"region_code": ACTIVE, "state": "disputed"}),
    **{f"disputed among the lost {n}": ({"region_code": LOST}, {"region_code": LOST, "state": "disputed"}, {"region_code": LOST, "state": "disputed"}) for n in range(4)},
    **{f"lost {n}": ({"region_code": LOST}, None, {"region_code": LOST}) for n in range(6)},
}  # fmt: skip
# institution, month: the mean as it was, as the candidate has it, as it is published
RATINGS: dict[tuple[str, str], tuple[float | None, float | None, float | None]] = {
    ("gone", "2026-09"): (1, None, 1),
    ("changed", "2026-09"): (1, 2, 1),
    ("changed", "2026-08"): (None, 2, None),
    ("changed", "2026-11"): (1, None, None),  # of a month that is not over
    ("still gone", "2026-09"): (1, None, 1),
    ("rated", "2026-09"): (1, 2, 1),
    ("elsewhere", "2026-09"): (1, 2, 2),
    ("back", "2026-09"): (1, 2, 2),
    ("new", "2026-09"): (None, 2, None),
    ("moved in", "2026-09"): (1, 2, 1),
}
PARTS = {  # permits by institution: as they were, as the candidate has them, as they are published
    "gone": (["1"], [], ["1"]),
    "changed": (["1", "2"], ["2", "3"], ["1", "2"]),
    "elsewhere": (["1"], ["2"], ["2"]),
    "new": ([], ["1"], []),
    "still gone": (["1"], [], ["1"]),
}
DOCUMENTS: dict[str, tuple[str | None, str | None, str | None]] = {  # the day that each is of
    "live": (BEFORE, None, BEFORE),
    "same": (BEFORE, BEFORE, BEFORE),
    "moved": (BEFORE, DAY, DAY),
    "moved too": (BEFORE, DAY, None),
    "eased": (BEFORE, None, BEFORE),
    "not named": (BEFORE, None, None),
    "new": (None, DAY, None),
    "there": (None, DAY, DAY),
}
COLUMNS = {
    "institutions": ("region_code", "region_text", "source_id", "address", "document_id", "absent_since"),
    "listings": ("institution_id", "region_code", "list", "listed_on", "authority", "absent_since"),
    "notices": ("region_code", "subject_name", "facts", "state", "public_until", "document_id", "absent_since"),
}
TABLES = {"institutions": INSTITUTIONS, "listings": LISTINGS, "notices": NOTICES}


def side(number: int) -> dict[str, list[Row]]:
    """The rows as they were (0) or as the candidate has them (1)."""
    rows: dict[str, list[Row]] = {
        table: [{"id": f"{table[0]} {name}", **row} for name, sides in found.items() if (row := sides[number])]
        for table, found in TABLES.items()
    }
    rows["ratings"] = [{"institution_id": f"i {name}", "month": month, "mean_rating": sides[number]} for (name, month), sides in RATINGS.items() if sides[number]]  # fmt: skip
    rows["permits"] = [{"institution_id": f"i {name}", "permit_no": permit} for name, sides in PARTS.items() for permit in sides[number]]
    rows["documents"] = [{"id": name, "title": name, "as_of": sides[number]} for name, sides in DOCUMENTS.items() if sides[number]]
    if number:
        rows["institution_sites"] = [{"institution_id": "i changed", "address": "new"}]
        rows["notice_links"] = [{"notice_id": "n new", "institution_id": "i new", "method": "permit_no", "confidence": 1.0}]
    return rows


def made(folder: Path, catalogue: Catalogue) -> tuple[Path, Path, Path]:
    """The candidate, the live release, which knows no sites, no organisers and no legal basis, and the staging file."""
    said: dict[str, list[Row]] = {
        "notices": [{"id": id, "withheld": "withdrawn"} for id in ("n withdrawn", "n corrected and withdrawn", "l withheld")]
    }
    live = published(folder / "live.db", catalogue, side(0), ["institution_sites", "institutions.organiser", "notices.legal_basis"])
    return published(folder / "public.db", catalogue, side(1)), live, staged(folder / "private.db", catalogue, said)


def outcomes(module: Any, catalogue: Catalogue, sides: tuple[Path, Path, Path], folder: Path) -> Iterator[tuple[str, Any, Any]]:
    """(what is asked, what `module` did, what is right) of everything that holding does."""
    candidate = Path(shutil.copyfile(sides[0], folder / "candidate.db"))
    before = Assembled(candidate, DAY, {name: first for name, (first, _) in ACCOUNTING.items()}, {}, {}, {}, None)
    held = [Held("s", table, where, BEFORE, "partition_lost") for table, where in PLACES]
    with measure.attached(candidate, *sides[1:], DAY) as connection:
        for what, places, were in (("nothing is held", [], set()), ("nothing is held and nothing was", (), ())):
            yield what, module.hold(connection, before, catalogue, places, were) is before, True
        made = module.hold(connection, before, catalogue, held, NO_MORE)
    yield "it is written down whole", (folder / "candidate.db-journal").exists(), False
    with closing(Working(str(candidate))) as connection:
        yield from _rows(module, connection)
        yield "held partitions", connection.all("SELECT * FROM held_partitions"), sorted(("s", table, where, BEFORE, "partition_lost") for table, where in PLACES)  # fmt: skip
        yield (
            "links",
            connection.all("SELECT notice_id, institution_id, method FROM notice_links"),
            [("n about gone", "i gone", "exact_name_in_county")],
        )
        counted = {table: connection.one(f'SELECT count(*) FROM "{table}"') for table in catalogue.tables}
        yield "counts", made.tables, counted
    yield "the next end", made.next_expiry, DAY
    yield "accounting", made.accounting, {name: right for name, (_, right) in ACCOUNTING.items()}
    candidate = Path(shutil.copyfile(sides[0], folder / "candidate.db"))
    with measure.attached(candidate, *sides[1:], DAY) as connection:
        module.hold(connection, before, catalogue, [], NO_MORE)
        yield (
            "what is let go alone",
            connection.all("SELECT id FROM institutions WHERE id IN ('i still gone', 'i gone', 'i was missed')"),
            [("i gone",), ("i still gone",)],
        )
    candidate = Path(shutil.copyfile(sides[0], folder / "candidate.db"))
    turned = replace(catalogue, tables=dict(reversed(catalogue.tables.items())))
    with measure.attached(candidate, *sides[1:], DAY) as connection:
        module.hold(connection, before, turned, held, ())
        yield "what is held alone", connection.all("SELECT id FROM institutions WHERE id IN ('i still gone', 'i gone')"), [("i gone",)]
        yield "in whatever order tables are declared", connection.all("SELECT id FROM listings WHERE id = 'l of gone'"), [("l of gone",)]


def _rows(module: Any, connection: Working) -> Iterator[tuple[str, Any, Any]]:
    kept = {title: (id, as_of) for id, title, as_of in connection.all("SELECT id, title, as_of FROM documents WHERE id LIKE 'd-%'")}
    yield (
        "a document of another day is kept beside the new one",
        {title: day for title, (_, day) in kept.items()},
        {"moved": BEFORE, "moved too": BEFORE},
    )
    for table, found in TABLES.items():
        columns = COLUMNS[table]
        there = {
            row[0][2:]: dict(zip(columns, row[1:], strict=True)) for row in connection.all(f"SELECT id, {', '.join(columns)} FROM {table}")
        }
        for name, (_, _, right) in found.items():
            usual = {
                "source_id": "s",
                "list": "white",
                "listed_on": "2026-10-01",
                "public_until": "2027-10-20",
                "subject_name": f"n {name}机构",
            }
            whole = None if right is None else {c: {**usual, **right}.get(c) for c in columns}
            if whole and whole.get("document_id") == "KEPT":
                whole["document_id"] = kept.get("moved too" if name.endswith("too") else "moved", ("",))[0]
            yield f"{table}: {name}", there.pop(name, None), whole
        yield f"{table}: no others", there, {}
    ratings = {(name[2:], month): mean for name, month, mean in connection.all("SELECT institution_id, month, mean_rating FROM ratings")}
    yield "ratings", ratings, {key: right for key, (_, _, right) in RATINGS.items() if right}
    permits = connection.all("SELECT institution_id, permit_no FROM permits ORDER BY 1, 2")
    yield "permits", permits, sorted((f"i {name}", permit) for name, (_, _, right) in PARTS.items() for permit in right)
    yield "parts that are new", connection.all("SELECT * FROM institution_sites"), []
    documents = connection.all("SELECT id, as_of FROM documents WHERE id NOT LIKE 'd-%' ORDER BY id")
    yield "documents", documents, sorted((name, day) for name, (_, _, day) in DOCUMENTS.items() if day)


def test_what_is_held_comes_back_and_nothing_else(catalogue: Catalogue, tmp_path: Path) -> None:
    for asked, said, right in outcomes(hold, catalogue, made(tmp_path, catalogue), tmp_path):
        assert said == right, asked
