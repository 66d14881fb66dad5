"""The failure check places each VM of a lost host as the plain engine would."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from core.fleet.fleet import Connection, VMState
from core.placement.engine.engine import place, put
from core.placement.plans.demand import largest_first, request_of
from core.placement.plans.failure import failure, failure_of_several
from tests.placement.world import CONFIGURATION, GPUS, fleet, snapshot, vm
from tests.strategies import configurations, fleets

if TYPE_CHECKING:
    import pytest

    from core.config.model import Configuration
    from core.fleet.fleet import Fleet


def homeless_of(configuration: Configuration, fleet: Fleet, lost: set[str]) -> list[str]:
    """Place each VM of lost hosts anew, by the plain engine; gives the UUIDs of those without a place."""
    left = replace(fleet, hosts=tuple(host for host in fleet.hosts if host.name not in lost))
    vms = [(each, host) for host in fleet.hosts if host.name in lost for each in host.active_vms()]
    homeless = []
    for number, (lost_vm, host) in enumerate(sorted(vms, key=lambda pair: largest_first(pair[0])), 1):
        profile = configuration.hardware_profiles.get(host.host.profile)
        known = profile is not None and all(profile.type_of(address) for address in lost_vm.devices)
        found = place(configuration, left, request_of(profile, lost_vm, host.host.realm), numbered_from=number)
        if not found.complete or (lost_vm.devices and not known):
            homeless.append(lost_vm.uuid)
        else:
            left = put(left, found.placements[0])
    return homeless


@settings(max_examples=100)
@given(configurations(), fleets())
def test_the_loss_of_a_host_agrees_with_placing_its_vms_anew(configuration: Configuration, fleet: Fleet) -> None:
    """With the same VMs homeless, and a message for each."""
    check = failure(configuration, fleet)
    assert [loss.host for loss in check.hosts] == sorted(host.name for host in fleet.hosts)
    for loss in check.hosts:
        if loss.survives is None:
            assert loss.note
            continue
        assert [stuck.vm.uuid for stuck in loss.homeless] == homeless_of(configuration, fleet, {loss.host})
        assert loss.survives == (not loss.homeless)
        assert loss.placed + len(loss.homeless) == len(list(fleet.host(loss.host).active_vms()))
        assert all(stuck.message and stuck.why for stuck in loss.homeless)
    assert failure(configuration, replace(fleet, hosts=fleet.hosts[::-1])) == check


@settings(max_examples=60)
@given(configurations(), fleets(healthy=True), st.integers(1, 3))
def test_the_loss_of_several_agrees_with_trying_every_set(
    configuration: Configuration, fleet: Fleet, at_once: int
) -> None:
    """The set that it names is one that the fleet doesn't survive, and where it names none there is none."""
    found = failure_of_several(configuration, fleet, at_once)
    assert found.proven
    sets = list(combinations([host.name for host in fleet.hosts], at_once))
    assert found.sets == len(sets)
    bad = [set(lost) for lost in sets if homeless_of(configuration, fleet, set(lost))]
    assert found.survives == (not bad)
    if found.worst:
        assert set(found.worst) in bad
        assert [stuck.vm.uuid for stuck in found.homeless] == homeless_of(configuration, fleet, set(found.worst))


def test_what_is_forgotten_is_worked_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a limited number of hosts' states and orders is kept from one lost host to the next."""
    crowds = [[vm(f"h{host}", str(number), gib=90 + 20 * (number % 3)) for number in range(7)] for host in range(6)]
    hosts = fleet(*(snapshot(f"h{host}", *crowd) for host, crowd in enumerate(crowds)))
    kept, several = failure(CONFIGURATION, hosts), failure_of_several(CONFIGURATION, hosts, 2)
    assert (kept.survives, several.survives) == (False, False)
    monkeypatch.setattr("core.placement.plans.failure._MOST_REMEMBERED", 3)
    monkeypatch.setattr("core.placement.plans.failure._MOST_RANKED", 5)
    assert failure(CONFIGURATION, hosts) == kept
    assert failure_of_several(CONFIGURATION, hosts, 2) == several


def test_a_budget_that_runs_out_proves_nothing() -> None:
    """Unless a set was found."""
    hosts = fleet(*(snapshot(f"h{number}") for number in range(6)))
    found = failure_of_several(CONFIGURATION, hosts, 2, budget=4)
    assert (found.survives, found.proven, found.tried, found.sets) == (True, False, 4, 15)


def test_the_homeless_are_named_with_what_each_host_lacks() -> None:
    """The GPU host is the only one of its kind."""
    hosts = fleet(snapshot("g", vm("g", "train", devices=GPUS[:1]), profile="gpu-node"), snapshot("a"))
    check = failure(CONFIGURATION, hosts)
    assert [(loss.host, loss.survives) for loss in check.hosts] == [("a", True), ("g", False)]
    assert [str(stuck) for stuck in check.hosts[1].homeless] == [
        "train: no host can take it: a: asked for 1 a100, 0 free: hosts with this profile have none"
    ]
    assert not check.survives


def test_what_nobody_knows_is_not_said_to_survive() -> None:
    """A host that never answered; one that doesn't now is taken as it was last seen."""
    never = snapshot("a", observed_at=None, connection=Connection.UNREACHABLE)
    silent = snapshot("b", vm("b", "1", state=VMState.RUNNING), connection=Connection.UNREACHABLE)
    check = failure(CONFIGURATION, fleet(never, silent, snapshot("c"), snapshot("d", realm="old")))
    assert [(loss.host, loss.survives) for loss in check.hosts] == [("a", None), ("b", True), ("c", True), ("d", None)]
    assert "last seen" in check.hosts[1].note
    assert (check.survives, check.unknown) == (True, ("a", "d"))
