"""A VM's disks put back to a snapshot (specification, section 9).

The copy is complete before anything is exchanged: until then the VM has its present disks, and only then do they go. A
volume can't be renamed through libvirt. So a boot volume goes on under a new name; a drive, whose name people use, is
copied once more, to its own name, and the VM has the first copy until the second is complete.
"""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from core.driver.disk_devices import read_disk_set, switch_disks
from core.driver.domain_control import stop_domain
from core.driver.jobs import job_connection
from core.driver.volume_bytes import delete_known
from core.driver.volumes import NewVolume, create_volume, find_volume, list_volumes, require_volume
from core.errors import Cancelled, RealmsError
from core.operations.copying import check_space, copy_watched, needed_for
from core.operations.disk_users import ask_for_disks
from core.operations.journal import Journal, StillAtWork
from core.operations.placing import Promise
from core.operations.realm_pools import PoolRole, pool_name
from core.operations.selection import check_known
from core.operations.snapshots import DiskVolume, check_supported, disk_volumes, find_snapshot, snapshots_pool
from core.operations.storage_use import INCOMPLETE
from core.operations.undoing import Undoing
from core.operations.vm_at_hand import VMRefused
from core.reservations import Reservation
from core.text import printable
from core.units import show_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from core.driver.connection import HostConnection
    from core.driver.snapshots import CopiedDisk, Snapshot
    from core.driver.volumes import Volume
    from core.operations.tasks import Control
    from core.operations.vm_at_hand import VMAtHand
    from core.operations.workplace import Workplace

OPERATION = "restore"

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


