"""Why a result is one: the fields that matched and how, the texts of theirs that a card has no place for, and the numbers."""

from collections.abc import Sequence

import orjson

import search

from .reader import Reader, Row

CODE_LENGTH = 18  # characters of a credit code
Reason = tuple[str, str, str]  # table, column, how


def reasons(hit: search.Hit, card: Row, query: str) -> list[Reason]:
    """Where a hit matched, best first."""
    return [(*_column(match.field, card, query), match.how) for match in hit.why]


def texts(reader: Reader, hits: Sequence[search.Hit], query: str) -> dict[str, list[tuple[str, str, str]]]:
    """By institution: the values of parts that matched, as table, column and text; the first of each part that shows the match, or else its first."""
    asked: dict[str, list[str]] = {}
    for hit in hits:
        for match in hit.why:
            if "." in match.field:
                asked.setdefault(match.field, []).append(hit.id)
    found: dict[str, list[tuple[str, str, str]]] = {}
    for field, ids in asked.items():
        table, _, column = field.partition(".")
        upwards = next((name for (of, name), other in reader.references.items() if of == table and other == "institutions"), None)
        if upwards is None:
            continue
        sql = f'SELECT "{upwards}" AS id, "{column}" AS text FROM "{table}" WHERE "{upwards}" IN (SELECT value FROM json_each(?)) AND text IS NOT NULL ORDER BY 1, 2'
        values: dict[str, list[str]] = {}
        for row in reader.rows(sql, orjson.dumps(ids).decode()):
            values.setdefault(row["id"], []).append(row["text"])
        for id, those in values.items():
            found.setdefault(id, []).append((table, column, next((text for text in those if search.spans(query, text)), those[0])))
    return found


def _column(field: str, card: Row, query: str) -> tuple[str, str]:
    """The table and column of a field; of a number which one it is, as far as the query says."""
    if field == search.IDENTIFIER:
        words = {search.compact(query), *search.fold(query).split()}
        if words & {search.compact(permit["permit_no"]) for permit in card["permits"]}:
            return "permits", "permit_no"
        is_code = card["credit_code"] and (search.compact(card["credit_code"]) in words or max(map(len, words)) >= CODE_LENGTH - 1)
        return ("institutions", "credit_code") if is_code else ("permits", "permit_no")
    table, _, column = field.rpartition(".")
    return table or "institutions", column
