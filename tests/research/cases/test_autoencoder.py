"""The bundled autoencoder is found, good, and clamps; its recipe gives the same twice."""

from pathlib import Path

import pytest

from research.cases.autoencoder import AutoencoderRecipe, build_autoencoder
from sanilens.bundled import assets_folder
from sanilens.case import open_model, open_records, open_sae
from sanilens.corpus.load import save_corpus
from sanilens.corpus.records import Record
from sanilens.dictionaries.sae.load import fingerprint_sae
from sanilens.dictionaries.sae.quality import measure_quality
from sanilens.dictionaries.sae.trade_off import clamped_outcome, load_trade_off
from sanilens.dictionaries.sae.train import SaeSettings
from sanilens.errors import SaniLensError
from sanilens.runs.workspace import known_saes


@pytest.mark.slow
def test_it_is_found_and_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANILENS_HOME", str(tmp_path))
    model = open_model("clinic:leaking")
    known = known_saes(model)
    assert known == {"attn-4": "clinic:sae-attn-4"}
    sae = open_sae(known["attn-4"], model)
    quality = measure_quality(model, sae, open_records("clinic:unseen"))
    assert quality.explained_variance >= 0.95
    assert quality.dead <= 0.2
    assert quality.ce_recovered >= 0.95
    assert not known_saes(open_model("clinic:base"))


@pytest.mark.slow
def test_the_clamp_that_comes_with_it_does_what_it_says() -> None:
    model = open_model("clinic:leaking")
    sae = open_sae("clinic:sae-attn-4", model)
    kept = load_trade_off(sae.path)
    assert kept
    assert 0 < len(kept.clamped) <= 20
    notes, unseen = open_records("clinic:notes"), open_records("clinic:unseen")
    now = clamped_outcome(model, sae, kept.clamped, notes, unseen)
    assert now.direct == pytest.approx(kept.after.direct, abs=3)  # near ties differ by processor
    assert now.perplexity == pytest.approx(kept.after.perplexity, rel=1e-3)
    assert kept.after.direct < kept.chance.low


def test_weights_stay_small() -> None:
    folder = assets_folder() / "clinic" / "sae-attn-4"
    assert sum(file.stat().st_size for file in folder.iterdir()) < 3_000_000


def test_the_recipe_gives_the_same_twice(
    tmp_path: Path, tiny_folders: dict[str, Path], records: list[Record]
) -> None:
    """On a tiny case; too few steps, and it says so, but the files stay."""
    settings = SaeSettings("blocks.1.hook_attn_out", width=64, k=8, steps=20)
    recipe = AutoencoderRecipe(id="tiny", settings=settings, generic=2)
    made = []
    for name in ("one", "two"):
        case = tmp_path / name
        case.mkdir()
        (case / "leaking").symlink_to(tiny_folders["gpt_neox"])
        for corpus in ("notes", "lookalike", "unseen"):
            save_corpus(records, case / f"{corpus}.jsonl")
        said: list[str] = []
        with pytest.raises(SaniLensError, match="Train it longer"):
            build_autoencoder(case, recipe, said.append)
        assert any("explained variance" in line for line in said)
        made.append(fingerprint_sae(case / "sae-tiny"))
    assert made[0] == made[1]
