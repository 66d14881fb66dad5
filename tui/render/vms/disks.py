"""Snapshots and disks of a VM as rows, and the questions about them."""

import posixpath
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from core.driver.vms.disk_devices import Disk
from core.driver.vms.snapshots import Snapshot
from core.fleet.fleet import VM
from core.operations.vms.queries import VMDrives
from core.text import natural
from core.units import show_age, show_size
from tui.render.cells import Cell, Piece, Tone
from tui.render.question import Question
from tui.render.rows import Column, Measure, Row
from tui.render.vms.questions import title_of, vm_lines

SNAPSHOT_COLUMNS = (
    Column(key="name", title="SNAPSHOT", least=12, most=40, letter="N"),
    Column(
        key="taken", title="TAKEN UTC", whole=True, least=16, most=16, letter="T", ascending=False, measure=Measure.SIZE
    ),
    Column(key="age", title="AGE", right=True, least=5, priority=2, measure=Measure.DURATION),
    Column(key="was", title="VM WAS", least=13, most=13, priority=1),
    Column(key="disks", title="DISKS", least=5, most=20, priority=3),
    Column(key="size", title="ON DISK", right=True, least=8, letter="S", ascending=False, measure=Measure.SIZE),
    Column(key="problem", title="STATE", least=18, most=200, stretch=True),
)

DISK_COLUMNS = (
    Column(key="target", title="DISK", least=5, most=8),
    Column(key="name", title="VOLUME", least=12, most=60, letter="N"),
    Column(key="pool", title="POOL", least=6, most=24, priority=4),
    Column(key="size", title="SIZE", right=True, least=8, priority=1, measure=Measure.SIZE),
    Column(key="format", title="FORMAT", least=6, most=8, priority=3),
    Column(key="kind", title="KIND", least=5, most=8),
    Column(key="held", title="ATTACHED", least=23, most=40, stretch=True),
)

_WAS = {"off": "shut off", "crash": "running", "filesystem": "quiesced"}


def snapshot_rows(snapshots: Sequence[Snapshot], now: float) -> list[Row]:
    """Make a row of each snapshot."""
    return [_snapshot_row(snapshot, now) for snapshot in snapshots]


def _snapshot_row(snapshot: Snapshot, now: float) -> Row:
    state: Cell = (("complete", Tone.GOOD),)
    if not snapshot.complete:
        state = (("incomplete", Tone.BAD), (f": {snapshot.problem}", Tone.PLAIN))
    age = None if snapshot.taken_at is None else max(0.0, now - snapshot.taken_at)
    cells: tuple[Cell, ...] = (
        snapshot.name,
        _moment(snapshot.taken_at),
        show_age(age) if age is not None else "-",
        _WAS.get(snapshot.consistency, snapshot.state) or "-",
        " ".join(disk.target for disk in snapshot.disks) or "-",
        show_size(snapshot.allocation),
        state,
    )
    order = (natural(snapshot.name), snapshot.taken_at, age, None, None, snapshot.allocation, not snapshot.complete)
    return Row(snapshot.name, cells, order)


