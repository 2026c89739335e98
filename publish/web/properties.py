"""What can be added to a spreadsheet about an institution: its public columns, as the declarations have them, and in a few words what its page says.

Values are of facts.institution and of a day, so that nothing is added that the page does not show: a listing that is over, or is not in the newest
issue of its list, is not current and left out. A notice is one sentence with its dates and whether it is disputed, for in a spreadsheet it
stays when its term has ended; its address does not. Where nothing can be said there is no value: 0 notices are those of a region that is told of today.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from jinja2 import Environment
from markupsafe import Markup

from ..answering import number_known
from ..wording import LANGUAGES, wording
from . import covered
from .frame import LONGEST_PROSE, Dictionary, Frame, clean
from .reader import Row

TABLES = {  # tables of the declarations, and where facts.institution has their rows
    "institutions": None, "institution_aliases": "aliases", "institution_sites": "sites", "permits": "permits", "institution_classes": "classes",
    "fund_supervision": "fund_supervision", "listings": "listings",
}  # fmt: skip
MATCHED = {  # what a query understands, by what candidates.Line calls it; two of them are only other words
    "credit_code": "credit_codes", "permits.permit_no": "permits", "permit_no": "permits", "region": "regions", "region_code": "regions", "county": "regions",
    "address": "addresses",
}  # fmt: skip
Cell = dict[str, Any]
Made = Callable[[Row], list[Cell]]


@dataclass(frozen=True)
class Property:
    """`label` and `about` by language; `cells` gives its values from facts.institution, as the data extension protocol writes them, {} for one that is not known."""

    id: str
    label: Mapping[str, str]
    about: Mapping[str, str]
    cells: Made


class Properties:
    """Those of one site; the sentences are those of its templates."""

    def __init__(self, dictionary: Dictionary, templates: Environment) -> None:
        self._macros = templates.get_template("parts.html").module
        self._frame = frame = cast(Frame, templates.globals["frame"])
        derived: dict[str, Made] = {
            "region": lambda it: _texts([frame.region(it["region_code"], it["region_text"])]),
            "listing": lambda it: self._sentences("listed", _current(it)),
            "permit": lambda it: self._sentences("permit", it["permits"]),
            "supervision": lambda it: self._sentences("fund", it["fund_supervision"]),
            "notices_in_force": self._number_of_notices,
            "notice": lambda it: self._sentences("in_force", it["notices"]),
            "notice_page": lambda it: _texts([frame.site(f"/notices/{notice['id']}") for notice in it["notices"]]),
            "page": lambda it: _texts([frame.site(f"/institutions/{it['id']}")]),
            "source_as_of": lambda it: _texts([it["source_as_of"]]),
            "held_since": lambda it: _texts([it["held_since"]]),
        }
        found = [Property(name, _said(f"reconcile.{name}"), _said(f"reconcile.{name}.about"), made) for name, made in derived.items()]
        declared = {name: table for dataset in dictionary.values() for name, table in dataset["tables"].items()}
        for table, part in TABLES.items():
            for column, about in declared[table]["columns"].items():
                if about["kind"] not in ("id", "ref") and (table, column) != ("listings", "absent_since"):  # of a current one there is none
                    found.append(self._declared(table, part, column, about, declared[table]["label"]))
        self._by_id = {one.id: one for one in found}

    def all(self) -> list[Property]:
        """Those that queries understand first."""
        return sorted(self._by_id.values(), key=lambda one: one.id not in MATCHED)

    def get(self, id: str) -> Property | None:
        return self._by_id.get(id)

    def _sentences(self, macro: str, rows: Sequence[Row]) -> list[Cell]:
        """The sentences of our pages without their marks."""
        sentence = getattr(self._macros, macro)
        return _texts([" ".join(Markup(sentence(row)).striptags().split()) for row in rows])

    def _number_of_notices(self, it: Row) -> list[Cell]:
        visit = self._frame.visit
        is_known = visit.reader is not None and covered.no_notice_is_none(visit.reader, visit.today, it)
        number = number_known(it["notices"], is_known)
        return [] if number is None else [{"int": number}]

    def _declared(self, table: str, part: str | None, column: str, about: Mapping[str, Any], of: Mapping[str, str]) -> Property:
        """A column of the institution, or of its parts: then one value a part, so that what belongs together stays in one row."""

        def cells(it: Row) -> list[Cell]:
            if part is None:
                return [] if it.get(column) is None else [self._cell(it[column], about)]
            return [self._cell(row.get(column), about) for row in (_current(it) if part == "listings" else it[part])]

        if part is None:
            return Property(column, about["label"], about["about"], cells)
        label = {lang: f"{of[lang]}{wording(lang)['colon']}{about['label'][lang]}" for lang in LANGUAGES}
        return Property(f"{table}.{column}", label, about["about"], cells)

    def _cell(self, value: object, about: Mapping[str, Any]) -> Cell:
        if value is None:
            return {}
        if isinstance(value, int | float):
            return {"int": value} if isinstance(value, int) else {"float": value}
        return {"str": self._frame.label(about["codes"], str(value)) if about["kind"] == "code" else clean(value, LONGEST_PROSE)}


def _said(key: str) -> dict[str, str]:
    return {lang: wording(lang)[key] for lang in LANGUAGES}


def _texts(values: Sequence[str | None]) -> list[Cell]:
    return [{"str": clean(value, LONGEST_PROSE)} for value in values if value]


def _current(it: Row) -> list[Row]:
    return [listing for listing in it["listings"] if not listing["is_over"] and not listing["absent_since"]]
