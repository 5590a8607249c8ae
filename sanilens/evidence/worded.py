"""The figures in a bundle's files, whatever words stand around them.

A file that another state of SaniLens wrote cannot be held against today's byte for byte. What it
says in numbers, outcomes and digests can: they must be the run's.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from sanilens.evidence.completeness import completeness
from sanilens.evidence.evidence import Evidence, Reading
from sanilens.evidence.gate import Judged
from sanilens.files import parse_json

_NUMERAL = re.compile(r"[+-]?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?")
_OUTCOMES = {"pass": "passedTests", "fail": "failedTests", "not measured": "warnedTests"}


def same_numbers(shown: str, reading: Reading | None) -> bool:
    """Whether each number in some words is one of a figure's, as far as it is written out."""
    if reading is None:
        return False
    own = [reading.value, reading.low, reading.high, reading.hits, reading.n]
    # As a share, or in percent or points; "95 %" is what an interval is called.
    known = [scale * number for number in own if number is not None for scale in (1, 100)] + [95]
    numerals = _NUMERAL.findall(shown.replace("\u2212", "-"))
    if not numerals and reading.value is not None:
        return False
    return all(any(_rounds_to(number, text) for number in known) for text in numerals)


def otherwise(
    name: str, content: bytes, made: Evidence, judged: Sequence[Judged], folder: Path
) -> list[str]:
    """What a file of another maker says that is not so in the run.

    Args:
        name: of the file; one that is not known here says nothing that could be compared.
        content: its bytes.
        made: counted again in the run.
        judged: by the bundle's criteria, again.
        folder: the bundle's.
    """
    look = _LOOKS.get(name)
    if look is None:
        return []
    try:
        found = list(look(content, made, judged, folder))
    except (ValueError, LookupError, TypeError, AttributeError, yaml.YAMLError, RecursionError):
        return [f"{name} is not of its format"]
    return [f"{name}: {what}" for what in found]


def _criteria(content: bytes, _made: Evidence, judged: Sequence[Judged], _: Path) -> Iterator[str]:
    said = [(j["name"], j["outcome"], j["figure"]) for j in parse_json(content)]
    if said != [(j.name, j.outcome, j.reading) for j in judged]:
        yield "its outcomes are not those of the criteria"


def _test_result(
    content: bytes, made: Evidence, judged: Sequence[Judged], _: Path
) -> Iterator[str]:
    said = parse_json(content)
    own = {"model": made.artefact.sha256}
    own |= {f"model/{name}": sha256 for name, sha256 in made.artefact.files.items()}
    if {one["name"]: one["digest"]["sha256"] for one in said["subject"]} != own:
        yield "it is about another model"
    predicate, outcomes = said["predicate"], {j.outcome for j in judged}
    result = ("FAILED" if "fail" in outcomes else
              "WARNED" if "not measured" in outcomes else "PASSED")  # fmt: skip
    if predicate["result"] != result:
        yield "its result is not that of the criteria"
    for outcome, field in _OUTCOMES.items():
        if predicate.get(field, []) != [j.name for j in judged if j.outcome == outcome]:
            yield f"{field} are not those of the criteria"


def _bom(content: bytes, made: Evidence, _judged: Sequence[Judged], _: Path) -> Iterator[str]:
    model = parse_json(content)["components"][0]
    if [each["content"] for each in model["hashes"]] != [made.artefact.sha256]:
        yield "it is about another model"
    known = {_triple(r.value, r.low, r.high) for r in made.readings if r.value is not None}
    known |= {_triple(float("inf"), None, None)}
    for metric in model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]:
        bounds = metric.get("confidenceInterval", {})
        own = _triple(metric["value"], bounds.get("lowerBound"), bounds.get("upperBound"))
        if own not in known:
            yield f"{str(metric['value'])[:20]} is no figure of the run"


def _score(
    content: bytes, _made: Evidence, _judged: Sequence[Judged], folder: Path
) -> Iterator[str]:
    own = completeness(json.loads((folder / "bom.cdx.json").read_bytes()))
    if parse_json(content)["score"] > own.score:
        yield f"the bill's score is {own.score}"


def _spdx(content: bytes, made: Evidence, _judged: Sequence[Judged], _: Path) -> Iterator[str]:
    packages = [e for e in parse_json(content)["@graph"] if e.get("type") == "ai_AIPackage"]
    (model,) = [each for each in packages if each["name"] == "sanitised-model"]
    if [each["hashValue"] for each in model["verifiedUsing"]] != [made.artefact.sha256]:
        yield "it is about another model"
    readings = {r.id: r for r in made.readings}
    for entry in model.get("ai_metric", []):
        if not same_numbers(entry["value"], readings.get(entry["key"])):
            yield f"{str(entry['key'])[:80]} is said otherwise"


def _card(content: bytes, made: Evidence, _judged: Sequence[Judged], _: Path) -> Iterator[str]:
    _before, head, _rest = content.decode().split("---\n", 2)
    known = {(r.hits, r.n) for r in made.readings if r.hits is not None}
    fields = yaml.safe_load(head)
    for index in fields.get("model-index", []):
        for result in index["results"]:
            for metric in result["metrics"]:
                hits, n = metric["args"]["hits"], metric["args"]["n"]
                if (hits, n) not in known or abs(metric["value"] - hits / n) > 1e-6:
                    yield f"{hits} of {n} is no figure of the run"


_Look = Callable[[bytes, Evidence, Sequence[Judged], Path], Iterable[str]]
_LOOKS: Mapping[str, _Look] = {
    "criteria.json": _criteria,
    "test-result.intoto.json": _test_result,
    "bom.cdx.json": _bom,
    "completeness.json": _score,
    "ai.spdx.json": _spdx,
    "model-card.md": _card,
}


def _triple(*numbers: Any) -> tuple[str, ...]:
    """As the bill writes them: six digits."""
    return tuple("" if each is None else f"{float(each):.6g}" for each in numbers)


def _rounds_to(number: float, text: str) -> bool:
    """Whether a number, rounded as its numeral is, is that numeral."""
    plain = text.replace(",", "")
    mantissa = plain.partition("e")[0]
    digits = len(mantissa.partition(".")[2])
    scale = float(f"1e{plain.partition('e')[2] or 0}")
    return abs(abs(number) - abs(float(plain))) <= 0.5000001 * scale * 10**-digits
