"""The bundled autoencoders: how good they are, and what clamping a few chosen features does.

Features are chosen on the subjects' notes and on generic notes made for it; what the clamp costs
is told on the unseen notes, on which nothing was chosen.
"""

from dataclasses import asdict
from typing import Any

from research.cases.clinic import generic_notes
from sanilens.case import open_model, open_records, open_sae
from sanilens.dictionaries.sae.choose import Goal, choose_features
from sanilens.dictionaries.sae.quality import measure_quality
from sanilens.dictionaries.sae.trade_off import measure_trade_off
from sanilens.progress import Progress, unheard
from sanilens.runs.workspace import bundled_saes

# Of another seed than the unseen notes and than those that the autoencoder has read.
_OTHER_SEED, _OTHER = 26, 80


def bench_sae(
    *, goal: Goal | None = None, draws: int = 5, progress: Progress = unheard
) -> dict[str, Any]:
    """Every bundled autoencoder of the clinic's leaking model, by its units' prefix.

    Of each: `site`, `features`, `quality` on the unseen notes, `left`, `rise`, `halved`, and the
    fields of `TradeOff`, features by unit.

    Args:
        goal: of the choice of features.
        draws: of random features.
        progress: hears of the steps of the choice.
    """
    goal = goal or Goal()
    model = open_model("clinic:leaking")
    notes, unseen = open_records("clinic:notes"), open_records("clinic:unseen")
    other = list(generic_notes(_OTHER_SEED, _OTHER))
    found: dict[str, Any] = {}
    for sae_id, source in bundled_saes(model).items():
        sae = open_sae(source, model)
        choice = choose_features(model, sae, notes, other, goal, progress=progress)
        made = measure_trade_off(model, sae, choice.values, notes, unseen, draws=draws)
        found[f"sae.{sae_id}"] = {
            "site": str(sae.site),
            "features": sae.width,
            "quality": measure_quality(model, sae, unseen).figures(),
            "left": made.left,
            "rise": made.rise,
            "halved": made.reaches(goal.left, goal.rise),
            **asdict(made),
            "clamped": {f"sae.{sae_id}.{f}": value for f, value in made.clamped.items()},
        }
    return found
