"""The ledger of one host says what the fleet would say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from core.fleet.fleet import Connection
from core.placement.engine.engine import judge, with_vm, without_vm
from core.placement.engine.request import Request
from core.placement.engine.room import HostLedger
from core.placement.engine.series import Series
from tests.placement.world import CONFIGURATION, GIB, GPUS, NOW, fleet, snapshot, vm
from tests.strategies import configurations, fleets, requests

if TYPE_CHECKING:
    from core.config.model import Configuration
    from core.fleet.fleet import Fleet


@settings(max_examples=60)
@given(configurations(), fleets(healthy=True), requests())
def test_taking_vms_out_of_a_room_is_taking_them_out_of_the_fleet(
    configuration: Configuration, fleet: Fleet, request: Request
) -> None:
    """And putting them back restores the verdict; reservations stay."""
    for original in fleet.hosts:
        host = replace(original, reservations=())
        alone = replace(fleet, hosts=(host,))
        room = HostLedger(configuration, host, fleet.taken)
        before = room.verdict(request)
        for gone in host.active_vms():
            room.remove(gone.vcpus, gone.memory_bytes, gone.devices)
            smaller = without_vm(alone, gone.key)
            expected = judge(configuration, smaller, request, smaller.hosts[0])
            found = room.verdict(request)
            assert (found.reasons, found.devices) == (expected.reasons, expected.devices)
            assert (found.before.total, found.cost.total) == (expected.before.total, expected.cost.total)
            room.add(gone.vcpus, gone.memory_bytes, gone.devices)
            assert room.verdict(request).cost.total == before.cost.total


def test_a_device_that_two_vms_claim_is_free_when_both_are_gone() -> None:
    """Not before."""
    first, second = (vm("g", name, devices=GPUS[:1]) for name in ("1", "2"))
    room = HostLedger(CONFIGURATION, snapshot("g", first, second, profile="gpu-node"), NOW)
    free = [room.free("a100")]
    for gone in (first, second):
        room.remove(gone.vcpus, gone.memory_bytes, gone.devices)
        free.append(room.free("a100"))
    assert free == [GPUS[1:], GPUS[1:], GPUS]


def test_a_series_tells_the_cost_of_each_next_vm() -> None:
    """Until devices run out; the room follows when it is settled."""
    host = snapshot("g", profile="gpu-node")
    request = Request(1, GIB, {"a100": 1})
    series = Series(HostLedger(CONFIGURATION, host, NOW), request)
    costs = []
    while (cost := series.next_cost()) != float("inf"):
        costs.append(cost)
        series.take()
    assert costs == [100_000 + 2 + 0.0625, 100_000 + 4 + 0.125]
    assert series.settle().use.devices == {"a100": 2}
    grown = with_vm(with_vm(fleet(host), vm("g", "1", devices=GPUS[:1])), vm("g", "2", devices=GPUS[1:2]))
    assert series.room.use == grown.hosts[0].use(CONFIGURATION.hardware_profiles["gpu-node"])


def test_the_room_of_a_silent_host_takes_nothing() -> None:
    """Nobody knows what is on it."""
    room = HostLedger(CONFIGURATION, snapshot("h", connection=Connection.UNREACHABLE), NOW)
    with pytest.raises(ValueError, match="use of h is unknown"):
        room.take(Request(1, GIB))
    with pytest.raises(ValueError, match="use of h is unknown"):
        Series(room, Request(1, GIB))
