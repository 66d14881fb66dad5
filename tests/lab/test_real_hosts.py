"""A fleet of real hosts, one by ssh and one by its own socket: watched, reached and placed on as a whole."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.clock import SystemClock
from core.codes import Why
from core.config.reader import load
from core.driver.lanes.watch import FleetWatch
from core.fleet.fleet import VM, Connection, Fleet, PoolState, VMState
from core.placement.engine.engine import place, rank
from core.placement.engine.request import Request

from .parts.guests import Boot
from .parts.host import BASE_PORT, greeting
from .parts.realm import hosts_of, write_configuration
from .parts.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from core.config.model import Configuration

    from .parts.lab import Lab

SMALL = Request(1, 64 << 20, realm="lab")
PATIENCE = 60.0


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    """Return the lab's own: up to 16 VMs, 16 vCPUs and 4 GiB on a host."""
    return load(write_configuration(tmp_path))


@pytest.fixture
def watch(lab: Lab, configuration: Configuration) -> Iterator[FleetWatch]:
    """Watch h1, by ssh and with translated addresses, and h2, by its socket, twice a second."""
    by_ssh, by_socket, _ = hosts_of(lab)
    by_socket = replace(by_socket, uri=lab.hosts[1].local_uri, static_address=None)
    watch = FleetWatch(SystemClock(), randomness=random.Random(7))
    watch.set_hosts([by_ssh, by_socket], {"lab": replace(configuration.realms["lab"], poll_frequency=0.5)})
    yield watch
    watch.close()


def until(watch: FleetWatch, satisfied: Callable[[Fleet], bool]) -> Fleet:
    """Wait for a fleet; a timeout shows the last one."""
    fleet = watch.wait(satisfied, PATIENCE)
    assert satisfied(fleet), fleet
    return fleet


def all_connected(fleet: Fleet) -> bool:
    """Return whether every host has answered and still does."""
    return all(host.connection is Connection.CONNECTED and host.is_known for host in fleet.hosts)


def vm(fleet: Fleet, name: str) -> VM | None:
    """Find a VM of the fleet by its name."""
    return next((vm for vm in fleet.vms() if vm.name == name), None)


def test_a_running_guest_is_shown_as_it_is_and_answers_at_its_endpoint(watch: FleetWatch, lab: Lab) -> None:
    """Size, address, use of CPU; and whoever connects to the translated endpoint speaks with the guest."""
    host = lab.hosts[0]
    host.define_guest("busy", vcpus=2, memory_mib=128, busy=1)
    host.start_guest("busy")

    def is_complete(fleet: Fleet) -> bool:
        busy = vm(fleet, "busy")
        return busy is not None and busy.endpoint is not None and bool(busy.cpu_percent)

    seen = vm(until(watch, is_complete), "busy")
    assert seen is not None
    assert (seen.host, seen.state, seen.active, seen.managed) == ("h1", VMState.RUNNING, True, False)
    assert (seen.vcpus, seen.memory_bytes) == (2, 128 << 20)
    assert seen.address == host.guest_address("busy")
    octet = int(seen.address.rpartition(".")[2])
    assert seen.endpoint == f"{host.address}:{BASE_PORT + octet}"
    assert seen.cpu_percent is not None
    assert 0 < seen.cpu_percent <= 100
    eventually(lambda: greeting(host.address, BASE_PORT + octet) == "SSH-2.0-lab", "the guest at its endpoint")


def test_a_vm_goes_to_the_real_host_that_is_cheaper(watch: FleetWatch, lab: Lab, configuration: Configuration) -> None:
    """As others start guests there, the other host becomes the cheaper one; a full host is refused with its limit."""
    first, second, _ = lab.hosts
    fleet = until(watch, all_connected)
    assert all(set((host.pools or {}).values()) == {PoolState.ACTIVE} for host in fleet.hosts)
    assert [verdict.host for verdict in rank(configuration, fleet, SMALL)] == ["h1", "h2"]
    for host, vcpus in ((first, 4), (second, 1)):
        host.define_guest("weight", vcpus=vcpus, memory_mib=32, boot=Boot.NOTHING, network=None)
        host.start_guest("weight", paused=True)
    fleet = until(watch, lambda fleet: sum(vm.active for vm in fleet.vms()) == 2)
    assert [verdict.host for verdict in rank(configuration, fleet, SMALL)] == ["h2", "h1"]
    wide = rank(configuration, fleet, Request(13, 64 << 20, realm="lab"))
    assert [verdict.refusal and verdict.refusal.why for verdict in wide] == [None, Why.COST_INFINITE]
    placements = place(configuration, fleet, Request(1, 64 << 20, {"gpu": 1}, realm="lab"), 5)
    assert len(placements.placements) == 4
    second.stop_guest("weight")
    until(watch, lambda fleet: sum(vm.active for vm in fleet.vms()) == 1)


def test_a_host_that_hangs_is_unknown_and_not_empty(watch: FleetWatch, lab: Lab, configuration: Configuration) -> None:
    """It keeps its last data, which grow old, and takes no VM; awake, it is young and takes VMs again."""
    second = lab.hosts[1]
    second.define_guest("kept", memory_mib=32, boot=Boot.NOTHING, network=None)
    second.start_guest("kept", paused=True)
    until(watch, lambda fleet: all_connected(fleet) and vm(fleet, "kept") is not None)
    second.hang()
    try:
        fleet = until(watch, lambda fleet: fleet.hosts[1].connection is Connection.UNREACHABLE)
        assert (fleet.hosts_answering, fleet.hosts_total) == (1, 2)
        kept = vm(fleet, "kept")
        assert kept is not None
        assert (kept.state, kept.active) == (VMState.PAUSED, True)
        age = fleet.age(fleet.hosts[1])
        assert age is not None
        best, refused = rank(configuration, fleet, SMALL)
        assert best.host == "h1"
        assert refused.refusal is not None
        assert refused.refusal.why is Why.NOT_CONNECTED
        later = until(watch, lambda later: (later.age(later.hosts[0]) or 9.0) < 0.5 and later.taken > fleet.taken)
        assert (later.age(later.hosts[1]) or 0.0) > age
    finally:
        second.wake()
    fleet = until(watch, lambda fleet: all_connected(fleet) and (fleet.age(fleet.hosts[1]) or 0.0) < 1.0)
    assert [verdict.refusal for verdict in rank(configuration, fleet, SMALL)] == [None, None]
