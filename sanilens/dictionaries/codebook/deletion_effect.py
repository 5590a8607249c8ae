"""What a deletion does: the topic's spans said, all others' said, and perplexity.

Always beside two others: the untouched model, and the model through the codebook with nothing
deleted, which itself says less and predicts worse.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sanilens.audit.extraction import audit_spans
from sanilens.audit.perplexity import perplexity
from sanilens.audit.summary import RateRow, memory, rate_row
from sanilens.corpus.records import Record
from sanilens.dictionaries.codebook.bottleneck import Deletion, bottleneck
from sanilens.dictionaries.codebook.codebook import Codebook
from sanilens.dictionaries.codebook.topic import Topic
from sanilens.model.align import encode
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.language_model import LanguageModel


@dataclass(frozen=True, slots=True)
class Side:
    """One model: spans it says by memory alone, of the topic and of all else, and perplexity."""

    topic: RateRow
    rest: RateRow
    perplexity: float


@dataclass(frozen=True, slots=True)
class DeletionEffect:
    """Untouched, through the codebook, and with the codes deleted."""

    model: Side
    codes: Side
    deleted: Side

    @property
    def topic_ratio(self) -> float | None:
        """What is left of the topic's extraction, of what the untouched model says."""
        before = self.model.topic.hits
        return self.deleted.topic.hits / before if before else None

    @property
    def perplexity_ratio(self) -> float:
        """Perplexity after the deletion over that of the untouched model."""
        return self.deleted.perplexity / self.model.perplexity


def measure_deletion(
    model: LanguageModel,
    codebook: Codebook,
    deletion: Deletion,
    records: Sequence[Record],
    topic: Topic,
    retained: Sequence[Record],
) -> DeletionEffect:
    """Audit the three models on `records`, and their perplexity on `retained`."""
    whole = bottleneck(model, codebook, way=deletion.way)
    three = (NO_HOOKS, whole, deletion.hooks(model, codebook))
    own = topic_spans(model, records, topic)
    return DeletionEffect(*(measure_side(model, hooks, records, own, retained) for hooks in three))


def measure_side(
    model: LanguageModel,
    hooks: Hooks,
    records: Sequence[Record],
    own: frozenset[str],
    retained: Sequence[Record],
) -> Side:
    """One model; `own` are the ids of the topic's spans."""
    asked = memory(audit_spans(model, records, hooks=hooks))
    return Side(
        rate_row(v for v in asked if v.span_id in own),
        rate_row(v for v in asked if v.span_id not in own),
        perplexity(model, retained, hooks=hooks).value,
    )


def topic_spans(model: LanguageModel, records: Sequence[Record], topic: Topic) -> frozenset[str]:
    """Ids of the spans that are of the topic; of an expression: those that a match touches."""
    found: set[str] = set()
    for record in records:
        encoded = encode(model, record)
        places = topic.places(encoded)
        for span in encoded.spans:
            if any(start < span.end and end > span.start for start, end in places):
                found.add(record.span_id(span.span))
    return frozenset(found)
