"""What every localiser is: a function from spans to a score of every unit."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sanilens.audit.targets import Targets
from sanilens.inspect.locate.scores import UnitScores
from sanilens.model.units import UnitKind
from sanilens.progress import Progress, unheard


@dataclass(frozen=True, slots=True)
class Settings:
    """What a localiser is told besides its targets.

    Attributes:
        kind: which units to score.
        seed: of everything that is drawn.
        progress: hears of the steps done.
    """

    kind: UnitKind = "mlp"
    seed: int = 0
    progress: Progress = unheard


@dataclass(frozen=True, slots=True)
class Localiser:
    """A named way to score units.

    Attributes:
        name: as on the command line.
        title: in one line, what it asks of a unit.
        cost: `seconds` for a whole small corpus, or `minutes`.
        score: gives the scores of all units of `settings.kind`.
    """

    name: str
    title: str
    cost: Literal["seconds", "minutes"]
    score: Callable[[Targets, Settings], UnitScores]
