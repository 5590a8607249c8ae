"""How complete a CycloneDX bill is by OWASP's published field table, and what its fields rest on.

OWASP AI SBOM Fields Mapping Reference, 29 fields: within a category the points of the fields that
are there, over all of its points, times its weight (required 20, metadata 20, component 20, model
card 30, references 10). Its score counts what is said; whether anybody checked it is told apart
here: against bytes, measured by the run, or stated.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

Basis = Literal["checked against bytes", "measured", "stated", "missing"]

_WEIGHTS = {"required": 20, "metadata": 20, "component": 20, "model card": 30, "references": 10}


class _Field(NamedTuple):
    name: str
    category: str
    points: float
    basis: Basis


_FIELDS = (
    _Field("bomFormat", "required", 4, "checked against bytes"),
    _Field("specVersion", "required", 4, "checked against bytes"),
    _Field("serialNumber", "required", 4, "checked against bytes"),
    _Field("version", "required", 4, "checked against bytes"),
    _Field("primaryPurpose", "metadata", 4, "stated"),
    _Field("suppliedBy", "metadata", 4, "stated"),
    _Field("standardCompliance", "metadata", 1, "stated"),
    _Field("domain", "metadata", 1, "stated"),
    _Field("autonomyType", "metadata", 1, "stated"),
    _Field("name", "component", 4, "stated"),
    _Field("type", "component", 2, "checked against bytes"),
    _Field("purl", "component", 2, "checked against bytes"),
    _Field("description", "component", 2, "checked against bytes"),
    _Field("licenses", "component", 2, "stated"),
    _Field("energyConsumption", "model card", 2, "measured"),
    _Field("hyperparameter", "model card", 2, "checked against bytes"),
    _Field("limitation", "model card", 2, "measured"),
    _Field("safetyRiskAssessment", "model card", 2, "measured"),
    _Field("typeOfModel", "model card", 2, "checked against bytes"),
    _Field("modelExplainability", "model card", 1, "stated"),
    _Field("energyQuantity", "model card", 1, "measured"),
    _Field("energyUnit", "model card", 1, "measured"),
    _Field("informationAboutTraining", "model card", 1, "checked against bytes"),
    _Field("informationAboutApplication", "model card", 1, "stated"),
    _Field("metric", "model card", 1, "measured"),
    _Field("metricDecisionThreshold", "model card", 1, "stated"),
    _Field("modelDataPreprocessing", "model card", 1, "stated"),
    _Field("useSensitivePersonalInformation", "model card", 1, "measured"),
    _Field("downloadLocation", "references", 10, "checked against bytes"),
)


class Completeness(NamedTuple):
    """Points of 100, and by field what it rests on."""

    score: float
    fields: dict[str, Basis]


def completeness(bom: Mapping[str, Any]) -> Completeness:
    """Score a bill whose model is its first component."""
    there: dict[str, Basis] = {field.name: field.basis if _value(bom, field.name) else "missing"
             for field in _FIELDS}  # fmt: skip
    score = 0.0
    for category, weight in _WEIGHTS.items():
        own = [field for field in _FIELDS if field.category == category]
        reached = sum(field.points for field in own if there[field.name] != "missing")
        score += weight * reached / sum(field.points for field in own)
    return Completeness(round(score, 1), there)


def _value(bom: Mapping[str, Any], name: str) -> Any:
    model = next(iter(bom.get("components", ())), {})
    card = model.get("modelCard", {})
    if name in ("bomFormat", "specVersion", "serialNumber", "version"):
        return bom.get(name)
    if name in ("name", "type", "purl", "description", "licenses"):
        return model.get(name)
    if name == "limitation":
        return card.get("considerations", {}).get("technicalLimitations")
    if name == "downloadLocation":
        references = [*model.get("externalReferences", ()), *bom.get("externalReferences", ())]
        return any(reference.get("type") == "distribution" for reference in references)
    properties = [*card.get("properties", ()), *bom.get("metadata", {}).get("properties", ())]
    found = [each.get("value") for each in properties if each.get("name") == name]
    return next((value for value in found if value and value != "Not stated."), None)
