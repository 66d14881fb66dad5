"""What is done to the disks of VMs from the screens, as jobs of tasks: deletion, snapshots, drives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import RealmsError
from tui.vm_jobs import each_job, find

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from core.operations.lifecycle import Done
    from core.operations.tasks import Control
    from core.operations.vm_at_hand import VMAtHand
    from core.operations.vm_targets import Target
    from core.operations.workplace import Workplace


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """What goes with a VM, besides its definition."""

    volumes: bool = False
    drives: bool = False
    snapshots: bool = False
    unasked: bool = False
    """Also where a host can't be asked who uses them."""

    @property
    def takes_anything(self) -> bool:
        """Whether anything goes besides the definition."""
        return self.volumes or self.drives or self.snapshots


def delete_job(workplace: Workplace, names: Sequence[str], wish: Deletion) -> Callable[[Control], str]:
    """Give the job that deletes VMs; what of them stays is told in the task's warnings."""
    from core.operations.lifecycle import STARTS_AT_ONCE

    def one(control: Control, target: Target) -> Done:
        from core.operations.delete import delete_vm
        from core.operations.lifecycle import Done

        deleted = delete_vm(
            workplace, control, target,
            volumes=wish.volumes, drives=wish.drives, snapshots=wish.snapshots, unasked=wish.unasked,
        )  # fmt: skip
        for kept in deleted.stays:
            control.warn(f"{target.name}: {kept} stays")
        return Done(target)

    extras = [
        word for wanted, word in ((wish.volumes, "boot volume"), (wish.drives, "drives"), (wish.snapshots, "snapshots"))
        if wanted
    ]  # fmt: skip
    said = "deleted" + (f", with {' and '.join(filter(None, (', '.join(extras[:-1]), extras[-1])))}" if extras else "")
    return each_job(workplace, names, one, said, at_once=STARTS_AT_ONCE)


def at_hand(workplace: Workplace, name: str) -> VMAtHand:
    """Find a VM, named as HOST/UUID, with all hosts that might have its disks."""
    from core.operations.on_hosts import hosts_of
    from core.operations.vm_at_hand import VMAtHand

    target = find(workplace, [name])[0]
    elsewhere = tuple(
        other.name
        for other in workplace.fleet().hosts
        if other.name != target.host.name and any(vm.uuid == target.vm.uuid and vm.active for vm in other.vms)
    )
    return VMAtHand(target, hosts_of(workplace, target.realm), elsewhere)


def snapshot_job(
    workplace: Workplace, names: Sequence[str], snapshot: str, *, targets: Sequence[str] = (), freeze: bool = True
) -> Callable[[Control], str]:
    """Give the job that takes a snapshot of that name of each VM; an empty name stands for the time."""

    def one(control: Control, target: Target) -> Done:
        from core.operations.lifecycle import Done
        from core.operations.snapshots import name_by_time, take_snapshot

        now = workplace.clock.now()
        name = snapshot or name_by_time(now)
        found = at_hand(workplace, f"{target.host.name}/{target.vm.uuid}")
        take_snapshot(control, found, name, now=now, targets=targets, freeze=freeze)
        return Done(target)

    return each_job(workplace, names, one, f"snapshot {snapshot} is taken" if snapshot else "snapshot is taken")


def restore_job(
    workplace: Workplace, name: str, snapshot: str, *, cut_power: bool = False, start: bool = False
) -> Callable[[Control], str]:
    """Give the job that puts a VM's disks back to a snapshot."""

    def job(control: Control) -> str:
        from core.operations.restore import restore_snapshot

        found = at_hand(workplace, name)
        restored = restore_snapshot(workplace, control, found, snapshot, force=cut_power, start=start)
        state = "it is started" if restored.started else "it is off"
        return f"{found.target.name} is back at {snapshot}: {', '.join(sorted(restored.volumes))}; {state}"

    return job


def delete_snapshot_job(workplace: Workplace, name: str, snapshot: str) -> Callable[[Control], str]:
    """Give the job that deletes a snapshot for good."""

    def job(control: Control) -> str:
        from core.operations.snapshot_lists import SnapshotOwner
        from core.operations.snapshots import delete_snapshot

        target = find(workplace, [name])[0]
        owner = SnapshotOwner(target.vm.name, target.vm.uuid, target.host, target.realm)
        delete_snapshot(control, owner, snapshot)
        return f"{target.name}: snapshot {snapshot} is deleted"

    return job


def attach_job(
    workplace: Workplace, name: str, drive: str, *, size: int | None = None, force: bool = False
) -> Callable[[Control], str]:
    """Give the job that attaches a drive to a VM; with a size (bytes) it is made first, and goes again on failure."""

    def job(control: Control) -> str:
        from core.operations.drives_attached import attach_drive

        found = at_hand(workplace, name)
        if size is not None:
            _make_drive(workplace, control, found, drive, size)
        attached = attach_drive(workplace, control, found, drive, force=force)
        control.keep()
        when = "" if attached.running or not found.vm.active else " when it is started the next time"
        return f"{found.target.name}: drive {attached.drive} is {attached.target}{when}"

    return job


def _make_drive(workplace: Workplace, control: Control, found: VMAtHand, drive: str, size: int) -> None:
    from core.operations.host_access import HostAccess
    from core.operations.images import check_drive_size, check_name
    from core.operations.realm_pools import PoolRole, pool_name

    check_name(drive)
    check_drive_size(size, found.realm.drives)

    def discard() -> None:
        from core.driver.pools import list_pools
        from core.driver.volumes import discard_volume

        with HostAccess(workplace, found.host) as access:
            access.slow(
                lambda connection: discard_volume(
                    connection, pool_name(found.realm, PoolRole.DRIVES, list_pools(connection)), drive
                )
            )

    from core.operations.images import create_drive

    create_drive(control, found.realm, [found.host], drive, size=size)
    control.on_failure(f"delete drive {drive}", discard, found.host.name)


def detach_job(workplace: Workplace, name: str, drive: str) -> Callable[[Control], str]:
    """Give the job that detaches a drive, named by its volume or target; the drive itself stays."""

    def job(control: Control) -> str:
        from core.operations.drives_attached import detach_drive

        found = at_hand(workplace, name)
        detached = detach_drive(workplace, control, found, drive)
        if not detached.running and not detached.stored:
            raise RealmsError(f"{found.target.name} has no drive {drive} any more")
        return f"{found.target.name}: drive {detached.drive} is detached, and stays in pool {detached.pool}"

    return job
