"""What killed programs left of VMs that were made, started or deleted: judged by the host, and cleaned up."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum

from core.driver.connection.connection import HostConnection
from core.driver.storage.volumes import find_volume
from core.driver.vms.domain_control import StoredDomain, find_domain, stop_domain
from core.errors import DriverError, RealmsError
from core.fleet.fleet import Connection, HostSnapshot
from core.hosts import Host
from core.operations.hosts.access import HostAccess, run_in_lane
from core.operations.session import Session
from core.operations.tasks.journal import Journal, Operation, Record, StillAtWork
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control
from core.operations.vms import delete
from core.operations.vms.guest_registration import NotRegistered, wait_for_registration
from core.operations.vms.restore_disks import reserve_alone
from core.reservations import Reservation

LEAST_SECONDS = 5.0
"""Seconds that a VM which runs is waited for at least, however long ago it was started."""


LONG_AGO = 3600.0
"""Seconds after its start, or the begin of its deletion, from which on a VM may have been put to use.

No old journal stops or removes it then.
"""


class CleanupAction(StrEnum):
    """What becomes of an operation that was left behind."""

    FORGET = "forget"
    """Nothing is left of it but its reservation."""
    REMOVE = "remove"
    """Remove the half-made VM and its volumes."""
    COMPLETE = "complete"
    """All was done but the last note of it."""
    WAIT = "wait"
    """The VM runs: wait until it registers; what does not is stopped, and what creation made is removed.

    One that was started `LONG_AGO` is left as it is."""
    FINISH = "finish"
    """Delete what was to be deleted, and give restored drives their names back."""
    UNKNOWN = "unknown"
    """Its host can't be asked, or another program knows what to do."""


