"""`--apply`: carries a plan of moves out, after it has been shown and agreed to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from core.config.model import Configuration
    from core.fleet import Fleet
    from core.operations.carry_out import Carried
    from core.operations.workplace import Workplace
    from core.placement.drain import Move
    from core.placement.sandbox import Sandbox
    from tui.cli.changes import Changes

apply_option = click.option(
    "--apply", "carries_out", is_flag=True,
    help="Make the moves: live, one after another, planned anew before each. VMs that would have to be shut down stay.",
)  # fmt: skip
yes_option = click.option("--yes", is_flag=True, help="Don't ask. Where there is no terminal, nothing is asked.")


def check_applicable(changes: Changes) -> None:
    """Raise UsageError where a plan rests on changes in thought: it can't be carried out on things as they are."""
    from tui.cli.changes import Changes

    if changes != Changes():
        raise UsageError("--apply moves VMs on things as they are", hint="leave the changes out, or --apply")


def carry_out_plan(
    workplace: Workplace,
    what: str,
    moves: Sequence[Move],
    planner: Callable[[Configuration, Fleet], Sequence[Move]],
    *,
    foreign: bool,
    timeout: float,
    yes: bool,
    quiet: bool,
    tell: Callable[[Sequence[Carried]], None],
) -> bool:
    """Ask, make the moves, and tell what came of them, also where it was interrupted; False where it is not agreed to.

    Raises Cancelled.
    """
    from core.operations.carry_out import carry_out
    from tui.cli.output import say
    from tui.cli.plan_question import counted
    from tui.cli.task_output import confirmed, run_task

    if moves and not confirmed(f"Move {counted(len(moves), 'VM')} now, one after another?", yes=yes):
        say("nothing was moved", error=True)
        return False
    carried: list[Carried] = []
    try:
        if moves:
            run_task(
                workplace,
                what,
                ", ".join(move.vm.name for move in moves),
                lambda control: carry_out(
                    control, workplace, lambda fleet: planner(workplace.configuration, fleet), moves, carried,
                    foreign=foreign, deadline=timeout,
                ),
                quiet=quiet,
            )  # fmt: skip
    finally:
        tell(carried)
    return True


def print_carried(carried: Sequence[Carried], planned: int) -> None:
    """Say what came of each move."""
    from tui.cli.output import say
    from tui.cli.plan_question import say_folded

    if not planned:
        return
    say()
    moved = sum(done.error is None for done in carried)
    say(f"{moved} moved, {len(carried) - moved} failed; {planned} were planned")
    for done in carried:
        if done.error is not None:
            say_folded(f"{done.move.vm.name}: {done.error.message}", "  ")
            if done.error.hint:
                say_folded(done.error.hint, "    ")


def carried_row(done: Carried) -> dict[str, Any]:
    """Give what came of one move as a row of JSON."""
    return {
        "vm": done.move.vm.name,
        "uuid": done.move.vm.uuid,
        "from": done.move.source,
        "to": done.move.target,
        "as_planned": done.as_agreed,
        "ok": done.error is None,
        "message": done.message,
        "hint": (done.error.hint or None) if done.error is not None else None,
    }


def real(workplace: Workplace, timeout: float, host: str | None = None) -> Sandbox:
    """Take the live fleet, without changes; raises UsageError for a host that isn't there."""
    from core.operations.selection import check_known
    from core.placement.sandbox import Sandbox

    fleet = workplace.settled_fleet(timeout)
    check_known("host", host, (snapshot.name for snapshot in fleet.hosts))
    return Sandbox.of(workplace.configuration, fleet)
