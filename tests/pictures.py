"""`python tests/pictures.py`: the pictures of README anew, of a site of the reference platform: a desktop and a phone beside each other."""

import base64
import json
import shutil
import sqlite3
import struct
import sys
import tempfile
import zlib
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import numpy as np

from tab import Tab, browsing, serving

ROOT = Path(__file__).resolve().parent.parent
HEIGHT = 800
SIDES = {"desktop": 1000, "phone": 380}
SHEET = """<!DOCTYPE html><meta charset="utf-8"><style>
body { margin: 0; display: flex; gap: 20px; padding: 20px; background: #dce1e3; width: max-content; } img { box-shadow: 0 0 6px #0003; display: block; }
</style>"""

PIXELS = """(async () => {
  const image = new Image(); image.src = "data:image/png;base64," + %s; await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d"); canvas.drawImage(image, 0, 0);
  const { data } = canvas.getImageData(0, 0, image.width, image.height); let text = "";
  for (let at = 0; at < data.length; at += 32768) text += String.fromCharCode(...data.subarray(at, at + 32768));
  return { size: [image.width, image.height], data: btoa(text) };
})()"""


def taken(tab: Tab, url: str, width: int, scheme: str) -> bytes:
    """What a window of that width shows of a page at first."""
    tab.ask("Emulation.setDeviceMetricsOverride", width=width, height=HEIGHT, deviceScaleFactor=1, mobile=width < 500)
    tab.scheme(scheme)
    tab.open(url)
    return shot(tab)


def of_few_colours(tab: Tab, picture: bytes) -> bytes:
    """A PNG of the 256 colours that most of it has, a third as large: the others are edges of letters."""
    raw = tab.wait_for(PIXELS % json.dumps(base64.b64encode(picture).decode()))
    wide, high = raw["size"]
    pixels = np.frombuffer(base64.b64decode(raw["data"]), np.uint8).reshape(-1, 4)[:, :3]
    colours, which, often = np.unique(pixels, axis=0, return_inverse=True, return_counts=True)
    kept = colours[np.argsort(-often)[:256]].astype(int)
    nearest = np.array([np.abs(kept - colour).sum(axis=1).argmin() for colour in colours.astype(int)], np.uint8)
    rows = b"".join(b"\0" + row.tobytes() for row in nearest[which.ravel()].reshape(high, wide))

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", wide, high, 8, 3, 0, 0, 0)) + chunk(b"PLTE", kept.astype(np.uint8).tobytes())
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


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
        rows = """SELECT i.id, i.name, i.region_code FROM notice_links k JOIN institutions i ON i.id = k.institution_id JOIN notices n ON n.id = k.notice_id JOIN ratings r ON r.institution_id = i.id JOIN listings l ON l.institution_id = i.id AND l.list = 'white'
            WHERE n.state = 'active' AND r.rating_count > 9 AND i.credit_code IS NOT NULL ORDER BY n.decided_on DESC, n.id"""
        institution, name, region = connection.execute(rows).fetchone()
    return {
        "site": ("/", f"/institutions/{institution}", "light"),
        "region": (f"/regions/{region[:2]}0000", f"/en/search?q={quote(name)}", "light"),
        "dark": (f"/institutions/{institution}", f"/regions/{region[:2]}0000", "dark"),
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
            tab.ask("Emulation.setScrollbarsHidden", hidden=True)
            for name, (wide, narrow, scheme) in pages(home).items():
                pair = [taken(tab, url + path, width, scheme) for path, width in zip((wide, narrow), SIDES.values(), strict=True)]
                (ROOT / ".readme" / f"{name}.png").write_bytes(of_few_colours(tab, beside(tab, pair)))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
