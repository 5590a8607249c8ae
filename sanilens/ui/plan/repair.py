"""The repair's settings, among them a widget for every field of a method's options."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st
from pydantic import BaseModel, ValidationError

from sanilens.case import Case
from sanilens.model.language_model import ModelKind
from sanilens.ui import state
from sanilens.ui.layout import card
from sanilens.ui.markup import plain
from sanilens.ui.numbers import number
from sanilens.unlearn.methods import METHODS, Method
from sanilens.unlearn.plan import NO_REPAIR, Repair
from sanilens.unlearn.suggest import another_method

Keep = Callable[[str], None]
"""Called with a field's name when its widget, whose key is `key + name`, has changed."""


def fields_of(model: type[BaseModel]) -> Mapping[str, Mapping[str, Any]]:
    """What the JSON schema says about each field: title, description, type and bounds."""
    return model.model_json_schema().get("properties", {})


def fields(
    model: type[BaseModel], values: Mapping[str, Any], keep: Keep, key: str, kind: ModelKind
) -> None:
    """Draw a model's fields, two in a row or three numbers, with the values of `values`.

    Fields that concern `only` the other kind of language model are left out.
    """
    own = {
        name: about for name, about in fields_of(model).items() if about.get("only", kind) == kind
    }
    if not own:
        return
    numbers = all(about.get("type") in ("integer", "number") for about in own.values())
    columns = st.columns(3 if numbers and len(own) != 2 else 2)
    for place, (name, about) in enumerate(own.items()):
        with columns[place % len(columns)]:
            _widget(name, about, values[name], keep, f"{key}{name}")


def _widget(name: str, about: Mapping[str, Any], value: Any, keep: Keep, key: str) -> None:
    label, explained = about.get("title", name), about.get("description")
    if about.get("type") in ("integer", "number") and "enum" not in about:
        _number(name, about, value, keep, key)
        return
    # The state decides what a widget shows, also after a visit elsewhere or an uploaded plan.
    st.session_state[key] = value
    common: dict[str, Any] = {"key": key, "help": explained, "on_change": keep, "args": (name,)}
    match about:
        case {"enum": choices}:
            st.segmented_control(label, choices, required=True, **common)
        case {"type": "boolean"}:
            st.toggle(label, **common)
        case {"type": "string"}:
            st.text_input(label, max_chars=about.get("maxLength"), **common)
        case _:
            raise TypeError(f"no widget is known for {name}: {about}")


def _number(name: str, about: Mapping[str, Any], value: Any, keep: Keep, key: str) -> None:
    label, explained = about.get("title", name), about.get("description")
    if about["type"] == "integer":
        least, most = about.get("minimum", -_LARGEST), about.get("maximum", _LARGEST)
        number(
            st.container(), label, least, most, int(value), step=1, key=key, keep=keep,
            args=(name,), help=explained,
        )  # fmt: skip
        return
    step = number_step(float(about.get("default") or 0.1))
    least = about.get("minimum", about.get("exclusiveMinimum", 0) + step / 1000)
    most = about.get("maximum", math.inf)
    # A plan file may hold less than the widget's least step.
    number(
        st.container(), label, min(float(least), value), max(float(most), value), float(value),
        step=step, key=key, keep=keep, args=(name,), format="%g", help=explained,
    )  # fmt: skip


# The largest whole number that a browser keeps exactly.
_LARGEST = 2**53 - 1


def number_step(default: float) -> float:
    """A step that changes a number of this size noticeably: its power of ten."""
    return 10.0 ** math.floor(math.log10(abs(default)))


_NONE = "None"
_TRAINED: Mapping[str, str] = {
    "all": "All",
    "edited_layers": "Edited layers",
    "lora": "Low-rank additions",
}
_SCHEDULES: Mapping[str, str] = {"once": "Once", "every_epoch": "Before every epoch"}
# Streamlit's own keys, so that a message outlives the run in which it arose.
_REFUSED = "repair-refused"


def repair_card(opened: Case) -> None:
    """Draw the settings; every change is kept at once."""
    with card("Repair"):
        method = _choose_method(opened)
        if method is None:
            st.caption("Only the edits. What they break stays broken.")
            return
        st.caption(plain(method.meaning))
        if method.adapter:
            st.caption(":orange-badge[suppression] Removing the adapter undoes it.")
        if state.repair().needs_base and opened.base is None:
            st.warning("This repair needs a base model, and the case has none. Choose another.")
        if refused := st.session_state.pop(_REFUSED, None):
            st.warning(plain(refused))
        _options(method, opened)
        _schedule(method)
        with st.expander("What is trained, and when it stops"):
            _training(method)
            _early_stop()


def methods_of(opened: Case) -> dict[str, list[Method]]:
    """The methods that this case allows, by family, both in the registry's order."""
    found: dict[str, list[Method]] = {}
    for method in METHODS.values():
        trains = method.fills_gaps or opened.model.kind == "causal"
        if trains and (opened.base is not None or not method.options().needs_base):
            found.setdefault(method.family, []).append(method)
    return found


def _choose_method(opened: Case) -> Method | None:
    families, now = methods_of(opened), METHODS.get(state.repair().method)
    if now and now not in families.get(now.family, []):
        families.setdefault(now.family, []).append(now)
    st.session_state["repair-family"] = now.family if now else _NONE
    st.segmented_control(
        "Method",
        [*families, _NONE],
        key="repair-family",
        on_change=_keep_family,
        args=(families,),
        required=True,
    )
    if now and len(families[now.family]) > 1:
        st.session_state["repair-method"] = now.name
        st.selectbox(
            "Method",
            [method.name for method in families[now.family]],
            key="repair-method",
            format_func=lambda name: METHODS[name].title,
            on_change=_keep_method,
            label_visibility="collapsed",
        )
    return now


