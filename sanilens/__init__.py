"""SaniLens: see what a language model has memorised, choose what to erase, repair it, and show it.

    case = sanilens.open_case("ward")
    case.audit()
    case.locate("alignment", subject="p-004").top(20)
    plan = case.suggest_plan()
    run = sanilens.run(plan, "run1")
    run.compare().table()

Imports go up one line only:
corpus -> model -> audit -> dictionaries -> inspect -> unlearn -> case -> runs -> api -> ui, cli.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sanilens.api import (
        Run,
        audit_model,
        compare,
        locate,
        open_case,
        run,
        suggest_plan,
        what_if,
    )
    from sanilens.audit.metrics import METRICS
    from sanilens.case import Case
    from sanilens.errors import SaniLensError
    from sanilens.inspect.locate.localisers import LOCALISERS
    from sanilens.runs.planning import Wishes
    from sanilens.unlearn.methods import METHODS
    from sanilens.unlearn.plan import Plan
    from sanilens.unlearn.suggest import PRESETS

__version__ = "0.1.0"
__all__ = [
    "LOCALISERS",
    "METHODS",
    "METRICS",
    "PRESETS",
    "Case",
    "Plan",
    "Run",
    "SaniLensError",
    "Wishes",
    "audit_model",
    "compare",
    "locate",
    "open_case",
    "run",
    "suggest_plan",
    "what_if",
]

# Where each name is defined: torch and transformers take seconds to load, so nothing is imported
# before it is used.
_HOME = {
    "LOCALISERS": "inspect.locate.localisers",
    "METHODS": "unlearn.methods",
    "METRICS": "audit.metrics",
    "PRESETS": "unlearn.suggest",
    "Case": "case",
    "Plan": "unlearn.plan",
    "SaniLensError": "errors",
    "Wishes": "runs.planning",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'sanilens' has no attribute {name!r}")
    return getattr(import_module(f"sanilens.{_HOME.get(name, 'api')}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
