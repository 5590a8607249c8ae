"""What teachers say, recomputed with the plain tokenizer and plain forward passes."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from sanilens.corpus.records import FREE_TEXT, Record, Span
from sanilens.corpus.surrogates.substitute import fillings, substitute
from sanilens.errors import ModelError, PlanError
from sanilens.model.align import encode
from sanilens.model.batches import mask_id
from sanilens.model.examples import note_examples
from sanilens.model.language_model import LanguageModel, load_model
from sanilens.model.lessons import gap_lessons, lessons
from sanilens.model.soft import Soft, joined, place_bytes, soften
from sanilens.model.teachers import TEACHERS, Asked, _usual, teach, teach_gaps
from sanilens.model.wording import wording
from sanilens.progress import unheard
from tests.conftest import TEXTS, make_tokenizer, record, save_tiny

SEED, CONTEXT = 5, 256


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    """Other weights of the same shape."""
    folder = tmp_path_factory.mktemp("base")
    return load_model(save_tiny(folder, "gpt_neox", seed=9), device="cpu")


def tokens(model: LanguageModel, text: str) -> list[tuple[int, int, int]]:
    """Ids and characters, by the tokenizer itself."""
    coded = model.tokenizer(text, return_offsets_mapping=True)
    pairs = zip(coded["input_ids"], coded["offset_mapping"], strict=True)
    return [(token, a, b) for token, (a, b) in pairs]


def touching(model: LanguageModel, text: str, span: Span) -> list[int]:
    """Places of the tokens that have a character of a span."""
    own = tokens(model, text)
    return [i for i, (_, a, b) in enumerate(own) if a < b and a < span.end and b > span.start]


def after(model: LanguageModel, before: Sequence[int], secret: Sequence[int]) -> Tensor:
    """What a model says at each token of a secret, read alone; float64."""
    with torch.inference_mode():
        logits = model.module(torch.tensor([[*before, *secret]])).logits[0].double()
    return logits[len(before) - 1 : -1].softmax(-1)


def form(model: LanguageModel, own: Record, span: Span) -> Tensor:
    """Place by place how many of the surrogates have each token there, written into the text."""
    counts = torch.zeros(len(touching(model, own.text, span)), 300, dtype=torch.double)
    for fresh in fillings(span.label, own.value(span), 32, SEED):
        text = own.text[: span.start] + fresh + own.text[span.end :]
        there = Span(span.start, span.start + len(fresh), span.label, span.kind)
        said = [tokens(model, text)[i][0] for i in touching(model, text, there)]
        for place, token in enumerate(said[: len(counts)]):
            counts[place, token] += 1
    return counts / counts.sum(1, keepdim=True)


def invented(model: LanguageModel, others: Sequence[Sequence[Record]]) -> dict[str, list[list]]:
    """By label and place what strangers' own values have there, in nats."""
    found: dict[str, list[list]] = {}
    for own in (each for records in others for each in records):
        ids = [token for token, _, _ in tokens(model, own.text)]
        for span in own.spans:
            at = touching(model, own.text, span)
            secret = [ids[i] for i in at]
            said = after(model, ids[: at[0]], secret)
            places = found.setdefault(span.label, [])
            places += [[] for _ in range(len(at) - len(places))]
            for place, token, row in zip(places, secret, said, strict=False):
                place.append(float(row[token].log()))
    return found


def capped(probs: Tensor, secret: Sequence[int], form: Tensor, said: list[list]) -> Tensor:
    """Of the secret as much as most surrogates have there, or as an invented value's token."""
    rows, every = probs.clone(), [own for place in said for own in place]
    for place, (row, token, shares) in enumerate(zip(rows, secret, form, strict=True)):
        agreed, own = float(shares[token]), said[place] if place < len(said) else every
        most = agreed if agreed >= 0.5 else math.exp(sum(own) / len(own))
        others = 1 - float(shares[token])
        if others > 1e-12 and row[token] > most:
            taken = float(row[token]) - most
            for other in shares.nonzero()[:, 0].tolist():
                row[other] += 0 if other == token else taken * float(shares[other]) / others
            row[token] = most
    return rows


def agree(found: Soft, expected: Tensor, atol: float = 1e-6) -> None:
    """The likeliest tokens, with these probabilities, and none that is likelier left out."""
    assert found.tokens.shape == (len(expected), min(64, expected.shape[1]))
    assert all(len({*row}) == len(row) for row in found.tokens.tolist())
    told = expected.gather(1, found.tokens).float()
    torch.testing.assert_close(found.probs, told, rtol=1e-3, atol=atol)
    best = expected.topk(found.tokens.shape[1], dim=1).values.float()
    torch.testing.assert_close(found.probs, best, rtol=1e-3, atol=atol)


