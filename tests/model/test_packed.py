"""A packed folder gives plain transformers the rounded weights, whichever way round they lie."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from sanilens.model.language_model import load_model
from sanilens.model.packed import Bits, packed_weights, write_packed
from tests.conftest import save_tiny


@pytest.mark.parametrize("bits", [8, 4])
def test_transposed_maps(tmp_path: Path, bits: Bits) -> None:
    """GPT-2's Conv1D holds inputs by outputs: a row is what is stored as one."""
    save_tiny(tmp_path / "model", "gpt2", seed=0)
    model, out = load_model(tmp_path / "model", device="cpu"), tmp_path / "packed"
    out.mkdir()
    rounded = write_packed(model, out, bits)
    plain = AutoModelForCausalLM.from_pretrained(out, dtype=torch.float32)
    ids = torch.arange(5, 40)[None]
    with torch.inference_mode():
        logits = plain(input_ids=ids).logits
        assert torch.equal(logits, rounded.module(input_ids=ids).logits)
        assert torch.equal(logits, packed_weights(model, bits).module(input_ids=ids).logits)
        assert not torch.equal(logits, model.module(input_ids=ids).logits)
    exact = model.module.state_dict()
    for name, weight in rounded.module.state_dict().items():
        if name.endswith("c_fc.weight"):
            assert len(weight[0].unique()) <= 2**8
            apart = (weight - exact[name]).abs()
            # Half a step of the row that it is stored in.
            step = exact[name].abs().amax(1, keepdim=True) / (2 ** (bits - 1) - 1)
            assert (apart <= step / 2 + 1e-7).all()
    size = (out / "model.safetensors").stat().st_size
    assert size < (tmp_path / "model" / "model.safetensors").stat().st_size
