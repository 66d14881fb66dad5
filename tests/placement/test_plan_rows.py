"""Plans as JSON: strict, with the keys of the contract."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings

from core.costs import CostFunction
from core.curves import Constant, Linear
from core.placement.arrays.mixture import each_best_on_arrays
from core.placement.arrays.packed import PackedFleet
from core.placement.arrays.ranking import Ranking
from core.placement.arrays.stream import Stream
from core.placement.engine.engine import place, rank
from core.placement.engine.ledger import Ledger
from core.placement.engine.request import Request
from core.placement.plans.batch import compare_orders
from core.placement.plans.capacity import capacity
from core.placement.plans.drain import drain
from core.placement.plans.failure import failure, failure_of_several
from core.placement.plans.make_room import make_room
from core.placement.plans.mix import capacity_of_mix
from core.placement.plans.rebalance import rebalance
from core.placement.plans.rows import (
    capacity_document,
    comparison_document,
    drain_document,
    failure_document,
    mix_document,
    rebalance_document,
    room_document,
    several_document,
)
from tests.placement.world import CONFIGURATION, GIB, fleet, snapshot, vm
from tests.strategies import configurations, fleets, requests

if TYPE_CHECKING:
    from core.config.model import Configuration
    from core.fleet.fleet import Fleet


def strict(document: object) -> object:
    """Write and read it; neither NaN nor infinity passes."""
    return json.loads(json.dumps(document, allow_nan=False))


@settings(max_examples=40)
@given(configurations(), fleets(), requests())
def test_every_plan_of_any_fleet_is_strict_json(configuration: Configuration, fleet: Fleet, request: Request) -> None:
    """Whatever its costs and names."""
    strict(capacity_document(capacity(configuration, fleet, request)))
    strict(mix_document(capacity_of_mix(configuration, fleet, [(request, 2)], most=20)))
    strict(failure_document(failure(configuration, fleet)))
    strict(several_document(failure_of_several(configuration, fleet, 2)))
    strict(rebalance_document(rebalance(configuration, fleet)))
    strict(comparison_document(compare_orders(configuration, fleet, [request] * 3)))
    strict(room_document(make_room(configuration, fleet, request, most_moves=1)))
    for host in fleet.hosts:
        strict(drain_document(drain(configuration, fleet, host.name)))


def test_the_keys_are_those_of_the_contract() -> None:
    """More may stand beside them."""
    hosts = fleet(snapshot("a", vm("a", "1", gib=849, managed=True), vm("a", "2")), snapshot("b", vm("b", "1", gib=2)))
    found = capacity_document(capacity(CONFIGURATION, hosts, Request(1, GIB)))
    assert {"total", "hosts", "unbounded"} <= set(found)
    assert {"host", "fits", "stopped_by"} <= set(found["hosts"][0])
    assert {"why", "message", "term"} == set(found["hosts"][0]["stopped_by"])
    found = drain_document(drain(CONFIGURATION, hosts, "b"))
    assert {"host", "moves", "stuck", "complete"} <= set(found)
    assert {"vm", "why", "message"} <= set(found["stuck"][0])
    found = failure_document(failure(CONFIGURATION, hosts))
    assert (found["survives"], [host["survives"] for host in found["hosts"]]) == (False, [False, False])
    assert {"vm", "message"} <= set(found["hosts"][0]["homeless"][0])
    level = fleet(snapshot("a", *(vm("a", f"{number}", gib=100, managed=True) for number in range(4))), snapshot("b"))
    found = rebalance_document(rebalance(CONFIGURATION, level))
    assert {"highest_before", "highest_after", "sum_before", "sum_after", "moves"} <= set(found)
    assert {"vm", "from", "to", "cost", "reason"} <= set(found["moves"][0])
    assert found["highest_after"] < found["highest_before"]


def test_what_is_infinite_or_unbounded_is_null_and_says_so() -> None:
    """An overcommitted host; a function without limits."""
    crowded = fleet(snapshot("a", vm("a", "1", gib=900)), snapshot("b"))
    found = rebalance_document(rebalance(CONFIGURATION, crowded))
    assert (found["highest_before"], found["highest_before_state"]) == (None, "infinite")
    free = replace(CONFIGURATION, cost_functions={"cpu": CostFunction(id="cpu", name="")})
    found = capacity_document(capacity(free, fleet(snapshot("a")), Request(1, GIB)))
    assert (found["total"], found["unbounded"], found["hosts"][0]["fits"]) == (None, True, None)


def test_costs_near_the_end_of_doubles_stay_strict_json() -> None:
    """Sums and rises that overflow in either direction are infinite, without a warning."""
    low = CostFunction(id="cpu", name="", vms=Constant(value=-1.7e308))
    steep = CostFunction(id="gpu", name="", vms=Linear(slope=1.7e308, base=-1.7e308))
    huge = replace(CONFIGURATION, cost_functions={"cpu": low, "gpu": steep})
    hosts = fleet(
        *(snapshot(f"h{n}", vm(f"h{n}", "1", managed=True)) for n in range(4)), snapshot("g", profile="gpu-node")
    )
    request = Request(1, GIB)
    document = strict(rebalance_document(rebalance(huge, hosts)))
    assert document["sum_before_state"] == "infinite"
    assert strict(comparison_document(compare_orders(huge, hosts, [request] * 3)))["arrival"]["sum"] is None
    packed = PackedFleet(Ledger(huge, hosts))
    assert Ranking(packed, request).names() == [
        verdict.host for verdict in rank(huge, hosts, request) if verdict.feasible
    ]
    assert Stream(packed, request, 6).placements == place(huge, hosts, request, 6).placements
    found = [best for best, _ in each_best_on_arrays(Ledger(huge, hosts), [request] * 6)]
    assert [best[0] for best in found] == [placement.cost for placement in place(huge, hosts, request, 6).placements]
