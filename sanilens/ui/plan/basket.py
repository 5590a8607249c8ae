"""The units to erase, as an editable table; and the settings of controls and seed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from sanilens.case import Case
from sanilens.errors import SaniLensError
from sanilens.model.units import Code, parse_unit
from sanilens.runs.planning import Wishes, build_plan
from sanilens.ui import drafts, state
from sanilens.ui.job import progress_bar
from sanilens.ui.layout import card, empty_state, show_error
from sanilens.ui.navigation import page
from sanilens.ui.numbers import number
from sanilens.ui.plan.erase import share_popover
from sanilens.ui.plan.strategy import by_units, wanted
from sanilens.ui.results import results
from sanilens.ui.tables import rows_high
from sanilens.unlearn.choose import choose_edits
from sanilens.unlearn.edits import edited_units, is_exact_in_weights
from sanilens.unlearn.plan import OPERATIONS, Operation, UnitEdit, operations_of
from sanilens.unlearn.resets import row_edits
from sanilens.unlearn.suggest import PRESETS

_MEANING: Mapping[Operation, str] = {
    "reset": "the base model's weights, or fresh ones without a base model",
    "initialise": "fresh weights from the module's own initialiser",
    "zero": "activation 0",
    "mean": "its mean activation over the corpus",
    "clamp": "a fixed activation",
    "cap": "at most the value",
    "rewrite": "its own weights solved anew, so that what is asked is forgotten at least harm",
    "bake": "a feature's direction is removed from all weights that write it",
    "refill": "only codes pass; the next-best one takes a deleted code's place",
    "drop": "only codes pass; a deleted code's place stays empty",
    "renorm": "only codes pass; the remaining ones weigh more",
}


def basket_card(opened: Case) -> None:
    """Draw the units of the plan, and what can be done with them."""
    _measure_pending(opened)
    if name := wanted():
        _suggest(opened, name)
    edits = state.basket()
    with card("Units to erase"):
        if edits:
            _table(opened, edits)
        else:
            empty_state(
                "No units chosen, and none needed: the plan is about all weights. To rewrite some "
                "units alone, mark them `rewrite`."
                if state.rewriting()
                else "No units yet, and none needed. Choose some on **Inspect** to erase by hand, "
                "or let SaniLens suggest those that matter most for the sensitive spans.",
                key="basket",
            )
        _buttons(opened, edits)
        if edits:
            st.caption(basket_summary(opened, edits))


def basket_summary(opened: Case, edits: Sequence[UnitEdit]) -> str:
    """`460 of 4,608 units in 6 layers · 458 in the weights, 2 hook only`."""
    sites = opened.model.sites
    rows = [row for _, row in row_edits(edits)]
    layers = len({own.layer for own in (*edited_units(edits), *rows)})
    exact = sum(is_exact_in_weights(opened.model, edit) for edit in edits)
    where = f"{exact:,} in the weights"
    if exact < len(edits):
        where += f", {len(edits) - exact:,} hook only"
    return (
        f"{len(edits):,} of {sites.n_layers * sites.d_mlp:,} units in {layers} "
        f"layer{'s' * (layers != 1)} · {where}"
    )


def changed(
    edits: Sequence[UnitEdit], delta: Mapping[str, Any]
) -> tuple[tuple[UnitEdit, ...], dict[str, Operation]]:
    """The edits after the table's `delta`, and the units whose new operation still needs a value.

    A value for an operation that takes none is dropped; an operation that does not suit the unit
    changes nothing. All codes of a codebook get the operation chosen last for one of them.
    """
    kept: list[UnitEdit] = []
    pending: dict[str, Operation] = {}
    for row, edit in enumerate(edits):
        if row in delta["deleted_rows"]:
            continue
        cells = delta["edited_rows"].get(row, {})
        operation = cells.get("operation") or edit.operation
        value = cells.get("value", edit.value)
        if operation not in operations_of(edit.parsed):
            kept.append(edit)
        elif operation not in ("mean", "clamp", "cap"):
            kept.append(UnitEdit(unit=edit.unit, operation=operation))
        elif value is not None and operation == edit.operation:
            kept.append(UnitEdit(unit=edit.unit, operation=operation, value=value))
        else:
            kept.append(edit)
            pending[edit.unit] = operation
    return _one_way(edits, kept), pending


def _one_way(before: Sequence[UnitEdit], after: Sequence[UnitEdit]) -> tuple[UnitEdit, ...]:
    """Give all codes of a codebook the operation that one of them was given."""
    chosen: dict[str, Operation] = {
        edit.parsed.sae: edit.operation
        for edit in after
        if isinstance(edit.parsed, Code) and edit not in before
    }
    return tuple(
        UnitEdit(unit=edit.unit, operation=chosen.get(unit.sae, edit.operation))
        if isinstance(unit := edit.parsed, Code)
        else edit
        for edit in after
    )


def _table(opened: Case, edits: tuple[UnitEdit, ...]) -> None:
    # The key goes with the content: otherwise the table would apply its old edits again.
    key = f"plan-basket-{hash(edits)}"
    rows = [
        {
            "unit": edit.unit,
            "operation": edit.operation,
            "value": edit.value,
            "lives": "weights" if is_exact_in_weights(opened.model, edit) else "hook only",
        }
        for edit in edits
    ]
    st.data_editor(
        pd.DataFrame(rows).astype({"value": "float64"}),
        key=key,
        hide_index=True,
        num_rows="delete",
        height=min(rows_high(15), rows_high(len(rows))),
        placeholder="",
        on_change=_edit,
        args=(key, edits),
        column_config={
            "unit": st.column_config.TextColumn("unit", disabled=True),
            "operation": st.column_config.SelectboxColumn(
                "operation",
                options=list(OPERATIONS),
                required=True,
                help="; ".join(f"{name}: {text}" for name, text in _MEANING.items()),
            ),
            "value": st.column_config.NumberColumn(
                "value", format="%.4f", help="The activation, for mean, clamp and cap."
            ),
            "lives": st.column_config.TextColumn(
                "lives in",
                disabled=True,
                help="Weights: the exported model has it. Hook only: no weights can express it, so "
                "it holds where SaniLens runs the model, not in the exported one.",
            ),
        },
    )


def _edit(key: str, edits: tuple[UnitEdit, ...]) -> None:
    kept, pending = changed(edits, st.session_state[key])
    if kept != edits:
        state.set_basket(kept)
    st.session_state["plan-pending"] = pending


def _measure_pending(opened: Case) -> None:
    """Measure values for the units whose new operation needs one."""
    pending: dict[str, Operation] = st.session_state.pop("plan-pending", {})
    if not pending:
        return
    with st.spinner("Measuring the units' activations…"):
        for operation in dict.fromkeys(pending.values()):
            units = [parse_unit(u) for u, wanted in pending.items() if wanted == operation]
            records = opened.corpus.records
            state.add_edits(choose_edits(opened.model, records, units, operation))
    drafts.keep()  # a step of its own, drawn in this very run


def _buttons(opened: Case, edits: tuple[UnitEdit, ...]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.button(
            "Suggest units",
            key="plan-suggest",
            help="Units that carry what is to be forgotten, with the repair that suits them.",
        ):
            _suggest(opened, by_units(opened))
        _presets(opened)
        share_popover(opened, _MEANING)
        if not edits and st.button("Choose on Inspect", key="plan-to-inspect"):
            st.switch_page(page("inspect"))
        if edits:
            with st.popover("Set all to…"):
                chosen = st.radio(
                    "Operation for every unit",
                    OPERATIONS,
                    captions=list(_MEANING.values()),
                    key="plan-all",
                )
                st.button("Apply", key="plan-all-apply", on_click=_set_all, args=(chosen,))
        st.button("Undo", key="plan-undo", disabled=not drafts.can_undo(), on_click=drafts.undo)
        if edits:
            with st.popover("Clear…"):
                st.markdown(
                    f"Remove all {len(edits):,} units from the plan? Undo brings them back."
                )
                st.button("Clear", key="plan-clear", on_click=state.set_basket, args=((),))


def _set_all(operation: Operation) -> None:
    """Units that the operation does not suit stay as they are."""
    suited = [edit for edit in state.basket() if operation in operations_of(edit.parsed)]
    st.session_state["plan-pending"] = {edit.unit: operation for edit in suited}


def _presets(opened: Case) -> None:
    """The whole plans, each with where it was measured."""
    names = list(PRESETS)
    with st.popover("Presets…"):
        chosen = st.radio(
            "Whole plans by name",
            names,
            format_func=lambda name: PRESETS[name].title,
            captions=[f"{PRESETS[n].description} Measured: {PRESETS[n].measured}" for n in names],
            key="plan-preset",
        )
        if st.button("Use this plan", key="plan-preset-take"):
            _suggest(opened, chosen)


def _suggest(opened: Case, preset: str) -> None:
    """Put a preset's units, share and repair in the place of the page's."""
    wishes = Wishes(preset=preset, subjects=state.subjects(), seed=state.run_options().seed)
    try:
        with progress_bar("Scoring every unit by gradient × activation", "batches") as progress:
            found = results().get(
                ("suggested", opened.key, wishes.preset, wishes.subjects, wishes.seed),
                lambda: build_plan(opened, wishes, progress),
            )
    except SaniLensError as error:
        show_error(error)
        return
    state.set_basket(found.edits)
    state.set_repair(found.repair)
    state.set_keep(found.keep)
    state.set_rewriting(found.rewrite)
    st.rerun()


def controls_card() -> None:
    """Draw both; every change is kept at once."""
    options = state.run_options()
    with card("Controls and seed"):
        left, right = st.columns([2, 1], vertical_alignment="center")
        st.session_state["plan-controls"] = options.controls
        left.checkbox(
            "Run the controls too",
            key="plan-controls",
            on_change=_keep_controls,
            help="Repair only, random units + repair, and edits only. They show what the chosen "
            "units contributed, and make the run about three times as long.",
        )
        number(right, "Seed", 0, 2**31 - 1, options.seed, key="plan-seed", keep=_keep_seed)
        if not options.controls:
            st.caption("Without controls, Compare cannot say what the chosen units contributed.")


def _keep_controls() -> None:
    options = replace(state.run_options(), controls=st.session_state["plan-controls"])
    state.set_run_options(options)


def _keep_seed() -> None:
    state.set_run_options(replace(state.run_options(), seed=int(st.session_state["plan-seed"])))
