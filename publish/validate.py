"""From records as the source spells them to rows as we declare them, strictly.

Every field of every record is mapped, listed under `ignore`, or reported. One bad value is an Issue and the run goes on without it; a
record that lacks what it cannot do without is set aside whole, as an Issue too; a mapped field that a whole page has lost is a promise
broken by the source. Issues carry what was found only for the staff and never leave the private side. It does not know other pages, earlier
releases or a database: what depends on those is staging's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from .catalogue import Catalogue
from .errors import BadValue, SourceBroken
from .flat import Flat
from .identity import KEY_SEPARATOR, id_maker, key_text
from .mapping import Cell, Nested, Plan, Shape, plan
from .persons import hide_person, holds_person, masked_organiser
from .plans import read
from .rules import ORGANISATION, Row
from .screen import clear, screen
from .snapshot import Page, Snapshot
from .sourcefile import ListingDeclaration, SourceDeclaration
from .sources import Remark
from .unchanged import Earlier, before, fits, said
from .values import text

WIDE_PAGE = 20  # records from which a mapped field that none of them has counts as gone, where the form allows leaving fields out
SHOWN = 80  # characters of a bad value that an issue repeats
MAY_LEAVE_OUT = ("ndjson", "json")
EMPTY: tuple[object, ...] = (None, "", [], {})
NOTHING_LOST: frozenset[str] = frozenset()
TEXTS = frozenset((str, type(None)))  # types of raw values that can be told apart by their value: 1, 1.0 and True are one key

REMEMBERED = 8192  # documents, and texts that hold nothing personal: what repeats does so within a few pages
_screen = lru_cache(4096)(screen)  # authorities, registrars and banks repeat; longer memories cost more than they save


@dataclass(frozen=True)
class Issue:
    """One thing that is not as expected: where (source, listing, file, row), in which field, what kind, found and expected."""

    source: str
    listing: str
    file: str
    row: int
    kind: str
    field: str = ""
    found: str = ""
    expected: str = ""
    count: int = 1


@dataclass
class Batch:
    """What one page became: rows by table in the column order of the declaration, each with the record's row and why it is withheld."""

    rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)
    documents: dict[tuple[Any, ...], None] = field(default_factory=dict)  # each way that a document was shown, in the order met
    issues: list[Issue] = field(default_factory=list)
    records: int = 0
    set_aside: int = 0
    same: dict[int, int] = field(default_factory=dict)  # rows that are to the letter what a row of the earlier page is: its rows are theirs


def _shown(raw: object) -> str:
    shown = (raw if isinstance(raw, str) else repr(raw)).encode("utf-8", "replace").decode()
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}… ({len(shown)} characters)"


