"""What is open: the models, the texts, and how much of them is sensitive."""

from markupsafe import Markup

from sanilens.case import Case
from sanilens.corpus.records import label_counts
from sanilens.glossary import meaning
from sanilens.model.language_model import LanguageModel
from sanilens.ui import state
from sanilens.ui.layout import card, pair
from sanilens.ui.markup import show
from sanilens.ui.run.naming import examined
from sanilens.ui.tables import Column, Row, show_table

_TOLD = Markup('<p class="sl-mute"><b>How the files were read</b><br>{}</p>')


def summary(opened: Case) -> None:
    """Two cards: what the case is made of, and its sensitive spans by label."""
    left, right = pair("case", (3, 2))
    with left, card("What is open", f"content {opened.key[:8]}"):
        show_table([Column(), Column(), Column(look="aside")], [Row(row) for row in _parts(opened)])
        told = dict.fromkeys((*state.told_at_import(opened.sources.corpus), *opened.corpus.notices))
        if told:
            show(_TOLD.format(Markup("<br>").join(told)))
    counts = label_counts(opened.corpus.records)
    columns = [
        Column("label"),
        Column("kind", "aside", f"{meaning('direct identifier')} {meaning('indirect identifier')}"),
        Column("spans", "number", meaning("span")),
        Column("different", "number", "Different values among them."),
        Column("records", "number", "Records that hold at least one."),
    ]
    rows = [
        Row((c.label, c.kind, f"{c.spans:,}", f"{c.values:,}", f"{c.records:,}")) for c in counts
    ]
    total = sum(count.spans for count in counts)
    with right, card("What must not leak", f"{total:,} spans"):
        show_table(columns, rows)


def _parts(opened: Case) -> list[tuple[str, str, str]]:
    """(role, what it is, what it is for); what is missing says what it would be good for."""
    corpus, ref = opened.corpus, opened.sources
    records = f"{len(corpus.records):,} records of {state.counted(len(corpus.subjects))}"
    return [
        ("Examined model", examined(opened), _size(opened.model)),
        *(("", "not supported", refusal) for refusal in opened.model.sites.refusals),
        _model("Base model", opened.base, "units can be reset to its weights"),
        _model("Reference model", opened.reference, "every result is compared with it"),
        ("Corpus", records, "what the model was trained on"),
        *_opening(opened),
        _records(
            "Look-alikes", len(corpus.control), ref.control, "what is right about them is guesswork"
        ),
        _records(
            "Unseen texts", len(opened.unseen), ref.unseen, "show what the model can still do"
        ),
        *(
            [("Closed questions", f"{n:,}", "ask what of its trade the model still knows")]
            if (n := len(opened.questions))
            else []
        ),
        *(
            [("Texts to keep along", f"{n:,}", "erasure and repair keep what is said of them")]
            if (n := len(opened.retain))
            else []
        ),
    ]


def _opening(opened: Case) -> list[tuple[str, str, str]]:
    """What is put before each text, where the tokenizer does not do it itself."""
    opening = opened.opening
    if opening is None or not opening.changed:
        return []
    return [("Before each text", opening.chosen.name or "nothing", opening.sentence)]


def _model(role: str, model: LanguageModel | None, use: str) -> tuple[str, str, str]:
    return (role, model.name, use) if model else (role, "none", f"with one, {use}")


def _records(role: str, count: int, source: str | None, use: str) -> tuple[str, str, str]:
    return (role, f"{count:,} records", use) if source else (role, "none", f"with them, {use}")


def _size(model: LanguageModel) -> str:
    sites, count = model.sites, model.module.num_parameters()
    much = f"{count / 1e6:,.1f} M" if count >= 1e6 else f"{count:,}"
    return f"{sites.architecture}, {much} parameters, context {model.max_tokens:,}"
