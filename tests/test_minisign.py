"""Keys and signatures are minisign's: the tool reads what we write, writes what we do, and what is no key says so without saying what it is."""

import errno
import os
import stat
import subprocess
from pathlib import Path

import pytest

from publish import minisign as minisign_
from publish.errors import BadKey
from publish.minisign import PublicKey, SecretKey, Signature, read_secret, write_secret
from signed import a_key, saved

WORD = "a word, 一句话"


def run(*command: object, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(part) for part in command], input=typed, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)) * 5000])
def test_the_tool_verifies_what_we_sign_and_signs_the_same_bytes(minisign: str, tmp_path: Path, data: bytes) -> None:
    key, file = a_key(), tmp_path / "file"
    file.write_bytes(data)
    (tmp_path / "file.minisig").write_text(key.sign(data, WORD).text)
    found = run(minisign, "-QVm", file, "-P", key.public.line)
    assert (found.returncode, found.stdout) == (0, f"{WORD}\n")
    assert run(minisign, "-Sm", file, "-x", tmp_path / "other", "-t", WORD, "-s", saved(tmp_path, key)).returncode == 0
    assert (tmp_path / "other").read_text() == key.sign(data, WORD).text
    file.write_bytes(data + b"x")
    assert run(minisign, "-Vm", file, "-P", key.public.line).returncode == 1


def test_a_key_of_the_tool_is_one_of_ours(minisign: str, tmp_path: Path) -> None:
    secret, public = tmp_path / "key", tmp_path / "key.pub"
    assert run(minisign, "-G", "-W", "-s", secret, "-p", public).returncode == 0
    key = read_secret(secret)
    assert key.public.text == public.read_text()
    assert a_key(1).public.text.startswith("untrusted comment: minisign public key 101010101010101\n"), "the tool writes no zero before it"
    assert PublicKey.parse(public.read_text().split("\n")[1]) == key.public
    (tmp_path / "file").write_bytes(b"data")
    assert run(minisign, "-Sm", tmp_path / "file", "-t", WORD, "-s", secret).returncode == 0
    assert key.public.verifies(b"data", Signature.parse((tmp_path / "file.minisig").read_text()))


@pytest.mark.bench  # the tool takes seconds and a gibibyte for a password
def test_a_key_with_a_password_is_refused_and_the_command_that_is_named_takes_it_away(minisign: str, tmp_path: Path) -> None:
    secret = tmp_path / "key"
    assert run(minisign, "-G", "-s", secret, "-p", tmp_path / "pub", typed="word\nword\n").returncode == 0
    with pytest.raises(BadKey, match=r"has a password, .*minisign -C -W -s FILE"):
        read_secret(secret)
    assert run(minisign, "-C", "-W", "-s", secret, typed="word\n").returncode == 0
    assert read_secret(secret).public.text == (tmp_path / "pub").read_text()


def test_a_new_key_is_its_owners_alone_and_never_over_another_file(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        key = write_secret(tmp_path / "key")
    finally:
        os.umask(umask)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert read_secret(tmp_path / "key") == key != write_secret(tmp_path / "other")
    for there in (tmp_path / "key", tmp_path, tmp_path / "no" / "key"):
        with pytest.raises(BadKey, match="cannot be written"):
            write_secret(there)
    assert read_secret(tmp_path / "key") == key


def fifo(path: Path) -> None:
    os.mkfifo(path, 0o600)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, r"cannot be read \(No such file"),
        (Path.mkdir, r"cannot be read \(Is a directory"),
        (fifo, "is no file"),
        (lambda path: path.write_bytes(b""), "is no secret key"),
        (lambda path: path.write_text(a_key().text.replace("RWQAAEIy", "RWRTY0Iy")), "has a password"),
        (lambda path: path.write_bytes(b"\xff\0" * 9000), "is no secret key"),
        (lambda path: path.write_text(a_key().public.text), "is no secret key"),
        (lambda path: path.write_text(a_key().text * 2), "is no secret key"),
        (lambda path: path.write_text(a_key().text[:-9]), "is no secret key"),
        (lambda path: path.write_text(SecretKey(a_key(2).public, a_key(1).seed).text), "two halves"),
    ],
)
def test_what_is_no_key_is_named_and_not_repeated(tmp_path: Path, make: object, words: str) -> None:
    path = tmp_path / "key"
    make(path)  # type: ignore[operator]
    if path.is_file():
        path.chmod(0o600)
    with pytest.raises(BadKey, match=words) as refused:
        read_secret(path)
    assert str(path) in str(refused.value)
    assert a_key().text.split("\n")[1][100:140] not in str(refused.value)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o601])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = saved(tmp_path, a_key())
    path.chmod(mode)
    with pytest.raises(BadKey, match=rf"others can read it \(mode {mode:04o}\); expected 0600: chmod 600"):
        read_secret(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_key_of_another_user_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, a_key())
    os.chown(path, 65534, 65534)
    with pytest.raises(BadKey, match="is not this user's"):
        read_secret(path)


def test_a_new_key_is_on_the_disk_with_its_name_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(minisign_, "sync", synced.append)
    write_secret(tmp_path / "key")
    assert synced == [tmp_path.resolve()]

    def full(_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for what, name in ((os, "fsync"), (minisign_, "sync")):
        with monkeypatch.context() as patched:
            patched.setattr(what, name, full)
            with pytest.raises(BadKey, match="No space left"):
                write_secret(tmp_path / "other")
        assert not (tmp_path / "other").exists()
    with pytest.raises(BadKey, match="File exists"):
        write_secret(tmp_path / "key")
    assert read_secret(tmp_path / "key")


def test_a_secret_is_in_no_repr() -> None:
    key = a_key()
    assert key.seed.hex() not in repr(key)
    assert repr(key.seed) not in repr(key)
    assert SecretKey.parse(key.text, "here") == SecretKey.parse(key.text.split("\n")[1], "here") == key


def test_a_signature_is_the_same_each_time_and_read_only_as_it_was_written() -> None:
    text = a_key().sign(b"data", WORD).text
    assert text == a_key().sign(b"data", WORD).text
    assert Signature.parse(text).text == text
    for other in (
        text + "\n",
        text[:-1],
        text.replace("\n", "\r\n"),
        text.replace("minisign", "minisigm"),
        text.replace("trusted comment: a", "a", 1),
        "",
        "\n" * 4,
    ):
        with pytest.raises(ValueError, match="minisign"):
            Signature.parse(other)


def test_no_other_data_word_or_key_is_verified() -> None:
    key, signature = a_key(), a_key().sign(b"data", WORD)
    assert key.public.verifies(b"data", signature)
    assert not key.public.verifies(b"date", signature)
    assert not a_key(2).public.verifies(b"data", signature)
    assert not PublicKey(key.public.number, a_key(2).public.raw).verifies(b"data", signature)
    assert not key.public.verifies(b"data", Signature(signature.number, signature.raw, "another", signature.over_comment))
