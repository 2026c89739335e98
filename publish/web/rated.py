"""The ratings of one institution, added up over its months, with how far chance alone may have moved their mean. Nothing is ranked (rule 10).

The interval is Wilson's for a share, on the scale from 1 to its top made one from 0 to 1: ratings whose mean is p differ by p(1 - p) at most,
so it is never narrower than their own spread asks for. It stays within the scale, and ten ratings that are all the same do not make a mean that is certain.
"""

from math import sqrt

import orjson

from . import queries
from .reader import Reader, Row

Z = 1.96  # 95 %


def ratings(reader: Reader, id: str) -> list[Row]:
    """Per dimension and scale: the months, the number of ratings, how many of each score, mean and interval, and the source. Suppressed months are counted, not opened."""
    groups: dict[tuple[str, int], Row] = {}
    for month in reader.rows(queries.RATINGS, id):
        key = (month["dimension"], month["scale_max"])
        start = {"dimension": key[0], "scale_max": key[1], "count": 0, "histogram": [0] * key[1], "from_month": None, "to_month": None}
        group = groups.setdefault(key, {**start, "months": 0, "suppressed_months": 0, **_source(reader, month["source_id"])})
        if month["is_suppressed"] or not month["histogram"]:
            group["suppressed_months"] += 1
            continue
        group["months"] += 1
        group["count"] += month["rating_count"]
        group["histogram"] = [a + b for a, b in zip(group["histogram"], orjson.loads(month["histogram"]), strict=True)]
        group["from_month"] = group["from_month"] or month["month"]
        group["to_month"] = month["month"]
    for group in groups.values():
        total = sum(score * n for score, n in enumerate(group["histogram"], 1))
        group["mean"] = round(total / group["count"], 2) if group["count"] else None
        group["interval"] = interval(total / group["count"], group["count"], group["scale_max"]) if group["count"] else None
    return list(groups.values())


def interval(mean: float, count: int, top: int) -> list[float] | None:
    """The two ends of the interval of 95 % around the mean of `count` ratings from 1 to `top`; None on a scale of one score."""
    if top < 2:
        return None
    share, square = (mean - 1) / (top - 1), Z * Z
    middle = share + square / (2 * count)
    half = Z * sqrt(max(share * (1 - share), 0) / count + square / (4 * count * count))
    return [round(1 + (top - 1) * end / (1 + square / count), 2) for end in (middle - half, middle + half)]


def _source(reader: Reader, id: str | None) -> Row:
    """The source as a row's provenance has it: ratings are of no document."""
    found = next((source for source in reader.sources if source["id"] == id), {"label_zh": None, "label_en": None, "as_of": None})
    return {
        "source_id": id, "source_zh": found["label_zh"], "source_en": found["label_en"], "document_title": None, "document_url": None, "document_as_of": found["as_of"],
    }  # fmt: skip