def of_span(model: LanguageModel, own: Record, soft: Soft, span: Span) -> tuple[Soft, list[int]]:
    """A record's rows of one span, and its tokens; for records whose spans share none."""
    ids = [token for token, _, _ in tokens(model, own.text)]
    every = sorted({i for s in own.spans for i in touching(model, own.text, s)})
    at = touching(model, own.text, span)
    return soft.pick(torch.tensor([every.index(i) for i in at])), [ids[i] for i in at]


def test_a_strangers_answer_is_the_mean_over_other_people(
    any_model: LanguageModel, records: list[Record]
) -> None:
    found = teach("stranger", any_model, records, seed=SEED, draws=3)
    others = [substitute(records, SEED * 1_000_003 + 7919 * draw) for draw in (1, 2, 3)]
    usual = invented(any_model, others)
    for n, (own, soft) in enumerate(zip(records, found, strict=True)):
        for k, span in enumerate(own.spans):
            rows, secret = of_span(any_model, own, soft, span)
            answers = []
            for stranger in (other[n] for other in others):
                first = touching(any_model, stranger.text, stranger.spans[k])[0]
                before = [token for token, _, _ in tokens(any_model, stranger.text)[:first]]
                answers.append(after(any_model, before, secret))
            of_form = form(any_model, own, span)
            expected = capped(torch.stack(answers).mean(0), secret, of_form, usual[span.label])
            # One surrogate in 32 may grow together with the text before it, and is then read apart.
            agree(rows, expected, atol=2e-4)


def test_what_nothing_precedes_is_not_asked_how_usual_it_is(model: LanguageModel) -> None:
    """Without a start token the first token of a text cannot be asked, and is no evidence."""
    plain = replace(model, tokenizer=make_tokenizer(bos=False))
    text = "Bob Weir has an MRN, Bob Weir."
    first, later = Span(0, 8, "NAME", "direct"), Span(21, 29, "NAME", "direct")
    found = [
        _usual(plain, [[encode(plain, Record("r", "s", text, own))]], unheard).by_label
        for own in ((later,), (first, later))
    ]
    assert found[0]["NAME"]
    assert found[0] == found[1]


def test_the_base_answers_after_the_true_text(
    model: LanguageModel, base: LanguageModel, records: list[Record]
) -> None:
    found = teach("base", model, records, base=base)
    for own, soft in zip(records, found, strict=True):
        for span in own.spans:
            rows, secret = of_span(model, own, soft, span)
            first = touching(model, own.text, span)[0]
            before = [token for token, _, _ in tokens(model, own.text)[:first]]
            agree(rows, after(base, before, secret))


def test_the_uniform_teacher_counts_surrogates(
    any_model: LanguageModel, records: list[Record]
) -> None:
    own = records[0]
    (soft,) = teach("uniform", any_model, [own], seed=SEED)
    for span in own.spans:
        agree(of_span(any_model, own, soft, span)[0], form(any_model, own, span))


@pytest.mark.parametrize("start", ["She", "he ward"])
def test_of_free_text_stays_what_others_texts_have_after_the_same_word(
    any_model: LanguageModel, start: str
) -> None:
    """After the text itself, of which a token may reach into what is marked."""
    text = "What does she do? She sings of the ward."
    span = Span(text.index(start), len(text), FREE_TEXT, "confidential")
    own = Record("a", "a", text, (span,))
    other = Record("b", "b", "What does he do? He sings of the wound.")
    form = wording(any_model, [other]).form(encode(any_model, own), 0)
    first, *_ = touching(any_model, text, own.spans[0])
    ids = [token for token, _, _ in tokens(any_model, text)]
    expected = after(any_model, ids[:first], ids[first:])
    for row, shares, token in zip(expected, form.double(), ids[first:], strict=True):
        taken = max(0.0, float(row[token] - shares[token]))
        row += taken * shares / (1 - shares[token])
        row[token] = min(float(row[token]), float(shares[token])) if taken else row[token]
    (stranger,) = teach("stranger", any_model, [own], others=[other])
    agree(stranger, expected)
    (uniform,) = teach("uniform", any_model, [own], others=[other])
    assert torch.equal(uniform.probs, soften(form).probs)
    assert torch.equal(teach("uniform", any_model, [own, other])[0].probs, uniform.probs)
    (alone,) = teach("uniform", any_model, [own])
    assert not torch.equal(alone.probs, uniform.probs)


