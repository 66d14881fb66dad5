"""A VM's disks put back to a snapshot (specification, section 9).

The copy is complete before anything is exchanged: until then the VM has its present disks, and only then do they go. A
volume can't be renamed through libvirt. So a boot volume goes on under a new name; a drive, whose name people use, is
copied once more, to its own name, and the VM has the first copy until the second is complete. What a program that is
killed in the midst leaves is put in order by core/operations/vms/restore_cleanup.py.
"""

import contextlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from core.driver.connection.connection import HostConnection
from core.driver.connection.jobs import job_connection
from core.driver.storage.pools import list_pools
from core.driver.storage.volume_bytes import delete_known
from core.driver.storage.volumes import Volume, require_volume
from core.driver.vms.disk_devices import read_disk_set, switch_disks
from core.driver.vms.domain_control import stop_domain
from core.driver.vms.snapshots import CopiedDisk, Snapshot
from core.errors import Cancelled, RealmsError
from core.operations.selection import check_known
from core.operations.session import Session
from core.operations.storage.policy import Allow, ask_who_uses, ensure_unused
from core.operations.storage.pool_report import PoolRole, pool_name
from core.operations.storage.volume_copy import CopyGoesOn, check_space, copy_watched, needed_for
from core.operations.tasks.journal import Journal, Operation
from core.operations.tasks.rollback import Rollback
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control
from core.operations.vms.deferred_cleanup import recover_when_copied
from core.operations.vms.lookup import ResolvedVM, VMRefused
from core.operations.vms.restore_cleanup import settle_earlier, settle_left_restore
from core.operations.vms.restore_disks import COPY, STOP, SWITCH, NameRestore, RestoredDisk, reserve_alone
from core.operations.vms.saved import refuse_saved
from core.operations.vms.snapshots import DiskVolume, check_supported, disk_volumes, find_snapshot, snapshots_pool
from core.operations.vms.start import start_vm
from core.text import printable, shell_command
from core.units import show_size

DEADLINE = 30.0
"""Seconds that connecting to a host may take."""

