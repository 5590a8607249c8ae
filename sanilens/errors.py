"""The one exception type whose message is meant for the user.

A message says what is wrong, where, and how to mend it. It never holds an identifier: a
value from a corpus may be a patient's name, so messages name files, lines and fields only.
"""


class SaniLensError(Exception):
    """A mistake that the user can mend; the CLI prints it and exits with 1."""


class MissingExtraError(SaniLensError):
    """A library that only some commands need, and that was not installed with SaniLens."""


class CorpusError(SaniLensError):
    """A corpus, patient table or upload that cannot be used as it is."""


class ModelError(SaniLensError):
    """A model folder or hub id that cannot be loaded or examined."""


class LogitsError(ModelError):
    """A model whose logits are no numbers: nothing that is measured on it means anything."""


class PlanError(SaniLensError):
    """A plan that does not parse, or does not fit its model or corpus."""


class RunError(SaniLensError):
    """A run folder that cannot be executed, resumed or compared."""


class IntegrityError(RunError):
    """A run folder whose files are not what the run wrote; the CLI exits with 3."""


class DivergedError(RunError):
    """The repair left the numbers: `step` it was found at, and the `reason` in words."""

    def __init__(self, step: int, reason: str) -> None:
        """Say what happened and how to go on."""
        self.step, self.reason = step, reason
        super().__init__(
            f"The repair left the numbers at step {step}: {reason}. Make a plan with a lower "
            "learning rate or fewer epochs; this one ends here again."
        )