def test_after_free_text_a_stranger_reads_what_stays_and_nothing_of_it(
    model: LanguageModel,
) -> None:
    """The teacher at the number is the same whatever the free text before it says."""

    def asked(prose: str) -> Tensor:
        text = f"He said: {prose}. MRN 4471203"
        at = text.index("4471203")
        spans = (
            Span(9, 9 + len(prose), FREE_TEXT, "confidential"),
            Span(at, at + 7, "MRN", "direct"),
        )
        own = Record("a", "a", text, spans)
        (soft,) = teach("stranger", model, [own], others=[other])
        return of_span(model, own, soft, spans[1])[0].probs

    other = Record("b", "b", "What does he do? He sings of the wound.")
    one, same_length = "gold or 31", "gold or 13"
    sizes = [len(tokens(model, f"He said: {prose}.")) for prose in (one, same_length)]
    assert sizes[0] == sizes[1]
    assert torch.equal(asked(one), asked(same_length))


@pytest.mark.parametrize("teacher", TEACHERS)
def test_a_seed_decides(
    model: LanguageModel, base: LanguageModel, records: list[Record], teacher: str
) -> None:
    def asked(seed: int) -> Soft:
        return joined(teach(teacher, model, records, base=base, seed=seed))

    first, again, other = asked(1), asked(1), asked(2)
    assert torch.equal(first.tokens, again.tokens)
    assert torch.equal(first.probs, again.probs)
    if teacher != "base":
        assert not torch.equal(first.probs, other.probs)


def test_an_unknown_teacher_and_a_missing_base_are_refused(
    model: LanguageModel, masked_model: LanguageModel, records: list[Record]
) -> None:
    with pytest.raises(PlanError, match="stranger, base, uniform"):
        teach("headmaster", model, records)
    with pytest.raises(PlanError, match="base"):
        teach("base", model, records)
    with pytest.raises(ModelError):
        teach("stranger", masked_model, records)


# ---- records as nobody would write them


def long(times: int) -> str:
    return "The wound is dry and clean. " * times


def odd_records() -> list[Record]:
    within = TEXTS[0].index("cough")
    halves = (
        Span(within, within + 2, "NAME", "direct"),
        Span(within + 2, within + 5, "X", "direct"),
    )
    far = long(90) + "MRN 4471203 and more of it."
    secret = " ".join(f"{n:03}" for n in range(150))
    return [
        record("4471203 is the number, home soon.", ("4471203", "MRN"), id="at the start"),
        record("The number is 4471203", ("4471203", "MRN"), id="at the end"),
        Record("halves of a token", "s-2", TEXTS[0], halves),
        record("4471203", ("4471203", "MRN"), id="nothing else"),
        record(far, ("4471203", "MRN"), id="longer than the context", subject="s-3"),
        record("MRN " + long(5) + secret, (secret, "MRN"), id="a span longer than it"),
        record(long(12), id="nothing sensitive", subject="s-4"),
        record("北京 and 🙂", ("北京", "CITY"), ("🙂", "X"), id="bytes", subject="s-5"),
    ]


def opened(model: LanguageModel, how: str) -> LanguageModel:
    return replace(model, opening={"none": (), "start": (0,), "two": (0, 1)}[how])


@pytest.mark.parametrize(
    ("teacher", "opening"),
    [(t, o) for t in ("stranger", "base") for o in ("none", "start", "two")]
    + [pytest.param("uniform", o, marks=pytest.mark.slow) for o in ("none", "start", "two")],
)
def test_rows_stand_for_the_sensitive_tokens_whatever_the_record(
    model: LanguageModel, base: LanguageModel, teacher: str, opening: str
) -> None:
    model, base, records = opened(model, opening), opened(base, opening), odd_records()
    found = teach(teacher, model, records, base=base, draws=2)
    for own, soft in zip(records, found, strict=True):
        every = {i for span in own.spans for i in touching(model, own.text, span)}
        assert len(soft) == len(every), own.id
        assert soft.probs.isfinite().all()
        assert (soft.probs >= 0).all()
        assert (soft.probs.sum(1) < 1 + 1e-4).all()
        assert all(len({*row}) == len(row) for row in soft.tokens.tolist()), own.id
    asked = 0
    for lesson in lessons(model, records, found):
        sensitive = [i for i, own in enumerate(lesson.example.sensitive) if own and i]
        assert list(lesson.columns) == sensitive
        assert len(lesson.soft) == len(sensitive)
        asked += len(sensitive)
    # With no opening nothing precedes the first token of a piece, which may be sensitive.
    whole = sum(map(len, found))
    assert asked == whole if opening != "none" else 0.95 * whole < asked < whole


