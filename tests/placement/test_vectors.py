"""What is worked out for all hosts at once is to the last bit what the plain engine works out one by one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.config.model import Configuration
from core.costs import CostFunction
from core.curves import INFINITY, Constant, HardSoft, Invalid, Linear, Piecewise, Unavailable, as_cost
from core.placement.arrays.packed import PackedFleet
from core.placement.arrays.ranking import Ranking
from core.placement.arrays.stream import Stream
from core.placement.arrays.vectors import curve_costs
from core.placement.engine.engine import place, rank
from core.placement.engine.ledger import Ledger
from core.placement.engine.request import Request
from tests.placement.world import CONFIGURATION, GIB, fleet, snapshot
from tests.strategies import configurations, curves, fleets, requests

if TYPE_CHECKING:
    from core.curves import Curve
    from core.fleet.fleet import Fleet

rich = settings(max_examples=100)
huge = st.floats(-1e308, 1e308, allow_nan=False) | st.sampled_from([0.0, -0.0, 1e-308, 5e-324])
extreme = st.recursive(
    st.one_of(
        st.builds(Linear, slope=huge, base=huge, scale=huge, max=st.none() | huge),
        st.builds(Constant, value=huge, scale=huge),
        st.builds(
            HardSoft,
            soft=st.floats(1e-300, 40.0, exclude_min=True),
            hard=st.floats(40.0, 1e300),
            soft_amt=huge,
            hard_amt=huge,
            scale=huge,
        ),
        st.just(Invalid()),
        st.just(Unavailable()),
    ),
    lambda inner: st.builds(Piecewise, cutoff=st.integers(0, 60).map(float), low=inner, high=inner, scale=huge),
    max_leaves=6,
)


@rich
@given(extreme | curves(), st.lists(st.integers(0, 100), min_size=1, max_size=30))
def test_a_curve_on_an_array_is_the_curve_on_each(curve: Curve, amounts: list[int]) -> None:
    """Nested, with a maximum, with negative scales, up to overflow."""
    with np.errstate(all="ignore"):
        found = np.broadcast_to(curve_costs(curve, np.array(amounts, dtype=np.float64)), len(amounts))
    assert [as_cost(float(cost)).hex() for cost in found] == [curve.cost(amount).hex() for amount in amounts]


@rich
@given(configurations(), fleets(), requests())
def test_a_ranking_is_the_plain_engine_s(configuration: Configuration, fleet: Fleet, request: Request) -> None:
    """Order, costs, every term; verdicts made on demand are equal ones."""
    ledger = Ledger(configuration, fleet)
    ranking = Ranking(PackedFleet(ledger), request)
    plain = rank(configuration, fleet, request)
    assert ranking.names() == [verdict.host for verdict in plain if verdict.feasible]
    for verdict in plain:
        host = ledger.index[verdict.host]
        if verdict.feasible:
            assert float(ranking.cost[host]).hex() == verdict.cost.total.hex()
        else:
            assert ranking.cost[host] == INFINITY
        terms = ranking.terms(host)
        for term in verdict.terms:
            if term.attribute in terms:
                assert terms[term.attribute].hex() == term.cost.hex()
        assert {term.attribute for term in verdict.terms if term.curve is not None and term.cost} <= {*terms, *(
            f"devices.{kind}" for kind in request.devices
        )}  # fmt: skip
    assert ranking.verdicts() == plain
    assert list(ranking.best()) == [verdict for verdict in plain if verdict.feasible]


@rich
@given(configurations(), fleets(), requests(), st.integers(1, 60))
def test_a_stream_is_what_placing_one_by_one_decides(
    configuration: Configuration, fleet: Fleet, request: Request, count: int
) -> None:
    """Hosts, costs, ties and devices, for curves of any shape."""
    plain = place(configuration, fleet, request, count)
    stream = Stream(PackedFleet(Ledger(configuration, fleet)), request, count)
    assert stream.placements == plain.placements
    assert stream.complete == plain.complete


@rich
@given(st.lists(extreme | curves(), min_size=1, max_size=3), st.integers(1, 40), st.integers(1, 120))
def test_a_stream_follows_any_shape_of_the_costs(shapes: list[Curve], hosts: int, count: int) -> None:
    """Many hosts under a few functions that rise, fall, jump and tie."""
    functions = {str(number): CostFunction(id=str(number), name="", vms=curve) for number, curve in enumerate(shapes)}
    node = CONFIGURATION.hardware_profiles["cpu-node"]
    configuration = Configuration(
        functions, {name: replace(node, id=name, cost_function=name) for name in functions}, CONFIGURATION.realms
    )
    several = fleet(*(snapshot(f"h{number:02}", profile=str(number % len(shapes))) for number in range(hosts)))
    request = Request(1, GIB)
    plain = place(configuration, several, request, count)
    assert Stream(PackedFleet(Ledger(configuration, several)), request, count).placements == plain.placements


def test_sizes_past_what_doubles_hold_are_ranked_one_by_one() -> None:
    """2^53 and one byte is no double."""
    request = Request(1, 2**53 + 1)
    free = {
        "cpu": CostFunction(id="cpu", name="", memory=Linear(slope=1.0, base=0.0)),
        "gpu": CONFIGURATION.cost_functions["gpu"],
    }
    configuration = Configuration(free, CONFIGURATION.hardware_profiles, CONFIGURATION.realms)
    packed = PackedFleet(Ledger(configuration, fleet(snapshot("a"))))
    assert not packed.is_exact(request)
    assert Ranking(packed, request).cost[0] == float(2**53 + 1)
    assert Stream(packed, request, 5).placements == place(configuration, packed.ledger.fleet, request, 5).placements
    assert packed.ledger.hosts[0].vms == 0


@pytest.mark.parametrize("count", [1, 7, 500])
def test_a_settled_stream_stands_in_the_ledger(count: int) -> None:
    """So that the next question starts from there."""
    ledger = Ledger(CONFIGURATION, fleet(snapshot("a"), snapshot("b")))
    stream = Stream(PackedFleet(ledger), Request(1, GIB), count)
    stream.settle()
    assert sum(line.vms for line in ledger.hosts) == len(stream) == min(count, 256)
    assert stream.by_host() == {line.name: line.vms for line in ledger.hosts if line.vms}
