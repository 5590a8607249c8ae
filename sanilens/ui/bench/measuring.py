"""The bench's job and its result; and what its rows and groups are called on the screen."""

import hashlib
from pathlib import Path

from pydantic import ValidationError

from sanilens.audit.methods_table import ERASED, TAUGHT, SanitiseResult, ablation_name
from sanilens.bundled import assets_folder, resolve
from sanilens.model.folder import fingerprint_folder
from sanilens.runs.jobs import Job
from sanilens.runs.workspace import job
from sanilens.unlearn.methods import METHODS
from sanilens.unlearn.suggest import PRESETS

BROKEN = 1.6
"""Beyond this multiple of the reference's perplexity a model is broken, however little it leaks."""

GROUPS: dict[str, str] = {
    "given": "models as given",
    "ours": "ours",
    "control": "controls",
    "sani": "SANI",
    "ablation": "one factor at a time",
    "baseline": "baselines",
}
_UNITS = {"none": "nothing", "random": "random units", "located": "located units"}
_REPAIRS = {"masked": "masked", "surrogate": "surrogate", "anchored": "anchored"}
_KEPT = f"{100 * PRESETS['recommended'].keep:g} %"
_OWN = {
    "leaking": "leaking model",
    "reference": "reference model",
    "base": "base model",
    "strangers": "as of a stranger",
    "stranger repair only": "as of a stranger, repair alone",
    "rewrite+stranger": "all weights rewritten, then as of a stranger",
    "rewrite only": "all weights rewritten, no repair",
    "located, no base": "located units zeroed, surrogate repair",
    "blend+anchored": f"{_KEPT} of the fine-tuning, then anchored",
    "blend only": f"{_KEPT} of the fine-tuning, no repair",
    "repair only": "all of the fine-tuning, then anchored",
    "sani": "SANI as published",
    "balanced-subnet": "BalancedSubnet, units zeroed",
    "closed form, inputs": "fine-tuning less the spans' inputs (closed form)",
    "closed form, both sides": "fine-tuning less the spans' curvature (closed form)",
    "codes": "Codes deleted (CodeUnlearn)",
}
_ABLATIONS = {
    ablation_name(erased, taught): f"{_UNITS[erased]} erased, {_REPAIRS[taught]} repair"
    for erased in ERASED
    for taught in TAUGHT
}


def method_words(name: str) -> str:
    """A row's name in words; of a row of another version the name itself."""
    known = _OWN.get(name) or _ABLATIONS.get(name)
    return known or (METHODS[name].title if name in METHODS else name)


def part_words(name: str) -> str:
    """A factor's value, such as `located` or `masked`, in words."""
    return f"{_UNITS[name]} erased" if name in _UNITS else f"{_REPAIRS.get(name, name)} repair"


def bench_job(case: str) -> Job:
    """The job of a case."""
    return job("sanitise", hashlib.sha256(f"sanitise|{case}".encode()).hexdigest())


def arguments(case: str, seeds: int) -> list[str]:
    """The command, as one would type it after `sanilens`."""
    rows = str(bench_job(case).root / "rows")
    return ["bench", "sanitise", "--case", case, "--seeds", str(seeds), "--out", rows, "--json"]


def measured(case: str) -> tuple[SanitiseResult, bool] | None:
    """The result, and whether this machine measured it; else the shipped one; else None.

    A result of another model than the one bundled now does not count.
    """
    model = fingerprint_folder(Path(resolve(f"{case}:leaking")))
    if found := bench_job(case).result():
        try:
            own = SanitiseResult.model_validate(found)
        except ValidationError:
            own = None  # written by another version: to be measured again
        if own and own.model_sha256 == model:
            return own, True
    shipped = shipped_result(case)
    return (shipped, False) if shipped and shipped.model_sha256 == model else None


def shipped_result(case: str) -> SanitiseResult | None:
    """What the project measured, as `bench sanitise --json` printed it."""
    path = assets_folder() / case / "sanitise.json"
    return SanitiseResult.model_validate_json(path.read_bytes()) if path.is_file() else None
