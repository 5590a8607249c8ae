"""The one-pass audit against batched, left-padded `generate`: same verdicts, how much faster."""

import time
from collections.abc import Sequence

import torch

from sanilens.audit.extraction import audit_spans
from sanilens.audit.passages import make_passages
from sanilens.corpus.records import Record
from sanilens.model.language_model import LanguageModel


def bench_audit(model: LanguageModel, records: Sequence[Record]) -> dict[str, float]:
    """Share of spans whose verdicts agree, and the ratio of the two ways' seconds."""
    audit_spans(model, records[:8])  # warm up: the first pass allocates
    started = time.perf_counter()
    verdicts = {v.span_id: v for v in audit_spans(model, records)}
    ours = time.perf_counter() - started
    started = time.perf_counter()
    generated = generated_verdicts(model, records)
    theirs = time.perf_counter() - started
    same = [verdicts[span].extracted == said for span, said in generated.items()]
    extracted = sum(generated.values())
    return {
        "agreement": sum(same) / len(same),
        "speedup": theirs / ours,
        "n": len(same),
        "extracted": extracted,
        "seconds_audit": ours,
        "seconds_generate": theirs,
        "smallest_margin": min(abs(v.margin) for v in verdicts.values()),
    }


@torch.inference_mode()
def generated_verdicts(
    model: LanguageModel, records: Sequence[Record], batch_size: int = 64
) -> dict[str, bool]:
    """For each span, whether transformers' greedy `generate` emits it after its prefix.

    Spans with prefixes of like length share a batch and each batch runs as long as its longest
    span, which is the usual fast way to do it.
    """
    jobs = [
        (p.record.span_id(t.span.span), list(p.ids[: t.start]), list(p.ids[t.start : t.end]))
        for p in make_passages(model, records)
        for t in p.targets
        if t.start
    ]
    jobs.sort(key=lambda job: len(job[1]))
    said: dict[str, bool] = {}
    for start in range(0, len(jobs), batch_size):
        batch = jobs[start : start + batch_size]
        width = max(len(prefix) for _, prefix, _ in batch)
        padding = [width - len(prefix) for _, prefix, _ in batch]
        ids = torch.tensor(
            [[0] * n + prefix for n, (_, prefix, _) in zip(padding, batch, strict=True)]
        )
        mask = torch.tensor([[0] * n + [1] * (width - n) for n in padding])
        longest = max(len(target) for *_, target in batch)
        out = model.module.generate(  # pyright: ignore
            ids.to(model.device),
            attention_mask=mask.to(model.device),
            max_new_tokens=longest,
            min_new_tokens=longest,
            do_sample=False,
            pad_token_id=0,
        )
        for (span, _, target), row in zip(batch, out[:, width:].tolist(), strict=True):
            said[span] = row[: len(target)] == target
    return said
