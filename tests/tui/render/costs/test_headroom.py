"""Headroom: how many more VMs of a request each host takes, counted a little at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings

from core.clock import FixedClock
from core.fleet.fleet import Fleet
from core.placement.engine.engine import place
from core.placement.engine.request import Request
from tests.strategies import configurations, fleets, requests
from tests.tui import world
from tui.render.costs.headroom import AT_ONCE, MOST, STEP_SECONDS, Headroom, count, room_line

if TYPE_CHECKING:
    from core.config.model import Configuration

GIB = 1024**3
ENOUGH = 60


@settings(max_examples=150, deadline=None)
@given(configurations(), fleets(), requests())
def test_as_many_fit_as_would_be_placed_one_by_one(
    configuration: Configuration, fleet: Fleet, request: Request
) -> None:
    """On each host by itself, as far as anybody wants to place them."""
    fits = count(configuration, fleet, request)
    assert set(fits) == {snapshot.name for snapshot in fleet.hosts}
    for snapshot in fleet.hosts:
        alone = Fleet(fleet.taken, (snapshot,))
        placed = place(configuration, alone, request, ENOUGH).placed
        assert min(fits[snapshot.name], ENOUGH) == placed


def test_what_nothing_limits_is_as_many_as_are_ever_told() -> None:
    """And no number that only looks exact."""
    endless = replace(world.CONFIGURATION.cost_functions["cpu"], vms=None, vcpus=None, memory=None, devices={})
    functions = {**world.CONFIGURATION.cost_functions, "cpu": endless}
    configuration = replace(world.CONFIGURATION, cost_functions=functions)
    fleet = Fleet(world.NOW, world.snapshots())
    assert count(configuration, fleet, Request(4, 8 * GIB))["h1"] == MOST


class WatchedClock(FixedClock):
    """A clock on which a step's time is over after it was looked at so often."""

    looks = 0
    most = 10**9

    def monotonic(self) -> float:
        """Stand still, then be far ahead."""
        self.looks += 1
        return 0.0 if self.looks <= self.most else 2 * STEP_SECONDS


def test_a_large_fleet_is_counted_over_several_steps() -> None:
    """None of them longer than it may be; what was counted stays."""
    hosts = tuple(world.seen(world.host(f"n{number}"), ()) for number in range(3 * AT_ONCE))
    fleet, request = Fleet(world.NOW, hosts), Request(4, 8 * GIB)
    clock = WatchedClock()
    clock.most = 3
    headroom = Headroom(clock)
    known = []
    for _ in range(9):
        clock.looks = 0
        known.append(len(headroom.step(fleet, world.CONFIGURATION, request)))
        if headroom.complete:
            break
    assert known == [2 * AT_ONCE, 3 * AT_ONCE]


def test_only_a_host_that_was_seen_anew_is_counted_again() -> None:
    """Until then its former number stays; another request begins anew."""
    fleet, request = Fleet(world.NOW, world.snapshots()), Request(4, 8 * GIB)
    clock = WatchedClock()
    headroom = Headroom(clock)
    before = headroom.step(fleet, world.CONFIGURATION, request)
    fuller = replace(fleet.hosts[0], vms=(*fleet.hosts[0].vms, world.vm("more", "h1", 900)))
    newer = replace(fleet, hosts=(fuller, *fleet.hosts[1:]))
    clock.looks, clock.most = 0, 1
    assert headroom.step(newer, world.CONFIGURATION, request) == before
    assert not headroom.complete
    clock.most = 10**9
    after = headroom.step(newer, world.CONFIGURATION, request)
    assert after == count(world.CONFIGURATION, newer, request)
    assert after["h1"] < before["h1"]
    assert headroom.step(newer, world.CONFIGURATION, Request(1, GIB)) == count(
        world.CONFIGURATION, newer, Request(1, GIB)
    )


def test_what_stops_the_next_vm_is_said_beside_the_number() -> None:
    """Also where none fits, and where nothing limits them."""
    hosts = {snapshot.name: snapshot for snapshot in world.snapshots()}
    request = Request(4, 8 * GIB, realm="elsewhere")

    def told(name: str, configuration: Configuration = world.CONFIGURATION) -> str:
        return "".join(text for text, _ in room_line(configuration, hosts[name], world.NOW, request))

    assert told("h2") == "10 more VMs of 4 vCPUs, 8 GiB; the next: vcpus infinite"
    assert told("h4") == "no VM of 4 vCPUs, 8 GiB: no scheduling"
    endless = replace(world.CPU, vms=None, vcpus=None, memory=None)
    functions = {**world.CONFIGURATION.cost_functions, "cpu": endless}
    free = replace(world.CONFIGURATION, cost_functions=functions)
    assert told("h1", free) == "any number of VMs of 4 vCPUs, 8 GiB: nothing limits them"
