"""What every attack is: a function from a model on trial to what it got out of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from sanilens.audit.attacks.result import AttackResult, not_measured
from sanilens.audit.metrics.metric import Need, Trial
from sanilens.progress import Progress, unheard

_LACKING: dict[Need, str] = {
    "causal": "the model is a masked one, and this attack reads from left to right",
    "before": "there is no model from before the erasure",
    "base": "there is no base model",
    "reference": "there is no reference model",
    "lookalike": "there are no look-alikes",
    "unseen": "there are no unseen texts",
    "questions": "there are no closed questions",
}


@dataclass(frozen=True, slots=True)
class Attack:
    """An attack.

    Attributes:
        name: in files, plans and on the command line.
        title: over its table.
        meaning: what it does and what its headline says, in one or two sentences.
        run: attacks the model, and tells its progress; may be cancelled there.
        needs: without which it is not measured.
        weight: about how long it takes beside the others; only estimates of time rest on it.
    """

    name: str
    title: str
    meaning: str
    run: Callable[[Trial, Progress], AttackResult]
    needs: tuple[Need, ...] = ()
    weight: float = 1.0

    def on(self, trial: Trial, progress: Progress = unheard) -> AttackResult:
        """Attack a model; where something is lacking, the result says what.

        Raises:
            LogitsError: if the model's own logits are no numbers.
        """
        for need in self.needs:
            if not trial.exam.has(need, trial.model):
                return not_measured(_LACKING[need][0].upper() + _LACKING[need][1:] + ".")
        started = time.monotonic()
        found = self.run(trial, progress)
        return found.model_copy(update={"seconds": round(time.monotonic() - started, 3)})
