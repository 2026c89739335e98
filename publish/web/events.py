"""What a change is called: the keys `event.` of the words. A journalist reads "disputed", not "state: active → disputed"."""

from .reader import Row

WHOLES = {"institutions", "notices"}
STATED = {"reply": "reply", "dispute": "disputed", "correction": "corrected"}


def event(item: Row) -> str:
    """What a change is called; the keys `event.` of the words."""
    after = {field["field"]: field["after"] for field in item["fields"]}
    before = {field["field"]: field["before"] for field in item["fields"]}
    table, kind = item["table"], item["kind"]
    if not item["is_shown"]:
        return f"hidden_{kind}"
    if table == "notice_statements":
        said = str((item["statement"] or {}).get("kind"))
        return "settled" if after.get("settled_on") else STATED.get(said, "added") if kind == "add" else _plain(kind)
    if kind != "change":
        by_table = {"listings": "listed", "notice_links": "linked"}
        word = "came" if table in WHOLES else by_table.get(table, "added")
        return word if kind == "add" else f"not_{word}"
    if "absent_since" in after:
        return "absent" if after["absent_since"] else "back"
    if table == "notices" and "state" in after:
        return (
            "disputed"
            if after["state"] == "disputed"
            else "settled"
            if before["state"] == "disputed"
            else "corrected"
            if after["state"] == "corrected"
            else "changed"
        )
    return "corrected" if item["cause"] == "correction" else "changed"


def _plain(kind: str) -> str:
    return {"add": "added", "change": "changed", "remove": "not_added"}[kind]
