"""`sanilens bench durability`: kill runs, flip bytes, and see what becomes of them."""

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from research.durability import Durability, Flips, bench_durability
from sanilens.cli.common import JsonOption, SeedOption, output, print_json, say


def durability(
    kills: Annotated[int, typer.Option(min=1, help="Runs to kill, each once.")] = 50,
    flips: Annotated[int, typer.Option(min=1, help="Bytes to change, one at a time.")] = 200,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Kill runs at random and resume them, flip bytes in their folders: all the same, or named?"""
    with tempfile.TemporaryDirectory() as folder:
        found = bench_durability(
            _in_the_terminal, Path(folder), kills=kills, flips=flips, seed=seed, say=say
        )
    if as_json:
        print_json(asdict(found))
        return
    output.print(_words(found), highlight=False)


def _in_the_terminal(words: Sequence[str]) -> None:
    from sanilens.cli.main import main

    sys.argv = ["sanilens", *words]
    main()


def _words(found: Durability) -> str:
    stages = ", ".join(f"{n} {stage}" for stage, n in found.at.items())
    return "\n".join(
        (
            f"killed and resumed bit-identical: {found.identical} of {found.kills} ({stages})",
            f"flipped in a finished run: {_named(found.flips)}",
            f"flipped in a stopped run's checkpoints: {_named(found.stopped_flips)}",
            f"plans edited between stop and resume, named: {found.refused} of {found.plans_edited}",
            f"tracebacks: {found.tracebacks}",
            f"{found.seconds:.0f} s; one run takes {found.run_seconds:.1f} s",
        )
    )


def _named(flips: Flips) -> str:
    return f"of {flips.n}, compare names {flips.compare}, resume {flips.resume}"
