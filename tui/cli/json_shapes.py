"""The JSON documents that several commands share."""

from typing import Any

from core.config.model import Configuration
from core.costs import Cost
from core.fleet.doubles import doubles
from core.fleet.fleet import VM, Fleet, HostSnapshot
from core.fleet.rows import host_row, vm_row
from core.placement.engine.rows import term_row


def hosts_document(fleet: Fleet, configuration: Configuration) -> dict[str, Any]:
    """Return what `hosts list` prints; `error` says why a host does not answer."""
    return {
        "hosts": [
            {**host_row(fleet, snapshot, configuration), "error": snapshot.error or None} for snapshot in fleet.hosts
        ]
    }


def listed_vm(fleet: Fleet, snapshot: HostSnapshot, vm: VM) -> dict[str, Any]:
    """Return a VM as `vms list` prints it: its state now, and the one that was last seen."""
    state = snapshot.state_of(vm)
    reason = vm.state_reason or None if state is vm.state else None
    row = vm_row(fleet, snapshot, vm)
    return {**row, "state": state.value, "state_reason": reason, "last_state": vm.state.value}


def vms_document(fleet: Fleet) -> dict[str, Any]:
    """Return what `vms list` prints: the VMs by host and name, and how many hosts stand behind them."""
    return {
        "vms": [
            listed_vm(fleet, snapshot, vm)
            for snapshot in fleet.hosts
            for vm in sorted(snapshot.vms, key=lambda vm: (vm.name, vm.uuid))
        ],
        "hosts_answering": fleet.hosts_answering,
        "hosts_total": fleet.hosts_total,
        "warnings": list(doubles(fleet)),
    }


def cost_document(function: str, cost: Cost) -> dict[str, Any]:
    """Return what `cost` prints: one cost of the function of that id, term by term."""
    return {
        "function": function,
        "feasible": cost.feasible,
        "total": cost.total if cost.feasible else None,
        "total_state": cost.state.value,
        "scale": cost.scale,
        "offset": cost.offset,
        "terms": [term_row(term) for term in cost.terms],
    }
