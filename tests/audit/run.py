"""`make audit`: a site of the reference platform on loopback, looked over by pa11y (axe and htmlcs) and Lighthouse, as whoever runs a site would.

Needs Node 20 or later and Chromium; the tools are locked in package-lock.json. The tests look with axe-core and the Nu HTML Checker themselves, and need no Node.
"""

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TOOLS = ROOT / ".venv" / "audit"
SERVE = "import sys; from pathlib import Path; from publish.web.server import serve; serve(Path(sys.argv[1]), '127.0.0.1', int(sys.argv[2]), base_url=sys.argv[3])"


def page(name: str, path: str, *, lighthouse: bool = False, hidden: bool = False) -> dict[str, object]:
    return {"name": name, "path": path, "lighthouse": lighthouse, "hidden": hidden}


def pages(home: Path) -> list[dict[str, object]]:
    """What is looked at, in both languages."""
    with closing(sqlite3.connect(f"file:{home / 'current' / 'mingbai.db'}?mode=ro&immutable=1", uri=True)) as connection:
        linked = "SELECT i.id, i.name, n.id, i.region_code FROM notice_links k JOIN institutions i ON i.id = k.institution_id JOIN notices n ON n.id = k.notice_id WHERE n.state = 'active' AND n.public_until > date('now') ORDER BY n.decided_on DESC, n.id"
        institution, name, notice, region = connection.execute(linked).fetchone()
    found = []
    for prefix, lang in (("", ""), ("/en", " in English")):
        for title, path in (
            ("notice", f"/notices/{notice}"), ("notices", "/notices"), ("not found", f"/search?q={quote('不存在的名称')}"), ("verify", f"/verify?name={quote(name)}"),
            ("changes", "/changes"), ("feeds", "/feeds"), ("a feed", "/feeds/notices"), ("status", "/status"), ("no such page", "/nothing"),
            ("a table", "/mingbai/institutions"), ("a row", f"/mingbai/institutions/{institution}"), ("SQL", f"/mingbai?sql={quote('select * from notices')}"),
        ):  # fmt: skip
            found.append(page(title + lang, prefix + path))
        found.append(page("start" + lang, f"{prefix}/", lighthouse=True))
        found.append(page("result" + lang, f"{prefix}/search?q={quote(name[-8:])}", lighthouse=True, hidden=True))
        found.append(page("institution" + lang, f"{prefix}/institutions/{institution}", lighthouse=True))
        found.append(page("data" + lang, f"{prefix}/data", lighthouse=True))
        found.append(page("region" + lang, f"{prefix}/regions/{region}", lighthouse=True))
    return found


def main() -> int:
    """0 where nothing is to be mended."""
    sys.path.append(str(HERE.parent))
    sys.path.insert(0, str(HERE.parent / "bench"))  # whose run.py makes the release, and not this one
    from bench.serving import made

    TOOLS.mkdir(parents=True, exist_ok=True)
    for file in ("package.json", "package-lock.json", ".npmrc", "audit.mjs"):
        shutil.copy(HERE / file, TOOLS / file)
    subprocess.run(["npm", "ci", "--silent"], cwd=TOOLS, check=True, env={**os.environ, "PUPPETEER_SKIP_DOWNLOAD": "1"})
    folder = Path(tempfile.mkdtemp(prefix="mingbai-audit-"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    server = None
    try:
        home = made(folder / "home", 2_000)
        server = subprocess.Popen([sys.executable, "-c", SERVE, str(home), str(port), address], cwd=ROOT)
        for _ in range(100):
            try:
                urlopen(f"{address}/status.json", timeout=5).close()
                break
            except URLError:
                time.sleep(0.1)
        chosen = [one for one in pages(home) if not sys.argv[1:] or any(word in str(one["name"]) for word in sys.argv[1:])]
        return subprocess.run(["node", "audit.mjs", address, json.dumps(chosen)], cwd=TOOLS).returncode
    finally:
        if server:
            server.terminate()
            server.wait(20)
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
