"""Seeded damage: of bytes, of JSON values, of tensors, and of a folder's files."""

import copy
import json
import os
import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

# What parsers of numbers, texts and paths stumble over.
_ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63), 10**30, 0.5, 1e308, 1e-308, "", " ", "0",
    "null", "NaN", "\0", "\ud800", "../../etc/passwd", "a" * 5000, "📎", "[/x]", "![x](http://x)",
    [], {}, [[]], [None], {"": None}, {"auto_map": "evil.Model"}, ["x"] * 300,
)  # fmt: skip
_RAW_NUMBERS = ("NaN", "Infinity", "-Infinity", "1e999", "-0", "1" * 5000, "0x10", "01")


def bytes_(data: bytes, rng: random.Random) -> bytes:
    """Some bytes changed, cut, doubled, swapped or inserted."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        at = rng.randrange(len(out) + 1)
        match rng.randrange(7):
            case 0 if at < len(out):
                out[at] ^= 1 << rng.randrange(8)
            case 1:
                out[at : at + rng.choice((1, 4, 64))] = b""
            case 2:
                out[at:at] = rng.randbytes(rng.choice((1, 4, 64)))
            case 3:
                del out[at:]
            case 4:
                piece = bytes(out[at : at + rng.choice((4, 64, 512))])
                out[at:at] = piece * rng.choice((1, 3, 50))
            case 5 if at + 8 <= len(out):
                out[at : at + 8] = struct.pack("<q", rng.choice((-1, 0, 2**31, 2**62)))
            case _:
                out[at:at] = rng.choice(
                    (b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b'"', b"{", b"]")
                )
    return bytes(out)


def json_(text: str, rng: random.Random) -> str:
    """One to three values of a JSON text replaced, removed, doubled, nested or renamed."""
    value = json.loads(text)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        value = _one(value, rng)
    # A lone surrogate cannot be written as UTF-8, but can be as an escape.
    out = json.dumps(value)
    if rng.random() < 0.1:
        out = out.replace(": 1", f": {rng.choice(_RAW_NUMBERS)}", 1)
    return out


def _odd(rng: random.Random) -> Any:
    # A copy: what is damaged next would otherwise be damaged in all inputs to come.
    return copy.deepcopy(rng.choice(_ODD))


def _one(value: Any, rng: random.Random) -> Any:
    places: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting and len(places) < 20_000:
        own = waiting.pop()
        if not isinstance(own, dict | list):
            continue
        inner = own if isinstance(own, dict) else range(len(own))
        places += [(own, key) for key in inner]
        waiting += [own[key] for key in inner]
    if not places:
        return _odd(rng)
    own, key = rng.choice(places)
    match rng.randrange(6):
        case 0 | 1 | 2:
            own[key] = _near(own[key], rng)
        case 3 if isinstance(own, dict):
            del own[key]
        case 4 if isinstance(own, dict):
            own[rng.choice(("x", key.upper(), f" {key}", "label", "auto_map"))] = own[key]
        case 5:
            for _ in range(rng.choice((1, 3, 300))):
                own[key] = [own[key]]
        case _:
            own[key] = _odd(rng)
    return value


def _near(value: Any, rng: random.Random) -> Any:
    if isinstance(value, bool) or rng.random() < 0.5:
        return _odd(rng)
    if isinstance(value, int):
        return rng.choice((value + 1, value - 1, -value, value * 2, value * 10**6, float(value), 0))
    if isinstance(value, float):
        return rng.choice((-value, value * 1e30, 0.0))
    if isinstance(value, str):
        return rng.choice((value[: len(value) // 2], value * 2, value.upper(), f" {value}\n"))
    return _odd(rng)


def tensors(path: Path, rng: random.Random) -> None:
    """A safetensors file with broken numbers, other shapes or types, missing or foreign tensors."""
    import torch
    from safetensors.torch import load_file, save_file

    found = load_file(path)
    names = [n for n, t in found.items() if t.is_floating_point()]
    name = rng.choice(names)
    tensor = found[name].clone()
    match rng.randrange(7):
        case 0:
            tensor.view(-1)[rng.randrange(tensor.numel())] = rng.choice((torch.nan, torch.inf))
        case 1:
            tensor = torch.full_like(tensor, rng.choice((torch.nan, torch.inf, -torch.inf)))
        case 2:
            tensor = tensor[..., : tensor.shape[-1] // 2].contiguous()
        case 3:
            tensor = tensor.to(rng.choice((torch.int8, torch.float64, torch.bool)))
        case 4:
            tensor = tensor.new_zeros(0)
        case 5:
            found[f"{name}.{rng.choice(('scales', 'qweight', 'extra'))}"] = tensor.clone()
        case _:
            tensor = tensor * 1e38
    found[name] = tensor
    if rng.random() < 0.15:
        del found[rng.choice(names)]
    save_file(found, path)


def files(folder: Path, rng: random.Random, canary: str) -> None:
    """A folder with a file removed, emptied, replaced by a FIFO, link or folder, or added."""
    every = sorted(p for p in folder.rglob("*") if p.is_file())
    path = rng.choice(every)
    match rng.randrange(8):
        case 0:
            path.unlink()
        case 1:
            path.write_bytes(b"")
        case 2:
            path.unlink()
            os.mkfifo(path)
        case 3:
            path.unlink()
            path.mkdir()
        case 4:
            path.unlink()
            path.symlink_to("/dev/zero" if rng.random() < 0.5 else "/etc/hostname")
        case 5:
            path.write_bytes(rng.choice(every).read_bytes())
        case 6:
            path.write_text(
                f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12345\n"
            )
        case _:
            plant(folder, canary)


def plant(folder: Path, canary: str) -> None:
    """Code that nobody may run: it would create the file `canary`."""
    code = f"open({canary!r}, 'w').close()\n"
    for name in ("evil.py", "modeling_evil.py", "tokenization_evil.py"):
        (folder / name).write_text(code)
    # A pickle whose loading runs the same.
    (folder / "pytorch_model.bin").write_bytes(
        b"cbuiltins\nexec\n(V" + code.strip().encode() + b"\ntR."
    )


Mutation = Callable[[bytes, random.Random], bytes]


def text_or_bytes(data: bytes, rng: random.Random) -> bytes:
    """A JSON file by its values mostly, and by its bytes."""
    if rng.random() < 0.75:
        return json_(data.decode(), rng).encode("utf-8", "surrogatepass")
    return bytes_(data, rng)


def lines(data: bytes, rng: random.Random) -> bytes:
    """One line of a JSON Lines file, as JSON or as bytes."""
    found = data.splitlines(keepends=True)
    at = rng.randrange(len(found))
    found[at] = text_or_bytes(found[at].rstrip(b"\n"), rng) + b"\n"
    return b"".join(found)
