"""The six curves: values, infinity, limits, aliases, and the equivalences that the documentation promises."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from core.curves import (
    CURVE_NAMES,
    INFINITY,
    Constant,
    Curve,
    HardSoft,
    Invalid,
    Linear,
    Piecewise,
    Unavailable,
    as_mapping,
    curve_name,
    format_curve,
)
from tests.curve_strategies import AMOUNTS, NUMBERS, TAME, curves

GIB = 1024**3


@given(curves(), AMOUNTS)
def test_a_cost_is_finite_or_infinity_and_never_nan(curve: Curve, amount: int) -> None:
    """Whatever the parameters: overflow of either sign is plus infinity."""
    cost = curve.cost(amount)
    assert cost == INFINITY or math.isfinite(cost)


@given(NUMBERS, AMOUNTS)
@example(0.0, 1)
@example(-1.0, 1)
def test_infinity_stays_infinity_under_any_scale(scale: float, amount: int) -> None:
    """Zero and negative scales included."""
    assert Invalid(scale=scale).cost(amount) == INFINITY
    assert HardSoft(soft=1, hard=2, scale=scale).cost(3 + amount) == INFINITY
    assert Unavailable(scale=scale).cost(1 + amount) == INFINITY
    assert Piecewise(cutoff=0, low=Constant(value=1), high=Invalid(), scale=scale).cost(1 + amount) == INFINITY


@given(curves(TAME), AMOUNTS, st.integers(0, 1000))
def test_an_input_past_max_is_infinite_and_max_itself_is_not_past_it(curve: Curve, amount: int, limit: int) -> None:
    """`max` is tested first, with greater-than."""
    limited = type(curve)(
        **{**{name: getattr(curve, name) for name in curve.__dataclass_fields__}, "max": float(limit)}
    )
    unlimited = type(curve)(**{**{name: getattr(curve, name) for name in curve.__dataclass_fields__}, "max": None})
    assert limited.cost(amount) == (INFINITY if float(amount) > limit else unlimited.cost(amount))


@given(curves(), st.floats(min_value=0, max_value=1e15))
def test_the_limit_agrees_with_the_cost(curve: Curve, amount: float) -> None:
    """Nothing past the limit is finite; nothing up to it is infinite, unless the cost overflows."""
    limit = curve.limit()
    if limit is not None and amount > limit:
        assert curve.cost(amount) == INFINITY


@given(curves(TAME), st.floats(min_value=0, max_value=1e15))
def test_everything_up_to_the_limit_is_finite(curve: Curve, amount: float) -> None:
    """With numbers that don't overflow."""
    limit = curve.limit()
    if limit is not None and amount <= limit:
        assert curve.cost(amount) != INFINITY
    if curve.cost(0) == INFINITY:
        assert limit is None


@pytest.mark.parametrize(
    ("curve", "limit"),
    [
        (HardSoft(soft=1, hard=2), 2.0), (HardSoft(soft=1, hard=2, max=1.5), 1.5), (Unavailable(), 0.0),
        (Invalid(), None), (Linear(slope=1, base=0), INFINITY), (Linear(slope=1, base=0, max=4), 4.0),
        (Constant(value=1), INFINITY),
        (Piecewise(cutoff=6, low=Constant(value=5), high=Invalid()), 6.0),
        (Piecewise(cutoff=6, low=Invalid(), high=Constant(value=5)), None),
        (Piecewise(cutoff=6, low=Constant(value=5, max=2), high=Constant(value=5)), None),
    ],
)  # fmt: skip
def test_limits_of_plain_curves(curve: Curve, limit: float | None) -> None:
    """None where finite and infinite inputs alternate, or nothing is finite."""
    assert curve.limit() == limit


def test_the_documented_hard_soft_example() -> None:
    """0 at 0, 1 at 1, 10 at 2, infinity past 2."""
    curve = HardSoft(soft=1.0, hard=2.0)
    assert [curve.cost(x) for x in (0, 1, 2, 3)] == [0.0, 1.0, 10.0, INFINITY]
    assert curve.cost(2.0000001) == INFINITY


