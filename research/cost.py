"""What curvature and one rewriting step cost, against width and depth, and what that foretells.

Models of random weights, made in code: cost does not hang on what they know. Of L layers of width d
with a gated MLP of width m, whose maps are i -> o:

    maps       4 (d -> d), 2 (d -> m), 1 (m -> d)   a layer
    N          sum i o, and V d of the vocabulary
    curvature  6 N + 2 sum (i^2 + o^2)              operations a token: both passes, both factors
    solve      sum (i^3 + o^3) / 3 + 2 (i^2 o + o^2 i)   operations a step: roots, and four solves
    factors    4 sum (i^2 + o^2) bytes; while solving twice as much again, in double precision

Rates (operations a CPU second of one thread) are those of the largest model measured; what they
give of the smaller ones stands beside what was measured there.
"""

import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

from sanilens.bundled import resolve
from sanilens.case import open_records
from sanilens.corpus.records import in_scope
from sanilens.model.curvature import sum_curvature
from sanilens.model.keep_set import Harm, keep_set
from sanilens.model.language_model import LanguageModel, load_model
from sanilens.model.lessons import forget_gradients, lessons
from sanilens.model.linear_maps import linear_paths
from sanilens.model.teachers import teach

_DAMPING, _RECORDS = 1e-7, 8
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Shape:
    """A decoder's size: layers, width, width of the MLP, heads, vocabulary."""

    name: str
    layers: int
    width: int
    mlp: int
    heads: int
    vocabulary: int

    def maps(self) -> Iterator[tuple[int, int]]:
        """Inputs and outputs of every linear map."""
        d, m = self.width, self.mlp
        for _ in range(self.layers):
            yield from [(d, d)] * 4 + [(d, m)] * 2 + [(m, d)]

    @property
    def parameters(self) -> int:
        """N; input and output share the vocabulary's."""
        return sum(i * o for i, o in self.maps()) + self.vocabulary * self.width

    @property
    def factor_bytes(self) -> int:
        """Of the curvature, in memory and on disk."""
        return 4 * sum(i**2 + o**2 for i, o in self.maps())

    @property
    def curvature_operations(self) -> float:
        """A token of what must stay."""
        return 6 * self.parameters + 2 * sum(i**2 + o**2 for i, o in self.maps())

    @property
    def solve_operations(self) -> float:
        """A step."""
        return sum((i**3 + o**3) / 3 + 2 * (i**2 * o + o**2 * i) for i, o in self.maps())


MEASURED = (
    Shape("3 M", 6, 192, 512, 6, 2048),
    Shape("30 M", 10, 448, 1280, 7, 12288),
    Shape("124 M", 12, 768, 2048, 12, 50257),
)
FORETOLD = (
    Shape("1 B", 16, 2048, 8192, 32, 128256),
    Shape("7 B", 32, 4096, 11008, 32, 32000),
)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CostRow(_Frozen):
    """One model: CPU seconds of one thread, bytes.

    curvature, gradients, solve, harm: seconds of the pass over what must stay; of a step its
    gradients, its solving (the first one of a model: later ones have the roots) and what it costs
    to measure its harm. peak: the most that the process held, the model and libraries included.
    foretold: seconds of curvature and solving by the rates of the largest model.
    """

    name: str
    parameters: int
    tokens: int
    curvature: float | None
    gradients: float | None
    solve: float | None
    harm: float | None
    factors: int
    peak: int | None
    foretold_curvature: float
    foretold_solve: float


class CostResult(_Frozen):
    """Measured models, and others by the formulas."""

    records: int
    curvature_rate: float
    solve_rate: float
    rows: tuple[CostRow, ...]


def bench_cost(shapes: Sequence[Shape], further: Sequence[Shape], say: Say) -> CostResult:
    """Measure each shape in a process of its own, so that its peak of memory is its own."""
    found: list[dict[str, Any]] = []
    for shape in shapes:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            found.append(pool.apply(measure, (shape,)))
        say(f"{shape.name}: {found[-1]}")
    largest, own = shapes[-1], found[-1]
    tokens = own["tokens"]
    curvature_rate = largest.curvature_operations * tokens / own["curvature"]
    solve_rate = largest.solve_operations / own["solve"]
    nothing: dict[str, Any] = dict.fromkeys(("curvature", "gradients", "solve", "harm", "peak"))
    nothing["tokens"] = tokens
    rows = [
        CostRow(
            name=shape.name,
            parameters=shape.parameters,
            factors=shape.factor_bytes,
            foretold_curvature=shape.curvature_operations * costs["tokens"] / curvature_rate,
            foretold_solve=shape.solve_operations / solve_rate,
            **costs,
        )
        for shape, costs in [
            *zip(shapes, found, strict=True),
            *((shape, nothing) for shape in further),
        ]
    ]
    return CostResult(
        records=_RECORDS, curvature_rate=curvature_rate, solve_rate=solve_rate, rows=tuple(rows)
    )


def measure(shape: Shape) -> dict[str, Any]:
    """Curvature and the parts of one step, on a model of random weights."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        model = _random_model(shape, Path(folder))
        records = open_records("ward:notes")[:_RECORDS]
        asked = in_scope(records, (records[0].subject,))
        marked = [record for record in asked if record.spans]
        taught = [own for own in lessons(model, marked, teach("stranger", model, marked))
                  if own.columns]  # fmt: skip
        kept = keep_set(model, asked)
        costs: dict[str, Any] = {"tokens": sum(len(each.ids) for each in kept.told)}
        with _timed(costs, "curvature"):
            known = sum_curvature(model, kept.told).curvature()
        with _timed(costs, "gradients"):
            gradients, _ = forget_gradients(model, taught, linear_paths(model))
        with _timed(costs, "solve"):
            for path, own in known.items():
                own.solve(gradients[path], _DAMPING)
        harm = Harm(model, kept.held)
        with _timed(costs, "harm"):
            harm.of(model)
        costs["peak"] = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return costs


class _timed:
    """CPU seconds of what is done meanwhile."""

    def __init__(self, into: dict[str, Any], name: str) -> None:
        self._into, self._name = into, name

    def __enter__(self) -> None:
        self._start = time.process_time()

    def __exit__(self, *_: object) -> None:
        self._into[self._name] = round(time.process_time() - self._start, 3)


def _random_model(shape: Shape, folder: Path) -> LanguageModel:
    torch.manual_seed(0)
    config = AutoConfig.for_model(
        "llama", vocab_size=shape.vocabulary, hidden_size=shape.width,
        intermediate_size=shape.mlp, num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads, max_position_embeddings=512, tie_word_embeddings=True,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    PreTrainedTokenizerFast.from_pretrained(resolve("ward:leaking")).save_pretrained(folder)
    return load_model(folder, device="cpu")
