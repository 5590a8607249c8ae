"""Price: what a unit forgets of the spans for each nat of harm, if its weights are rewritten.

    price(n) = <U_n, grad_n L_S> = sum over n's slices of grad^T (C_nn + lam)^-1 grad

C is the curvature of what must stay (model/curvature.py), grad L_S the gradient of the forget loss
with strangers as teachers (model/lessons.py), and U_n the least harmful change of n's own weights
alone. At a harm of eps nats a token n lowers L_S by sqrt(2 eps price(n)): prices rank units by what
they forget at equal harm, where other localisers ask what carries a span and forget what else it
carries. What several forget together is less than the sum of their parts.

`forgetting` and `harm` say it of a whole basket, solved together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from sanilens.audit.targets import Targets
from sanilens.corpus.records import as_text
from sanilens.inspect.locate.localisers.localiser import Localiser, Settings
from sanilens.inspect.locate.scores import UnitScores
from sanilens.model.curvature import Curvature, sum_curvature
from sanilens.model.keep_set import keep_set
from sanilens.model.language_model import LanguageModel
from sanilens.model.lessons import forget_gradients, lessons
from sanilens.model.linear_maps import Matrix, linear_paths
from sanilens.model.measure import by_neuron
from sanilens.model.regions import unit_regions
from sanilens.model.teachers import teach
from sanilens.model.units import LayerUnit, UnitKind, layer_unit

# lam, as a plan's rewriting has it.
DAMPING = 1e-7


def price(targets: Targets, settings: Settings) -> UnitScores:
    """Score every unit; see the module's equation.

    What must stay is `settings.keep` and all in the targets' records that is not in scope.
    """
    return quoted(targets, settings).scores(settings.kind, targets.spans)


@dataclass(frozen=True)
class Quote:
    """What forgetting costs: gradients of the forget loss, and the curvature of what must stay.

    Attributes:
        model: the examined model.
        gradients: of L_S at every linear map, by path.
        loss: L_S, nats a sensitive token.
        curvature: of the keep set.
        damping: lam.
    """

    model: LanguageModel
    gradients: Mapping[str, Matrix]
    loss: float
    curvature: Curvature
    damping: float = DAMPING

    def scores(self, kind: UnitKind, targets: int) -> UnitScores:
        """The price of every unit, `targets` being how many spans are asked for."""
        sites = self.model.sites
        values = torch.zeros(sites.n_layers, sites.count(kind))
        for layer in range(sites.n_layers):
            values[layer] = self.of_layer(kind, layer)
        return UnitScores("price", kind, values, targets)

    def of_layer(self, kind: UnitKind, layer: int) -> Float[Tensor, " unit"]:
        """The price of each unit of a layer, of its slices one by one."""
        model, size = self.model, self.model.sites.size(kind)
        count = model.sites.count(kind)
        total = torch.zeros(count, device=model.device)
        for unit in range(count) if kind == "head" else ():
            total[unit] = self.gained([layer_unit(kind, layer, unit)])
        if kind == "head":
            return total.cpu()
        site = model.sites.mlps[layer]
        model.sites.require("neuron-weights")
        for path, layout in zip(site.reads, site.layouts, strict=True):
            total += by_neuron(layout, self._rows(path)[:, None]).sum(1)
        return (total + self._columns(site.out)[: count * size]).cpu()

    def gained(self, units: Sequence[LayerUnit]) -> float:
        """<U, grad L_S> of some units, solved together within each map: their price as one."""
        return sum(
            float((region.step(self.curvature[p], self.gradients[p], self.damping)
                   * self.gradients[p]).sum())
            for p, region in unit_regions(self.model, units).items()
        )  # fmt: skip

    def _rows(self, path: str) -> Float[Tensor, " outputs"]:
        own, gradient = self.curvature[path], self.gradients[path]
        damped = own.outputs.diagonal() + own.dampings(self.damping)[1]
        return (own.solve_inputs(gradient, self.damping) * gradient).sum(1) / damped

    def _columns(self, path: str) -> Float[Tensor, " inputs"]:
        own, gradient = self.curvature[path], self.gradients[path]
        damped = own.inputs.diagonal() + own.dampings(self.damping)[0]
        return (own.solve_outputs(gradient, self.damping) * gradient).sum(0) / damped


def quoted(targets: Targets, settings: Settings) -> Quote:
    """Ask the strangers, and measure the curvature."""
    model = targets.model
    asked = targets.records
    known = {record.id for record in asked}
    others = as_text(record for record in settings.keep if record.id not in known)
    taught = teach("stranger", model, asked, others=others, seed=settings.seed)
    gradients, loss = forget_gradients(
        model, [own for own in lessons(model, asked, taught) if own.columns], linear_paths(model)
    )
    sums = sum_curvature(
        model,
        keep_set(model, [*asked, *others]).told,
        seed=settings.seed,
        folder=settings.folder,
        progress=settings.progress,
    )
    return Quote(model, gradients, loss, sums.curvature())


PRICE = Localiser(
    "price",
    "how much of the spans it forgets for each nat of harm, if its weights are rewritten",
    "minutes",
    price,
)
