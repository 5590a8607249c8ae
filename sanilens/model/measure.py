"""What is measured on a model when it is loaded, because names do not tell it.

    added    resid_post = resid_pre + c_a y_a + c_m y_m,   y what attention and MLP add: the output
             of their last projection or of the norm behind it, c a multiplier (Granite)
    heads    d z_h / d r of every row r of the projections that make queries, keys and values
    neurons  d a_j / d r of every row r of the projections that feed the MLP's neurons

z and a are what enters the output projections. Layouts are measured with noise in the place of the
projections' outputs and with norms held, so that they do not depend on what the weights are; one
layer stands for all whose projections have the same shapes, and a pass ends there. One token alone
attends to itself alone: in such a pass only values move z.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Literal, TypeVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from transformers import PreTrainedModel

from sanilens.model.families import is_masked
from sanilens.model.hooks import Hooks, hooked, model_lock
from sanilens.model.norms import held, norms_in

# Tokens of a pass; and sets of neurons whose rows are looked for.
_TOKENS, _SETS = 6, 8
# A gradient below this share of the largest is rounding; so is a sum that is off by this share.
_ROUNDING, _OFF = 1e-5, 1e-3

Layout = Literal["plain", "halves", "pairs"]
"""Where neuron j's rows are: at j; at j and d_mlp + j; at 2 j and 2 j + 1."""

T = TypeVar("T")
Projections = tuple[tuple[str, ...], str]
"""Paths of the modules that read, and of the one whose input is asked about."""


@dataclass(frozen=True, slots=True)
class Added:
    """What a part of a layer adds to the residual stream: `scale` times the output of `path`.

    `path` is the part's output projection, or the norm that stands behind it.
    """

    path: str
    scale: float


@dataclass(frozen=True, slots=True)
class HeadRows:
    """For every row of a projection: the heads whose result it moves, and whether as a value.

    Rows of keys and values that several heads share move them all.
    """

    heads: tuple[tuple[int, ...], ...]
    value: tuple[bool, ...]


# ---- what is added to the residual stream


@torch.no_grad()
def added(
    model: PreTrainedModel, blocks: Sequence[str], outs: Sequence[tuple[str, str]]
) -> tuple[tuple[tuple[Added, Added], ...] | str, tuple[str, ...] | str]:
    """What attention and MLP of each layer add, and the embeddings whose sum enters the first.

    A text in the place of either says why it cannot be told.

    Args:
        model: the model.
        blocks: paths of its layers.
        outs: of each layer the output projections of attention and MLP.
    """
    norms = norms_in(model, tuple(f"{block}." for block in blocks))
    embeddings = [
        path for path, module in model.named_modules() if isinstance(module, nn.Embedding)
    ]
    watched = [*blocks, *norms, *embeddings, *(path for pair in outs for path in pair)]
    with _watching(model, watched) as seen:
        _run(model, _ids(model, _TOKENS))
    parts: list[tuple[Added, Added]] = []
    for number, (block, pair) in enumerate(zip(blocks, outs, strict=True)):
        before, after = seen[block]
        own = [path for path in norms if path in seen and path.startswith(f"{block}.")]
        ends = [_end(path, own, seen) for path in pair]
        scales = _scales([seen[path][1] for path in ends], after - before, after)
        if scales is None:
            reason = f"layer {number} does not add what they write to the residual stream as it is"
            return reason, reason
        a, m = (Added(path, scale) for path, scale in zip(ends, scales, strict=True))
        parts.append((a, m))
    first = seen[blocks[0]][0]
    made = [p for p in embeddings if p in seen and seen[p][1].shape[-1] == first.shape[-1]]
    whole = [seen[path][1].float().broadcast_to(first.shape) for path in made]
    if not made or _scales(whole, first, first) is None:
        return tuple(parts), "more than the sum of its embeddings enters the first layer"
    return tuple(parts), tuple(made)


def _end(path: str, norms: Sequence[str], seen: Mapping[str, tuple[Tensor, Tensor]]) -> str:
    """The last of the norms that stand directly behind a projection, or the projection itself."""
    left = list(norms)
    while behind := next((n for n in left if _same(seen[n][0], seen[path][1])), None):
        left.remove(behind)
        path = behind
    return path


def _same(a: Tensor, b: Tensor) -> bool:
    return a.numel() == b.numel() and a.shape[-1] == b.shape[-1] and torch.equal(a.view_as(b), b)


