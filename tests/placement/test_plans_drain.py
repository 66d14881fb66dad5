"""A drain carried out on the model leaves nothing that can move, and each step is what placement would say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import UsageError
from core.fleet.fleet import Connection, VMState
from core.hosts import HostState
from core.placement.engine.ledger import Ledger
from core.placement.plans.demand import MovePolicy, largest_first
from core.placement.plans.drain import drain
from core.reservations import Reservation
from tests.placement.model import best_elsewhere, moved
from tests.placement.world import CONFIGURATION, GPUS, NOW, fleet, snapshot, vm
from tests.strategies import configurations, fleets

if TYPE_CHECKING:
    from core.config.model import Configuration
    from core.fleet.fleet import Fleet


@settings(max_examples=100)
@given(configurations(), fleets(healthy=True), st.booleans())
def test_each_move_is_where_placement_would_put_the_vm(
    configuration: Configuration, fleet: Fleet, foreign: bool
) -> None:
    """In the fleet as it is by then; and what is stuck for want of room has none."""
    for host in fleet.hosts:
        now = fleet
        plan = drain(configuration, fleet, host.name, MovePolicy(foreign=foreign))
        assert [move.vm for move in plan.moves] == sorted((move.vm for move in plan.moves), key=largest_first)
        for move in plan.moves:
            best = best_elsewhere(configuration, now, move.request, host.name)
            assert (move.target, move.cost, move.devices) == (best.host, best.cost.total, best.devices)
            now = moved(now, move)
        accounted = [*(move.vm for move in plan.moves), *(each.vm for each in (*plan.stuck, *plan.left))]
        assert sorted(accounted, key=largest_first) == sorted(host.vms, key=largest_first)
        assert plan.complete == (not any(vm.active for vm in now.host(host.name).vms))


@settings(max_examples=40)
@given(configurations(), fleets(), st.randoms(use_true_random=False))
def test_the_order_of_hosts_and_a_ledger_handed_in_change_nothing(
    configuration: Configuration, fleet: Fleet, chance: object
) -> None:
    """One ledger serves any number of plans."""
    hosts = list(fleet.hosts)
    chance.shuffle(hosts)
    ledger = Ledger(configuration, replace(fleet, hosts=tuple(hosts)))
    for host in fleet.hosts:
        plan = drain(configuration, fleet, host.name)
        assert drain(configuration, fleet, host.name, ledger=ledger) == plan


def reasons(plan: object) -> dict[str, str]:
    """Return why each VM is stuck, by name."""
    return {stuck.vm.name: stuck.why for stuck in plan.stuck}


def test_what_can_t_move_says_why() -> None:
    """Foreign, crashed, reserved elsewhere, active twice, with a device of no known type, too large for any host."""
    source = snapshot(
        "a",
        vm("a", "foreign"),
        vm("a", "crashed", state=VMState.CRASHED, managed=True),
        vm("a", "busy", managed=True),
        replace(vm("a", "twice", managed=True), uuid="b-twice"),
        vm("a", "device", devices=GPUS[:1], managed=True),
        vm("a", "large", gib=849, managed=True),
        vm("a", "off", active=False, state=VMState.OFF, managed=True),
        vm("a", "fine", managed=True),
        state=HostState.NO_SCHEDULING,
    )
    reserved = Reservation(
        uuid="a-busy", vm="busy", host="b", vcpus=1, memory_bytes=1, taken_at=NOW, expires_at=NOW + 9
    )
    target = snapshot("b", replace(vm("b", "twice"), managed=True), reservations=(reserved,))
    plan = drain(CONFIGURATION, fleet(source, target), "a")
    assert reasons(plan) == {
        "foreign": "foreign",
        "crashed": "state",
        "busy": "reserved",
        "twice": "active-elsewhere",
        "device": "unknown-device",
        "large": "cost-infinite",
    }
    assert [move.vm.name for move in plan.moves] == ["fine"]
    assert [left.vm.name for left in plan.left] == ["off"]
    assert "b: memory infinite" in next(stuck.message for stuck in plan.stuck if stuck.vm.name == "large")
    assert not plan.complete
    assert len(drain(CONFIGURATION, fleet(source, target), "a", MovePolicy(foreign=True)).moves) == 2


def test_devices_are_placed_again_by_type() -> None:
    """From the target's own list; the VM has to be shut down on the way."""
    source = snapshot("a", vm("a", "1", devices=GPUS[2:], managed=True), profile="gpu-node")
    target = snapshot("b", vm("b", "2", devices=GPUS[:1], managed=True), profile="gpu-node")
    plan = drain(CONFIGURATION, fleet(source, target, snapshot("c")), "a", MovePolicy(with_devices=True))
    assert [(move.target, move.devices, move.offline) for move in plan.moves] == [("b", GPUS[1:2], True)]
    held = drain(CONFIGURATION, fleet(source, target), "a")
    assert reasons(held) == {"1": "holds-devices"}


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"connection": Connection.UNREACHABLE}, "not-connected"),
        ({"observed_at": NOW - 100}, "stale"),
        ({"state": HostState.DISABLED}, "host-disabled"),
        ({"realm": "old"}, "realm-disabled"),
    ],
)
def test_from_a_host_of_which_nobody_knows_nothing_moves(more: dict[str, object], why: str) -> None:
    """The state of its VMs is unknown, or it is not to be touched."""
    plan = drain(CONFIGURATION, fleet(snapshot("a", vm("a", "1", managed=True), **more), snapshot("b")), "a")
    assert (reasons(plan), plan.moves, plan.complete) == ({"1": why}, (), False)


def test_a_vm_alone_in_its_realm_has_nowhere_to_go() -> None:
    """VMs stay in their realm."""
    plan = drain(CONFIGURATION, fleet(snapshot("a", vm("a", "1", managed=True)), snapshot("b", realm="old")), "a")
    assert reasons(plan) == {"1": "no-other-host"}


def test_what_is_being_started_there_is_named() -> None:
    """The host is not empty for long."""
    reserved = Reservation(uuid="x", vm="new", host="a", vcpus=1, memory_bytes=1, taken_at=NOW, expires_at=NOW + 9)
    plan = drain(CONFIGURATION, fleet(snapshot("a", reservations=(reserved,)), snapshot("b")), "a")
    assert (plan.pending, plan.complete) == (("new",), True)


def test_an_unknown_host_is_a_wrong_usage() -> None:
    """And no empty plan."""
    with pytest.raises(UsageError, match="no host nowhere"):
        drain(CONFIGURATION, fleet(), "nowhere")
