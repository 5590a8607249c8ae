"""The command line: one JSON object on standard output, one sentence on standard error."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from research.cases.clinic import patient_notes
from sanilens.cli.compare import EXIT_CODES
from sanilens.cli.lazy import LazyCommand
from sanilens.cli.main import COMMANDS, cli, main
from sanilens.corpus.load import save_corpus
from sanilens.errors import PlanError
from sanilens.model.language_model import LanguageModel
from sanilens.runs.judgement import STATES
from sanilens.unlearn.choose import random_share
from sanilens.unlearn.edits import edited_units
from sanilens.unlearn.methods import METHODS
from sanilens.unlearn.plan import Plan, Repair
from tests.runs.conftest import short

Words = str | float | Path


@dataclass(frozen=True)
class Done:
    """What a command left behind, as of a process."""

    returncode: int | str | None
    stdout: str
    stderr: str


@pytest.fixture
def sanilens(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Done]:
    """`sanilens …` by its entry point, in this process."""

    def call(*arguments: Words) -> Done:
        monkeypatch.setattr(sys, "argv", ["sanilens", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        streams = capfd.readouterr()
        return Done(ended.value.code, streams.out, streams.err)

    return call


def in_a_process(*arguments: Words) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sanilens", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "notes.jsonl"
    save_corpus(short(patient_notes(1, 4)), path)
    return path


@pytest.mark.slow
def test_the_way_in_the_terminal(
    sanilens: Callable[..., Done], tiny_folders: dict[str, Path], corpus: Path, tmp_path: Path
) -> None:
    """audit, locate, card, plan, run, compare on one's own model and notes."""
    case = ("--model", tiny_folders["llama"], "--corpus", corpus)
    audit = json.loads(
        sanilens("audit", *case, "--json", "--out", tmp_path / "audit", "--exposure", 8).stdout
    )
    assert audit["extraction"]["direct"]["n"] > 0
    assert all(0 <= e["median_bits"] <= 3.2 for e in audit["exposure"].values())
    assert (tmp_path / "audit" / "verdicts.csv").exists()
    located = json.loads(sanilens("locate", *case, "--top", 3, "--ablate", "--json").stdout)
    assert [u["unit"].split(".")[0] for u in located["units"]] == ["mlp"] * 3
    unit = located["units"][0]["unit"]
    assert json.loads(sanilens("card", unit, *case, "--json").stdout)["tokens"] > 0
    plan = tmp_path / "plan.json"
    made = sanilens("plan", *case, "--unit", unit, "--operation", "cap", "--batch-size", 4)
    plan.write_text(made.stdout)
    assert Plan.model_validate_json(made.stdout).edits[0].unit == unit
    ran = in_a_process("run", plan, "--out", tmp_path / "run", "--json")
    assert ran.returncode == 0, ran.stderr
    assert {"before", "after", "repair_only"} <= json.loads(ran.stdout)["arms"].keys()
    again = " ".join(sanilens("run", plan, "--out", tmp_path / "run").stdout.split())
    compared = sanilens("compare", tmp_path / "run", "--json", "--exit-code")
    found = json.loads(compared.stdout)[str(tmp_path / "run")]
    assert found["arms"]["after"]["extraction"]
    assert "no reference" in found["verdict"]
    assert found["verdict"].startswith(STATES[found["state"]])
    assert found["judged"]["margin"] == 0.02
    assert compared.returncode == EXIT_CODES[found["state"]]
    said = " ".join(sanilens("compare", tmp_path / "run").stdout.split())
    assert found["verdict"] in said
    assert found["verdict"] in again


def test_an_autoencoder_in_the_terminal(
    sanilens: Callable[..., Done], tiny_folders: dict[str, Path], corpus: Path, tmp_path: Path
) -> None:
    """Trained, judged, its features listed, one of them in a plan."""
    case = ("--model", tiny_folders["gpt_neox"], "--corpus", corpus)
    out = tmp_path / "Mine 1"
    how = ("--site", "blocks.1.hook_resid_post", "--width", 2, "--k", 4, "--steps", 30)
    trained = json.loads(sanilens("sae", "train", *case, *how, "--out", out, "--json").stdout)
    assert (trained["id"], trained["features"], trained["l0"]) == ("mine-1", 64, 4.0)
    judged = sanilens("sae", "quality", out, *case)
    assert "explained variance" in judged.stdout
    assert "warning: it explains" in judged.stderr
    listed = sanilens("sae", "features", out, *case, "--sort", "auroc", "--top", 3, "--json")
    features = json.loads(listed.stdout)["features"]
    assert features[0]["auroc"] >= features[2]["auroc"] > 0
    unit = features[0]["unit"]
    made = sanilens("plan", *case, "--unit", unit, "--sae", out, "--operation", "bake")
    plan = Plan.model_validate_json(made.stdout)
    assert plan.edits[0].unit == unit
    assert plan.saes["mine-1"].source == str(out.resolve())
    alone = sanilens("plan", *case, "--unit", unit, "--operation", "zero")
    assert alone.returncode == 1
    assert "this autoencoder is not open" in alone.stderr


