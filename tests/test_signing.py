"""Releases by real runs are signed, and stay verifiable through withdrawals, going back, new keys and the end of what is kept; the site gives out what it takes."""

import asyncio
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from click.testing import CliRunner

from making import NOON, notice, on, query, snapshot, world
from publish import keep as keeping
from publish import reissue
from publish.audit import entries
from publish.catalogue import Catalogue
from publish.cli import main
from publish.decide import back
from publish.errors import BadKey, ReviewNeeded
from publish.home import LINKS, SIGNATURE, SUMS, Home, as_json
from publish.keep import keep
from publish.places import Folder
from publish.release import close, file_sha256
from publish.run import run
from publish.signing import Signing
from publish.verified import Verified, verify
from publish.vouching import enter, revoke, rotate, sign_anew
from publish.web.server import build_app
from publish.withdraw import withdraw
from publish.work import Work
from readmes import block
from signed import a_key, keys_of, saved, signer_of

ONE, TWO = a_key(1), a_key(2)


def deliver(work: Work, day: int, size: int = 3) -> None:
    work = on(work, day)
    folder = work.home.path.parent / "handed-in"
    made = snapshot(folder, f"platform-{day:03d}-{len(list(folder.glob('*')))}", world(size), as_of=work.day.isoformat())
    run(work, {"platform": str(made.folder)})


def withdrawn(work: Work, number: int, day: int) -> None:
    ((identifier,),) = query(work, "SELECT id FROM notices WHERE document_no = ?", notice(number)["docNo"])
    for name in ("张三", "李四"):
        with suppress(ReviewNeeded):
            withdraw(on(work, day), identifier, "revoked", "撤销判决书", name, "法院撤销了这一决定")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Work:
    """Three releases, of which the first was not signed when it was published; the key came then. The key's file is beside the home."""
    folder = tmp_path_factory.mktemp("signing")
    work = Work(Home(folder / "home").prepare(), catalogue, NOON)
    deliver(work, 0)
    list(enter(work.home, saved(folder, ONE)))
    work = replace(work, signing=Signing(saved(folder, ONE)))
    for day in (1, 2):
        deliver(work, day, 3 + day)
    return work


@pytest.fixture
def work(made: Work, tmp_path: Path) -> Work:
    shutil.copytree(made.home.path.parent, tmp_path / "copy", symlinks=True)
    return replace(made, home=Home(tmp_path / "copy" / "home"), signing=Signing(tmp_path / "copy" / f"{ONE.public.id}.key"))


def verified(work: Work, release: str | None = None) -> Verified:
    return verify(Folder(work.home.releases / (release or str(work.live))), keys_of(work.home).current.public)


def all_is_well(work: Work) -> None:
    for release in work.home.release_ids():
        assert verified(work, release).faults == (), release


def test_each_release_is_signed_and_linked_to_the_one_before(made: Work) -> None:
    all_is_well(made)
    assert verified(made).chain == ("2026-11-02", "2026-11-01")
    assert {signer_of(made.home.releases / name) for name in made.home.release_ids()} == {ONE.public.id}


def test_the_same_delivery_makes_the_same_signature(made: Work, work: Work) -> None:
    for each in (made, work):
        other = replace(each, home=Home(work.home.path.parent / f"again-{each is made}" / "home").prepare())
        shutil.copytree(made.home.path, other.home.path, dirs_exist_ok=True, symlinks=True)
        deliver(other, 3, 7)
    one, two = (work.home.path.parent / f"again-{first}" / "home" / "releases" / "2026-11-04" / SIGNATURE for first in (True, False))
    assert one.read_bytes() == two.read_bytes()


