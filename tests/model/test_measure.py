"""What is measured at load is what the weights do, and what cannot be told is refused."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from research.zoo import tiny_model
from sanilens.corpus.records import Record
from sanilens.dictionaries.site import parse_site
from sanilens.errors import PlanError
from sanilens.inspect.units.card import unit_card
from sanilens.model.hooks import Hooks, hooked
from sanilens.model.language_model import LanguageModel, load_model
from sanilens.model.measure import Layout, by_neuron, head_rows, layout_rows, neuron_layouts
from sanilens.model.norms import measured
from sanilens.model.parameters import (
    query_key_rows,
    read_weights,
    residual_writers,
    unit_parameters,
)
from sanilens.model.sites import find_sites
from sanilens.model.units import Head
from sanilens.unlearn.edits import apply_edits_, check_units
from sanilens.unlearn.plan import UnitEdit
from tests.operations import Case, load_case, logits

IDS = torch.tensor([[1, 40, 50, 60], [1, 41, 51, 61]])


def case(name: str, folder: Path) -> Case:
    return load_case(name, folder)


def runs(heads: tuple[tuple[int, ...], ...], value: tuple[bool, ...]) -> str:
    """Rows in blocks of 8, as `0 1 01v`: whose they are, and v for values."""
    names = ["".join(map(str, own)) + "v" * v for own, v in zip(heads, value, strict=True)]
    blocks = [set(names[i : i + 8]) for i in range(0, len(names), 8)]
    assert all(len(block) == 1 for block in blocks)
    return " ".join(block.pop() for block in blocks)


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("gpt2", "0 1 2 3 0 1 2 3 0v 1v 2v 3v"),
        ("gpt_bigcode", "0 1 2 3 0123 0123v"),
        ("gpt_bigcode-heads", "0 0 0v 1 1 1v 2 2 2v 3 3 3v"),
        ("gpt_neox", "0 0 0v 1 1 1v 2 2 2v 3 3 3v"),
        ("bloom", "0 0 0v 1 1 1v 2 2 2v 3 3 3v"),
        ("mpt", "0 1 2 3 0 1 2 3 0v 1v 2v 3v"),
        ("codegen", "0 0v 0 1 1v 1 2 2v 2 3 3v 3"),
        ("phi3", "0 1 2 3 01 23 01v 23v"),
        ("falcon", "0 1 01 01v 2 3 23 23v"),
        ("falcon-7b", "0 1 2 3 0123 0123v"),
        ("falcon-rw", "0 0 0v 1 1 1v 2 2 2v 3 3 3v"),
    ],
)
def test_whose_the_rows_of_a_fused_projection_are(name: str, rows: str) -> None:
    """Against the layouts that transformers' code splits them by."""
    model = tiny_model(name, 300).requires_grad_(False)
    model.config.architectures = [type(model).__name__]
    for site in find_sites(model).attentions:
        (own,) = site.rows
        assert runs(own.heads, own.value) == rows


def test_a_layout_does_not_hang_on_the_weights() -> None:
    """Of a model whose projections are all zero it is the same."""
    model = tiny_model("gpt_bigcode-heads", 300).requires_grad_(False)
    model.config.architectures = [type(model).__name__]
    before = find_sites(model)
    for site in (*before.attentions, *before.mlps):
        for path in (*site.reads, site.out):
            model.get_submodule(path).get_parameter("weight").zero_()
    after = find_sites(model)
    assert [a.rows for a in after.attentions] == [a.rows for a in before.attentions]
    assert not after.limits


class Mixed(nn.Module):
    """A projection whose outputs are all mixed afterwards: no row is one unit's."""

    def __init__(self, inner: nn.Linear) -> None:
        super().__init__()
        self.inner, self.weight, self.bias = inner, inner.weight, None
        self.mix = torch.linalg.qr(torch.randn(len(inner.weight), len(inner.weight)))[0]

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x) @ self.mix


def test_heads_and_neurons_that_are_mixed_are_not_told_apart() -> None:
    model = tiny_model("llama", 300).requires_grad_(False)
    model.config.architectures = [type(model).__name__]
    sites = find_sites(model)
    block = model.get_submodule(sites.blocks[0])
    attention, mlp = sites.attentions[0], sites.mlps[0]
    for path in (attention.reads[0], mlp.reads[0]):
        parent, _, name = path.removeprefix(f"{sites.blocks[0]}.").rpartition(".")
        mixed = Mixed(block.get_submodule(f"{parent}.{name}"))  # pyright: ignore
        setattr(block.get_submodule(parent), name, mixed)
    inside = f"{attention.reads[0]}.inner", f"{mlp.reads[0]}.inner"
    reads = (inside[0], *attention.reads[1:])
    found = head_rows(model, [(reads, attention.out)], sites.blocks, sites.n_heads)
    assert isinstance(found, str)
    reads = (inside[1], *mlp.reads[1:])
    assert isinstance(neuron_layouts(model, [(reads, mlp.out)], sites.blocks, 48), str)


