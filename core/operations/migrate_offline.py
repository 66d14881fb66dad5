"""Moves a VM that is off: defined on the target, with its devices placed again, then undefined on the source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.driver.jobs import job_connection
from core.driver.migration import see
from core.driver.offline_move import definition, give, take_away, with_devices
from core.errors import Cancelled, DriverError, RealmsError
from core.operations.migrate import DEADLINE, Migrated, arrive
from core.operations.whereabouts import look

if TYPE_CHECKING:
    from core.hardware import PciAddress
    from core.operations.migration_plan import MigrationPlan
    from core.operations.migration_room import TargetRoom
    from core.operations.tasks import Control
    from core.operations.workplace import Workplace


def move_offline(control: Control, workplace: Workplace, plan: MigrationPlan, room: TargetRoom) -> Migrated:
    """Move the definition. What fails is undone: the source has it again, the target what it had before.

    Raises MigrationFailed, Cancelled.
    """
    clock, uuid = workplace.clock, plan.vm.uuid
    started = clock.monotonic()
    work = _Work(control, workplace, plan, room)
    reason: RealmsError | None = None
    try:
        work.run()
    except RealmsError as error:
        work.undo()
        if isinstance(error, Cancelled) and not work.began:
            raise
        reason = error
    with control.step("see where it is", always=True) as step:
        found = look(plan.vm.name, uuid, plan.source, plan.target)
        step.detail(found.message)
    arrive(control, workplace, plan, room, found=found, reason=reason)
    return Migrated(whereabouts=found, live=False, seconds=clock.monotonic() - started)


class _Work:
    def __init__(self, control: Control, workplace: Workplace, plan: MigrationPlan, room: TargetRoom) -> None:
        self.began = False
        self._control = control
        self._branch = control.branch()
        self._workplace = workplace
        self._plan = plan
        self._room = room

    def run(self) -> None:
        """Define it on the target, undefine it on the source; raises what went wrong."""
        plan, uuid = self._plan, self._plan.vm.uuid
        with job_connection(plan.source, DEADLINE) as source, job_connection(plan.target, DEADLINE) as target:
            with self._control.step("read its definition", plan.source.name) as step:
                xml = definition(source, uuid)
                if not xml or see(source, uuid).active:
                    raise DriverError(plan.source.name, f"{plan.vm.name} is not off any more", hint="look at it again")
                adapted, words = self._placed_again(xml)
                step.detail(words)
            with self._control.step("define it", plan.target.name):
                before = definition(target, uuid)
                self.began = True
                self._branch.on_failure(
                    "give back what it had" if before else "undefine it",
                    lambda: self._restore_target(before),
                    plan.target.name,
                )
                give(target, adapted)
            with self._control.step("undefine it", plan.source.name):
                self._branch.on_failure("define it again", lambda: self._restore_source(xml), plan.source.name)
                if not take_away(source, uuid):
                    message = f"{plan.vm.name} was started there meanwhile, so it stays"
                    raise DriverError(plan.source.name, message)
        self._branch.keep()

    def undo(self) -> None:
        """Put both hosts back as they were, each by a connection of its own."""
        self._branch.undo_all()

    def _placed_again(self, xml: str) -> tuple[str, str]:
        plan, given = self._plan, self._room.reservation.devices
        old = plan.vm.devices
        if not old:
            return xml, ""
        order = self._by_type(old, given)
        try:
            adapted = with_devices(xml, order)
        except ValueError as error:
            raise DriverError(plan.source.name, f"its devices can't be placed again: {error}") from error
        moves = ", ".join(f"{was} is {now} there" for was, now in zip(old, order, strict=True))
        return adapted, moves

    def _by_type(self, old: tuple[PciAddress, ...], given: tuple[PciAddress, ...]) -> tuple[PciAddress, ...]:
        """Put the new addresses into the order of the old ones, type by type."""
        profiles = self._workplace.configuration.hardware_profiles
        here, there = profiles[self._plan.source.profile], profiles[self._plan.target.profile]
        left = {kind: [each for each in given if there.type_of(each) == kind] for kind in there.device_types}
        try:
            return tuple(left[here.type_of(address) or ""].pop(0) for address in old)
        except (KeyError, IndexError) as error:
            message = f"there are not devices enough for {self._plan.vm.name}"
            raise DriverError(self._plan.target.name, message) from error

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