def test_a_home_that_signs_publishes_nothing_without_its_key_and_says_so(work: Work) -> None:
    for signing, words in ((Signing(), "no key is given"), (Signing(saved(work.home.path.parent, TWO)), "is not one of this home")):
        before = sorted(work.home.path.rglob("*"))
        with pytest.raises(BadKey, match=words):
            deliver(replace(work, signing=signing), 3, 7)
        assert work.live == "2026-11-03"
        assert set(work.home.path.rglob("*")) - set(before) <= {work.home.detail}
        assert work.home.read_status()["last_run"] == {
            "at": "2026-11-04T04:00:00Z", "outcome": "BadKey", "reason": "the release could not be signed; the live release is as it was",
        }  # fmt: skip
    deliver(work, 3, 7)
    assert work.live == "2026-11-04"
    all_is_well(work)


def acts(work: Work) -> list[tuple[str, Any]]:
    return [(one.act, one.about.get("signed_by", one.about.get("what"))) for one in entries(work.home)]


def test_unsigned_is_said_each_time_and_the_next_run_with_the_key_signs_it(work: Work) -> None:
    deliver(replace(work, signing=Signing(unsigned=True)), 3, 7)
    assert not (work.home.releases / "2026-11-04" / SIGNATURE).exists()
    assert "is not there" in verified(work).faults[0]
    assert (acts(work)[-1], work.home.read_status()["signed_by"]) == (("release", None), None)
    assert f"signed: release 2026-11-04 is not; the next run with key {ONE.public.id} signs it" in typed(work, "status").output
    deliver(work, 4, 8)
    assert (acts(work)[-1], work.home.read_status()["signed_by"]) == (("release", ONE.public.id), ONE.public.id)
    all_is_well(work)
    assert verified(work).chain[0] == "2026-11-04"


def test_a_withdrawal_without_a_signature_breaks_the_chain_until_the_next_run_with_the_key(work: Work) -> None:
    withdrawn(replace(work, signing=Signing(unsigned=True)), 1, 3)
    assert [(work.home.releases / name / SIGNATURE).is_file() for name in work.home.release_ids()] == [False] * 4
    deliver(work, 4, 8)
    all_is_well(work)
    assert {signer_of(work.home.releases / name) for name in work.home.release_ids()} == {ONE.public.id}


def test_the_issue_before_a_withdrawal_does_not_count_once_it_is_carried_out(work: Work, tmp_path: Path) -> None:
    shutil.copytree(work.home.releases / "2026-11-02", tmp_path / "old")
    withdrawn(work, 1, 3)
    assert work.home.manifest("2026-11-04")["superseded"] == ["2026-11-01", "2026-11-02", "2026-11-03"]
    shutil.rmtree(work.home.releases / "2026-11-02")
    shutil.copytree(tmp_path / "old", work.home.releases / "2026-11-02")
    for release in ("2026-11-02", "2026-11-04"):
        assert "is an issue that does not count since release 2026-11-04" in verified(work, release).faults[0]


def test_what_was_altered_is_without_what_was_withdrawn_and_is_signed_by_nobody(work: Work) -> None:
    folder = work.home.releases / "2026-11-02"
    with sqlite3.connect(folder / "mingbai.db") as connection:
        connection.execute("UPDATE institutions SET name = '别的名称' WHERE id = (SELECT min(id) FROM institutions)")
    connection.close()
    close(folder, work.home.manifest("2026-11-02"), ONE)  # by who has the key
    withdrawn(work, 1, 3)
    assert "reissues" in work.home.manifest("2026-11-02")
    assert [(work.home.releases / name / SIGNATURE).is_file() for name in work.home.release_ids()] == [True, False, True, True]
    (said,) = sign_anew(work.home, ONE)
    assert ("history.db knows" in said, (folder / SIGNATURE).exists()) == (True, False)


@pytest.mark.parametrize("altered", ["tombstones.json", "downloads/institutions.csv.gz", "deltas/index.json"])
def test_a_withdrawal_signs_nothing_that_was_made_of_an_altered_file(work: Work, altered: str) -> None:
    folder = work.home.releases / "2026-11-02"
    with open(folder / altered, "ab") as file:
        file.write(b"\n")
    withdrawn(work, 1, 3)
    assert "reissues" in work.home.manifest("2026-11-02")
    assert [(work.home.releases / name / SIGNATURE).is_file() for name in work.home.release_ids()] == [True, False, True, True]
    assert "it is not signed: restore the release" in next(sign_anew(work.home, ONE))


