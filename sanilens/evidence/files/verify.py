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
digests = {
    p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
    for p in folder.rglob("*")
    if p.is_file()
}
sealed = json.loads((folder / "digests.json").read_bytes())["files"]
wrong = [
    n
    for n in {*digests, *sealed} - {"digests.json", "model.sig"}
    if digests.get(n) != sealed.get(n)
]
said = Parse((folder / "test-result.intoto.json").read_bytes(), statement_pb2.Statement())
statement.Statement.copy_from_pb(said).validate()
model = sorted((n for n in digests if n.startswith("run/model/")), key=PurePosixPath)
whole = hashlib.sha256(b"".join(bytes.fromhex(digests[n]) for n in model)).hexdigest()
found = {"model": whole, **{n.removeprefix("run/"): digests[n] for n in model}}
wrong += [s.name for s in said.subject if found.get(s.name) != s.digest["sha256"]]
sys.exit(
    f"NOT what was signed: {wrong}"
    if wrong
    else print(
        f"{len(digests)} files as signed; "
        f"test result {said.predicate['result']} is about this model"
    )
)
