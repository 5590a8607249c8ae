"""Scores come back from disk as they were, and only for the same question."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from sanilens.audit.targets import Scope, Targets
from sanilens.corpus.records import Record
from sanilens.inspect.locate.localisers import Settings, find_localiser
from sanilens.inspect.locate.score_cache import cached_scores
from sanilens.model.language_model import LanguageModel


def test_the_second_look_measures_nothing(
    model: LanguageModel, records: list[Record], tmp_path: Path
) -> None:
    localiser = find_localiser("alignment")
    for kind in ("mlp", "head"):
        first = cached_scores(tmp_path, model, records, Scope(), localiser, Settings(kind))

        def never(_targets: Targets, _settings: Settings):
            raise AssertionError("measured again")

        mute = replace(localiser, score=never)
        again = cached_scores(tmp_path, model, records, Scope(), mute, Settings(kind))
        assert torch.equal(first.values, again.values)
        assert (first.method, first.kind, first.targets) == (
            again.method, again.kind, again.targets,
        )  # fmt: skip


def test_another_question_is_another_file(
    model: LanguageModel, records: list[Record], tmp_path: Path
) -> None:
    ask = [
        (records, Scope(), "alignment", Settings()),
        (records, Scope(), "alignment", Settings("head")),
        (records, Scope(), "alignment", Settings(seed=1)),
        (records, Scope(labels=frozenset({"MRN"})), "alignment", Settings()),
        (records[:2], Scope(), "alignment", Settings()),
        (records, Scope(), "random", Settings()),
    ]
    for some, scope, name, settings in ask:
        cached_scores(tmp_path, model, some, scope, find_localiser(name), settings)
    assert len(list(tmp_path.iterdir())) == len(ask)


@pytest.mark.parametrize(
    "content", [b"", b"not safetensors", b"\x08\x00\x00\x00\x00\x00\x00\x00{}"]
)
def test_a_broken_file_is_measured_anew(
    model: LanguageModel, records: list[Record], tmp_path: Path, content: bytes
) -> None:
    localiser = find_localiser("alignment")
    first = cached_scores(tmp_path, model, records, Scope(), localiser, Settings())
    (file,) = tmp_path.iterdir()
    file.write_bytes(content)
    again = cached_scores(tmp_path, model, records, Scope(), localiser, Settings())
    assert torch.equal(first.values, again.values)
    assert file.read_bytes() != content