def test_a_release_whose_delta_alone_is_made_anew_is_not_signed_with_an_altered_file(work: Work) -> None:
    withdrawn(work, 1, 3)
    folder = work.home.releases / "2026-11-03"
    with open(folder / "downloads" / "institutions.csv.gz", "ab") as file:
        file.write(b"forged")
    reissue._lead_to(work.home, work.catalogue, "2026-11-03", ONE)
    assert ((folder / SIGNATURE).exists(), len(work.home.manifest("2026-11-03")["reissues"])) == (False, 2)


def test_the_chain_goes_through_releases_that_a_withdrawal_issued_anew(work: Work) -> None:
    links = {name: work.home.manifest(name)["previous_manifest"] for name in work.home.release_ids()}
    withdrawn(work, 1, 3)
    deliver(work, 4, 8)
    withdrawn(work, 2, 5)
    assert [len(work.home.manifest(name).get("reissues", [])) for name in work.home.release_ids()[:3]] == [2, 2, 2]
    assert {name: work.home.manifest(name)["previous_manifest"] for name in links} == links
    all_is_well(work)
    assert len(verified(work).chain) == 5


def test_a_withdrawal_without_the_key_is_signed_by_people_and_carried_out_once_it_is_there(work: Work) -> None:
    with pytest.raises(BadKey):
        withdrawn(replace(work, signing=Signing()), 1, 3)
    assert work.live == "2026-11-03"
    all_is_well(work)
    deliver(work, 3, 5)
    assert query(work, "SELECT count(*) FROM notices WHERE document_no = ?", notice(1)["docNo"]) == [(0,)]
    assert all("reissues" in work.home.manifest(name) for name in ("2026-11-01", "2026-11-02", "2026-11-03"))
    all_is_well(work)


def test_going_back_is_one_more_link(work: Work) -> None:
    with suppress(ReviewNeeded):
        back(on(work, 3), "2026-11-02", "张三", "名称列错位")
    assert work.live == "2026-11-04"
    all_is_well(work)
    assert verified(work).chain == ("2026-11-03", "2026-11-02", "2026-11-01")


def test_what_a_leaked_key_signed_is_signed_anew_by_the_next_run_where_that_died(work: Work) -> None:
    list(rotate(work.home, work.signing, saved(work.home.path.parent, TWO), "2026-11-04"))
    work = replace(work, signing=Signing(saved(work.home.path.parent, TWO)))
    next(revoke(work.home, work.signing, ONE.public.id, "leaked", "2026-11-04"))
    assert "revoked as leaked" in verified(work).faults[0]
    deliver(work, 3, 7)
    all_is_well(work)
    assert {signer_of(work.home.releases / name) for name in work.home.release_ids()} == {TWO.public.id}


