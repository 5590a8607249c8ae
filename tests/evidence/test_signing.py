"""Keys stay private; signatures are OpenSSF model signing's, and its own command agrees."""

import stat
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from sanilens.errors import SaniLensError
from sanilens.evidence.digests import SIGNATURE, file_digests, folder_digest, seal
from sanilens.evidence.signing import check_signature, make_keys, public_of, sign


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files whose order by path differs from that by name."""
    made = tmp_path / "model"
    (made / "a").mkdir(parents=True)
    for name in ("a/b", "a.b", "x.txt", ".gitattributes"):
        (made / name).write_text(name)
    seal(made)
    return made


def openssf(*arguments: str) -> tuple[int, str]:
    """The library's own command."""
    from model_signing._cli import main

    result = CliRunner().invoke(main, _texts(arguments))
    return result.exit_code, result.output


def _texts(values: Sequence[object]) -> list[str]:
    return [str(value) for value in values]


def test_a_private_key_is_its_owners_alone(tmp_path: Path) -> None:
    private, public = make_keys(tmp_path / "pair")
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert stat.S_IMODE(private.parent.stat().st_mode) == 0o700
    assert public_of(private) == public.read_bytes()
    assert b"PRIVATE" not in public.read_bytes()
    with pytest.raises(SaniLensError, match="holds a key already"):
        make_keys(tmp_path / "pair")


def test_openssfs_own_command_agrees(folder: Path, keys: tuple[Path, Path]) -> None:
    sign(folder, keys[0])
    check_signature(folder, keys[1])
    command = ["verify", "key", folder, "--signature", folder / SIGNATURE, "--public_key", keys[1],
               "--ignore-paths", folder / SIGNATURE, "--no-ignore-git-paths"]  # fmt: skip
    assert openssf(*map(str, command))[0] == 0
    (folder / "x.txt").write_text("y")
    assert openssf(*map(str, command))[0] != 0


def test_a_folders_digest_is_openssfs(folder: Path) -> None:
    from model_signing import hashing
    from model_signing._signing.signing import Payload

    how = hashing.Config().set_ignored_paths(
        paths=[folder / "digests.json"], ignore_git_paths=False
    )
    theirs = Payload(how.hash(folder)).statement.pb.subject[0].digest["sha256"]
    assert folder_digest(file_digests(folder)) == theirs


def test_nothing_of_this_machine_is_signed(folder: Path, keys: tuple[Path, Path]) -> None:
    import base64
    import json

    sign(folder, keys[0])
    said = json.loads((folder / SIGNATURE).read_bytes())
    payload = base64.b64decode(said["dsseEnvelope"]["payload"]).decode()
    assert str(folder.parent) not in payload


@pytest.mark.parametrize("content", [b"", b"not a key", b"-----BEGIN PRIVATE KEY-----\nAA==\n"])
def test_what_is_no_key_is_refused(folder: Path, tmp_path: Path, content: bytes) -> None:
    key = tmp_path / "key"
    key.write_bytes(content)
    with pytest.raises(SaniLensError, match="no private key"):
        sign(folder, key)
    assert not (folder / SIGNATURE).exists()
    with pytest.raises(SaniLensError, match="no public key"):
        check_signature(folder, key)


def test_links_are_not_signed(folder: Path) -> None:
    (folder / "link").symlink_to("/etc/hostname")
    with pytest.raises(SaniLensError, match="a link"):
        file_digests(folder)
