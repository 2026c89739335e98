"""Would the direct tests of the gate's SQL notice if one thing in it were wrong? Each thing is made wrong once, in SQL and in Python."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import test_hold
import test_measure
import test_restore
from mutants import everywhere, over, sql_changes
from publish.catalogue import Catalogue

# The cases of each module, and what they cannot notice, with why.
TABLES: dict[str, tuple[ModuleType, dict[str, str]]] = {
    "measure.py": (test_measure, {
        "_side: c.kind == 'credit_code' and f'{c.name}_text' in self.known, without c.kind == 'credit_code'": "no other column has one of its name with _text",
        "unread: connection.close(), left out": "it goes when nobody has it any more",
    }),
    "hold.py": (test_hold, {
        "keep_by_institution: table.prefix or table.parent or (not up), without not up": "the only table without ids that is no part is ratings",
        "documents: WHERE {ours}, left out": "a document more is copied, and goes in the end as one that nothing names",
        "documents: WHERE id IN ({wanted}), left out": "likewise",
        "documents: WHERE o.id IN ({wanted}), left out": "likewise",
    }),
    "restore.py": (test_restore, {
        "_without: WHERE type = 'table', left out": "no index has the name of a table",
        "_take_out_notices: WHERE id IN (SELECT id FROM better), left out": "a document more goes in the end, and one that is there stays",
    }),
}  # fmt: skip
PARTS = {"measure.py": ("partitions.py",)}  # what a module is written over: wrong there, it says something wrong
LEAST = 80  # places in a module: fewer, and they are no longer found


def notices(outcomes: Callable[..., Any], module: Callable[[], ModuleType], *given: Any) -> bool:
    """Whether some case says something else of a module, or it breaks."""
    try:
        return any(said != right for _, said, right in outcomes(module(), *given))
    except Exception:
        return True


@pytest.mark.timeout(300)
@pytest.mark.parametrize("file", TABLES)
def test_one_thing_that_is_wrong_in_the_sql_of_the_gate_is_noticed(
    file: str, catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    table, the_same = TABLES[file]
    given = (catalogue, table.made(tmp_path_factory.mktemp("sides"), catalogue), tmp_path)
    wrong = [(mutant.what, mutant.module) for mutant in everywhere(file)]
    wrong += [(mutant.what, partial(over, file, part, mutant)) for part in PARTS.get(file, ()) for mutant in everywhere(part)]
    missed = {what for what, module in wrong if not notices(table.outcomes, module, *given)}
    assert missed == the_same.keys()
    assert len(wrong) >= LEAST


@pytest.mark.parametrize(
    ("sql", "wrong"),
    [
        ("a IS NULL", {"a IS NOT NULL"}),
        ("a IS NOT b", {"a IS b"}),
        ("x >= :day", {"x < :day"}),
        ("WHERE a = 1 AND (b < 2 OR c) ORDER BY d", {
            "WHERE a <> 1 AND (b < 2 OR c) ORDER BY d", "WHERE a = 1 AND (b >= 2 OR c) ORDER BY d", "WHERE 1 AND (b < 2 OR c) ORDER BY d",
            "WHERE a = 1 AND 1 ORDER BY d", "WHERE a = 1 AND (b < 2 OR 0 ) ORDER BY d",
        }),
        ("a AND NOT EXISTS (SELECT 1 FROM t)", {"a AND EXISTS (SELECT 1 FROM t)", "1 AND NOT EXISTS (SELECT 1 FROM t)", "a AND 1"}),
        ("INSERT OR IGNORE INTO t SELECT id IN (1)", {"INSERT INTO t SELECT id IN (1)", "INSERT OR IGNORE INTO t SELECT id NOT IN (1)"}),
    ],
)  # fmt: skip
def test_sql_is_made_wrong_in_each_place(sql: str, wrong: set[str]) -> None:
    assert {" ".join(changed.split()) for _, changed in sql_changes(sql)} == wrong
