"""The floor that a run is measured against: NDJSON parsed with orjson, one `executemany` a table, one transaction. No check of anything."""

import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson


def rows(path: Path) -> Iterator[tuple[Any, ...]]:
    with open(path, "rb") as file:
        for line in file:
            record = orjson.loads(line)
            yield tuple(orjson.dumps(value).decode() if isinstance(value, list | dict) else value for value in record.values())


folder = Path(sys.argv[1])
connection = sqlite3.connect(folder / "floor.db", isolation_level=None)
connection.execute("BEGIN")
for path in sorted(folder.glob("*.ndjson")):
    with open(path, "rb") as file:
        names = ", ".join(f'"{name}"' for name in orjson.loads(file.readline()))
    connection.execute(f'CREATE TABLE "{path.stem}" ({names})')
    connection.executemany(f'INSERT INTO "{path.stem}" VALUES ({",".join("?" * len(names.split(",")))})', rows(path))
connection.execute("COMMIT")
