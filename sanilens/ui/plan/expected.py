"""How long a plan will take: measured once a session for each repair (runs/expected.py)."""

from sanilens.case import Case
from sanilens.errors import SaniLensError
from sanilens.progress import duration
from sanilens.runs.execute import kept_already
from sanilens.runs.expected import START, Training, asking_pace, expected_arms, training_cost
from sanilens.runs.treatments import instead_of, treatments
from sanilens.ui.markup import plain
from sanilens.ui.results import results
from sanilens.ui.saes import saes_of
from sanilens.unlearn.plan import Plan


def takes(opened: Case, plan: Plan) -> str:
    """How long the run will take, in a sentence (Markdown)."""
    try:
        long = how_long(opened, plan)
    except SaniLensError as error:
        return f"How long it takes could not be measured: {plain(str(error))}"
    attacks = ", and then the attacks" if plan.audit.attacks else ""
    return f"Takes {long} on this computer, controls included{attacks}."


def how_long(opened: Case, plan: Plan) -> str:
    """`about 3 min`: the whole run, controls included.

    Raises:
        SaniLensError: if the repair of a part of the corpus cannot be carried out.
    """
    return duration(_seconds(opened, plan))


def _seconds(opened: Case, plan: Plan) -> float:
    """Of the whole run, controls included.

    Raises:
        SaniLensError: if the repair of a part of the corpus cannot be carried out.
    """
    others = instead_of(plan, opened.corpus.records)
    treated = treatments(plan, opened.model.sites, saes_of(opened, plan.edits), others)
    pace = results().get(("pace", opened.key), lambda: asking_pace(opened))
    training = _training(opened, plan) if plan.repair.trains else None
    kept = kept_already(plan, opened)
    curvature = "another_subject" not in kept  # what deleting them goes by is kept with it
    arms = expected_arms(opened, plan, treated, pace, training, curvature=curvature)
    for name in kept:
        arms.pop(name)
    return START + sum(arm.seconds for arm in arms.values())


def _training(opened: Case, plan: Plan) -> Training:
    # Of the edits only which layers they are in could matter: their number says it well enough.
    asked = plan.subjects, plan.earlier, len(plan.edits)
    key = ("training", opened.key, plan.repair.model_dump_json(), asked)
    return results().get(key, lambda: training_cost(opened, plan))
