"""An address as a QR code, to be printed: an SVG without a style, so that a page that allows none can have it.

It is drawn dark on white with a margin in either colour scheme, as readers need it. The mask is always the same: any is right, and to weigh all eight of them takes 6 of 8 ms.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby

import segno
from markupsafe import Markup

MASK = 3
QUIET = 4  # modules around it (ISO/IEC 18004)


@lru_cache(maxsize=1_000)
def qr(text: str, label: str) -> Markup:
    """The code of a text, and what it says to who cannot see it."""
    rows = segno.make_qr(text, error="m", mask=MASK).matrix
    size = len(rows) + 2 * QUIET
    dark = "".join(f"M{x + QUIET} {y + QUIET}h{n}v1h-{n}z" for y, row in enumerate(rows) for x, n in _runs(row))
    return Markup(
        '<svg class="qr" viewBox="0 0 {0} {0}" role="img" aria-label="{1}" shape-rendering="crispEdges"><rect width="{0}" height="{0}" fill="#fff"></rect><path d="{2}" fill="#000"></path></svg>'
    ).format(size, label, dark)


def _runs(row: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Where dark modules of a row begin, and how many there are."""
    at = 0
    for is_dark, cells in groupby(row):
        n = len(list(cells))
        if is_dark:
            yield at, n
        at += n
