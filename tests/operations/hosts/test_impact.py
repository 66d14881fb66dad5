"""What a change of hosts would mean: as placement itself says of the fleet as it would be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from core.fleet.fleet import Connection, HostSnapshot
from core.hosts import HostState
from core.operations.hosts.impact import MOST_EMPTIED, HostsChange, emptying, room_change, survival_change
from core.placement.engine.engine import place, put
from core.placement.engine.request import Request
from core.placement.plans.capacity import capacity
from core.placement.plans.failure import failure
from core.placement.what_if.changes import with_states, without_hosts
from tests.placement.world import CONFIGURATION, GIB, GPUS, fleet, snapshot, vm
from tests.strategies import configurations, fleets, requests

if TYPE_CHECKING:
    from core.config.model import Configuration
    from core.fleet.fleet import Fleet

FLEET = fleet(
    snapshot("h1", vm("h1", "a", vcpus=8, gib=100), vm("h1", "b", vcpus=8, gib=300)),
    snapshot("h2", vm("h2", "c", vcpus=8, gib=200)),
    snapshot("h3", vm("h3", "d", devices=(GPUS[0],)), profile="gpu-node"),
)
REQUEST = Request(8, 64 * GIB)


@settings(max_examples=80, deadline=None)
@given(configurations(), fleets(), requests(), st.data())
def test_room_and_failures_are_those_of_the_fleet_as_it_would_be(
    configuration: Configuration, of: Fleet, request: Request, data: st.DataObject
) -> None:
    """In each realm that is touched, whatever realm the request is for."""
    named = [host.name for host in of.hosts]
    chosen = tuple(data.draw(st.lists(st.sampled_from(named), unique=True))) if named else ()
    state = data.draw(st.none() | st.sampled_from(HostState))
    after = without_hosts(of, chosen) if state is None else with_states(of, dict.fromkeys(chosen, state))
    anywhere = replace(request, realm=None)
    change = HostsChange(chosen, state)
    rooms = room_change(configuration, of, change, request)
    survivals = survival_change(configuration, of, change)
    touched = sorted({host.host.realm for host in of.hosts if host.name in chosen})
    assert [room.realm for room in rooms] == [survival.realm for survival in survivals] == touched
    for room, survival in zip(rooms, survivals, strict=True):
        assert room.before == capacity(configuration, of, anywhere).by_realm()[room.realm]
        assert room.after == capacity(configuration, after, anywhere).by_realm().get(room.realm, 0)
        for losses, whole in ((survival.before, of), (survival.after, after)):
            realm_of = {host.name: host.host.realm for host in whole.hosts}
            lost = [loss for loss in failure(configuration, whole).hosts if realm_of[loss.host] == survival.realm]
            assert losses.fatal == sum(loss.survives is False for loss in lost)
            assert losses.unknown == sum(loss.survives is None for loss in lost)
            homeless = max((len(loss.homeless) for loss in lost), default=0)
            assert (len(losses.worst.homeless) if losses.worst else 0) == homeless


@settings(max_examples=80, deadline=None)
@given(configurations(), fleets(), st.data())
def test_each_move_away_from_several_hosts_is_what_placement_would_do_then(
    configuration: Configuration, of: Fleet, data: st.DataObject
) -> None:
    """One after another, each counting for those that follow; none goes to a host that is to be emptied."""
    named = [host.name for host in of.hosts]
    chosen = tuple(data.draw(st.lists(st.sampled_from(named), unique=True))) if named else ()
    plans = emptying(configuration, of, HostsChange(chosen, HostState.DISABLED))
    assert plans is not None
    assert [plan.host for plan in plans] == list(chosen)
    left = with_states(of, dict.fromkeys(chosen, HostState.NO_SCHEDULING))
    number = 0
    for plan in plans:
        for move in plan.moves:
            number += 1
            (best,) = place(configuration, left, move.request, numbered_from=number).placements
            assert (best.host, best.cost, best.devices) == (move.target, move.cost, move.devices)
            left = put(left, best)


def test_room_that_one_host_takes_is_not_promised_to_another() -> None:
    """Two hosts that are emptied together need more than each by itself."""
    full = fleet(
        snapshot("h1", vm("h1", "a", gib=500, managed=True)),
        snapshot("h2", vm("h2", "b", gib=500, managed=True)),
        snapshot("h3"),
    )
    alone = emptying(CONFIGURATION, full, HostsChange(("h2",), HostState.NO_SCHEDULING))
    both = emptying(CONFIGURATION, full, HostsChange(("h1", "h2"), HostState.NO_SCHEDULING))
    assert alone is not None
    assert both is not None
    assert [plan.complete for plan in alone] == [True]
    assert [plan.complete for plan in both] == [True, False]


def test_a_host_that_was_not_seen_yet_adds_nothing_that_is_known() -> None:
    """Enabling it is no promise of room."""
    described = replace(FLEET.hosts[0].host, name="h9", state=HostState.DISABLED)
    unseen = HostSnapshot(host=described, connection=Connection.OFF)
    grown = replace(FLEET, hosts=(*FLEET.hosts, unseen))
    (room,) = room_change(CONFIGURATION, grown, HostsChange(("h9",), HostState.ENABLED), REQUEST)
    assert room.before == room.after


def test_too_many_hosts_are_not_planned_for_nor_those_that_nobody_waits_for() -> None:
    """A dialog of a thousand hosts has an end."""
    many = fleet(*(snapshot(f"n{number}") for number in range(MOST_EMPTIED + 1)))
    names = tuple(host.name for host in many.hosts)
    assert emptying(CONFIGURATION, many, HostsChange(names, HostState.DISABLED)) is None
    assert emptying(CONFIGURATION, FLEET, HostsChange(("h1",), None), lambda: False) is None
    assert emptying(CONFIGURATION, FLEET, HostsChange(("h1",), None)) is not None
