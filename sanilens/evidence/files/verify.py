"""Check this bundle without SaniLens: signature, every file's digest, the in-toto statement.

pip install model-signing pyopenssl in-toto-attestation; python verify.py FOLDER KEY.pub
"""

import hashlib
import json
import sys
from pathlib import Path, PurePosixPath

from google.protobuf.json_format import Parse
from in_toto_attestation.v1 import statement, statement_pb2
from model_signing import verifying

folder, key = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
verifying.Config().use_elliptic_key_verifier(public_key=key).verify(folder, folder / "model.sig")
files = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
digests = {name: hashlib.sha256(p.read_bytes()).hexdigest() for name, p in files.items()}
sealed = json.loads(files["digests.json"].read_bytes())["files"]
named = {*digests, *sealed} - {"digests.json", "model.sig"}
wrong = [name for name in named if digests.get(name) != sealed.get(name)]
said = Parse(files["test-result.intoto.json"].read_bytes(), statement_pb2.Statement())  # pyright: ignore
statement.Statement.copy_from_pb(said).validate()
model = sorted((name for name in digests if name.startswith("run/model/")), key=PurePosixPath)
whole = hashlib.sha256(b"".join(bytes.fromhex(digests[name]) for name in model)).hexdigest()
found = {"model": whole, **{name.removeprefix("run/"): digests[name] for name in model}}
wrong += [one.name for one in said.subject if found.get(one.name) != one.digest["sha256"]]
if wrong:
    sys.exit(f"NOT what was signed: {sorted(wrong)}")
print(
    f"{len(digests)} files as signed; the test result, {said.predicate['result']}, is of this model"
)
