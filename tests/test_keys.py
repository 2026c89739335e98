"""Which keys sign and which signatures count: the first, the next, one that was lost, one that leaked; and what becomes of what they signed."""

import hashlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from publish import keys as known
from publish import signing
from publish.errors import BadHome, BadKey
from publish.home import SIGNATURE, Home, as_json
from publish.minisign import SecretKey
from publish.places import Folder
from publish.release import close
from publish.signing import Signing, signer
from publish.verified import verify
from publish.vouching import enter, revoke, rotate, sign_anew
from signed import DAYS, a_home, a_key, issue_anew, keys_of, lay, saved, signer_of

ONE, TWO, THREE = map(a_key, (1, 2, 3))
ON = "2026-11-09"


def using(folder: Path, key: SecretKey) -> Signing:
    return Signing(saved(folder, key))


def signers(home: Home) -> list[str]:
    return [signer_of(home.releases / name) for name in home.release_ids()]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Three releases, signed by the first key."""
    return a_home(tmp_path / "home", ONE)


def test_a_home_that_never_signed_needs_no_key_and_takes_none_unasked(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home")
    assert signer(home, Signing()) is None
    with pytest.raises(BadKey, match=r"has no key yet .*mingbai keys new FILE"):
        signer(home, using(tmp_path, ONE))


def test_a_key_in_the_home_signs_nothing(home: Home) -> None:
    with pytest.raises(BadHome, match="is in the home, of which servers have copies"):
        signer(home, Signing(saved(home.path, ONE)))


def test_the_first_key_signs_what_is_there(tmp_path: Path) -> None:
    home, file = a_home(tmp_path / "home"), tmp_path / "key"
    said = list(enter(home, file))
    (key,) = keys_of(home).keys
    assert signers(home) == [key.public.id] * 3
    assert (key.after, said[0]) == (DAYS[2], f"key {key.public.id} signs; for readers: {key.public.line}")
    assert signer(home, Signing(file)) == signer(home, Signing(text=file.read_text()))
    with pytest.raises(BadKey, match=r"has key .*mingbai keys rotate"):
        list(enter(home, tmp_path / "other"))


def test_a_first_key_that_died_on_the_way_goes_on_and_signs_what_was_published_without_it_meanwhile(tmp_path: Path) -> None:
    home, file = a_home(tmp_path / "home"), saved(tmp_path, ONE)
    steps = enter(home, file)
    next(steps)
    next(steps)  # one of three is signed
    steps.close()
    lay(home, DAYS[3], None, DAYS[2])  # with --unsigned
    assert list(sign_anew(home, ONE)) == [f"signed release {name}, which had no signature" for name in DAYS[1:4]]
    assert signers(home) == [ONE.public.id] * 4
    assert list(sign_anew(home, ONE)) == []


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (lambda folder: Signing(), "releases are signed and no key is given; give key 0101010101010101 .*--lost.*--unsigned"),
        (lambda folder: using(folder, TWO), "0202020202020202, is not one of this home; expected 0101010101010101"),
        (lambda folder: Signing(folder / "none"), "cannot be read"),
        (lambda folder: Signing(saved(folder, ONE), ONE.text), "are both given"),
        (lambda folder: Signing(text="RW…"), "^MINGBAI_SIGNING_KEY: is no secret key"),
    ],
)
def test_a_home_that_signs_takes_its_own_key_alone(home: Home, tmp_path: Path, how: Callable[[Path], Signing], words: str) -> None:
    with pytest.raises(BadKey, match=words) as refused:
        signer(home, how(tmp_path))
    assert refused.value.exit_code == 7
    assert signer(home, Signing(unsigned=True)) is None
    assert signer(home, using(tmp_path, ONE)) == ONE


def test_a_home_whose_keys_are_gone_or_damaged_signs_and_publishes_nothing(home: Home, tmp_path: Path) -> None:
    home.keys.write_bytes(home.keys.read_bytes()[:-20])
    for how in (Signing(), Signing(unsigned=True), using(tmp_path, ONE)):
        with pytest.raises(BadKey, match=r"keys\.json.*restore it from a copy"):
            signer(home, how)
    home.keys.unlink()
    for how in (Signing(), using(tmp_path, ONE)):
        with pytest.raises(BadKey, match="is not there and release 2026-11-03 is signed; restore it"):
            signer(home, how)
    with pytest.raises(BadKey, match=r"no keys\.json: restore that"):
        list(enter(home, saved(tmp_path, TWO)))


def test_a_new_key_is_vouched_for_by_the_one_before_and_only_it_signs(home: Home, tmp_path: Path) -> None:
    list(rotate(home, using(tmp_path, ONE), saved(tmp_path, TWO), ON))
    lay(home, DAYS[3], TWO, DAYS[2])
    list(rotate(home, using(tmp_path, TWO), saved(tmp_path, THREE), ON))
    keys = keys_of(home)
    assert [(key.after, key.until) for key in keys.keys] == [(None, DAYS[2]), (DAYS[2], DAYS[3]), (DAYS[3], None)]
    assert [keys.distrusts(key.public) for key in (ONE, TWO, THREE)] == [None] * 3
    assert keys.distrusts(a_key(4).public)
    assert signers(home) == [ONE.public.id] * 3 + [TWO.public.id]
    for key in (ONE, TWO):
        with pytest.raises(BadKey, match="was replaced; expected 0303"):
            signer(home, using(tmp_path, key))
        with pytest.raises(BadKey, match="signs or has signed here"):
            list(rotate(home, using(tmp_path, THREE), saved(tmp_path, key), ON))
    with pytest.raises(BadKey, match="was replaced"):
        list(rotate(home, using(tmp_path, ONE), saved(tmp_path, a_key(4)), ON))


@pytest.mark.parametrize(
    ("release", "counts"),
    [("2026-11-02", (True, True)), ("2026-11-03", (True, True)), ("2026-11-03.2", (False, True)), ("2026-11-10", (False, True))],
)
def test_a_key_counts_until_it_was_replaced(home: Home, tmp_path: Path, release: str, counts: tuple[bool, bool]) -> None:
    list(rotate(home, using(tmp_path, ONE), saved(tmp_path, TWO), ON))
    keys = keys_of(home)
    assert tuple(keys.refuses(key.public.id, release) is None for key in (ONE, TWO)) == counts
    assert keys.refuses(THREE.public.id, release)


def test_a_key_that_signed_nothing_counts_for_nothing(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", ONE, ())
    list(rotate(home, using(tmp_path, ONE), saved(tmp_path, TWO), ON))
    assert keys_of(home).refuses(ONE.public.id, "2000-01-01")


def test_a_key_that_is_lost_vouches_for_nobody_and_what_it_signed_still_counts(home: Home, tmp_path: Path) -> None:
    list(rotate(home, Signing(), saved(tmp_path, TWO), ON, lost=True))
    keys = keys_of(home)
    assert keys.keys[0].revoked == {"on": ON, "reason": "lost"}
    assert keys.refuses(ONE.public.id, DAYS[2]) is None
    assert "was lost and does not vouch" in str(keys.distrusts(ONE.public))
    assert keys.distrusts(TWO.public) is None
    with pytest.raises(BadKey, match="was revoked as lost"):
        signer(home, using(tmp_path, ONE))
    assert signer(home, using(tmp_path, TWO)) == TWO


def test_nothing_that_a_leaked_key_signed_counts_until_a_later_key_has_signed_it(home: Home, tmp_path: Path) -> None:
    list(rotate(home, using(tmp_path, ONE), saved(tmp_path, TWO), ON))
    manifests = [(home.releases / name / "manifest.json").read_bytes() for name in DAYS[:3]]
    steps = revoke(home, using(tmp_path, TWO), ONE.public.id, "leaked", ON)
    next(steps)
    steps.close()  # it dies: the revocation counts, and nothing is signed anew
    assert signers(home) == [ONE.public.id] * 3
    assert all(keys_of(home).refuses(ONE.public.id, name) for name in DAYS)
    assert len(list(sign_anew(home, TWO))) == 3
    assert signers(home) == [TWO.public.id] * 3
    assert [(home.releases / name / "manifest.json").read_bytes() for name in DAYS[:3]] == manifests
    assert list(revoke(home, using(tmp_path, TWO), ONE.public.id, "leaked", "2026-12-01")) == [
        f"key {ONE.public.id} is revoked as leaked since {ON}"
    ]
    assert "revoked as leaked" in str(keys_of(home).distrusts(ONE.public))
    with pytest.raises(BadKey, match="cannot be less"):
        list(revoke(home, using(tmp_path, TWO), ONE.public.id, "lost", ON))


def test_a_key_is_not_led_on_to_through_one_that_leaked(home: Home, tmp_path: Path) -> None:
    list(rotate(home, using(tmp_path, ONE), saved(tmp_path, TWO), ON))
    list(rotate(home, using(tmp_path, TWO), saved(tmp_path, THREE), ON))
    list(revoke(home, using(tmp_path, THREE), TWO.public.id, "leaked", ON))
    keys = keys_of(home)
    assert [keys.distrusts(key.public) is None for key in (ONE, TWO, THREE)] == [False, False, True]
    assert keys.refuses(ONE.public.id, DAYS[0]) is None


def test_what_is_not_what_a_leaked_key_signed_is_not_signed_anew(home: Home, tmp_path: Path) -> None:
    (home.releases / DAYS[0] / "manifest.json").write_bytes(b"{}")
    (home.releases / DAYS[1] / SIGNATURE).write_text("none")
    list(rotate(home, using(tmp_path, ONE), saved(tmp_path, TWO), ON))
    said = list(revoke(home, using(tmp_path, TWO), ONE.public.id, "leaked", ON))
    assert ("it is not signed: restore the release" in said[1], DAYS[0] in said[1]) == (True, True)
    assert said[2] == f"signed release {DAYS[1]}, whose signature could not be read"
    assert signer_of(home.releases / DAYS[0]) == ONE.public.id
    assert signers(home)[1:] == [TWO.public.id] * 2


def forged(folder: Path, home: Home, key: SecretKey | None, name: str, said: Callable[[dict[str, Any]], dict[str, Any]] = dict) -> None:
    """A file of a release altered, and all of it closed again as its thief does."""
    (folder / name).write_bytes(b"forged")
    close(folder, said(home.manifest(folder.name)), key)


@pytest.mark.parametrize("name", ["mingbai.db", "downloads/notices.csv.gz"])
def test_what_a_thief_signed_with_a_leaked_key_is_not_signed_anew(home: Home, tmp_path: Path, name: str) -> None:
    first = (home.releases / DAYS[1] / "manifest.json").read_bytes()
    list(rotate(home, using(tmp_path, ONE), saved(tmp_path, TWO), ON))
    note = {"on": ON, "supersedes": hashlib.sha256(first).hexdigest()}
    forged(home.releases / DAYS[1], home, ONE, name, lambda said: {**said, "reissues": [note]})
    said = list(revoke(home, using(tmp_path, TWO), ONE.public.id, "leaked", ON))
    assert [line for line in said if DAYS[1] in line] == [
        line for line in said if "it is not signed: restore the release from a copy" in line
    ]
    assert signers(home) == [TWO.public.id, ONE.public.id, TWO.public.id]
    assert any("revoked as leaked" in line for line in verify(Folder(home.releases / DAYS[1]), TWO.public).faults)


def test_a_file_that_does_not_fit_the_manifest_is_signed_by_no_key(home: Home, tmp_path: Path) -> None:
    never_signed = a_home(tmp_path / "other")
    (never_signed.releases / DAYS[0] / "mingbai.db").write_bytes(b"rot")
    said = list(enter(never_signed, saved(tmp_path, ONE)))
    assert said[1].startswith(f"{never_signed.releases / DAYS[0]}: mingbai.db: 3 bytes; expected sha256 ")
    assert not (never_signed.releases / DAYS[0] / SIGNATURE).exists()


def test_a_release_of_before_the_first_key_is_signed_as_it_was_published_or_not_at_all(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home")
    list(enter(home, saved(tmp_path, ONE)))
    lay(home, DAYS[3], ONE, DAYS[2])
    (home.releases / DAYS[1] / SIGNATURE).unlink()
    forged(home.releases / DAYS[0], home, None, "mingbai.db")
    first, second = sign_anew(home, ONE)
    assert "history.db knows" in first
    assert second == f"signed release {DAYS[1]}, which had no signature"
    assert not (home.releases / DAYS[0] / SIGNATURE).exists()


def test_of_a_home_that_wrote_down_no_manifests_the_next_release_says_what_was_published(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home")
    with sqlite3.connect(home.history) as connection:
        connection.execute("ALTER TABLE releases DROP COLUMN manifest")
    connection.close()
    forged(home.releases / DAYS[1], home, None, "downloads/notices.csv.gz")
    said = list(enter(home, saved(tmp_path, ONE)))
    assert [DAYS[1] in line for line in said if "is not signed" in line] == [True]
    assert [(home.releases / name / SIGNATURE).is_file() for name in DAYS[:3]] == [True, False, True]


def test_what_was_issued_anew_without_a_key_is_signed_by_the_next_run_that_has_it(home: Home) -> None:
    issue_anew(home, DAYS[1], None)
    lay(home, DAYS[3], ONE, DAYS[2])
    assert verify(Folder(home.releases / DAYS[3]), ONE.public).faults
    assert list(sign_anew(home, ONE)) == [f"signed release {DAYS[1]}, which had no signature"]
    assert verify(Folder(home.releases / DAYS[3]), ONE.public).faults == ()


def test_a_release_that_is_issued_anew_is_signed_by_the_key_of_today_and_without_one_by_none(home: Home, tmp_path: Path) -> None:
    list(rotate(home, using(tmp_path, ONE), saved(tmp_path, TWO), ON))
    issue_anew(home, DAYS[0], TWO)
    issue_anew(home, DAYS[1], None)
    assert signer_of(home.releases / DAYS[0]) == TWO.public.id
    assert not (home.releases / DAYS[1] / SIGNATURE).exists()


def test_the_key_that_signs_cannot_be_revoked_and_one_that_is_not_there_is_named(home: Home, tmp_path: Path) -> None:
    for key, words in ((ONE, "first let another: mingbai keys rotate"), (TWO, f"has no key {TWO.public.id}; it has {ONE.public.id}")):
        before = home.keys.read_bytes()
        with pytest.raises(BadKey, match=words):
            list(revoke(home, using(tmp_path, ONE), key.public.id, "leaked", ON))
        assert home.keys.read_bytes() == before


def test_a_key_is_not_made_in_the_home_nor_taken_where_it_cannot_be(home: Home, tmp_path: Path) -> None:
    before = home.keys.read_bytes()
    with pytest.raises(BadHome, match="is in the home, of which servers have copies"):
        list(rotate(home, using(tmp_path, ONE), home.path / "next", ON))
    (tmp_path / "bad").write_text("no key")
    with pytest.raises(BadKey, match="others can read it"):
        list(rotate(home, using(tmp_path, ONE), tmp_path / "bad", ON))
    with pytest.raises(BadKey, match="cannot be written"):
        list(rotate(home, using(tmp_path, ONE), tmp_path / "no" / "next", ON))
    assert home.keys.read_bytes() == before


Alter = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize("text", ["0202020202020202", "202020202020202"])
def test_keys_that_were_vouched_for_by_their_files_follow_each_other_still(text: str) -> None:
    """The id of a key of 16 begins with 0, which its file had first and has no more."""
    said = orjson.loads((Path(__file__).parent / "keys_before.json").read_bytes())
    if len(text) < 16:
        file = f"untrusted comment: minisign public key {text}\n{TWO.public.line}\n"
        said["keys"][1]["endorsement"] = ONE.sign(file.encode(), f"mingbai key {TWO.public.id} follows {ONE.public.id}").text
    assert [key.public for key in known.parse(signed_by(TWO, said)).keys] == [ONE.public, TWO.public]


def test_a_key_is_vouched_for_by_what_no_comment_changes() -> None:
    (_, key) = known.first(ONE, None).followed_by(TWO, ONE, DAYS[0], ON).keys
    assert key.endorsement is not None
    assert ONE.public.verifies(TWO.public.line.encode(), key.endorsement)


def signed_by(key: SecretKey, said: dict[str, Any]) -> bytes:
    """keys.json as whoever has a key can sign it."""
    return as_json({"keys": said["keys"], "signature": key.sign(as_json({"keys": said["keys"]}), known.COMMENT).text})


@pytest.mark.parametrize(
    ("alter", "words"),
    [
        (lambda said: said["keys"].pop(0), "with a word for it that is not by the key before"),
        (lambda said: said["keys"][1].update(endorsement=None), "does not vouch"),
        (lambda said: said["keys"][1].update(endorsement=TWO.sign(TWO.public.text.encode(), "x").text), "not by the key before"),
        (lambda said: said["keys"][1].update(until=DAYS[0]), "no key that signs"),
        (lambda said: said["keys"][1].update(revoked={"on": ON, "reason": "lost"}), "no key that signs"),
        (lambda said: said["keys"][0].update(revoked={"on": ON, "reason": "because"}), "for no reason"),
        (lambda said: said["keys"][0].update(id="0" * 16), "one form"),
        (lambda said: said["keys"][0].update(more=1), "one form"),
        (lambda said: said["keys"][0].update(until="../.."), "is no release"),
        (lambda said: said["keys"].insert(0, said["keys"][0]), "has a key twice"),
        (lambda said: said["keys"].clear(), "has not the form"),
        (lambda said: said.update(keys=7), "has not the form"),
        (lambda said: said["keys"][0].pop("public"), "has not the form"),
        (lambda said: said["keys"][0].update(public=said["keys"][0]["public"][:-1]), "minisign"),
    ],
)
def test_keys_that_do_not_follow_each_other_are_refused_even_where_the_last_one_signed_them(
    home: Home, tmp_path: Path, alter: Alter, words: str
) -> None:
    list(rotate(home, using(tmp_path, ONE), saved(tmp_path, TWO), ON))
    said = orjson.loads(home.keys.read_bytes())
    assert known.parse(signed_by(TWO, said)) == keys_of(home)
    alter(said)
    with pytest.raises(BadKey, match=words):
        known.parse(signed_by(TWO, said))


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("keys")
    home = a_home(folder / "home", ONE)
    list(rotate(home, using(folder, ONE), saved(folder, TWO), ON))
    return home.keys.read_bytes()


@given(st.data())
def test_no_bit_of_the_keys_can_be_another(text: bytes, data: st.DataObject) -> None:
    at, bit = data.draw(st.integers(0, len(text) - 1)), data.draw(st.integers(0, 7))
    other = bytearray(text)
    other[at] ^= 1 << bit
    with pytest.raises(BadKey):
        known.parse(bytes(other))
    with pytest.raises(BadKey):
        known.parse(text[:at])


def test_nothing_of_a_key_is_in_what_is_said(home: Home, tmp_path: Path) -> None:
    secret = ONE.text.split("\n")[1]
    said = [*rotate(home, using(tmp_path, ONE), saved(tmp_path, TWO), ON), repr(Signing(text=ONE.text)), home.keys.read_text()]
    assert not any(part in line for line in said for part in (secret, secret[80:120], ONE.seed.hex()))
    assert signing.VARIABLE not in repr(Signing(text=ONE.text))
