"""Moves a VM to another host: live while it is active, by its definition while it is off (specification, section 9)."""

import contextlib
import threading
from dataclasses import replace

from core.driver.connection.connection import HostConnection
from core.driver.connection.jobs import job_connection
from core.driver.migration.migration import (
    JobProgress,
    LiveMigration,
    LiveOptions,
    abort_job,
    end_remnant,
    job_progress,
    see,
)
from core.errors import DriverError, RealmsError
from core.fleet.fleet import VMState
from core.operations.migration.cleanup import settle_earlier
from core.operations.migration.location import LocationState, VMLocation, wait_until_settled
from core.operations.migration.offline import move_offline
from core.operations.migration.outcome import DEADLINE, Migrated, MigrationFailed, arrive
from core.operations.migration.plan import MigrationPlan
from core.operations.migration.target_room import TargetRoom, take_target
from core.operations.session import Session
from core.operations.tasks.journal import Journal, JournalEntry, Operation
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control, StepControl
from core.units import show_size

LOOK_EVERY = 0.5
"""Seconds between two looks at a migration's progress."""

HANDOVER = 3.0
"""Seconds that a target has to start what was sent, before the source is kept from going on without its word."""

STALLED_AFTER = 60.0
"""Seconds without a byte sent after which the network between the hosts counts as broken."""

ENDING = 40.0
"""Seconds that libvirt has to end a migration that was called off: it notices a lost host after 20 or 30."""


def migrate(control: Control, session: Session, plan: MigrationPlan, *, keep_room: float = 0.0) -> Migrated:
    """Carry a plan out. Raises MigrationRefused, NoTarget, ReservationRefused, MigrationFailed, Cancelled.

    Room for a VM that arrives off is given back at once, or kept for so many seconds, for whoever starts it. While it
    works the journal says so; it stays there where nobody could find out where the VM is in the end.
    """
    plan.check()
    registry, vm = session.require_writable(), plan.vm
    settle_earlier(session, control, vm.uuid)
    entry = Journal(registry.path, session.clock).begin(
        Operation.MIGRATE, vm=vm.name, uuid=vm.uuid, realm=plan.source.realm, host=plan.source.name,
        target=plan.target.name, live=plan.live, state=plan.here.sight.state.value,
    )  # fmt: skip
    room: TargetRoom | None = None
    in_doubt = concluded = False
    try:
        with control.step(StepKind.PLACE, "reserve its room", plan.target.name) as step:
            room = take_target(session, vm, plan.demand, plan.target.name, entry.owner, force=plan.wish.force)
            room = replace(room, kept_when_off=keep_room)
            if room.warning:
                control.warn(room.warning)
            step.detail(" ".join(map(str, room.devices)))
        entry.step("move", host=plan.target.name)
        if plan.live:
            moved = _Live(control, session, plan, room, entry).run()
        else:
            moved = move_offline(control, session, plan, room)
        concluded = True
        for obstacle in plan.warnings:  # of a VM that stays where it is they are not true
            control.warn(obstacle.what)
    except MigrationFailed as error:
        concluded, in_doubt = True, error.whereabouts.place in (LocationState.UNKNOWN, LocationState.BOTH)
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
        self, control: Control, session: Session, plan: MigrationPlan, room: TargetRoom, entry: JournalEntry
    ) -> None:
        self._control = control
        self._entry = entry
        self._session = session
        self._plan = plan
        self._room = room
        self._clock = session.clock
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
        arrive(self._control, self._session, plan, self._room, found=found, reason=reason)
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
        """Pause it at the source where the target may have been asked to start it: it is not known yet whether it does.

        Libvirt has resumed it. The target, asked again, tells in a moment; only then it goes on for good.
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
            hint = (
                "the guest may write faster than memory is sent: allow more time, raise --bandwidth, or move "
                "it when it is idle"
            )
            raise DriverError(plan.source.name, f"the migration did not end within {timeout:g} s", hint=hint)
        if progress is not None and progress.remaining and now - self._moved_at > STALLED_AFTER:
            hint = (
                f"check the network between them, and that {plan.migrate_uri or plan.target.name} is reachable "
                "from the source"
            )
            raise DriverError(
                plan.source.name, f"nothing was sent to {plan.target.name} for {STALLED_AFTER:g} s", hint=hint
            )

    def _handed_over(self, watch: HostConnection, now: float) -> bool:
        """Return whether all is sent and the source waits for the target; past a while it is kept from going on."""
        if not see(watch, self._plan.vm.uuid).held_by_migration:
            return False
        if self._handed_over_at is None:
            self._handed_over_at = now
        elif now - self._handed_over_at > HANDOVER and self._call.part_from_source():
            self._control.warn(f"{self._plan.target.name} is slow to take over: it stays paused on the source")
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

    def _find(self) -> VMLocation:
        plan, pause = self._plan, threading.Event()
        with self._control.step(StepKind.LOOK, "see where it is", always=True) as step:
            found = wait_until_settled(
                plan.vm.name,
                plan.vm.uuid,
                plan.source,
                plan.target,
                monotonic=self._clock.monotonic,
                wait=pause.wait,  # also in a task that was told to end: where the VM is has to be told
            )
            found = replace(found, held=self._held)
            if self._put_right(found):
                found = wait_until_settled(
                    plan.vm.name, plan.vm.uuid, plan.source, plan.target,
                    monotonic=self._clock.monotonic, wait=pause.wait,
                )  # fmt: skip
            step.detail(found.message)
        return found

    def _put_right(self, found: VMLocation) -> bool:
        """End what is left at the source of a VM that has arrived, or let one go on that surely has not."""
        plan, here = self._plan, found.here
        if found.has_remnant:
            with job_connection(plan.source, DEADLINE) as source:
                end_remnant(source, plan.vm.uuid)
            return True
        paused = here is not None and here.state is VMState.PAUSED and (here.held_by_migration or self._held)
        if (
            found.place is LocationState.SOURCE
            and found.settled
            and paused
            and plan.here.sight.state is VMState.RUNNING
        ):
            with job_connection(plan.source, DEADLINE) as source:
                source.resume(plan.vm.uuid)
            return True
        return False


def _words(progress: JobProgress) -> str:
    parts = [f"pass {progress.iteration}"] if progress.iteration else []
    if progress.dirty_bytes_per_second:
        parts.append(f"the guest writes {show_size(progress.dirty_bytes_per_second)}/s")
    if progress.throttle_percent:
        parts.append(f"slowed down by {progress.throttle_percent} %")
    return ", ".join(parts)
