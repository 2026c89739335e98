"""The forms in which rows are given away: the release's downloads are written with these, and so is what the site exports on request.

`FORMS` says what there is, and loads no library. `write` takes rows as a database gives them, with their columns as declared; nothing here knows where
rows come from, which of them may be shown, or under which name a file is served. All forms of the same rows say the same, cell by cell: text forms have
codes, numbers (flags as 0 and 1) and dates as mingbai.db has them; typed ones say of a day that it is one.
"""

from collections.abc import Iterable, Sequence

from ..dataset import Column
from .form import FORMS, PACKINGS, Form, Packing, Page, Target

__all__ = ["FORMS", "PACKINGS", "Form", "Packing", "Page", "Target", "write"]


def write(form: str, columns: Sequence[Column], batches: Iterable[Sequence[Sequence[object]]], target: Target, title: str = "data") -> int:
    """Write rows, which come in batches of some thousands, to a file that is open for writing; returns how many there were. Memory holds one batch.

    `title` names the sheet of a workbook. Raises KeyError for a form that does not exist, ValueError for more rows than a sheet has.
    """
    from .arrow import batch  # a tenth of a second, which commands that write nothing need not wait for
    from .writers import writer

    made, number = writer(form, columns, target, title), 0
    for rows in batches:
        if rows:
            made.put(batch(columns, rows))
            number += len(rows)
    made.close()
    return number
