"""`sanilens audit`: how much of the sensitive text the model gives away."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from sanilens.audit.extraction import SpanVerdict, audit_spans
from sanilens.audit.metrics.exposure import median_bits, sample_exposure
from sanilens.audit.perplexity import BROKEN, perplexity, worded_perplexity, writes_nothing
from sanilens.audit.sampling import Sampler, leak_probability
from sanilens.audit.summary import (
    Uncounted,
    extraction_by_kind,
    memory,
    near_by_kind,
    rate_row,
    rates_by,
    uncounted,
    verdict_frame,
    why_nothing,
    worst_subject,
)
from sanilens.cli.common import (
    JsonOption,
    output,
    print_json,
    progress,
    rate_table,
)
from sanilens.cli.options import AuditedOptions, grouped
from sanilens.corpus.records import Record
from sanilens.errors import CorpusError
from sanilens.model.language_model import LanguageModel


@grouped
def audit(
    case: AuditedOptions,
    prefix: Annotated[
        int | None,
        typer.Option(min=1, help="Show this many tokens before a span; all unless given."),
    ] = None,
    temperature: Annotated[float, typer.Option(help="The assumed sampler's.")] = 1.0,
    top_k: Annotated[int, typer.Option(min=0, help="The assumed sampler's; 0: none.")] = 40,
    tries: Annotated[int, typer.Option(min=1, help="n of (n, p)-extraction.")] = 100,
    probability: Annotated[float, typer.Option(min=0, max=1, help="p of (n, p).")] = 0.5,
    exposure: Annotated[
        int, typer.Option(min=0, help="Rank each value among this many surrogates; 0: skip.")
    ] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder for the table (no text in it).")] = None,
    as_json: JsonOption = False,
) -> None:
    """Audit a model on a corpus: greedy and sampled extraction of every sensitive span.

    Ends with an error where no span can be asked for: nothing was audited.
    """
    sampler = Sampler(temperature, top_k or None)
    opened = case.open()
    examined, records, opening = opened.model, opened.corpus.records, opened.opening
    assert opening is not None
    unseen = opened.unseen

    def judged(title: str, which: tuple) -> list[SpanVerdict]:
        with progress(title) as report:
            return audit_spans(
                examined,
                which,
                prefix_tokens=prefix,
                sampler=sampler,
                progress=report,
                near_misses=True,
            )

    verdicts = judged("auditing", records)
    control = opened.corpus.control
    likes = judged("auditing look-alikes", control) if control else []
    if out:
        out.mkdir(parents=True, exist_ok=True)
        verdict_frame(verdicts).to_parquet(out / "verdicts.parquet", index=False)
        verdict_frame(verdicts).to_csv(out / "verdicts.csv", index=False)
    said, left = memory(verdicts), uncounted(verdicts)
    if not said:
        if not as_json:
            output.print("Nothing was audited.")
        raise CorpusError(f"nothing was audited: {why_nothing(verdicts)}")
    result = {
        "extraction": extraction_by_kind(verdicts),
        "near_misses": near_by_kind(verdicts),
        "by_label": rates_by(said, lambda v: v.label),
        "by_subject": rates_by(said, lambda v: v.subject),
        "control": extraction_by_kind(likes) if control else None,
        "repeated_in_context": left.repeated,
        "maybe_repeated": left.maybe_repeated,
        "cannot_be_written": left.unwritable,
        "without_prefix": left.without_prefix,
        "sampled": {
            "tries": tries,
            "probability": probability,
            "spans": sum(leak_probability(v.sampler_logprob, tries) >= probability for v in said),
            "n": len(said),
        },
        "opening": opening,
        "exposure": _exposures(examined, records, exposure) if exposure else None,
        "perplexity_neutral": perplexity(examined, records, without_spans=True).value,
        "perplexity_unseen": perplexity(examined, unseen).value if unseen else None,
        "not_supported": examined.sites.refusals,
    }
    if as_json:
        print_json(result)
        return
    total = rate_row(said)
    output.print(f"{total.hits} of {total.n} sensitive spans can be extracted", style="bold")
    output.print(
        f"{sum(v.near for v in said)} more are near misses: within two characters or digits."
    )
    if opening.changed:
        output.print(opening.sentence, highlight=False)
    output.print(rate_table("By kind", result["extraction"], "kind"))
    if control:
        output.print(rate_table("Look-alike control", result["control"], "kind"))
    output.print(rate_table("By label", result["by_label"], "label"))
    for line in _beside(left):
        output.print(line)
    if worst := worst_subject(result["by_subject"]):
        output.print(f"Worst subject: {worst[0]}, {worst[1].hits} of {worst[1].n} spans.")
    sampled = result["sampled"]
    output.print(
        f"Sampled: {sampled['spans']} of {sampled['n']} leak with probability at least "
        f"{probability} in {tries} tries."
    )
    neutral, other = result["perplexity_neutral"], result["perplexity_unseen"]
    output.print(f"Perplexity on non-sensitive tokens: {worded_perplexity(neutral, 3)}")
    if unseen:
        output.print(f"Perplexity on unseen notes: {worded_perplexity(other, 3)}")
    if writes_nothing(examined, other or neutral):
        output.print(BROKEN, style="bold")
    for refusal in examined.sites.refusals:
        output.print(f"Not supported with this model: {refusal}.")
    for label, found in (result["exposure"] or {}).items():
        output.print(f"Exposure of {label}: median {found['median_bits']:.1f} bits, n {found['n']}")


def _beside(left: Uncounted) -> Iterator[str]:
    """What the headline leaves out or is unsure of, line by line."""
    copied, doubt = left.repeated, left.maybe_repeated
    if doubt.n:
        yield (
            f"Maybe repeated from the context, but counted: {doubt.hits} of {doubt.n} said. A part "
            "of them, such as one everyday word, stands before them."
        )
    if copied.n:
        yield f"Repeated in context, not counted: {copied.hits} of {copied.n} said."
    if left.unwritable:
        yield (
            f"Cannot be written by this tokenizer, not counted: {left.unwritable} spans; of "
            f"{left.written_so_far} the model says all that it can write."
        )
    if left.without_prefix:
        yield f"Without a prefix, not counted: {left.without_prefix}."


def _exposures(model: LanguageModel, records: tuple[Record, ...], count: int) -> dict:
    """Median exposure of each label, over the first such span of every record."""
    labels = sorted({s.label for r in records for s in r.spans})
    found = {}
    for label in labels:
        with progress(f"exposure of {label}") as report:
            ranks = sample_exposure(
                model, records, label, spans=len(records), count=count, progress=report
            )
        if ranks:
            found[label] = {"median_bits": median_bits(ranks), "n": len(ranks)}
    return found