def test_of_what_is_no_longer_kept_the_links_stay(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    withdrawn(work, 1, 3)
    monkeypatch.setattr(keeping, "gone", lambda releases, live: ["2026-11-02", "2026-11-03"])
    keep(work.home)
    assert work.home.release_ids() == ["2026-11-01", "2026-11-04"]
    assert sorted(path.name for path in (work.home.chain / "2026-11-02").iterdir()) == sorted(LINKS)
    all_is_well(work)
    assert verified(work).chain == ("2026-11-03", "2026-11-02", "2026-11-01")
    list(rotate(work.home, work.signing, saved(work.home.path.parent, TWO), "2026-11-05"))
    list(revoke(work.home, Signing(saved(work.home.path.parent, TWO)), ONE.public.id, "leaked", "2026-11-05"))
    assert signer_of(work.home.chain / "2026-11-02") == TWO.public.id
    all_is_well(work)


# -- what a person types -------------------------------------------------------------------------------------------------


def typed(work: Work, *arguments: str, **env: str) -> Any:
    return CliRunner().invoke(main, ["--home", str(work.home.path), "--now", "2026-11-04T04:00:00Z", *arguments], env=env)


def test_keys_come_and_go_by_the_command_and_no_secret_is_printed(work: Work, tmp_path: Path) -> None:
    one, two = str(work.signing.file), str(tmp_path / "two.key")
    who = "--by", "张三", "--note", "年度更换"
    assert typed(work, "--signing-key", one, "keys", "rotate", two).exit_code == 2
    said = typed(work, "--signing-key", one, "keys", "rotate", two, *who)
    assert (said.exit_code, said.output[:4]) == (0, "key "), said.output
    new = keys_of(work.home).current.public
    text = Path(two).read_text()
    revoke_it = "keys", "revoke", ONE.public.id, "--reason", "leaked"
    said = typed(work, "--signing-key", two, *revoke_it, *who, MINGBAI_SIGNING_KEY=text)
    assert (said.exit_code, "are both given" in said.output, text.split("\n")[1] in said.output) == (7, True, False)
    for _ in range(2):
        said = typed(work, *revoke_it, *who, MINGBAI_SIGNING_KEY=text)
        assert (said.exit_code, "张三 signed and 1 more must" in said.stderr, keys_of(work.home).keys[0].is_leaked) == (5, True, False)
    said = typed(work, *revoke_it, "--by", "李四", "--note", "笔记本电脑被盗", MINGBAI_SIGNING_KEY=text)
    assert (said.exit_code, said.output.count("signed release")) == (0, 3), said.output
    assert acts(work)[-3:] == [("key", "rotate"), ("key", "revoke as leaked"), ("key", "revoke as leaked")]
    assert entries(work.home)[-3].about == {"what": "rotate", "key": ONE.public.id, "by": new.id}
    said = typed(work, "keys", "list")
    assert said.output.splitlines() == [
        f"{ONE.public.id}  {ONE.public.line}  after release 2026-11-01, until release 2026-11-03, revoked as leaked on 2026-11-04",
        f"{new.id}  {new.line}  after release 2026-11-03, signs",
    ]
    all_is_well(work)


def test_nobody_alone_says_that_the_key_is_lost(work: Work, tmp_path: Path) -> None:
    lost = "keys", "rotate", str(tmp_path / "two.key"), "--lost", "--note", "磁盘损坏", "--by"
    assert typed(work, *lost, "张三").exit_code == 5
    assert keys_of(work.home).current.public == ONE.public
    assert typed(work, *lost, "李四").exit_code == 0
    assert keys_of(work.home).current.public != ONE.public
    assert acts(work)[-2:] == [("key", "lost")] * 2


def test_unsigned_is_no_setting(work: Work) -> None:
    made = snapshot(work.home.path.parent / "handed-in", "again", world(9), as_of="2026-11-04")
    source = ("run", "--source", f"platform={made.folder}")
    found = typed(work, *source, MINGBAI_UNSIGNED="1")
    assert (found.exit_code, "no key is given" in found.stderr, work.live) == (7, True, "2026-11-03")
    assert typed(work, "--unsigned", *source).exit_code == 0
    assert work.live == "2026-11-04"


# -- with public tools, and from the site --------------------------------------------------------------------------------


@pytest.fixture
def get(work: Work) -> Iterator[Callable[[str], httpx.Response]]:
    app = build_app(work.home.path, now=lambda: NOON)
    with closing(app.shelf):

        def ask(path: str) -> httpx.Response:
            async def one() -> httpx.Response:
                async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://site.example") as client:
                    return await client.get(path)

            return asyncio.run(one())

        yield ask


def test_the_site_gives_out_what_a_release_is_verified_by(work: Work, get: Callable[[str], httpx.Response]) -> None:
    (work.home.chain / "2026-10-01").mkdir(parents=True)
    shutil.copyfile(work.home.releases / "2026-11-01" / SUMS, work.home.chain / "2026-10-01" / SUMS)
    shutil.copytree(work.home.releases / "2026-11-03", work.home.releases / "2026-11-04")  # sealed and never live
    for release, file in [(release, file) for release in ("2026-11-01", "2026-11-03") for file in LINKS]:
        found = get(f"/data/{release}/{file}")
        assert (found.status_code, found.content) == (200, (work.home.releases / release / file).read_bytes())
        assert found.headers["content-type"].startswith("application/json" if file == "manifest.json" else "text/plain")
        assert found.headers["access-control-allow-origin"] == "*"
    assert get(f"/data/2026-10-01/{SUMS}").status_code == 200
    assert get("/data/keys.json").content == work.home.keys.read_bytes() == get("/en/data/keys.json").content
    for path in (
        "2026-11-04/manifest.json",
        "2026-10-01/manifest.json",
        "2026-11-01/audit.jsonl",
        "2026-11-01/search/index.db",
        "2026-11-01.7/SHA256SUMS",
    ):
        assert get(f"/data/{path}").status_code == 404, path


def test_the_recipe_of_the_readme_verifies_what_a_reader_has_and_nothing_else(
    minisign: str, work: Work, get: Callable[[str], httpx.Response], root: Path, tmp_path: Path
) -> None:
    mine = (
        "notices.csv",
        "notices.csv.gz",
        "ratings.ndjson",
        "institutions.spreadsheet.csv",
        "notices.parquet",
        "notices.xlsx",
        "mingbai.csv.zip",
        "mingbai.db",
        "mingbai-2026-11-03-notices.csv.gz",
    )
    names = " ".join(f"'{name}'" for name in mine)
    recipe = block(root, "sh", "minisign").replace("RW...", ONE.public.line).replace("2026-11-23", "2026-11-03")
    recipe = recipe.replace("notices.csv mingbai-2026-11-03-ratings.csv.gz", names)
    folder = tmp_path / "fetched"
    folder.mkdir()
    for name in (*LINKS, *mine):
        found = get(f"/data/2026-11-03/{name.removeprefix('mingbai-2026-11-03-')}")
        assert found.status_code == 200, name
        (folder / name).write_bytes(found.content)

    def verifies(recipe: str = recipe) -> bool:
        lines = "\n".join(line for line in recipe.splitlines() if not line.startswith("curl"))
        done = subprocess.run(["sh", "-c", lines], cwd=folder, capture_output=True, text=True)
        assert (done.returncode == 0) == ("VERIFIED" in done.stdout.splitlines())
        return done.returncode == 0

    assert verifies()
    for name in (*LINKS, *mine):
        data = (folder / name).read_bytes()
        for other in (data[:200] + bytes([data[200] ^ 1]) + data[201:], b"forged", b"", None):
            (folder / name).unlink() if other is None else (folder / name).write_bytes(other)
            assert not verifies(), name
        (folder / name).write_bytes(data)
    (folder / "ratings.csv").write_bytes((folder / "notices.csv").read_bytes())
    assert not verifies(recipe.replace("notices.parquet", "ratings.csv")), "it is not what it is called"
    assert not verifies(recipe.replace(ONE.public.line, TWO.public.line))
    assert not verifies(recipe.replace("2026-11-03", "2026-11-02"))
    for name in LINKS:
        shutil.copyfile(work.home.releases / "2026-11-02" / name, folder / name)
    assert not verifies()


def test_the_manifest_is_canonical_and_says_the_hash_of_the_one_before(made: Work) -> None:
    data = (made.home.releases / "2026-11-03" / "manifest.json").read_bytes()
    assert as_json(orjson.loads(data)) == data
    assert orjson.loads(data)["previous_manifest"] == file_sha256(made.home.releases / "2026-11-02" / "manifest.json")
    assert made.home.manifest("2026-11-01")["previous_manifest"] is None
