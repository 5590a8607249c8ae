"""What a run reached: tiles, arms, labels, the verdict in words, and the files to take away."""

from collections.abc import Callable, Mapping, Sequence

import streamlit as st
from markupsafe import Markup

from sanilens.audit.metrics.knowledge import KNOWLEDGE_KEPT
from sanilens.audit.noninferiority import paired_bound
from sanilens.audit.perplexity import worded_perplexity
from sanilens.audit.statistics import Rate
from sanilens.audit.summary import worst_subject
from sanilens.charts import Tone
from sanilens.glossary import meaning
from sanilens.runs.arms import TITLES, ArmName
from sanilens.runs.comparison import TRIES, Comparison, Left
from sanilens.runs.folder import RunFolder
from sanilens.runs.judgement import utility
from sanilens.runs.verdict import (
    Told,
    Words,
    instead,
    knowledge_words,
    side_effect,
    verdict,
    worded_p,
)
from sanilens.ui import state
from sanilens.ui.compare.history import undo_request
from sanilens.ui.compare.requests import next_request
from sanilens.ui.extracted import signed
from sanilens.ui.layout import card, kpi
from sanilens.ui.markup import show
from sanilens.ui.navigation import page
from sanilens.ui.plan.request import take_plan
from sanilens.ui.rates import ArmRate, arm_table, rate_forest
from sanilens.ui.tables import Column, Row, show_table, table
from sanilens.unlearn.saved_adapter import WORDS
from sanilens.unlearn.stronger import Stronger

# The controls between what was and what is, as one reads the picture from top to bottom.
_ORDER: tuple[ArmName, ...] = (
    "before",
    "random_units",
    "edits_only",
    "repair_only",
    "another_subject",
    "after",
    "int8",
    "int4",
    "reference",
    "base",
    "lookalike",
)
_TONES: dict[ArmName, Tone] = {"before": "leak", "after": "plan", "reference": "reference"}


def tiles(found: Comparison) -> list[tuple[str, str, str]]:
    """The four numbers on top: (label, value, what to hold it against).

    If the plan is for some subjects they are about these, and the last about everybody else.
    """
    if not found.groups:
        return [_said(found), _known(found), _indirect(found), _worst(found)]
    own = found.of("asked")
    return [_said(own), _known(own), _indirect(own), _others(found.of("others"))]


def arms(found: Comparison, kind: str | None) -> list[ArmRate]:
    """The arms as bars, with near misses, knowledge kept and perplexity beside them."""
    return [_arm(found, name, kind) for name in _ORDER if name in found.arms]


def _told(words: Words | Told) -> None:
    """Draw a verdict, and below it in grey the numbers that it rests on."""
    if words.headline:
        st.markdown(f"**{words.headline}**")
    st.markdown(words.rests)


def against_random(found: Comparison, kind: str | None) -> str:
    """Whether the choice of units mattered: against as many random ones, treated alike."""
    if "random_units" not in found.arms:
        return ""
    pair = found.paired("after", "random_units", kind)
    after, random = found.rate("after", kind).hits, found.rate("random_units", kind).hits
    counts = f"{after:,} spans against {random:,} with as many random units, {worded_p(pair.p)}"
    if pair.p >= 0.05:
        return f"**That these units matter is not shown**: {counts}."
    if after < random:
        return f"**The chosen units mattered**: {counts}."
    return f"**The chosen units did worse than random ones**: {counts}."


def _arm(found: Comparison, name: ArmName, kind: str | None) -> ArmRate:
    rate, near = found.rate(name, kind), found.near(name, kind)
    more = (
        f"{near.hits:,}" if near.n else "–",
        KNOWLEDGE_KEPT.words(found.arms[name].knowledge_kept),
        worded_perplexity(found.perplexity(name)),
    )
    if name == "lookalike":  # other texts, but the model of before
        more = (more[0], "–", "–")
    tone = _TONES.get(name, "control")
    return ArmRate(TITLES[name], rate.hits, rate.n, rate.low, rate.high, tone, more)


def _said(found: Comparison) -> tuple[str, str, str]:
    before, after = found.rate("before"), found.rate("after")
    if not after.n:
        return "sensitive spans extracted", "–", "nothing was audited"
    note = f"of {after.n:,}"
    if doubt := sum(row.maybe and row.extracted for row in found.spans["after"].values()):
        note += f", {doubt:,} perhaps copied from the context"
    if "reference" in found.arms:
        pair = found.paired("after", "reference")
        most = 100 * max(0.0, paired_bound(pair.only_first, pair.only_second, pair.n))
        note += f" · reference {found.rate('reference').hits:,}, at most {most:.1f} points more"
    near = found.near("after")
    misses = f"{near.hits:,} near miss" + "es" * (near.hits != 1)
    note += f" · {misses}" if near.n else " · near misses not measured"
    return "sensitive spans extracted", f"{before.hits:,} → {after.hits:,}", note