class Validator:
    """Reads the pages of one listing of one snapshot; it keeps memories of values, no rows."""

    def __init__(self, listing: ListingDeclaration, source: SourceDeclaration, catalogue: Catalogue, as_of: str | None) -> None:
        self.listing, self.source, self.as_of = listing, source, as_of
        self.plan: Plan = plan(listing, source, catalogue, as_of)
        self.mapped = frozenset(listing.fields) - listing.optional
        self.known = self.mapped | listing.optional | listing.ignore | frozenset(listing.key) | listing.document.fields
        self.flat = Flat(self.plan, source.name, self.mapped, self.known) if Flat.fits(self.plan) else None
        self.make_document_id = id_maker("d", source.name)
        self.document_ids = lru_cache(4096, typed=True)(self._document_id)  # a list of a county has hundreds of records
        self.documents: dict[tuple[Any, ...], tuple[Any, ...]] = {}  # rows of some, by how they are shown
        self.document_cells = tuple(self.plan.document.values())
        self.clear: set[str] = set()  # texts in which nothing is to be hidden
        self.file, self.batch = "", Batch()
        self.shown: set[str] = set()  # documents of this page that are in the batch as the source shows them

    def page(self, folder: Path, page: Page, earlier: Earlier | None = None) -> Batch:
        """The rows and issues of one page of the snapshot in `folder`, but for the rows of records that the `earlier` one has too.

        Raises SourceBroken when it cannot be read or the whole of it lacks a field that is mapped.
        """
        self.file, self.batch, self.shown = page.file, Batch(rows={self.plan.main.name: []}), set()
        batch, mapped, known = self.batch, self.mapped, self.known
        unknown: dict[str, tuple[int, int]] = {}
        missing: dict[str, tuple[int, int]] = {}
        records = read(folder, page, self.listing, self._hear)
        if self.flat is not None:
            several = list(records)
            rows = self.flat.rows([record for _, record in several], [number for number, _ in several])
            if rows is not None:
                batch.rows[self.plan.main.name] = rows
                batch.records += len(rows)
                return batch
            records = iter(several)
        known_before = before(earlier, self.listing) if earlier and page.form == "platform" and fits(self.plan) else {}
        for number, record in records:
            batch.records += 1
            if not isinstance(record, dict):
                self._set_aside(number, "an object with fields", _shown(record))
                continue
            names = record.keys()
            if not names <= known:
                _count(unknown, names - known, number)
            lost = NOTHING_LOST
            if not mapped <= names:
                lost = mapped - names
                _count(missing, lost, number)
            if known_before and (same := known_before.get(said(record))) is not None:
                batch.same[number] = same
                self._document(record, None)
            else:
                self._record(number, record, lost)
        for name, (first, count) in sorted(missing.items()):
            if count == batch.records and (page.form not in MAY_LEAVE_OUT or count >= WIDE_PAGE):
                found = f"; found instead: {', '.join(sorted(unknown))}" if unknown else ""
                raise SourceBroken(
                    f"{self.source.name}/{self.listing.name}, {page.file}: no record has the field {name!r}{found}; compare datasets/sources/{self.source.name}.yml with the source"
                )
            self._issue(first, "missing_field", name, count=count)
        for name, (first, count) in sorted(unknown.items()):
            self._issue(first, "unmapped_field", name, count=count)
        return batch

    def _hear(self, remark: Remark) -> None:
        if remark.is_row_lost:
            self.batch.records += 1
            self.batch.set_aside += 1
        self._issue(remark.row, remark.kind, remark.column or "", _shown(remark.text))

    def _record(self, number: int, record: Mapping[str, Any], lost: frozenset[str]) -> None:
        row: Row = {}
        unreadable = self._fill(row, self.plan.cells, record, number)
        if lost:
            unreadable += tuple(cell.column for cell in self.plan.cells if cell.key in lost)
        row |= self.plan.constants
        main = self.plan.main
        key = ""
        if main.make_id:
            parts = [*map(record.get, self.listing.key)]
            if all(map(EMPTY.__contains__, parts)):
                return self._set_aside(number, f"a value for {', '.join(self.listing.key)}")
            row["source_key"] = key = key_text(parts)
            row["id"] = main.make_id(key)
        for column in main.required:
            if row.get(column) is None:
                if main.fails_closed:  # it stands for its id, so that an earlier version of the record is not published in its place
                    held = {name: row[name] for name in ("id", "source_key")}
                    self.batch.rows[main.name].append((*map(held.get, main.columns), number, "unreadable"))
                    return self._issue(number, "set_aside", expected=f"a value for {column}")
                return self._set_aside(number, f"a value for {column}")
        if main.has_source:
            row["source_id"] = self.source.name
        named = row.get("subject_name")
        withheld = main.rule(row, unreadable) if main.rule else None
        if main.prefix:
            person = named if isinstance(named, str) and row.get("subject_kind") != ORGANISATION and "subject_kind" in row else None
            row["document_id"] = self._document(record, person)
        self._protect(main, row, number)
        self.batch.rows[main.name].append((*map(row.get, main.columns), number, withheld))
        if self.plan.nested or self.plan.beside or self.plan.constants_beside:
            self._parts(number, record, row, key)
        return None

    def _parts(self, number: int, record: Mapping[str, Any], main: Row, key: str) -> None:
        for nested in self.plan.nested:
            raw = record.get(nested.key)
            if raw not in EMPTY:
                for item in _items(raw, nested):
                    if not item.keys() <= nested.known:
                        for name in item.keys() - nested.known:
                            self._issue(number, "unmapped_field", f"{nested.key}.{name}".rstrip("."), _shown(item[name]))
                    part: Row = {}
                    self._fill(part, nested.cells, item, number)
                    self._part(nested.table, part, main, key, number)
        if not (self.plan.beside or self.plan.constants_beside):
            return
        beside = {table: dict(constants) for table, constants in self.plan.constants_beside.items()}
        for table, cells in self.plan.beside:
            part = beside.setdefault(table, {})
            constants = dict(part)
            self._fill(part, cells, record, number)
            part |= constants
        for table, part in beside.items():
            self._part(table, part, main, key, number)

    def _fill(self, row: Row, cells: tuple[Cell, ...], record: Mapping[str, Any], number: int) -> tuple[str, ...]:
        """Parse the cells of a record into a row. Returns the columns whose value was there and could not be read."""
        unreadable: tuple[str, ...] = ()
        get = record.get
        for key, name, parse, column, original, takes_list, known, most in cells:
            raw = get(key)
            if raw is None or raw == "":
                continue
            if type(raw) is str and (met := known.get(raw)):
                row[column], spelled = met
                if original is not None and row.get(original) is None:
                    row[original] = spelled
                continue
            try:
                if type(raw) is not str and isinstance(raw, (dict, list)) and not takes_list:
                    raise BadValue("expected one value")
                row[column] = value = parse(raw)
                if type(raw) is str and value is not None and len(known) < most:
                    known[raw] = value, _text(raw) if original is not None else None
            except BadValue as error:
                unreadable = (*unreadable, column)
                self._issue(number, "bad_value", name, _shown(raw), str(error).rpartition("expected ")[2])
            if original is not None and row.get(original) is None:
                row[original] = _text(raw)
        return unreadable

    def _part(self, table: str, part: Row, main: Row, key: str, number: int) -> None:
        shape = self.plan.shapes[table]
        if shape.upwards:
            part[shape.upwards] = main["id"]
        if shape.make_id:
            part |= {
                "id": shape.make_id(f"{self.listing.name}{KEY_SEPARATOR}{key}"),
                "source_key": key,
                "document_id": main.get("document_id"),
            }
        if shape.has_source:
            part["source_id"] = self.source.name
        for column in shape.required:
            if part.get(column) is None:
                return self._issue(number, "part_set_aside", f"{table}.{column}", expected="a value")
        withheld = shape.rule(part, ()) if shape.rule else None
        self._protect(shape, part, number)
        self.batch.rows.setdefault(table, []).append((*map(part.get, shape.columns), number, withheld))
        return None

    def _protect(self, shape: Shape, row: Row, number: int) -> None:
        """Take personal data out of every text that could be published (rule 8)."""
        for column in shape.masked:
            value = row.get(column)
            if isinstance(value, str):
                row[column] = masked_organiser(value)
        texts = {column: value for column in shape.screened if type(value := row.get(column)) is str and value not in self.clear}
        if not texts:
            return
        if row.get("credit_code") == texts.get("credit_code_text"):
            texts.pop("credit_code_text", None)  # what was read as a code is one
        if clear(texts.values()):
            if len(self.clear) > REMEMBERED:
                self.clear.clear()
            self.clear.update(texts.values())
            return
        for column, value in texts.items():
            if (screened := _screen(value)).findings:
                row[column] = screened.text
                for finding in screened.findings:
                    self._issue(number, "screened", column, expected=finding.kind, count=finding.count)

    def _document(self, record: Mapping[str, Any], person: str | None) -> str:
        """The id of the record's document, which joins the batch. `person` is a subject whose name is not published."""
        rule = self.listing.document
        named = [record.get(name) for name in rule.key]
        given = any(part not in EMPTY for part in named)
        try:
            identifier = self.document_ids(*(named if given else ()))
        except TypeError:  # a list or an object where a value should be
            identifier = self._document_id(*named)
        if person is None and identifier in self.shown:
            return identifier
        batch = self.batch
        shown_as = (identifier, *(record.get(cell.key) for cell in self.document_cells))
        plain = person is None and TEXTS.issuperset(map(type, shown_as))
        if plain and (known := self.documents.get(shown_as)):
            self.shown.add(identifier)
            batch.documents[known] = None
            return identifier
        issues = len(batch.issues)
        row: Row = {
            "title": rule.title,
            "url": self.source.url,
        }  # without a day of its own it is of the day that its listing is of: see assemble
        if given:
            self._fill(row, self.document_cells, record, 0)
        row |= {"id": identifier, "source_id": self.source.name, "kind": rule.kind}
        if person:
            row["title"] = hide_person(str(row["title"]), person) if row["title"] else None
            row["url"] = None if row["url"] and holds_person(str(row["url"]), person) else row["url"]
        else:
            self.shown.add(identifier)
        shape = self.plan.shapes["documents"]
        self._protect(shape, row, 0)
        made = (*map(row.get, shape.columns), 0, "person" if person else None)
        batch.documents[made] = None
        if plain and len(batch.issues) == issues and len(self.documents) < REMEMBERED:
            self.documents[shown_as] = made
        return identifier

    def _document_id(self, *named: object) -> str:
        return self.make_document_id(key_text([self.listing.document.kind, self.listing.name, *named]))

    def _set_aside(self, number: int, expected: str, found: str = "") -> None:
        self.batch.set_aside += 1
        self._issue(number, "set_aside", found=found, expected=expected)

    def _issue(self, row: int, kind: str, field: str = "", found: str = "", expected: str = "", count: int = 1) -> None:
        self.batch.issues.append(Issue(self.source.name, self.listing.name, self.file, row, kind, field, found, expected, count))


def _items(raw: Any, nested: Nested) -> list[Mapping[str, Any]]:
    """The rows in a nested field, each as fields by name; a plain value has the name ''."""
    if nested.split is not None:
        raw = [part.strip() for part in str(raw).split(nested.split)]
    return [item if isinstance(item, dict) and not nested.plain else {"": item} for item in (raw if isinstance(raw, list) else [raw])]


def _text(raw: object) -> str | None:
    try:
        return text(raw)
    except BadValue:
        return None


def _count(found: dict[str, tuple[int, int]], names: Iterable[str], number: int) -> None:
    """Note in which row each name was first seen, and how often."""
    for name in names:
        first, count = found.get(name, (number, 0))
        found[name] = (first, count + 1)


def validate(snapshot: Snapshot, catalogue: Catalogue) -> Iterable[tuple[Page, Batch]]:
    """Each page of the snapshot with what it became, in the order of the snapshot."""
    source = catalogue.source(snapshot.source)
    validators: dict[str, Validator] = {}
    for page in snapshot.pages:
        if page.listing not in validators:
            validators[page.listing] = Validator(source.listings[page.listing], source, catalogue, snapshot.as_of(page.listing))
        yield page, validators[page.listing].page(snapshot.folder, page)
