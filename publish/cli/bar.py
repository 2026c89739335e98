"""What a person sees of a run that takes its time."""

import sys
from typing import Any

import click


class Bar:
    """Progress as a bar on a terminal, as plain lines elsewhere; both on standard error."""

    def __init__(self) -> None:
        self.bar: Any = None
        self.label, self.done = "", 0
        self.total: int | None = None
        self.terminal = sys.stderr.isatty()

    def start(self, label: str, total: int | None) -> None:
        self.label, self.done, self.total = label, 0, total
        if self.terminal and total:
            self.bar = click.progressbar(length=total, label=label.ljust(24), file=sys.stderr)
            self.bar.__enter__()
        else:
            click.echo(f"{label} …" if total is None else f"{label} … ({total:,})", err=True)

    def advance(self, amount: int = 1) -> None:
        self.done += amount
        if self.bar is not None:
            self.bar.update(amount)

    def finish(self) -> None:
        if self.bar is not None:
            self.bar.__exit__(None, None, None)
            self.bar = None
        elif self.total is None:
            click.echo(f"{self.label}: {self.done:,}", err=True)

    def say(self, text: str) -> None:
        click.echo(text, err=True)
