"""How far a step's promise is trusted; steps themselves are tested with the rewriting."""

import pytest

from sanilens.unlearn.trust_region import Damping


def test_damping_grows_where_a_step_does_not_keep_its_promise() -> None:
    damping = Damping(1e-7, 1e-7)
    name, date = frozenset({"name"}), frozenset({"date"})
    found = [damping.after(name, 1.0)]
    for asked, promised, loss in (
        (name, 0.4, 0.95),  # an eighth of what was promised
        (name, 0.4, 1.0),  # worse than before
        (date, 0.4, 1.0),  # others are asked for: nothing can be told
        (date, 0.4, 0.85),  # three eighths: neither broken nor kept
        (date, 0.4, 0.45),  # kept
        (frozenset(), 0.1, 0.9),  # a trial's loss is a copy's
        (date, 0.1, 0.9),
        (date, 0.1, 0.8),
        (date, 0.1, 0.7),
    ):
        damping.promised = promised
        found.append(damping.after(asked, loss))
    powers = [-7, -6, -5, -5, -5, -6, -6, -6, -7, -7]
    assert found == pytest.approx([10.0**power for power in powers])
