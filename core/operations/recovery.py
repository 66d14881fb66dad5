"""What killed programs left behind: told by the journal, cleaned up by what knows the operation."""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple, Protocol

from core.errors import DriverError, UnknownHost
from core.operations.migration.cleanup import look_at_migration, settle_migration
from core.operations.migration.location import LocationState
from core.operations.session import Session
from core.operations.tasks.journal import Journal, Operation, Record, cannot_verify
from core.operations.tasks.task import Control
from core.operations.vms.cleanup import CleanupAction, InterruptedOperation, judge_vm, settle_vm
from core.operations.vms.create import SETTLE_SECONDS
from core.operations.vms.restore_cleanup import judge_left_restore, settle_left_restore


def survey(
    session: Session, *, settle: float = SETTLE_SECONDS, force: bool = False
) -> tuple[InterruptedOperation, ...]:
    """Look at every operation that was left behind, and say what there is of it; changes nothing.

    Those that may be running, which can't be verified from here, are listed as unknown; with `force` as left behind.
    """
    if session.registry is None:
        return ()
    left = [
        replace(record, forced=force)
        for record in Journal(session.registry.path, session.clock).records()
        if not record.at_work
    ]
    records = [record for record in left if record.operation != Operation.PLAN]  # `realms plan resume` knows those
    if not records:
        return ()
    session.settled_fleet(settle)
    return tuple(judge(session, record) for record in records)


def judge(session: Session, record: Record) -> InterruptedOperation:
    """Return what is left of one operation, by its journal and its host."""
    if record.is_unknown:
        message = f"{cannot_verify(record)}; take it over with --force if you are sure"
        return InterruptedOperation(record=record, plan=CleanupAction.UNKNOWN, domain="unknown", message=message)
    return _handler(record).judge(session, record)


def recover(
    session: Session, control: Control, leftover: InterruptedOperation, *, unasked: bool = False
) -> CleanupAction:
    """Do what the plan says, and give what was done.

    `unasked` deletes volumes although a host can't be asked who uses them; never what a VM is known to use. What may be
    running is refused unless its record is `forced`. Raises StillAtWork, VolumeInUse, VolumeUseUnknown, DriverError,
    Cancelled: it stays then.
    """
    return _handler(leftover.record).settle(session, control, leftover.record, unasked=unasked)


def _judge_migration(session: Session, record: Record) -> InterruptedOperation:
    try:
        left = look_at_migration(session, record)
    except UnknownHost as error:
        return InterruptedOperation(record=record, plan=CleanupAction.UNKNOWN, domain="unknown", message=error.message)
    found, settled = left.found, left.can_be_settled
    states = {LocationState.SOURCE: "active", LocationState.TARGET: "active", LocationState.NOWHERE: "missing"}
    return InterruptedOperation(
        record=record,
        plan=CleanupAction.COMPLETE if settled else CleanupAction.UNKNOWN,
        host=found.target if found.place in (LocationState.TARGET, LocationState.OFF_AT_TARGET) else found.source,
        domain=states.get(found.place, "off") if settled else "unknown",
        message=f"{found.message}: record that and clean up" if settled else found.message,
    )


def _settle_migration(session: Session, control: Control, record: Record, *, unasked: bool = False) -> CleanupAction:
    del unasked
    settle_migration(session, control, record)
    return CleanupAction.COMPLETE


def _judge_unknown(session: Session, record: Record) -> InterruptedOperation:
    del session
    message = f"the next {record.operation} of this VM cleans up first"
    return InterruptedOperation(record=record, plan=CleanupAction.UNKNOWN, domain="unknown", message=message)


def _refuse_unknown(session: Session, control: Control, record: Record, *, unasked: bool = False) -> CleanupAction:
    del control, unasked
    left = _judge_unknown(session, record)
    raise DriverError("", f"{record.vm}: {left.message}", hint="try again when the host is back")


class _Settle(Protocol):
    def __call__(
        self, session: Session, control: Control, record: Record, *, unasked: bool = False
    ) -> CleanupAction: ...


class _Handler(NamedTuple):
    """Who knows what is left of an operation, and what is to be done about it."""

    judge: Callable[[Session, Record], InterruptedOperation]
    settle: _Settle


_OF_VM = _Handler(judge_vm, settle_vm)
_UNKNOWN = _Handler(_judge_unknown, _refuse_unknown)
_HANDLERS: dict[str, _Handler] = {
    Operation.CREATE: _OF_VM,
    Operation.START: _OF_VM,
    Operation.DELETE: _OF_VM,
    Operation.RESTORE: _Handler(judge_left_restore, settle_left_restore),
    Operation.ATTACH_DRIVE: _OF_VM,
    Operation.MIGRATE: _Handler(_judge_migration, _settle_migration),
}


def _handler(record: Record) -> _Handler:
    return _HANDLERS.get(record.operation, _UNKNOWN)
