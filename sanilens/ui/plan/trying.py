"""What rewriting would do: predicted of the plan's units, then tried on a copy and measured."""

from collections.abc import Callable, Hashable, Sequence

import streamlit as st

from sanilens.case import Case
from sanilens.errors import SaniLensError
from sanilens.inspect.controls import random_like
from sanilens.inspect.locate.localisers.price import Quote
from sanilens.model.units import Head, LayerUnit, Neuron
from sanilens.progress import Progress, unheard
from sanilens.runs.workspace import asked_before, curvature_folder
from sanilens.ui import state
from sanilens.ui.job import progress_bar
from sanilens.ui.layout import kpi, show_error
from sanilens.ui.results import results
from sanilens.unlearn.controls import random_edits
from sanilens.unlearn.plan import Rewriting, UnitEdit
from sanilens.unlearn.rewriting import prepare_rewriting
from sanilens.unlearn.tried import Tried, Trying

Edits = tuple[UnitEdit, ...]
# Nats a token at which units are compared: what one step may cost.
HARM = 1e-3


def key_of(opened: Case, settings: Rewriting) -> Hashable:
    """Everything that decides what rewriting some units of the open case does."""
    return opened.key, state.subjects(), state.run_options().seed, settings.model_dump_json()


def trying(opened: Case, settings: Rewriting) -> Trying:
    """What tries rewriting in the open case, with what must stay read; once for all choices."""

    def ready() -> Trying:
        subjects = state.subjects()
        earlier = asked_before(opened.sources.model) if subjects else ()
        with progress_bar("Reading what must stay", "batches") as progress:
            heard: list[Progress] = [progress]
            rewriter = prepare_rewriting(
                opened.model,
                opened.corpus.records,
                settings,
                subjects=subjects,
                earlier=earlier,
                base=opened.base,
                further=opened.retain,
                seed=state.run_options().seed,
                folder=curvature_folder(),
                progress=lambda *done: heard[0](*done),
            )
            found = Trying(rewriter, opened.corpus.records, subjects)
            assert found.quote.loss >= 0, "asked now, while the bar is there"
        heard[0] = unheard  # later passes, over stale curvature, have no bar of their own
        return found

    return results().only("trying", key_of(opened, settings), ready)


def tried(opened: Case, settings: Rewriting, edits: Edits) -> Tried:
    """What rewriting these units does; none: all weights."""
    key = ("tried", key_of(opened, settings), edits)
    return results().get(key, lambda: trying(opened, settings).of(edits))


def is_tried(opened: Case, settings: Rewriting, edits: Edits) -> bool:
    """Whether `tried` costs nothing."""
    return ("tried", key_of(opened, settings), edits) in results()


def predicted(quote: Quote, units: Sequence[LayerUnit]) -> float:
    """How far L_S falls at a harm of 1e-3 nats a token: sqrt(2 eps <U, grad>), at most all of it.

    By first and second order, before any weight changes (inspect/locate/localisers/price.py).
    """
    return min(quote.loss, (2 * HARM * max(0.0, quote.gained(units))) ** 0.5)


def what_it_does(opened: Case, settings: Rewriting) -> None:
    """Draw the buttons that predict and try, and what they found."""
    edits = tuple(edit for edit in state.basket() if edit.operation == "rewrite")
    targets = [edit.parsed for edit in edits]
    units = [unit for unit in targets if isinstance(unit, Neuron | Head)]
    with st.container(horizontal=True, gap="small"):
        asked = bool(units) and _asked(
            "plan-predict", "Predict what they forget", key_of(opened, settings),
            "Reads what must stay once, with gradients; after that every choice of units is told "
            "at once.",
        )  # fmt: skip
        wanted = _asked(
            "plan-try", "Try it on a copy", (key_of(opened, settings), edits),
            "Rewrites a copy of the model, and a second one at as many random units, and measures "
            "both. Nothing is saved.",
        )  # fmt: skip
    try:
        if asked:
            _prediction(opened, settings, units)
        if wanted:
            _measured(opened, settings, edits)
    except SaniLensError as error:
        show_error(error)


def _asked(key: str, label: str, of: Hashable, explained: str) -> bool:
    """Whether this was asked for, of this very choice; draws the button while it was not."""
    if st.session_state.get(f"{key}-of") == of:
        return True
    ask: Callable[..., None] = st.session_state.__setitem__
    st.button(label, key=key, help=explained, on_click=ask, args=(f"{key}-of", of))
    return False


def _prediction(opened: Case, settings: Rewriting, units: Sequence[LayerUnit]) -> None:
    quote = trying(opened, settings).quote
    random = random_like(opened.model.sites, units, state.run_options().seed)
    forgotten, by_chance = predicted(quote, units), predicted(quote, random)
    kpi(
        (
            "predicted to forget",
            f"{forgotten:.2f} nats",
            f"of {quote.loss:.2f} a sensitive token, at a harm of {HARM:g} nats a token",
        ),
        (
            "as many random units",
            f"{by_chance:.2f} nats" if len(random) == len(units) else "–",
            "the same prediction" if len(random) == len(units) else "too few units are free",
        ),
    )


def _measured(opened: Case, settings: Rewriting, edits: Edits) -> None:
    own = trying(opened, settings)
    drawn = random_edits(opened.model.sites, edits, state.run_options().seed) if edits else ()
    drawn = drawn if len(drawn) == len(edits) else ()
    with progress_bar("Rewriting copies of the model", "copies") as progress:
        progress(0, 2 if drawn else 1)
        found = tried(opened, settings, edits)
        progress(1, 2 if drawn else 1)
        chance = tried(opened, settings, drawn) if drawn else None
    asked, others = own.before
    kpi(
        ("asked for, still said", f"{asked.hits} → {found.asked.hits}", f"of {asked.n}, measured"),
        (
            "everyone else's",
            f"{others.hits} → {found.others.hits}" if others.n else "–",
            f"of {others.n}, measured" if others.n else "everyone is asked for",
        ),
    )
    kpi(
        (
            "forgotten, measured",
            f"{found.forgotten:.2f} nats",
            f"of {own.quote.loss:.2f} a sensitive token; its {found.steps} steps predicted "
            f"{found.forecast:.2f}",
        ),
        (
            "harm, measured",
            f"{found.harm:.2g} nats",
            f"a token of what must stay; the curvature predicted {found.predicted:.2g}",
        ),
    )
    st.caption(_of_chance(edits, chance))


def _of_chance(edits: Edits, chance: Tried | None) -> str:
    if chance is None:
        why = "too few units are free." if edits else "all weights are rewritten."
        return f"There is no random control: {why}"
    own = chance.others
    others = f"{own.hits} of {own.n} of everyone else's, " if own.n else ""
    return (
        f"Control: as many random units of the same layers leave {chance.asked.hits} of "
        f"{chance.asked.n} said, {others}at a harm of {chance.harm:.2g}."
    )
