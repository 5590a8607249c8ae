"""Curvature of what must stay: how far the model's answers move when a linear map is changed.

    KL(p_theta || p_theta+D) at K  ~  1/2 sum_maps tr( G D A D^T )   nats a token
    A = E[a a^T],   G = E[g g^T]

a is what enters a map (with a 1 for its bias), g the gradient of log p(y) at what leaves it, y
drawn from the model itself (K-FAC: Martens and Grosse, arXiv 1503.05671); K are the places that
must stay, each by its weight. Of the Fisher matrix that leaves out what two maps, or two tokens,
have in common.
"""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from jaxtyping import Float, Int
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from sanilens.atomic import write_file
from sanilens.errors import ModelError
from sanilens.kept import make_room, used
from sanilens.model.forward import logits_at
from sanilens.model.hooks import Hooks
from sanilens.model.keep_set import Kept, KeptBatch, kept_batches
from sanilens.model.language_model import LanguageModel
from sanilens.model.linear_maps import Flow, Matrix, flows, linear_paths, shape_of
from sanilens.progress import Progress, unheard

# Raised when what is measured changes: what was kept before is then measured anew.
_VERSION = 1
_SIDES = ("inputs", "outputs")
# What is kept in a folder, all models together; the newest stays however large it is.
MOST_BYTES = 4 * 2**30
# So often, in seconds, what was measured is written down.
_SAVE_EVERY = 30.0


@dataclass
class Factors:
    """The curvature of one linear map: A of its inputs, G of its outputs."""

    inputs: Float[Tensor, "inputs inputs"]
    outputs: Float[Tensor, "outputs outputs"]
    _roots: dict[str, tuple[float, Tensor]] = field(default_factory=dict, repr=False)

    def dampings(self, damping: float) -> tuple[float, float]:
        """What is added to the diagonals of A and G: sqrt(lam) pi and sqrt(lam) / pi.

        pi^2 = mean eig(A) / mean eig(G) shares the damping out between the two.
        """
        mean_in = float(self.inputs.diagonal().mean())
        mean_out = float(self.outputs.diagonal().mean())
        pi = (mean_in / mean_out) ** 0.5 if mean_in > 0 and mean_out > 0 else 1.0
        return damping**0.5 * pi, damping**0.5 / pi

    def solve(self, gradient: Matrix, damping: float) -> Matrix:
        """(G + sqrt(lam)/pi I)^-1 gradient (A + sqrt(lam) pi I)^-1."""
        return self.solve_outputs(self.solve_inputs(gradient, damping), damping)

    def solve_inputs(self, gradient: Float[Tensor, "k inputs"], damping: float) -> Tensor:
        """gradient (A + sqrt(lam) pi I)^-1."""
        root = self._root("inputs", self.inputs, self.dampings(damping)[0])
        return torch.cholesky_solve(gradient.T.double(), root).T.float()

    def solve_outputs(self, gradient: Float[Tensor, "outputs k"], damping: float) -> Tensor:
        """(G + sqrt(lam)/pi I)^-1 gradient."""
        root = self._root("outputs", self.outputs, self.dampings(damping)[1])
        return torch.cholesky_solve(gradient.double(), root).float()

    def _root(self, side: str, factor: Tensor, damping: float) -> Tensor:
        # Of the last damping alone: a root takes twice its factor's memory.
        known = self._roots.get(side)
        if known is None or known[0] != damping:
            known = self._roots[side] = damping, _root_of(factor, damping)
        return known[1]

    def solve_rows(self, gradient: Matrix, damping: float, rows: Int[Tensor, " k"]) -> Matrix:
        """The same as `solve` among changes of some rows alone; (k, inputs)."""
        right = self.solve_inputs(gradient[rows], damping)
        root = _root_of(self.outputs[rows][:, rows], self.dampings(damping)[1])
        return torch.cholesky_solve(right.double(), root).float()

    def solve_columns(self, gradient: Matrix, damping: float, columns: Int[Tensor, " k"]) -> Matrix:
        """The same among changes of some columns alone; (outputs, k)."""
        left = self.solve_outputs(gradient[:, columns], damping)
        root = _root_of(self.inputs[columns][:, columns], self.dampings(damping)[0])
        return torch.cholesky_solve(left.T.double(), root).T.float()


