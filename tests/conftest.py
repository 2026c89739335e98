"""What every test stands on: a closed network, an environment without our variables, the same examples each time.

A test says what it needs by asking for a fixture: `real_data` for the real lists, `chromium` for a browser. Where the thing is not
there the test is skipped with the reason, so that `make test` works in a bare clone; `.ci/debian` sees to it that CI has a browser.
"""

import gc
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import partialmethod
from ipaddress import ip_address
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket

from making import NOON
from publish.catalogue import Catalogue, load
from publish.home import Home
from publish.work import Work

gc.disable()  # until all tests are collected
ROOT = Path(__file__).resolve().parent.parent
REAL_DATA = Path(os.environ.pop("MINGBAI_REAL_DATA", ROOT.parent / "shared" / "data"))
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

# A run waits for the disk 250 times, a small one for a fifth of its time. What a disk forgets has tests of its own, which know what was synced.
MEMORY, ROOM = Path("/dev/shm"), 6 << 30  # bytes that must be free of it, and of memory
FREE = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
if MEMORY.is_dir() and min(FREE, shutil.disk_usage(MEMORY).free) > ROOM and not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

for name in [name for name in os.environ if name.startswith("MINGBAI_")]:
    del os.environ[name]  # what an operator has set must not decide whether a test passes

# Two cores are shared with servers that tests start: a deadline would fail on the machine's load and not on the code.
settings.register_profile("same", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", settings.get_profile("same"), derandomize=False, max_examples=2000)  # --hypothesis-profile=explore
settings.load_profile("same")


class Compiled(BytecodeCache):
    """What templates are compiled to, once in this process: a site compiles its own, a quarter of a second where the site itself takes a fiftieth."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str, type, bool], CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self.known.get(self.of(bucket))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.known[self.of(bucket)] = bucket.code

    @staticmethod
    def of(bucket: Bucket) -> tuple[str, str, type, bool]:
        return bucket.key, bucket.checksum, type(bucket.environment), bucket.environment.is_async  # ours, or Datasette's


Environment.__init__ = partialmethod(Environment.__init__, bytecode_cache=Compiled())

# Where the address stands in the arguments of the audit event of that name.
ADDRESS = {
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.bind": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
}


class Beyond(BaseException):
    """A test tried to leave this machine. No `except Exception` of the code under test may take it for a failed request."""


def is_here(host: object) -> bool:
    """Whether a socket's host is this machine's loopback: an address, or a name that is never looked up."""
    if isinstance(host, bytes):
        host = host.decode()
    if host in (None, "localhost"):
        return True
    try:
        return ip_address(str(host)).is_loopback
    except ValueError:
        return False


def keep_here(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse to connect, send, look up or listen beyond loopback. An audit hook: it sees every Python socket, and nothing is patched."""
    if event not in ADDRESS:
        return
    address = arguments[ADDRESS[event]]
    if isinstance(address, tuple):
        address = address[0]
    elif event not in ("socket.getaddrinfo", "socket.gethostbyname"):
        return  # a Unix socket's path, or an address that the socket was given when it was connected
    if not is_here(address):
        raise Beyond(f"{event} to {address!r}: a test talks to loopback only")


sys.addaudithook(keep_here)

# Each takes a minute of CPU or more. They come first: one that began last would keep one core at work while the other has nothing to do.
LONG = ("test_real", "crash", "test_browser", "test_cli", "faults", "test_withdraw", "test_decide", "test_pipeline", "test_web", "test_subscriber", "clocks")  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long, in that order."""
    turn = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: min(turn.get(name, len(LONG)) for name in (item.path.stem, item.path.parent.name)))


def pytest_collection_finish() -> None:
    """What stays for the whole session is not looked through for circles again and again, nor copied by a child that only looks."""
    gc.enable()
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """The real declarations."""
    return load()


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Callable[[], Work]:
    """Gives a home like that of `work` each time, for what several tests begin with: it is made once, and each takes a copy (making.copied)."""
    return lambda: Work(Home(tmp_path_factory.mktemp("begun") / "home").prepare(), catalogue, NOON)


@pytest.fixture
def work(tmp_path: Path, catalogue: Catalogue) -> Work:
    """A home in which nothing was done yet, on the first day."""
    return Work(Home(tmp_path / "home").prepare(), catalogue, NOON)


@pytest.fixture(scope="module")
def no_downloads() -> Iterator[None]:
    """Runs make no files to take away, which are half of what they cost: for tests that look at none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("publish.downloads._Making.everything", lambda self: None)
        yield


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real lists beside the checkout, or $MINGBAI_REAL_DATA; for tests marked `real`."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"no real lists: {REAL_DATA} is not a folder (MINGBAI_REAL_DATA names another)")
    return REAL_DATA


@pytest.fixture(scope="session")
def chromium() -> str:
    """Chromium's command; for tests marked `browser`."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    return found


@pytest.fixture(scope="session")
def java() -> str:
    """What the checker of HTML runs on."""
    found = shutil.which("java")
    if found is None:
        pytest.skip("java is not installed")
    return found


@pytest.fixture(scope="session")
def minisign() -> str:
    """Debian's tool, which readers verify with."""
    found = shutil.which("minisign")
    if found is None:
        pytest.skip("minisign is not installed")
    return found
