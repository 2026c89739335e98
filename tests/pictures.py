"""`python tests/pictures.py`: the pictures of README anew, of a site of the reference platform: a desktop and a phone beside each other."""

import base64
import shutil
import sqlite3
import sys
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from tab import Tab, browsing, serving

ROOT = Path(__file__).resolve().parent.parent
HEIGHT = 800
SIDES = {"desktop": 1000, "phone": 400}
SHEET = """<!DOCTYPE html><meta charset="utf-8"><style>
body { margin: 0; display: flex; gap: 20px; padding: 20px; background: #dce1e3; width: max-content; } img { box-shadow: 0 0 6px #0003; display: block; }
</style>"""


def taken(tab: Tab, url: str, width: int, scheme: str) -> bytes:
    """What a window of that width shows of a page at first."""
    tab.ask("Emulation.setDeviceMetricsOverride", width=width, height=HEIGHT, deviceScaleFactor=1, mobile=width < 500)
    tab.scheme(scheme)
    tab.open(url)
    return shot(tab)


def shot(tab: Tab) -> bytes:
    return base64.b64decode(tab.ask("Page.captureScreenshot", format="png")["data"])


def beside(tab: Tab, pictures: list[bytes]) -> bytes:
    """Pictures in a row."""
    images = "".join(f'<img src="data:image/png;base64,{base64.b64encode(one).decode()}">' for one in pictures)
    wide = sum(SIDES.values()) + 60
    tab.ask("Emulation.setDeviceMetricsOverride", width=wide, height=HEIGHT + 40, deviceScaleFactor=1, mobile=False)
    tab.open("about:blank")
    frame = tab.ask("Page.getFrameTree")["frameTree"]["frame"]["id"]
    tab.ask("Page.setDocumentContent", frameId=frame, html=SHEET + images)
    tab.until("[...document.images].every(it => it.complete)")
    return shot(tab)


def pages(home: Path) -> dict[str, tuple[str, str, str]]:
    """Each picture: a page on a desktop, one on a phone, and the scheme."""
    with closing(sqlite3.connect(f"file:{home / 'current' / 'mingbai.db'}?mode=ro&immutable=1", uri=True)) as connection:
        rows = """SELECT i.id, i.name, n.id FROM notice_links k JOIN institutions i ON i.id = k.institution_id JOIN notices n ON n.id = k.notice_id JOIN ratings r ON r.institution_id = i.id
            WHERE n.state = 'active' AND r.rating_count > 9 AND i.credit_code IS NOT NULL ORDER BY n.decided_on DESC, n.id"""
        institution, name, _ = connection.execute(rows).fetchone()
    return {
        "site": ("/", f"/institutions/{institution}", "light"),
        "desk": ("/changes", f"/en/search?q={quote(name)}", "light"),
    }


def main() -> None:
    """Write them."""
    sys.path.append(str(ROOT / "tests" / "bench"))
    from bench.serving import made

    folder = Path(tempfile.mkdtemp(prefix="mingbai-pictures-"))
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    try:
        home = made(folder / "home", 3_000)
        with serving(home, ROOT, datetime.now(UTC)) as url, browsing(chromium, folder / "profile") as tab:
            for name, (wide, narrow, scheme) in pages(home).items():
                pair = [taken(tab, url + path, width, scheme) for path, width in zip((wide, narrow), SIDES.values(), strict=True)]
                (ROOT / ".readme" / f"{name}.png").write_bytes(beside(tab, pair))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
