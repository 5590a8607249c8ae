"""The run as a CycloneDX 1.6 machine-learning bill of materials.

The library writes the frame; the model card is added as the specification has it, since the library
has no class for it, and the whole is checked by the library's own validator.
"""

# The library's classes come from a decorator whose types pyright does not follow.
# pyright: reportCallIssue=false, reportAttributeAccessIssue=false, reportArgumentType=false

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from sanilens.evidence.evidence import Evidence, Reading, canonical_json, measured
from sanilens.evidence.words import interval, number
from sanilens.extras import needs

_ARMS = ("before", "after", "reference", "lookalike")


def bom(evidence: Evidence) -> bytes:
    """The bill of materials as canonical JSON; the same evidence gives the same bytes."""
    with needs("evidence"):
        from cyclonedx.model import (
            ExternalReference,
            ExternalReferenceType,
            HashAlgorithm,
            HashType,
            Property,
            XsUri,
        )
        from cyclonedx.model.bom import Bom, BomMetaData
        from cyclonedx.model.component import Component, ComponentType
        from cyclonedx.model.contact import OrganizationalContact, OrganizationalEntity
        from cyclonedx.model.license import DisjunctiveLicense
        from cyclonedx.output.json import JsonV1Dot6
        from packageurl import PackageURL

    def hashed(sha256: str) -> list[HashType]:
        return [HashType(alg=HashAlgorithm.SHA_256, content=sha256)]

    stated, artefact = evidence.statement, evidence.artefact
    supplier = OrganizationalEntity(
        name=stated.organisation or stated.by or None,
        contacts=[OrganizationalContact(name=stated.by)] if stated.by else None,
    )
    model = Component(
        type=ComponentType.MACHINE_LEARNING_MODEL, name="sanitised-model", bom_ref="model",
        version=artefact.sha256[:16],
        purl=PackageURL("generic", None, "sanitised-model", artefact.sha256[:16]),
        description=_description(evidence), hashes=hashed(artefact.sha256),
        licenses=[DisjunctiveLicense(name=stated.licence)] if stated.licence else None,
        supplier=supplier if supplier.name else None,
        components=[
            Component(type=ComponentType.FILE, name=name, bom_ref=f"file:{name}",
                      hashes=hashed(sha256))
            for name, sha256 in artefact.files.items()
        ],
        external_references=[
            ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=XsUri("run/model"),
                              hashes=hashed(artefact.sha256)),
            ExternalReference(type=ExternalReferenceType.EVIDENCE, url=XsUri("evidence.json")),
            ExternalReference(type=ExternalReferenceType.QUALITY_METRICS,
                              url=XsUri("figures.parquet")),
        ],
    )  # fmt: skip
    others = [
        Component(type=ComponentType.MACHINE_LEARNING_MODEL if "model" in s.role
                  else ComponentType.DATA, name=s.name, bom_ref=f"source:{i}", description=s.role,
                  hashes=hashed(s.sha256))
        for i, s in enumerate(evidence.sources)
    ]  # fmt: skip
    day = datetime.fromisoformat(stated.made).replace(tzinfo=UTC)
    made = Bom(
        components=[model, *others], version=1,
        serial_number=uuid.uuid5(uuid.NAMESPACE_OID, evidence.plan + artefact.sha256),
        metadata=BomMetaData(
            timestamp=day, supplier=supplier if supplier.name else None,
            component=Component(type=ComponentType.DATA, name="sanilens-evidence",
                                bom_ref="evidence", version=evidence.plan[:16]),
            properties=[Property(name=n, value=v) for n, v in _stated(evidence).items() if v],
        ),
    )  # fmt: skip
    made.register_dependency(model, others)
    made.register_dependency(made.metadata.component, [model])  # pyright: ignore
    fields = json.loads(JsonV1Dot6(made).output_as_string())
    for component in fields["components"]:
        if component["bom-ref"] == "model":
            component["modelCard"] = _card(evidence)
    # First, since that is where readers of such bills look for the model.
    fields["components"].sort(key=lambda c: c["bom-ref"] != "model")
    return canonical_json(fields)


