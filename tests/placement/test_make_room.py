"""Room made for a VM: the moves are feasible one after another, and no smaller set would do where that is said."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

from hypothesis import given, settings

from core.placement.engine.engine import judge, rank
from core.placement.engine.ledger import Ledger
from core.placement.engine.request import Request
from core.placement.plans.demand import Movables, MovePolicy, request_of
from core.placement.plans.make_room import make_room
from tests.placement.model import moved
from tests.placement.world import CONFIGURATION, GIB, GPUS, fleet, snapshot, vm
from tests.strategies import configurations, fleets, requests

if TYPE_CHECKING:
    from core.config.model import Configuration
    from core.fleet.fleet import Fleet

EVERYTHING = MovePolicy(foreign=True, with_devices=True)


@settings(max_examples=100)
@given(configurations(bounded=True), fleets(healthy=True), requests())
def test_the_vm_fits_after_the_moves_and_not_after_fewer(
    configuration: Configuration, fleet: Fleet, request: Request
) -> None:
    """Each move is feasible after those before it; of single moves all are tried here, by the plain engine."""
    ledger = Ledger(configuration, fleet)
    plan = make_room(configuration, fleet, request, EVERYTHING, most_moves=2, ledger=ledger)
    assert [line.cost for line in ledger.hosts] == [line.cost for line in Ledger(configuration, fleet).hosts]
    assert not any(line.changes for line in ledger.hosts)
    now = fleet
    for move in plan.moves:
        verdict = judge(configuration, now, move.request, now.host(move.target))
        assert (verdict.feasible, verdict.cost.total, verdict.devices) == (True, move.cost, move.devices)
        now = moved(now, move)
    able = [verdict for verdict in rank(configuration, fleet, request) if verdict.feasible]
    if able:
        assert (plan.moves, plan.host, plan.smallest) == ((), able[0].host, True)
    elif plan.host is not None:
        verdict = judge(configuration, now, request, now.host(plan.host))
        assert (verdict.feasible, verdict.cost.total, verdict.devices) == (True, plan.cost, plan.devices)
        assert not (plan.smallest and len(plan.moves) > 1 and one_move_does(configuration, fleet, request))
    elif plan.exhausted:
        assert not one_move_does(configuration, fleet, request)


def one_move_does(configuration: Configuration, fleet: Fleet, request: Request) -> bool:
    """Try each single move of the fleet."""
    from core.placement.plans.drain import Move

    movables = Movables(Ledger(configuration, fleet), EVERYTHING)
    for source, target in permutations(fleet.hosts, 2):
        for each in source.active_vms():
            if movables.host_stuck(source) or movables.stuck(source, each):
                continue
            its = request_of(configuration.hardware_profiles[source.host.profile], each, source.host.realm)
            verdict = judge(configuration, fleet, its, target)
            if not verdict.feasible or target.host.realm != source.host.realm:
                continue
            move = Move(vm=each, target=target.name, cost=0.0, devices=verdict.devices, request=its)
            if any(verdict.feasible for verdict in rank(configuration, moved(fleet, move), request)):
                return True
    return False


def crowd(host: str, *sizes: int) -> list[object]:
    """Make managed VMs of these sizes in GiB."""
    return [vm(host, f"{index}", gib=gib, managed=True) for index, gib in enumerate(sizes)]


def test_one_move_where_one_does() -> None:
    """The smallest VM whose leaving is enough goes to where it fits."""
    hosts = fleet(snapshot("a", *crowd("a", 500, 200)), snapshot("b", *crowd("b", 600)))
    plan = make_room(CONFIGURATION, hosts, Request(1, 300 * GIB))
    assert [(move.vm.name, move.source, move.target) for move in plan.moves] == [("1", "a", "b")]
    assert (plan.host, plan.smallest) == ("a", True)


def test_a_chain_where_the_vm_in_the_way_has_no_room_either() -> None:
    """The host it goes to gives one away first, which is the first step."""
    hosts = fleet(
        snapshot("a", *crowd("a", 720, 80)),
        snapshot("b", *crowd("b", 760, 30)),
        snapshot("c", *crowd("c", 810)),
    )
    plan = make_room(CONFIGURATION, hosts, Request(1, 120 * GIB))
    assert [(move.vm.memory_bytes // GIB, move.source, move.target) for move in plan.moves] == [
        (30, "b", "c"),
        (80, "a", "b"),
    ]
    assert (plan.host, plan.smallest) == ("a", True)


def test_no_set_of_moves_is_found_where_there_is_none() -> None:
    """All tried, or the budget at its end: the plan says which."""
    hosts = fleet(snapshot("a", *crowd("a", 800)), snapshot("b", *crowd("b", 800)))
    request = Request(1, 300 * GIB)
    plan = make_room(CONFIGURATION, hosts, request)
    assert (plan.host, plan.moves, plan.exhausted) == (None, (), True)
    assert not make_room(CONFIGURATION, hosts, request, budget=1).exhausted


def test_past_the_budget_one_host_is_cleared() -> None:
    """The plan doesn't claim to be the smallest then."""
    hosts = fleet(
        snapshot("a", *crowd("a", 100, 100, 100, 100, 400)),
        *(snapshot(f"b{number}", *crowd(f"b{number}", 730)) for number in range(6)),
    )
    request = Request(1, 440 * GIB)
    plan = make_room(CONFIGURATION, hosts, request, budget=30)
    assert (plan.host, len(plan.moves), plan.smallest, plan.exhausted) == ("a", 4, False, False)
    now = hosts
    for move in plan.moves:
        verdict = judge(CONFIGURATION, now, move.request, now.host(move.target))
        assert (verdict.feasible, verdict.cost.total) == (True, move.cost)
        now = moved(now, move)
    assert judge(CONFIGURATION, now, request, now.host("a")).cost.total == plan.cost
    proven = make_room(CONFIGURATION, hosts, request)
    assert (len(proven.moves), proven.smallest) == (4, True)


def test_a_device_is_freed_by_moving_who_holds_it() -> None:
    """If VMs with devices may be moved, which means shutting them down."""
    hosts = fleet(
        snapshot(
            "g",
            vm("g", "1", devices=GPUS[:1], managed=True),
            profile="gpu-node",
        ),
        snapshot("h", vm("h", "1", devices=GPUS[:1], managed=True), profile="gpu-node"),
    )
    request = Request(1, GIB, {"a100": 2})
    assert make_room(CONFIGURATION, hosts, request).host is None
    plan = make_room(CONFIGURATION, hosts, request, MovePolicy(with_devices=True))
    assert [(move.source, move.target, move.offline) for move in plan.moves] == [("g", "h", True)]
    assert (plan.host, plan.devices) == ("g", GPUS[:2])
