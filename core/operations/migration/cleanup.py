"""Migrations whose program was killed: where the VM is, told by both hosts, and what is put in order there."""

from dataclasses import dataclass, replace

from core.driver.connection.jobs import job_connection
from core.driver.migration.migration import end_remnant, see, tidy_source
from core.driver.migration.offline_move import take_away
from core.errors import DriverError, UsageError
from core.fleet.fleet import VMState
from core.hosts import Host
from core.operations.migration.location import LocationState, VMLocation, look
from core.operations.session import Session
from core.operations.tasks.journal import Journal, Operation, Record, StillAtWork
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control

DEADLINE = 20.0
"""Seconds that connecting to each side may take."""


@dataclass(frozen=True, slots=True)
class LeftMigration:
    """A migration that was left behind, its hosts as they are registered now, and where its VM is."""

    record: Record
    source: Host
    target: Host
    found: VMLocation

    @property
    def can_be_settled(self) -> bool:
        """Whether it is known where the VM is, and no migration works on it any more."""
        return self.found.has_remnant or (
            self.found.place not in (LocationState.UNKNOWN, LocationState.BOTH) and self.found.settled
        )


def look_at_migration(session: Session, record: Record) -> LeftMigration:
    """Ask both hosts of a migration that was left behind. Raises UnknownHost, UsageError."""
    registry = session.registry
    if registry is None:
        raise UsageError("a saved fleet has no hosts to ask", hint="leave out --fleet")
    source, target = (registry.host(str(record.facts.get(side, ""))) for side in ("host", "target"))
    found = look(record.vm, record.uuid, source, target)
    return LeftMigration(record, source, target, replace(found, held=record.last("hold") is not None))


def settle_migration(session: Session, control: Control, record: Record) -> VMLocation:
    """Put in order what a killed migration left, and forget it. Raises StillAtWork, DriverError: it stays then.

    A VM that it has paused at the source goes on; a definition that it left on a side where the VM isn't is removed.
    Nothing that is active is ended.
    """
    registry = session.require_writable()
    with Journal(registry.path, session.clock).taking_over(record.id, force=record.forced) as entry:
        with control.step(StepKind.LOOK, f"see where {record.vm} is", vm=record.vm) as step:
            left = look_at_migration(session, record)
            step.detail(left.found.message)
        if not left.can_be_settled:
            raise DriverError("", left.found.message, hint=left.found.hint)
        with control.step(StepKind.SETTLE, "finish the migration"):
            _put_in_order(left)
        realm = session.configuration.realms.get(record.realm)
        at_target = left.found.has_remnant or left.found.place is LocationState.TARGET
        if at_target and realm is not None:
            registry.release_later(record.uuid, record.owner, session.clock.now() + realm.stale_after)
        else:
            registry.release(record.uuid, record.owner)
        entry.close()
    return look(record.vm, record.uuid, left.source, left.target)


def settle_earlier(session: Session, control: Control, uuid: str) -> None:
    """Settle what killed programs left of earlier migrations of a VM, before it moves again.

    Raises DriverError where it is still unknown where it is.
    """
    registry = session.require_writable()
    for record in Journal(registry.path, session.clock).left_behind():
        if record.operation == Operation.MIGRATE and record.uuid == uuid:
            try:
                settle_migration(session, control, record)
            except StillAtWork:  # another program settles it at this moment
                continue


def _put_in_order(left: LeftMigration) -> None:
    record, found = left.record, left.found
    here = found.here
    if found.has_remnant:
        with job_connection(left.source, DEADLINE) as source:
            end_remnant(source, record.uuid)
            tidy_source(source, record.uuid)
        return
    match found.place:
        case LocationState.SOURCE if here is not None and here.state is VMState.PAUSED:
            if (here.held_by_migration or found.held) and record.facts.get("state") == VMState.RUNNING.value:
                with job_connection(left.source, DEADLINE) as source:
                    source.resume(record.uuid)
        case LocationState.TARGET:
            with job_connection(left.source, DEADLINE) as source:
                tidy_source(source, record.uuid)
        case LocationState.OFF_AT_BOTH:  # it was defined on the target, and not yet undefined on the source
            with job_connection(left.target, DEADLINE) as target:
                if not see(target, record.uuid).active:
                    take_away(target, record.uuid)
        case _:
            pass
