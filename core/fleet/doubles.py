"""VMs that are there twice: one UUID on several hosts, or one name for several VMs."""

from collections.abc import Iterator

from core.fleet.fleet import VM, Fleet, HostSnapshot


def doubles(fleet: Fleet) -> Iterator[str]:
    """Return in words which UUIDs and names stand for VMs of several hosts, as far as hosts were seen.

    One UUID on two hosts is one VM that is being migrated, or that somebody defined twice: both would write to its
    disks. Names need not differ, but name no VM by themselves then.
    """
    by_uuid: dict[str, list[tuple[HostSnapshot, VM]]] = {}
    by_name: dict[str, list[VM]] = {}
    for snapshot in fleet.hosts:
        for vm in snapshot.vms:
            by_uuid.setdefault(vm.uuid, []).append((snapshot, vm))
            by_name.setdefault(vm.name, []).append(vm)
    for uuid, seen in by_uuid.items():
        if len({vm.host for _, vm in seen}) > 1:
            where = ", ".join(f"{vm.host}/{vm.name} ({snapshot.state_of(vm).label})" for snapshot, vm in seen)
            yield f"one VM on several hosts, {uuid}: {where}; unless it is being migrated, start no other one of them"
    for name, vms in by_name.items():
        different = {vm.uuid: vm for vm in vms}.values()
        if len(different) > 1:
            listed = ", ".join(f"{vm.host}/{vm.name} ({vm.uuid})" for vm in different)
            yield f"{len(different)} VMs are called {name}: {listed}; name them as HOST/NAME, or by UUID"
