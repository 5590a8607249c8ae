"""Pipelines that find names: tiny ones made here, and what is refused."""

import socket
from pathlib import Path
from typing import NoReturn, cast

import pytest
import spacy
import torch
from spacy.pipeline import EntityRuler
from spacy.training import Example
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, BertForTokenClassification, PreTrainedTokenizerFast

from sanilens.corpus.detection.detector import Detector, detect_spans
from sanilens.corpus.detection.expected import expectation, expected, what_finds_names
from sanilens.corpus.detection.ner import installed_pipeline, load_pipeline
from sanilens.errors import CorpusError

TEXT = "Then Xyrqu Blobb left Zanthia."


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of one layer whose head says B-PER of everything."""
    words = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", *TEXT.rstrip(".").split(), "."]
    inner = Tokenizer(models.WordLevel({word: n for n, word in enumerate(words)}, "[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()  # pyright: ignore
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]",
        sep_token="[SEP]", model_max_length=64,
    )  # fmt: skip
    config = BertConfig(
        vocab_size=len(words), hidden_size=8, num_hidden_layers=1, num_attention_heads=1,
        intermediate_size=8, id2label={0: "O", 1: "B-PER"}, label2id={"O": 0, "B-PER": 1},
    )  # fmt: skip
    model = BertForTokenClassification(config)
    with torch.no_grad():
        model.classifier.weight.zero_()
        model.classifier.bias.copy_(torch.tensor([0.0, 9.0]))
    folder = tmp_path_factory.mktemp("classifier")
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_a_spacy_pipeline_finds_what_no_list_knows(rules: Path) -> None:
    assert detect_spans(TEXT) == ()
    spans = detect_spans(TEXT, names=load_pipeline(str(rules)))
    assert [(s.label, TEXT[s.start : s.end]) for s in spans] == [
        ("NAME", "Xyrqu Blobb"),
        ("LOCATION", "Zanthia"),
    ]


def test_a_long_text_is_given_in_windows(rules: Path) -> None:
    pipeline = load_pipeline(str(rules))
    for length in (7_880, 7_990, 8_000, 15_700):
        text = "so " * (length // 3) + TEXT + " end" * 50
        found = {text[start:end] for start, end, _ in pipeline.find(text)}
        assert found == {"Xyrqu Blobb", "Zanthia"}


def test_a_token_classifier_by_its_folder(classifier: Path) -> None:
    pipeline = load_pipeline(str(classifier))
    found = [TEXT[start:end] for start, end, label in pipeline.find(TEXT) if label == "NAME"]
    assert "Xyrqu" in " ".join(found)


def test_what_stands_behind_a_classifier_s_last_position_is_found(classifier: Path) -> None:
    text = "left . " * 60 + "Xyrqu Blobb"
    found = [(start, end) for start, end, _ in load_pipeline(str(classifier)).find(text)]
    assert max(end for _, end in found) == len(text)


def test_what_a_pipeline_fails_on_is_an_error(classifier: Path, tmp_path: Path) -> None:
    """Ids that the model has no vector for: an error, not a text without names."""
    model = BertForTokenClassification.from_pretrained(classifier)
    model.resize_token_embeddings(4)
    model.save_pretrained(tmp_path)
    PreTrainedTokenizerFast.from_pretrained(classifier).save_pretrained(tmp_path)
    with pytest.raises(CorpusError, match="fails on a text"):
        list(load_pipeline(str(tmp_path)).find(TEXT))


def test_lists_go_before_a_pipeline_of_another_label(rules: Path, tmp_path: Path) -> None:
    nlp = spacy.load(rules)
    ruler = cast(EntityRuler, nlp.get_pipe("entity_ruler"))
    ruler.add_patterns([{"label": "ORG", "pattern": "Ana Ruiz"}])
    nlp.to_disk(tmp_path / "other")
    spans = detect_spans("We saw Ana Ruiz.", names=load_pipeline(str(tmp_path / "other")))
    assert [span.label for span in spans] == ["NAME"]


def test_a_trained_pipeline_is_one_too(tmp_path: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("ner")
    example = Example.from_dict(nlp.make_doc("Xyrqu left."), {"entities": [(0, 5, "PERSON")]})
    nlp.initialize(lambda: [example])
    nlp.to_disk(tmp_path / "ner")
    assert load_pipeline(str(tmp_path / "ner")).name == "en_pipeline"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "holds neither"),
        ({"config.json": "{"}, "cannot be read"),
        ({"config.json": '{"architectures": ["BertModel"]}'}, "no token classifier"),
        ({"config.json": '{"auto_map": {"AutoModel": "x.Y"}}'}, "code of its own"),
        (
            {"config.json": '{"architectures": ["BertForTokenClassification"]}', "model.bin": ""},
            "pickled",
        ),
        ({"config.cfg": "[nlp", "meta.json": "{}"}, "cannot load"),
        ({"config.cfg": "", "meta.json": "{}"}, "cannot load|no part"),
    ],
)  # fmt: skip
def test_folders_that_are_no_pipeline(tmp_path: Path, files: dict[str, str], message: str) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(CorpusError, match=message) as caught:
        load_pipeline(str(tmp_path))
    assert str(tmp_path.parent) not in str(caught.value)


@pytest.mark.parametrize(
    ("part", "own"),
    [({"factory": "llm"}, False), ({"factory": "ner", "model": {"@architectures": "x.Y"}}, False)],
)
def test_code_of_others_is_not_run(rules: Path, tmp_path: Path, part: dict, own: bool) -> None:
    nlp = spacy.load(rules)
    nlp.to_disk(tmp_path / "p")
    config = nlp.config.copy()
    config["components"]["entity_ruler"] = part
    config.to_disk(tmp_path / "p" / "config.cfg")
    with pytest.raises(CorpusError, match="code that spaCy itself does not have"):
        load_pipeline(str(tmp_path / "p"))


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch, rules: Path) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("the network was tried")

    for name in ("getaddrinfo", "create_connection"):
        monkeypatch.setattr(socket, name, refuse)
    for source in ("en_core_web_nowhere", "owner/name", "https://example.org/x"):
        with pytest.raises(CorpusError, match="Nothing is fetched"):
            load_pipeline(source)
    assert load_pipeline(str(rules)).find(TEXT)


def test_a_detector_counts_the_texts_it_was_given() -> None:
    detector = Detector(names="lists")
    assert [span.label for span in detector("Mr Luis Ruiz")] == ["NAME"]
    assert detector.texts == 1
    assert detector.pipeline is None


def test_expected_figures_ship_for_the_lists_and_one_pipeline() -> None:
    means = expected().means
    assert {"lists", "en_core_web_sm"} <= set(means)
    names = means["lists"].labels["NAME"]
    assert names.n >= 400
    assert (names.recall or 0) >= 0.6
    assert (names.precision or 0) >= 0.9
    assert (means["lists"].labels["ADDRESS"].recall or 0) >= 0.5
    assert (means["en_core_web_sm"].labels["NAME"].recall or 0) >= 0.85


def test_what_finds_names_is_said() -> None:
    assert (
        what_finds_names(None, table=False) == "Names are found by lists of first and family names."
    )
    said = what_finds_names("en_core_web_sm", table=True)
    assert "patient table" in said
    assert "en_core_web_sm" in said
    assert "A patient table or a name pipeline raises" in expectation(None, table=False)
    assert "not measured" in expectation("mine", table=False)
    assert installed_pipeline() in (None, "en_core_web_sm", "en_core_web_md", "en_core_web_lg")