@pytest.fixture
def made(tiny_folders: dict[str, Path], corpus: Path) -> Callable[..., Plan]:
    """A plan of `sanilens plan`, in this process; a user's error is raised."""

    def make(*arguments: str | float | Path) -> Plan:
        case = ("--model", tiny_folders["gpt_neox"], "--corpus", corpus)
        words = ["plan", *map(str, (*case, *arguments))]
        done = CliRunner().invoke(cli, words, catch_exceptions=False)
        assert done.exit_code == 0, done.stderr
        return Plan.model_validate_json(done.stdout)

    return make


def test_a_part_of_the_fine_tuning_is_kept(
    made: Callable[..., Plan], tiny_folders: dict[str, Path]
) -> None:
    unit = ("--unit", "mlp.0.1", "--repair", "none")
    assert made(*unit).keep == 1
    assert made(*unit, "--base", tiny_folders["gpt_neox"], "--keep", 0.2).keep == 0.2
    with pytest.raises(PlanError, match="needs a base model"):
        made(*unit, "--keep", 0.2)


@pytest.mark.slow
def test_every_method_is_a_repair_of_a_plan(
    made: Callable[..., Plan], tiny_folders: dict[str, Path]
) -> None:
    unit = ("--unit", "mlp.0.1", "--base", tiny_folders["gpt_neox"])
    for name, method in METHODS.items():
        repair = made(*unit, "--repair", name).repair
        assert repair == Repair(method=name, precision=repair.precision)
        assert (repair.learning_rate, repair.epochs) == (method.learning_rate, method.epochs)
        assert repair.options == method.options().model_dump()
    assert not made(*unit, "--repair", "none").repair.trains


def test_settings_of_a_repair(made: Callable[..., Plan]) -> None:
    unit = ("--unit", "mlp.0.1", "--epochs", 3, "--learning-rate", 0.01)
    options = ("--option", "beta=0.5", "--option", "retain_loss=kl")
    lora = ("--train", "lora", "--lora-rank", 3)
    repair = made(*unit, "--repair", "npo", *options, *lora).repair
    assert repair == Repair(
        method="npo",
        precision=repair.precision,
        epochs=3,
        learning_rate=0.01,
        train="lora",
        lora_rank=3,
        options={"beta": 0.5, "retain_loss": "kl"},
    )
    anew = made(*unit, "--repair", "masked", "--every-epoch", "--train", "edited_layers").repair
    assert (anew.reset_schedule, anew.train) == ("every_epoch", "edited_layers")


def test_a_random_share_of_the_last_layers(made: Callable[..., Plan], model: LanguageModel) -> None:
    plan = made("--random-share", 0.5, "--seed", 4)
    assert [edit.parsed for edit in plan.edits] == [*random_share(model.sites, "mlp", seed=4)]
    assert {edit.operation for edit in plan.edits} == {"zero"}
    heads = made("--random-share", 1, "--layers", 2, "--heads", "--operation", "reset")
    assert {edit.operation for edit in heads.edits} == {"reset"}
    assert len(heads.edits) == 2 * model.sites.n_heads
    everywhere = made("--random-share", 0.1, "--layers", "all")
    assert {unit.layer for unit in edited_units(everywhere.edits)} == {*range(3)}


@pytest.mark.parametrize(
    ("arguments", "edits"),
    [
        (("--no-edits",), False),
        (("--repair", "grun"), False),
        (("--repair", "eul"), False),
        (("--repair", "grun", "--unit", "mlp.0.1"), True),
        (("--repair", "masked", "--top", "2"), True),
    ],
)
def test_a_plan_without_edits(
    made: Callable[..., Plan], arguments: tuple[str, ...], edits: bool
) -> None:
    """Where it is asked for, and where the repair leaves all weights as they are."""
    plan = made(*arguments)
    assert bool(plan.edits) == edits
    assert plan.repair.trains


def test_a_base_that_knows_far_less_is_warned_of(
    tiny_folders: dict[str, Path], corpus: Path
) -> None:
    plan = ("plan", "--no-edits", "--repair", "anchored", "--corpus", corpus)

    def warned(model: str, base: Path | str) -> str:
        words = map(str, (*plan, "--model", model, "--base", base))
        return CliRunner().invoke(cli, list(words), catch_exceptions=False).stderr

    assert "Warning: the base model" in warned("clinic:leaking", tiny_folders["gpt_neox"])
    assert "Warning" not in warned("clinic:leaking", "clinic:base")


