"""What is done to VMs from the screens, as jobs of tasks: the operations that the commands use too."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from core.errors import Cancelled, RealmsError
from core.operations.tasks.step_kinds import StepKind
from core.operations.vms.lookup import on_vm
from tui.render.vms.actions import ACTIONS, VMAction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from core.operations.migration.options import MigrationOptions
    from core.operations.session import Session
    from core.operations.tasks.task import Control
    from core.operations.vms.console import ConsoleCommand
    from core.operations.vms.lookup import ResolvedVM
    from core.operations.vms.power import Done
    from core.operations.vms.spec import Order
    from core.operations.vms.target import Target

    One = Callable[[Control, Target], Done]


def vm_job(session: Session, action: VMAction, names: Sequence[str]) -> Callable[[Control], str]:
    """Return the job that does something to VMs, each named as HOST/UUID; it gives a sentence of what came of it."""
    from core.operations.vms.power import MOST_AT_ONCE, STARTS_AT_ONCE

    at_once = STARTS_AT_ONCE if action is VMAction.START else MOST_AT_ONCE
    return each_job(session, names, partial(_act, session, action), ACTIONS[action].done, at_once=at_once)


def _act(session: Session, action: VMAction, control: Control, target: Target) -> Done:
    from core.operations.vms.power import Action, act
    from core.operations.vms.start import start_vm

    if action is VMAction.START:
        return start_vm(session, control, target)
    return act(session, control, target, Action(action.value))


def each_job(
    session: Session, names: Sequence[str], one: One, said: str, *, at_once: int = 1
) -> Callable[[Control], str]:
    """Give the job that does one thing to each of some VMs, so many of each host at once; `said` is what came of it."""

    def job(control: Control) -> str:
        from core.operations.vms.power import on_each_host
        from core.operations.vms.target import targets_now

        outcomes = on_each_host(control, targets_now(session, names), one, at_once=at_once)
        return sentence(control, said, outcomes)

    return job


def shutdown_job(
    session: Session, names: Sequence[str], seconds: float, holdouts: list[Target]
) -> Callable[[Control], str]:
    """Return the job that has VMs shut themselves down; those that did not in time are added to `holdouts`."""
    from core.operations.vms.power import MOST_AT_ONCE, Action, NotShutDown, act, on_each_host
    from core.operations.vms.target import targets_now

    def one(control: Control, target: Target) -> Done:
        return act(session, control, target, Action.SHUTDOWN, timeout=seconds)

    def job(control: Control) -> str:
        outcomes = on_each_host(control, targets_now(session, names), one, at_once=MOST_AT_ONCE)
        still = [done.target for done in outcomes if isinstance(done.error, NotShutDown)]
        ended = [done for done in outcomes if not isinstance(done.error, NotShutDown)]
        told = sentence(control, ACTIONS[VMAction.SHUTDOWN].done, ended) if ended else ""
        holdouts.extend(still)
        if not still:
            return told
        verb = "is" if len(still) == 1 else "are"
        who = still[0].name if len(still) == 1 else f"{len(still)} VMs"
        return "; ".join(filter(None, (told, f"{who} {verb} still running {seconds:g} s after the shutdown request")))

    return job


def migrate_job(session: Session, names: Sequence[str], wish: MigrationOptions) -> Callable[[Control], str]:
    """Return the job that moves VMs, one of each host at a time; those that are on the wanted host already stay."""
    several = len(names) > 1
    went: list[str] = []

    def one(control: Control, target: Target) -> Done:
        from core.operations.vms.power import Done

        if not several:
            went.append(_move(session, wish, control, target))
        elif wish.to == target.host.name:
            return Done(target, changed=False)
        else:
            # Names the VM whose steps those are that follow on this host.
            with control.step(StepKind.MIGRATE, f"migrate {target.vm.name}", target.host.name, vm=target.vm.name):
                went.append(_move(session, wish, control, target))
        return Done(target)

    moved = each_job(session, names, one, ACTIONS[VMAction.MIGRATE].done)

    def job(control: Control) -> str:
        told = moved(control)
        return f"{told} to {', '.join(sorted(set(went)))}" if went else told

    return job


def _move(session: Session, wish: MigrationOptions, control: Control, target: Target) -> str:
    """Plan a migration and carry it out; gives the host that the VM is on now."""
    from core.operations.migration.migrate import migrate
    from core.operations.migration.plan import MigrationSource, plan_migration
    from core.operations.selection import find_vm

    fleet = session.fleet()
    departure = MigrationSource(fleet, *find_vm(fleet, f"{target.host.name}/{target.vm.uuid}"))
    plan = plan_migration(control, session, departure, wish, prove=True)
    migrate(control, session, plan)
    return plan.target.name


def create_job(session: Session, order: Order) -> Callable[[Control], str]:
    """Return the job that creates a VM; it gives a sentence of where it is and how it came up."""

    def job(control: Control) -> str:
        from core.operations.vms.create import create_vm

        created = create_vm(session, control, order)
        told = f"{created.placement.host}/{created.name}: created"
        if created.registered is None:
            return told
        where = f" at {created.registered.endpoint}" if created.registered.endpoint else ""
        return f"{told}, registered after {created.registered.seconds:.0f} s{where}"

    return job


def sentence(control: Control, said: str, outcomes: Sequence[Done]) -> str:
    """Return what came of all; raises where one failed or was cancelled, with a warning for each of several."""
    failed = [done for done in outcomes if done.error is not None]
    if not failed:
        if len(outcomes) == 1:
            only = outcomes[0]
            return f"{only.target.name}: {said}" if only.changed else f"{only.target.name}: already in that state"
        return f"{len(outcomes)} VMs: {said}"
    if len(outcomes) == 1 and outcomes[0].error is not None:
        raise outcomes[0].error
    for done in failed:
        if done.error is not None and not isinstance(done.error, Cancelled):
            control.warn(f"{done.target.name}: {done.error}")
    counted = f"{len(failed)} of {len(outcomes)} VMs"
    if all(isinstance(done.error, Cancelled) for done in failed):
        raise Cancelled(f"{counted} not changed")
    raise RealmsError(f"{counted} failed", hint="see the task's warnings for each reason")


@on_vm
def console_job(session: Session, control: Control, found: ResolvedVM) -> ConsoleCommand:
    """Find out how a VM's console is opened."""
    from core.operations.vms.console import console_command

    with control.step(StepKind.LOOK, f"look for the console of {found.vm.name}", found.host.name, vm=found.vm.name):
        return console_command(session, found)
