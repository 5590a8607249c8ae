"""The control: scores drawn uniformly from [0, 1), whatever the spans."""

import torch

from sanilens.audit.targets import Targets
from sanilens.inspect.locate.localisers.localiser import Localiser, Settings
from sanilens.inspect.locate.scores import UnitScores


def random_scores(targets: Targets, settings: Settings) -> UnitScores:
    """Score every unit by chance."""
    sites = targets.model.sites
    generator = torch.Generator().manual_seed(settings.seed)
    values = torch.rand(sites.n_layers, sites.count(settings.kind), generator=generator)
    return UnitScores("random", settings.kind, values, targets.spans)


RANDOM = Localiser("random", "nothing: drawn at random, as a control", "seconds", random_scores)