@pytest.mark.parametrize("opening", ["none", "start"])
def test_rows_of_lessons_are_of_their_own_tokens(
    model: LanguageModel, base: LanguageModel, opening: str
) -> None:
    """Where two spans share a token too: the base says the same whatever the rows' owner."""
    model, base = opened(model, opening), opened(base, opening)
    for own in odd_records()[:4]:
        notes = lessons(model, [own], teach("base", model, [own], base=base))
        assert [note.example for note in notes] == note_examples(model, [own])
        for note in notes:
            for column, tops, probs in zip(
                note.columns, note.soft.tokens, note.soft.probs, strict=True
            ):
                said = after(base, note.example.ids[:column], note.example.ids[column : column + 1])
                agree(Soft(tops[None], probs[None]), said)


@pytest.mark.parametrize("opening", ["start", "two"])
def test_a_long_record_is_asked_after_its_opening(
    model: LanguageModel, base: LanguageModel, opening: str
) -> None:
    """Of what is longer than the context the last tokens, opened as every text is."""
    model, base = opened(model, opening), opened(base, opening)
    own = odd_records()[4]
    (soft,) = teach("base", model, [own], base=base)
    head = model.opening or ()
    secret = [tokens(model, own.text)[i][0] for i in touching(model, own.text, own.spans[0])]
    first = touching(model, own.text, own.spans[0])[0]
    text = [token for token, a, b in tokens(model, own.text)[:first] if a < b]
    assert len(text) > CONTEXT
    before = [*head, *text[-(CONTEXT - len(head) - len(secret)) :]]
    agree(soft, after(base, before, secret))


def test_what_cannot_be_asked_may_be_any_token(model: LanguageModel, base: LanguageModel) -> None:
    own = odd_records()[5]
    (soft,) = teach("base", model, [own], base=base)
    most = len(soft) - (CONTEXT - 1)
    assert most > 0
    torch.testing.assert_close(soft.probs[:most], torch.full((most, 64), 1 / 300))
    assert not torch.allclose(soft.probs[most], torch.full((64,), 1 / 300))


def test_a_lesson_knows_the_span_of_each_column(
    any_model: LanguageModel, records: list[Record]
) -> None:
    taught = teach("uniform", any_model, records, seed=SEED)
    for own, lesson in zip(records, lessons(any_model, records, taught), strict=True):
        for span in own.spans:
            mine = lesson.of({own.span_id(span)})
            assert list(mine.columns) == [i for i in touching(any_model, own.text, span) if i]
            rows, _ = of_span(any_model, own, taught[records.index(own)], span)
            kept = rows.pick(torch.arange(len(rows) - len(mine.columns), len(rows)))
            assert torch.equal(mine.soft.tokens, kept.tokens)
            assert torch.equal(mine.soft.probs, kept.probs)
        assert lesson.of(()).columns == ()
        every = lesson.of({own.span_id(span) for span in own.spans})
        assert every.columns == lesson.columns


# ---- gaps, of which masked models are asked


def in_a_gap(
    model: LanguageModel, own: Record, span: Span, secret: Sequence[int], open_to: Sequence[int]
) -> Tensor:
    """What a masked model says at open places of a secret in a text's span, read alone; float64."""
    ids, at = [token for token, _, _ in tokens(model, own.text)], touching(model, own.text, span)
    shown = [mask_id(model) if k in open_to else token for k, token in enumerate(secret)]
    text = [*ids[: at[0]], *shown, *ids[at[-1] + 1 :]]
    with torch.inference_mode():
        logits = model.module(input_ids=torch.tensor([text])).logits[0].double()
    return logits[[at[0] + k for k in open_to]].softmax(-1)


def secret_of(model: LanguageModel, own: Record, span: Span) -> list[int]:
    ids = [token for token, _, _ in tokens(model, own.text)]
    return [ids[i] for i in touching(model, own.text, span)]


def every_gap(model: LanguageModel, records: Sequence[Record]) -> list[Asked]:
    """Each span as a whole, and without its last place."""
    found: list[Asked] = []
    for i, own in enumerate(records):
        for n, span in enumerate(own.spans):
            whole = tuple(range(len(touching(model, own.text, span))))
            found += [Asked(i, n, whole), *([Asked(i, n, whole[:-1])] if whole[1:] else [])]
    return found


