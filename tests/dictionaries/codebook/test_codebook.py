"""Codebooks: deletion is its algebra, no deletion with the error kept is the identity."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from safetensors.torch import save_file

from sanilens.corpus.records import Record
from sanilens.dictionaries.codebook.bottleneck import (
    MAX_DELETION_BYTES,
    WAYS,
    Deletion,
    bottleneck,
    measure_codebook,
    no_deletion,
    read_deletion,
)
from sanilens.dictionaries.codebook.codebook import Codebook, Mode
from sanilens.dictionaries.codebook.store import RECORD, WEIGHTS, load_codebook
from sanilens.dictionaries.codebook.train import CodebookSettings, CodebookStep, train_codebook
from sanilens.dictionaries.dictionary import Dictionary
from sanilens.dictionaries.reading import site_values
from sanilens.dictionaries.sae.sae import Sae
from sanilens.dictionaries.sae.train import SaeSettings, train_sae
from sanilens.dictionaries.site import SaeSite
from sanilens.errors import ModelError, PlanError
from sanilens.model.hooks import NO_HOOKS, Hooks, hooked
from sanilens.model.language_model import LanguageModel

IDS = torch.tensor([[0, 40, 50, 60, 70, 80], [0, 41, 51, 61, 71, 81]])
SITE = "blocks.1.hook_attn_out"


def logits(model: LanguageModel, hooks: Hooks = NO_HOOKS) -> torch.Tensor:
    with torch.inference_mode(), hooked(model.module, hooks):
        return model.module(IDS).logits


def small(site: str = SITE, **how: Any) -> CodebookSettings:
    fields = {"codes": 24, "k": 4, "warm_steps": 60, "warm_tokens": 64, "steps": 6}
    return CodebookSettings(site, **{**fields, "batch_size": 2, **how})


def trained(
    model: LanguageModel, records: list[Record], folder: Path, sae: Sae | None = None, **how: Any
) -> Codebook:
    return train_codebook(model, records, records, small(**how), folder, "tiny", sae)[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("codebooks")


@pytest.fixture
def codebook(any_model: LanguageModel, records: list[Record], folder: Path) -> Codebook:
    """One a model, trained once."""
    own = folder / any_model.path.name
    if not own.exists():
        trained(any_model, records, own)
    return load_codebook(own, any_model)


@pytest.fixture(scope="module")
def sae(model: LanguageModel, tmp_path_factory: pytest.TempPathFactory) -> Sae:
    from tests.conftest import TEXTS

    texts = [Record(f"t-{i}", "s", text) for i, text in enumerate(TEXTS)]
    settings = SaeSettings(SITE, width=64, k=8, steps=60)
    into = tmp_path_factory.mktemp("sae") / "s"
    return train_sae(model, texts, texts, settings, into, "tiny")[0]


def by_hand(codebook: Codebook, x: torch.Tensor, deleted: list[int], mode: str) -> torch.Tensor:
    """x' token by token, as the module's equations say."""
    made = x.clone()
    for row in range(x.shape[0]):
        for position in range(1, x.shape[1]):
            z = x[row, position] - codebook.centre
            s = [float(torch.dot(z, c) / (z.norm() * c.norm())) for c in codebook.codes]
            order = sorted(range(len(s)), key=lambda i: -s[i])
            if mode == "refill":
                order = [i for i in order if i not in deleted]
            chosen = [i for i in order[: codebook.k] if i not in deleted]
            over = max(1, len(chosen)) if mode == "renorm" else codebook.k
            out = sum((codebook.codes[i] for i in chosen), torch.zeros_like(z)) / over
            made[row, position] = out + codebook.centre
    return made


def chosen_codes(model: LanguageModel, codebook: Codebook) -> list[int]:
    """The three codes that most of the tokens use."""
    chosen = codebook.choose(codebook.latent(site_values(model, codebook.site, IDS)[:, 1:]))
    return torch.bincount(chosen.codes.flatten()).argsort(descending=True)[:3].tolist()


def test_no_deletion_with_the_error_kept_is_the_identity(
    any_model: LanguageModel, codebook: Codebook
) -> None:
    hooks = bottleneck(any_model, codebook, way="zero")
    assert torch.equal(logits(any_model, hooks), logits(any_model))
    alone = [logits(any_model, bottleneck(any_model, codebook, way=way)) for way in get_args(Mode)]
    assert all(torch.equal(alone[0], other) for other in alone)
    assert not torch.allclose(alone[0], logits(any_model))


@pytest.mark.parametrize("way", WAYS)
def test_a_deletion_is_its_algebra(any_model: LanguageModel, codebook: Codebook, way: Any) -> None:
    deleted = chosen_codes(any_model, codebook)
    x = site_values(any_model, codebook.site, IDS)
    wanted = by_hand(codebook, x, deleted, "drop" if way == "zero" else way)
    if way == "zero":
        wanted = x + wanted - by_hand(codebook, x, [], "drop")
    expected = logits(any_model, codebook.site.hooks(any_model.sites, lambda _x: wanted))
    hooks = bottleneck(any_model, codebook, deleted, way)
    found = logits(any_model, hooks)
    assert torch.allclose(found, expected, atol=1e-3)
    untouched = bottleneck(any_model, codebook, way=way)
    assert not torch.allclose(found, logits(any_model, untouched), atol=1e-3)


def test_codes_that_no_token_uses_can_go(any_model: LanguageModel, codebook: Codebook) -> None:
    x = site_values(any_model, codebook.site, IDS)
    used = set(codebook.choose(codebook.latent(x)).codes.flatten().tolist())
    unused = [code for code in range(codebook.size) if code not in used][:5]
    assert unused
    for way in WAYS:
        hooks = bottleneck(any_model, codebook, unused, way)
        untouched = bottleneck(any_model, codebook, way=way)
        assert torch.equal(logits(any_model, hooks), logits(any_model, untouched))


def test_all_of_a_token_s_codes_dropped_leave_the_centre(
    model: LanguageModel, records: list[Record], tmp_path: Path
) -> None:
    codebook = trained(model, records, tmp_path / "c", codes=8, k=2)
    z = codebook.codes[:1]
    first = codebook.choose(z).codes[0].tolist()
    for mode in ("drop", "renorm"):
        out = codebook.quantised(codebook.choose(z, first, mode))
        assert (out == 0).all()
    refilled = codebook.choose(z, first, "refill")
    assert not set(refilled.codes[0].tolist()) & set(first)


def test_over_an_autoencoder_its_features_are_quantised(
    model: LanguageModel, records: list[Record], sae: Sae, tmp_path: Path
) -> None:
    before = {name: w.clone() for name, w in sae.module.state_dict().items()}
    codebook = trained(model, records, tmp_path / "c", sae, steps=12)
    assert codebook.sae is not None
    assert codebook.codes.shape == (24, 64)
    x = site_values(model, codebook.site, IDS)
    assert torch.equal(codebook.latent(x), codebook.sae.features(x))
    # A copy was trained along; the one that was given is as it was.
    assert all(torch.equal(w, before[name]) for name, w in sae.module.state_dict().items())
    own = codebook.sae.module.state_dict()
    assert not torch.equal(own["W_enc"], before["W_enc"])
    hooks = bottleneck(model, codebook, way="zero")
    assert torch.equal(logits(model, hooks), logits(model))


def test_topics_compose(model: LanguageModel, records: list[Record], tmp_path: Path) -> None:
    codebook = trained(model, records, tmp_path / "c")
    first = no_deletion(codebook).more([3, 1])
    both = first.more([5, 3])
    assert (both.codes, both.topics) == ((1, 3, 5), 2)
    again = Deletion.model_validate_json(both.model_dump_json())
    assert again == both
    at_once = bottleneck(model, codebook, [5, 1, 3])
    assert torch.equal(logits(model, both.hooks(model, codebook)), logits(model, at_once))
    with pytest.raises(PlanError, match="another codebook"):
        both.hooks(model, replace(codebook, fingerprint="0" * 64))
    (tmp_path / "d.json").write_text('{"codes": "many"}')
    with pytest.raises(PlanError, match=r"d\.json: codebook"):
        read_deletion(tmp_path / "d.json")


@pytest.mark.parametrize(
    ("put", "words"),
    [
        (os.mkfifo, "is a pipe, not a file"),
        (Path.mkdir, "is a folder, not a file"),
        (lambda path: path.write_text("{"), "Invalid JSON"),
        (lambda path: path.open("wb").truncate(MAX_DELETION_BYTES + 1), "is larger than 1 MB"),
        (lambda path: None, "is missing"),
    ],
)
def test_what_cannot_be_a_deletion_is_one_message(
    tmp_path: Path, put: Callable[[Path], object], words: str
) -> None:
    put(path := tmp_path / "d.json")
    with pytest.raises(PlanError, match=rf"^d\.json.* {words}"):
        read_deletion(path)


def test_codes_that_cannot_be_deleted_are_named(
    model: LanguageModel, records: list[Record], tmp_path: Path
) -> None:
    codebook = trained(model, records, tmp_path / "c")
    with pytest.raises(PlanError, match="code 24 does not exist"):
        bottleneck(model, codebook, [24])
    with pytest.raises(PlanError, match="fewer than the 4"):
        bottleneck(model, codebook, range(21))


def test_training_lowers_the_loss_and_is_the_same_twice(
    model: LanguageModel, records: list[Record], tmp_path: Path
) -> None:
    steps: list[CodebookStep] = []
    settings = small(steps=40, learning_rate=1e-2)
    before = {n: p.clone() for n, p in model.module.state_dict().items()}
    first, _ = train_codebook(
        model, records, records, settings, tmp_path / "a", "tiny", on_step=steps.append
    )
    again, _ = train_codebook(model, records, records, settings, tmp_path / "b", "tiny")
    assert torch.equal(first.codes, again.codes)
    assert first.fingerprint == again.fingerprint
    tuned = [step.loss for step in steps if not step.warm]
    assert len(tuned) == 40
    assert sum(tuned[-5:]) < 0.9 * sum(tuned[:5])
    # The model itself is not trained.
    assert all(torch.equal(p, before[n]) for n, p in model.module.state_dict().items())
    short = trained(model, records, tmp_path / "c", warm_steps=1, steps=1)
    better, worse = (measure_codebook(model, c, records) for c in (first, short))
    assert better.explained_variance > worse.explained_variance


def test_a_cancelled_training_leaves_nothing(
    model: LanguageModel, records: list[Record], tmp_path: Path
) -> None:
    class Stop(Exception):
        pass

    def stop(_step: object) -> None:
        raise Stop

    with pytest.raises(Stop):
        train_codebook(model, records, records, small(), tmp_path / "c", "x", on_step=stop)
    assert not (tmp_path / "c").exists()


def test_it_comes_back_from_disk(
    model: LanguageModel, records: list[Record], sae: Sae, tmp_path: Path
) -> None:
    for number, own in enumerate((None, sae)):
        made = trained(model, records, tmp_path / str(number), own)
        loaded = load_codebook(tmp_path / str(number), model)
        assert torch.equal(loaded.codes, made.codes)
        assert torch.equal(loaded.centre, made.centre)
        assert (loaded.id, loaded.site, loaded.k) == ("tiny", SaeSite(1, "hook_attn_out"), 4)
        assert loaded.fingerprint == made.fingerprint
        same = [logits(model, bottleneck(model, c, [1, 2])) for c in (made, loaded)]
        assert torch.equal(*same)
    with pytest.raises(ModelError, match="is not empty"):
        trained(model, records, tmp_path / "0")


def edited(folder: Path, **fields: Any) -> None:
    record = json.loads((folder / RECORD).read_text())
    (folder / RECORD).write_text(json.dumps({**record, **fields}))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"codes": 10**9}, "impossible together"),
        ({"k": 25}, "impossible together"),
        ({"codes": 23}, "does not hold the tensors"),
        ({"width": 31}, "does not hold the tensors"),
        ({"site": "blocks.9.hook_attn_out"}, "has 3 layers"),
        ({"site": "../../etc"}, "is no site"),
        ({"id": "../x"}, "id"),
        ({"model_sha256": "0" * 64}, "another model"),
        ({"extra": 1}, "extra"),
        ({"schema_version": 2}, "schema_version"),
        ({"sae": True}, "missing"),
    ],
)
def test_a_hostile_record_is_refused(
    model: LanguageModel, records: list[Record], tmp_path: Path, fields: Any, said: str
) -> None:
    trained(model, records, tmp_path / "c", warm_steps=1, steps=1)
    edited(tmp_path / "c", **fields)
    with pytest.raises(ModelError, match=said):
        load_codebook(tmp_path / "c", model)


def test_hostile_weights_are_refused(
    model: LanguageModel, records: list[Record], tmp_path: Path
) -> None:
    own = tmp_path / "c"
    codebook = trained(model, records, own, warm_steps=1, steps=1)
    whole = {"codes": codebook.codes.clone(), "centre": codebook.centre.clone()}
    nan = {**whole, "centre": whole["centre"] * float("nan")}
    half = {name: tensor.half() for name, tensor in whole.items()}
    more = {**whole, "more": torch.zeros(1)}
    for wrong, said in ((nan, "finite"), (half, "float32"), (more, "does not hold")):
        save_file(wrong, own / WEIGHTS)
        with pytest.raises(ModelError, match=said):
            load_codebook(own, model)
    (own / WEIGHTS).write_bytes(b"\x80\x04not safetensors")
    with pytest.raises(ModelError, match="is damaged"):
        load_codebook(own, model)
    (own / RECORD).write_text("{" * 10_000)
    with pytest.raises(ModelError, match="JSON"):
        load_codebook(own, model)
    with pytest.raises(ModelError, match=RECORD):
        load_codebook(tmp_path / "nowhere", model)


def test_settings_that_cannot_be_are_refused(
    model: LanguageModel, records: list[Record], sae: Sae, tmp_path: Path
) -> None:
    with pytest.raises(PlanError, match="more than the number of codes"):
        trained(model, records, tmp_path / "c", k=25)
    with pytest.raises(PlanError, match="is to stand at"):
        trained(model, records, tmp_path / "c", sae, site="blocks.1.hook_mlp_out")
    with pytest.raises(PlanError, match="is no site"):
        trained(model, records, tmp_path / "c", site="blocks.1")


def test_both_dictionaries_rebuild_what_stands_at_their_site(
    any_model: LanguageModel, codebook: Codebook
) -> None:
    x = site_values(any_model, codebook.site, IDS)
    dictionary: Dictionary = codebook
    hooks = bottleneck(any_model, codebook)
    whole = torch.cat([x[:, :1], dictionary.rebuilt(x)[:, 1:]], 1)
    put = codebook.site.hooks(any_model.sites, lambda _: whole)
    assert torch.equal(logits(any_model, hooks), logits(any_model, put))
