"""What a deletion does: the topic's spans said, all others' said, and perplexity.

Always beside two others: the untouched model, and the model through the codebook with nothing
deleted, which itself says less and predicts worse.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sanilens.audit.measurement import BeforeAfter, Measurement, measure
from sanilens.audit.metrics.metric import Exam
from sanilens.audit.summary import RateRow
from sanilens.corpus.records import Record
from sanilens.dictionaries.codebook.bottleneck import Deletion, bottleneck
from sanilens.dictionaries.codebook.codebook import Codebook
from sanilens.dictionaries.codebook.topic import Topic
from sanilens.model.align import encode
from sanilens.model.hooks import NO_HOOKS
from sanilens.model.language_model import LanguageModel


@dataclass(frozen=True, slots=True)
class DeletionEffect:
    """Untouched, through the codebook, and with the codes deleted.

    `topic` are the ids of the spans to be forgotten; perplexities are of the retained records.
    """

    model: Measurement
    codes: Measurement
    deleted: Measurement
    topic: frozenset[str]

    def rates(self, side: Measurement) -> tuple[RateRow, RateRow]:
        """Spans of the topic, and all others, that one of the three says by memory alone."""
        return topic_rates(side, self.topic)

    @property
    def perplexity_ratio(self) -> float:
        """Perplexity after the deletion over that of the untouched model."""
        before, after = BeforeAfter(self.model, self.deleted).perplexities
        return after / before


def topic_rates(found: Measurement, topic: frozenset[str]) -> tuple[RateRow, RateRow]:
    """What is said of the topic's spans, and of all others."""
    return (
        found.rate(lambda v: v.span_id in topic),
        found.rate(lambda v: v.span_id not in topic),
    )


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
    exam = Exam(records, unseen=retained)
    return DeletionEffect(*(measure(model, exam, hooks=hooks) for hooks in three), topic=own)


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
