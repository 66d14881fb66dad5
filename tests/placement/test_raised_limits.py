"""Limits that would have to be raised for a VM to fit."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.config.model import Configuration
from core.config.settings import Setting, apply_settings
from core.costs import CostFunction, Use
from core.curves import INFINITY, Curve, HardSoft, Invalid, Linear, Piecewise, Unavailable
from core.placement.engine.raised_limits import raised_limits
from tests.strategies import curves

GIB = 2**30
HARD = HardSoft(soft=600.0 * GIB, hard=850.0 * GIB)


def function(**parts: Curve) -> CostFunction:
    """Make a cost function."""
    return CostFunction(id="f", name="f", **parts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("curve", "path"),
    [
        (HARD, ("memory", "hard")),
        (Linear(slope=1.0, base=0.0, max=5.0), ("memory", "max")),
        (Piecewise(cutoff=1.0, low=Linear(slope=1.0, base=0.0), high=HARD), ("memory", "high", "hard")),
        (Piecewise(cutoff=1.0, low=Linear(slope=1.0, base=0.0), high=Invalid()), ("memory", "cutoff")),
    ],
)
def test_the_parameter_that_stands_in_the_way_is_named(curve: Curve, path: tuple[str, ...]) -> None:
    """With the least value that is enough: the input itself."""
    cost = function(memory=curve).cost(Use(1, 1, 900 * GIB))
    assert [(limit.path, limit.least) for limit in raised_limits(cost)] == [(path, 900.0 * GIB)]


@pytest.mark.parametrize("curve", [Invalid(), Unavailable(), replace(HARD, max=5.0), None])
def test_where_no_single_limit_of_a_curve_is_enough_there_is_none(curve: Curve | None) -> None:
    """Nor where the cost is finite."""
    parts = {} if curve is None else {"memory": curve}
    assert raised_limits(function(**parts).cost(Use(1, 1, 900 * GIB))) == ()


@given(curves(float(GIB)), st.integers(1, 2000))
def test_raised_limits_make_the_cost_finite(curve: Curve, gib: int) -> None:
    """Set as the configuration would be."""
    before = function(memory=curve)
    use = Use(1, 1, gib * GIB)
    limits = raised_limits(before.cost(use))
    if not limits:
        return
    path = ".".join(("cost-functions", "f", *limits[0].path))
    setting = Setting.parse(f"{path}={limits[0].least!r}")
    after = apply_settings(Configuration({"f": before}), [setting])[0].cost_functions["f"]
    assert before.total(use) == INFINITY
    assert after.total(use) != INFINITY