_RESTORED = re.compile(r"\.restored-\d{8}T\d{6}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What came of it. `volumes` are the VM's restored disks: target to pool and volume."""

    snapshot: Snapshot
    volumes: dict[str, tuple[str, str]]
    stopped: bool
    """Whether the VM ran, and was stopped for it."""
    started: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Exchange:
    """One disk, and what it is to be put back to."""

    present: DiskVolume
    copied: CopiedDisk
    copy: Volume
    name: str
    """Of the volume that the VM gets first."""
    is_drive: bool
    needed: int

    @property
    def target(self) -> str:
        return self.present.disk.target

    @property
    def pool(self) -> str:
        return self.present.volume.pool

    @property
    def restored(self) -> RestoredDisk:
        """As it is told to the journal."""
        return RestoredDisk(
            target=self.target,
            pool=self.pool,
            former=self.present.volume.name,
            copy=self.name,
            format=self.copied.format,
            is_drive=self.is_drive,
        )


def restore_snapshot(
    session: Session,
    control: Control,
    at_hand: ResolvedVM,
    name: str,
    *,
    targets: Sequence[str] = (),
    force: bool = False,
    start: bool = False,
    deadline: float = DEADLINE,
) -> Restored:
    """Put a VM's disks, or those of some targets, back to a snapshot; others stay as they are.

    The VM must be off; `force` stops it first, and goes on where a host can't be asked whether it uses the disks. The
    VM is reserved meanwhile: no program that shares the registry starts, moves or deletes it. `start` starts it
    afterwards, with room taken as for any start. Raises UsageError, VMRefused, VolumeInUse, VolumeUseUnknown, NoSpace,
    ReservationRefused, DriverError, Cancelled; the VM has its present disks then.
    """
    vm, host = at_hand.vm, at_hand.host
    check_supported(host)
    with _reserved(session, control, at_hand) as rollback, job_connection(host, deadline) as connection:
        work = _Restore(session, rollback, at_hand, connection, deadline)
        refuse_saved(connection, vm.uuid, at_hand.target.name, "it goes on only with the disks that it was saved with")
        with control.step(StepKind.LOOK, f"look for {name}", host.name) as step:
            snapshot = find_snapshot(connection, at_hand.realm, vm.uuid, name)
            if not snapshot.complete:
                message = f"snapshot {name} of {printable(vm.name)} is incomplete: {snapshot.problem}"
                raise VMRefused(message, hint="an incomplete snapshot can only be deleted")
            exchanges = work.plan(snapshot, targets)
            step.detail(", ".join(exchange.target for exchange in exchanges))
        active = read_disk_set(connection, vm.uuid).active
        if active and not force:
            shutdown = shell_command("realms vms shutdown", f"{host.name}/{vm.name}")
            message = f"{printable(vm.name)} is running: its disks can't be replaced"
            raise VMRefused(message, hint=f"{shutdown}, or use --force to force it off first")
        work.refuse_used(exchanges, force=force)
        work.check_space(exchanges)
        if active:
            rollback.entry.step(STOP, host=host.name)
            with control.step(StepKind.STOP, f"force off {printable(vm.name)}", host.name, vm=vm.name):
                stop_domain(connection, vm.uuid)
        volumes = work.exchange(exchanges)
    if work.goes_on is not None:
        recover_when_copied(session, rollback.entry.id, vm.name, work.goes_on, settle_left_restore)
    if start:
        try:
            start_vm(session, control, at_hand.target)
        except RealmsError:
            control.warn(f"the disks of {printable(vm.name)} are restored to {name}, but it failed to start")
            raise
    return Restored(snapshot=snapshot, volumes=volumes, stopped=active, started=start)


@contextlib.contextmanager
def _reserved(session: Session, control: Control, at_hand: ResolvedVM) -> Iterator[Rollback]:
    """Keep the VM for this operation alone: a reservation without size, which all other operations respect."""
    registry = session.require_writable()
    vm, journal = at_hand.vm, Journal(registry.path, session.clock)
    settle_earlier(session, control, vm.uuid, at_hand.host)
    entry = journal.begin(Operation.RESTORE, vm=vm.name, uuid=vm.uuid, realm=at_hand.realm.id, host=at_hand.host.name)
    rollback = Rollback(control, entry, vm.name)
    try:
        promise = reserve_alone(session, vm.name, vm.uuid, at_hand.host.name, entry.owner)
    except BaseException:
        rollback.undo()
        raise
    try:
        yield rollback
    except CopyGoesOn as error:
        rollback.undo()
        recover_when_copied(session, entry.id, vm.name, error, settle_left_restore)
        raise
    except BaseException:
        rollback.undo()
        raise
    finally:
        promise.release()


class _Restore:
    """A restore under way."""

    def __init__(
        self, session: Session, rollback: Rollback, at_hand: ResolvedVM, connection: HostConnection, deadline: float
    ) -> None:
        self._session = session
        self._undoing = rollback
        self._control = rollback.control
        self._at_hand = at_hand
        self._connection = connection
        self._deadline = deadline
        self._host = at_hand.host
        self._uuid = at_hand.vm.uuid
        self.goes_on: CopyGoesOn | None = None
        """A copy that the host goes on making although the task was cancelled."""

    def plan(self, snapshot: Snapshot, targets: Sequence[str]) -> tuple[_Exchange, ...]:
        """Match the snapshot's disks with the VM's: drives by their volume, others by their target."""
        drives = pool_name(self._at_hand.realm, PoolRole.DRIVES, list_pools(self._connection))
        pool = snapshots_pool(self._connection, self._at_hand.realm)
        for target in targets:
            check_known("disk of the snapshot:", target, [disk.target for disk in snapshot.disks])
        present = disk_volumes(self._connection, read_disk_set(self._connection, self._uuid).present)
        stamp = datetime.fromtimestamp(self._session.clock.now(), UTC).strftime("%Y%m%dT%H%M%S")
        exchanges = []
        for copied in snapshot.disks:
            if targets and copied.target not in targets:
                continue
            found = _match(present, copied, drives)
            if found is None:
                what = f"drive {printable(copied.volume)}" if copied.pool == drives else f"disk {copied.target}"
                hint = "attach it again, or choose the disks to restore with --disk"
                raise VMRefused(f"{printable(self._at_hand.vm.name)} no longer has {what}", hint=hint)
            copy = require_volume(self._connection, pool, copied.copy)
            exchanges.append(
                _Exchange(
                    present=found,
                    copied=copied,
                    copy=copy,
                    name=_fresh_name(found.volume.name, stamp),
                    is_drive=found.volume.pool == drives,
                    needed=needed_for(self._connection, copy),
                )
            )
        untouched = {each.disk.target for each in present} - {exchange.target for exchange in exchanges}
        if untouched:
            self._control.warn(f"not restored, left unchanged: {', '.join(sorted(untouched))}")
        return tuple(exchanges)

    def refuse_used(self, exchanges: Sequence[_Exchange], *, force: bool) -> None:
        """Refuse where the VM, or another that has one of the disks, is active somewhere, or might be."""
        host, name = self._host.name, printable(self._at_hand.vm.name)
        volumes = [exchange.present.volume for exchange in exchanges]
        uses = ask_who_uses(
            self._session, self._control, self._at_hand.realm, self._at_hand.hosts, volumes,
            deadline=self._deadline, but=(host, self._uuid), overlays_by=host,
        )  # fmt: skip
        elsewhere = [each for each in uses.facts.running_on(self._uuid) if each != host]
        if elsewhere:
            raise VMRefused(f"{name} is active on {', '.join(elsewhere)}", hint="turn it off there first")
        passed = ensure_unused(
            uses.found,
            uses.unasked,
            Allow(off=True, possible=True, unasked=force),
            hint="detach it there first; an overlay of a disk would be destroyed",
            unknown_hint="override with --force if you are sure that none is in use",
        )
        for doubt in passed:
            self._control.warn(doubt)

    def check_space(self, exchanges: Sequence[_Exchange]) -> None:
        """Refuse where the copies have no room beside the present disks."""
        needed: Counter[str] = Counter()
        for exchange in exchanges:
            needed[exchange.pool] += exchange.needed
            if exchange.is_drive:  # copied twice, the second time in the room of the present one
                needed[exchange.pool] += max(0, exchange.needed - exchange.present.volume.allocation)
        with self._control.step(StepKind.LOOK, "check the free space", self._host.name) as step:
            check_space(self._connection, dict(needed))
            step.detail(f"about {show_size(sum(needed.values()))} needed")

    def exchange(self, exchanges: Sequence[_Exchange]) -> dict[str, tuple[str, str]]:
        """Copy, exchange all disks at once, and only then delete the present ones."""
        copies = {exchange.target: self._copy(exchange) for exchange in exchanges}
        former = {each.target: (each.present.volume.path, each.present.disk.format) for each in exchanges}
        self._undoing.before(
            SWITCH,
            "restore the VM's present disks",
            lambda: self._switch_back(former),
            self._host.name,
            disks=[each.restored.as_fact() for each in exchanges],
        )
        with self._control.step(StepKind.EXCHANGE, "replace the disks", self._host.name):
            chosen = {each.target: (copies[each.target].path, each.copied.format) for each in exchanges}
            switch_disks(self._connection, self._uuid, chosen)
        self._control.keep()
        volumes, unfinished = {}, False
        for exchange in exchanges:
            new = copies[exchange.target]
            volumes[exchange.target] = (new.pool, new.name)
            try:
                if exchange.is_drive:
                    volumes[exchange.target] = self._name_back(exchange)
                else:
                    self._delete_former(exchange)
            except RealmsError as error:
                self.goes_on = error if isinstance(error, CopyGoesOn) else self.goes_on
                # What is restored stands.
                reason = "cancelled" if isinstance(error, Cancelled) else str(error)
                left = f"{exchange.pool}/{exchange.present.volume.name} remains to be cleaned up"
                self._control.warn(f"restored, but {left}: {reason}; later: realms vms recover")
                unfinished = True
        if unfinished:
            self._undoing.leave()
        else:
            self._undoing.done()
        return volumes

    def _delete_former(self, exchange: _Exchange) -> None:
        name = exchange.present.volume.name
        with self._control.step(StepKind.DELETE, f"delete {name} as it was before", self._host.name, always=True):
            delete_known(self._connection, exchange.pool, name)

    def _copy(self, exchange: _Exchange) -> Volume:
        pool, name = exchange.pool, exchange.name

        def undo() -> None:
            with job_connection(self._host, self._deadline) as connection:
                delete_known(connection, pool, name)

        self._undoing.before(COPY, f"delete {name}", undo, self._host.name, pool=pool, volume=name)
        return copy_watched(
            self._control,
            self._connection,
            self._host,
            exchange.copy,
            pool=pool,
            name=name,
            form=exchange.copied.format,
            needed=exchange.needed,
            what=f"restore {exchange.target}",
            deadline=self._deadline,
        )

    def _switch_back(self, former: dict[str, tuple[str, str]]) -> None:
        with job_connection(self._host, self._deadline) as connection:
            switch_disks(connection, self._uuid, former)

    def _name_back(self, exchange: _Exchange) -> tuple[str, str]:
        giving = NameRestore(
            self._control, self._undoing.entry, self._connection, self._host, self._uuid, self._deadline
        )
        # Not from the first copy: what begins there is the guest's to write, and libvirt believes it.
        return giving.give_back(exchange.restored, exchange.copy, exchange.needed)


def _match(present: Sequence[DiskVolume], copied: CopiedDisk, drives: str) -> DiskVolume | None:
    same = [each for each in present if (each.volume.pool, each.volume.name) == (copied.pool, copied.volume)]
    if same or copied.pool == drives:
        return same[0] if same else None
    return next(
        (each for each in present if each.disk.target == copied.target and each.volume.pool == copied.pool), None
    )


def _fresh_name(name: str, stamp: str) -> str:
    plain = _RESTORED.sub("", name)
    stem, dot, ending = plain.rpartition(".")
    if dot and stem and ending in ("qcow2", "raw", "img"):
        return f"{stem}.restored-{stamp}.{ending}"
    return f"{plain}.restored-{stamp}"
