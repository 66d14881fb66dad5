"""Cost functions: the sum of terms, in its order, and what makes it infinite."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.costs import CostFunction, CostState, Use
from core.curves import INFINITY, Constant, HardSoft, Invalid, Linear, Unavailable
from tests.curve_strategies import NUMBERS, USES, cost_functions

GIB = 1024**3
SIMPLE = CostFunction(
    id="simple",
    name="Simple",
    vms=Linear(slope=1, base=0),
    vcpus=HardSoft(soft=8, hard=16, soft_amt=4, hard_amt=32),
    memory=HardSoft(soft=16 * GIB, hard=32 * GIB, scale=10),
)


@given(cost_functions(), USES)
def test_a_cost_is_finite_or_infinity_and_never_nan(function: CostFunction, use: Use) -> None:
    """Whatever the numbers; an infinite term makes the total infinite."""
    cost = function.cost(use)
    assert cost.total == INFINITY or math.isfinite(cost.total)
    if any(term.cost == INFINITY for term in cost.terms):
        assert not cost.feasible
        assert cost.state is CostState.INFINITE


@given(cost_functions(), USES)
def test_terms_are_added_from_left_to_right(function: CostFunction, use: Use) -> None:
    """vms, vcpus, memory, then devices sorted by type; this order decides the last bit of every cost."""
    cost = function.cost(use)
    attributes = [term.attribute for term in cost.terms]
    assert attributes[:3] == ["vms", "vcpus", "memory"]
    assert attributes[3:] == [f"devices.{kind}" for kind in sorted({*function.devices, *use.devices})]
    total = 0.0
    for term in cost.terms:
        total += term.cost
    if math.isfinite(total) and math.isfinite(total * function.scale):
        expected = total * function.scale + function.offset
        assert cost.total == (expected if math.isfinite(expected) else INFINITY)


@given(cost_functions(), USES)
def test_the_order_of_devices_does_not_matter(function: CostFunction, use: Use) -> None:
    """However the mapping of types is ordered, the cost is the same to the last bit."""
    turned = Use(use.vms, use.vcpus, use.memory_bytes, dict(reversed(use.devices.items())))
    assert function.cost(turned).total == function.cost(use).total


@given(NUMBERS)
def test_infinity_stays_infinity_under_any_scale(scale: float) -> None:
    """Zero and negative included; an offset does not bring it back."""
    for offset in (0.0, -1e308):
        function = CostFunction(id="f", name="f", vms=Invalid(), scale=scale, offset=offset)
        assert function.cost(Use(vms=1)).total == INFINITY


def test_a_device_without_a_curve_is_unavailable_when_used() -> None:
    """It costs 0 while it is not used, and is not listed then."""
    assert SIMPLE.cost(Use(1, 1, GIB, {"gpu": 1})).total == INFINITY
    assert SIMPLE.cost(Use(1, 1, GIB, {"gpu": 0})).total == SIMPLE.cost(Use(1, 1, GIB)).total
    assert [term.attribute for term in SIMPLE.terms(Use(), mention=["gpu"])][3:] == ["devices.gpu"]
    assert SIMPLE.terms(Use(), mention=["gpu"])[3].curve == Unavailable()


def test_a_device_curve_counts_at_zero_use() -> None:
    """Every curve of the function is evaluated, also where no such device is used."""
    function = CostFunction(
        id="f", name="f", vms=Constant(value=1), devices={"gpu": Constant(value=5), "bad": Invalid()}
    )
    assert function.cost(Use(vms=1)).total == INFINITY
    usable = CostFunction(id="f", name="f", vms=Constant(value=1), devices={"gpu": Constant(value=5)})
    assert usable.cost(Use(vms=1)).total == 6.0


def test_an_absent_curve_contributes_nothing() -> None:
    """And is listed without a curve."""
    function = CostFunction(id="f", name="f", offset=3)
    assert function.cost(Use(100, 1000, 2**60)).total == 3.0
    assert [term.curve for term in function.terms(Use())] == [None, None, None]


def test_offset_is_not_scaled() -> None:
    """It is added after the scale."""
    function = CostFunction(id="f", name="f", vms=Constant(value=4), scale=2, offset=100)
    assert function.cost(Use()).total == 108.0


@pytest.mark.parametrize(
    ("use", "total"),
    [
        (Use(1, 4, 8 * GIB), 8.0), (Use(2, 9, 16 * GIB), 19.5), (Use(3, 16, 32 * GIB), 135.0),
        (Use(3, 17, 32 * GIB), INFINITY), (Use(3, 16, 32 * GIB + 1), INFINITY),
    ],
)  # fmt: skip
def test_the_documented_function(use: Use, total: float) -> None:
    """Basic cost function of the documentation; past 8 vCPUs each costs 3.5, as the formula says."""
    assert SIMPLE.cost(use).total == total


@given(USES, USES)
def test_uses_add_up(first: Use, second: Use) -> None:
    """Type by type, in either order."""
    both = first + second
    assert both.memory_bytes == first.memory_bytes + second.memory_bytes
    assert dict(both.devices) == dict((second + first).devices)
    assert sum(both.devices.values()) == sum(first.devices.values()) + sum(second.devices.values())


@given(st.integers(0, 40))
def test_the_largest_input_is_the_last_that_is_finite(vcpus: int) -> None:
    """What an operator is told as the limit of a term really is it."""
    term = SIMPLE.terms(Use(vcpus=vcpus))[1]
    assert term.largest_finite_input == 16
    assert term.feasible == (vcpus <= 16)
