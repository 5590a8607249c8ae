"""The in-toto test result of a run: of the model folder's digest, criterion by criterion.

Predicate: https://in-toto.io/attestation/test-result/v0.1. What was not measured is a warning.
"""

import json
from collections.abc import Sequence

from sanilens.evidence.evidence import Evidence, canonical_json
from sanilens.evidence.gate import Judged
from sanilens.extras import needs

PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"


def statement(evidence: Evidence, judged: Sequence[Judged]) -> bytes:
    """The statement as canonical JSON, read and checked by in-toto's own library."""
    with needs("evidence"):
        from google.protobuf.json_format import MessageToDict, MessageToJson
        from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
        from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
        from in_toto_attestation.v1.statement import Statement
    artefact = evidence.artefact
    subjects = [ResourceDescriptor(name="model", digest={"sha256": artefact.sha256}).pb]
    subjects += [
        ResourceDescriptor(name=f"model/{name}", digest={"sha256": sha256}).pb
        for name, sha256 in artefact.files.items()
    ]
    by = {
        outcome: [each.name for each in judged if each.outcome == outcome]
        for outcome in ("pass", "fail", "not measured")
    }
    result = "FAILED" if by["fail"] else "WARNED" if by["not measured"] else "PASSED"
    predicate = test_result_pb2.TestResult(  # pyright: ignore  # made by protobuf
        result=result,
        configuration=[
            ResourceDescriptor(name="plan", digest={"sha256": evidence.plan}).pb,
            *(ResourceDescriptor(name=s.role, digest={"sha256": s.sha256}).pb
              for s in evidence.sources),
        ],
        passed_tests=by["pass"],
        warned_tests=by["not measured"],
        failed_tests=by["fail"],
    )  # fmt: skip
    made = Statement(subjects, PREDICATE, MessageToDict(predicate))
    made.validate()
    return canonical_json(json.loads(MessageToJson(made.pb)))
