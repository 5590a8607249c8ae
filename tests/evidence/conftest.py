"""A finished run of a tiny case, for everyone and for one person, and a bundle of it."""

import shutil
from pathlib import Path

import pytest

from sanilens.bundled import Sources
from sanilens.evidence.bundle import write_bundle
from sanilens.evidence.evidence import Statement
from sanilens.evidence.signing import make_keys
from sanilens.runs.execute import execute
from sanilens.runs.folder import RunFolder
from sanilens.unlearn.plan import Repair, UnitEdit
from tests.ui.tiny_case import make_case, make_plan

STATED = Statement(
    made="2026-11-26",
    by="A. Person",
    role="Privacy engineer",
    organisation="A hospital",
    purpose="Writes notes",
    domain="medicine",
    licence="internal",
    receivers="Our own wards.",
)


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    """Models and notes of the case."""
    return make_case(tmp_path_factory.mktemp("case"))


@pytest.fixture(scope="session")
def finished(sources: Sources, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run for everyone, all of it in the weights."""
    plan = make_plan(sources).model_copy(
        update={
            "edits": (UnitEdit(unit="mlp.0.3", operation="reset"),),
            "repair": Repair(method="none"),  # a run as any other, in less time
            "controls": False,
        }
    )
    folder = tmp_path_factory.mktemp("finished") / "run"
    execute(plan, folder)
    return RunFolder(folder)


@pytest.fixture
def run(finished: RunFolder, tmp_path: Path) -> RunFolder:
    """A copy of it that a test may change."""
    return RunFolder(shutil.copytree(finished.root, tmp_path / "run"))


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Private and public."""
    return make_keys(tmp_path_factory.mktemp("keys") / "pair")


@pytest.fixture(scope="session")
def made(
    finished: RunFolder, keys: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The run's signed bundle."""
    out = tmp_path_factory.mktemp("bundle") / "bundle"
    write_bundle(finished, out, STATED, key=keys[0])
    return out


@pytest.fixture
def bundle(made: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return shutil.copytree(made, tmp_path / "bundle")
