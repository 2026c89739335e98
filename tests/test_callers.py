"""Nobody is called but the subscriber's own address, and no call lasts longer than it may."""

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from publish.addresses import is_public, networks, shown
from publish.callers import BODY_LIMIT, IDLE, Caller, Said
from publish.errors import BadDeclaration
from receiving import LOOPBACK, receiving

PUBLIC = ["1.1.1.1", "123.125.114.144", "2001:4860:4860::8888", "2400:3200::1", "::ffff:1.1.1.1"]
INSIDE = [
    "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.0.9", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192",
    "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "203.0.113.7", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "100::1",
    "2001::1", "2001:db8::1", "2001:20::1", "2002:7f00:1::", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1",
]  # fmt: skip
NUMBERS = ["127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1"]  # as the system's resolver reads them
WRONG = [
    "ftp://a.example/", "https://", "https://a b.example/", "https://机构.example/", "https://user:pw@a.example/", "https://a.example:99999/", "https://a.example:0/",
    "https://a.example/\r\nX: y", "//a.example/", "a.example", "https://[::1", "",
]  # fmt: skip


def answers(*addresses: str) -> Callable[..., Any]:
    """A resolver that says these, whatever it is asked."""

    def resolve(name: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    return resolve


@pytest.fixture
def at_home() -> Iterator[Callable[..., Caller]]:
    """Callers that may call loopback, closed behind the test."""
    made: list[Caller] = []

    def make(**more: Any) -> Caller:
        made.append(Caller(networks(LOOPBACK), **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_that_anybody_can_have_is_public(address):
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", INSIDE)
def test_no_address_that_leads_inside_is_public_or_called(address):
    assert not is_public(ip_address(address))
    with pytest.raises(BadDeclaration, match="not a public address"):
        Caller(resolve=answers(address)).check("https://paper.example/in")
    assert Caller(resolve=answers(address)).post("https://paper.example/in", b"", {}).status is None


@pytest.mark.parametrize("spelling", NUMBERS)
def test_no_spelling_of_loopback_gets_through(spelling):
    with pytest.raises(BadDeclaration, match="not a public address"):
        Caller(resolve=answers(socket.inet_ntoa(socket.inet_aton(spelling)))).check(f"https://{spelling}/")


@pytest.mark.parametrize("host", ["[::1]", "127.0.0.1", "localhost", "LocalHost"])
def test_loopback_is_not_called_by_any_name(host):
    with pytest.raises(BadDeclaration, match="not a public address"):
        Caller().check(f"https://{host}/")


def test_a_name_that_leads_inside_as_well_is_not_called():
    with pytest.raises(BadDeclaration, match=r"10\.0\.0\.1"):
        Caller(resolve=answers("1.1.1.1", "10.0.0.1")).check("https://paper.example/in")


@pytest.mark.parametrize("host", ["a" * 70 + ".example", "a..example"])
def test_a_host_that_cannot_be_a_name_is_refused_in_a_line(host):
    with pytest.raises(BadDeclaration, match="spelling"):
        Caller().check(f"https://{host}/")


@pytest.mark.parametrize("url", WRONG)
def test_what_is_no_address_is_refused_and_never_raises_in_a_call(url):
    caller = Caller(networks(["0.0.0.0/0"]), resolve=answers("127.0.0.1"))
    with pytest.raises(BadDeclaration):
        caller.check(url)
    assert caller.post(url, b"", {}).status is None


def test_only_https_is_called_but_where_the_operator_allows(at_home):
    with pytest.raises(BadDeclaration, match="only https"):
        Caller(resolve=answers("1.1.1.1")).check("http://paper.example/in")
    with receiving() as room:
        assert "only https" in Caller().post(room.url, b"", {}).words
        assert room.asked == []
        assert at_home().post(room.url, b"{}", {"X-One": "1"}).status == 204
    assert (room.asked[0].body, room.asked[0].headers["x-one"], room.asked[0].headers["host"]) == (b"{}", "1", f"127.0.0.1:{room.port}")


@pytest.mark.parametrize(("seconds", "looks"), [(IDLE - 1, 1), (IDLE + 1, 2)])
def test_a_connection_that_nobody_used_for_a_while_is_judged_anew(seconds, looks):
    asked, now = [], [1_000.0]

    def resolve(*given: Any, **more: Any) -> Any:
        asked.append(given)
        return answers("127.0.0.1")(*given, **more)

    with receiving() as room:
        caller = Caller(networks(LOOPBACK), resolve=resolve, clock=lambda: now[0])
        for _ in range(2):
            assert caller.post(f"http://paper.example:{room.port}/in", b"", {}).status == 204
            now[0] += seconds
        caller.close()
    assert len(asked) == looks


def test_what_is_allowed_is_that_network_and_no_other():
    with pytest.raises(BadDeclaration, match=r"169\.254"):
        Caller(networks(["10.0.0.0/8"]), resolve=answers("169.254.169.254")).check("https://paper.example/")
    Caller(networks(["10.0.0.0/8"]), resolve=answers("10.2.3.4")).check("http://paper.example/")
    Caller(networks(["10.0.0.0/8"]), resolve=answers("::ffff:10.2.3.4")).check("http://paper.example/")
    with pytest.raises(BadDeclaration, match=r"10\.0\.0\.1/8"):
        networks(["10.0.0.1/8"])


def test_a_name_is_judged_at_each_connection_and_not_only_when_it_was_added():
    now = ["1.1.1.1"]
    caller = Caller(resolve=lambda *given, **more: answers(*now)(*given, **more))
    caller.check("https://paper.example/in")
    now[:] = ["127.0.0.1"]  # the name is rebound
    with receiving() as room:
        assert "not a public address" in caller.post(f"https://paper.example:{room.port}/in", b"", {}).words
    assert room.asked == []


def test_a_connection_goes_to_the_address_that_was_judged_and_a_name_is_asked_for_once(at_home):
    asked = []

    def resolve(name: str, port: int, **more: Any) -> Any:
        asked.append(name)
        return answers("127.0.0.1" if len(asked) == 1 else "10.0.0.1")(name, port)

    with receiving() as room:
        caller = at_home(resolve=resolve)
        for _ in range(3):  # the second and third over the connection that is there
            assert caller.post(f"http://paper.example:{room.port}/in", b"", {}).status == 204
    assert asked == ["paper.example"]
    assert {one.headers["host"] for one in room.asked} == {f"paper.example:{room.port}"}


def test_the_next_address_is_tried_where_one_does_not_listen(at_home):
    with receiving() as room:
        caller = at_home(resolve=answers("127.0.0.9", "127.0.0.1"))
        assert caller.post(f"http://paper.example:{room.port}/in", b"", {}).status == 204


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status, at_home):
    with receiving() as inside, receiving(lambda *_: (status, {"Location": inside.url})) as room:
        said = at_home().post(room.url, b"", {})
    assert (said.status, said.is_yes, inside.asked) == (status, False, [])


def test_no_proxy_and_no_netrc_of_the_environment_counts(monkeypatch, tmp_path, at_home):
    with receiving() as proxy, receiving() as room:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password secret\n")
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        assert at_home().post(room.url, b"", {}).status == 204
    assert proxy.asked == []
    assert "authorization" not in room.asked[0].headers


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for paper.example with its key, in one file."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    key, made = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", made, "-days", "2",
         "-subj", "/CN=paper.example", "-addext", "subjectAltName=DNS:paper.example"],
        check=True, capture_output=True,
    )  # fmt: skip
    both = folder / "both.pem"
    both.write_bytes(made.read_bytes() + key.read_bytes())
    return both


