"""Autoencoders: trained on real activations, clamped by algebra, baked for good, never silently."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from sanilens.audit.measurement import measure_both
from sanilens.audit.metrics.metric import Exam
from sanilens.audit.targets import Scope
from sanilens.corpus.records import Record
from sanilens.dictionaries.dictionary import Dictionary
from sanilens.dictionaries.reading import feature_activations, read_site, site_values
from sanilens.dictionaries.sae.clamp import bake_, baked_features, clamped_features
from sanilens.dictionaries.sae.features import attribution, score_features
from sanilens.dictionaries.sae.load import CONFIG, OURS, WEIGHTS, find_folder, load_sae
from sanilens.dictionaries.sae.quality import measure_quality
from sanilens.dictionaries.sae.sae import Sae
from sanilens.dictionaries.sae.train import SaeSettings, train_sae
from sanilens.dictionaries.site import POINTS, SaeSite, parse_site, site_of_hook
from sanilens.errors import ModelError, PlanError, SaniLensError
from sanilens.model.hooks import Hooks, hooked
from sanilens.model.language_model import LanguageModel
from sanilens.unlearn.edits import apply_edits_, edit_hooks
from sanilens.unlearn.plan import Plan, UnitEdit

IDS = torch.tensor([[0, 40, 50, 60, 70, 80], [0, 41, 51, 61, 71, 81]])


def logits(model: LanguageModel, hooks: Hooks | None = None) -> torch.Tensor:
    with torch.inference_mode(), hooked(model.module, hooks or Hooks()):
        return model.module(IDS).logits


def trained(model: LanguageModel, records: list[Record], folder: Path, **how: Any) -> Sae:
    settings = SaeSettings(
        **{"site": "blocks.1.hook_resid_post", "width": 64, "k": 8, "steps": 60, **how}
    )
    return train_sae(model, records, records, settings, folder, "tiny")[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("saes")


@pytest.fixture
def sae(any_model: LanguageModel, records: list[Record], folder: Path) -> Sae:
    """One a model, trained once."""
    own = folder / any_model.path.name
    if not own.exists():
        trained(any_model, records, own)
    return load_sae(own, any_model)


@pytest.mark.parametrize("point", POINTS)
def test_sites_have_one_name(point: Any) -> None:
    assert parse_site(str(SaeSite(3, point))) == SaeSite(3, point)
    for wrong in ("", "blocks.1", "blocks.01.hook_mlp_out", "blocks.1.hook_z", str(point)):
        with pytest.raises(PlanError, match="is no site"):
            parse_site(wrong)


def test_a_site_is_transformerlens_s(tiny_folders: dict[str, Path]) -> None:
    from transformer_lens.model_bridge import TransformerBridge

    from sanilens.model.language_model import load_model

    for name in ("gpt2", "llama", "gpt_neox"):
        model = load_model(tiny_folders[name], device="cpu")
        bridge = TransformerBridge.boot_transformers(
            name, hf_model=model.copied().module, tokenizer=model.tokenizer
        )
        _, cache = bridge.run_with_cache(IDS)
        for point in POINTS:
            site = SaeSite(1, point)
            assert torch.allclose(site_values(model, site, IDS), cache[str(site)], atol=1e-4)


def test_training_reduces_the_error_and_is_the_same_twice(
    model: LanguageModel, records: list[Record], tmp_path: Path
) -> None:
    short = trained(model, records, tmp_path / "short", steps=2)
    long = trained(model, records, tmp_path / "long", steps=150)
    again = trained(model, records, tmp_path / "again", steps=150)
    first, last = (measure_quality(model, s, records) for s in (short, long))
    assert last.explained_variance > max(0.7, first.explained_variance)
    assert last.l0 <= 8
    assert long.fingerprint == again.fingerprint


@pytest.mark.parametrize("architecture", ["topk", "batchtopk", "jumprelu", "standard"])
def test_every_architecture_comes_back_from_disk(
    model: LanguageModel, records: list[Record], tmp_path: Path, architecture: str
) -> None:
    sae = trained(model, records, tmp_path / "sae", architecture=architecture, steps=20)
    x = site_values(model, sae.site, IDS)
    assert sae.features(x).shape == (2, 6, 64)
    dictionary: Dictionary = sae
    assert torch.equal(dictionary.rebuilt(x), sae.reconstruction(sae.features(x)))
    assert dictionary.rebuilt(x).shape == x.shape


def test_a_cancelled_training_leaves_nothing(
    model: LanguageModel, records: list[Record], tmp_path: Path
) -> None:
    class Stop(Exception):
        pass

    def stop(_step: object) -> None:
        raise Stop

    settings = SaeSettings("blocks.1.hook_mlp_out", 64, k=8, steps=5)
    with pytest.raises(Stop):
        train_sae(model, records, records, settings, tmp_path / "sae", "x", stop)
    assert not (tmp_path / "sae").exists()


def test_no_clamp_is_the_identity(any_model: LanguageModel, sae: Sae) -> None:
    before = logits(any_model)
    assert torch.equal(logits(any_model, clamped_features(any_model, sae, {})), before)
    x = site_values(any_model, sae.site, IDS)
    silent = (sae.features(x) == 0).all(dim=(0, 1)).nonzero().flatten().tolist()
    assert silent
    zeroed = clamped_features(any_model, sae, dict.fromkeys(silent, 0.0))
    assert torch.equal(logits(any_model, zeroed), before)


def test_a_clamp_is_its_algebra(any_model: LanguageModel, sae: Sae) -> None:
    """x' = x + (f' - f) W_dec where the feature fires, the first token left alone."""
    x = site_values(any_model, sae.site, IDS)
    f = sae.features(x)
    feature = int(f[:, 1:].sum((0, 1)).argmax())
    for value in (0.0, -0.3):
        change = value * x.norm(dim=-1) - f[..., feature]
        change = torch.where(f[..., feature] > 0, change, 0.0)
        change[:, 0] = 0
        wanted = x + change[..., None] * sae.module.W_dec[feature]
        by_hand = sae.site.hooks(any_model.sites, lambda _x, w=wanted: w)
        clamp = clamped_features(any_model, sae, {feature: value})
        assert torch.allclose(logits(any_model, clamp), logits(any_model, by_hand), atol=1e-4)
        assert not torch.allclose(logits(any_model, clamp), logits(any_model), atol=1e-4)


def test_zeroing_equals_saelens_s_own_error_term(
    tiny_folders: dict[str, Path], records: list[Record], tmp_path: Path
) -> None:
    """`with bridge.saes([sae], use_error_term=True)`, its feature set to zero by a hook."""
    from sae_lens.analysis.sae_transformer_bridge import SAETransformerBridge

    from sanilens.model.language_model import load_model

    model = load_model(tiny_folders["gpt2"], device="cpu")
    sae = trained(model, records, tmp_path / "sae")
    f = sae.features(site_values(model, sae.site, IDS))
    feature = int(f[:, 1:].sum((0, 1)).argmax())
    bridge: Any = SAETransformerBridge.boot_transformers(
        "gpt2", hf_model=model.copied().module, tokenizer=model.tokenizer
    )
    own = load_sae(sae.path, model).module
    own.cfg.metadata.hook_name = "blocks.1.hook_out"

    def zero(acts: torch.Tensor, hook: Any) -> torch.Tensor:
        acts = acts.clone()
        acts[:, 1:, feature] = 0
        return acts

    with torch.inference_mode(), bridge.saes([own], use_error_term=True):
        theirs = bridge.run_with_hooks(
            IDS, fwd_hooks=[("blocks.1.hook_out.hook_sae_acts_post", zero)]
        )
    ours = logits(model, clamped_features(model, sae, {feature: 0.0}))
    assert torch.allclose(ours, theirs, atol=1e-4)
    assert not torch.allclose(ours, logits(model), atol=1e-4)


def test_baking_is_its_hook_and_leaves_nothing_along_the_direction(
    any_model: LanguageModel, sae: Sae
) -> None:
    features = [3, 11]
    hook = baked_features(any_model, sae, features)
    copied = any_model.copied()
    bake_(copied, sae, features)
    assert torch.allclose(logits(copied), logits(any_model, hook), atol=1e-3)
    basis, _ = torch.linalg.qr(sae.directions(features).T)
    x = site_values(copied, sae.site, IDS)
    before = site_values(any_model, sae.site, IDS)
    assert (x @ basis).abs().max() < 1e-2 * (before @ basis).abs().max()


def test_edits_of_features(any_model: LanguageModel, sae: Sae) -> None:
    edits = (
        UnitEdit(unit="sae.tiny.3", operation="zero"),
        UnitEdit(unit="sae.tiny.5", operation="clamp", value=-0.2),
        UnitEdit(unit="sae.tiny.9", operation="bake"),
        UnitEdit(unit="mlp.0.1", operation="zero"),
    )
    saes = {"tiny": sae}
    hooked_logits = logits(any_model, edit_hooks(any_model, edits, saes=saes))
    copied = any_model.copied()
    left = apply_edits_(copied, edits, saes=saes)
    assert left == edits[:2]
    again = logits(copied, edit_hooks(copied, left, saes=saes))
    assert torch.allclose(again, hooked_logits, atol=1e-3)
    with pytest.raises(PlanError, match="not open"):
        edit_hooks(any_model, edits)
    with pytest.raises(PlanError, match="does not exist"):
        edit_hooks(any_model, [UnitEdit(unit="sae.tiny.64", operation="zero")], saes=saes)


def test_a_plan_names_the_autoencoders_it_edits() -> None:
    source = {"source": "x", "sha256": "0" * 64}
    fields = {"model": source, "corpus": source, "repair": {"method": "none"}}
    edit = {"unit": "sae.tiny.3", "operation": "zero"}
    with pytest.raises(ValueError, match="features of sae tiny"):
        Plan.model_validate({**fields, "edits": [edit]})
    plan = Plan.model_validate({**fields, "edits": [edit], "saes": {"tiny": source}})
    assert Plan.model_validate_json(plan.canonical()) == plan


def test_attribution_is_the_slope_of_zeroing(
    model: LanguageModel, records: list[Record], tmp_path: Path
) -> None:
    """To first order: a small step of one feature changes log p by its share of the attribution."""
    sae = trained(model, records, tmp_path / "sae", steps=200)
    scope = Scope(labels=frozenset({"PHONE"}))
    found = attribution(model, sae, records, scope)
    feature, step = int(found.abs().argmax()), 1e-2

    def weaker(x: torch.Tensor) -> torch.Tensor:
        f = sae.features(x)[..., feature, None].clone()
        f[:, 0] = 0
        return x - step * f * sae.module.W_dec[feature]

    effect = measure_both(model, Exam(records), sae.site.hooks(model.sites, weaker))
    before, after = effect.logprobs(scope.covers)
    change = before - after
    assert change == pytest.approx(step * float(found[feature]), rel=0.1, abs=1e-4)


def test_feature_scores_are_what_they_say(any_model: LanguageModel, sae: Sae, records) -> None:
    table = score_features(any_model, sae, records).set_index("feature").sort_index()
    assert len(table) == sae.width
    read = read_site(any_model, sae.site, records)
    f = feature_activations(sae, read.values).numpy()
    sensitive = f[read.sensitive]
    assert (table["recall"].to_numpy() == (sensitive > 0).mean(0)).all()
    assert table["precision"].between(0, 1 + 1e-6).all()
    assert table["auroc"].between(0, 1).all()
    assert len(read.values) == sum(read.position > 0)


def test_folders_that_do_not_fit_are_named(
    model: LanguageModel, records: list[Record], tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=r"cfg\.json is missing"):
        load_sae(tmp_path, model)
    good = trained(model, records, tmp_path / "good", steps=2).path
    (good / OURS).write_text("{}")
    with pytest.raises(ModelError, match=r"sanilens\.json"):
        load_sae(good, model)
    (good / OURS).unlink()
    assert load_sae(good, model).id == "good"
    for text in ("", "{", "[]", '{"architecture": "nothing"}', "\x00"):
        (good / CONFIG).write_text(text)
        with pytest.raises(SaniLensError):
            load_sae(good, model)


@pytest.mark.parametrize("file", [CONFIG, OURS, WEIGHTS])
def test_a_pipe_in_its_folder_hangs_nobody(
    model: LanguageModel, records: list[Record], folder: Path, tmp_path: Path, file: str
) -> None:
    own = _a_copy(model, records, folder, tmp_path)
    (own / file).unlink()
    os.mkfifo(own / file)
    with pytest.raises(ModelError, match=f"{file} is a pipe, not a file"):
        load_sae(own, model)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("name", ["W_enc", "W_dec", "b_enc", "b_dec"])
def test_an_autoencoder_without_numbers_is_refused(
    model: LanguageModel, records: list[Record], folder: Path, tmp_path: Path, name: str,
    value: float,
) -> None:  # fmt: skip
    own = _a_copy(model, records, folder, tmp_path)
    tensors = load_file(own / WEIGHTS)
    tensors[name].view(-1)[-1] = value
    save_file(tensors, own / WEIGHTS)
    with pytest.raises(ModelError, match=f"{name} holds NaN or infinity"):
        load_sae(own, model)


@pytest.mark.parametrize(
    "fields",
    [{"d_sae": 10**9}, {"d_in": 10**9}, {"d_sae": None}, {"d_in": "32"}, {"d_sae": True},
     {"architecture": "evil"}, {"dtype": 7}, {"k": -1}, {"metadata": 3}],
)  # fmt: skip
def test_a_strange_configuration_is_one_message_or_the_same_autoencoder(
    model: LanguageModel, records: list[Record], folder: Path, tmp_path: Path, fields: Any
) -> None:
    own = _a_copy(model, records, folder, tmp_path)
    known = json.loads((own / CONFIG).read_text())
    (own / CONFIG).write_text(json.dumps({**known, **fields}))
    try:
        sae = load_sae(own, model)
    except ModelError:
        return
    whole = load_sae(folder / model.path.name, model)
    assert torch.equal(sae.module.W_dec, whole.module.W_dec)


def _a_copy(model: LanguageModel, records: list[Record], folder: Path, to: Path) -> Path:
    whole = folder / model.path.name
    if not whole.exists():
        trained(model, records, whole)
    return Path(shutil.copytree(whole, to / "sae"))


def test_other_names_of_the_same_site() -> None:
    for name, site in {
        "blocks.2.hook_resid_pre": "blocks.1.hook_resid_post",
        "blocks.2.hook_out": "blocks.2.hook_resid_post",
        "blocks.2.attn.hook_out": "blocks.2.hook_attn_out",
        "blocks.2.mlp.hook_out": "blocks.2.hook_mlp_out",
        "blocks.2.mlp.out.hook_in": "blocks.2.mlp.hook_post",
    }.items():
        assert str(site_of_hook(name)) == site
        assert site_of_hook(site) == parse_site(site)
    with pytest.raises(PlanError, match="is no site"):
        site_of_hook("blocks.0.hook_resid_pre")


def test_a_folder_that_is_not_there_is_named() -> None:
    for source in ("nowhere", "../x/y:z", "owner/repository", "owner/repository:../z"):
        with pytest.raises(ModelError, match="neither a folder"):
            find_folder(source)
