"""Restores that were left behind: how far they came is told by what the VM's disks are on (specification, section 9).

Before the exchange the VM has the disks that it had, and the copies are nobody's. After it the VM has the copies, which
are complete; what it had before goes, as it would have, and a drive gets its name back. That is copied from what the VM
has now and not from the snapshot: the VM may have been started since.
"""

import posixpath
from contextlib import suppress
from dataclasses import dataclass

from core.driver.connection.connection import HostConnection
from core.driver.connection.jobs import job_connection
from core.driver.storage.pool_setup import look_up_pool
from core.driver.storage.volumes import find_volume, volume_names
from core.driver.vms.disk_devices import read_disk_set
from core.driver.vms.domain_control import find_domain
from core.errors import DriverError, UnknownHost
from core.hosts import Host
from core.operations.session import Session
from core.operations.storage.volume_copy import check_space, needed_for, when_free
from core.operations.tasks.journal import Journal, JournalEntry, Operation, Record, StillAtWork
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control
from core.operations.vms.cleanup import CleanupAction, InterruptedOperation, find_host, find_snapshot, require_answering
from core.operations.vms.delete import RECOVER_UNASKED, delete_volumes, realm_to_ask, refuse_used
from core.operations.vms.restore_disks import (
    COPY,
    NAME_BACK,
    STOP,
    SWITCH,
    NameRestore,
    Place,
    RestoredDisk,
    reserve_alone,
)
from core.text import printable, shell_command