@pytest.fixture
def tls(certificate: Path) -> Iterator[tuple[Any, list[str | None]]]:
    """A receiver that speaks TLS as paper.example, and the names that it was asked for by."""
    named: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda _, name, __: named.append(name)
    with receiving(context=context) as room:
        yield room, named


def test_tls_and_host_carry_the_name_while_the_connection_goes_to_the_address(tls, certificate, at_home):
    room, named = tls
    caller = at_home(resolve=answers("127.0.0.1"), trusted=str(certificate))
    assert caller.post(f"https://paper.example:{room.port}/in?a=1", b"x", {}).status == 204
    assert (named, room.asked[0].headers["host"], room.asked[0].path) == (["paper.example"], f"paper.example:{room.port}", "/in?a=1")


def test_a_certificate_of_another_name_or_of_nobody_known_is_no_answer(tls, certificate, at_home):
    room, _ = tls
    for name, trusted in (("other.example", str(certificate)), ("paper.example", None)):
        caller = at_home(resolve=answers("127.0.0.1"), trusted=trusted)
        assert caller.post(f"https://{name}:{room.port}/in", b"secret", {}).status is None
    assert room.asked == []


@pytest.mark.parametrize("drips", ["head", "body", "informs", "silence"])
def test_an_answer_that_drips_for_ever_ends_in_time(drips, at_home):
    over = threading.Event()

    def drip(_: Any, handler: Any) -> None:
        start, piece = {
            "head": (b"HTTP/1.1 200 OK\r\nX-A: ", b"a"),
            "body": (b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n", b"a"),
            "informs": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
            "silence": (b"", b""),
        }[drips]
        handler.wfile.write(start)
        while not over.wait(0.05):
            try:
                handler.wfile.write(piece)
                handler.wfile.flush()
            except OSError:
                return

    with receiving(drip) as room:
        began = time.monotonic()
        said = at_home(to_answer=0.5).post(room.url, b"", {})
        took = time.monotonic() - began
        over.set()
    assert said.status is None
    assert took < 5


def test_a_long_answer_is_not_read_to_its_end_and_its_connection_not_kept(at_home):
    sent = []

    def pour(_: Any, handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        try:
            while True:
                sent.append(handler.wfile.write(b"a" * 65536))
        except OSError:
            return

    with receiving(pour) as room:
        caller = at_home()
        assert caller.post(room.url, b"", {}).status == 200
        assert caller.post(room.url, b"", {}).status == 200
    assert sum(sent) < 400 * BODY_LIMIT


def test_an_answer_that_comes_in_pieces_and_ends_its_connection_is_read(at_home):
    def answer(_: Any, handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Length: 20000\r\nConnection: close\r\n\r\n")
        for _ in range(20):
            time.sleep(0.005)
            handler.wfile.write(b"a" * 1000)

    with receiving(answer) as room:
        assert at_home().post(room.url, b"", {}) == Said(200, "status 200")


def test_a_connection_that_was_closed_meanwhile_is_made_anew(at_home):
    with receiving(lambda *_: (200, {"Connection": "keep-alive"})) as room:
        caller = at_home()
        assert caller.post(room.url, b"1", {}).status == 200
        for lines in caller._idle.values():
            for _, line in lines:
                line.sock._sock.shutdown(socket.SHUT_RDWR)
        assert caller.post(room.url, b"2", {}).status == 200
    assert [one.body for one in room.asked] == [b"1", b"2"]


def test_what_is_shown_of_an_address_is_whom_it_calls():
    assert shown("https://paper.example/in/s3cret?token=1") == "https://paper.example"
    assert shown("https://u:s3cret@paper.example:8443/in") == "https://paper.example:8443"


def test_retry_after_is_read_and_a_refused_connection_says_so(at_home):
    with receiving(lambda *_: (503, {"Retry-After": "77"})) as room:
        url = room.url
        assert at_home().post(url, b"", {}).after == 77
    assert "refused" in at_home().post(url, b"", {}).words
