"""Moves a VM to another host: live while it is active, by its definition while it is off (specification, section 9)."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.codes import ErrorCode
from core.driver.connection.jobs import job_connection
from core.driver.migration.migration import (
    LiveMigration,
    LiveOptions,
    abort_job,
    end_remnant,
    job_progress,
    see,
    set_autostart,
    tidy_source,
)
from core.errors import Cancelled, DriverError, RealmsError
from core.fleet.fleet import VMState
from core.operations.migration.cleanup import settle_earlier
from core.operations.migration.location import Place, look_until_settled
from core.operations.migration.target_room import OPERATION, take_target
from core.operations.tasks.journal import Journal
from core.operations.tasks.step_kinds import StepKind
from core.units import show_size

if TYPE_CHECKING:
    from core.driver.connection.connection import HostConnection
    from core.driver.migration.migration import JobProgress
    from core.fleet.fleet import Fleet
    from core.operations.migration.location import Whereabouts
    from core.operations.migration.plan import MigrationPlan
    from core.operations.migration.target_room import TargetRoom
    from core.operations.session import Workplace
    from core.operations.tasks.journal import Entry
    from core.operations.tasks.task import Control, StepControl

DEADLINE = 20.0
"""Seconds that connecting to each side may take."""

LOOK_EVERY = 0.5
"""Seconds between two looks at a migration's progress."""

HANDOVER = 3.0
"""Seconds that a target has to start what was sent, before the source is kept from going on without its word."""

STALLED_AFTER = 60.0
"""Seconds without a byte sent after which the network between the hosts counts as broken."""

ENDING = 40.0
"""Seconds that libvirt has to end a migration that was called off: it notices a lost host after 20 or 30."""

HELD_IN_DOUBT = 600.0
"""Seconds for which room is held on a target that may run the VM, but can't be asked."""

SEEN_WITHIN = 10.0
"""Seconds that the watch over the target has to see the VM there."""


