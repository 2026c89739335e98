"""The command `mingbai`: what staff type. Each module brings its commands; they are listed in the order of the work. The home of click."""

from . import beside, clerk, keeper, keyring, newsroom, screen, sql, steps
from .group import main

__all__ = ["beside", "clerk", "keeper", "keyring", "main", "newsroom", "screen", "sql", "steps"]
