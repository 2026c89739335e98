"""A timeline of numbers as bars: where each stands and how high it is. The page draws them as SVG without a script, with the same numbers in a table.

Up to MOST releases, or months, have a bar each. Of more releases each month has one: what changed in it is added up, what there was is as at its end. More months are added up by year.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .reader import Row

MOST = 60
FEW = 12  # bars from which on they stand close: three releases are no three walls
STEP, HEIGHT, LEAST = 10, 100, 1.5
KINDS = ("add", "change", "remove")  # from the ground up
LEVEL = "level"


@dataclass
class Bar:
    """`label` is the id of a release, a month or a year; `first` and `last` are the numbers of its releases, where it has any."""

    label: str
    first: int = 0
    last: int = 0
    is_pipeline: bool = False
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True)
class Plot:
    """`boxes` are x, y, width, height and kind; `highest` is the number of the highest bar."""

    bars: Sequence[Bar]
    boxes: Sequence[tuple[float, float, float, float, str]]
    width: int
    highest: int
    by_month: bool


def plot(counted: Iterable[Row], releases: Sequence[Row]) -> Plot:
    """The bars of these releases (number, id, day, is_pipeline) by a tally of changes."""
    by_month = len(releases) > MOST
    bars: dict[str, Bar] = {}
    of: dict[int, Bar] = {}
    for row in releases:
        label = row["day"][:7] if by_month else row["id"]
        bar = bars.setdefault(label, Bar(label, row["number"], row["number"]))
        bar.last = row["number"]
        bar.is_pipeline = bar.is_pipeline or bool(row["is_pipeline"])
        of[row["number"]] = bar
    for row in counted:
        if row["release"] in of and row["kind"] in KINDS:
            of[row["release"]].counts[row["kind"]] += row["rows"]
    return _drawn(list(bars.values()), by_month)


def by_time(counts: Mapping[str, int], *, everywhere: bool = False) -> Plot:
    """The bars of numbers by month (2026-11) from the first to the last one, also where there is nothing; by year where these are too many.

    What has only a year is in that year's number; by month it stands by itself at its year's beginning, or in each of its months where it counts
    `everywhere`, as a search for the month finds it.
    """
    months = sorted(label for label in counts if len(label) == 7)
    years = {label: n for label, n in counts.items() if len(label) == 4}
    start, end = (int(month[:4]) * 12 + int(month[5:]) - 1 for month in (months[0], months[-1])) if months else (0, -1)
    if end - start + 1 + len(years) > MOST:
        first, last = int(min(counts)[:4]), int(max(counts)[:4])
        of_years = dict.fromkeys(
            (f"{year:04d}" for year in range(first, last + 1)) if last - first < MOST else sorted(label[:4] for label in counts), 0
        )
        for label, n in counts.items():
            of_years[label[:4]] += n
        return _drawn([Bar(label, counts={LEVEL: n}) for label, n in of_years.items()], False)
    span = [f"{each // 12:04d}-{each % 12 + 1:02d}" for each in range(start, end + 1)]
    found = {month: counts.get(month, 0) + (years.get(month[:4], 0) if everywhere else 0) for month in span}
    met = {month[:4] for month in span} if everywhere else set()
    found |= {year: n for year, n in years.items() if year not in met}
    return _drawn([Bar(label, counts={LEVEL: found[label]}) for label in sorted(found)], True)


def levels(rows: Sequence[tuple[str, str, int]]) -> Plot:
    """The bars of how many there were in releases, oldest first: id, day and number."""
    by_month = len(rows) > MOST
    bars = {}
    for place, (id, day, number) in enumerate(rows):
        label = day[:7] if by_month else id
        bars[label] = Bar(label, place, place, counts={LEVEL: number})
    return _drawn(list(bars.values()), by_month)


def _drawn(bars: Sequence[Bar], by_month: bool) -> Plot:
    highest = max((bar.total for bar in bars), default=0)
    boxes = []
    wide = round(STEP * 0.8 * min(1, len(bars) / FEW), 2)
    for place, bar in enumerate(bars):
        y = float(HEIGHT)
        for kind, number in bar.counts.items():
            if number:
                high = max(LEAST, round(number / highest * (HEIGHT - LEAST * 2), 2))
                y -= high
                boxes.append((round(place * STEP + (STEP - wide) / 2, 2), round(y, 2), wide, high, kind))
    return Plot(bars, boxes, len(bars) * STEP, highest, by_month)
