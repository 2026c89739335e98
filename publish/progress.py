"""How long work tells that it moves: four calls that a stage makes and that it never looks at.

A stage does not know whether anybody watches. The command line draws a bar on a terminal and prints plain lines elsewhere; tests and
libraries take `silent`.
"""

from typing import Protocol


class Progress(Protocol):
    """What a stage may say while it works. One task at a time: `start`, many `advance`, `finish`."""

    def start(self, label: str, total: int | None) -> None:
        """A task begins; `total` is its size in the unit that `advance` counts, None when nobody knows it yet."""

    def advance(self, amount: int = 1) -> None:
        """So much more of the task is done."""

    def finish(self) -> None:
        """The task is over. Not called when it ends in an exception."""

    def say(self, text: str) -> None:
        """One line that a person should read and that is no error."""


class _Silent:
    def start(self, label: str, total: int | None) -> None:
        pass

    def advance(self, amount: int = 1) -> None:
        pass

    def finish(self) -> None:
        pass

    def say(self, text: str) -> None:
        pass


silent: Progress = _Silent()