def _root_of(factor: Tensor, damping: float) -> Tensor:
    """The Cholesky root of a factor with the damping on its diagonal.

    In double precision, since factors are nearly singular; and where sums in single precision, or
    texts taken away, left an eigenvalue below zero, it is lifted to a millionth of a millionth of
    the largest, so that putting the factor together again does not push it below zero anew.
    """
    factor = factor.double()
    damped = damping * torch.eye(len(factor), dtype=torch.double, device=factor.device)
    root, failed = torch.linalg.cholesky_ex(factor + damped)
    if failed:
        values, vectors = torch.linalg.eigh(factor)
        lifted = values.clamp(min=float(values[-1].clamp(min=0)) * 1e-12)
        root = torch.linalg.cholesky(vectors * lifted @ vectors.T + damped)
    return root


Curvature = Mapping[str, Factors]
"""Of every linear map that was asked for, by path."""


@dataclass(frozen=True, slots=True)
class Sums:
    """What curvature is the mean of; texts can be added and taken away, since sums are over texts.

    Attributes:
        maps: by path, sums of `a a^T` over all positions, and of `g g^T`.
        positions: of the texts, all.
        places: what those that must stay weigh together: as many as they are where all weigh 1.
    """

    maps: Mapping[str, tuple[Float[Tensor, "inputs inputs"], Float[Tensor, "outputs outputs"]]]
    positions: int
    places: float

    def plus(self, other: "Sums", sign: int = 1) -> "Sums":
        """With other texts added; with `sign` -1, taken away."""
        maps = {
            path: (a + sign * other.maps[path][0], g + sign * other.maps[path][1])
            for path, (a, g) in self.maps.items()
        }
        return Sums(
            maps, self.positions + sign * other.positions, self.places + sign * other.places
        )

    def curvature(self) -> Curvature:
        """The means.

        Raises:
            ModelError: if nothing must stay, or the sums are no numbers.
        """
        if not self.places:
            raise ModelError("there is no text that must stay, so curvature cannot be measured.")
        if not all(own.isfinite().all() for pair in self.maps.values() for own in pair):
            raise ModelError(
                "the model's curvature is no number (NaN or infinite) at some of its weights. They "
                "are damaged, or larger than float32 holds."
            )
        # A gradient holds all that its position does to later places: so many gradients a place.
        return {p: Factors(a / self.positions, g / self.places) for p, (a, g) in self.maps.items()}


def needed_bytes(model: LanguageModel, layers: Sequence[int] | None = None) -> int:
    """How many bytes the factors take, in memory and on disk."""
    shapes = [shape_of(model.module.get_submodule(p)) for p in linear_paths(model, layers)]
    return sum(4 * (rows**2 + columns**2) for rows, columns in shapes)


