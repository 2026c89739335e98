"""A release that is not to the byte what was signed is found out, however it was altered, and each fault is one line with file, found and expected."""

import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from random import Random
from stat import S_IFMT, S_IFREG, S_ISDIR, S_ISREG

import pytest
from click.testing import CliRunner

from publish.cli import main
from publish.errors import BadDeclaration, BadHome, BadKey, SourceBroken, SourceUnavailable
from publish.home import LINKS, SIGNATURE, SUMS, Home, as_json, write_whole
from publish.minisign import SecretKey
from publish.places import LIMIT, Folder
from publish.release import close, file_sha256
from publish.served import place
from publish.signing import Signing, sign, sums
from publish.verified import Verified, verify
from publish.vouching import revoke, rotate
from signed import DAYS, a_home, a_key, issue_anew, lay, saved

LEAKED, ONE, TWO, MALLORY = map(a_key, (1, 2, 3, 4))
ON = "2026-11-09"
OTHERS = ("mingbai.db", "search/index.db", "tombstones.json", "downloads/notices.csv.gz", "downloads/机构 1.xlsx")


def make(folder: Path) -> Home:
    """Five releases: the first key leaked and its are signed anew, the second was replaced; the second release was issued anew since."""
    home = a_home(folder / "home", LEAKED, DAYS[:1])
    steps = [
        rotate(home, Signing(saved(folder, LEAKED)), saved(folder, ONE), ON),
        revoke(home, Signing(saved(folder, ONE)), LEAKED.public.id, "leaked", ON),
    ]
    for said in steps:
        list(said)
    for before, day in pairwise(DAYS[:4]):
        lay(home, day, ONE, before)
    list(rotate(home, Signing(saved(folder, ONE)), saved(folder, TWO), ON))
    issue_anew(home, DAYS[1], TWO)
    lay(home, DAYS[4], TWO, DAYS[3])
    return home


def checked(path: Path, key: SecretKey | None = TWO) -> Verified:
    return verify(Folder(path), key.public if key else None)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The same for every test that alters a copy of it."""
    return make(tmp_path_factory.mktemp("verified"))


@pytest.fixture
def copy(home: Home, tmp_path: Path) -> Home:
    shutil.copytree(home.path, tmp_path / "home", symlinks=True)
    return Home(tmp_path / "home")


@pytest.mark.parametrize("day", range(5))
@pytest.mark.parametrize("key", [ONE, TWO, None])
def test_what_was_signed_is_verified_back_to_the_first_release(home: Home, day: int, key: SecretKey | None) -> None:
    found = checked(home.releases / DAYS[day], key)
    assert (found.faults, found.chain) == ((), tuple(reversed(DAYS[:day])))
    assert (found.release, found.files) == (DAYS[day], 5)
    assert found.key == (TWO if day in (1, 4) else ONE).public.id
    assert bool(found.notes) == (key is None), "without a key from elsewhere it is said which was taken"


# -- a thousand alterations ----------------------------------------------------------------------------------------------


def _flip(chance: Random, path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


def _cut(chance: Random, path: Path) -> None:
    path.write_bytes(path.read_bytes()[: chance.randrange(path.stat().st_size)])


def _grow(chance: Random, path: Path) -> None:
    path.write_bytes(path.read_bytes() + chance.randbytes(chance.randint(1, 9)))


def _of_another_release(chance: Random, home: Home, day: str) -> None:
    other = chance.choice([name for name in DAYS if name != day])
    for name in chance.choice([LINKS, LINKS[:1], LINKS[1:2], LINKS[2:], (LINKS[0], LINKS[2]), (*LINKS, *OTHERS)]):
        shutil.copyfile(home.releases / other / name, home.releases / day / name)


def _swapped(chance: Random, home: Home, day: str) -> None:
    one, two = (home.releases / day / name for name in chance.sample([*LINKS, *OTHERS], 2))
    data = one.read_bytes()
    shutil.copyfile(two, one)
    two.write_bytes(data)


def _signed_by_another(chance: Random, home: Home, day: str) -> None:
    """Whole, and by a key that is nobody's, that leaked, or that was replaced before."""
    _flip(chance, home.releases / day / chance.choice(OTHERS))
    key = chance.choice([MALLORY, LEAKED, *([ONE] if day == DAYS[4] else []), SecretKey(TWO.public, MALLORY.seed)])
    close(home.releases / day, home.manifest(day), key)