_WORDS = {
    CleanupAction.FORGET: "nothing left to clean up: drop the record",
    CleanupAction.REMOVE: "remove the VM and its volumes, as far as they exist",
    CleanupAction.COMPLETE: "the VM was complete: record that",
    CleanupAction.WAIT: "the VM is running: wait for it to register, otherwise stop it",
    CleanupAction.FINISH: "resume the deletion",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InterruptedOperation:
    """An operation that was left behind, and what is to be done about it."""

    record: Record
    plan: CleanupAction
    host: str = ""
    """Where it worked last; empty where it had not chosen a host."""
    domain: str = "missing"
    """The VM there: active, off, missing, or unknown."""
    volumes: tuple[tuple[str, str], ...] = ()
    """Pool and name of the volumes that it was about to make or to delete."""
    message: str = ""


def judge_vm(session: Session, record: Record) -> InterruptedOperation:
    """Return what is left of an operation on one VM, by its journal and its host."""
    if record.operation == Operation.ATTACH_DRIVE:  # a killed process's claim on a drive holds nothing
        return InterruptedOperation(
            record=record, plan=CleanupAction.FORGET, domain="unknown", message=_WORDS[CleanupAction.FORGET]
        )
    volumes = _volumes(record)
    name = next((str(step["host"]) for step in reversed(record.steps) if step.get("host")), "")
    name = name or str(record.facts.get("host", ""))
    if record.operation == Operation.CREATE and not (record.last("volume") or record.last("define")):
        return InterruptedOperation(
            record=record, plan=CleanupAction.FORGET, host=name, message=_WORDS[CleanupAction.FORGET]
        )
    try:
        host = require_answering(find_snapshot(session, record.uuid, name), name)
        domain = run_in_lane(session, host.name, lambda connection: find_domain(connection, record.uuid))
    except DriverError as error:
        return InterruptedOperation(
            record=record,
            plan=CleanupAction.UNKNOWN,
            host=name,
            domain="unknown",
            volumes=volumes,
            message=error.message,
        )
    state = "missing" if domain is None else "active" if domain.active else "off"
    since = _age(session, record)
    plan = _plan(record, domain, since)
    message = _WORDS.get(plan, "")
    if domain is not None and not domain.active and since >= LONG_AGO and plan is CleanupAction.COMPLETE:
        message = "the VM was started long ago and is possibly in use; keeping it and dropping the record"
    if record.operation == Operation.DELETE and plan is CleanupAction.FORGET:
        message = "the VM has been started since; keeping it and dropping the record"
        if state == "off":
            message = "the VM still exists long after its deletion began; keeping it and dropping the record"
    return InterruptedOperation(
        record=record, plan=plan, host=host.name, domain=state, volumes=volumes, message=message
    )


def require_answering(snapshot: HostSnapshot | None, name: str) -> Host:
    """Return a host that answers; raises DriverError for one that does not."""
    if snapshot is None or snapshot.connection is not Connection.CONNECTED:
        reason = "is no longer registered" if snapshot is None else snapshot.error or "does not answer"
        raise DriverError("", f"{name} {reason}: what is left there is unknown")
    return snapshot.host


def _age(session: Session, record: Record) -> float:
    """Return the seconds since an operation was about to start or delete its VM; 0 where it had not come so far."""
    if record.operation == Operation.DELETE:
        return session.clock.now() - record.began_at
    began = record.last("start")
    return session.clock.now() - float(began["time"]) if began is not None else 0.0


def _plan(record: Record, domain: StoredDomain | None, age: float) -> CleanupAction:
    if record.operation == Operation.DELETE:
        stays = domain is not None and (domain.active or age >= LONG_AGO)
        return CleanupAction.FORGET if stays else CleanupAction.FINISH
    if record.operation == Operation.START:
        return CleanupAction.WAIT if domain is not None and domain.active else CleanupAction.FORGET
    if domain is None:
        return CleanupAction.REMOVE
    is_complete = domain.mark is not None and not domain.mark.pending
    if is_complete or (domain.active and record.last("finish")):
        return CleanupAction.COMPLETE
    if domain.active:
        return CleanupAction.WAIT
    return CleanupAction.COMPLETE if age >= LONG_AGO else CleanupAction.REMOVE


def settle_vm(session: Session, control: Control, record: Record, *, unasked: bool = False) -> CleanupAction:
    """Do what is to be done about an operation on one VM, and return what was done.

    `unasked` deletes volumes although a host can't be asked who uses them; never what a VM is known to use. Raises
    StillAtWork, VolumeInUse, VolumeUseUnknown, DriverError, Cancelled: it stays then.
    """
    registry = session.require_writable()
    with Journal(registry.path, session.clock).taking_over(record.id, force=record.forced) as entry:
        leftover = judge_vm(session, record)  # as it is now that nobody else cleans up
        if leftover.plan is CleanupAction.UNKNOWN:
            raise DriverError("", f"{record.vm}: {leftover.message}", hint="try again when the host is back")
        _refuse_at_work(registry.reservations(), record)
        host = find_host(session, leftover.host)
        plan: CleanupAction = leftover.plan
        if plan is CleanupAction.WAIT and host is not None:
            plan = _wait(session, control, leftover, host)
        if plan in (CleanupAction.REMOVE, CleanupAction.FINISH) and host is not None:
            _remove(session, control, leftover, host, unasked=unasked)
        if plan is CleanupAction.COMPLETE and host is not None and record.operation == Operation.CREATE:
            _clear_mark(session, control, host, record.uuid)
        _let_go(session, leftover, plan)
        entry.close()
    return plan


def _refuse_at_work(reservations: Iterable[Reservation], record: Record) -> None:
    """Raise StillAtWork where another operation works on the VM now, as one that starts it."""
    for reservation in reservations:
        if reservation.uuid == record.uuid and reservation.owner not in ("", record.owner):
            message = f"{record.vm} is locked by {reservation.owner}"
            raise StillAtWork(message, hint="wait until it has finished")


def _remove(session: Session, control: Control, leftover: InterruptedOperation, host: Host, *, unasked: bool) -> None:
    """Remove a VM and its volumes, except where another VM has been given one of them since."""
    record = leftover.record
    with HostAccess(session, host) as access:
        found = access.via_own_connection(
            lambda connection: [find_volume(connection, *place) for place in leftover.volumes]
        )
    volumes = tuple(volume for volume in found if volume is not None)
    if volumes:
        realm, how = delete.realm_to_ask(session, record, host), delete.RECOVER_UNASKED
        delete.refuse_used(session, control, host, realm, volumes, but=record.uuid, unasked=unasked, how=how)
    promise = reserve_alone(session, record.vm, record.uuid, host.name, record.owner)
    try:
        now = run_in_lane(session, host.name, lambda connection: find_domain(connection, record.uuid))
        if now is not None and now.active and leftover.domain != "active":
            raise StillAtWork(f"{record.vm} was started meanwhile", hint="run realms vms recover again")
        delete.remove(session, control, host, record.uuid, record.vm)
        delete.delete_volumes(session, control, host, [(volume.pool, volume.name) for volume in volumes])
    finally:
        promise.release()


def _wait(session: Session, control: Control, leftover: InterruptedOperation, host: Host) -> CleanupAction:
    """Wait for the rest of the time that the VM has; gives what remains to be done."""
    record, realm = leftover.record, session.configuration.realms.get(leftover.record.realm)
    began = record.last("start")
    waits = record.last("register")
    if realm is None or (record.operation == Operation.CREATE and waits is None):
        return CleanupAction.COMPLETE  # it was not to be waited for
    passed = session.clock.now() - float(began["time"] if began is not None else record.began_at)
    rest = max(LEAST_SECONDS, realm.registration_timeout - passed)
    try:
        wait_for_registration(
            session,
            control,
            replace(realm, registration_timeout=rest),
            host.name,
            record.uuid,
            started_at=session.clock.now(),  # it runs now, says its host: what was seen before tells nothing
            what=record.vm,
        )
    except NotRegistered as error:
        control.warn(error.message)
        if _age(session, record) >= LONG_AGO:
            control.warn(f"{record.vm} was started long ago and may be in use: left unchanged")
            return CleanupAction.COMPLETE
        if record.operation == Operation.CREATE and not (waits or {}).get("keep"):
            return CleanupAction.REMOVE
        with control.step(StepKind.STOP, f"stop {record.vm}", host.name, vm=record.vm):
            run_in_lane(session, host.name, lambda connection: stop_domain(connection, record.uuid))
    return CleanupAction.COMPLETE


def _clear_mark(session: Session, control: Control, host: Host, uuid: str) -> None:
    def clear(connection: HostConnection) -> None:
        domain = find_domain(connection, uuid)
        if domain is not None and domain.mark is not None and domain.mark.pending:
            connection.mark(uuid, replace(domain.mark, pending=""))

    with control.step(StepKind.NOTE, "record that it is complete", host.name):
        run_in_lane(session, host.name, clear)


def _let_go(session: Session, leftover: InterruptedOperation, plan: CleanupAction) -> None:
    """Give the reservation back; where the VM runs it counts for a while more, as after any start."""
    registry, record = session.require_writable(), leftover.record
    realm = session.configuration.realms.get(record.realm)
    with suppress(RealmsError):  # all is done by now, and what can't be given back at once runs out by itself
        if plan is CleanupAction.COMPLETE and leftover.domain == "active" and realm is not None:
            registry.release_later(record.uuid, record.owner, session.clock.now() + realm.stale_after)
        else:
            registry.release(record.uuid, record.owner)


def _volumes(record: Record) -> tuple[tuple[str, str], ...]:
    rows = record.facts.get("volumes", ()) if record.operation == Operation.DELETE else record.all("volume")
    return tuple((str(row["pool"]), str(row["volume"])) for row in rows if row.get("pool") and row.get("volume"))


def find_snapshot(session: Session, uuid: str, name: str) -> HostSnapshot | None:
    """Find the host that has the VM now, as someone may have moved it since; else the one that it was made on."""
    fleet = session.fleet()
    there = fleet.host(name)
    if there is not None and any(vm.uuid == uuid for vm in there.vms):
        return there
    return next((host for host in fleet.hosts if any(vm.uuid == uuid for vm in host.vms)), there)


def find_host(session: Session, name: str) -> Host | None:
    """Return a host by its name; None where it is not registered any more."""
    snapshot = session.fleet().host(name) if name else None
    return snapshot.host if snapshot is not None else None