DEADLINE = 30.0
"""Seconds that connecting to a host may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftRestore:
    """A restore that was left behind, and what is to be done about it."""

    record: Record
    host: Host
    """The one that has the VM now; where none has it, the one that had."""
    state: str
    """The VM there: active, off, missing."""
    doomed: tuple[Place, ...] = ()
    """Volumes that nobody needs any more."""
    unnamed: tuple[RestoredDisk, ...] = ()
    """Drives that are under the name of their copy still."""
    kept: tuple[str, ...] = ()
    """What is left as it is, in words, because it is unknown whether it is needed."""
    is_exchanged: bool = False
    """Whether the VM has its restored disks, and not those that it had."""

    @property
    def message(self) -> str:
        """Return what is to be done."""
        parts = []
        if self.doomed:
            parts.append(f"delete {', '.join(name for _, name in self.doomed)}")
        parts += [f"rename drive {disk.former} back" for disk in self.unnamed]
        if self.unnamed and self.state == "active":
            parts[-1] += ", once the VM is off"
        parts += self.kept
        if self.record.last(STOP) is not None and self.state == "off":
            parts.append("the VM was turned off for the restore and stays off")
        there = "the VM no longer exists"
        if self.state != "missing":
            there = f"the VM has its {'restored' if self.is_exchanged else 'former'} disks"
        return f"{there}: {'; '.join(parts) or 'nothing left to clean up: drop the record'}"


def disks_of(record: Record) -> tuple[RestoredDisk, ...]:
    """Return the disks that a restore was about to exchange; none where it had not come so far."""
    switch = record.last(SWITCH)
    facts = switch.get("disks") if switch is not None else None
    found = (RestoredDisk.from_fact(fact) for fact in (facts if isinstance(facts, list) else ()))
    return tuple(disk for disk in found if disk is not None)


def look_at_restore(record: Record, host: Host) -> LeftRestore:
    """Ask the host that has the VM, or had it, what there is of a restore. Raises DriverError."""
    with job_connection(host, DEADLINE) as connection:
        return judge_restore(connection, record, host)


def judge_restore(connection: HostConnection, record: Record, host: Host) -> LeftRestore:
    """Return what there is of a restore on the host of this connection, and what is to be done. Raises DriverError."""
    disks = disks_of(record)
    domain = find_domain(connection, record.uuid)
    state = "missing" if domain is None else "active" if domain.active else "off"
    used: set[str] = set()
    named: set[Place] = set()
    if domain is not None:
        both = read_disk_set(connection, record.uuid)
        used = {posixpath.normpath(disk.path) for disk in (*both.present, *both.stored)}
        named = {(disk.pool, disk.volume) for disk in (*both.present, *both.stored)}
    folders: dict[str, str] = {}

    def has(pool: str, name: str) -> bool:
        if pool not in folders:
            folders[pool] = look_up_pool(connection, pool).path
        return (pool, name) in named or posixpath.normpath(posixpath.join(folders[pool], name)) in used

    doomed: list[Place] = []
    unnamed: list[RestoredDisk] = []
    kept: list[str] = []
    if record.last(SWITCH) is None:
        copies = [(str(step.get("pool", "")), str(step.get("volume", ""))) for step in record.all(COPY)]
        doomed += [place for place in copies if all(place) and not has(*place)]
    elif not disks:
        kept.append("its journal is invalid: look for volumes with .restored- in their names")
    for disk in disks:
        if has(disk.pool, disk.former):
            doomed += [(disk.pool, disk.marker), (disk.pool, disk.copy)]
        elif not has(disk.pool, disk.copy):
            kept.append(f"{disk.pool}/{disk.copy} and {disk.former} are kept, as the VM uses neither")
        elif not disk.is_drive:
            doomed.append((disk.pool, disk.former))
        else:
            unnamed.append(disk)
    names = {pool: volume_names(connection, pool, or_stale=True) for pool in {pool for pool, _ in doomed}}
    return LeftRestore(
        record=record,
        host=host,
        state=state,
        doomed=tuple((pool, name) for pool, name in doomed if name in names[pool]),
        unnamed=tuple(unnamed),
        kept=tuple(kept),
        is_exchanged=bool(disks and record.last(NAME_BACK)) or any(has(disk.pool, disk.copy) for disk in disks),
    )


def settle_restore(
    session: Session, control: Control, record: Record, host: Host, *, unasked: bool = False
) -> LeftRestore:
    """Put in order what a restore left, through the host that has the VM now, and forget it.

    Nothing is ever taken from the VM, and nothing deleted that another VM is known to use; where a host can't be asked,
    only `unasked`. Raises StillAtWork, ReservationRefused, VolumeInUse, VolumeUseUnknown, NoSpace, DriverError,
    Cancelled: it stays then.
    """
    registry = session.require_writable()
    with Journal(registry.path, session.clock).taking_over(record.id, force=record.forced) as entry:
        _wait_for_copies(session, control, record, unasked=unasked)
        promise = reserve_alone(session, record.vm, record.uuid, host.name, record.owner)
        try:
            with job_connection(host, DEADLINE) as connection:
                with control.step(
                    StepKind.LOOK, f"find leftovers of the restore of {record.vm}", host.name, vm=record.vm
                ) as step:
                    left = judge_restore(connection, record, host)
                    step.detail(left.message)
                _delete(session, control, left, unasked=unasked)
                for disk in left.unnamed:
                    _give_name_back(control, entry, connection, left, disk)
            for words in left.kept:
                control.warn(words)
            entry.close()
        finally:
            promise.release()
    return left


def judge_left_restore(session: Session, record: Record) -> InterruptedOperation:
    """Judge by what the VM's disks are on; nothing is known where its host does not answer."""
    name = str(record.facts.get("host", ""))
    snapshot = find_snapshot(session, record.uuid, name)
    try:
        left = look_at_restore(record, require_answering(snapshot, name))
    except DriverError as error:
        return InterruptedOperation(
            record=record, plan=CleanupAction.UNKNOWN, host=name, domain="unknown", message=error.message
        )
    waits = left.unnamed and left.state == "active"
    return InterruptedOperation(
        record=record,
        plan=CleanupAction.UNKNOWN
        if waits
        else CleanupAction.FINISH
        if left.doomed or left.unnamed
        else CleanupAction.FORGET,
        host=left.host.name,
        domain=left.state,
        volumes=left.doomed,
        message=left.message,
    )


def settle_left_restore(session: Session, control: Control, record: Record, *, unasked: bool = False) -> CleanupAction:
    """Do what is to be done about a restore, and return what was done.

    Raises what `settle_restore` raises, and DriverError where its host can't be asked.
    """
    leftover = judge_left_restore(session, record)
    host = find_host(session, leftover.host)
    if host is None or leftover.domain == "unknown":
        raise DriverError("", f"{record.vm}: {leftover.message}", hint="try again when the host is back")
    settle_restore(session, control, record, host, unasked=unasked)
    return CleanupAction.FORGET if leftover.plan is CleanupAction.FORGET else CleanupAction.FINISH


