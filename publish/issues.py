"""Say in lines what a validation found: how many of each kind, in which field, with examples. For staff: examples can hold raw values."""

from collections.abc import Iterable, Iterator

from .batch import Batch, Issue


def summary(batches: Iterable[Batch], examples: int) -> Iterator[str]:
    """The number of records, then a line for each kind of issue and field, the most frequent first, and its examples below it."""
    records = aside = 0
    counts: dict[tuple[str, str, str], int] = {}
    shown: dict[tuple[str, str, str], list[Issue]] = {}
    for batch in batches:
        records, aside = records + batch.records, aside + batch.set_aside
        for issue in batch.issues:
            key = (issue.listing, issue.kind, issue.field)
            counts[key] = counts.get(key, 0) + issue.count
            if len(kept := shown.setdefault(key, [])) < examples:
                kept.append(issue)
    yield f"{records:,} records, {aside:,} set aside"
    for (listing, kind, field), count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        yield f"{listing}: {kind} {field}: {count:,}".replace(" :", ":")
        for issue in shown[(listing, kind, field)]:
            yield f"  {issue.file}, row {issue.row}: {issue.found or '-'}; expected {issue.expected or 'none'}"
