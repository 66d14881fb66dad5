"""What killed programs left behind: told by the journal, cleaned up by what knows the operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from core.errors import DriverError, UnknownHost
from core.operations.migration.cleanup import look_at_migration, settle_migration
from core.operations.migration.location import Place
from core.operations.session import Workplace
from core.operations.tasks.journal import Journal, Operation, Record
from core.operations.tasks.task import Control
from core.operations.vms.cleanup import Leftover, Plan, judge_vm, settle_vm
from core.operations.vms.create import SETTLE_SECONDS
from core.operations.vms.restore_cleanup import judge_left_restore, settle_left_restore


def survey(workplace: Workplace, *, settle: float = SETTLE_SECONDS) -> tuple[Leftover, ...]:
    """Look at every operation that was left behind, and say what there is of it; changes nothing."""
    if workplace.registry is None:
        return ()
    left = Journal(workplace.registry.path, workplace.clock).left_behind()
    records = [record for record in left if record.operation != Operation.PLAN]  # `realms plan resume` knows those
    if not records:
        return ()
    workplace.settled_fleet(settle)
    return tuple(judge(workplace, record) for record in records)


def judge(workplace: Workplace, record: Record) -> Leftover:
    """Say what is left of one operation, by its journal and its host."""
    return _handler(record).judge(workplace, record)


def recover(workplace: Workplace, control: Control, leftover: Leftover, *, unasked: bool = False) -> Plan:
    """Do what the plan says, and give what was done.

    `unasked` deletes volumes although a host can't be asked who uses them; never what a VM is known to use. Raises
    StillAtWork, VolumeInUse, VolumeUseUnknown, DriverError, Cancelled: it stays then.
    """
    return _handler(leftover.record).settle(workplace, control, leftover.record, unasked=unasked)


def _judge_migration(workplace: Workplace, record: Record) -> Leftover:
    try:
        left = look_at_migration(workplace, record)
    except UnknownHost as error:
        return Leftover(record=record, plan=Plan.UNKNOWN, domain="unknown", message=error.message)
    found, settled = left.found, left.can_be_settled
    states = {Place.SOURCE: "active", Place.TARGET: "active", Place.NOWHERE: "missing"}
    return Leftover(
        record=record,
        plan=Plan.COMPLETE if settled else Plan.UNKNOWN,
        host=found.target if found.place in (Place.TARGET, Place.OFF_AT_TARGET) else found.source,
        domain=states.get(found.place, "off") if settled else "unknown",
        message=f"{found.message}: note that, and tidy up" if settled else found.message,
    )


def _settle_migration(workplace: Workplace, control: Control, record: Record, *, unasked: bool = False) -> Plan:
    del unasked
    settle_migration(workplace, control, record)
    return Plan.COMPLETE


def _judge_unknown(workplace: Workplace, record: Record) -> Leftover:
    del workplace
    message = f"the next {record.operation} of this VM cleans up first"
    return Leftover(record=record, plan=Plan.UNKNOWN, domain="unknown", message=message)


def _refuse_unknown(workplace: Workplace, control: Control, record: Record, *, unasked: bool = False) -> Plan:
    del control, unasked
    left = _judge_unknown(workplace, record)
    raise DriverError("", f"{record.vm}: {left.message}", hint="try again when the host is back")


class _Settle(Protocol):
    def __call__(self, workplace: Workplace, control: Control, record: Record, *, unasked: bool = False) -> Plan: ...


class _Handler(NamedTuple):
    """Who knows what is left of an operation, and what is to be done about it."""

    judge: Callable[[Workplace, Record], Leftover]
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
