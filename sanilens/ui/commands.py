"""What the pages do, as commands for a terminal."""

import shlex
from pathlib import Path

from sanilens.bundled import Sources
from sanilens.unlearn.plan import AuditSettings

NEW_LINE = " \\\n  "


def audit_command(ref: Sources, settings: AuditSettings, tries: int, probability: float) -> str:
    """`sanilens audit` of the open case."""
    options = [
        *_case(ref),
        _option("control", ref.control),
        _option("unseen", ref.unseen),
        _option("prefix", settings.prefix_tokens),
        _option("temperature", settings.temperature),
        _option("top-k", settings.top_k or 0),
        _option("tries", tries),
        _option("probability", probability),
    ]
    return _command("audit", options)


def locate_command(
    ref: Sources, scope: tuple[str, str] | None, top: int, method: str, *, heads: bool = False
) -> str:
    """`sanilens locate` in a scope: (`span`, `label` or `subject`, its value), None for all."""
    chosen = [_option("method", method), _option(*scope) if scope else ""]
    kind = "--heads" if heads else ""
    return _command("locate", [*_case(ref), *chosen, kind, _option("top", top)])


def locate_arguments(
    ref: Sources, scope: tuple[str, str] | None, top: int, method: str, *, heads: bool = False
) -> list[str]:
    """The same as arguments after `sanilens`, for a process of its own."""
    command = locate_command(ref, scope, top, method, heads=heads)
    return shlex.split(command.replace(NEW_LINE, " "))[1:]


def features_command(ref: Sources, sae: str, scope: tuple[str, str] | None, top: int) -> str:
    """`sanilens sae features` of an autoencoder (its source) in a scope, as `locate_command`."""
    chosen = [_option(*scope) if scope else "", _option("top", top)]
    return _command("sae features", [shlex.quote(sae), *_case(ref), *chosen])


def card_command(ref: Sources, unit: str) -> str:
    """`sanilens card` of a unit."""
    return _command("card", [*_case(ref), unit])


def training_arguments(ref: Sources) -> list[str]:
    """The options that say which texts to train on and which to test on."""
    options = ["--model", ref.model, "--corpus", ref.corpus]
    if ref.control:
        options += ["--corpus", ref.control]
    if ref.unseen:
        options += ["--held-out", ref.unseen]
    return options


def run_command(plan_file: Path, folder: Path) -> str:
    """`sanilens run` of a plan: the same command starts and resumes it."""
    return _command("run", [shlex.quote(str(plan_file)), _option("out", folder)])


def compare_command(folder: Path) -> str:
    """`sanilens compare` of a run."""
    return _command("compare", [shlex.quote(str(folder))])


def report_commands(folder: Path) -> list[str]:
    """The page, the signed bundle and its check, and the model in four bits, of a run."""
    run = shlex.quote(str(folder))
    return [
        _command("report", [run, "--out report.html"]),
        _command("report", [run, "--out bundle", "--key keys/sanilens-signing.key"]),
        _command("verify", ["bundle", "--key keys/sanilens-signing.pub", "--replay"]),
        _command("export", [run, "--out model-4bit", "--bits 4"]),
    ]


def attack_command(folder: Path) -> str:
    """`sanilens attack` of a run: all attacks; what was found before stays."""
    return _command("attack", [shlex.quote(str(folder))])


def _case(ref: Sources) -> list[str]:
    return [_option("model", ref.model), _option("corpus", ref.corpus)]


def _option(name: str, value: str | float | Path | None) -> str:
    return "" if value is None else f"--{name} {shlex.quote(str(value))}"


def _command(name: str, options: list[str]) -> str:
    return NEW_LINE.join([f"sanilens {name}", *(o for o in options if o)])
