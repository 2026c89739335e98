"""The site in a real browser, driven over Chromium's own protocol: it fits a phone, loads nothing from elsewhere, and runs nothing that a source wrote."""

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from publish import catalogue as declared
from web_release import ACTIVE, SHADY, SWEET, TODAY, UNLINKED, go_live, make_release, write_index, write_past

pytestmark = pytest.mark.browser

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--remote-debugging-port=0", "--window-size=360,740", "about:blank",
)  # fmt: skip
OLD = "2026-11-20"
PAGES = (
    "/", "/search?q=福州", "/search?q=不存在的名称", f"/institutions/{SWEET}", f"/institutions/{SHADY}", f"/notices/{ACTIVE}", f"/notices/{UNLINKED}", "/data", "/feeds", "/feeds?region=350102", "/feeds/notices", "/feeds/records?q=收费", "/regions", "/regions/350100", "/changes", "/changes?region=350000&dataset=institutions", "/status",
    "/mingbai", "/mingbai/institutions", "/mingbai?sql=select+*+from+notices", "/nothing", "/verify", "/verify?name=福州旧时光体育培训有限公司（标记）&region=350102", "/notices", "/notices?q=罚款:1万..",
    f"/institutions/{SWEET}?as_of={OLD}", f"/notices/{ACTIVE}?as_of={OLD}", f"/?as_of={OLD}", f"/data?as_of={OLD}", f"/search?q=福州&as_of={OLD}",
)  # fmt: skip
SERVE = (
    "import sys; from pathlib import Path; from publish.web.server import serve; "
    "serve(Path(sys.argv[1]), '127.0.0.1', 0, on_ready=lambda url: print(url, flush=True))"
)


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

    def key(self, name: str, text: str = "") -> None:
        code = {"ArrowDown": 40, "ArrowUp": 38, "Escape": 27, "Enter": 13}[name]
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

    def width(self, pixels: int) -> None:
        self.ask("Emulation.setDeviceMetricsOverride", width=pixels, height=800, deviceScaleFactor=1, mobile=pixels < 500)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[str]:
    home = tmp_path_factory.mktemp("home")
    for id in (OLD, TODAY):
        make_release(home, id, declared.load(), mark="标记" if id == TODAY else "旧")
    write_index(home, OLD, TODAY)
    write_past(home, declared.load(), OLD, TODAY)
    go_live(home, TODAY)
    server = subprocess.Popen([sys.executable, "-c", SERVE, str(home)], stdout=subprocess.PIPE, text=True, cwd=root)
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip().rstrip("/")
    finally:
        server.terminate()
        server.communicate(timeout=20)


