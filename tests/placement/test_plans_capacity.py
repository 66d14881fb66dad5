"""Capacity counts what placing would place, and names what stops the next VM."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from core.codes import Why
from core.costs import CostFunction
from core.curves import Constant, HardSoft, Invalid, Linear, Piecewise
from core.fleet.fleet import Connection
from core.hosts import HostState
from core.placement.engine.engine import place
from core.placement.engine.request import Request
from core.placement.plans.capacity import capacity
from tests.placement.world import CONFIGURATION, GIB, GPUS, fleet, snapshot, vm
from tests.strategies import configurations, fleets, requests

if TYPE_CHECKING:
    from core.config.model import Configuration
    from core.curves import Curve
    from core.fleet.fleet import Fleet

MOST = 400
"""VMs that are really placed to compare with."""


@settings(max_examples=120)
@given(configurations(), fleets(), requests())
def test_as_many_fit_as_placing_places_and_not_one_more(
    configuration: Configuration, fleet: Fleet, request: Request
) -> None:
    """On each host by itself and on all together, for curves of any shape; the same reason stops the next one."""
    found = capacity(configuration, fleet, request)
    for host in found.hosts:
        alone = replace(fleet, hosts=tuple(each for each in fleet.hosts if each.name == host.host))
        placed = place(configuration, alone, request, MOST)
        if host.fits is None or host.fits >= MOST:
            assert placed.complete
        else:
            assert placed.placed == host.fits
            assert placed.stopped_by[0].refusal == host.stopped_by
    if found.total is not None and found.total < MOST:
        assert place(configuration, fleet, request, MOST).placed == found.total
    assert found.unbounded == (found.total is None)


def test_what_the_limit_strands_is_told() -> None:
    """Memory stops the next VM while most vCPUs are free."""
    host = capacity(CONFIGURATION, fleet(snapshot("a", vm("a", "1", vcpus=4, gib=100))), Request(1, 200 * GIB)).hosts[0]
    assert (host.fits, host.stopped_by.why, host.stopped_by.term) == (3, Why.COST_INFINITE, "memory")
    assert host.left == {"vcpus": 128 - 7, "memory": 150 * GIB}


def test_devices_limit_too() -> None:
    """Two are finite by the curve, one of three is held."""
    host = snapshot("g", vm("g", "1", devices=GPUS[:1]), profile="gpu-node")
    found = capacity(CONFIGURATION, fleet(host), Request(1, GIB, {"a100": 1}))
    assert found.total == 1
    assert found.hosts[0].left["devices.a100"] == 0
    asks_other = capacity(CONFIGURATION, fleet(host), Request(1, GIB, {"other": 1}))
    assert asks_other.hosts[0].stopped_by.why is Why.NO_FREE_DEVICE


def test_hosts_in_no_state_to_take_one_have_no_room_and_say_why() -> None:
    """Disabled, silent, of an unknown profile."""
    hosts = fleet(
        snapshot("a", state=HostState.DISABLED),
        snapshot("b", connection=Connection.UNREACHABLE),
        snapshot("c", profile="orphan"),
        snapshot("d", realm="old"),
    )
    found = capacity(CONFIGURATION, hosts, Request(1, GIB))
    assert [host.stopped_by.why for host in found.hosts] == [
        Why.HOST_DISABLED, Why.NOT_CONNECTED, Why.UNKNOWN_PROFILE, Why.REALM_DISABLED,
    ]  # fmt: skip
    assert (found.total, found.by_realm()) == (0, {"main": 0, "old": 0})


def with_vms(curve: Curve | None) -> Configuration:
    """Make a configuration of one function that has this curve for VMs, nothing else."""
    return replace(CONFIGURATION, cost_functions={"cpu": CostFunction(id="cpu", name="", vms=curve), "gpu": None})


@pytest.mark.parametrize(
    ("curve", "fits"),
    [
        (None, None),
        (Linear(slope=1.0, base=0.0), None),
        (Linear(slope=1.0, base=0.0, max=7.5), 7),
        (HardSoft(soft=1e18, hard=1e18), 10**18 + 64),
        (Linear(slope=1e308, base=0.0), 1),
        (Piecewise(cutoff=3.0, low=Constant(value=1.0), high=Invalid()), 3),
        (Piecewise(cutoff=3.0, low=Constant(value=1.0, max=2.0), high=Constant(value=2.0)), 2),
        (Piecewise(cutoff=0.0, low=Invalid(), high=Constant(value=2.0, max=9.0)), 9),
    ],
)
def test_any_curve_is_counted_to_its_first_infinite_input(curve: Curve | None, fits: int | None) -> None:
    """What is finite again beyond it is out of reach; 10^18 + 64 is the last number that a double rounds to 10^18."""
    assert capacity(with_vms(curve), fleet(snapshot("a")), Request(1, GIB)).total == fits


def test_a_pool_that_is_missing_leaves_no_room() -> None:
    """As in a verdict."""
    found = capacity(CONFIGURATION, fleet(snapshot("a", pools={})), Request(1, GIB))
    assert (found.total, found.hosts[0].stopped_by.why) == (0, Why.POOL_MISSING)