def _added(chance: Random, home: Home, day: str) -> None:
    path = (
        home.releases
        / day
        / chance.choice(["more", "downloads/more", ".hidden", "new/file", "manifest.json.bak", "downloads/manifest.json", "link"])
    )
    path.parent.mkdir(exist_ok=True)
    if path.name == "link":
        path.symlink_to(chance.choice(["mingbai.db", "/etc/hostname", "../.."]))
    else:
        path.write_bytes(chance.randbytes(chance.randrange(3)))


def _missing(chance: Random, home: Home, day: str) -> None:
    (home.releases / day / chance.choice([*LINKS, *OTHERS])).unlink()


def _instead(chance: Random, home: Home, day: str) -> None:
    """Something that is no file, though what it leads to is right."""
    path = home.releases / day / chance.choice([*LINKS, *OTHERS])
    path.rename(home.path / "elsewhere")
    chance.choice([Path.mkdir, os.mkfifo, lambda it: it.symlink_to(home.path / "elsewhere")])(path)


def _climbs(chance: Random, home: Home, day: str) -> None:
    """A path that leads out, to a file that is what the manifest says, signed by the right key."""
    folder, said = home.releases / day, home.manifest(day)
    (home.path / "outside").write_bytes(b"x")
    name = chance.choice(
        ["../../outside", "downloads/../../../outside", str(home.path / "outside"), "./tombstones.json", "a//b", "..", "", "a\\b", "a\nb"]
    )
    said["files"][name] = {"sha256": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", "size": 1}
    write_whole(folder / "manifest.json", as_json(said))
    write_whole(folder / SUMS, sums(said, as_json(said)))
    sign(folder, TWO)


def _earlier(chance: Random, home: Home, day: str) -> None:
    """The chain: a release before it is another one."""
    before = DAYS[chance.randrange(DAYS.index(day))]
    folder, manifest = home.releases / before, home.manifest(before)
    how = chance.randrange(4)
    if how == 1 and "reissues" in manifest:
        how = 2  # whoever has the key can issue it anew once more: that is no alteration
    if how == 0:
        chance.choice([_flip, _cut, _grow])(chance, folder / chance.choice([LINKS[0], SIGNATURE]))
    elif how == 1:
        (folder / "mingbai.db").write_bytes(b"another")
        close(folder, manifest, chance.choice([ONE, TWO]))  # which supersedes nothing
    elif how == 2:
        said = {**manifest, "reissues": [{"supersedes": home.manifest(day)["previous_manifest"]}, *manifest.get("reissues", [])], "more": 1}
        close(folder, said, chance.choice([MALLORY, LEAKED]))
    else:
        other = chance.choice([name for name in DAYS if name != before])
        for name in LINKS:
            shutil.copyfile(home.releases / other / name, folder / name)


def _bytes(chance: Random, home: Home, day: str) -> None:
    path = chance.choice([home.releases / day / name for name in (*LINKS, *LINKS, *OTHERS)] + [home.keys])
    chance.choice([_flip, _flip, _flip, _cut, _grow])(chance, path)


ALTERATIONS = (_bytes, _bytes, _bytes, _of_another_release, _swapped, _signed_by_another, _added, _missing, _instead, _climbs, _earlier)


def _stat(path: Path) -> tuple[int, int, int]:
    """What kind of thing it is, and of a file what changes with it."""
    seen = path.lstat()
    return (S_IFMT(seen.st_mode), seen.st_mtime_ns, seen.st_size) if S_ISREG(seen.st_mode) else (S_IFMT(seen.st_mode), 0, 0)


def _put_back(home: Path, whole: dict[Path, tuple[tuple[int, int, int], bytes]]) -> None:
    """Everything as it was. What was not touched is not read."""
    for root, folders, files in os.walk(home, topdown=False):
        for path in (Path(root, name) for name in [*folders, *files]):
            was = whole.get(path)
            if was is None or was[0][0] != _stat(path)[0]:
                (path.rmdir if S_ISDIR(path.lstat().st_mode) else path.unlink)()
    for path, (was, data) in whole.items():
        if was[0] == S_IFREG and not (path.exists() and _stat(path) == was):
            path.write_bytes(data)
            whole[path] = _stat(path), data


def test_a_thousand_altered_files_manifests_and_signatures_are_all_found_out(copy: Home) -> None:
    whole = {path: (_stat(path), path.read_bytes() if path.is_file() else b"") for path in copy.path.rglob("*")}
    chance, missed, done = Random(20261123), [], dict.fromkeys(ALTERATIONS, 0)
    for number in range(1000):
        alter, day = chance.choice(ALTERATIONS), chance.choice([DAYS[2], DAYS[2], DAYS[2], DAYS[4]])
        alter(chance, copy, day)
        try:
            found: object = checked(copy.releases / day, chance.choice([ONE, TWO])).faults
        except (BadHome, BadKey) as error:
            found = error
        if not found:
            missed.append((number, alter.__name__, day))
        done[alter] += 1
        _put_back(copy.path, whole)
    assert not missed, missed
    assert min(done.values()) > 50
    assert checked(copy.releases / DAYS[4]).faults == ()


# -- each fault in its words ---------------------------------------------------------------------------------------------


def test_a_file_is_named_with_what_was_found_and_expected(copy: Home) -> None:
    folder = copy.releases / DAYS[4]
    (folder / "tombstones.json").write_bytes(b"x" * 81)
    (folder / "mingbai.db").write_bytes(b"short")
    (folder / "search/index.db").unlink()
    (folder / "more").touch()
    (folder / "empty").mkdir()
    expected = {name: f"sha256 {entry['sha256']}, {entry['size']} bytes" for name, entry in copy.manifest(DAYS[4])["files"].items()}
    size = copy.manifest(DAYS[4])["files"]["tombstones.json"]["size"]
    (folder / "tombstones.json").write_bytes(b"x" * size)
    faults = checked(folder).faults
    assert faults[0] == f"mingbai.db: 5 bytes; expected {expected['mingbai.db']}"
    assert faults[1] == f"search/index.db: is not there; expected {expected['search/index.db']}"
    assert faults[2].startswith("tombstones.json: sha256 ")
    assert faults[2].endswith(f"; expected {expected['tombstones.json']}")
    assert set(faults[3:]) == {f"{name}: is not named in the manifest; expected nothing else" for name in ("more", "empty")}


@pytest.mark.parametrize(
    ("alter", "fault"),
    [
        (lambda it: (it / SIGNATURE).unlink(), f"{SIGNATURE}: is not there; expected a signature by key {TWO.public.id}"),
        (lambda it: (it / SIGNATURE).write_bytes(b"\xff"), f"{SIGNATURE}: is no text of minisign's; expected a signature"),
        (lambda it: (it / SIGNATURE).write_bytes(b"x" * 5000), f"{SIGNATURE}: 5,000 bytes, more than 4,096; expected a signature"),
        (lambda it: shutil.copyfile(it.parent / DAYS[1] / SIGNATURE, it / SIGNATURE), f"{SIGNATURE}: is not of manifest.json; expected what key"),
        (lambda it: close(it, {"id": DAYS[4]}, ONE), f"{SIGNATURE}: is by key {ONE.public.id}, which counts until release {DAYS[3]}; expected"),
        (lambda it: close(it, {"id": DAYS[4]}, LEAKED), f"{SIGNATURE}: is by key {LEAKED.public.id}, which is revoked as leaked"),
        (lambda it: close(it, {"id": DAYS[4]}, MALLORY), f"{SIGNATURE}: is by key {MALLORY.public.id}, which keys.json does not have"),
        (lambda it: close(it, {"id": DAYS[3]}, TWO), f"manifest.json: is of release {DAYS[3]}; expected {DAYS[4]}, where it lies"),
        (lambda it: (it / "manifest.json").write_text("<html>"), "manifest.json: is no manifest ("),
        (lambda it: (it / "manifest.json").write_text("[" * 100_000), "manifest.json: is no manifest ("),
        (lambda it: (it / SUMS).write_text("0 x\n"), f"{SUMS}: 0 x; expected "),
        (lambda it: (it / SUMS).unlink(), f"{SUMS}: is not there; expected the hashes of the manifest"),
        (lambda it: (it / SUMS).write_text("\x1b[2J\x1b[Hall is well\x1b[8m\r\u202e\n"), f"{SUMS}: \\x1b[2J\\x1b[Hall is well\\x1b[8m\\r\\u202e; expected "),
        (lambda it: (it / SUMS).write_text("x" * 100_000), f"{SUMS}: {'x' * 300}; expected "),
        (lambda it: (it / "a\x1b[8m").touch(), "a\\x1b[8m: is not named in the manifest"),
        (lambda it: close(it, {"id": DAYS[4], "keys": [{"id": "\x1b[8m"}]}, TWO), "keys.json: does not have key \\x1b[8m"),
        (lambda it: close(it, {"id": DAYS[4], "previous": DAYS[4], "previous_manifest": "0"}, TWO), f"manifest.json: names '{DAYS[4]}' as the release"),
        (lambda it: (it.parent.parent / "keys.json").write_text("{}"), "keys.json: has not the form of one; expected the file as it was signed"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_release_is_one_line(copy: Home, alter: Callable[[Path], object], fault: str) -> None:
    alter(copy.releases / DAYS[4])
    faults = checked(copy.releases / DAYS[4]).faults
    assert any(line.startswith(fault) for line in faults), faults
    assert all(line.isprintable() for line in faults)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (MALLORY, "does not have key 0404"),
        (LEAKED, "says that key 0101010101010101 is revoked as leaked; expected a key that came after it"),
    ],
)
def test_a_key_that_does_not_lead_to_the_one_that_signs_is_not_enough(home: Home, key: SecretKey, words: str) -> None:
    assert any(words in line for line in checked(home.releases / DAYS[4], key).faults)


def test_a_manifest_that_is_too_large_is_not_read(copy: Home) -> None:
    with open(copy.releases / DAYS[4] / "manifest.json", "wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(BadHome, match=f"1,073,741,824 bytes, more than {LIMIT:,}"):
        checked(copy.releases / DAYS[4])


@pytest.mark.parametrize("what", ["nowhere", "keys.json", "raw"])
def test_what_is_no_release_is_said(home: Home, what: str) -> None:
    with pytest.raises(BadHome, match=r"expected (that of )?a release|is no folder"), closing(place(str(home.path / what))) as there:
        verify(there, TWO.public)


def test_a_copy_alone_needs_the_key_and_says_what_it_could_not_follow(home: Home, tmp_path: Path) -> None:
    shutil.copytree(home.releases / DAYS[4], tmp_path / "some" / "copy")
    with pytest.raises(BadKey, match=r"is not beside the release, as where nobody signs.* give the publisher's public key with --key"):
        checked(tmp_path / "some" / "copy", None)
    found = checked(tmp_path / "some" / "copy")
    assert (found.faults, found.notes) == (
        (),
        (
            f"keys.json is not beside the release: whether key {TWO.public.id} was replaced or revoked is not known",
            f"release {DAYS[3]} is not here: the chain is followed back to {DAYS[4]}",
        ),
    )


@pytest.mark.parametrize("where", ["downloads", "releases"])
def test_keys_two_folders_up_are_those_of_a_home_and_nobody_elses(home: Home, tmp_path: Path, where: str) -> None:
    shutil.copytree(home.releases / DAYS[4], tmp_path / where / DAYS[4])
    shutil.copyfile(home.keys, tmp_path / "keys.json")
    if where == "downloads":
        with pytest.raises(BadKey, match="is not beside the release"):
            checked(tmp_path / where / DAYS[4], None)
    else:
        assert f"is what {tmp_path / 'keys.json'} says" in checked(tmp_path / where / DAYS[4], None).notes[0]


# -- what a later release says of it -------------------------------------------------------------------------------------


@pytest.fixture
def put_back(copy: Home, tmp_path: Path) -> Home:
    """The third release was issued anew, another came after that, and somebody put the earlier issue back."""
    shutil.copytree(copy.releases / DAYS[2], tmp_path / "old")
    issue_anew(copy, DAYS[2], TWO)
    lay(copy, "2026-11-06", TWO, DAYS[4])
    for name in (DAYS[2], DAYS[4], "2026-11-06"):
        assert checked(copy.releases / name).faults == ()
    shutil.rmtree(copy.releases / DAYS[2])
    shutil.copytree(tmp_path / "old", copy.releases / DAYS[2])
    return copy


def test_an_issue_that_was_superseded_is_convicted_by_every_release_that_was_signed_since(put_back: Home) -> None:
    its = f"manifest.json: is an issue that does not count since release 2026-11-06; expected one without what was withdrawn: delete this copy of {DAYS[2]} and fetch it again"
    assert checked(put_back.releases / DAYS[2]).faults == (its,)
    assert checked(put_back.releases / "2026-11-06").faults == (f"{DAYS[2]}/{its}",)
    (put_back.chain / DAYS[2]).mkdir(parents=True)
    for name in LINKS:
        shutil.copyfile(put_back.releases / DAYS[2] / name, put_back.chain / DAYS[2] / name)
    shutil.rmtree(put_back.releases / DAYS[2])
    assert checked(put_back.releases / "2026-11-06").faults == (f"{DAYS[2]}/{its}",)


def test_the_release_that_a_withdrawal_makes_says_which_issues_do_not_count_any_more(copy: Home) -> None:
    lay(copy, "2026-11-06", TWO, DAYS[4], superseded=[DAYS[2]])
    assert [line.split(";")[0] for line in checked(copy.releases / DAYS[2]).faults] == [
        "manifest.json: is an issue that does not count since release 2026-11-06"
    ]
    issue_anew(copy, DAYS[2], TWO)
    assert checked(copy.releases / DAYS[2]).faults == ()


def test_a_later_release_that_is_not_by_a_key_that_counts_has_no_say(copy: Home) -> None:
    lay(copy, "2026-11-06", MALLORY, DAYS[4], issued={DAYS[4]: "0" * 64})
    found = checked(copy.releases / DAYS[4])
    assert (found.faults, "does not count and is not asked" in found.notes[0]) == ((), True)


def test_keys_that_are_older_than_the_release_are_found_out(copy: Home, tmp_path: Path) -> None:
    old = copy.keys.read_bytes()
    list(rotate(copy, Signing(saved(tmp_path, TWO)), saved(tmp_path, MALLORY), ON))
    list(revoke(copy, Signing(saved(tmp_path, MALLORY)), TWO.public.id, "leaked", ON))
    lay(copy, "2026-11-06", MALLORY, DAYS[4])
    copy.keys.write_bytes(old)
    key = f"{MALLORY.public.id}; expected the one of release 2026-11-06 or of a later one"
    assert f"keys.json: does not have key {key}" in checked(copy.releases / "2026-11-06").faults
    copy.keys.unlink()
    leaked = (
        f"keys.json: is not there, and key {TWO.public.id} leaked; expected the one of release 2026-11-06, which says so, or of a later one"
    )
    assert leaked in checked(copy.releases / "2026-11-06").faults


# -- files that somebody has ---------------------------------------------------------------------------------------------


def test_files_count_by_what_is_in_them_and_not_by_what_they_are_called(copy: Home, tmp_path: Path) -> None:
    folder, mine = copy.releases / DAYS[4], tmp_path / "mine"
    index = {"files": {"notices.csv.gz": {"plain": {"name": "notices.csv", "bytes": 6, "sha256": hashlib.sha256(b"plain\n").hexdigest()}}}}
    (folder / "downloads" / "index.json").write_bytes(as_json(index))
    close(folder, copy.manifest(DAYS[4]), TWO)
    mine.mkdir()
    (mine / "notices.csv").write_bytes(b"plain\n")
    (mine / "明白-处罚公告.csv").write_bytes(b"plain\n")
    shutil.copyfile(folder / "downloads" / "notices.csv.gz", mine / f"mingbai-{DAYS[4]}-notices.csv.gz")

    def said(*names: str) -> tuple[int, list[str]]:
        found = CliRunner().invoke(main, ["verify-release", str(folder), *(str(mine / name) for name in names), "--key", TWO.public.line])
        return found.exit_code, found.stdout.replace(f"{mine}/", "").splitlines()

    three = "notices.csv", "明白-处罚公告.csv", f"mingbai-{DAYS[4]}-notices.csv.gz"
    code, lines = said(*three)
    assert (code, lines[:3]) == (
        0,
        [f"{name}: is notices.csv{'.gz' if name.endswith('gz') else ''} of release {DAYS[4]}" for name in three],
    )
    assert lines[3].startswith(f"release {DAYS[4]}: signed by key {TWO.public.id}; 3 files are of it")
    (mine / "mingbai.db").write_bytes(b"plain\n")
    assert said("mingbai.db") == (1, [f"mingbai.db: is notices.csv of release {DAYS[4]}; expected mingbai.db, as it is called"])
    for name in three:
        (mine / name).write_bytes(b"forged")
        code, lines = said(*three)
        assert (code, [line.startswith(f"{name}: sha256 ") for line in lines].count(True)) == (1, 1)
        (mine / name).write_bytes(b"plain\n")
    assert said("nothing.csv")[1][0].startswith("nothing.csv: is not there; expected a file of release")


def test_releases_that_are_no_longer_kept_do_not_break_the_chain(copy: Home) -> None:
    for day in DAYS[1:4]:
        (copy.chain / day).mkdir(parents=True)
        for name in LINKS:
            shutil.copyfile(copy.releases / day / name, copy.chain / day / name)
        shutil.rmtree(copy.releases / day)
    assert checked(copy.releases / DAYS[4]).chain == tuple(reversed(DAYS[:4]))
    (copy.chain / DAYS[2] / "manifest.json").write_bytes((copy.chain / DAYS[3] / "manifest.json").read_bytes())
    assert f"{DAYS[2]}/manifest.json: is of release {DAYS[3]}; expected {DAYS[2]}" in checked(copy.releases / DAYS[4]).faults


def test_an_unsigned_release_is_vouched_for_by_the_hash_in_the_next_and_not_once_it_was_issued_anew(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", ONE)
    lay(home, DAYS[3], None, DAYS[2])
    lay(home, DAYS[4], ONE, DAYS[3])
    assert checked(home.releases / DAYS[4], ONE).faults == ()
    assert checked(home.releases / DAYS[3], ONE).faults == (f"{SIGNATURE}: is not there; expected a signature by key {ONE.public.id}",)
    issue_anew(home, DAYS[3], None)
    assert checked(home.releases / DAYS[4], ONE).faults == (
        f"{DAYS[3]}/{SIGNATURE}: is not there; expected a signature by key {ONE.public.id}",
    )


# -- at an address -------------------------------------------------------------------------------------------------------


class Quiet(SimpleHTTPRequestHandler):
    """A folder as a site serves releases: /data/latest/ leads to the newest; what `answers` has is answered so."""

    answers: dict[str, tuple[int, dict[str, str], bytes]] = {}  # noqa: RUF012

    def do_GET(self) -> None:
        if self.path in self.answers:
            status, headers, body = self.answers[self.path]
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
        elif self.path.startswith("/data/latest/"):
            self.send_response(302)
            self.send_header("Location", self.path.replace("latest", DAYS[4]))
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site(home: Home, tmp_path: Path) -> Iterator[tuple[str, dict[str, tuple[int, dict[str, str], bytes]], Path]]:
    """The address of a site with the home's releases under /data/, what it is to answer otherwise, and its folder."""
    shutil.copytree(home.releases, tmp_path / "data")
    shutil.copyfile(home.keys, tmp_path / "data" / "keys.json")
    handler = type("Handler", (Quiet,), {"answers": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(tmp_path)))  # type: ignore[arg-type]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", handler.answers, tmp_path / "data"  # type: ignore[attr-defined]
    server.shutdown()
    thread.join()
    server.server_close()


def fetched(url: str, key: SecretKey | None = TWO) -> Verified:
    with closing(place(url)) as there:
        return verify(there, key.public if key else None)


@pytest.mark.parametrize("path", [f"/data/{DAYS[4]}/", f"/data/{DAYS[4]}", "/data/latest/", f"/data/{DAYS[4]}/manifest.json"])
def test_a_release_is_verified_where_it_is_served(site: tuple[str, dict[str, object], Path], path: str) -> None:
    found = fetched(site[0] + path)
    assert (found.faults, found.notes, found.release) == ((), (), DAYS[4])
    assert (found.files, found.chain) == (3, tuple(reversed(DAYS[:4])))  # mingbai.db and downloads/, whatever their names


def test_how_old_the_newest_release_is_is_said_where_it_is_asked_for(site: tuple[str, dict[str, object], Path]) -> None:
    def said(path: str, *more: str, day: str = "2026-11-14") -> tuple[int, str]:
        asked = ["--now", f"{day}T23:59:00+08:00", "verify-release", site[0] + path, "--key", TWO.public.line, *more]
        found = CliRunner().invoke(main, asked)
        return found.exit_code, found.output

    note = f"note: the newest release here is {DAYS[4]}, 9 days old: whether there is a newer one no signature shows\n"
    for path in ("/data/latest", "/data/latest/", "/data/latest/manifest.json"):
        assert [said(path)[0], said(path)[1].startswith(note)] == [0, True]
    assert "newest release here" not in said(f"/data/{DAYS[4]}/")[1]
    assert said("/data/latest/", "--not-older-than", "9")[0] == 0
    code, output = said("/data/latest/", "--not-older-than", "8")
    assert (code, f"manifest.json: is of {DAYS[4]}, 9 days ago; expected at most 8 days: ask" in output) == (1, True)
    code, output = said("/data/latest/", day="2026-11-04")
    assert (code, "-1 day" in output, output.startswith(f"note: release {DAYS[4]} is of a day to come by this machine's clock")) == (
        0,
        False,
        True,
    )


def test_what_is_served_otherwise_is_found_out_and_what_is_withheld_is_said(site: tuple[str, dict[str, object], Path]) -> None:
    address, answers, folder = site
    answers[f"/data/{DAYS[4]}/mingbai.db"] = (503, {"Retry-After": "3600"}, b"")
    answers[f"/data/{DAYS[4]}/downloads/notices.csv.gz"] = (410, {}, b"")
    found = fetched(f"{address}/data/{DAYS[4]}/")
    assert (found.faults, found.files) == ((), 1)
    assert found.unread == (
        "downloads/notices.csv.gz: could not be read (status 410) and is not verified",
        "mingbai.db: could not be read (status 503) and is not verified",
    )
    answers[f"/data/{DAYS[4]}/downloads/notices.csv.gz"] = (404, {}, b"")
    (folder / DAYS[4] / "downloads" / "机构 1.xlsx").write_bytes(b"other")
    first, second = fetched(f"{address}/data/{DAYS[4]}/").faults
    assert first.startswith("downloads/notices.csv.gz: is not there; expected sha256 ")
    assert second.startswith(
        "downloads/机构 1.xlsx: sha256 d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa, 5 bytes; expected"
    )


@pytest.mark.parametrize("status", [410, 429, 500, 503])
def test_what_was_not_read_is_never_well(site: tuple[str, dict[str, object], Path], status: int) -> None:
    address, answers, _ = site
    for name in ("mingbai.db", "downloads/notices.csv.gz", "downloads/%E6%9C%BA%E6%9E%84%201.xlsx"):
        answers[f"/data/{DAYS[4]}/{name}"] = (status, {"Retry-After": "9999"}, b"")
    found = CliRunner().invoke(main, ["verify-release", f"{address}/data/{DAYS[4]}/", "--key", TWO.public.line])
    assert (found.exit_code, found.stdout.count("could not be read"), "what was signed" in found.output) == (3, 3, False)
    assert "3 of 3 files could not be read and are not verified" in found.stderr


def test_a_file_is_read_to_the_size_that_it_has_and_others_are_verified_all_the_same(site: tuple[str, dict[str, object], Path]) -> None:
    address, answers, folder = site
    answers[f"/data/{DAYS[4]}/downloads/notices.csv.gz"] = (200, {}, bytes(200_000))
    (folder / DAYS[4] / "mingbai.db").write_bytes(b"other")
    first, second = fetched(f"{address}/data/{DAYS[4]}/").faults
    assert first.startswith("downloads/notices.csv.gz: more than 108 bytes; expected")
    assert second.startswith("mingbai.db: ")


def test_at_an_address_the_keys_have_to_be_there(site: tuple[str, dict[str, object], Path]) -> None:
    address, _, folder = site
    (folder / "keys.json").unlink()
    assert fetched(f"{address}/data/{DAYS[4]}/").faults[:1] == (
        f"keys.json: is not there, and whether key {TWO.public.id} was replaced or revoked is not known; expected the keys, which a site that signs gives out",
    )


def test_the_newest_release_of_a_site_convicts_an_earlier_issue(
    put_back: Home, site: tuple[str, dict[str, tuple[int, dict[str, str], bytes]], Path]
) -> None:
    address, answers, folder = site
    shutil.rmtree(folder)
    shutil.copytree(put_back.releases, folder)
    shutil.copyfile(put_back.keys, folder / "keys.json")
    answers["/data/latest/manifest.json"] = (302, {"Location": "/data/2026-11-06/manifest.json"}, b"")
    assert [line.split(";")[0] for line in fetched(f"{address}/data/{DAYS[2]}/").faults] == [
        "manifest.json: is an issue that does not count since release 2026-11-06"
    ]
    answers["/data/latest/manifest.json"] = (500, {"Retry-After": "9999"}, b"")
    found = fetched(f"{address}/data/{DAYS[2]}/")
    assert (found.faults, "could not be read" in found.notes[0]) == ((), True)


def test_no_address_but_the_given_one_is_asked(site: tuple[str, dict[str, object], Path]) -> None:
    address, answers, _ = site
    for where in (
        "http://127.0.0.1:1/manifest.json",
        "http://localhost/manifest.json",
        "//example.org/manifest.json",
        "file:///etc/hostname",
    ):
        answers[f"/data/{DAYS[4]}/manifest.json"] = (302, {"Location": where}, b"")
        with pytest.raises(SourceBroken, match="redirects to"):
            fetched(f"{address}/data/{DAYS[4]}/")
    for where in ("http://user:word@127.0.0.1/data/2026-11-01/", "http:///x", "http://127.0.0.1:99999/x"):
        with pytest.raises(BadDeclaration):
            fetched(where)


def test_an_address_that_is_no_release_is_said(site: tuple[str, dict[str, object], Path]) -> None:
    address, answers, _ = site
    with pytest.raises(BadHome, match=r"has no manifest\.json; expected a release, such as https"):
        fetched(f"{address}/data/2026-01-01/")
    answers["/data/x/manifest.json"] = (500, {"Retry-After": "9999"}, b"")
    with pytest.raises(SourceUnavailable, match="status 500"):
        fetched(f"{address}/data/x/")
    answers["/data/x/manifest.json"] = (200, {}, b"<!doctype html>")
    answers["/data/keys.json"] = (200, {}, b"x" * (2 << 20))
    faults = fetched(f"{address}/data/x/").faults
    assert [line.partition(":")[0] for line in faults] == ["manifest.json", "keys.json", SIGNATURE]
    assert "2,097,152 bytes, more than 1,048,576" in faults[1]


class Endless(BaseHTTPRequestHandler):
    """A manifest of a gibibyte."""

    sent = 0

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(1 << 30))
        self.end_headers()
        try:
            for _ in range(1 << 10):
                self.wfile.write(bytes(1 << 20))
                type(self).sent += 1 << 20
        except OSError:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


def test_a_manifest_without_end_is_not_read_to_its_end() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endless)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        with pytest.raises(BadHome, match=f"more than {LIMIT:,} bytes"):
            fetched(f"http://127.0.0.1:{server.server_port}/data/{DAYS[4]}/")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert Endless.sent < 100 << 20


# -- what a person types -------------------------------------------------------------------------------------------------


def test_the_command_says_all_is_well_or_each_fault(copy: Home, tmp_path: Path) -> None:
    folder, public = copy.releases / DAYS[4], tmp_path / "key.pub"
    public.write_text(TWO.public.text)
    for key in (TWO.public.line, str(public)):
        found = CliRunner().invoke(main, ["verify-release", str(folder), "--key", key])
        assert (found.exit_code, found.output) == (
            0,
            f"release {DAYS[4]}: signed by key {TWO.public.id}; 5 files are what was signed, and the chain of 4 earlier releases back to {DAYS[0]}\n"
            f"next time: --after {DAYS[4]}:{file_sha256(folder / 'manifest.json')}\n",
        )
    (folder / "mingbai.db").write_bytes(b"")
    found = CliRunner().invoke(main, ["verify-release", str(folder)])
    assert (found.exit_code, found.stdout.split(":")[0], found.stdout.split("\n")[1].split(":")[0]) == (1, "note", "mingbai.db")
    assert "is not what was signed: 1 fault; do not use it" in found.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nowhere"], 2, "is no folder"),
        ([".", "--key", "RWQnonsense"], 7, "is no public key of minisign's"),
        ([".", "--key", "/etc"], 7, "is no public key"),
        (["http://127.0.0.1:1/data/x/", "--key", TWO.public.line], 3, "refused"),
        (["https://"], 2, "is not http"),
    ],
)
def test_what_cannot_be_verified_ends_with_its_code(arguments: list[str], code: int, words: str) -> None:
    found = CliRunner().invoke(main, ["verify-release", *arguments])
    assert (found.exit_code, words in found.stderr) == (code, True), found.stderr