def settle_earlier(session: Session, control: Control, uuid: str, host: Host) -> None:
    """Settle what killed programs left of earlier restores of a VM, before it is restored again.

    Raises what settling them raises.
    """
    registry = session.require_writable()
    for record in Journal(registry.path, session.clock).left_behind():
        if record.operation == Operation.RESTORE and record.uuid == uuid:
            with suppress(StillAtWork):  # another program settles it at this moment
                settle_restore(session, control, record, host)


def _wait_for_copies(session: Session, control: Control, record: Record, *, unasked: bool) -> None:
    """Wait until the host that copied for the killed program is done: it may go on, and alone knows of it.

    One that has been removed since, or does not answer, can't be asked: only `unasked` goes on then. Raises
    DriverError, Cancelled.
    """
    pools = {str(step["pool"]) for name in (COPY, NAME_BACK) for step in record.all(name) if step.get("pool")}
    if not pools:
        return
    name = str(record.facts.get("host", ""))
    try:
        worker = session.require_writable().host(name)
        what = "wait until no copy is running there"
        with control.step(StepKind.WAIT, what, name) as step, job_connection(worker, DEADLINE) as connection:
            for pool in sorted(pools):
                when_free(control, step, lambda pool=pool: volume_names(connection, pool))  # type: ignore[misc]
    except (UnknownHost, DriverError) as error:
        gone = isinstance(error, UnknownHost)
        why = f"{name} is no longer registered" if gone else error.message
        message = f"cannot check whether {name} still copies for the restore of {printable(record.vm)}: {why}"
        if not unasked:
            again = "register it again" if gone else "try again when it is back"
            hint = f"{again}; override with {RECOVER_UNASKED} if you are sure it no longer copies"
            raise DriverError("", message, hint=hint) from error
        control.warn(message)


def _delete(session: Session, control: Control, left: LeftRestore, *, unasked: bool) -> None:
    with job_connection(left.host, DEADLINE) as connection:
        found = [find_volume(connection, *place) for place in left.doomed]
    volumes = tuple(volume for volume in found if volume is not None)
    if volumes:
        refuse_used(
            session, control, left.host, realm_to_ask(session, left.record, left.host), volumes,
            but=left.record.uuid, unasked=unasked, how=RECOVER_UNASKED,
        )  # fmt: skip
    delete_volumes(session, control, left.host, [(volume.pool, volume.name) for volume in volumes])


def _give_name_back(
    control: Control, entry: JournalEntry, connection: HostConnection, left: LeftRestore, disk: RestoredDisk
) -> None:
    name, vm = printable(disk.former), printable(left.record.vm)
    if left.state == "active":
        message = f"{vm} is running: its drive {name} is called {printable(disk.copy)} until it is off"
        shutdown = shell_command("realms vms shutdown", f"{left.host.name}/{left.record.vm}")
        raise DriverError(left.host.name, message, hint=f"{shutdown}, then realms vms recover")
    names = volume_names(connection, disk.pool)
    begun = any(
        (step.get("pool"), step.get("volume")) == (disk.pool, disk.former) for step in left.record.all(NAME_BACK)
    )
    if begun and disk.former in names and disk.marker not in names:
        control.warn(f"{vm} keeps its drive as {printable(disk.copy)}: another {name} has been created since")
        return
    source = find_volume(connection, disk.pool, disk.copy)
    if source is None or source.format != disk.format or source.backing_path:
        # A guest writes all of a raw drive, and libvirt would copy what it pretends to be.
        message = f"{vm} keeps its drive as {printable(disk.copy)}: libvirt can't copy it unchanged,"
        control.warn(f"{message} as its header is not that of a {disk.format} image")
        return
    needed = needed_for(connection, source)
    check_space(connection, {disk.pool: needed})
    with_name = NameRestore(control, entry, connection, left.host, left.record.uuid, DEADLINE)
    with_name.give_back(disk, source, needed)
