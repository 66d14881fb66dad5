"""A rebalance ends, takes only feasible steps, and lowers the hosts' costs from the highest down."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from bench.fleets import CONFIGURATION as NODES
from bench.fleets import make_fleet
from core.config.model import Configuration
from core.costs import CostFunction
from core.curves import INFINITY, HardSoft, Linear
from core.fleet.fleet import Connection
from core.placement.engine.engine import without_vm
from core.placement.plans import rebalance as planning
from core.placement.plans.demand import MovePolicy, request_of
from core.placement.plans.rebalance import RebalancePlan, rebalance
from tests.placement.model import best_elsewhere, costs, moved, vm_of
from tests.placement.world import CONFIGURATION, GIB, GPUS, fleet, snapshot, vm
from tests.strategies import configurations, fleets

if TYPE_CHECKING:
    from core.fleet.fleet import Fleet


def best_gain_first(configuration: Configuration, fleet: Fleet, policy: MovePolicy | None = None) -> RebalancePlan:
    """Plan without a look for one that ends sooner."""
    most = planning._MOST_REPEATED
    try:
        planning._MOST_REPEATED = 0
        return rebalance(configuration, fleet, policy)
    finally:
        planning._MOST_REPEATED = most


@settings(max_examples=100)
@given(configurations(), fleets(healthy=True), st.booleans())
def test_every_step_is_what_placement_would_say_and_the_highest_never_rises(
    configuration: Configuration, fleet: Fleet, with_devices: bool
) -> None:
    """The costs in descending order fall with every move; in the end no VM that may move would have a cheaper host."""
    policy = MovePolicy(foreign=True, with_devices=with_devices)
    plan = rebalance(configuration, fleet, policy)
    each_gains_most = best_gain_first(configuration, fleet, policy)
    assert len(plan.moves) <= len(each_gains_most.moves)
    assert rebalance(configuration, fleet, policy, most=2).moves == plan.moves[:2]
    assert plan.after.highest <= each_gains_most.after.highest
    levels = list(plan.levels)
    now = fleet
    before = costs(configuration, now)
    for move in plan.moves:
        there = vm_of(now, move.vm.uuid)
        best = best_elsewhere(configuration, now, move.request, there.host)
        assert (best.host, best.cost.total, best.devices) == (move.target, move.cost, move.devices)
        assert best.cost.total < before[there.host]
        assert there == move.vm
        now = moved(now, move)
        after = costs(configuration, now)
        assert (levels[0].highest, levels[1].highest) == (max(before.values()), max(after.values()))
        assert sum(cost == INFINITY for cost in after.values()) <= sum(cost == INFINITY for cost in before.values())
        if INFINITY not in before.values():
            assert sorted(after.values(), reverse=True) < sorted(before.values(), reverse=True)
        before, levels = after, levels[1:]
    held = {stuck.vm.uuid for stuck in plan.held}
    for host in now.hosts:
        profile = configuration.hardware_profiles[host.host.profile]
        for each in host.active_vms():
            lighter = costs(configuration, without_vm(now, each.key))[host.name]
            if each.uuid in held or lighter >= before[host.name] != INFINITY:
                continue
            best = best_elsewhere(configuration, now, request_of(profile, each, "main"), host.name)
            assert best is None or best.cost.total >= before[host.name]


CONVEX = replace(
    CONFIGURATION,
    cost_functions={
        "cpu": CostFunction(id="cpu", name="", memory=HardSoft(soft=400.0 * GIB, hard=800.0 * GIB)),
        "gpu": CONFIGURATION.cost_functions["gpu"],
    },
)


def crowd(host: str, count: int, gib: int = 50) -> list[object]:
    """Make managed VMs of one size."""
    return [vm(host, f"{number:02}", gib=gib, managed=True) for number in range(count)]


def test_equal_hosts_end_level() -> None:
    """Twelve VMs of one size on one of three hosts."""
    hosts = fleet(snapshot("a", *crowd("a", 12)), snapshot("b"), snapshot("c"))
    plan = rebalance(CONVEX, hosts)
    assert [(move.vm.name, move.target) for move in plan.moves][:2] == [("00", "b"), ("01", "c")]
    assert len(plan.moves) == 8
    assert plan.after.highest == CONVEX.cost_functions["cpu"].memory.cost(200.0 * GIB)
    assert [level.highest for level in plan.levels] == sorted((level.highest for level in plan.levels), reverse=True)
    assert rebalance(CONVEX, hosts, most=3).moves == plan.moves[:3]
    assert (rebalance(CONVEX, hosts, most=3).stopped, plan.stopped) == (True, False)


def test_a_plan_that_ends_sooner_at_the_same_costs_is_taken() -> None:
    """Large VMs that leave hosts below the soft limit first save two moves here."""
    crowded = make_fleet(12, 200, seed=44, skew=True)
    plan, each_gains_most = rebalance(NODES, crowded), best_gain_first(NODES, crowded)
    assert (len(plan.moves), len(each_gains_most.moves)) == (24, 26)
    assert (plan.stopped, each_gains_most.stopped) == (False, False)
    assert plan.after == each_gains_most.after
    first = rebalance(NODES, crowded, most=5)
    assert (first.moves, first.levels, first.stopped) == (plan.moves[:5], plan.levels[:6], True)
    assert [level.highest for level in plan.levels] == sorted((level.highest for level in plan.levels), reverse=True)


def test_an_overcommitted_host_is_helped_first() -> None:
    """It has more than its cost function allows."""
    hosts = fleet(snapshot("a", *crowd("a", 10)), snapshot("b", *crowd("b", 17)), snapshot("c"))
    plan = rebalance(CONVEX, hosts)
    assert plan.before.highest == INFINITY
    assert plan.moves[0].source == "b"
    assert plan.after.highest == CONVEX.cost_functions["cpu"].memory.cost(450.0 * GIB)


def test_vms_with_devices_and_those_of_silent_hosts_stay() -> None:
    """A VM that holds a device can't move while it runs; what a silent host runs nobody knows."""
    busy = vm("g", "1", gib=500, devices=GPUS[:1], managed=True)
    hosts = fleet(
        snapshot("g", busy, profile="gpu-node"),
        snapshot("h", profile="gpu-node"),
        snapshot("s", *crowd("s", 9), connection=Connection.UNREACHABLE),
    )
    plan = rebalance(CONFIGURATION, hosts)
    assert (plan.moves, {stuck.why for stuck in plan.held}) == ((), {"holds-devices", "not-connected"})


def test_a_flat_cost_moves_nothing() -> None:
    """A host that costs as much is no cheaper one."""
    flat = replace(
        CONFIGURATION, cost_functions={"cpu": CostFunction(id="cpu", name="", vms=Linear(slope=0.0, base=1.0))}
    )
    hosts = fleet(snapshot("a", *crowd("a", 3)), snapshot("b"))
    assert rebalance(flat, hosts).moves == ()
    assert rebalance(Configuration(), fleet()).after == (0.0, 0.0)