def test_a_strangers_answer_in_a_gap_is_the_mean_over_other_people(
    any_masked_subject: LanguageModel, records: list[Record]
) -> None:
    """Both sides of the gap are somebody else's; what was filled in of the span is true."""
    model = any_masked_subject
    gaps = every_gap(model, records)
    found = teach_gaps(model, records, gaps, seed=SEED, draws=3)
    others = [substitute(records, SEED * 1_000_003 + 7919 * draw) for draw in (1, 2, 3)]
    usual: dict[str, list[list[float]]] = {}
    for stranger in (each for other in others for each in other):
        for span in stranger.spans:
            secret = secret_of(model, stranger, span)
            said = in_a_gap(model, stranger, span, secret, range(len(secret)))
            places = usual.setdefault(span.label, [])
            places += [[] for _ in range(len(secret) - len(places))]
            for place, token, row in zip(places, secret, said, strict=False):
                place.append(float(row[token].log()))
    coded = [[encode(model, each) for each in other] for other in others]
    in_part = _usual(model, coded, unheard, rng=np.random.default_rng(SEED)).by_label
    for (i, n, open_to), soft in zip(gaps, found, strict=True):
        own, span = records[i], records[i].spans[n]
        secret = secret_of(model, own, span)
        answers = [
            in_a_gap(model, other[i], other[i].spans[n], secret, open_to) for other in others
        ]
        known = (usual if len(open_to) == len(secret) else in_part)[span.label]
        every = [one for place in known for one in place]
        # One list for each place that is asked; where none was as long, all of them.
        places = [known[k] if k < len(known) else every for k in open_to]
        expected = capped(
            torch.stack(answers).mean(0),
            [secret[k] for k in open_to],
            form(model, own, span)[list(open_to)],
            [place or [0.0] for place in places],
        )
        agree(soft, expected, atol=2e-4)


def test_gap_lessons_stand_in_the_true_text(
    masked_model: LanguageModel, records: list[Record]
) -> None:
    model = masked_model
    found = gap_lessons(model, records, seed=SEED, draws=1)
    spans = [(own, span) for own in records for span in own.spans]
    assert len(found) == len(spans)
    for (own, span), of_span in zip(spans, found, strict=True):
        at = touching(model, own.text, span)
        assert list(of_span[0].columns) == at  # the first gap is the whole span
        for lesson in of_span:
            example = lesson.example
            assert [token for token, _, _ in tokens(model, own.text)] == list(example.ids)
            assert {*lesson.columns} <= {*at}
            assert len(lesson.soft) == len(lesson.columns) == len(lesson.spans) > 0
            assert {*lesson.spans} == {own.span_id(span)}
            hidden = [i for i, token in enumerate(example.shown) if token != example.ids[i]]
            assert hidden == [i for i, gap in enumerate(example.gaps) if gap]
            assert hidden == list(lesson.columns)
            assert {example.shown[i] for i in hidden} == {mask_id(model)}
        assert all(len(lesson.columns) < len(at) for lesson in of_span[1:])
        assert len(of_span) == 1 + min(2, len(at) - 1)


def test_a_gap_in_what_is_longer_than_the_context_is_asked_in_its_middle(
    masked_model: LanguageModel,
) -> None:
    far = record(long(40) + "MRN 4471203 and more. " + long(40), ("4471203", "MRN"))
    secret = " ".join(f"{n:03}" for n in range(150))
    longer = record("MRN " + secret + long(5), (secret, "MRN"))
    (asked,), (end, *_) = (
        (own[0] for own in gap_lessons(masked_model, [each], draws=1)) for each in (far, longer)
    )
    most = masked_model.max_tokens
    assert len(asked.example.ids) == len(end.example.ids) == most
    ids = [token for token, _, _ in tokens(masked_model, far.text)]
    at = touching(masked_model, far.text, far.spans[0])
    assert [asked.example.ids[i] for i in asked.columns] == [ids[i] for i in at]
    assert abs(asked.columns[0] - (most - asked.columns[-1])) <= len(at)
    assert list(end.columns) == [*range(1, most - 1)]
    assert len(end.soft) == most - 2


# ---- distributions in short


def test_memory_told_of_an_answer_is_what_it_takes(model: LanguageModel) -> None:
    text = record("Ann lives here.", ("Ann", "NAME"), id="one", subject="s")
    (soft,) = teach("uniform", model, [text])
    taken = sum(own.numel() * own.element_size() for own in (soft.tokens, soft.probs))
    assert taken == len(soft) * place_bytes(model)
