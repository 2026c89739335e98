"""What to offer while somebody is typing: names, as they are written."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from .document import Suggestion
from .gather import Gather
from .postings import Documents
from .rank import Field
from .readings import spoken
from .stored import Stored, values

LONGEST = 64  # letters of pinyin
LOOKED_AT = 200  # documents whose names are looked at


def suggestions(
    run: str, stored: Stored, gather: Gather, fields: Sequence[Field], passing: NDArray[np.bool_] | None, limit: int
) -> list[Suggestion]:
    """The shortest names first, each once, with its document where it is the name of one alone."""
    found: dict[str, Suggestion] = {}
    for documents, fits in _ways(run, gather):
        some = documents if passing is None else documents[passing[documents]]
        whose: dict[str, tuple[int, int, int]] = {}
        for document in some[:LOOKED_AT].tolist():
            for number, value in values(stored.names(document)):
                if fits(value):
                    count, _, _ = whose.get(value, (0, 0, 0))
                    whose[value] = count + 1, document, number
        for value in sorted(whose, key=lambda value: (len(value), -whose[value][0], whose[value][1])):
            count, document, number = whose[value]
            names = stored.names(document)
            title = stored.title(document, names)
            text = title if names[1:].startswith(value) and len(title) >= len(value) and number == 0 else value
            found.setdefault(text, Suggestion(text, stored.id(document) if count == 1 else None, fields[number].name))
            if len(found) >= limit:
                return list(found.values())[:limit]
        if found:
            break
    return list(found.values())


def _ways(run: str, gather: Gather) -> Iterator[tuple[Documents, Callable[[str], bool]]]:
    yield gather.beginning(run), lambda value: value.startswith(run)
    if run.isascii() and run.isalpha():
        for start in (True, False):
            if 2 <= len(run) <= LONGEST:
                yield gather.ear.sounding(run, start=start), partial(_said, run, False, start)
            yield gather.ear.beginning_with(run, start=start), partial(_said, run, True, start)
    yield gather.with_words([run]), lambda value: run in value


def _said(letters: str, initials: bool, start: bool, value: str) -> bool:
    span = spoken(letters, value, initials)
    return span is not None and (span[0] == 0 or not start)