@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_an_audit_of_nothing_is_an_error(
    sanilens: Callable[..., Done],
    tiny_folders: dict[str, Path],
    tmp_path: Path,
    as_json: tuple[str, ...],
) -> None:
    """No span, or none that only memory could say."""
    model = ("audit", "--model", tiny_folders["llama"], "--corpus")
    for text, spans, why in (
        ("Nothing to see here.", [], "no span"),
        ("MRN 4471203: 4471203", [(13, 20)], "1 are repeated"),
    ):
        file = tmp_path / "notes.jsonl"
        marked = [{"start": a, "end": b, "label": "MRN"} for a, b in spans]
        fields = {"id": "r", "subject": "s", "text": text, "spans": marked}
        file.write_text(json.dumps(fields) + "\n")
        done = sanilens(*model, file, *as_json)
        said = "" if as_json else "Nothing was audited.\n"  # JSON is whole or absent
        assert (done.returncode, done.stdout) == (1, said)
        assert "nothing was audited" in done.stderr
        assert why in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--repair", "nonsense"), "there is no repair .nonsense.; there is none, stranger"),
        (("--repair", "npo", "--option", "alpha=1"), "npo has .*beta"),
        (("--repair", "npo", "--option", "beta=-1"), "beta: Input should be greater than 0"),
        (("--repair", "npo", "--option", "beta"), "name=value"),
        (("--epochs", "0"), "epochs: "),
        (("--train", "lora", "--freeze-erased"), "can neither be frozen"),
        (("--unit", "mlp.0.1", "--repair", "anchored"), "needs a base model"),
        (("--random-share", "2"), "a share of 2 "),
        (("--random-share", "0.5", "--layers", "first"), "it is last, all, or a number"),
        (("--random-share", "0.5", "--layers", "9"), "the model has 3"),
        (("--random-share", "0.5", "--top", "3"), "give one of"),
        (("--layers", "2"), "give a share too"),
        (("--no-edits", "--top", "3"), "give one of"),
        (("--no-edits", "--repair", "none"), "changes nothing"),
        (("--no-edits", "--operation", "zero"), "none is edited here"),
        (("--unit", "head.0.1", "--operation", "clamp", "--value", "1"), "head.0.1 cannot be"),
    ],
)
def test_a_plan_that_cannot_be(
    made: Callable[..., Plan], arguments: tuple[str, ...], message: str
) -> None:
    with pytest.raises(PlanError, match=message):
        made(*arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("audit", "--model", "no/such/model/at/all", "--corpus", "x.jsonl"), "neither a folder"),
        (("audit", "--model", "clinic:nothing", "--corpus", "x.jsonl"), "has no 'nothing'"),
        (("run", "none.json", "--out", "out"), "none.json is missing"),
        (("compare", "nowhere"), "is not a run folder"),
        (
            ("card", "mlp.0", "--model", "clinic:leaking", "--corpus", "clinic:notes"),
            "not a unit",
        ),
    ],
)
def test_a_users_error_is_one_sentence(
    sanilens: Callable[..., Done], arguments: tuple[str, ...], message: str
) -> None:
    done = sanilens(*arguments)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_what_was_read_otherwise_is_said(sanilens: Callable[..., Done], tmp_path: Path) -> None:
    """On standard error, in `--json` as `notices`, and in a plan's way not on standard output."""
    notes = tmp_path / "notes.csv"
    notes.write_text('TEXT,patient_id,label\nSeen Ana.,7,"[[4, 8, ""PERSON""]]"\n')
    done = sanilens("indirect", notes, "--json")
    assert done.returncode == 0
    notices = json.loads(done.stdout)["notices"]
    assert len(notices) == 5
    assert all(f"sanilens: {notice}\n" in done.stderr for notice in notices)
    assert "notes.csv: `subject` is read from column patient_id (first: line 2)." in notices
    assert "Ana" not in str(notices)
    assert "notices" not in json.loads(sanilens("indirect", "clinic:notes", "--json").stdout)


@pytest.mark.slow
def test_a_process_ends_with_its_code() -> None:
    """0 done, 1 a user's error, 2 wrong usage."""
    assert in_a_process("--version").returncode == 0
    failed = in_a_process("compare", "nowhere")
    assert failed.returncode == 1
    assert failed.stderr.startswith("sanilens: nowhere ")
    assert in_a_process("nonsense").returncode == 2


def test_wrong_usage_exits_with_2(sanilens: Callable[..., Done]) -> None:
    assert sanilens("audit").returncode == 2


def test_nothing_heavy_is_imported_before_a_command_is_called() -> None:
    code = "import sys; from sanilens.cli.main import main; sys.argv[1:] = ['--help']\n"
    code += "try: main()\nfinally: print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    loaded = done.stdout.splitlines()[-1].split()
    assert "typer" in loaded
    assert not {"torch", "transformers", "pandas", "streamlit"} & {*loaded}


@pytest.mark.parametrize("name", COMMANDS)
def test_help_in_the_list_is_the_commands_own(name: str) -> None:
    lazy = LazyCommand(name, f"sanilens.cli.{COMMANDS[name]}")
    assert lazy.help
    assert lazy.help == lazy.loaded().help


def test_no_wandb_and_no_telemetry_from_the_start() -> None:
    code = "import sanilens.cli.main, os; print(os.environ['WANDB_MODE'])"
    env = {k: v for k, v in os.environ.items() if k != "WANDB_MODE"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert done.stdout.strip() == "disabled"
