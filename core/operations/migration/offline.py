"""Moves a VM that is off: defined on the target, with its devices placed again, then undefined on the source."""

from core.driver.connection.jobs import job_connection
from core.driver.migration.migration import see
from core.driver.migration.offline_move import definition, give, take_away, with_addresses
from core.errors import Cancelled, DriverError, RealmsError
from core.hardware import PciAddress
from core.operations.migration.location import look
from core.operations.migration.outcome import DEADLINE, Migrated, arrive
from core.operations.migration.plan import MigrationPlan
from core.operations.migration.target_room import TargetRoom
from core.operations.session import Session
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control


def move_offline(control: Control, session: Session, plan: MigrationPlan, room: TargetRoom) -> Migrated:
    """Move the definition. What fails is undone: the source has it again, the target what it had before.

    Raises MigrationFailed, Cancelled.
    """
    clock, uuid = session.clock, plan.vm.uuid
    started = clock.monotonic()
    work = _OfflineMove(control, session, plan, room)
    reason: RealmsError | None = None
    try:
        work.run()
    except RealmsError as error:
        work.undo()
        if isinstance(error, Cancelled) and not work.began:
            raise
        reason = error
    with control.step(StepKind.LOOK, "see where it is", always=True) as step:
        found = look(plan.vm.name, uuid, plan.source, plan.target)
        step.detail(found.message)
    arrive(control, session, plan, room, found=found, reason=reason)
    return Migrated(whereabouts=found, live=False, seconds=clock.monotonic() - started)


class _OfflineMove:
    def __init__(self, control: Control, session: Session, plan: MigrationPlan, room: TargetRoom) -> None:
        self.began = False
        self._control = control
        self._branch = control.branch()
        self._session = session
        self._plan = plan
        self._room = room

    def run(self) -> None:
        """Define it on the target, undefine it on the source; raises what went wrong."""
        plan, uuid = self._plan, self._plan.vm.uuid
        with job_connection(plan.source, DEADLINE) as source, job_connection(plan.target, DEADLINE) as target:
            with self._control.step(StepKind.LOOK, "read its definition", plan.source.name) as step:
                xml = definition(source, uuid)
                if not xml or see(source, uuid).active:
                    raise DriverError(
                        plan.source.name, f"{plan.vm.name} is no longer off", hint="check its state again"
                    )
                adapted, words = self._placed_again(xml)
                step.detail(words)
            with self._control.step(StepKind.DEFINE, "define it", plan.target.name):
                before = definition(target, uuid)
                self.began = True
                self._branch.on_failure(
                    "restore its former definition" if before else "undefine it",
                    lambda: self._restore_target(before),
                    plan.target.name,
                )
                give(target, adapted)
            with self._control.step(StepKind.UNDEFINE, "undefine it", plan.source.name):
                self._branch.on_failure("define it again", lambda: self._restore_source(xml), plan.source.name)
                if not take_away(source, uuid):
                    message = f"{plan.vm.name} was started there meanwhile and is kept"
                    raise DriverError(plan.source.name, message)
        self._branch.keep()

    def undo(self) -> None:
        """Put both hosts back as they were, each by a connection of its own."""
        self._branch.undo_all()

    def _placed_again(self, xml: str) -> tuple[str, str]:
        moves = self._moves()
        return with_addresses(xml, moves), ", ".join(f"{old} is {new} there" for old, new in moves.items())

    def _moves(self) -> dict[PciAddress, PciAddress]:
        """Return each device one of its type on the target, in the order in which they were reserved."""
        plan = self._plan
        profiles = self._session.configuration.hardware_profiles
        here, there = profiles[plan.source.profile], profiles[plan.target.profile]
        left = {
            kind: [each for each in self._room.devices if there.type_of(each) == kind] for kind in there.device_types
        }
        try:
            return {address: left[here.type_of(address) or ""].pop(0) for address in plan.vm.devices}
        except (KeyError, IndexError) as error:
            raise DriverError(plan.target.name, f"not enough devices for {plan.vm.name}") from error

    def _restore_target(self, before: str) -> None:
        plan = self._plan
        with job_connection(plan.target, DEADLINE) as target:
            if see(target, plan.vm.uuid).active:
                raise DriverError(plan.target.name, "it was started there meanwhile")
            if before:
                give(target, before)
            else:
                take_away(target, plan.vm.uuid)

    def _restore_source(self, xml: str) -> None:
        with job_connection(self._plan.source, DEADLINE) as source:
            give(source, xml)
