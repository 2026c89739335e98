"""What is left of a body when its transfer breaks off: how it is asked for, whether an answer is it, and when to leave it (RFC 9110, 13.1.5 and 15.3.7).

Only a strong entity tag says that two answers are of the same bytes, and If-Range is kept by the server alone: so an answer is held against what the
first one said before a byte of it is joined. What differs is begun anew. Knows nothing of connections.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

LONGEST_WAIT = 120.0  # a server that asks for more is unavailable for now
MOST = 50  # requests for one body, from its beginning or for the rest: who sends a little a time is left at last
STEP = 1 << 16  # bytes, or a hundredth of what is shorter: who brings less in one answer has brought nothing
_STRONG = re.compile(r'"[\x21\x23-\x7e]+"')


class Failed(Exception):
    """One try that may be repeated; `broken` when the server did answer and the answer was not whole."""

    def __init__(self, reason: str, after: float | None = None, broken: bool = False) -> None:
        super().__init__(reason)
        self.after, self.broken = after, broken

    @property
    def is_too_long(self) -> bool:
        """Whether we are asked to come back later than this is waited for."""
        return self.after is not None and self.after > LONGEST_WAIT


class Anew(Failed):
    """One that may be repeated from its beginning alone."""


@dataclass
class Tries:
    """What was asked for one body, from its beginning and for the rest, and how it failed. `idle` are those in a row that brought nothing to speak of.
    `is_joined` says that what has come is of several answers."""

    retries: int
    may_resume: bool = True
    is_joined: bool = False
    requests: int = 0
    idle: int = 0
    reasons: list[str] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        """Whether the server was asked often enough."""
        return self.idle > self.retries or self.requests >= MOST

    def __str__(self) -> str:
        before = next((one for one in reversed(self.reasons) if one != self.reasons[-1]), None)
        number = "1 request" if self.requests == 1 else f"{self.requests} requests"
        return f"{self.reasons[-1]} ({number}{f'; before: {before}' if before else ''})"


@dataclass(frozen=True)
class Begun:
    """A body of which some has come: its tag, and how many bytes it has in all."""

    etag: str
    size: int

    @classmethod
    def of(cls, said: Mapping[str, str]) -> "Begun | None":
        """By the headers of its first answer; None where another could not be known for the same: no strong tag, no length, or coded on its way."""
        etag, length = said.get("ETag", ""), said.get("Content-Length", "")
        if not _STRONG.fullmatch(etag) or not re.fullmatch(r"\d{1,15}", length) or _is_coded(said):
            return None
        return cls(etag, int(length))

    def asked(self, done: int) -> dict[str, str]:
        """The headers that ask for what comes after `done` bytes."""
        return {"Range": f"bytes={done}-", "If-Range": self.etag}

    def is_rest(self, done: int, status: int, said: Mapping[str, str]) -> bool:
        """Whether an answer is that, and nothing else."""
        is_part = status == 206 and said.get("Content-Range", "").strip() == f"bytes {done}-{self.size - 1}/{self.size}"
        return is_part and said.get("ETag") == self.etag and not _is_coded(said)

    def whole(
        self, pieces: Iterator[bytes], rest: Callable[[int], Iterator[bytes]], wait: Callable[[Failed, Tries], None], tries: Tries
    ) -> Iterator[bytes]:
        """All of it: `pieces`, and where they break off what `rest` gives after so many bytes. Raises Failed where it has to be begun anew or `tries` are over."""
        done, step = 0, max(1, min(STEP, self.size // 100))
        while True:
            before = done
            try:
                for piece in pieces:
                    done += len(piece)
                    if done > self.size:
                        raise Anew("the body does not end where it should", broken=True)
                    yield piece
                if done == self.size:
                    return
                raise Failed("the body ends early", broken=True)
            except Failed as failed:
                if done - before >= step:
                    tries.idle = 0
                if isinstance(failed, Anew) or failed.is_too_long or not done or tries.is_over:
                    raise
                wait(failed, tries)
            tries.idle += 1
            pieces = rest(done)


def _is_coded(said: Mapping[str, str]) -> bool:
    return said.get("Content-Encoding", "identity").strip().lower() != "identity"
