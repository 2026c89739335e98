"""/words: what the words on a card and a page mean, a place for each to link to.

Which values there are, and what a column holds, is said by the declarations; the words add only what these do not: what a term does and does not mean to a reader.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..fresh import STALE_INTERVALS
from ..rules import LONGEST_YEARS, SUPPRESS_BELOW, TERM_YEARS
from ..wording import say, wording
from .frame import Dictionary
from .limits import PREPAID, REMOVED_WITHIN_HOURS
from .reader import Reader

NUMBERS = {
    **PREPAID, "general_years": TERM_YEARS["general"], "serious_years": TERM_YEARS["serious"], "longest_years": LONGEST_YEARS, "below": SUPPRESS_BELOW,
    "intervals": STALE_INTERVALS, "removed_hours": REMOVED_WITHIN_HOURS,
}  # fmt: skip
TOPICS: Mapping[str, tuple[str, ...]] = {  # anchors of /words, and the columns that say more: those of codes with their values
    "lists": ("listings.list", "listings.as_of", "listings.batch_label", "listings.valid_until", "listings.absent_since"),
    "notices": ("notices.kind", "notices.state", "notices.public_until", "notices.public_until_rule", "notices.published_on"),
    "seriousness": ("notices.seriousness",),
    "links": ("notice_links.method", "notices.subject_kind"),
    "statements": ("notice_statements.kind", "notice_statements.settled_on"),
    "penalties": ("notice_penalties.penalty_code", "notice_measures.measure_code", "notices.violation_type"),
    "permits": ("permits.permit_no", "permits.issuer", "permits.valid_until"),
    "fund": ("fund_supervision.mode", "fund_supervision.bank"),
    "ratings": ("ratings.dimension",),
    "classes": ("institution_classes.class_code",),
    "identity": ("institutions.credit_code", "institutions.credit_code_text", "institutions.id", "institution_aliases.kind"),
    "status": ("institutions.status", "institutions.absent_since"),
    "lineage": ("institution_lineage.kind", "institution_lineage.method"),
    "as_of": ("sources.as_of", "sources.interval_days", "documents.kind"),
}


@dataclass(frozen=True)
class Meaning:
    """A column in words, and the values that it can have: name, and what it means where the words say."""

    label: str
    about: str
    values: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True)
class Topic:
    """One anchor of the page."""

    name: str
    title: str
    text: str
    columns: tuple[Meaning, ...]


def glossary(reader: Reader, dictionary: Dictionary, lang: str) -> list[Topic]:
    """Every topic in one language, with the codes of the release."""
    columns = {
        f"{name}.{column}": said
        for dataset in dictionary.values()
        for name, table in dataset["tables"].items()
        for column, said in table["columns"].items()
    }
    return [
        Topic(name, say(lang, f"glossary.{name}"), say(lang, f"glossary.{name}.text", **NUMBERS), tuple(_meaning(reader, columns[key], lang) for key in keys))
        for name, keys in TOPICS.items()
    ]  # fmt: skip


def _meaning(reader: Reader, column: Mapping[str, Any], lang: str) -> Meaning:
    codes = column.get("codes")
    values = tuple((reader.label(codes, code, lang), _explained(codes, code, lang)) for code in reader.codes(codes)) if codes else ()
    return Meaning(column["label"][lang], column["about"][lang], values)


def _explained(codes: str, code: str, lang: str) -> str | None:
    key = f"glossary.{codes}.{code}"
    return say(lang, key, **NUMBERS) if key in wording(lang) else None