def restore_snapshot(
    workplace: Workplace,
    control: Control,
    at_hand: VMAtHand,
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
    afterwards, with room taken as for any start. Raises UsageError, VMRefused, NoSpace, ReservationRefused,
    DriverError, Cancelled; the VM has its present disks then.
    """
    vm, host = at_hand.vm, at_hand.host
    check_supported(host)
    with _reserved(workplace, control, at_hand) as undoing, job_connection(host, deadline) as connection:
        work = _Work(workplace, undoing, at_hand, connection, deadline)
        with control.step(f"look for {name}", host.name) as step:
            snapshot = find_snapshot(connection, at_hand.realm, vm.uuid, name)
            if not snapshot.complete:
                message = f"snapshot {name} of {printable(vm.name)} is incomplete: {snapshot.problem}"
                raise VMRefused(message, hint="an incomplete snapshot can only be deleted")
            exchanges = work.plan(snapshot, targets)
            step.detail(", ".join(exchange.target for exchange in exchanges))
        active = read_disk_set(connection, vm.uuid).active
        if active and not force:
            hint = f"realms vms shutdown {host.name}/{vm.name}; --force cuts its power first"
            raise VMRefused(f"{printable(vm.name)} runs: its disks can't be exchanged", hint=hint)
        work.refuse_used(exchanges, force=force)
        work.check_space(exchanges)
        if active:
            with control.step(f"cut the power of {printable(vm.name)}", host.name):
                stop_domain(connection, vm.uuid)
        volumes = work.exchange(exchanges)
    if start:
        from core.operations.start import start_vm

        try:
            start_vm(workplace, control, at_hand.target)
        except RealmsError:
            control.warn(f"the disks of {printable(vm.name)} are back at {name}; only its start failed")
            raise
    return Restored(snapshot=snapshot, volumes=volumes, stopped=active, started=start)


@contextlib.contextmanager
def _reserved(workplace: Workplace, control: Control, at_hand: VMAtHand) -> Iterator[Undoing]:
    """Keep the VM for this operation alone: a reservation without size, which all other operations respect."""
    registry = workplace.check_can_change()
    vm, journal = at_hand.vm, Journal(registry.path, workplace.clock)
    _clean_up(control, journal, at_hand)
    entry = journal.begin(OPERATION, vm=vm.name, uuid=vm.uuid, realm=at_hand.realm.id, host=at_hand.host.name)
    undoing = Undoing(control, entry)
    reservation = Reservation(
        uuid=vm.uuid, vm=vm.name, host=at_hand.host.name, vcpus=0, memory_bytes=0, owner=entry.owner
    )
    try:
        with registry.transaction() as changes:
            promise = Promise(registry, changes.reserve(reservation), workplace.clock)
    except BaseException:
        undoing.undo()
        raise
    try:
        yield undoing
    except BaseException:
        undoing.undo()
        raise
    else:
        undoing.done()
    finally:
        promise.release()


def _clean_up(control: Control, journal: Journal, at_hand: VMAtHand) -> None:
    """Delete what a restore of this VM left behind whose program was killed: copies that were never used.

    Past the exchange a copy may be all that there is of a disk: then only what is known to be half-made goes.
    """
    for record in journal.left_behind():
        if record.operation != OPERATION or record.uuid != at_hand.vm.uuid:
            continue
        with contextlib.suppress(StillAtWork), journal.taking_over(record.id) as entry:
            with (
                control.step("clean up what an earlier restore left behind", at_hand.host.name) as step,
                job_connection(at_hand.host, DEADLINE) as connection,
            ):
                disks = read_disk_set(connection, at_hand.vm.uuid)
                used = {disk.path for disk in (*disks.present, *disks.stored)}
                made = [] if record.last("switch") else [_place(each) for each in record.all("copy")]
                for pool, name in map(_place, record.all("name-back")):
                    if find_volume(connection, pool, name + INCOMPLETE) is not None:
                        made += [(pool, name), (pool, name + INCOMPLETE)]
                found = [find_volume(connection, *place) for place in made]
                gone = [volume for volume in found if volume is not None and volume.path not in used]
                for volume in gone:
                    delete_known(connection, volume.pool, volume.name)
                step.detail(", ".join(volume.name for volume in gone) or "nothing")
            entry.close()


def _place(step: Mapping[str, Any]) -> tuple[str, str]:
    return str(step.get("pool", "")), str(step.get("volume", ""))


class _Work:
    """A restore under way."""

    def __init__(
        self, workplace: Workplace, undoing: Undoing, at_hand: VMAtHand, connection: HostConnection, deadline: float
    ) -> None:
        self._workplace = workplace
        self._undoing = undoing
        self._control = undoing.control
        self._at_hand = at_hand
        self._connection = connection
        self._deadline = deadline
        self._host = at_hand.host
        self._uuid = at_hand.vm.uuid

    def plan(self, snapshot: Snapshot, targets: Sequence[str]) -> tuple[_Exchange, ...]:
        """Match the snapshot's disks with the VM's: drives by their volume, others by their target."""
        from core.driver.pools import list_pools

        drives = pool_name(self._at_hand.realm, PoolRole.DRIVES, list_pools(self._connection))
        pool = snapshots_pool(self._connection, self._at_hand.realm)
        for target in targets:
            check_known("disk of the snapshot:", target, [disk.target for disk in snapshot.disks])
        present = disk_volumes(self._connection, read_disk_set(self._connection, self._uuid).present)
        stamp = datetime.fromtimestamp(self._workplace.clock.now(), UTC).strftime("%Y%m%dT%H%M%S")
        exchanges = []
        for copied in snapshot.disks:
            if targets and copied.target not in targets:
                continue
            found = _match(present, copied, drives)
            if found is None:
                what = f"drive {printable(copied.volume)}" if copied.pool == drives else f"disk {copied.target}"
                hint = "attach it again, or choose the disks to restore with --disk"
                raise VMRefused(f"{printable(self._at_hand.vm.name)} has no {what} any more", hint=hint)
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
            self._control.warn(f"not in what is restored, and left as they are: {', '.join(sorted(untouched))}")
        return tuple(exchanges)

    def refuse_used(self, exchanges: Sequence[_Exchange], *, force: bool) -> None:
        """Refuse where the VM, or another that has one of the disks, is active somewhere, or might be."""
        pools = tuple(sorted({exchange.pool for exchange in exchanges}))
        users = ask_for_disks(self._workplace, self._control, self._at_hand.hosts, pools, self._deadline)
        name = printable(self._at_hand.vm.name)
        elsewhere = [host for host in users.running(self._uuid) if host != self._host.name]
        if elsewhere:
            raise VMRefused(f"{name} is active on {', '.join(elsewhere)}", hint="turn it off there first")
        for exchange in exchanges:
            volume = exchange.present.volume
            others = [
                printable(str(user))
                for user in users.of(volume.pool, volume.name, volume.path)
                if user.active and user.uuid != self._uuid
            ]
            if others:
                raise VMRefused(f"{volume.name} is in use by {', '.join(others)}", hint="detach it there first")
        if users.unasked and not force:
            message = f"nobody can tell whether the disks of {name} are in use; not asked: {users.why_unasked}"
            raise VMRefused(message, hint="--force goes on all the same: then be sure that they are not")
        if users.unasked:
            self._control.warn(f"not asked whether they use its disks: {', '.join(users.unasked)}")
        paths = {exchange.present.volume.path for exchange in exchanges}
        for pool in pools:
            for volume in list_volumes(self._connection, pool):
                if volume.backing_path in paths:
                    raise VMRefused(f"{pool}/{volume.name} is an overlay of a disk of {name}: it would be destroyed")

    def check_space(self, exchanges: Sequence[_Exchange]) -> None:
        """Refuse where the copies have no room beside the present disks."""
        needed: Counter[str] = Counter()
        for exchange in exchanges:
            needed[exchange.pool] += exchange.needed
            if exchange.is_drive:  # copied twice, the second time in the room of the present one
                needed[exchange.pool] += max(0, exchange.needed - exchange.present.volume.allocation)
        with self._control.step("check the free space", self._host.name) as step:
            check_space(self._connection, dict(needed))
            step.detail(f"about {show_size(sum(needed.values()))} needed")

    def exchange(self, exchanges: Sequence[_Exchange]) -> dict[str, tuple[str, str]]:
        """Copy, exchange all disks at once, and only then let go of the present ones."""
        copies = {exchange.target: self._copy(exchange) for exchange in exchanges}
        former = {each.target: (each.present.volume.path, each.present.disk.format) for each in exchanges}
        self._undoing.before(
            "switch", "give the VM its present disks back", lambda: self._switch_back(former), self._host.name
        )
        with self._control.step("exchange the disks", self._host.name):
            chosen = {each.target: (copies[each.target].path, each.copied.format) for each in exchanges}
            switch_disks(self._connection, self._uuid, chosen)
        self._control.keep()
        volumes = {}
        for exchange in exchanges:
            new, old = copies[exchange.target], exchange.present.volume
            volumes[exchange.target] = (new.pool, new.name)
            with self._tolerant(f"{old.pool}/{old.name} is left over"):
                with self._control.step(f"delete {old.name} as it was before", self._host.name):
                    delete_known(self._connection, old.pool, old.name)
                if exchange.is_drive:
                    volumes[exchange.target] = self._name_back(exchange, new)
        return volumes

    def _copy(self, exchange: _Exchange) -> Volume:
        pool, name = exchange.pool, exchange.name

        def undo() -> None:
            with job_connection(self._host, self._deadline) as connection:
                delete_known(connection, pool, name)

        self._undoing.before("copy", f"delete {name}", undo, self._host.name, pool=pool, volume=name)
        return copy_watched(
            self._control,
            self._connection,
            self._host,
            exchange.copy,
            pool=pool,
            name=name,
            form=exchange.copied.format,
            needed=exchange.needed,
            what=f"copy {exchange.target} back",
            deadline=self._deadline,
        )

    def _switch_back(self, former: dict[str, tuple[str, str]]) -> None:
        with job_connection(self._host, self._deadline) as connection:
            switch_disks(connection, self._uuid, former)

    def _name_back(self, exchange: _Exchange, first: Volume) -> tuple[str, str]:
        """Copy a drive to its own name; until that is complete, the VM has it under another."""
        pool, name, form = exchange.pool, exchange.present.volume.name, exchange.copied.format
        self._undoing.entry.step("name-back", host=self._host.name, pool=pool, volume=name)
        # Until it is complete nobody takes it for a drive.
        create_volume(self._connection, pool, NewVolume(name=name + INCOMPLETE, capacity=512, format="raw"))
        try:
            second = copy_watched(
                self._control,
                self._connection,
                self._host,
                exchange.copy,  # not the first one: what begins there is the guest's to write, and libvirt believes it
                pool=pool,
                name=name,
                form=form,
                needed=exchange.needed,
                what=f"give {name} its name back",
                deadline=self._deadline,
            )
        finally:
            with job_connection(self._host, self._deadline) as another:
                delete_known(another, pool, name + INCOMPLETE)
        with self._control.step(f"exchange {exchange.target}", self._host.name):
            switch_disks(self._connection, self._uuid, {exchange.target: (second.path, form)})
            delete_known(self._connection, pool, first.name)
        return pool, name

    @contextlib.contextmanager
    def _tolerant(self, otherwise: str) -> Iterator[None]:
        """Let what is restored stand where tidying up fails, or is cancelled; it is told."""
        try:
            yield
        except Cancelled:
            self._control.warn(f"restored, but cancelled before all was tidied up: {otherwise}, or its name is another")
        except RealmsError as error:
            self._control.warn(f"restored, but not all could be tidied up: {error}")


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
