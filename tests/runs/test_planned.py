"""What a plan names: the very model that it was made for; nothing is fetched because it says so."""

import json
import shutil
from pathlib import Path

import pytest

from sanilens.case import open_dictionary, open_model, open_planned, open_sae
from sanilens.errors import ModelError, PlanError
from sanilens.model.folder import earlier_fingerprint
from sanilens.model.language_model import LanguageModel
from sanilens.unlearn.plan import Plan, Source


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each request to the hub's client whether it may use the network."""
    found: list[bool] = []

    def snapshot_download(_repository: str, *, local_files_only: bool, **_: object) -> str:
        found.append(not local_files_only)
        raise OSError("no network here")

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    return found


def with_model(plan: Plan, role: str, source: str, sha256: str = "0" * 64) -> Plan:
    return plan.model_copy(update={role: Source(source=source, sha256=sha256)})


@pytest.mark.parametrize("role", ["model", "base", "reference"])
@pytest.mark.parametrize("source", ["hub:owner/name", "owner/name"])
def test_a_plan_fetches_nothing(role: str, source: str, tiny_plan: Plan, asked: list[bool]) -> None:
    with pytest.raises(ModelError, match=r"nothing is fetched|write hub:"):
        open_planned(with_model(tiny_plan, role, source))
    assert not any(asked)


@pytest.mark.parametrize("source", ["hub:owner/name:blocks.0", "owner/name:blocks.0", "owner/name"])
def test_a_plans_autoencoder_is_not_fetched(
    source: str, tiny_plan: Plan, asked: list[bool]
) -> None:
    saes = {"x": Source(source=source, sha256="0" * 64)}
    with pytest.raises(ModelError, match=r"nothing is fetched|write hub:"):
        open_planned(tiny_plan.model_copy(update={"saes": saes}))
    assert not any(asked)


def test_what_was_typed_is_fetched(model: LanguageModel, asked: list[bool]) -> None:
    for attempt in (
        lambda: open_model("hub:owner/name"),
        lambda: open_sae("hub:owner/name:blocks.0", model),
        lambda: open_dictionary("hub:owner/name:blocks.0", model, fetch=True),
    ):
        with pytest.raises(ModelError, match="the hub did not give owner/name"):
            attempt()
    assert asked == [True] * 3


def test_a_changed_tokenizer_is_another_model(tiny_plan: Plan, tmp_path: Path) -> None:
    """An added token changes what is read, and no weight."""
    folder = shutil.copytree(tiny_plan.model.source, tmp_path / "model")
    moved = with_model(tiny_plan, "model", str(folder), tiny_plan.model.sha256)
    open_planned(moved)
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"clean_up": True}))
    with pytest.raises(PlanError, match="model: model is not what the plan was made for: the mod"):
        open_planned(moved)


def test_an_earlier_versions_plan_says_what_to_do(tiny_plan: Plan) -> None:
    source = tiny_plan.model.source
    plan = with_model(tiny_plan, "model", source, earlier_fingerprint(Path(source)))
    with pytest.raises(PlanError, match=r"earlier version of SaniLens.*Make a new plan"):
        open_planned(plan)
