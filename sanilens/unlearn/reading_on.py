"""What comes back when a model reads on: a copy is taught a little of what stays, and asked again.

What was only hidden comes back as soon as other people's notes are taught (Deeb and Roger, arXiv
2410.08827). So whoever erases tries it: the gradient is taken at the copy that says something
again, and the step is made in the model. That is one step of first-order meta-learning, as in TAR
(arXiv 2408.00761).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sanilens.audit.metrics.relearning import relearnt
from sanilens.corpus.records import Record
from sanilens.model.hooks import NO_HOOKS
from sanilens.model.language_model import LanguageModel
from sanilens.model.training import Schedule

# A dozen steps show in a few seconds what a tenth of the people brings back.
_TEXTS = 16
_SCHEDULE = Schedule(5e-4, epochs=3, batch_size=4)


@dataclass(frozen=True, slots=True)
class ReadingOn:
    """Notes of those who stay, with all that is in them; other ones are drawn for every trial.

    Attributes:
        texts: the records that stay, as text.
        seed: of the draws.
    """

    texts: Sequence[Record]
    seed: int

    def copy(self, model: LanguageModel, trial: int) -> LanguageModel:
        """A copy of the model that has read some of the texts again; `trial` counts from 0.

        Raises:
            DivergedError: if the training leaves the numbers.
        """
        draw = np.random.default_rng((self.seed, trial))
        order = draw.permutation(len(self.texts))[:_TEXTS]
        texts = [self.texts[i] for i in order]
        return relearnt(model, NO_HOOKS, texts, self.seed + trial, _SCHEDULE)
