"""What every localiser is: a function from spans to a score of every unit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sanilens.audit.targets import Targets
from sanilens.corpus.records import Record
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
        keep: records that must stay, for localisers that ask what forgetting costs; what is in
            scope in them is not kept.
        folder: where curvature is kept, if any is measured.
    """

    kind: UnitKind = "mlp"
    seed: int = 0
    progress: Progress = unheard
    keep: Sequence[Record] = ()
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Localiser:
    """A named way to score units.

    Attributes:
        name: as on the command line.
        title: in one line, what it asks of a unit.
        cost: of a whole small corpus: `seconds`, `minutes` or `hours`.
        score: gives the scores of all units of `settings.kind`.
    """

    name: str
    title: str
    cost: Literal["seconds", "minutes", "hours"]
    score: Callable[[Targets, Settings], UnitScores]