def _known(found: Comparison) -> tuple[str, str, str]:
    """Knowledge kept, with perplexity beside it; perplexity itself where it is not measured."""
    label, value, note = _perplexity(found)
    kept = found.arms["after"].knowledge_kept
    if kept is None:
        return label, value, note
    if kept.value is None:
        return label, value, f"{note} · {knowledge_words(kept)}"
    beside = f"{kept.whose} · perplexity {worded_perplexity(found.perplexity('after'))}"
    for name in ("before", "reference"):
        if name in found.arms:
            beside += f", {name} {worded_perplexity(found.perplexity(name))}"
    return "knowledge kept", f"{100 * kept.value:.1f} %", beside


def _perplexity(found: Comparison) -> tuple[str, str, str]:
    unseen = found.arms["before"].perplexity_unseen is not None
    label = "perplexity on unseen texts" if unseen else "perplexity, non-sensitive tokens"
    kept, before = utility(found), found.perplexity("before")
    if kept.state == "unknown":
        return label, "–", "not measured"
    other = worded_perplexity(kept.other)
    note = f"{worded_perplexity(kept.after)} against the {kept.against}'s {other}"
    if kept.against == "reference" and before is not None:
        note = f"of the reference's {other} · before {worded_perplexity(before / kept.other)} ×"
    return label, f"{worded_perplexity(kept.ratio)} ×", note


def _indirect(found: Comparison) -> tuple[str, str, str]:
    before, after = found.rate("before", "indirect"), found.rate("after", "indirect")
    if not after.n:
        return "indirect identifiers extracted", "–", "this case has none"
    note = f"of {after.n:,}"
    if "reference" in found.arms:
        note += f" · reference {found.rate('reference', 'indirect').hits:,}"
    return "indirect identifiers extracted", f"{before.hits:,} → {after.hits:,}", note


def _others(found: Comparison) -> tuple[str, str, str]:
    before, after = found.rate("before"), found.rate("after")
    value = f"{before.hits:,} → {after.hits:,}" if after.n else "–"
    return "side effect on the rest", value, side_effect(found)


def _worst(found: Comparison) -> tuple[str, str, str]:
    worst = worst_subject(found.arms["after"].by_subject)
    if worst is None:
        return f"worst {state.noun()}", "–", f"no {state.noun()} has a span"
    name, row = worst
    before = found.arms["before"].by_subject[name]
    note = f"{name} · before {before.hits} of {before.n}"
    return f"worst {state.noun()}", f"{row.hits} of {row.n}", note


def label_table(found: Comparison, kind: str | None) -> None:
    """Draw one row a label, most extracted before first, as a picture and in figures."""
    labels = found.labels(kind)
    rate_forest(
        [
            ArmRate(label, rate.hits, rate.n, rate.low, rate.high, _TONES.get(arm, "control"))
            for label, rates in labels.items()
            for arm in ("before", "after")
            for rate in [rates[arm]]
        ],
        "compare-labels",
        legend={"leak": "before", "plan": "after"},
    )
    columns = [
        Column("label"),
        Column("before", "number"),
        Column("after", "number"),
        Column("reference", "number", meaning("reference model")),
        Column("of", "number aside"),
    ]
    rows = [_label_row(label, rates) for label, rates in labels.items()]
    show_table(columns, rows, "labels")


def _label_row(label: str, rates: Mapping[ArmName, Rate]) -> Row:
    cells = (
        label,
        str(rates["before"].hits),
        Markup("<b>{}</b>").format(rates["after"].hits),
        str(rates["reference"].hits) if "reference" in rates else "–",
        str(rates["before"].n),
    )
    return Row(cells)


_LISTED = 500
_KINDS: dict[str, str | None] = {"All": None, "Direct": "direct", "Indirect": "indirect"}


def outcome(
    found: Comparison, next_plan: Callable[[bool], Stronger | None], written: Callable[[str], str]
) -> None:
    """Draw the figures from the tiles to the labels; only of the subjects asked for, if any.

    Args:
        found: the comparison.
        next_plan: gives what to offer where it is not gone for sure; told whether nothing is said.
        written: how an id is shown.
    """
    kpi(*tiles(found))
    found = found.of("asked") if found.groups else found
    with st.container(key="sl-pair-verdict"):
        words, switch = st.columns([3, 1.25], vertical_alignment="center", gap="small")
    with switch, st.container(horizontal_alignment="right"):
        chosen = st.segmented_control(
            "Identifiers",
            list(_KINDS),
            default="All",
            required=True,
            key="compare-kind",
            label_visibility="collapsed",
            width="content",
        )
    kind = _KINDS[chosen or "All"]
    said = verdict(found, kind)
    with words.container(key=f"sl-verdict-{said.state.replace('_', '-')}"):
        _told(said)
        if found.subjects and (told := instead(found, kind)):
            _told(told)
    if names := [TITLES[name] for name in found.queued]:
        st.caption(f"Queued, so not measured yet: {', '.join(names)}.")
    left = found.left(kind)
    if said.state in ("not_gone", "undecided") and (offered := next_plan(not left)):
        _offer(offered)
    if left:
        _left(left, written)
    with st.container(key="sl-pair-compare"):
        _pictures(found, kind)


