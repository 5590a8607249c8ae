"""Keys that never leave this machine, and signatures in the OpenSSF model-signing format.

The format is a Sigstore bundle around an in-toto statement of all files' digests (DSSE, ECDSA over
P-256). Who signed is known by the key alone: hand the public one over by another way than the
bundle.
"""

import base64
import binascii
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from sanilens.atomic import private, private_folder, write_text
from sanilens.errors import IntegrityError, SaniLensError
from sanilens.evidence.digests import SIGNATURE, folder_digest, read_seal, seal
from sanilens.extras import needs
from sanilens.files import open_file, parse_json

PRIVATE, PUBLIC = "sanilens-signing.key", "sanilens-signing.pub"
_MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
_LARGEST_KEY, _LARGEST_SIGNATURE = 2**16, 64 * 2**20


def make_keys(folder: Path) -> tuple[Path, Path]:
    """Make a key pair: the private key is for its owner's eyes alone, without a password.

    Raises:
        SaniLensError: if the folder holds a key already, or cannot be written.
    """
    with needs("evidence"):
        from cryptography.hazmat.primitives import serialization as form
        from cryptography.hazmat.primitives.asymmetric import ec
    key = ec.generate_private_key(ec.SECP256R1())
    secret = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    public = key.public_key().public_bytes(
        form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo
    )
    try:
        private_folder(folder)
        # Never over another key: what it has signed could not be signed again.
        handle = private(str(folder / PRIVATE), os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    except FileExistsError:
        raise SaniLensError(
            f"{folder.name} holds a key already. Give another folder to --out."
        ) from None
    except OSError as error:
        raise SaniLensError(f"{folder.name} cannot be written ({error.strerror}).") from error
    with os.fdopen(handle, "wb") as file:
        file.write(secret)
    write_text(folder / PUBLIC, public.decode())
    return folder / PRIVATE, folder / PUBLIC


def sign(folder: Path, key: Path) -> bytes:
    """Sign a sealed folder as `model.sig`; the public key's PEM.

    Raises:
        SaniLensError: if the key is none that the format knows.
    """
    with needs("evidence"):
        from model_signing import hashing, signing
    public = public_of(key)
    at = folder / SIGNATURE
    at.unlink(missing_ok=True)
    how = hashing.Config().set_ignored_paths(paths=[at], ignore_git_paths=False)
    config = signing.Config().use_elliptic_key_signer(private_key=key).set_hashing_config(how)
    config.sign(folder, at)
    # In one way of writing, so that a changed blank is found as well.
    write_text(at, _canonical(parse_json(at.read_bytes())))
    return public


def hand_over(part: Path, out: Path, key: Path | None) -> None:
    """Seal a folder that was written whole, sign it if there is a key, and put it in its place.

    Raises:
        SaniLensError: if the key is none that the format knows.
    """
    for path in part.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    seal(part)
    if key:
        sign(part, key)
    if out.exists():
        out.rmdir()  # empty: whoever calls has looked
    part.rename(out)


def public_of(key: Path) -> bytes:
    """The public key of a private one, as PEM.

    Raises:
        SaniLensError: if it is no private EC key, or asks for a password.
    """
    with needs("evidence"):
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives import serialization as form
        from cryptography.hazmat.primitives.asymmetric import ec
    wrong = f"{key.name} is no private key that can sign. Make one: sanilens keys --out FOLDER."
    with open_file(key, SaniLensError, most=_LARGEST_KEY) as file:
        content = file.read()
    try:
        found = form.load_pem_private_key(content, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SaniLensError(wrong) from error
    if not isinstance(found, ec.EllipticCurvePrivateKey):
        raise SaniLensError(wrong)
    return found.public_key().public_bytes(
        form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo
    )


def check_signature(folder: Path, public_key: Path) -> None:
    """See that a sealed folder is signed with a key, and that the signature is of its files.

    Raises:
        IntegrityError: if it is not, naming what is wrong.
        SaniLensError: if the public key is none.
    """
    with needs("evidence"):
        from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives import serialization as form
        from cryptography.hazmat.primitives.asymmetric import ec
    with open_file(public_key, SaniLensError, most=_LARGEST_KEY) as file:
        pem = file.read()
    try:
        key = form.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SaniLensError(f"{public_key.name} is no public key.") from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise SaniLensError(f"{public_key.name} is no public key of an elliptic curve.")
    own = key.public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
    payload, signature = _open(folder, hashlib.sha256(own).hexdigest())
    kind = b"application/vnd.in-toto+json"
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    size = key.curve.key_size
    algorithm = {256: hashes.SHA256, 384: hashes.SHA384}.get(size, hashes.SHA512)()
    try:
        key.verify(signature, signed, ec.ECDSA(algorithm))
    except InvalidSignature:
        raise IntegrityError(
            f"{SIGNATURE} has changed, or is of another key than {public_key.name}."
        ) from None
    _check_statement(folder, payload)


def _open(folder: Path, key_hash: str) -> tuple[bytes, bytes]:
    """Payload and signature of the one form that `sign` writes: every other byte is a change."""
    with open_file(
        folder / SIGNATURE, IntegrityError, most=_LARGEST_SIGNATURE, links=False
    ) as file:
        content = file.read()
    try:
        fields = parse_json(content)
        envelope = fields["dsseEnvelope"]
        payload = base64.b64decode(envelope["payload"], validate=True)
        signature = base64.b64decode(envelope["signatures"][0]["sig"], validate=True)
    except (ValueError, LookupError, TypeError, binascii.Error) as error:
        raise IntegrityError(f"{SIGNATURE} has changed: it is no signature.") from error
    hint = fields.get("verificationMaterial", {}).get("publicKey", {}).get("hint")
    if isinstance(hint, str) and hint != key_hash:
        raise IntegrityError(f"{SIGNATURE} has changed, or is of another key.")
    expected = {
        "dsseEnvelope": {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": "application/vnd.in-toto+json",
            "signatures": [{"keyid": "", "sig": base64.b64encode(signature).decode()}],
        },
        "mediaType": _MEDIA_TYPE,
        "verificationMaterial": {"publicKey": {"hint": key_hash}, "tlogEntries": []},
    }
    if _canonical(expected).encode() != content:
        raise IntegrityError(f"{SIGNATURE} has changed.")
    return payload, signature


def _check_statement(folder: Path, payload: bytes) -> None:
    """The signed list of files is the sealed one, `digests.json` itself included."""
    statement = json.loads(payload)
    signed = {r["name"]: r["digest"] for r in statement["predicate"]["resources"]}
    sealed = read_seal(folder)
    for name in sorted(sealed.keys() | signed.keys()):
        if name != "digests.json" and sealed.get(name) != signed.get(name):
            raise IntegrityError(f"{SIGNATURE} and digests.json disagree on {name}.")
    if statement["subject"][0]["digest"]["sha256"] != folder_digest(signed):
        raise IntegrityError(f"{SIGNATURE} contradicts itself.")
    with open_file(folder / "digests.json", IntegrityError, links=False) as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != signed.get("digests.json"):
            raise IntegrityError("digests.json is not the one that was signed.")


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
