"""What the bench's rows and groups are called on the screen; files keep the rows' own names."""

from sanilens.bench.sanitise.arms import ERASED, KEEP, TAUGHT, ablation_name
from sanilens.unlearn.methods import METHODS

BROKEN = 1.6
"""Beyond this share of the reference's perplexity a model is broken, however little it leaks."""

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
_KEPT = f"{100 * KEEP:g} %"
_OWN = {
    "leaking": "leaking model",
    "reference": "reference model",
    "base": "base model",
    "blend+anchored": f"{_KEPT} of the fine-tuning, then anchored",
    "blend only": f"{_KEPT} of the fine-tuning, no repair",
    "repair only": "all of the fine-tuning, then anchored",
    "sani": "SANI as published",
    "codes": "Codes deleted (CodeUnlearn)",
}
_ABLATIONS = {
    ablation_name(erased, taught): f"{_UNITS[erased]} erased, {_REPAIRS[taught]} repair"
    for erased in ERASED
    for taught in TAUGHT
}


def method_words(name: str) -> str:
    """A row's name in words; the name itself for a row of another version."""
    known = _OWN.get(name) or _ABLATIONS.get(name)
    return known or (METHODS[name].title if name in METHODS else name)


def part_words(name: str) -> str:
    """One factor's value, such as `located` or `masked`, in words."""
    return f"{_UNITS[name]} erased" if name in _UNITS else f"{_REPAIRS.get(name, name)} repair"
