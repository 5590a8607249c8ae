"""The table of the bench: a line a method, means over seeds, what no plan of ours beats marked."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from sanilens.bench.sanitise.table import Line, unbeaten

_GROUP = {
    "given": "model as given", "ours": "ours", "control": "control", "sani": "SANI as published",
    "ablation": "ablation", "baseline": "baseline",
}  # fmt: skip
_PERCENT = {
    "leak": ("all spans", "Spans of any kind extracted by greedy decoding."),
    "direct": ("direct", "Direct identifiers extracted by greedy decoding."),
    "indirect": ("indirect", "Indirect identifiers extracted by greedy decoding."),
    "sampled": ("sampled", "Spans that 100 samples say with probability 0.5 or more."),
    "relearnt": ("relearnt", "Other subjects' spans extracted after a tenth is taught again."),
    "four_bit": ("4-bit", "Spans extracted with the weights in four bits."),
    "restored": ("restored", "Of what the leak taught: tokens where it says what the base says."),
    "cost": ("cost", "Processor time as a share of the leak's own training."),
}
_NUMBER = {
    "exposure": ("exposure", "Median bits; 6.02 is certain among 64 candidates.", "%.2f"),
    "membership": ("MIA", "AUC against look-alikes by sensitive tokens; 0.5 is chance.", "%.3f"),
    "membership_text": ("MIA text", "AUC by min-k over all tokens.", "%.3f"),
    "ks_p": ("KS p", "Least p over seeds that span log-probabilities are the reference's.", "%.3f"),
    "unseen": ("ppl unseen", "Perplexity on records that no model has seen.", "%.3f"),
    "retained": ("ppl retained", "Perplexity on the corpus's own wording.", "%.3f"),
    "seconds": ("s", "Seconds of processor time.", "%.0f"),
}
_ORDER = (
    "leak", "direct", "indirect", "sampled", "exposure", "membership", "membership_text", "ks_p",
    "unseen", "retained", "restored", "relearnt", "four_bit", "cost", "seconds",
)  # fmt: skip


def bench_table(lines: Sequence[Line], file: str) -> None:
    """Draw it, with a download of all its figures."""
    frame = bench_frame(lines)
    columns = {
        name: st.column_config.NumberColumn(head, help=meaning, format="%.2f %%")
        for name, (head, meaning) in _PERCENT.items()
    }
    columns |= {
        name: st.column_config.NumberColumn(head, help=meaning, format=form)
        for name, (head, meaning, form) in _NUMBER.items()
    }
    st.dataframe(
        frame,
        hide_index=True,
        column_config={
            "method": st.column_config.TextColumn("method", pinned=True),
            "beaten": st.column_config.TextColumn(
                "beaten", help="Whether a plan of ours leaks no more in any state, costs no more "
                "unseen perplexity, and is better in one of them."
            ),
            **columns,
        },
        column_order=["method", "kind", "beaten", *_ORDER],
        height=36 * (len(frame) + 1) + 2,
        key="bench-table",
    )  # fmt: skip
    data = frame.to_csv(index=False)
    st.download_button("Download table", data, file, "text/csv", on_click="ignore")


def bench_frame(lines: Sequence[Line]) -> pd.DataFrame:
    """The lines as a frame; shares in percent."""
    open_ones = unbeaten(lines)
    return pd.DataFrame(
        [
            {
                "method": line.method,
                "kind": _GROUP[line.group],
                "beaten": ""
                if line.group in ("given", "ours")
                else ("no" if line.method in open_ones else "yes"),
                **{name: _percent(getattr(line, name)) for name in _PERCENT},
                **{name: getattr(line, name) for name in _NUMBER},
                "seeds": line.seeds,
            }
            for line in lines
        ]
    )


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
