"""A reference platform: a real HTTP server with an invented content of any size, for development, demonstrations and tests.

It stands outside of what it serves: it knows the contract (openapi.yml) and nothing of the pipeline or the site. Of the datasets it
borrows the table of regions.
"""

from .faults import FAULTS, Fault
from .server import Server, running, serve, serve_forever
from .world import LISTINGS, World, new_world

__all__ = ["FAULTS", "LISTINGS", "Fault", "Server", "World", "new_world", "running", "serve", "serve_forever"]
