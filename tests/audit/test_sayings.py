"""What a model says at a span: the span itself exactly where the verdict says so."""

from sanilens.audit.continuations import say_spans
from sanilens.audit.extraction import audit_spans
from sanilens.corpus.records import Record, Span
from sanilens.model.generation import continue_text
from sanilens.model.language_model import LanguageModel

START = "Seen on the ward with 3 weeks"


def test_sayings_agree_with_verdicts(any_model: LanguageModel, records: list[Record]) -> None:
    said = continue_text(any_model, START, 3)
    end = len(START) + len(said)
    spoken = Record("said", "s", START + said + ".", (Span(len(START), end, "X", "direct"),))
    for record in [*records, spoken]:
        sayings = say_spans(any_model, record)
        for span, verdict in zip(record.spans, audit_spans(any_model, [record]), strict=True):
            if verdict.extracted:
                assert sayings[verdict.span_id] == record.value(span)
            elif verdict.token_logprobs:
                assert sayings[verdict.span_id] != record.value(span)
