"""Where an autoencoder sits: TransformerLens's name of an activation, on the user's own modules.

resid_pre + hook_attn_out + hook_mlp_out = resid_post: what a part adds is taken behind its norm and
with its multiplier, where it has them (model/measure.py).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from torch import Tensor

from sanilens.errors import PlanError
from sanilens.model.hooks import Hooks
from sanilens.model.measure import Added
from sanilens.model.sites import Sites

Point = Literal["hook_resid_post", "hook_attn_out", "hook_mlp_out", "mlp.hook_post"]
POINTS: tuple[Point, ...] = get_args(Point)
_POINT_OF: dict[str, Point] = {point: point for point in POINTS}
# TransformerLens's newer names of the same activations, which SAELens writes for its bridge.
_ALSO: dict[str, Point] = {
    "hook_out": "hook_resid_post",
    "attn.hook_out": "hook_attn_out",
    "mlp.hook_out": "hook_mlp_out",
    "mlp.out.hook_in": "mlp.hook_post",
}
_BEFORE = ("hook_resid_pre", "hook_in")
_NAME = re.compile(r"blocks\.(0|[1-9][0-9]{0,3})\.([a-z_.]+)")


@dataclass(frozen=True, slots=True)
class SaeSite:
    """A point of a layer: the residual stream after it, what its parts add to it, its neurons."""

    layer: int
    point: Point

    def __str__(self) -> str:
        return f"blocks.{self.layer}.{self.point}"

    def check(self, sites: Sites) -> None:
        """Refuse a site that the model does not have.

        Raises:
            PlanError: if it has no such layer, or adds nothing there that could be read as it is.
        """
        if self.layer >= sites.n_layers:
            raise PlanError(f"site {self}: the model has {sites.n_layers} layers, counted from 0.")
        if self.point in ("hook_attn_out", "hook_mlp_out"):
            sites.require("added")

    def width(self, sites: Sites) -> int:
        """How many dimensions an activation has there.

        Raises:
            PlanError: if the model has no such site.
        """
        self.check(sites)
        return sites.d_mlp if self.point == "mlp.hook_post" else sites.d_model

    def hooks(self, sites: Sites, edit: Callable[[Tensor], Tensor | None]) -> Hooks:
        """Hooks that give the activation to `edit`, and put in its place what that returns.

        Raises:
            PlanError: if the model has no such site.
        """
        self.check(sites)
        match self.point:
            case "mlp.hook_post":
                return Hooks({sites.mlps[self.layer].out: edit})
            case "hook_resid_post":
                added = Added(sites.blocks[self.layer], 1.0)
            case "hook_attn_out":
                added = sites.adds("head", self.layer)
            case "hook_mlp_out":
                added = sites.adds("mlp", self.layer)

        def output_edit(_x: Tensor, output: Tensor) -> Tensor:
            if added.scale == 1:
                edited = edit(output)
                return output if edited is None else edited
            edited = edit(added.scale * output)
            return output if edited is None else edited / added.scale

        return Hooks(outputs={added.path: output_edit})


def parse_site(text: str) -> SaeSite:
    """Invert `str`: `parse_site(str(site)) == site`.

    Raises:
        PlanError: naming the points there are.
    """
    found = _NAME.fullmatch(text)
    point = _POINT_OF.get(found[2]) if found else None
    if found is None or point is None:
        raise PlanError(
            f"{text[:60]!r} is no site: expected 'blocks.<layer>.' and one of {', '.join(POINTS)}."
        )
    return SaeSite(int(found[1]), point)


def site_of_hook(name: str) -> SaeSite:
    """The site that an autoencoder of SAELens was trained at, by any of TransformerLens's names.

    What enters a layer is what leaves the one before it.

    Raises:
        PlanError: if it is none of ours.
    """
    found = _NAME.fullmatch(name)
    if found and (point := _ALSO.get(found[2])):
        return SaeSite(int(found[1]), point)
    if found and found[2] in _BEFORE and int(found[1]) > 0:
        return SaeSite(int(found[1]) - 1, "hook_resid_post")
    return parse_site(name)