def sum_curvature(
    model: LanguageModel,
    kept: Sequence[Kept],
    *,
    layers: Sequence[int] | None = None,
    seed: int = 0,
    folder: Path | None = None,
    progress: Progress = unheard,
) -> Sums:
    """Measure the sums in one pass over what must stay, or read them where they were measured.

    Args:
        model: a causal model.
        kept: the keep set.
        layers: whose maps; None for all.
        seed: of what is drawn from the model; a text draws the same in whatever company.
        folder: where sums are kept, under a hash of all that decides them. What was measured until
            a kill is there too, and the next call goes on from it. None: nowhere.
        progress: hears of the batches done.
    """
    model.require_causal("Curvature")
    paths = linear_paths(model, layers)
    batches = list(kept_batches(model, kept))
    file = folder / f"{_key(model, kept, paths, seed)}.safetensors" if folder else None
    maps, done = _read(file, model, paths, len(batches))
    if file and done:
        used(file)
    saved = time.monotonic()
    for number, batch in enumerate(batches[done:], start=done):
        for path, flow in sampled_flows(model, paths, batch, seed):
            a, g = maps[path]
            a.addmm_(flow.inputs.T, flow.inputs)
            g.addmm_(flow.gradients.T, flow.gradients)
        progress(number + 1, len(batches))
        if file and (number + 1 == len(batches) or time.monotonic() - saved > _SAVE_EVERY):
            _write(file, maps, number + 1)
            saved = time.monotonic()
    positions = sum(len(each.ids) for each in kept if each.columns)
    return Sums(maps, positions, sum(float(batch.weights.sum()) for batch in batches))


def sampled_flows(
    model: LanguageModel, paths: Sequence[str], batch: KeptBatch, seed: int
) -> Iterator[tuple[str, Flow]]:
    """What flows for log p(y), y drawn from the model at every place of the batch."""

    def logprob_of_drawn(hooks: Hooks) -> Float[Tensor, ""]:
        logits = logits_at(model, batch.ids, batch.rows, batch.columns - 1, hooks)
        logprobs = logits.log_softmax(-1)
        probs = logprobs.detach().exp().cpu()
        drawn = torch.empty(len(probs), 1, dtype=torch.long)
        for row, ids in enumerate(batch.ids.tolist()):
            text = hashlib.sha256(repr((seed, ids[: int(batch.here[row].sum())])).encode())
            own = torch.Generator().manual_seed(int.from_bytes(text.digest()[:7]))
            chosen = (batch.rows == row).cpu()
            drawn[chosen] = torch.multinomial(probs[chosen], 1, generator=own)
        # A place that weighs w counts as w places: its gradient is multiplied by their root.
        return (batch.weights.sqrt() * logprobs.gather(1, drawn.to(logprobs.device))[:, 0]).sum()

    return flows(model, paths, logprob_of_drawn, batch.here)


_Maps = dict[str, tuple[Tensor, Tensor]]


def _key(model: LanguageModel, kept: Sequence[Kept], paths: Sequence[str], seed: int) -> str:
    own = [(each.ids, each.columns, each.weights) for each in kept]
    texts = hashlib.sha256(repr(own).encode()).hexdigest()
    parts = [_VERSION, model.fingerprint, texts, list(paths), seed]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _write(file: Path, maps: _Maps, done: int) -> None:
    tensors = {
        f"{side}.{path}": own
        for path, pair in maps.items()
        for side, own in zip(_SIDES, pair, strict=True)
    }
    write_file(file, lambda temporary: save_file(tensors, temporary, {"batches": str(done)}))
    make_room(file.parent, MOST_BYTES, file)


def _read(
    file: Path | None, model: LanguageModel, paths: Sequence[str], batches: int
) -> tuple[_Maps, int]:
    """The sums of a file, and over how many batches; zeros where it is missing or broken."""
    empty: _Maps = {}
    for path in paths:
        rows, columns = shape_of(model.module.get_submodule(path))
        zeros = (torch.zeros(n, n, device=model.device) for n in (columns, rows))
        empty[path] = (next(zeros), next(zeros))
    if file is None or not file.is_file():
        return empty, 0
    try:
        with safe_open(file, framework="pt", device=str(model.device)) as stored:
            found: _Maps = {}
            for path in paths:
                a, g = (stored.get_tensor(f"{side}.{path}") for side in _SIDES)
                found[path] = (a, g)
            done = int(stored.metadata()["batches"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return empty, 0
    fits = 0 <= done <= batches and all(
        own.shape == zero.shape and bool(own.isfinite().all())
        for path in paths
        for own, zero in zip(found[path], empty[path], strict=True)
    )
    return (found, done) if fits else (empty, 0)