class MigrationFailed(RealmsError):
    """The migration did not end as wished; `whereabouts` says where the VM is, as far as anyone can tell."""

    code = ErrorCode.MIGRATION_FAILED

    def __init__(self, message: str, whereabouts: Whereabouts, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.whereabouts = whereabouts


class MigrationCancelled(Cancelled):
    """The migration was called off by its administrator, and has left the VM where it was."""

    def __init__(self, message: str, whereabouts: Whereabouts) -> None:
        super().__init__(message)
        self.whereabouts = whereabouts


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """A VM that has moved, and what is left to know about it."""

    whereabouts: Whereabouts
    live: bool
    seconds: float
    bytes_sent: int = 0
    """As last seen: the end of a migration is not."""


def migrate(control: Control, workplace: Workplace, plan: MigrationPlan, *, keep_room: float = 0.0) -> Migrated:
    """Carry a plan out. Raises MigrationRefused, NoTarget, ReservationRefused, MigrationFailed, Cancelled.

    Room for a VM that arrives off is given back at once, or kept for so many seconds, for whoever starts it. While it
    works the journal says so; it stays there where nobody could find out where the VM is in the end.
    """
    plan.check()
    registry, vm = workplace.check_can_change(), plan.vm
    settle_earlier(workplace, control, vm.uuid)
    entry = Journal(registry.path, workplace.clock).begin(
        OPERATION, vm=vm.name, uuid=vm.uuid, realm=plan.source.realm, host=plan.source.name, target=plan.target.name,
        live=plan.live, state=plan.here.sight.state.value,
    )  # fmt: skip
    room: TargetRoom | None = None
    in_doubt = concluded = False
    try:
        with control.step(StepKind.PLACE, "reserve its room", plan.target.name) as step:
            room = take_target(workplace, vm, plan.demand, plan.target.name, entry.owner, force=plan.wish.force)
            room = replace(room, kept_when_off=keep_room)
            if room.warning:
                control.warn(room.warning)
            step.detail(" ".join(map(str, room.devices)))
        entry.step("move", host=plan.target.name)
        if plan.live:
            moved = _Live(control, workplace, plan, room, entry).run()
        else:
            from core.operations.migration.offline import move_offline

            moved = move_offline(control, workplace, plan, room)
        concluded = True
        for obstacle in plan.warnings:  # of a VM that stays where it is they are not true
            control.warn(obstacle.what)
    except MigrationFailed as error:
        concluded, in_doubt = True, error.whereabouts.place in (Place.UNKNOWN, Place.BOTH)
        raise
    finally:
        if room is not None and not concluded:
            with contextlib.suppress(RealmsError):  # it runs out by itself
                room.promise.release()
        if in_doubt:
            entry.leave()
        else:
            entry.close()
    return moved


class _Live:
    """One live migration, seen from the thread of its task: it watches, tells, and ends it."""

    def __init__(
        self, control: Control, workplace: Workplace, plan: MigrationPlan, room: TargetRoom, entry: Entry
    ) -> None:
        self._control = control
        self._entry = entry
        self._workplace = workplace
        self._plan = plan
        self._room = room
        self._clock = workplace.clock
        self._started = self._clock.monotonic()
        self._last: JobProgress | None = None
        self._moved_at = self._started
        self._handed_over_at: float | None = None
        """When it was first seen paused at the source, all sent: the target is asked to start it then."""
        self._held = False
        """Whether we have paused it at the source."""
        self._call = LiveMigration(
            plan.source, plan.target, plan.vm.uuid,
            LiveOptions(
                mode=plan.wish.mode,
                persistent=plan.here.sight.defined,
                tls=plan.wish.tls,
                unsafe=plan.unsafe,
                copy_disks=plan.copy_disks,
                auto_converge=plan.wish.auto_converge,
                bandwidth=plan.wish.bandwidth,
                migrate_uri=plan.migrate_uri,
                peer_uri=plan.wish.peer_uri,
            ),
            open_deadline=DEADLINE,
        )  # fmt: skip

    def run(self) -> Migrated:
        """Move it, and say where it is in the end."""
        plan = self._plan
        reason: RealmsError | None = None
        try:
            with (
                self._control.step(
                    StepKind.MOVE, f"move it to {plan.target.name}", plan.source.name, to=plan.target.name
                ) as step,
                job_connection(plan.source, DEADLINE) as watch,
            ):
                self._call.start()
                self._follow(step, watch)
        except RealmsError as error:
            if not self._call.began:
                raise
            reason = error
        found = self._find()
        seconds = self._clock.monotonic() - self._started
        arrive(self._control, self._workplace, plan, self._room, found=found, reason=reason)
        sent = self._last.processed if self._last is not None else 0
        return Migrated(whereabouts=found, live=True, seconds=seconds, bytes_sent=sent)

    def _follow(self, step: StepControl, watch: HostConnection) -> None:
        """Follow the call to its end, or call it off; raises why it failed."""
        try:
            while not self._call.wait(LOOK_EVERY):
                self._look(step, watch)
        except RealmsError:
            self._end(watch)
            if self._call.succeeded:  # it had arrived when it was called off
                return
            raise
        if self._call.error is not None:
            self._hold(watch)
            raise self._call.error

    def _hold(self, watch: HostConnection) -> None:
        """Pause it at the source where the target may have been asked to start it: nobody knows yet whether it does.

        Libvirt has let it go on. The target, asked again, tells in a moment; only then it goes on for good.
        """
        if self._handed_over_at is None or self._plan.here.sight.state is not VMState.RUNNING:
            return
        with contextlib.suppress(DriverError):
            if see(watch, self._plan.vm.uuid).state is VMState.RUNNING:
                self._entry.step("hold", host=self._plan.source.name)
                watch.pause(self._plan.vm.uuid)
                self._held = True

    def _look(self, step: StepControl, watch: HostConnection) -> None:
        plan, now = self._plan, self._clock.monotonic()
        progress = job_progress(watch, plan.vm.uuid)
        if progress is not None:
            if self._last is None or progress.processed != self._last.processed:
                self._moved_at = now
            self._last = progress
            step.detail(_words(progress))
            if progress.processed and not progress.remaining and self._handed_over(watch, now):
                return  # it is too late to call it off
            step.progress(progress.processed, progress.total)
        self._control.check()
        if self._call.target_is_lost:
            raise DriverError(plan.target.name, "the connection was lost during the migration")
        timeout = plan.wish.timeout
        if timeout is not None and now - self._started > timeout:
            hint = "the guest may write faster than is sent: more time, --bandwidth, or move it when it is calm"
            raise DriverError(plan.source.name, f"the migration did not end within {timeout:g} s", hint=hint)
        if progress is not None and progress.remaining and now - self._moved_at > STALLED_AFTER:
            hint = f"is the network between them whole, and {plan.migrate_uri or plan.target.name} reached from there?"
            raise DriverError(
                plan.source.name, f"nothing was sent to {plan.target.name} for {STALLED_AFTER:g} s", hint=hint
            )

    def _handed_over(self, watch: HostConnection, now: float) -> bool:
        """Tell whether all is sent and the source waits for the target; past a while it is kept from going on."""
        if not see(watch, self._plan.vm.uuid).held_by_migration:
            return False
        if self._handed_over_at is None:
            self._handed_over_at = now
        elif now - self._handed_over_at > HANDOVER and self._call.part_from_source():
            self._control.warn(f"{self._plan.target.name} takes long to take over: it is not let go on at the source")
        return True

    def _end(self, watch: HostConnection) -> None:
        """Call the migration off, and wait until its call has ended; one that doesn't is freed."""
        until = self._clock.monotonic() + ENDING
        while not self._call.wait(0.0) and self._clock.monotonic() < until:
            with contextlib.suppress(DriverError):  # the source may be what is lost: then its call ends by itself
                abort_job(watch, self._plan.vm.uuid)
            self._call.wait(1.0)
        if not self._call.wait(0.0):
            self._call.give_up()
            self._call.wait(5.0)

    def _find(self) -> Whereabouts:
        plan, pause = self._plan, threading.Event()
        with self._control.step(StepKind.LOOK, "see where it is", always=True) as step:
            found = look_until_settled(
                plan.vm.name,
                plan.vm.uuid,
                plan.source,
                plan.target,
                monotonic=self._clock.monotonic,
                wait=pause.wait,  # also in a task that was told to end: where the VM is has to be told
            )
            found = replace(found, held=self._held)
            if self._put_right(found):
                found = look_until_settled(
                    plan.vm.name, plan.vm.uuid, plan.source, plan.target,
                    monotonic=self._clock.monotonic, wait=pause.wait,
                )  # fmt: skip
            step.detail(found.message)
        return found

    def _put_right(self, found: Whereabouts) -> bool:
        """End what is left at the source of a VM that has arrived, or let one go on that surely has not."""
        plan, here = self._plan, found.here
        if found.has_remnant:
            with job_connection(plan.source, DEADLINE) as source:
                end_remnant(source, plan.vm.uuid)
            return True
        paused = here is not None and here.state is VMState.PAUSED and (here.held_by_migration or self._held)
        if found.place is Place.SOURCE and found.settled and paused and plan.here.sight.state is VMState.RUNNING:
            with job_connection(plan.source, DEADLINE) as source:
                source.resume(plan.vm.uuid)
            return True
        return False


def arrive(
    control: Control,
    workplace: Workplace,
    plan: MigrationPlan,
    room: TargetRoom,
    *,
    found: Whereabouts,
    reason: RealmsError | None,
) -> None:
    """Conclude a migration by where the VM is: put the rest in order there, or say why it isn't there.

    Raises MigrationFailed, or MigrationCancelled.
    """
    wanted = Place.TARGET if plan.live else Place.OFF_AT_TARGET
    if found.place is wanted or (found.place is Place.OFF_AT_TARGET and reason is None):
        _put_in_order(control, workplace, plan, room, found=found, reason=reason)
        return
    if found.there is not None and not found.there.active:
        room.promise.release()
    else:  # the target may run it: its room is held a while longer
        room.promise.settle(HELD_IN_DOUBT)
    hint = found.hint or (reason.hint if reason is not None else "")
    if reason is None:
        raise MigrationFailed(f"libvirt says that it has moved, but {found.message}", found, hint=hint)
    if isinstance(reason, Cancelled) and found.place in (Place.SOURCE, Place.OFF_AT_SOURCE):
        raise MigrationCancelled(f"called off: {found.message}", found) from reason
    raise MigrationFailed(f"{reason.message}; {found.message}", found, hint=hint) from reason


def _put_in_order(
    control: Control,
    workplace: Workplace,
    plan: MigrationPlan,
    room: TargetRoom,
    *,
    found: Whereabouts,
    reason: RealmsError | None,
) -> None:
    uuid = plan.vm.uuid
    if reason is not None:
        control.warn(f"{reason.message}; it has arrived all the same")
    there = found.there
    was_running = plan.here.sight.state is VMState.RUNNING
    if was_running and there is not None and there.state is VMState.PAUSED:
        control.warn(f"it is paused on {plan.target.name}: realms vms resume {plan.target.name}/{plan.vm.name}")
    try:
        if found.here is not None and found.here.defined:
            with job_connection(plan.source, DEADLINE) as source:
                tidy_source(source, uuid)
        if plan.here.autostart:
            with job_connection(plan.target, DEADLINE) as target:
                set_autostart(target, uuid)
    except DriverError as error:
        control.warn(f"it has moved, but not all was put in order: {error}")
    for disk in plan.here.traits.disks:
        if disk.target in plan.copy_disks:
            control.warn(f"{disk.place} is still on {plan.source.name}: delete it there once all is well")
    if not plan.live:
        if room.kept_when_off:
            room.promise.settle(room.kept_when_off)
        else:
            room.promise.release()
        return
    workplace.connect().wait(lambda fleet: _is_seen(fleet, plan), SEEN_WITHIN)
    room.promise.settle(room.stale_after)


def _is_seen(fleet: Fleet, plan: MigrationPlan) -> bool:
    uuid = plan.vm.uuid
    active = {snapshot.name for snapshot in fleet.hosts for vm in snapshot.vms if vm.uuid == uuid and vm.active}
    return plan.target.name in active and plan.source.name not in active


def _words(progress: JobProgress) -> str:
    parts = [f"pass {progress.iteration}"] if progress.iteration else []
    if progress.dirty_bytes_per_second:
        parts.append(f"the guest writes {show_size(progress.dirty_bytes_per_second)}/s")
    if progress.throttle_percent:
        parts.append(f"slowed down by {progress.throttle_percent} %")
    return ", ".join(parts)
