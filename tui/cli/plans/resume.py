"""`realms plan resume`: goes on with a plan that was stopped, or whose program was killed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from core.errors import UsageError
from core.text import shell_command
from tui.cli.options import GlobalOptions, RealmsCommand, json_option, pass_options, timeout_option, yes_option
from tui.cli.plans.apply import carry, is_done, print_carried, question, run_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.operations.plans.run import InterruptedRun, RunView
    from core.operations.session import Session


@click.command("resume", cls=RealmsCommand)
@click.argument("plan", required=False, metavar="[ID]")
@click.option("--list", "only_lists", is_flag=True, help="Only list interrupted and running plans.")
@click.option("--forget", is_flag=True, help="Drop the plan; completed moves are kept.")
@click.option("--force", is_flag=True, help="Take over a plan of another machine too: it may not be running.")
@yes_option
@timeout_option
@json_option
@pass_options
def resume(
    options: GlobalOptions,
    *,
    plan: str | None,
    only_lists: bool,
    forget: bool,
    force: bool,
    yes: bool,
    timeout: float,
    as_json: bool,
) -> int:
    """Resume a plan that --apply started and that was stopped or killed: ID, if there are several.

    It is planned again, as before each move, for the confirmed VMs that have not been moved; failed moves are reported
    and not retried. A plan of another machine may be running: it is left alone without --force. Interrupted operations
    are cleaned up first. Exit code 1 if a move failed, or a host that is drained is not empty.
    """
    from core.operations.plans.run import forget_run, left_runs
    from tui.cli.output import print_json, say

    if only_lists and (forget or force or plan is not None):
        raise UsageError("--list lists all plans", hint="omit --list, or ID, --forget and --force")
    with options.session() if only_lists else options.changing_session() as session:
        if not session.is_live:
            raise UsageError("a saved fleet has no plans to resume", hint="leave out --fleet")
        runs = left_runs(session)
        if only_lists:
            _list(runs, as_json=as_json)
            return 0
        left = _chosen(runs, plan, force=force)
        if left is None:
            print_json({"plan": None, "id": None, **_NOTHING}) if as_json else say("no interrupted plan")
            return 0
        if forget:
            forget_run(session, left.id, force=force)
            print_json(_document(left, left.view)) if as_json else say(f"{left.order.what}: dropped")
            return 0
        return _resume(session, left, force=force, timeout=timeout, yes=yes, as_json=as_json)


_NOTHING: dict[str, Any] = {"applied": [], "not_made": [], "resume": None}


def _resume(session: Session, left: InterruptedRun, *, force: bool, timeout: float, yes: bool, as_json: bool) -> int:
    from core.operations.plans.run import MoveState, PlanRun
    from tui.cli.output import print_json, say
    from tui.cli.task_output import confirmed

    session.settled_fleet(timeout)
    run = PlanRun.resumed(left, force=force)
    if not as_json:
        _print(left)
    # One that was killed right after its last move has only that to be noted.
    agreed = not run.view.count(MoveState.WAITING) or confirmed(question(run.view), yes=yes)
    if not agreed:
        say("nothing was moved", error=True)
    try:
        if agreed:
            carry(session, run, timeout=timeout, quiet=as_json)
    finally:
        if as_json:
            print_json({**_document(left, run.view), "agreed": agreed})
        elif agreed:
            print_carried(run.view)
    return 0 if agreed and is_done(session, run.view, as_json=as_json) else 1


def _chosen(runs: Sequence[InterruptedRun], wanted: str | None, *, force: bool) -> InterruptedRun | None:
    """Choose the run that is meant; None where none was broken off. Raises UsageError for any other doubt."""
    able = [run for run in runs if not run.at_work and (force or not run.is_unknown)]
    unsure = [run for run in runs if run.is_unknown and wanted in (None, run.id)]
    if unsure and not force and (wanted or not able):
        message = f"can't verify that {unsure[0].order.what} isn't being applied by {unsure[0].owner}"
        resume = shell_command("realms plan resume", unsure[0].id, "--force")
        raise UsageError(message, hint=f"if you are sure: {resume}")
    if wanted is not None:
        found = next((run for run in able if run.id == wanted), None)
        if found is None:
            raise UsageError(f"no interrupted plan {wanted!r}", hint="realms plan resume --list")
        return found
    if len(able) > 1:
        listed = ", ".join(f"{run.id} ({run.order.what})" for run in able)
        raise UsageError("several interrupted plans", hint=f"choose one: {listed}")
    return able[0] if able else None


def _list(runs: Sequence[InterruptedRun], *, as_json: bool) -> None:
    from tui.cli.output import print_json, say

    if as_json:
        print_json({"plans": [_document(run, run.view) for run in runs]})
        return
    if not runs:
        say("no interrupted or running plans")
    for run in runs:
        _print(run)


def _print(left: InterruptedRun) -> None:
    import time

    from core.text import one_line
    from core.units import show_age
    from tui.cli.output import say_folded

    how = "running" if left.at_work else "may be running" if left.is_unknown else "interrupted"
    age = show_age(time.time() - left.began_at)
    say_folded(f"{left.id}: {left.order.what}, {how}, started {age} ago by {one_line(left.owner)}")
    print_carried(left.view, gap=False)


def _document(left: InterruptedRun, view: RunView) -> dict[str, Any]:
    return {
        "plan": left.order.what,
        "id": left.id,
        "owner": left.owner,
        "began_at": left.began_at,
        "at_work": left.at_work,
        "unknown": left.is_unknown,
        "parallel": left.order.parallel,
        **run_rows(view),
    }
