"""A widget for every field of a pydantic model: number, choice, switch or text, by its schema."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st
from pydantic import BaseModel

from sanilens.model.subject import ModelKind

Keep = Callable[[str], None]
"""Called with the field's name when its widget, whose key is `key + name`, has changed."""


def fields_of(model: type[BaseModel]) -> Mapping[str, Mapping[str, Any]]:
    """What the model's JSON schema says of each field: title, description, type and bounds."""
    return model.model_json_schema().get("properties", {})


def fields(
    model: type[BaseModel], values: Mapping[str, Any], keep: Keep, key: str, kind: ModelKind
) -> None:
    """Draw the fields of a model, two in a row, as they stand in `values`.

    Left out are those that concern `only` the other kind of language model.
    """
    own = {
        name: about for name, about in fields_of(model).items() if about.get("only", kind) == kind
    }
    columns = st.columns(2, vertical_alignment="bottom") if own else []
    for number, (name, about) in enumerate(own.items()):
        with columns[number % 2]:
            _widget(name, about, values[name], keep, f"{key}{name}")


def _widget(name: str, about: Mapping[str, Any], value: Any, keep: Keep, key: str) -> None:
    # The state decides what a widget shows, also after another page or an uploaded plan.
    st.session_state[key] = value
    label = about.get("title", name)
    common: dict[str, Any] = {
        "key": key,
        "help": about.get("description"),
        "on_change": keep,
        "args": (name,),
    }
    match about:
        case {"enum": choices}:
            st.segmented_control(label, choices, required=True, **common)
        case {"type": "boolean"}:
            st.toggle(label, **common)
        case {"type": "integer"}:
            st.number_input(label, about.get("minimum"), about.get("maximum"), step=1, **common)
        case {"type": "number"}:
            st.session_state[key] = value = float(value)
            step = number_step(float(about.get("default") or 0.1))
            least = about.get("minimum", about.get("exclusiveMinimum", 0) + step / 1000)
            most = about.get("maximum", math.inf)
            # A plan file may hold less than the widget's least step.
            least, most = min(float(least), value), max(float(most), value)
            st.number_input(
                label,
                least,
                most if math.isfinite(most) else None,
                step=step,
                format="%g",
                **common,
            )
        case {"type": "string"}:
            st.text_input(label, max_chars=about.get("maxLength"), **common)
        case _:
            raise TypeError(f"no widget is known for {name}: {about}")


def number_step(default: float) -> float:
    """A step that changes a number of this size noticeably: its power of ten."""
    return 10.0 ** math.floor(math.log10(abs(default)))
