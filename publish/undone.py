"""What only undoes a going back: rows that the release before it already had come again by our doing, and no source said them anew.

A release that went back (`mingbai live ID`) took out what later deliveries had brought. The next delivery brings it again, and would be told as
news from the source a second time. So what makes a row what it was in the release before the going back has the cause `pipeline`.
"""

from pathlib import Path

from .catalogue import Catalogue
from .home import to_read
from .tables import Working


def undone(connection: Working, catalogue: Catalogue, before: Path) -> None:
    """Settle the causes of main.changes that are `source`; `before` is the database of the release before the live one, which went back."""
    connection.execute("ATTACH ? AS was", [to_read(before)])
    for table in catalogue.tables.values():
        there = {row[1] for row in connection.execute(f'PRAGMA was.table_info("{table.name}")')}
        if not there or not connection.all("SELECT 1 FROM changes WHERE table_name = ? AND cause = 'source' LIMIT 1", [table.name]):
            continue
        key = " || ' ' || ".join(f'w."{column}"' for column in table.key)
        names = [column.name for column in table.published if column.name in there]
        quoted = ", ".join(f'w."{name}"' for name in names)
        connection.execute("CREATE TEMP TABLE touched AS SELECT DISTINCT key FROM changes WHERE table_name = ?", [table.name])
        connection.execute("CREATE UNIQUE INDEX temp.touched_by_key ON touched (key)")
        connection.execute(
            f'CREATE TEMP TABLE before AS SELECT {key} AS "the key", {quoted} FROM was."{table.name}" w WHERE {key} IN (SELECT key FROM temp.touched)'
        )
        connection.execute('CREATE UNIQUE INDEX temp.before_by_key ON before ("the key")')
        same = 'SELECT 1 FROM temp.before w WHERE w."the key" = changes.key'
        ours = "UPDATE changes SET cause = 'pipeline', effective_on = NULL, published_on = NULL WHERE table_name = ? AND cause = 'source'"
        connection.execute(f"{ours} AND kind = 'add' AND EXISTS ({same})", [table.name])
        connection.execute(f"{ours} AND kind = 'remove' AND NOT EXISTS ({same})", [table.name])
        for name in names:
            connection.execute(
                f"{ours} AND kind = 'change' AND field = ? AND EXISTS ({same} AND w.\"{name}\" IS after)", [table.name, name]
            )
        connection.execute("DROP TABLE temp.touched")
        connection.execute("DROP TABLE temp.before")
