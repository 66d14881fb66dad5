"""How a migration ends: what came of it, and what is put in order by where the VM is then."""

from dataclasses import dataclass

from core.codes import ErrorCode
from core.driver.connection.jobs import job_connection
from core.driver.migration.migration import set_autostart, tidy_source
from core.errors import Cancelled, DriverError, RealmsError
from core.fleet.fleet import Fleet, VMState
from core.operations.migration.location import LocationState, VMLocation
from core.operations.migration.plan import MigrationPlan
from core.operations.migration.target_room import TargetRoom
from core.operations.session import Session
from core.operations.tasks.task import Control
from core.text import shell_command

DEADLINE = 20.0
"""Seconds that connecting to each side may take."""

HELD_IN_DOUBT = 600.0
"""Seconds for which room is held on a target that may run the VM, but can't be asked."""

SEEN_WITHIN = 10.0
"""Seconds that the watch over the target has to see the VM there."""


class MigrationFailed(RealmsError):
    """The migration did not end as wished; `whereabouts` says where the VM is, as far as anyone can tell."""

    code = ErrorCode.MIGRATION_FAILED

    def __init__(self, message: str, whereabouts: VMLocation, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.whereabouts = whereabouts


class MigrationCancelled(Cancelled):
    """The migration was called off by its administrator, and has left the VM where it was."""

    def __init__(self, message: str, whereabouts: VMLocation) -> None:
        super().__init__(message)
        self.whereabouts = whereabouts


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """A VM that has moved, and what is left to know about it."""

    whereabouts: VMLocation
    live: bool
    seconds: float
    bytes_sent: int = 0
    """As last seen: the end of a migration is not."""


def arrive(
    control: Control,
    session: Session,
    plan: MigrationPlan,
    room: TargetRoom,
    *,
    found: VMLocation,
    reason: RealmsError | None,
) -> None:
    """Conclude a migration by where the VM is: put the rest in order there, or say why it isn't there.

    Raises MigrationFailed, or MigrationCancelled.
    """
    wanted = LocationState.TARGET if plan.live else LocationState.OFF_AT_TARGET
    if found.place is wanted or (found.place is LocationState.OFF_AT_TARGET and reason is None):
        _put_in_order(control, session, plan, room, found=found, reason=reason)
        return
    if found.there is not None and not found.there.active:
        room.promise.release()
    else:  # the target may run it: its room is held a while longer
        room.promise.release_later(HELD_IN_DOUBT)
    hint = found.hint or (reason.hint if reason is not None else "")
    if reason is None:
        raise MigrationFailed(f"libvirt reports success, but {found.message}", found, hint=hint)
    if isinstance(reason, Cancelled) and found.place in (LocationState.SOURCE, LocationState.OFF_AT_SOURCE):
        raise MigrationCancelled(f"cancelled: {found.message}", found) from reason
    raise MigrationFailed(f"{reason.message}; {found.message}", found, hint=hint) from reason


def _put_in_order(
    control: Control,
    session: Session,
    plan: MigrationPlan,
    room: TargetRoom,
    *,
    found: VMLocation,
    reason: RealmsError | None,
) -> None:
    uuid = plan.vm.uuid
    if reason is not None:
        control.warn(f"{reason.message}; it has arrived anyway")
    there = found.there
    was_running = plan.here.sight.state is VMState.RUNNING
    if was_running and there is not None and there.state is VMState.PAUSED:
        resume = shell_command("realms vms resume", f"{plan.target.name}/{plan.vm.name}")
        control.warn(f"it is paused on {plan.target.name}: {resume}")
    try:
        if found.here is not None and found.here.defined:
            with job_connection(plan.source, DEADLINE) as source:
                tidy_source(source, uuid)
        if plan.here.autostart:
            with job_connection(plan.target, DEADLINE) as target:
                set_autostart(target, uuid)
    except DriverError as error:
        control.warn(f"it has moved, but cleanup is incomplete: {error}")
    for disk in plan.here.traits.disks:
        if disk.target in plan.copy_disks:
            control.warn(f"{disk.place} is still on {plan.source.name}: delete it there when it is no longer needed")
    if not plan.live:
        if room.kept_when_off:
            room.promise.release_later(room.kept_when_off)
        else:
            room.promise.release()
        return
    session.connect().wait(lambda fleet: _is_seen(fleet, plan), SEEN_WITHIN)
    room.promise.release_later(room.stale_after)


def _is_seen(fleet: Fleet, plan: MigrationPlan) -> bool:
    uuid = plan.vm.uuid
    active = {snapshot.name for snapshot in fleet.hosts for vm in snapshot.vms if vm.uuid == uuid and vm.active}
    return plan.target.name in active and plan.source.name not in active