def _options(method: Method, opened: Case) -> None:
    values, kind = state.repair().options, opened.model.kind
    if values:
        fields(method.options, values, _keep_option, f"repair-{method.name}-", kind)


def _schedule(method: Method) -> None:
    repair = state.repair()
    first, second, third = st.columns(3)
    number(
        first, "Learning rate", min(1e-6, repair.learning_rate), 1.0, repair.learning_rate,
        step=1e-4, format="%g", key="repair-learning_rate", keep=_keep_field,
        args=("learning_rate",),
        help=f"For this method and a small model {method.learning_rate:g} is suggested.",
    )  # fmt: skip
    number(
        second, "Epochs", 1, 1000, repair.epochs, key="repair-epochs", keep=_keep_field,
        args=("epochs",), help=f"Suggested: {method.epochs}.",
    )  # fmt: skip
    number(
        third, "Batch size", 1, 4096, repair.batch_size, key="repair-batch_size",
        keep=_keep_field, args=("batch_size",),
    )  # fmt: skip


def _training(method: Method) -> None:
    repair = state.repair()
    if method.adapter:
        st.caption("Only the adapter is trained; the model's weights stay as the edits left them.")
    else:
        _weights(repair)
    st.session_state["repair-bfloat16"] = repair.precision == "bfloat16"
    st.checkbox(
        "Compute in bfloat16",
        key="repair-bfloat16",
        on_change=_keep_precision,
        help="Faster where the processor supports it. The weights stay float32.",
    )


def _weights(repair: Repair) -> None:
    low_rank = repair.train == "lora"
    left, right = st.columns([2.6, 1], vertical_alignment="bottom")
    _field("train", repair.train)
    left.segmented_control(
        "Weights to train",
        list(_TRAINED),
        format_func=lambda name: _TRAINED[name],
        required=True,
        help="Low-rank additions (LoRA) to every projection, merged into the weights at the end.",
        **_repair_widget("train"),
    )
    if low_rank:
        number(
            right, "Rank", 1, 1024, repair.lora_rank, key="repair-lora_rank", keep=_keep_field,
            args=("lora_rank",),
        )  # fmt: skip
    beside = " Not available with low-rank additions, which lie beside the erased weights."
    _field("reset_schedule", repair.reset_schedule)
    st.segmented_control(
        "Erase",
        list(_SCHEDULES),
        format_func=lambda name: _SCHEDULES[name],
        required=True,
        disabled=low_rank,
        help="Before every epoch: what the last epoch taught the erased units is erased again."
        + beside * low_rank,
        **_repair_widget("reset_schedule"),
    )
    _field("freeze_erased", repair.freeze_erased)
    st.checkbox(
        "Keep erased units as the edit left them",
        disabled=low_rank,
        help="Their weights get no gradient, so the repair cannot teach them anything."
        + beside * low_rank,
        **_repair_widget("freeze_erased"),
    )


def _early_stop() -> None:
    rise = state.repair().max_perplexity_rise
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    st.session_state["repair-stops"] = rise is not None
    left.checkbox(
        "Stop early if perplexity rises",
        key="repair-stops",
        on_change=_keep_stop,
        help="Stop after an epoch whose perplexity on unseen texts is this much above the lowest "
        "so far.",
    )
    if rise is not None:
        number(
            right, "By more than, %", min(0.1, 100 * rise), max(1000.0, 100 * rise), 100 * rise,
            step=1.0, key="repair-rise", keep=_keep_stop, hidden=True,
        )  # fmt: skip


def _field(name: str, value: Any) -> None:
    """The state decides what a widget shows, also after another page or an uploaded plan."""
    st.session_state[f"repair-{name}"] = value


def _repair_widget(name: str) -> dict[str, Any]:
    return {"key": f"repair-{name}", "on_change": _keep_field, "args": (name,)}


def _keep_field(name: str) -> None:
    _keep({name: st.session_state[f"repair-{name}"]})


def _keep_option(name: str) -> None:
    repair = state.repair()
    value = st.session_state[f"repair-{repair.method}-{name}"]
    _keep({"options": {**repair.options, name: value}})


def _keep(change: Mapping[str, Any]) -> None:
    """Keep a change, unless the result would not be valid; then say why at the next run."""
    fields = {**state.repair().model_dump(), **change}
    if fields["train"] == "lora":
        fields |= {"freeze_erased": False, "reset_schedule": "once"}
    try:
        state.set_repair(Repair.model_validate(fields))
    except ValidationError as error:
        what = error.errors(include_input=False, include_url=False)[0]["msg"]
        st.session_state[_REFUSED] = f"Not changed: {what.removeprefix('Value error, ')}."


def _keep_family(families: Mapping[str, list[Method]]) -> None:
    family = st.session_state["repair-family"]
    if family == _NONE:
        _keep({"method": NO_REPAIR, "options": {}})
    else:
        own = {method.name for method in families[family]}
        last = [name for name in state.repairs() if name in own]
        _take(last[-1] if last else families[family][0].name)


def _keep_method() -> None:
    _take(st.session_state["repair-method"])


def _take(method: str) -> None:
    """Go on with another method, as it was left when it was chosen last."""
    left = state.repairs().get(method)
    state.set_repair(left or another_method(method, state.repair()))


def _keep_precision() -> None:
    _keep({"precision": "bfloat16" if st.session_state["repair-bfloat16"] else "float32"})


def _keep_stop() -> None:
    share = st.session_state.get("repair-rise", 10.0) / 100
    _keep({"max_perplexity_rise": round(share, 6) if st.session_state["repair-stops"] else None})