def test_what_an_architecture_does_not_allow_is_refused_before_a_run(tmp_path: Path) -> None:
    youtu = case("youtu", tmp_path).model
    reset = UnitEdit(unit="head.0.1", operation="reset")
    with pytest.raises(PlanError, match="resetting attention heads: its heads are made of"):
        check_units(youtu, [reset])
    with pytest.raises(PlanError, match="does not allow"):
        query_key_rows(youtu, 0)
    zero = [UnitEdit(unit="head.0.1", operation="zero")]
    copied = youtu.copied()
    apply_edits_(copied, zero)
    assert not torch.equal(logits(copied), logits(youtu))
    assert any("resetting attention heads" in text for text in youtu.sites.refusals)


def test_a_post_norm_model_is_audited_but_has_no_parts(
    tmp_path: Path, records: list[Record]
) -> None:
    model = case("opt-350m", tmp_path).model
    with pytest.raises(PlanError, match="does not add what they write"):
        parse_site("blocks.0.hook_mlp_out").hooks(model.sites, lambda x: x)
    with pytest.raises(PlanError, match="does not allow baking"):
        residual_writers(model, 1, "all")
    found = unit_card(model, records[:2], Head(1, 2))
    assert found.contexts
    assert found.promoted == ()


@pytest.mark.parametrize("name", ["opt", "falcon", "falcon-7b", "falcon-rw", "bloom"])
def test_what_a_hook_keeps_is_what_stood_there(name: str, tmp_path: Path) -> None:
    """As (batch, pos, width), and not what the model makes of it in place afterwards."""
    model = load_model(case(name, tmp_path).model.path, device="cpu")
    out = model.sites.mlps[0].out
    entered: list[Tensor] = []
    left: list[Tensor] = []

    def keep(_x: Tensor, output: Tensor) -> Tensor:
        left.append(output)
        return output

    with torch.inference_mode():
        with hooked(model.module, Hooks({out: entered.append}, {out: keep})):
            hooked_logits = model.module(IDS).logits
        assert torch.equal(hooked_logits, model.module(IDS).logits)
        assert entered[0].shape == (2, 4, model.sites.d_mlp)
        torch.testing.assert_close(left[0], model.module.get_submodule(out)(entered[0]))


def test_an_edit_of_joined_rows_is_heard(tmp_path: Path) -> None:
    model: LanguageModel = case("opt", tmp_path).model
    out = model.sites.mlps[1].out
    with torch.inference_mode():
        plain = model.module(IDS).logits
        with hooked(
            model.module, Hooks({out: lambda x: x * torch.tensor([1.0, 0.0])[:, None, None]})
        ):
            one = model.module(IDS).logits
    assert torch.equal(one[0], plain[0])
    assert not torch.allclose(one[1], plain[1])


@pytest.mark.parametrize(
    ("name", "path", "centred"),
    [
        ("gpt2", "transformer.ln_f", True),
        ("llama", "model.norm", False),
        ("gemma2", "model.layers.0.post_attention_layernorm", False),
        ("nemotron", "model.norm", True),
        ("cohere", "model.norm", True),
        ("olmo", "model.norm", True),
        ("nanochat", "model.norm", False),
    ],
)
def test_a_norm_is_its_equation(name: str, path: str, centred: bool) -> None:
    """g * C x / s + b with what was measured is what the module gives, gain and bias anywhere."""
    norm = tiny_model(name, 300).get_submodule(path)
    x = 3 * torch.randn(5, 32, generator=torch.Generator().manual_seed(0)) + 0.7
    how = measured(norm, 32, x)
    assert how.centred == centred
    output = norm(x)
    scale = how.factor(x, output)[:, None]
    torch.testing.assert_close(how.map(x) * scale + how.bias, output, rtol=1e-3, atol=1e-4)
    c = x - x.mean(-1, keepdim=True) if centred else x
    wanted = c.square().mean(-1, keepdim=True).rsqrt()
    torch.testing.assert_close(scale, wanted, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("layout", "each"), [("plain", 1), ("halves", 2), ("pairs", 2)])
def test_rows_by_neuron_are_the_rows_that_the_layout_gives_it(layout: Layout, each: int) -> None:
    width = 5
    rows = torch.arange(each * width * 3.0).view(-1, 3)
    found = by_neuron(layout, rows)
    assert found.shape == (width, 3 * each)
    for neuron, alone in enumerate(torch.eye(width, dtype=torch.bool)):
        assert torch.equal(found[neuron], rows[layout_rows(layout, alone)].flatten())


@pytest.mark.parametrize("name", ["gpt2", "llama", "phi3"])
def test_what_a_neuron_reads_is_what_a_reset_of_it_replaces(name: str, tmp_path: Path) -> None:
    """GPT-2's transposed projection, Llama's two, Phi-3's fused one."""
    subject = case(name, tmp_path).model
    for neuron in (0, 7):
        *reads, _ = unit_parameters(subject, "mlp", 1, [neuron])
        weights = [s for s in reads if s.parameter.dim() > 1]
        own = [s.parameter.index_select(s.dim, s.indices) for s in weights]
        own = [m if s.dim == 0 else m.T for m, s in zip(own, weights, strict=True)]
        assert torch.equal(read_weights(subject, 1)[neuron], torch.cat(own).flatten())
