"""How a request is met by the methods that only this bench has.

rewrite          all weights, by the curvature of the model as it is now
first curvature  the same, by that of the model before any request: measured once for all of them
stranger         one epoch of the repair of that name, which reads everyone's records
noise            as much harm as `HARM`, done at random: what damage alone would forget
reference        the model that never saw anybody, whatever is asked: what is said of people anyhow

Those of `research/sequential_methods.py` stand beside them.
"""

import time
from dataclasses import replace
from pathlib import Path

import torch

from research.sanitise.case import Case
from research.sequential_methods import Deleted, Meet, Method, Request, all_methods
from sanilens.corpus.records import as_text, in_scope
from sanilens.model.curvature import sum_curvature
from sanilens.model.keep_set import Harm, keep_set
from sanilens.model.language_model import LanguageModel
from sanilens.model.linear_maps import add_, linear_paths, shape_of
from sanilens.unlearn.plan import Repair, Rewriting
from sanilens.unlearn.sanitise import NONE, Change, sanitise
from sanilens.unlearn.suggest import PRESETS

# KL at what must stay, nats a token: about what a rewriting spends on one person of the ward.
HARM = 2e-3
_HALVINGS = 20
BESIDE = ("grun", "npo", "anchored", "surrogate")


def request_methods(folder: Path) -> tuple[Method, ...]:
    """Every method of the bench, those that take seconds first.

    Args:
        folder: where curvature is kept.
    """
    beside = {method.name: method for method in all_methods()}
    return (
        Method("rewrite", lambda case, seed: _by_rewriting(case, folder / str(seed))),
        Method(
            "first curvature",
            lambda case, seed: _by_rewriting(case, folder / str(seed), renewed=False),
        ),
        Method("reference", lambda case, _seed: lambda _model, _request: Deleted(case.reference)),
        Method("noise", lambda case, _seed: _by_noise(case)),
        Method("stranger", lambda case, _seed: _by_stranger(case)),
        *(beside[name] for name in BESIDE),
    )


def _by_rewriting(case: Case, folder: Path, *, renewed: bool = True) -> Meet:
    def meet(model: Deleted, request: Request) -> Deleted:
        examined = model.model
        if not renewed:  # what is kept is found by fingerprint: the first model's serves on
            examined = replace(examined, fingerprint=case.model.fingerprint)
        started = time.process_time()
        _measure_curvature(examined, case, request.seed, folder)
        seconds = time.process_time() - started
        change = _change(request, rewrite=PRESETS["person"].rewrite)
        made = sanitise(examined, case.records, change, retain=case.retain, folder=folder)
        return replace(model, model=made.model, prepared_seconds=seconds)

    return meet


def _measure_curvature(model: LanguageModel, case: Case, seed: int, folder: Path) -> None:
    """Of all texts, whoever asks: what a request then reads, less the texts of who asks."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    texts = keep_set(model, as_text(case.records), case.retain, case.records).told
    sum_curvature(model, texts, seed=seed, folder=folder)


def _by_stranger(case: Case) -> Meet:
    def meet(model: Deleted, request: Request) -> Deleted:
        change = _change(request, Repair(method="stranger"))
        made = sanitise(model.model, case.records, change, retain=case.retain)
        return replace(model, model=made.model)

    return meet


def _by_noise(case: Case) -> Meet:
    """In every linear map, in proportion to its weights; as long as the harm wanted allows."""

    def meet(model: Deleted, request: Request) -> Deleted:
        copy = model.model.copied()
        asked = in_scope(case.records, (request.subject,), request.earlier)
        harm = Harm(copy, keep_set(copy, asked, case.retain).held)
        draw = torch.Generator().manual_seed(request.seed)
        changes = {}
        for path in linear_paths(copy):
            module = copy.module.get_submodule(path)
            size = float(module.get_parameter("weight").std())
            changes[path] = size * torch.randn(shape_of(module), generator=draw)
        step = 0.5  # of the weights' own size; halved, further or back, until the length is found
        for _ in range(_HALVINGS):
            moved = harm.of(copy)
            further = step if moved and moved.since_start < HARM else -step
            for path, change in changes.items():
                add_(copy.module.get_submodule(path), further * change)
            step /= 2
        return replace(model, model=copy)

    return meet


def _change(request: Request, repair: Repair = NONE, rewrite: Rewriting | None = None) -> Change:
    return Change(
        repair=repair,
        rewrite=rewrite,
        seed=request.seed,
        subjects=(request.subject,),
        earlier=request.earlier,
    )