@pytest.fixture(scope="module")
def tab(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    profile = tmp_path_factory.mktemp("profile")
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
                yield tab
    finally:
        browser.terminate()
        browser.wait(timeout=20)


@pytest.mark.parametrize("width", [360, 768, 1440])
@pytest.mark.parametrize("prefix", ["", "/en"])
def test_a_page_fits_its_window_and_is_all_from_here(tab, url, prefix, width):
    tab.width(width)
    for path in PAGES:
        tab.open(f"{url}{prefix}{path}")
        assert tab.value("document.documentElement.scrollWidth <= window.innerWidth"), f"{path} is wider than {width} px"
        assert tab.value("document.querySelectorAll('h1').length") == 1, path
        asked = [event["params"]["request"]["url"] for event in tab.events if event.get("method") == "Network.requestWillBeSent"]
        assert [
            address for address in asked if not address.startswith((url, "data:"))
        ] == []  # Chromium draws the sign of a date field from data:
        complaints = [event["params"]["entry"]["text"] for event in tab.events if event.get("method") == "Log.entryAdded"]
        assert [text for text in complaints if "404" not in text] == [], path
        assert tab.value("getComputedStyle(document.querySelector('main')).maxWidth") != "none"  # the style sheet is there


@pytest.mark.parametrize("scripts", [True, False])
def test_a_parent_finds_who_listed_an_institution_by_keyboard(tab, url, scripts):
    tab.ask("Emulation.setScriptExecutionDisabled", value=not scripts)
    tab.width(360)
    tab.open(f"{url}/")
    tab.value("document.querySelector('#q').focus()")
    tab.press("甜果")
    assert "/search?q=" in tab.value("location.href")
    tab.click(".card h3 a")
    assert tab.value("location.pathname") == f"/institutions/{SWEET}"
    assert "列入福州市教育局（标记）第三期白名单，截至 2026-11-20。" in tab.value("document.body.innerText")
    tab.ask("Emulation.setScriptExecutionDisabled", value=False)


def test_names_are_suggested_while_typing_and_chosen_by_keyboard(tab, url):
    tab.width(360)
    tab.open(f"{url}/search")
    tab.value("document.querySelector('#q').focus()")
    state = "[...['role', 'aria-expanded', 'aria-controls', 'aria-autocomplete', 'aria-activedescendant'].map(name => document.querySelector('#q').getAttribute(name))]"
    assert tab.value(state) == ["combobox", "false", "suggestions", "list", None]
    tab.ask("Input.insertText", text="福州市鼓楼区甜")
    assert tab.until("document.querySelectorAll('#suggestions [role=option]').length") == 1
    assert tab.value("document.querySelector('#suggestions').innerText").split("\n") == [
        "福州市鼓楼区甜果培训中心有限公司（标记）",
        "福建省福州市鼓楼区",
    ]
    assert tab.value("document.querySelector('[role=status]').textContent") == "有 1 条提示，按上下键选择。"
    assert tab.value("document.documentElement.scrollWidth <= window.innerWidth")
    tab.key("ArrowDown")
    assert tab.value(state) == ["combobox", "true", "suggestions", "list", "suggestion-0"]
    assert tab.value("document.querySelector('#suggestion-0').getAttribute('aria-selected')") == "true"
    tab.key("Escape")
    assert tab.value(state)[1] == "false"
    tab.key("ArrowDown")  # opens it again
    assert tab.until("document.querySelector('#q').getAttribute('aria-expanded') === 'true'")
    tab.key("ArrowUp")
    tab.events = []
    tab.key("Enter", "\r")
    tab.wait("Page.loadEventFired")
    assert tab.value("location.pathname") == f"/institutions/{SWEET}"


def test_a_late_suggestion_never_takes_the_place_of_a_newer_one(tab, url):
    tab.open(f"{url}/search")
    tab.value(LATE)
    tab.value("document.querySelector('#q').focus()")
    tab.ask("Input.insertText", text="甲")
    assert tab.until("window.asked.length") == 1
    tab.ask("Input.insertText", text="乙")
    assert tab.until("window.asked.length > 1 && window.asked.length") == 2
    tab.value("window.asked[1].give(); window.asked[0].give()")  # the first answer comes last
    assert tab.until("document.querySelector('#suggestions').innerText") == "甲乙"
    assert tab.value("window.asked.map(each => each.signal.aborted)") == [True, False]


def test_a_page_is_seen_as_of_a_day_without_a_script(tab, url):
    tab.ask("Emulation.setScriptExecutionDisabled", value=True)
    tab.open(f"{url}/institutions/{SWEET}")
    tab.value("document.querySelector('#as_of').value = '2026-11-21'")
    tab.click("form.then button")
    assert tab.value("location.pathname + location.search") == f"/institutions/{SWEET}?as_of=2026-11-21"
    assert f"您看的是 {OLD} 版本" in tab.value("document.body.innerText")
    tab.ask("Emulation.setScriptExecutionDisabled", value=False)


def test_nothing_that_a_source_wrote_runs_or_turns_the_text_around(tab, url):
    tab.ask("Emulation.setScriptExecutionDisabled", value=False)
    for path in (f"/institutions/{SHADY}", "/search?q=恶意", "/data", "/mingbai/institutions", f"/mingbai/institutions/{SHADY}"):
        tab.open(f"{url}{path}")
        assert not [event for event in tab.events if event.get("method") == "Page.javascriptDialogOpening"]
        assert tab.value("[...document.links].filter(a => a.protocol === 'javascript:').length") == 0
        assert tab.value("[...document.scripts].filter(it => !it.src.startsWith(location.origin + '/static/')).length") == 0
        assert "\u202e" not in tab.value("document.body.innerText")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(tab, url, scheme):
    tab.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    tab.width(360)
    for path in PAGES:
        tab.open(f"{url}{path}")
        assert tab.value(CONTRAST) == [], path


# Answers of the server come when the test says so, and tell what was asked for.
LATE = """(() => {
  window.asked = [];
  window.fetch = (to, { signal }) => new Promise((give) => window.asked.push({ signal, give: () => give(new Response(
    JSON.stringify({ suggestions: [{ text: new URL(to, location).searchParams.get("q"), id: null, url: null }] }))) }));
})()"""

# Every element with a text of its own: the contrast of its colour to the first ground below it that is not transparent (WCAG 2.2, 1.4.3: 4.5).
CONTRAST = """(() => {
  const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(Number).map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
  const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!/, 0\\)$/.test(c)) return c; } return 'rgb(255, 255, 255)'; };
  return [...document.body.querySelectorAll('*')]
    .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && e.checkVisibility())
    .map(e => { const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x); return [e.tagName, e.textContent.trim().slice(0, 20), (a + .05) / (b + .05)]; })
    .filter(([, , ratio]) => ratio < 4.5);
})()"""