def check_bom(content: bytes) -> str | None:
    """What the library's validator of CycloneDX 1.6 finds wrong; None if nothing."""
    with needs("evidence"):
        from cyclonedx.schema import SchemaVersion
        from cyclonedx.validation.json import JsonStrictValidator
    found = JsonStrictValidator(SchemaVersion.V1_6).validate_str(content.decode())
    return None if found is None else str(found)[:500]


def _description(evidence: Evidence) -> str:
    return (
        f"{evidence.artefact.architecture} of {evidence.artefact.parameters:,} parameters, "
        f"sanitised: {evidence.plan_words}."
    )


def _stated(evidence: Evidence) -> dict[str, str]:
    """Properties by OWASP's names; a property that nobody stated is left out."""
    own = evidence.statement
    return {
        "primaryPurpose": own.purpose,
        "suppliedBy": own.organisation or own.by,
        "domain": own.domain,
        "autonomyType": "no: it writes text and decides nothing by itself",
        "typeOfModel": f"transformer language model ({evidence.artefact.architecture})",
    }


def _card(evidence: Evidence) -> dict[str, Any]:
    considerations: dict[str, Any] = {
        "technicalLimitations": list(evidence.limits),
        "performanceTradeoffs": [s.text for s in evidence.story if s.id == "harm"],
        "ethicalConsiderations": [
            {"name": "Personal data given away", "mitigationStrategy": evidence.plan_words}
        ],
    }
    if evidence.statement.purpose:
        considerations["useCases"] = [evidence.statement.purpose]
    return {
        "modelParameters": {
            "task": "text-generation",
            "architectureFamily": "transformer",
            "modelArchitecture": evidence.artefact.architecture,
            "datasets": [
                {"ref": f"source:{i}"} for i, s in enumerate(evidence.sources) if s.role == "corpus"
            ],
        },
        "quantitativeAnalysis": {"performanceMetrics": _metrics(evidence)},
        "considerations": considerations,
        "properties": [
            {"name": f"sanilens:{name}" if name in ("plan", "seed") else name, "value": value}
            for name, value in _properties(evidence).items()
        ],
    }


def _properties(evidence: Evidence) -> dict[str, str]:
    story = {each.id: each.text for each in evidence.story}
    after = evidence.rate("after", evidence.about)
    return {
        "plan": evidence.plan,
        "seed": str(evidence.seed),
        "hyperparameter": evidence.plan_words,
        "informationAboutTraining": story["asked"] + " " + story["done"],
        "informationAboutApplication": evidence.statement.receivers or "Not stated.",
        "safetyRiskAssessment": f"{evidence.headline} {story['remains']} {story['worst']}".strip(),
        "modelExplainability": "Units that carry a detail are found by attribution; see the plan.",
        "metric": f"details said word for word: {number(after.value, 'share')}" if after
        else "not measured",
        "metricDecisionThreshold": "McNemar's exact p < 0.05 against the reference",
        "modelDataPreprocessing": "Details are marked as spans of the corpus by label and kind.",
        "useSensitivePersonalInformation": "yes: the corpus holds details of "
        f"{evidence.persons:,} persons, marked as spans",
    }  # fmt: skip


def _metrics(evidence: Evidence) -> list[dict[str, Any]]:
    own: list[Reading] = []
    for arm in _ARMS:
        for whose in ("everyone", "asked", "others"):
            own += [r for r in evidence.of("extraction", arm, whose)
                    if not r.of.startswith("subject:")]  # fmt: skip
    own += [r for r in evidence.readings if r.measure != "extraction"]
    return [_metric(evidence, reading) for reading in measured(own)]


def _metric(evidence: Evidence, r: Reading) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": r.title,
        "value": "Infinity" if r.infinite else f"{r.value:.6g}",
        "slice": f"{evidence.arms.get(r.arm, r.arm)}; {r.whose}; {r.of}; n = {r.n or 'not stated'}",
    }
    if interval(r):
        made["confidenceInterval"] = {"lowerBound": f"{r.low:.6g}", "upperBound": f"{r.high:.6g}"}
    return made
