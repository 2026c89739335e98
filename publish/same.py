"""What an earlier release may say again of a notice: its words and values only where the live release has the very same ones (rule 8).

They change for somebody's sake: a person is masked, a name, a fact or a sum was wrong. So of an earlier release no others are shown, and none of a notice
that is about another party today. Which columns these are is said here once, for the pages of a day, for the tables of the past and for the deltas; a test
holds it against the declarations.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

PARTY = ("subject_kind", "subject_name")  # whom a notice is about
WORDS: Mapping[str, tuple[str, ...]] = {  # texts that a source writes, and the numbers that are taken out with the name of a person
    "notices": (
        *("title", "subject_name", "subject_credit_code", "subject_permit_no", "region_text", "authority", "authority_code", "document_no"),
        *("violation_text", "facts", "legal_basis", "penalty_text", "fine_text", "confiscated_text"),
    ),
    "notice_statements": ("said_by", "text", "document", "fields"),
    "documents": ("title", "batch_label", "authority"),
}

# What a notice says besides: a kind, a region, an amount, a day or a class that was wrong is shown and found by nothing that is of an earlier release. Which
# of them changed, and from what, /changes tells where its source changed it; what was corrected is not told there either (past.py).
VALUES = (
    *("kind", "region_code", "fine_fen", "confiscated_fen", "found_on", "decided_on", "published_on"),
    *("public_until_rule", "seriousness", "violation_type"),
)
END = "public_until"  # its last day: the sooner one counts
CODES: Mapping[str, tuple[str, str]] = {  # what a notice orders, as its JSON calls it: table and column
    "penalties": ("notice_penalties", "penalty_code"),
    "measures": ("notice_measures", "measure_code"),
}


def fingerprint(table: str, row: Mapping[str, Any] | None) -> str | None:
    """By which two rows are known to say the same and be about the same; None of no row."""
    if row is None:
        return None
    columns = dict.fromkeys((*((*PARTY, *VALUES, END) if table == "notices" else ()), *WORDS[table]))
    return hashlib.sha256(orjson.dumps([row.get(column) for column in columns])).hexdigest()
