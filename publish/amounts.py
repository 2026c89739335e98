"""What an amount of money counts in as its source printed it, which the number that stands beside it tells.

A source writes 1.45 in a column of 万元, and the text is kept as it is. Who reads it beside 14,500.00 yuan has to be told the unit, or told that nobody knows it.
"""

from .errors import BadValue
from .values import fen

UNITS = ("yuan", "wanyuan")


def unit_in(amount: int | None, text: str) -> str:
    """The unit of a bare number (one of UNITS), "unclear" where it cannot be told, and "unread" of what is no amount.

    "" where there is nothing to add: the text has its unit, says that there is none, or counts none (0). `amount` is in fen.
    """
    found: dict[str | None, int | None] = {}
    for unit in (None, *UNITS):
        try:
            found[unit] = fen(text, unit)
        except BadValue:
            continue
    if None in found:
        return ""
    if not found:
        return "unread" if amount is None else ""
    fits = [unit for unit in UNITS if amount is not None and found.get(unit) == amount]
    return fits[0] if len(fits) == 1 else "" if fits else "unclear"
