"""What is done to the disks of VMs from the screens, as jobs of tasks: deletion, snapshots, drives."""

from collections.abc import Callable, Sequence

from core.errors import RealmsError
from core.operations.session import Session
from core.operations.tasks.task import Control
from core.operations.vms.delete import Deletion
from core.operations.vms.lookup import ResolvedVM, on_vm
from core.operations.vms.power import Done
from core.operations.vms.target import Target
from tui.jobs.vms import each_job


def delete_job(session: Session, names: Sequence[str], wish: Deletion) -> Callable[[Control], str]:
    """Return the job that deletes VMs; what of them stays is told in the task's warnings."""
    from core.operations.vms.power import STARTS_AT_ONCE

    def one(control: Control, target: Target) -> Done:
        from core.operations.vms.delete import delete_vm
        from core.operations.vms.power import Done

        deleted = delete_vm(
            session, control, target,
            volumes=wish.volumes, drives=wish.drives, snapshots=wish.snapshots, unasked=wish.unasked,
        )  # fmt: skip
        for kept in deleted.stays:
            control.warn(f"{target.name}: kept {kept}")
        return Done(target)

    extras = [
        word for wanted, word in ((wish.volumes, "boot volume"), (wish.drives, "drives"), (wish.snapshots, "snapshots"))
        if wanted
    ]  # fmt: skip
    said = "deleted" + (f", with {' and '.join(filter(None, (', '.join(extras[:-1]), extras[-1])))}" if extras else "")
    return each_job(session, names, one, said, at_once=STARTS_AT_ONCE)


def snapshot_job(
    session: Session, names: Sequence[str], snapshot: str, *, targets: Sequence[str] = (), freeze: bool = True
) -> Callable[[Control], str]:
    """Return the job that takes a snapshot of that name of each VM; an empty name stands for the time."""

    def one(control: Control, target: Target) -> Done:
        from core.operations.vms.lookup import vm_now
        from core.operations.vms.power import Done
        from core.operations.vms.snapshots import name_by_time, take_snapshot

        now = session.clock.now()
        name = snapshot or name_by_time(now)
        found = vm_now(session, f"{target.host.name}/{target.vm.uuid}")
        take_snapshot(control, found, name, now=now, targets=targets, freeze=freeze)
        return Done(target)

    return each_job(session, names, one, f"snapshot {snapshot} taken" if snapshot else "snapshot taken")


@on_vm
def restore_job(
    session: Session,
    control: Control,
    found: ResolvedVM,
    snapshot: str,
    *,
    cut_power: bool = False,
    start: bool = False,
) -> str:
    """Put a VM's disks back to a snapshot."""
    from core.operations.vms.restore import restore_snapshot

    restored = restore_snapshot(session, control, found, snapshot, force=cut_power, start=start)
    state = "started" if restored.started else "shut off"
    return f"{found.target.name}: restored to {snapshot}: {', '.join(sorted(restored.volumes))}; {state}"


@on_vm
def delete_snapshot_job(session: Session, control: Control, found: ResolvedVM, snapshot: str) -> str:  # noqa: ARG001 - jobs have one form
    """Delete a snapshot for good."""
    from core.operations.vms.snapshots import SnapshotOwner, delete_snapshot

    delete_snapshot(control, SnapshotOwner(found.vm.name, found.vm.uuid, found.host, found.realm), snapshot)
    return f"{found.target.name}: snapshot {snapshot} deleted"


@on_vm
def attach_job(
    session: Session, control: Control, found: ResolvedVM, drive: str, *, size: int | None = None, force: bool = False
) -> str:
    """Attach a drive to a VM; with a size (bytes) it is made first, and goes again on failure."""
    from core.operations.vms.drives import attach_drive, make_drive

    if size is not None:
        make_drive(session, control, found, drive, size)
    attached = attach_drive(session, control, found, drive, force=force)
    control.keep()
    when = "" if attached.running or not found.vm.active else " from the next start"
    return f"{found.target.name}: drive {attached.drive} attached as {attached.target}{when}"


@on_vm
def detach_job(session: Session, control: Control, found: ResolvedVM, drive: str) -> str:
    """Detach a drive, named by its volume or target; the drive itself stays."""
    from core.operations.vms.drives import detach_drive

    detached = detach_drive(session, control, found, drive)
    if not detached.running and not detached.stored:
        raise RealmsError(f"{found.target.name} no longer has drive {drive}")
    return f"{found.target.name}: drive {detached.drive} detached, kept in pool {detached.pool}"