@given(st.floats(min_value=0, max_value=64 * GIB))
def test_amounts_and_scale_are_equivalent_as_documented(x: float) -> None:
    """Amounts of 10 and 100 are a scale of 10."""
    amounts = HardSoft(soft=32 * GIB, hard=48 * GIB, soft_amt=10, hard_amt=100)
    scaled = HardSoft(soft=32 * GIB, hard=48 * GIB, scale=10)
    assert amounts.cost(x) == pytest.approx(scaled.cost(x), rel=1e-12, abs=1e-12)


@given(st.one_of(st.floats(min_value=0, max_value=4), st.sampled_from((0.0, 1.0, 2.0))))
def test_the_documented_piecewise_is_a_hard_soft(x: float) -> None:
    """With soft 1 and hard 2, written as two lines."""
    beyond = Piecewise(cutoff=2, low=Linear(slope=9, base=-8), high=Invalid())
    written = Piecewise(cutoff=1, low=Linear(slope=1, base=0), high=beyond)
    assert written.cost(x) == pytest.approx(HardSoft(soft=1, hard=2).cost(x), rel=1e-12, abs=1e-12)


@given(st.floats(min_value=0, max_value=1e18))
def test_the_documented_piecewise_is_unavailable(x: float) -> None:
    """Constant 0 up to 0, invalid beyond."""
    written = Piecewise(cutoff=0, low=Constant(value=0), high=Invalid())
    assert written.cost(x) == Unavailable().cost(x)


def test_the_documented_step() -> None:
    """5 up to 6, infinity past 6."""
    curve = Piecewise(cutoff=6.0, low=Constant(value=5), high=Invalid())
    assert [curve.cost(x) for x in (0, 6, 6.5, 7)] == [5.0, 5.0, INFINITY, INFINITY]


@given(TAME, TAME, st.floats(min_value=0.01, max_value=1e12), st.floats(min_value=1.0, max_value=100.0))
def test_a_hard_soft_goes_through_its_points(soft_amt: float, hard_amt: float, soft: float, factor: float) -> None:
    """The cost is softAmt at soft and hardAmt at hard, exactly; 0 at 0."""
    hard = soft * factor
    curve = HardSoft(soft=soft, hard=hard, soft_amt=soft_amt, hard_amt=hard_amt)
    assert curve.cost(0) == 0
    assert curve.cost(soft) == soft_amt
    assume(hard > soft)
    assert curve.cost(hard) == hard_amt
    assert curve.cost(math.nextafter(hard, INFINITY)) == INFINITY


def test_equal_limits_are_finite_up_to_soft() -> None:
    """Limits that are equal leave no second stretch, and no division by zero."""
    curve = HardSoft(soft=8, hard=8, soft_amt=4, hard_amt=32)
    assert [curve.cost(x) for x in (4, 8, 9)] == [2.0, 4.0, INFINITY]


@given(TAME, TAME, st.integers(0, 100))
def test_scale_of_a_piecewise_applies_to_the_outer_result(outer: float, inner: float, x: int) -> None:
    """The inner curve has its own scale."""
    curve = Piecewise(cutoff=1000, low=Linear(slope=1, base=1, scale=inner), high=Invalid(), scale=outer)
    assert curve.cost(x) == pytest.approx((x + 1.0) * inner * outer, rel=1e-9, abs=1e-9)


def test_aliases_are_the_same_curve() -> None:
    """soft-hard is hard-soft, low-high and high-low are piecewise: not mirrored ones."""
    assert CURVE_NAMES["hard-soft"] is CURVE_NAMES["soft-hard"]
    assert CURVE_NAMES["piecewise"] is CURVE_NAMES["low-high"] is CURVE_NAMES["high-low"]
    assert curve_name(Piecewise(cutoff=1, low=Invalid(), high=Invalid())) == "piecewise"


@given(curves())
def test_a_curve_is_spelled_out_as_strict_json(curve: Curve) -> None:
    """Every parameter with its default, under the configuration's names."""
    spelled = as_mapping(curve)
    assert json.loads(json.dumps(spelled, allow_nan=False)) == spelled
    assert spelled["scale"] == curve.scale
    assert spelled["max"] == curve.max
    assert format_curve(curve).startswith(f"{{ curve: {spelled['curve']}")
