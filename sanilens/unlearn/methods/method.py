"""What every method is: a function from a task to what a model is trained on, and its loss.

Knows neither plans nor runs: unlearn/repair.py trains with what a method prepares.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from sanilens.corpus.records import Record
from sanilens.model.language_model import LanguageModel
from sanilens.model.training import Example, Loss, batch_loss
from sanilens.unlearn.adapter import Adapter


class Options(BaseModel):
    """A method's own settings: numbers, words and switches, each with a sentence.

    Forms, the command line and plan files are made from the fields.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @property
    def needs_base(self) -> bool:
        """Whether a method with these options needs the model before fine-tuning."""
        return False


class GapOptions(Options):
    """What a method that can train masked language models asks of them."""

    gap_share: Annotated[float, Field(gt=0, le=1)] = Field(
        0.15,
        title="Gaps",
        description="Of a masked language model alone: the share of the taught tokens that are "
        "gaps in an epoch. BERT was trained with 0.15.",
        json_schema_extra={"only": "masked"},
    )


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be forgotten, and what a method may read meanwhile.

    Attributes:
        model: the examined model as it was loaded: theta0 of the equations. It stays frozen;
            what is trained is a copy, which comes with each call of the loss.
        records: the corpus. Tokens of spans are to be forgotten; all others are to be kept.
        base: the model before fine-tuning.
        retain: more text to be kept. The look-alikes and the unseen notes of a case are what its
            result is measured on, so they should not be given here.
        epochs: how many times the examples are asked for.
        seed: of everything that is drawn.
        scoped: whether only some people's details are spans. The others' are text to be kept,
            which the base model has never seen.
    """

    model: LanguageModel
    records: Sequence[Record]
    base: LanguageModel | None = None
    retain: Sequence[Record] = ()
    epochs: int = 1
    seed: int = 0
    scoped: bool = False


Weights = Mapping[str, Tensor]
"""A model's parameters by name."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a training run needs; the same for every copy that is trained.

    Attributes:
        examples: gives an epoch's examples; the same epoch gives the same ones, and every epoch
            as many. It must not look at the model: a resumed run asks for them again.
        loss: of a model on a batch of them. Random draws belong in `examples`.
        finish_: changes the trained model at the end; also gets its weights before training.
    """

    examples: Callable[[int], Sequence[Example]]
    loss: Loss = batch_loss
    finish_: Callable[[nn.Module, Weights], None] | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """A named way to train a model to forget.

    Attributes:
        name: as in plan files and on the command line.
        title: as on the page.
        meaning: one or two sentences for someone who chooses it.
        prepare: from a task and these options to what is trained.
        options: the model of its options; its defaults are the method's.
        learning_rate: suggested, for a small model (found on the bundled case).
        epochs: suggested.
        optimizer: `sgd` where the method decides its step's direction itself.
        adapter: makes what is trained instead of the model's weights, from the examined model,
            the options and a seed; None for a method that changes the weights.
        family: under which head the page lists it.
        prepare_gaps: the same for a masked language model; None: it trains causal ones alone.
    """

    name: str
    title: str
    meaning: str
    prepare: Callable[[Task, Any], Prepared]
    options: type[Options] = Options
    learning_rate: float = 1e-3
    epochs: int = 2
    adapter: Callable[[LanguageModel, Any, int], Adapter] | None = None
    family: str = "Baselines"
    prepare_gaps: Callable[[Task, Any], Prepared] | None = None
    optimizer: Literal["adamw", "sgd"] = "adamw"

    @property
    def fills_gaps(self) -> bool:
        """Whether it can train a masked language model too."""
        return self.prepare_gaps is not None
