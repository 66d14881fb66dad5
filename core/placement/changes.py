"""What-if on a fleet: other states of hosts, hosts that are gone. The fleet itself stays as it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from core.fleet import Fleet
    from core.hosts import HostState


def with_states(fleet: Fleet, states: Mapping[str, HostState]) -> Fleet:
    """Give the fleet with hosts in other states, by name; what is known of them stays what was last seen."""
    return replace(
        fleet,
        hosts=tuple(
            replace(snapshot, host=replace(snapshot.host, state=states[snapshot.name]))
            if snapshot.name in states
            else snapshot
            for snapshot in fleet.hosts
        ),
    )


def without_hosts(fleet: Fleet, names: Container[str]) -> Fleet:
    """Give the fleet without these hosts and all that runs on them."""
    return replace(fleet, hosts=tuple(snapshot for snapshot in fleet.hosts if snapshot.name not in names))
