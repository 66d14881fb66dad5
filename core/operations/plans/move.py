"""One move of a plan: live, or with the VM shut down on the way, where it holds devices that no migration carries."""

from collections.abc import Callable
from dataclasses import dataclass

from core.codes import ErrorCode
from core.errors import DriverError, HostTimeout, HostUnreachable, RealmsError
from core.fleet.fleet import VM, Connection, Fleet, HostSnapshot
from core.operations.migration.migrate import migrate
from core.operations.migration.options import MigrationOptions
from core.operations.migration.plan import MigrationSource, plan_migration
from core.operations.session import Session
from core.operations.tasks.task import Control
from core.operations.vms.power import SEEN_SECONDS, Action, NotShutDown, act
from core.operations.vms.start import ASK_SECONDS, start_vm
from core.operations.vms.target import Target
from core.placement.plans.drain import Move
from core.text import one_line, shell_command


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveJob:
    """A move to make, by the fleet as it was seen; each side has `deadline` seconds to be connected to.

    `bandwidth` is in MiB/s; 0: no limit.
    """

    session: Session
    fleet: Fleet
    move: Move
    foreign: bool
    bandwidth: int
    deadline: float

    def departure(self) -> MigrationSource:
        """Find the VM on its host, as the fleet was seen."""
        return _departure(self.fleet, self.move.source, self.move.vm.uuid)


class LeftShutDown(RealmsError):
    """A VM was shut down to be moved, and was not started again; `reason` says why it was not moved, if that is so."""

    code = ErrorCode.LEFT_OFF

    def __init__(self, message: str, *, hint: str = "", reason: RealmsError | None = None) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


def move_live(control: Control, errand: MoveJob) -> str:
    """Move a VM while it runs, and say where it is. Raises what `plan_migration` and `migrate` do."""
    wish = MigrationOptions(to=errand.move.target, foreign=errand.foreign, bandwidth=errand.bandwidth)
    plan = plan_migration(control, errand.session, errand.departure(), wish, deadline=errand.deadline)
    return migrate(control, errand.session, plan).whereabouts.message


def move_by_shutdown(control: Control, errand: MoveJob, finishing: Control, shut_down: Callable[[], object]) -> str:
    """Shut a VM down, move it, start it on its target, and say so. All is checked before it is shut down.

    `shut_down` is called right before that. Where it can't be moved then it is started again where it was, by
    `finishing`, which is not cancelled. Raises NotShutDown, LeftOff, what moving and starting raise, and Cancelled.
    """
    session, move = errand.session, errand.move
    wish = MigrationOptions(to=move.target, foreign=errand.foreign, offline=True)
    departure = errand.departure()
    plan_migration(
        control, session, departure, wish, as_if_off=True, deadline=errand.deadline
    ).check()  # what is found only afterwards costs an outage
    shut_down()
    # Once it was asked to shut down nobody can take that back: whatever is wanted meanwhile waits until it has.
    target = _target(session, departure)
    try:
        act(session, finishing, target, Action.SHUTDOWN)
    except NotShutDown as error:
        message = f"{error.message}; if it shuts down later, it stays off on {move.source}"
        raise NotShutDown(message, hint=f"{error.hint}; {_start(target)} starts it again") from error
    except (HostUnreachable, HostTimeout) as error:
        message = f"{error.message}; it may have shut down and be off on {move.source}"
        raise LeftShutDown(message, hint=f"realms vms list; {_start(target)}", reason=error) from error
    try:
        control.check()
        departure = _departure(session.fleet(), move.source, move.vm.uuid)
        plan = plan_migration(control, session, departure, wish, deadline=errand.deadline)
        migrate(control, session, plan, keep_room=SEEN_SECONDS + ASK_SECONDS)
    except RealmsError as error:
        start_again(finishing, session, move.vm.uuid, error)
        raise
    return start_again(finishing, session, move.vm.uuid, None, on=move.target)


def _start(target: Target) -> str:
    return shell_command("realms vms start", target.name)


def start_again(
    control: Control, session: Session, uuid: str, reason: RealmsError | None, *, on: str | None = None
) -> str:
    """Start a VM that was shut down for its move where it is defined now, and say where that is; one that runs is left.

    It is to be seen `on` a host, or on one alone, within a while. Raises LeftOff, with `reason`, why it is not where it
    was to go, if that is so.
    """
    why = f"{reason.message}; " if reason is not None else ""
    session.connect().wait(lambda fleet: _is_on(fleet, uuid, on), SEEN_SECONDS)
    seen = _seen(session.fleet(), uuid)
    running = next((pair for pair in seen if pair[1].active), None)
    if running is not None:
        return f"{one_line(running[1].name)} is {running[1].state.value} on {running[0].name}"
    if len(seen) != 1:
        where = " and ".join(snapshot.name for snapshot, _ in seen) or "no host that answers"
        message = f"{why}it is off, defined on {where}, and was not started again"
        raise LeftShutDown(message, hint="realms vms list, realms vms start", reason=reason) from reason
    snapshot, vm = seen[0]
    target = _target(session, MigrationSource(session.fleet(), snapshot, vm))
    try:
        # It ran before, registered or not: to turn it off for being slow to boot would be an outage of our making.
        start_vm(session, control, target, wait=False)
    except RealmsError as error:
        message = f"{why}it is off on {snapshot.name}, and could not be started there: {error.message}"
        raise LeftShutDown(message, hint=_start(target), reason=reason) from error
    return f"{one_line(vm.name)} was started again on {snapshot.name}"


def _departure(fleet: Fleet, host: str, uuid: str) -> MigrationSource:
    snapshot = fleet.host(host)
    vm = next((vm for vm in snapshot.vms if vm.uuid == uuid), None) if snapshot is not None else None
    if snapshot is None or vm is None:
        raise DriverError(host, "the VM no longer exists", hint="realms vms list")
    return MigrationSource(fleet, snapshot, vm)


def _target(session: Session, departure: MigrationSource) -> Target:
    host = departure.snapshot.host
    return Target(departure.vm, host, session.configuration.realms[host.realm])


def _seen(fleet: Fleet, uuid: str) -> list[tuple[HostSnapshot, VM]]:
    return [
        (snapshot, vm)
        for snapshot in fleet.hosts
        if snapshot.connection is Connection.CONNECTED
        for vm in snapshot.vms
        if vm.uuid == uuid
    ]


def _is_on(fleet: Fleet, uuid: str, host: str | None) -> bool:
    names = [snapshot.name for snapshot, _ in _seen(fleet, uuid)]
    return len(names) == 1 and host in (None, names[0])