def _scales(parts: Sequence[Tensor], wanted: Tensor, beside: Tensor) -> list[float] | None:
    """c with sum_k c_k part_k = wanted, if there is one; `beside` tells what rounding is."""
    y = torch.stack([part.flatten().double().cpu() for part in parts], 1)
    target = wanted.flatten().double().cpu()
    if not (y.isfinite().all() and target.isfinite().all()):
        return None
    found = torch.linalg.lstsq(y, target[:, None], driver="gelsd").solution[:, 0]
    off = (y @ found - target).norm()
    if off > _OFF * target.norm() + _ROUNDING * beside.double().norm().cpu():
        return None
    # A part that is nothing has no multiplier to be found; rounding would make 1 something else.
    silent = y.norm(dim=0) == 0
    return [
        1.0 if nothing or abs(c - 1) < _OFF else c
        for c, nothing in zip(found.tolist(), silent.tolist(), strict=True)
    ]


# ---- whose rows are whose


def head_rows(
    model: PreTrainedModel, layers: Sequence[Projections], blocks: Sequence[str], heads: int
) -> tuple[tuple[HeadRows, ...], ...] | str:
    """Of each layer the rows of the projections that its heads read through; or why not."""
    if not all(reads for reads, _ in layers):
        return "its heads are made of parts that they share, so no weights are one head's own"

    def measure(layer: int) -> tuple[HeadRows, ...] | str:
        reads, out = layers[layer]
        leaves, z = _noise_through(model, reads, out, blocks[layer], _TOKENS)
        size = z.shape[-1] // heads
        probe = _noise(z)
        moved = [
            _moved((z * probe)[..., h * size : (h + 1) * size].sum(), leaves) for h in range(heads)
        ]
        alone, own = _noise_through(model, reads, out, blocks[layer], 1)
        values = _moved((own * _noise(own)).sum(), alone, least=_ROUNDING)
        rows = tuple(
            _rows(torch.stack([of[i] for of in moved]), values[i]) for i in range(len(reads))
        )
        single = {owners[0] for each in rows for owners in each.heads if len(owners) == 1}
        if len(single) < heads or not any(any(each.value) for each in rows):
            return "which rows of its projections belong to a head cannot be told"
        return rows

    return _once_per_shape(model, layers, measure)


def neuron_layouts(
    model: PreTrainedModel, layers: Sequence[Projections], blocks: Sequence[str], width: int
) -> tuple[tuple[Layout, ...], ...] | str:
    """Of each layer the layout of every projection that feeds its neurons; or why not."""

    def measure(layer: int) -> tuple[Layout, ...] | str:
        reads, out = layers[layer]
        leaves, a = _noise_through(model, reads, out, blocks[layer], _TOKENS)
        generator = torch.Generator().manual_seed(0)
        sets = torch.rand(_SETS, width, generator=generator).to(a) < 0.5
        moved = [_moved((a * _noise(a) * chosen).sum(), leaves) for chosen in sets]
        fitting: list[Layout] = []
        for i, leaf in enumerate(leaves):
            possible: tuple[Layout, ...] = ("plain", "halves", "pairs")
            for layout in possible:
                claimed = torch.stack([layout_rows(layout, chosen) for chosen in sets])
                found = torch.stack([of[i] for of in moved])
                if leaf.shape[-1] == claimed.shape[-1] and found.any() and claimed[found].all():
                    fitting.append(layout)
                    break
            else:
                return "which rows of its projections belong to a neuron cannot be told"
        return tuple(fitting)

    return _once_per_shape(model, layers, measure)


def layout_rows(layout: Layout, neurons: Bool[Tensor, " d_mlp"]) -> Bool[Tensor, " rows"]:
    """The rows of some neurons, as a mask."""
    match layout:
        case "plain":
            return neurons
        case "halves":
            return torch.cat([neurons, neurons])
        case "pairs":
            return neurons.repeat_interleave(2)


def by_neuron(layout: Layout, rows: Float[Tensor, "rows d"]) -> Float[Tensor, "d_mlp own"]:
    """A projection's rows, those of one neuron one after the other."""
    match layout:
        case "plain":
            return rows
        case "halves":
            return torch.cat(rows.chunk(2), dim=1)
        case "pairs":
            return rows.unflatten(0, (-1, 2)).flatten(1)


