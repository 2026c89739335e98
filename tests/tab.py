"""A browser for tests, driven over Chromium's own protocol, and a server of ours for it to look at."""

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--remote-debugging-port=0", "--window-size=360,740", "about:blank",
)  # fmt: skip
SERVE = """
import sys
from datetime import datetime
from functools import partial
from pathlib import Path
from publish.web import server
home, now, base_url = sys.argv[1:]
server.build_app = partial(server.build_app, now=lambda: datetime.fromisoformat(now))
server.serve(Path(home), "127.0.0.1", 0, base_url=base_url or None, on_ready=lambda url: print(url, flush=True))
"""
FIND = """(() => {
  const it = [...document.querySelectorAll(%s)].find(it => it.innerText.trim().startsWith(%s) && it.checkVisibility());
  it?.focus();
  return Boolean(it) && document.activeElement === it;
})()"""


class Tab:
    """One tab of a browser. `events` are what it told us since the last `open`."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.events: list[dict[str, Any]] = []

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message: dict[str, Any] = json.loads(self._socket.recv(timeout=20))
            if message.get("id") == number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result
            self.events.append(message)

    def wait(self, event: str) -> None:
        while not any(seen.get("method") == event for seen in self.events):
            self.events.append(json.loads(self._socket.recv(timeout=20)))

    def open(self, url: str) -> None:
        self.events = []
        self.ask("Page.navigate", url=url)
        self.wait("Page.loadEventFired")

    def press(self, text: str) -> None:
        """Type into what has the focus, and press Enter."""
        self.events = []
        self.ask("Input.insertText", text=text)
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r")
        self.wait("Page.loadEventFired")

    def value(self, expression: str) -> Any:
        return self.ask("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def wait_for(self, expression: str) -> Any:
        """The value of a promise. Raises AssertionError where it is not kept."""
        told = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def key(self, name: str, text: str = "") -> None:
        code = {"ArrowDown": 40, "ArrowUp": 38, "Escape": 27, "Enter": 13, "Tab": 9}[name]
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code, text=text)

    def until(self, expression: str) -> Any:
        """The value of an expression as soon as it is a true one, or what it is after five seconds."""
        for _ in range(100):
            if value := self.value(expression):
                return value
            time.sleep(0.05)
        return value

    def click(self, selector: str) -> None:
        self.events = []
        self.value(f"document.querySelector({json.dumps(selector)}).focus()")
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r")
        self.wait("Page.loadEventFired")

    def enter(self, selector: str, text: str, *, loads: bool = True) -> None:
        """Press Enter on the first thing that is seen, can have the focus and begins with a text, as somebody does who goes by keyboard."""
        assert self.value(FIND % (json.dumps(selector), json.dumps(text))), (
            f"{self.value('location.href')}: no {selector} begins with {text!r}"
        )
        self.events = []
        self.key("Enter", "\r")
        if loads:
            self.wait("Page.loadEventFired")

    def follow(self, text: str) -> None:
        """Follow a link by the text that it begins with."""
        self.enter("a", text)

    def fill(self, selector: str, text: str) -> None:
        """Write into a field of a form."""
        self.value(f"(() => {{ const it = document.querySelector({json.dumps(selector)}); it.focus(); it.select(); }})()")
        self.ask("Input.insertText", text=text)

    @property
    def text(self) -> str:
        """What can be read of the page."""
        return str(self.value("document.body.innerText"))

    def width(self, pixels: int) -> None:
        self.ask("Emulation.setDeviceMetricsOverride", width=pixels, height=800, deviceScaleFactor=1, mobile=pixels < 500)

    def scripts(self, are_run: bool) -> None:
        """Whether pages may run scripts from now on."""
        self.ask("Emulation.setScriptExecutionDisabled", value=not are_run)

    def scheme(self, name: str, medium: str = "") -> None:
        """Prefer light or dark; `medium` is print, or else the screen."""
        self.ask("Emulation.setEmulatedMedia", media=medium, features=[{"name": "prefers-color-scheme", "value": name}])

    def seen(self, method: str) -> list[dict[str, Any]]:
        """What the browser told of one kind since the last `open`."""
        return [event["params"] for event in self.events if event.get("method") == method]

    def within(self) -> bool:
        """Whether nothing of the page is wider than its window."""
        return bool(self.value("document.documentElement.scrollWidth <= window.innerWidth"))


@contextmanager
def serving(home: Path, root: Path, now: datetime, base_url: str = "") -> Iterator[str]:
    """A server over a home whose clock stands still, as its address without a slash at its end."""
    command = [sys.executable, "-c", SERVE, str(home), now.isoformat(), base_url]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip().rstrip("/")
    finally:
        server.terminate()
        server.communicate(timeout=20)


@contextmanager
def browsing(chromium: str, profile: Path) -> Iterator[Tab]:
    """A browser of its own with one tab, which keeps no file from one page to the next."""
    browser = subprocess.Popen([chromium, *FLAGS, f"--user-data-dir={profile}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        port = profile / "DevToolsActivePort"
        for _ in range(200):
            if port.is_file() and port.read_text().count("\n") >= 1:
                break
            time.sleep(0.05)
        number, path = port.read_text().split("\n")[:2]
        with connect(f"ws://127.0.0.1:{number}{path}", max_size=None, proxy=None) as whole:
            whole.send(json.dumps({"id": 0, "method": "Target.getTargets"}))
            target = next(t["targetId"] for t in json.loads(whole.recv(timeout=20))["result"]["targetInfos"] if t["type"] == "page")
            with connect(f"ws://127.0.0.1:{number}/devtools/page/{target}", max_size=None, proxy=None) as socket:
                tab = Tab(socket)
                for domain in ("Page", "Network", "Log", "Runtime"):
                    tab.ask(f"{domain}.enable")
                tab.ask("Network.setCacheDisabled", cacheDisabled=True)
                yield tab
    finally:
        browser.terminate()
        browser.wait(timeout=20)