def _offer(next_plan: Stronger) -> None:
    """Lead to the next stronger plan, which is only filled in, not run."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.button("Plan something stronger", key="compare-stronger", type="primary"):
            take_plan(next_plan.plan)
            st.switch_page(page("plan"))
        st.markdown(f"**{next_plan.title}**, on the model of before.")


def _left(left: Sequence[Left], written: Callable[[str], str]) -> None:
    """Every span that is still said, without its text: whose it is, and how surely it is said."""
    with st.expander(
        f"{len(left):,} span{'s' * (len(left) != 1)} still said: whose, and how surely"
    ):
        columns = [
            Column("span"),
            Column(state.noun()),
            Column("label"),
            Column("log p", "number", meaning("log p")),
            Column(f"in {TRIES} tries", "number", "Probability that one of so many samples is it."),
            Column("also said by", "aside", "Who never saw it and says it too: it may be guessed."),
        ]
        rows = [
            Row(
                (
                    written(row.span),
                    written(row.subject),
                    row.label,
                    signed(row.logprob, ".2f"),
                    "–" if row.tries is None else f"{100 * row.tries:.1f} %",
                    ", ".join(row.also),
                )
            )
            for row in left[:_LISTED]
        ]
        show_table(columns, rows)
        if len(left) > _LISTED:
            st.caption(f"The surest {_LISTED}; all are in the table to download.")


def _pictures(found: Comparison, kind: str | None) -> None:
    left, right = st.columns([1.75, 1], gap="small")
    with left, card("Spans still extracted, beside the controls"):
        arm_table(
            arms(found, kind),
            "compare-arms",
            more=(
                Column("near misses", "number", meaning("near miss")),
                Column("knowledge, %", "number", meaning("knowledge kept"), spare=True),
                Column("perplexity", "number", meaning("perplexity")),
            ),
        )
        if words := against_random(found, kind):
            st.markdown(words)
        st.caption(_legend(found))
    with right, card("By label"):
        label_table(found, kind)


def further_card(found: Comparison) -> None:
    """Draw the metrics that the plan names beside the usual ones; nothing where it names none."""
    if not found.further:
        return
    with card("Further metrics", "of each model, whoever the plan is for"):
        show(further_table(found))
        st.caption("A dash: not measured. What a column says stands over it when it is pointed at.")


def further_table(found: Comparison) -> Markup:
    """A row an arm, a column a metric."""
    columns = [Column("arm"), *(Column(m.title, "number", m.meaning) for m in found.further)]
    rows = [
        Row((TITLES[name], *(m.words(arm.metrics.get(m.name)) for m in found.further)))
        for name in _ORDER
        if (arm := found.arms.get(name)) and any(m.name in arm.metrics for m in found.further)
    ]
    return table(columns, rows, "narrow")


def downloads(run: RunFolder, found: Comparison) -> None:
    """Draw what can be taken away: table, plan, log, the model; the next request, and undo."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        name = run.root.name
        _download("Download table", found.table().to_csv(index=False), f"arms-{name}.csv")
        _download("Download plan", run.plan_file.read_text("utf-8"), f"plan-{name}.json")
        _download("Download events", run.events_file.read_text("utf-8"), f"events-{name}.jsonl")
        with st.popover("Model and adapter" if run.adapter.exists() else "Sanitised model"):
            _model(run)
        next_request(run, plan := run.plan())
        if plan.subjects:
            undo_request(run, plan)


def _download(label: str, content: str, file: str) -> None:
    st.download_button(label, content, file, key=f"compare-{file}", on_click="ignore")


def suppression(run: RunFolder) -> None:
    """Warn if the run's result is an adapter, which only suppresses."""
    if run.adapter.exists():
        st.warning(
            f"**This is {WORDS}.** Whoever gets the model's folder gets everything it has learnt; "
            "the figures below hold only while the adapter is on."
        )


def _model(run: RunFolder) -> None:
    st.markdown("A plain Hugging Face folder, to be loaded with `AutoModelForCausalLM`:")
    st.code(str(run.model), language=None, wrap_lines=True)
    if run.former.exists():
        st.markdown(
            f"Hand over this folder alone. `{run.former.name}` beside it holds the former weights, "
            "for undo; removing that file makes the deletion final."
        )
    if run.adapter.exists():
        st.markdown(
            f"Without its adapter that model says everything it said before: {WORDS}. Load it with "
            "`open_adapter(subject, path)` of `sanilens.unlearn.adapter`:"
        )
        st.code(str(run.adapter), language=None, wrap_lines=True)


def _legend(found: Comparison) -> str:
    words = ["Each dot lies on its 95 % interval (Wilson)."]
    if "reference" in found.arms:
        words.insert(0, "Dashed: the reference.")
    if "lookalike" in found.arms:
        words.append("Look-alikes: other records, so other spans.")
    if found.edits and "random_units" not in found.arms:
        words.append(
            "Random units were not measured, so what the chosen ones contributed is unknown."
        )
    words.append("Spans that already occur in their prompt are not counted.")
    return " ".join(words)