def _moment(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"
    except (OverflowError, ValueError, OSError):  # anyone who can write to the pool can write any time
        return "-"


def ask_restore(vm: VM, snapshot: Snapshot) -> Question:
    """Ask before a VM's disks are put back."""
    disks = ", ".join(f"{disk.target} {show_size(disk.capacity)}" for disk in snapshot.disks)
    taken = f"  taken {_moment(snapshot.taken_at)} UTC"
    lines: list[tuple[Piece, ...]] = [
        *vm_lines([vm]),
        (),
        (("restore  ", Tone.MUTED), (snapshot.name, Tone.STRONG), (taken, Tone.PLAIN)),
        (("disks    ", Tone.MUTED), (disks or "none", Tone.PLAIN)),
        (),
        (
            (
                "Changes on these disks since then are lost. The disks are replaced once all copies are complete.",
                Tone.BAD,
            ),
        ),
    ]
    return Question(title_of("Restore", [vm]), tuple(lines), "Restore", destructive=True)


def ask_delete_snapshot(vm: VM, snapshot: Snapshot) -> Question:
    """Ask before a snapshot is deleted."""
    told = f"  taken {_moment(snapshot.taken_at)} UTC, {show_size(snapshot.allocation)} on disk"
    lines: list[tuple[Piece, ...]] = [
        *vm_lines([vm]),
        (),
        (("snapshot  ", Tone.MUTED), (snapshot.name, Tone.STRONG), (told, Tone.PLAIN)),
        (),
        (("Deleted permanently. The VM and its disks are unchanged.", Tone.MUTED),),
    ]
    return Question(title_of("Delete a snapshot of", [vm]), tuple(lines), "Delete", destructive=True)


def ask_snapshot(vms: Sequence[VM]) -> Question:
    """Ask before snapshots are taken."""
    told = (
        "Copies all disks at one point in time while VMs run. File systems are quiesced if the guest agent answers; "
        "otherwise the snapshot is crash-consistent. Memory is not saved."
    )
    lines = (*vm_lines(vms), (), ((told, Tone.MUTED),))
    return Question(title_of("Snapshot", vms).removesuffix("?"), lines, "Take snapshot")


def disk_rows(found: VMDrives) -> list[Row]:
    """Make a row of each disk that a VM has, now or from the next start."""
    disks = {disk.target: disk for disk in (*found.disks.stored, *found.disks.present)}
    return [_disk_row(disks[target], found) for target in sorted(disks, key=natural)]


def disk_name(disk: Disk) -> str:
    """Name the volume or the file of a disk."""
    return disk.volume or posixpath.basename(disk.path) or "-"


def is_drive(disk: Disk, found: VMDrives) -> bool:
    """Return whether a disk lies in the drives pool: only those are detached."""
    return disk.pool == found.pool or any(volume.path == disk.path for volume in found.drives if disk.path)


def _disk_row(disk: Disk, found: VMDrives) -> Row:
    drive = is_drive(disk, found)
    size = found.size_of(disk_name(disk)) if drive else None
    now = any(each.target == disk.target for each in found.disks.present)
    stored = any(each.target == disk.target for each in found.disks.stored)
    cells: tuple[Cell, ...] = (
        disk.target,
        disk_name(disk),
        found.pool if drive else disk.pool or "-",
        show_size(size) if size is not None else "-",
        disk.format,
        (("drive", Tone.ACCENT),) if drive else ((disk.device, Tone.MUTED),),
        _held(active=found.disks.active, now=now, stored=stored),
    )
    return Row(disk.target, cells, (natural(disk.target), natural(disk_name(disk)), None, size))


def _held(*, active: bool, now: bool, stored: bool) -> Cell:
    if not active:
        return "VM shut off"
    if now and stored:
        return "live and persistent"
    return (("live only", Tone.WARN),) if now else (("from the next start", Tone.WARN),)


def ask_detach(vm: VM, disk: Disk) -> Question:
    """Ask before a drive is detached."""
    lines: list[tuple[Piece, ...]] = [
        *vm_lines([vm]),
        (),
        (("drive  ", Tone.MUTED), (disk_name(disk), Tone.STRONG), (f"  {disk.target}", Tone.PLAIN)),
        (),
        (("The drive and its data stay in the pool.", Tone.MUTED),),
    ]
    if vm.active:
        told = "Unmount it in the guest first. If the guest does not release it within 60 s, it stays attached."
        lines.append(((told, Tone.WARN),))
    return Question(title_of("Detach a drive from", [vm]), tuple(lines), "Detach", destructive=True)


def ask_attach(vm: VM, drive: str, users: Sequence[str], unasked: str) -> Question:
    """Ask before a drive that exists is attached."""
    lines: list[tuple[Piece, ...]] = [*vm_lines([vm]), (), (("drive  ", Tone.MUTED), (drive, Tone.STRONG))]
    lines += list(_warnings(users, unasked))
    told = "Attached live and persistently." if vm.active else "Attached from the next start."
    lines += [(), ((told, Tone.MUTED),)]
    return Question(title_of("Attach a drive to", [vm]), tuple(lines), "Attach", destructive=bool(users))


def _warnings(users: Sequence[str], unasked: str) -> Iterator[tuple[Piece, ...]]:
    if users:
        yield ((f"also used by {', '.join(users)}: refused while one of them runs", Tone.WARN),)
    if unasked:
        yield ((f"users unknown: {unasked}", Tone.WARN),)


def ask_new_drive(vm: VM) -> Question:
    """Ask for the name and the size of a new drive."""
    told = "Created in the drives pool and attached, live if the VM runs, and persistently."
    return Question(
        title_of("Attach a new drive to", [vm]).removesuffix("?"),
        (*vm_lines([vm]), (), ((told, Tone.MUTED),)),
        "Attach",
    )
