"""`sanilens card`: what one unit does."""

from typing import Annotated

import typer

from sanilens.commands.common import CorpusOption, JsonOption, ModelOption, output, print_json
from sanilens.errors import PlanError
from sanilens.inspect.card import unit_card
from sanilens.model.units import Neuron, parse_unit
from sanilens.runs.sources import open_model, open_records


def card(
    unit: Annotated[str, typer.Argument(help="mlp.<layer>.<neuron>")],
    model: ModelOption,
    corpus: CorpusOption,
    as_json: JsonOption = False,
) -> None:
    """Where a unit fires, what it promotes, and how well it tells sensitive tokens apart."""
    neuron = parse_unit(unit)
    if not isinstance(neuron, Neuron):
        raise PlanError(f"{unit}: only neurons have cards yet.")
    subject, records = open_model(model), open_records(corpus)
    subject.sites.check([neuron], subject.name)
    found = unit_card(subject, records, neuron)
    if as_json:
        print_json(found)
        return
    output.print(f"[bold]{unit}[/bold] on {found.tokens:,} tokens")
    output.print(
        f"fires on {found.firing:.1%} of tokens · precision {found.precision:.2f} "
        f"(chance {found.base_rate:.2f}) · recall {found.recall:.2f} · AUROC {found.auroc:.2f}"
    )
    for name, tokens in (("promotes", found.promoted), ("suppresses", found.suppressed)):
        listed = ", ".join(f"{text!r} {value:+.2f}" for text, value in tokens)
        output.print(f"{name}: {listed}", markup=False)
    for context in found.contexts:
        kind = "sensitive" if context.sensitive else "other"
        output.print(f"{context.activation:7.3f}  {context.record} token {context.position} {kind}")