def _once_per_shape(
    model: PreTrainedModel, layers: Sequence[Projections], measure: Callable[[int], T | str]
) -> tuple[T, ...] | str:
    known: dict[tuple, T] = {}
    found: list[T] = []
    for layer, (reads, out) in enumerate(layers):
        weights = [model.get_submodule(p).get_parameter("weight") for p in (*reads, out)]
        shape = tuple(tuple(weight.shape) for weight in weights)
        if shape not in known:
            made = measure(layer)
            if isinstance(made, str):
                return made
            known[shape] = made
        found.append(known[shape])
    return tuple(found)


class _Seen(Exception):
    """Ends a pass early: all that was asked for has been seen, and later layers only cost time."""


def _noise_through(
    model: PreTrainedModel, reads: Sequence[str], out: str, block: str, tokens: int
) -> tuple[list[Tensor], Tensor]:
    """Noise in the place of the reads' outputs, as leaves, and what it makes enter `out`."""
    leaves: dict[str, Tensor] = {}
    entered: list[Tensor] = []

    def put(path: str) -> Callable[[Tensor, Tensor], Tensor]:
        def edit(_x: Tensor, output: Tensor) -> Tensor:
            leaves[path] = (0.5 * _noise(output, len(leaves) + 1)).requires_grad_()
            return leaves[path].clone()  # some models go on in place

        return edit

    def keep(x: Tensor) -> Tensor:
        entered.append(x)
        raise _Seen

    norms = norms_in(model, (f"{block}.",))
    outputs = {path: held(norm) for path, norm in norms.items()} | {p: put(p) for p in reads}
    with suppress(_Seen), torch.enable_grad(), hooked(model, Hooks({out: keep}, outputs)):
        _run(model, _ids(model, tokens))
    return [leaves[path] for path in reads], entered[0]


def _moved(
    objective: Tensor, leaves: Sequence[Tensor], least: float = 0.0
) -> list[Bool[Tensor, " rows"]]:
    """For each leaf, the rows that the objective depends on: by more than `least` of the most."""
    with torch.enable_grad():
        found = torch.autograd.grad(objective, leaves, retain_graph=True, allow_unused=True)
    sizes = [
        torch.zeros_like(leaf[0, 0]) if g is None else g.abs().amax((0, 1))
        for g, leaf in zip(found, leaves, strict=True)
    ]
    most = max(float(size.max()) for size in sizes)
    return [(size > least * most).cpu() for size in sizes]


def _rows(moved: Bool[Tensor, "head row"], value: Bool[Tensor, " row"]) -> HeadRows:
    shared: dict[tuple[int, ...], tuple[int, ...]] = {}  # one tuple for all rows of a head
    owners = [tuple(h for h, yes in enumerate(row) if yes) for row in moved.T.tolist()]
    return HeadRows(tuple(shared.setdefault(each, each) for each in owners), tuple(value.tolist()))


# ---- passes


def _ids(model: PreTrainedModel, tokens: int) -> Int[Tensor, "1 pos"]:
    embedding = model.get_input_embeddings()
    vocabulary = embedding.get_parameter("weight").shape[0]
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, vocabulary, (1, tokens), generator=generator).to(model.device)


def _run(model: PreTrainedModel, ids: Int[Tensor, "1 pos"]) -> None:
    more = {"attention_mask": torch.ones_like(ids)} if is_masked(type(model).__name__) else {}
    model(input_ids=ids, **(more or {"use_cache": False}))


def _noise(like: Tensor, seed: int = 0) -> Float[Tensor, "..."]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(like.shape, generator=generator).to(like)


@contextmanager
def _watching(
    model: PreTrainedModel, paths: Sequence[str]
) -> Iterator[dict[str, tuple[Tensor, Tensor]]]:
    """Inputs and outputs of the modules that run; a model may have some that never do."""
    seen: dict[str, tuple[Tensor, Tensor]] = {}

    def look(path: str):
        def hook(_module: nn.Module, args: tuple, output: Tensor | Sequence) -> None:
            # Copies: Falcon adds to what its MLP gives in place.
            out = output if isinstance(output, Tensor) else output[0]
            seen.setdefault(path, (args[0].clone(), out.clone()))

        return hook

    with model_lock(model):
        handles = [
            model.get_submodule(p).register_forward_hook(look(p)) for p in dict.fromkeys(paths)
        ]
        try:
            yield seen
        finally:
            for handle in handles:
                handle.remove()
