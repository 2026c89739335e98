"""Cells of a CSV that people open in a spreadsheet."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet computes what begins so; the apostrophe is its own sign for a text


def cell(value: object) -> object:
    """A value as nothing but a value."""
    if isinstance(value, bool):
        return int(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
