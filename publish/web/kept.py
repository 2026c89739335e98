"""The newest answers, so that what many people ask for is made once. In memory alone, and never more of them than so many bytes, in all their codings."""

from collections import OrderedDict

from .answer import Answer

MOST = 16 * 2**20  # bytes of bodies and addresses: some thousand answers of 1-25 kB
EACH = 1_000  # bytes that an answer takes beside its body and its address
LONGEST = 1_000  # bytes of an address; a longer one nobody asks for twice


class Kept:
    """Answers by what was asked, the oldest forgotten first."""

    def __init__(self, most: int = MOST) -> None:
        self._most, self._size = most, 0
        self._answers: OrderedDict[tuple[str, bytes], Answer] = OrderedDict()

    def get(self, key: tuple[str, bytes]) -> Answer | None:
        return self._answers.get(key)

    def keep(self, key: tuple[str, bytes], answer: Answer) -> None:
        size = _size(key, answer)
        if key in self._answers or size > self._most or _length(key) > LONGEST:
            return
        self._answers[key] = answer
        self._size += size
        while self._size > self._most:
            self._size -= _size(*self._answers.popitem(last=False))


def _length(key: tuple[str, bytes]) -> int:
    path, query = key
    return len(path) + len(query)


def _size(key: tuple[str, bytes], answer: Answer) -> int:
    return _length(key) + len(answer.body) + sum(map(len, answer.codings.values())) + EACH
