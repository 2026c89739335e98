"""What may be shown of a person's name: 姓+某 (rule 8); in the subject field that names somebody, and wherever else a text has that name.

Who is a person is asked of persons.py, and what counts as the same name of samename.py.
"""

import re
from urllib.parse import unquote

from .namewords import surname
from .persons import LONGEST, Part, is_name, is_plain, parts_of, person_names, says_nothing
from .samename import forms_of, holds, replaced


def _initial(name: str) -> str:
    bare = "".join(name.split())
    return f"{surname(bare) or bare[0]}某"


def masked_person(spelled: str) -> str:
    """What may be shown of a person's name: 王某, 欧阳某; of several, each; of a Latin or foreign name, its first character and 某.

    Labels, what stands in brackets and everything else that is no organisation's name are left out; 某 where no name can be told.
    """
    parts = parts_of(spelled[:LONGEST])
    if not any(part.name for part in parts):
        return "某"
    top = [part for part in parts if not part.deep and (part.name or part.is_organisation)]
    if not any(part.name for part in top):
        if top:
            return masked_organiser(spelled[:LONGEST])
        top = [part for part in parts if part.name][:1]
    shown, at = "", 0
    for part in top:
        slash = re.search(r"[、,，;；/／]", spelled[at : part.start]) if shown else None
        shown += ("" if not shown else slash[0] if slash else "、") + (
            _initial(part.name) if part.name else _hidden(spelled[part.start : part.end], parts)
        )
        shown, at = shown + part.after, part.end
    return shown


def _hidden(text: str, parts: list[Part]) -> str:
    return replaced(text, {part.name: _initial(part.name) for part in parts if part.name})


def masked_organiser(value: str) -> str:
    """A field that names persons, organisations or both, with each person as 姓+某 and all else as it was."""
    if len(value) < 2:
        return value
    if is_plain(value):
        return _initial(value) if is_name(value) else value  # as most names of persons are
    parts = parts_of(value)
    shown, at = "", 0
    for part in parts:
        if part.name:
            shown += value[at : part.start] + _initial(part.name)
            at = part.end
    return _hidden(shown + value[at:], parts) if at else value


def hide_person(text: str, spelled: str) -> str:
    """The text with every name of the subject field, and the whole field, as 姓+某: see samename.py for what does not count."""
    names = person_names(spelled)
    instead = {name: _initial(name) for name in names}
    if spelled not in instead and not says_nothing(spelled) and len(spelled) <= LONGEST:
        instead[spelled] = masked_person(spelled)
    return replaced(text, instead)


def holds_person(text: str, spelled: str) -> bool:
    """Whether one of the subject field's names is in the text, be it percent-encoded, as in an address on the web."""
    forms = [form for name in person_names(spelled) or (spelled,) for form in forms_of(name)]
    if holds(text, forms):
        return True
    if "%" not in text:
        return False
    once = unquote(text)
    return any(holds(plain, forms) for plain in (once, unquote(once), unquote(text, encoding="gb18030")))
