"""A fleet's hosts and VMs as rows of JSON: what the lists print and a saved fleet holds.

Sizes are bytes, durations seconds; what is unknown is None, with a state beside it where that could be mistaken.
"""

from typing import Any

from core.config.model import Configuration
from core.costs import Cost, CostState, Use
from core.fleet.fleet import VM, Connection, Fleet, HostSnapshot

TO_THE_MILLISECOND = 3
"""Digits that times keep in JSON."""


def host_row(fleet: Fleet, snapshot: HostSnapshot, configuration: Configuration) -> dict[str, Any]:
    """Return a host as `hosts list` prints it: `use` as last seen, `cost` only where it is so now."""
    host = snapshot.host
    age = fleet.age(snapshot)
    cost = present_cost(fleet, snapshot, configuration)
    profile = configuration.hardware_profiles.get(host.profile)
    return {
        "name": host.name,
        "realm": host.realm,
        "uri": host.uri,
        "profile": host.profile,
        "state": host.state.value,
        "static_address": (
            {"address": host.static_address.address, "base_port": host.static_address.base_port}
            if host.static_address is not None
            else None
        ),
        "connection": snapshot.connection.value,
        "age": None if age is None else round(age, TO_THE_MILLISECOND),
        "use": use_row(snapshot.use(profile)) if snapshot.is_known else None,
        "cost": cost.total if cost is not None and cost.feasible else None,
        "cost_state": (CostState.UNKNOWN if cost is None else cost.state).value,
    }


def present_cost(fleet: Fleet, snapshot: HostSnapshot, configuration: Configuration) -> Cost | None:
    """Cost of a host as it is; None where its use is not known now, or its cost function doesn't exist."""
    realm = configuration.realms.get(snapshot.host.realm)
    profile = configuration.hardware_profiles.get(snapshot.host.profile)
    function = configuration.cost_functions.get(profile.cost_function) if profile is not None else None
    age = fleet.age(snapshot)
    if snapshot.connection is not Connection.CONNECTED or age is None or function is None:
        return None
    if realm is not None and age > realm.stale_after:
        return None
    return function.cost(snapshot.use(profile))


def use_row(use: Use) -> dict[str, Any]:
    """Return a use as a row: memory in bytes, devices by type."""
    return {
        "vms": use.vms,
        "vcpus": use.vcpus,
        "memory": use.memory_bytes,
        "devices": {kind: use.devices[kind] for kind in sorted(use.devices)},
    }


def vm_row(fleet: Fleet, snapshot: HostSnapshot, vm: VM) -> dict[str, Any]:
    """Return a VM as its host showed it last, with the age of that."""
    age = fleet.age(snapshot)
    return {
        "name": vm.name,
        "uuid": vm.uuid,
        "host": vm.host,
        "realm": vm.realm,
        "managed": vm.managed,
        "state": vm.state.value,
        "state_reason": vm.state_reason or None,
        "active": vm.active,
        "vcpus": vm.vcpus,
        "memory": vm.memory_bytes,
        "devices": [str(address) for address in vm.devices],
        "address": vm.address,
        "endpoint": vm.endpoint,
        "cpu_percent": vm.cpu_percent,
        "age": None if age is None else round(age, TO_THE_MILLISECOND),
    }
