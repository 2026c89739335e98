"""From a declared source to what the adapters need to know of it: addresses, field names and limits, and nothing about our columns."""

from collections.abc import Iterator
from pathlib import Path

from .snapshot import Page, Record
from .sourcefile import ListingDeclaration, SourceDeclaration
from .sources import Hear, ListingPlan, SourcePlan
from .sources.reading import records


def listing_plan(listing: ListingDeclaration) -> ListingPlan:
    """How to find and recognise a listing. Without a declared header, every field that is mapped must be there, but for optional ones."""
    fields = tuple(dict.fromkeys([*listing.key, *listing.fields, *sorted(listing.document.fields), *sorted(listing.ignore)]))
    return ListingPlan(
        name=listing.name,
        path=listing.path,
        sheet=listing.sheet,
        header=listing.header or tuple(dict.fromkeys([*listing.key, *(name for name in listing.fields if name not in listing.optional)])),
        encoding=listing.encoding,
        record_path=listing.record_path,
        form=listing.form,
        fields=fields,
        may_be_empty=listing.allow_empty,
        page_size=listing.page_size,
    )


def source_plan(source: SourceDeclaration, address: str, token: str | None = None, rate: float | None = None) -> SourcePlan:
    """How to fetch a source from `address`."""
    return SourcePlan(
        source.name,
        address,
        tuple(listing_plan(listing) for listing in source.listings.values()),
        token,
        rate=source.rate if rate is None else rate,
        page_size=source.page_size,
    )


def read(folder: Path, page: Page, listing: ListingDeclaration, hear: Hear) -> Iterator[Record]:
    """The records of one archived body of the snapshot in `folder`, by the code that reads a fresh one."""
    return records(folder / page.file, page.form, listing_plan(listing), hear)
