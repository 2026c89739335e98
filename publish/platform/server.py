"""The platform on a socket: a thread a connection, HTTP/1.1 kept open, one write a response.

Nothing of `BaseHTTPRequestHandler`'s own answers is used but its reading of a request: it writes each header by itself, and it says
which Python this is.
"""

import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import SHUT_RDWR, socket
from socketserver import TCPServer
from types import FrameType
from typing import Any

from ..catalogue import default_folder
from ..errors import Mingbai
from .counties import Region, regions_from
from .faults import Fault
from .institutions import DAY_ZERO
from .paging import Problem
from .service import Request, Response, Service, new_service
from .world import World, new_world

IDLE = 60.0  # seconds that a kept connection may be silent
BODY = 1 << 16  # no request has a body; so much is read past and more is not waited for


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE
    server: "Server"

    def answer(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > BODY or "Transfer-Encoding" in self.headers:
            self.close_connection = True
        elif int(length):
            self.rfile.read(int(length))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers)
        response = self.server.service.answer(request)
        self.send(response)
        if response.status == HTTPStatus.OK:
            with suppress(Problem):  # the view may have gone meanwhile
                self.server.service.prepare(request)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def send(self, response: Response) -> None:
        if response.cut_at is not None:
            self.close_connection = True
        lines = [
            f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}",
            f"Date: {formatdate(usegmt=True)}",
            *(f"{name}: {value}" for name, value in response.headers),
        ]
        if response.status != HTTPStatus.NOT_MODIFIED:
            lines += [f"Content-Type: {response.kind}", f"Content-Length: {len(response.body)}"]
        if self.close_connection:
            lines.append("Connection: close")
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        self.wfile.write(head if self.command == "HEAD" else head + response.body[: response.cut_at])

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a token may stand in what a log line quotes."""


class Server(ThreadingHTTPServer):
    """A running platform: `url` says where, `move` takes it to another day, `stop` hangs up on everybody. A context manager."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, service: Service, host: str, port: int) -> None:
        self.service = service
        self._open: set[socket] = set()
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            raise Mingbai(f"cannot listen on {host}:{port}: {error.strerror or error}; choose another port or stop what has it") from error
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), name="platform", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The address without a slash at the end."""
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}"

    def move(self, day: int) -> World:
        """Make it this day; readers with a snapshot may finish."""
        return self.service.move(day)

    def stop(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()
        for connection in tuple(self._open):
            with suppress(OSError):
                connection.shutdown(SHUT_RDWR)

    def __exit__(self, *_: object) -> None:
        self.stop()

    def get_request(self) -> tuple[socket, Any]:
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def server_bind(self) -> None:
        # HTTPServer.server_bind looks up this machine's name, which can take seconds where there is no name service.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader that hangs up is not our fault; anything else is a bug and is shown."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


def serve(world: World, host: str = "127.0.0.1", port: int = 0, faults: Iterable[Fault | str] = (), token: str | None = None) -> Server:
    """A platform that answers now, in a thread of its own. Raises Mingbai where the port is taken or a fault is none."""
    return Server(new_service(world, faults, token), host, port)


@contextmanager
def running(
    world: World | None = None, faults: Iterable[Fault | str] = (), token: str | None = None, host: str = "127.0.0.1", port: int = 0
) -> Iterator[str]:
    """The address of a platform that answers within the block; a small world if none is given."""
    with serve(world or new_world(institutions=300, months=3), host, port, faults, token) as server:
        yield server.url


def serve_forever(
    *,
    institutions: int = 3000,
    seed: int = 1,
    day: int = 0,
    months: int = 24,
    dimensions: int = 1,
    notices: int | None = None,
    host: str = "127.0.0.1",
    port: int = 8002,
    faults: Sequence[Fault | str] = (),
    token: str | None = None,
    regions: Path | Sequence[Region] | None = None,
    on_ready: Callable[[str], object] | None = None,
) -> None:
    """Be a platform until SIGINT or SIGTERM. `regions` are counties or the file of a table; if nobody says, our own. Raises Mingbai for what cannot be.

    `on_ready` gets the address once it answers. Called in the main thread, where signals arrive; elsewhere it runs for ever.
    """
    regions = default_folder() / "codes" / "regions.csv" if regions is None else regions
    known = regions_from(regions, DAY_ZERO) if isinstance(regions, Path) else regions
    try:
        world = new_world(institutions, seed, day, months, dimensions, notices, known)
    except ValueError as error:
        raise Mingbai(f"platform: {error}") from error
    stopping = threading.Event()

    def stop(signum: int, frame: FrameType | None) -> None:
        stopping.set()

    former = {}
    if threading.current_thread() is threading.main_thread():
        former = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with serve(world, host, port, faults, token) as server:
            if on_ready is not None:
                on_ready(server.url)
            stopping.wait()
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
