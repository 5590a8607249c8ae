"""A model in eight or four bits as a folder of its own, in the compressed-tensors format.

transformers and vLLM read it where that library is installed. The weights are those of
`model/quantise.py`, int8 by row or int4 in groups of 32, each packed into its bits:

    w = q * scale,   q in [-2^(bits-1), 2^(bits-1) - 1]

Embeddings, norms, biases and the unembedding stay as they are. What was written is read again by
transformers itself, and must be the rounded weights bit for bit.

The format knows linear maps that are stored as outputs by inputs. Where a model stores them the
other way round (GPT-2's Conv1D), a row is what is stored as one, an input's weights, and
transformers makes dense weights of them while it reads (`dequantize`, which lets one size of
group): the file is as small, memory is not, and vLLM, which computes in fewer bits, reads no such
folder.
"""

import json
import math
import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Float
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from sanilens.atomic import write_text
from sanilens.errors import ModelError
from sanilens.extras import needs
from sanilens.model.config import CONFIG, read_config
from sanilens.model.language_model import LanguageModel
from sanilens.model.pretrained import quiet
from sanilens.model.quantise import FORMATS, GROUP, quantised, rounded_by
from sanilens.model.weights import INDEX, WHOLE, weight_files

Bits = Literal[8, 4]


def write_packed(model: LanguageModel, folder: Path, bits: Bits) -> LanguageModel:
    """Write a saved model with its weights in fewer bits, and all else of its folder as it is.

    Args:
        model: as its own folder holds it.
        folder: a new one, empty.
        bits: of a weight.

    Returns:
        The model whose weights the folder holds, in float32.

    Raises:
        ModelError: if the format has no place for its layers, or transformers reads other weights.
    """
    stored: dict[str, Tensor] = {}
    for file in weight_files(model.path):
        stored |= load_file(file)
    names, rounded = _linear_maps(model, stored), packed_weights(model, bits)
    one = _one_group(model)
    cut: dict[int, list[str]] = defaultdict(list)
    for name in names:
        exact = stored.pop(f"{name}.weight").float()
        group = exact.shape[1] if bits == 8 else one or math.gcd(exact.shape[1], GROUP)
        cut[0 if bits == 8 else group].append(name)
        stored |= {f"{name}.{part}": own for part, own in _packed(exact, group, bits).items()}
    left = {path.name for path in weight_files(model.path)} | {INDEX, CONFIG}
    for path in model.path.iterdir():
        if path.is_file() and path.name not in left:
            shutil.copyfile(path, folder / path.name)
    save_file(stored, folder / WHOLE, metadata={"format": "pt"})
    described = _described(cut, bits, model) | ({"dequantize": True} if one else {})
    fields = read_config(model.path) | {"quantization_config": described}
    write_text(folder / CONFIG, json.dumps(fields, indent=2, sort_keys=True) + "\n")
    for path in folder.iterdir():
        path.chmod(0o600)
    _compare(rounded, read_packed(folder, type(model.module)), names)
    return rounded


@torch.no_grad()
def packed_weights(model: LanguageModel, bits: Bits) -> LanguageModel:
    """The model whose weights `write_packed` writes, without writing it."""
    group = _one_group(model)
    if group is None:
        return quantised(model, FORMATS[f"int{bits}"][1])
    copy = model.copied()
    for module in _maps(copy).values():
        stored = module.weight.detach().contiguous()
        module.weight.copy_(rounded_by(stored, stored.shape[1] if bits == 8 else group, bits))
    return copy


def _maps(model: LanguageModel) -> dict[str, nn.Linear | Conv1D]:
    """Every linear map but the unembedding, by name."""
    return {
        name: module
        for name, module in model.module.named_modules()
        if name != model.sites.unembed and isinstance(module, nn.Linear | Conv1D)
    }


def _one_group(model: LanguageModel) -> int | None:
    """Weights in a group, the same for all maps, where they are transposed; None where not."""
    maps = _maps(model).values()
    if not any(isinstance(each, Conv1D) for each in maps):
        return None
    return math.gcd(GROUP, *(each.weight.shape[1] for each in maps))


def read_packed(folder: Path, kind: type[PreTrainedModel]) -> PreTrainedModel:
    """The model that transformers and compressed-tensors make of a folder, in float32."""
    with needs("evidence"):
        from compressed_tensors.compressors import ModelCompressor
    with quiet():
        made = kind.from_pretrained(
            folder, dtype=torch.float32, local_files_only=True, trust_remote_code=False
        )
        ModelCompressor.from_pretrained_model(made).decompress_model(made)
    return made


def _linear_maps(model: LanguageModel, stored: Mapping[str, Tensor]) -> list[str]:
    """Names of what is rounded: every linear map but the unembedding."""
    names = [*_maps(model)]
    if missing := [name for name in names if f"{name}.weight" not in stored]:
        raise ModelError(
            f"{model.name}: the packed format has no place for {type(model.module).__name__}, "
            f"which stores {missing[0][:80]!r} under another name, as part of a larger map. Export "
            "it as it is."
        )
    return names


def _packed(weight: Float[Tensor, "outputs inputs"], group: int, bits: Bits) -> dict[str, Tensor]:
    with needs("evidence"):
        from compressed_tensors.compressors import pack_to_int32
    top = 2 ** (bits - 1) - 1
    groups = weight.reshape(-1, group)
    scale = (groups.abs().amax(1) / top).clamp_min(torch.finfo(weight.dtype).tiny)
    whole = (groups * (1 / scale)[:, None]).round().clamp(-top - 1, top)
    return {
        "weight_packed": pack_to_int32(whole.to(torch.int8).view_as(weight), bits),
        "weight_scale": scale.view(len(weight), -1),
        "weight_shape": torch.tensor(weight.shape),
    }


def _described(cut: Mapping[int, Sequence[str]], bits: Bits, model: LanguageModel) -> Any:
    """What config.json says of it; layers by name, since rows are not all cut alike."""
    kind = {"num_bits": bits, "type": "int", "symmetric": True}
    groups = {
        f"group_{number}": {
            "targets": list(names),
            "weights": kind
            | ({"strategy": "group", "group_size": group} if group else {"strategy": "channel"}),
        }
        for number, (group, names) in enumerate(sorted(cut.items()))
    }
    return {
        "quant_method": "compressed-tensors", "format": "pack-quantized",
        "quantization_status": "compressed", "ignore": [model.sites.unembed],
        "config_groups": groups,
    }  # fmt: skip


def _compare(rounded: LanguageModel, read: PreTrainedModel, names: Sequence[str]) -> None:
    there, own = read.state_dict(), rounded.module.state_dict()
    for name in own.keys() | {f"{each}.weight" for each in names}:
        found = there.get(name)
        if found is None or not torch.equal(found, own[name].cpu()):
            raise ModelError(
                f"{rounded.name}: transformers reads {name[:80]!r} otherwise than it was written, "
                "so nothing was exported."
            )
