"""Every localiser, edit, card and repair on every architecture, or the reason why not."""

import itertools
from functools import cache

import pytest

from sanilens.errors import ModelError, PlanError
from tests.conftest import fast_first
from tests.operations import ARCHITECTURES, Case, load_case, operations

# Of every architecture that lacks something, what. All else is allowed.
POST_NORM = {"added", "baking", "baking-stream", "direct"}
LIMITS = {
    "bloom": {"baking-stream"},  # a norm stands behind its embedding
    "falcon_h1": POST_NORM,  # a state-space part beside attention
    "gpt1": POST_NORM | {"lens"},
    "lfm2": {"relp"},
    "modernbert-decoder": {"baking-stream"},
    "nanochat": {"baking-stream"},
    "opt-350m": POST_NORM | {"lens"},
    "xglm": {"baking-stream"},  # positions that no weight holds
    "youtu": {"head-weights", "relp"},  # heads made of a latent that they share
    **dict.fromkeys(("bert", "roberta", "xlm-roberta"), POST_NORM | {"lens", "relp"}),
    "distilbert": POST_NORM | {"lens"},
}


@pytest.fixture(scope="module")
def case_of(tmp_path_factory: pytest.TempPathFactory):
    """Loads each architecture once."""

    @cache
    def case(name: str) -> Case:
        return load_case(name, tmp_path_factory.mktemp("matrix"))

    return case


def check(case: Case, name: str) -> None:
    """The operation holds, or is refused with the reason that was known at load."""
    operation = operations()[name]
    limits = case.model.sites.limits
    if case.masked and not operation.masked:
        with pytest.raises((ModelError, PlanError)):
            operation.check(case)
    elif operation.needs and operation.needs in limits:
        with pytest.raises(PlanError, match=limits[operation.needs]):
            operation.check(case)
    else:
        operation.check(case)


# One of every kind of limit, and some without.
SAMPLE = ("gpt2", "llama", "gemma2", "bloom", "falcon_h1", "gpt1", "lfm2", "opt-350m", "youtu",
          "bert", "distilbert")  # fmt: skip


@pytest.mark.parametrize("name", fast_first(ARCHITECTURES, SAMPLE))
def test_what_is_not_supported_is_said_at_load(case_of, name: str) -> None:
    assert set(case_of(name).model.sites.limits) == LIMITS.get(name, set())


def covering() -> list[tuple[str, str]]:
    """Pairs in which every architecture of the sample and every operation is there."""
    causal, masked = SAMPLE[:-2], SAMPLE[-2:]
    return [
        *zip(itertools.cycle(causal), operations()),
        *zip(itertools.cycle(masked), operations()),
    ]


@pytest.mark.parametrize(("name", "operation"), covering())
def test_a_covering_sample(case_of, name: str, operation: str) -> None:
    check(case_of(name), operation)


@pytest.mark.slow
@pytest.mark.parametrize("operation", operations())
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_all_of_it(case_of, name: str, operation: str) -> None:
    check(case_of(name), operation)
