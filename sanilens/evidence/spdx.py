"""The run as an SPDX 3.0 document of the AI profile, written by SPDX's own Python model.

The model's classes come from SPDX's SHACL shapes and refuse what these forbid.
"""

import io
from datetime import UTC, datetime
from typing import Any

from sanilens.evidence.evidence import Evidence, canonical_json, measured
from sanilens.evidence.words import figure, with_interval
from sanilens.extras import needs
from sanilens.files import parse_json

_ID = "urn:sanilens:"


def spdx_document(evidence: Evidence) -> bytes:
    """The document as canonical JSON-LD; the same evidence gives the same bytes."""
    with needs("evidence"):
        from spdx_python_model import v3_0_1 as spdx
    base, stated = f"{_ID}{evidence.plan}:", evidence.statement
    when = datetime.fromisoformat(stated.made).replace(tzinfo=UTC)
    info = spdx.CreationInfo(specVersion="3.0.1", created=when)
    who = spdx.Agent(
        spdxId=f"{base}agent", creationInfo=info,
        name=stated.organisation or stated.by or "not stated",
    )  # fmt: skip
    tool = spdx.Tool(spdxId=f"{base}tool", creationInfo=info, name=f"SaniLens {evidence.made_with}")
    info.createdBy = [who]
    info.createdUsing = [tool]

    def sha(value: str) -> Any:
        return spdx.Hash(algorithm=spdx.HashAlgorithm.sha256, hashValue=value)

    model = spdx.ai_AIPackage(
        spdxId=f"{base}model", creationInfo=info, name="sanitised-model",
        software_packageVersion=evidence.artefact.sha256[:16],
        software_primaryPurpose=spdx.software_SoftwarePurpose.model,
        software_downloadLocation=f"{base}run/model", suppliedBy=who, releaseTime=when,
        verifiedUsing=[sha(evidence.artefact.sha256)],
        ai_typeOfModel=[evidence.artefact.architecture],
        ai_domain=[stated.domain] if stated.domain else [],
        ai_autonomyType=spdx.PresenceType.no,
        ai_useSensitivePersonalInformation=spdx.PresenceType.yes,
        ai_limitation=" ".join(evidence.limits),
        ai_informationAboutTraining=evidence.plan_words,
        ai_informationAboutApplication=stated.receivers or "Not stated.",
        ai_modelDataPreprocessing=["Details are marked as spans of the corpus."],
        ai_metric=[
            spdx.DictionaryEntry(key=r.id, value=with_interval(r)) for r in _shown(evidence)
        ],
        ai_metricDecisionThreshold=[
            spdx.DictionaryEntry(key="McNemar's exact p against the reference", value="0.05")
        ],
        ai_hyperparameter=[spdx.DictionaryEntry(key="seed", value=str(evidence.seed))],
    )  # fmt: skip
    elements: list[Any] = [info, who, tool, model]
    for i, source in enumerate(evidence.sources):
        kind = spdx.ai_AIPackage if "model" in source.role else spdx.dataset_DatasetPackage
        more: dict[str, Any] = (
            {"software_primaryPurpose": spdx.software_SoftwarePurpose.model}
            if "model" in source.role
            else {
                "dataset_datasetType": [spdx.dataset_DatasetType.text],
                "software_primaryPurpose": spdx.software_SoftwarePurpose.data,
                "originatedBy": [who], "releaseTime": when, "builtTime": when,
                "software_downloadLocation": f"{base}not-in-this-bundle",
            }
        )  # fmt: skip
        own = kind(
            spdxId=f"{base}source-{i}", creationInfo=info, name=source.name, comment=source.role,
            verifiedUsing=[sha(source.sha256)], **more,
        )  # fmt: skip
        how = {
            "corpus": spdx.RelationshipType.trainedOn,
            "base model": spdx.RelationshipType.descendantOf,
            "model under examination": spdx.RelationshipType.descendantOf,
        }.get(source.role, spdx.RelationshipType.testedOn)
        link = spdx.Relationship(
            spdxId=f"{base}relation-{i}", creationInfo=info, from_=model, to=[own],
            relationshipType=how,
        )  # fmt: skip
        elements += [own, link]
    makers = {"transformers": "Hugging Face", "torch": "PyTorch Foundation"}
    for library, maker in makers.items():  # that load it and compute with it
        if version := evidence.machine.get(library):
            by = spdx.Organization(
                spdxId=f"{base}maker-of-{library}", creationInfo=info, name=maker
            )
            own = spdx.software_Package(
                spdxId=f"{base}{library}", creationInfo=info, name=library,
                software_packageVersion=version, suppliedBy=by,
                software_packageUrl=f"pkg:pypi/{library}@{version.partition('+')[0]}",
                software_primaryPurpose=spdx.software_SoftwarePurpose.library,
            )  # fmt: skip
            link = spdx.Relationship(
                spdxId=f"{base}needs-{library}", creationInfo=info, from_=model, to=[own],
                relationshipType=spdx.RelationshipType.dependsOn,
            )  # fmt: skip
            elements += [by, own, link]
    bill = spdx.software_Sbom(
        spdxId=f"{base}bill", creationInfo=info, name="A sanitised model, and what it was made of",
        rootElement=[model], element=[e for e in elements if e is not info],
        software_sbomType=[spdx.software_SbomType.analyzed],
        profileConformance=[spdx.ProfileIdentifierType.core, spdx.ProfileIdentifierType.software],
    )  # fmt: skip
    elements.append(bill)
    document = spdx.SpdxDocument(
        spdxId=f"{base}document", creationInfo=info, name="SaniLens evidence",
        rootElement=[bill], element=[e for e in elements if e is not info],
        profileConformance=[
            spdx.ProfileIdentifierType.core, spdx.ProfileIdentifierType.software,
            spdx.ProfileIdentifierType.ai, spdx.ProfileIdentifierType.dataset,
        ],
    )  # fmt: skip
    written = io.BytesIO()
    objects = spdx.SHACLObjectSet([*elements, document])
    spdx.JSONLDSerializer().write(objects, written, force_at_graph=True)
    return canonical_json(parse_json(written.getvalue()))


def _shown(evidence: Evidence) -> list[Any]:
    """Headline figures by kind and label of the result and beside it; persons stand elsewhere."""
    return [
        r
        for arm in ("before", "after", "reference")
        for r in measured(evidence.of("extraction", arm, evidence.about))
        if not r.of.startswith("subject:") and figure(r)
    ]
