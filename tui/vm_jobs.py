"""What is done to VMs from the screens, as jobs of tasks: the operations that the commands use too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import Cancelled, RealmsError
from tui.vm_actions import ACTIONS, VMAction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from core.operations.console import ConsoleCommand
    from core.operations.lifecycle import Done
    from core.operations.tasks import Control
    from core.operations.vm_targets import Target
    from core.operations.workplace import Workplace


def vm_job(workplace: Workplace, action: VMAction, names: Sequence[str]) -> Callable[[Control], str]:
    """Give the job that does something to VMs, each named as HOST/UUID; it gives a sentence of what came of it."""

    def job(control: Control) -> str:
        from core.operations.lifecycle import MOST_AT_ONCE, STARTS_AT_ONCE, on_each_host
        from core.operations.vm_targets import find_target

        workplace.check_can_change()
        fleet = workplace.fleet()
        targets = [find_target(workplace, fleet, name) for name in names]
        at_once = {VMAction.START: STARTS_AT_ONCE, VMAction.DELETE: STARTS_AT_ONCE, VMAction.MIGRATE: 1}
        outcomes = on_each_host(control, targets, _one(workplace, action), at_once=at_once.get(action, MOST_AT_ONCE))
        return _sentence(control, action, outcomes)

    return job


def _one(workplace: Workplace, action: VMAction) -> Callable[[Control, Target], Done]:
    from core.operations.lifecycle import Action, Done, act

    match action:
        case VMAction.START:
            from core.operations.start import start_vm

            return lambda control, target: start_vm(workplace, control, target)
        case VMAction.DELETE:
            from core.operations.delete import delete_vm

            def delete(control: Control, target: Target) -> Done:
                for kept in delete_vm(workplace, control, target).kept:
                    control.warn(f"{target.name}: {kept} stays")
                return Done(target)

            return delete
        case VMAction.MIGRATE:
            return lambda control, target: _migrate(workplace, control, target)
        case _:
            return lambda control, target: act(workplace, control, target, Action(action.value))


def _migrate(workplace: Workplace, control: Control, target: Target) -> Done:
    """Move a VM to the best other host of its realm; foreign ones were asked about."""
    from core.operations.lifecycle import Done
    from core.operations.migrate import migrate
    from core.operations.migration_plan import Departure, plan_migration
    from core.operations.migration_wish import MigrationWish
    from core.operations.selection import find_vm

    fleet = workplace.fleet()
    departure = Departure(fleet, *find_vm(fleet, f"{target.host.name}/{target.vm.uuid}"))
    plan = plan_migration(control, workplace, departure, MigrationWish(foreign=not target.vm.managed), prove=True)
    migrate(control, workplace, plan)
    with control.step(f"{target.vm.name} has moved", plan.target.name, always=True):
        return Done(target)


def _sentence(control: Control, action: VMAction, outcomes: Sequence[Done]) -> str:
    """Say what came of all; raises where one failed or was cancelled, with a warning for each of several."""
    failed = [done for done in outcomes if done.error is not None]
    if not failed:
        said = ACTIONS[action].done
        if len(outcomes) == 1:
            only = outcomes[0]
            return f"{only.target.name}: {said}" if only.changed else f"{only.target.name} was so already"
        return f"{len(outcomes)} VMs: {said}"
    if len(outcomes) == 1 and outcomes[0].error is not None:
        raise outcomes[0].error
    for done in failed:
        if done.error is not None and not isinstance(done.error, Cancelled):
            control.warn(f"{done.target.name}: {done.error}")
    counted = f"{len(failed)} of {len(outcomes)} VMs"
    if all(isinstance(done.error, Cancelled) for done in failed):
        raise Cancelled(f"{counted} were left as they are")
    raise RealmsError(f"{counted} failed", hint="the task's warnings name each, with its reason")


def console_job(workplace: Workplace, name: str) -> Callable[[Control], ConsoleCommand]:
    """Give the job that finds out how a VM's console is opened; the VM is named as HOST/UUID."""

    def job(control: Control) -> ConsoleCommand:
        from core.operations.console import console_command
        from core.operations.vm_at_hand import VMAtHand
        from core.operations.vm_targets import find_target

        workplace.check_can_change()  # who types into a VM changes it
        target = find_target(workplace, workplace.fleet(), name)
        with control.step(f"look for the console of {target.vm.name}", target.host.name):
            return console_command(workplace, VMAtHand(target, ()))

    return job
