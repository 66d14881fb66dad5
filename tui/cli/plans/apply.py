"""`--apply`: carries a plan of moves out, after it has been shown and agreed to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.errors import UsageError
from core.text import one_line, shell_command

if TYPE_CHECKING:
    from core.operations.plans.order import MovesPlan, PlanOrder
    from core.operations.plans.run import InterruptedRun, MoveView, PlanRun, RunView
    from core.operations.session import Session
    from core.placement.what_if.sandbox import Sandbox
    from tui.cli.options import GlobalOptions
    from tui.cli.plans.terms import Terms

STOPPING = "no new moves will start; running moves finish. Press Ctrl-C again to cancel them"


def apply_plan(options: GlobalOptions, order: PlanOrder, terms: Terms) -> int:
    """Plan on the live fleet, show it, ask, make the moves, and tell what came of them; gives the exit code.

    What came of them is told too where it was broken off, or not agreed to. Raises Cancelled, and UsageError where the
    plan rests on changes in thought.
    """
    from core.operations.plans.run import PlanRun, left_runs
    from core.operations.selection import check_known
    from core.placement.what_if.sandbox import Compared, Sandbox
    from tui.cli.output import print_json, say
    from tui.cli.placement.what_if_options import Changes
    from tui.cli.plans.text import print_plan
    from tui.cli.task_output import confirmed

    if terms.changes != Changes():
        raise UsageError("--apply uses the real fleet and configuration", hint="omit the changes or --apply")
    with options.changing_session() as session:
        if order.request is not None:
            check_known("realm", order.request.realm, session.configuration.realms)
        fleet = session.settled_fleet(terms.timeout)
        check_known("host", order.host or None, (snapshot.name for snapshot in fleet.hosts))
        sandbox = Sandbox.of(session.configuration, fleet)
        plan = order.plan(session.configuration, fleet)
        earlier = [run for run in left_runs(session) if not run.at_work and run.order.goal == order.goal]
        # One that has shut a VM down is kept: nobody else would start that again.
        replaced = [run for run in earlier if plan.moves and not any(move.is_off for move in run.moves)]
        if not terms.as_json:
            print_plan(sandbox, Compared(plan, plan))
            for left in earlier:
                tell_earlier(left, is_replaced=left in replaced)
        run = PlanRun(order, plan.moves)
        agreed = not plan.moves or confirmed(question(run.view), yes=terms.yes)
        if not agreed:
            say("nothing was moved", error=True)
        try:
            if agreed and plan.moves:
                _replace(session, replaced)
                carry(session, run, timeout=terms.timeout, quiet=terms.as_json)
        finally:
            if terms.as_json:
                print_json(_document(sandbox, plan, run.view, replaced if agreed else [], agreed=agreed))
            elif run.view.id:
                print_carried(run.view)
        return 0 if agreed and is_done(session, run.view, as_json=terms.as_json) else 1


def carry(session: Session, run: PlanRun, *, timeout: float, quiet: bool) -> None:
    """Make the moves as a task that is shown; the first Ctrl-C lets those under way end, the next calls them off."""
    from core.operations.plans.apply import apply_plan
    from tui.cli.task_output import run_task

    def gently() -> str:
        if run.stop_asked:
            return ""
        run.stop()
        return STOPPING

    run_task(
        session,
        run.view.order.what,
        ", ".join(move.vm for move in run.view.moves),
        lambda control: apply_plan(control, session, run, deadline=timeout),
        quiet=quiet,
        gently=gently,
    )


def is_done(session: Session, view: RunView, *, as_json: bool) -> bool:
    """Whether what was wanted is so: a drained host is empty, a host takes the VM, no move failed or was not begun.

    Says in words how far that is from being so.
    """
    from core.operations.plans.order import MovesKind
    from core.operations.plans.run import MoveState
    from tui.cli.output import say_folded
    from tui.cli.plans.text import is_found, sentence

    order = view.order
    if order.kind is not MovesKind.REBALANCE:
        left = order.plan(session.configuration, session.fleet())
        reached = is_found(left) and not left.moves
        if view.moves and not reached and not as_json:
            say_folded(f"{'Not empty yet' if order.host else 'No capacity yet'}. {sentence(left)}")
        return reached
    return not view.count(MoveState.FAILED, MoveState.IN_DOUBT, MoveState.WAITING)


def question(view: RunView) -> str:
    """Ask whether the moves are to be made, saying what they cost."""
    from core.operations.plans.run import MoveState
    from core.text import plural

    waiting = [move for move in view.moves if move.state is MoveState.WAITING]
    shut_down = sum(move.offline for move in waiting)
    extra = f", {shut_down} of them SHUT DOWN to move" if shut_down else ""
    at_once = f", at most {view.order.parallel} at once on a host" if len(waiting) > 1 else ""
    return f"Move {plural(len(waiting), 'VM')} now{extra}{at_once}?"


def tell_earlier(left: InterruptedRun, *, is_replaced: bool) -> None:
    """Print of a run that was broken off how far it came, what failed in it, and whether another takes its place."""
    import time

    from core.units import show_age
    from tui.cli.output import say, say_folded

    say()
    age = show_age(time.time() - left.began_at)
    say_folded(f"An earlier {left.order.what} was interrupted, started {age} ago by {one_line(left.owner)}")
    print_carried(left.view, gap=False)
    then = "; this run replaces it" if is_replaced else ""
    say(f"  {shell_command('realms plan resume', left.id)} resumes it{then}")


def print_carried(view: RunView, *, gap: bool = True) -> None:
    """Print what came of the moves: how many were made, and of the others why not."""
    from core.operations.plans.run import MoveState
    from tui.cli.output import say, say_folded

    if not view.moves:
        return
    if gap:
        say()
    say(view.summary)
    for move in view.moves:
        if move.state in (MoveState.FAILED, MoveState.IN_DOUBT, MoveState.LEFT):
            say_folded(f"{move.vm}: {move.detail}", "  ")
            if move.hint:
                say_folded(move.hint, "    ")
        elif move.is_off:
            say_folded(f"{move.vm}: shut down for its move and not restarted", "  ")
    waiting = [move.vm for move in view.moves if move.state is MoveState.WAITING]
    if waiting:
        say_folded(f"Not moved: {', '.join(waiting)}", "  ")
    if gap and view.resumable:
        say(f"{shell_command('realms plan resume', view.id)} resumes it")


def run_rows(view: RunView) -> dict[str, Any]:
    """Return a run as part of a document: what was made of the plan, and what not."""
    from core.operations.plans.run import MoveState

    made = (MoveState.DONE, MoveState.FAILED, MoveState.IN_DOUBT)
    return {
        "applied": [_row(move) for move in view.moves if move.state in made],
        "not_made": [_row(move) for move in view.moves if move.state not in made],
        "resume": view.id if view.resumable else None,
    }


def _row(move: MoveView) -> dict[str, Any]:
    from core.operations.plans.run import MoveState

    return {
        "vm": move.vm,
        "uuid": move.uuid,
        "from": move.source,
        "to": move.target,
        "offline": move.offline,
        "as_planned": move.as_agreed,
        "ok": move.state is MoveState.DONE,
        "state": move.state.value,
        "message": move.detail,
        "hint": move.hint or None,
    }


def _replace(session: Session, earlier: list[InterruptedRun]) -> None:
    """Forget runs whose place another takes, except where someone has taken one up meanwhile."""
    import contextlib

    from core.operations.plans.run import forget_run
    from core.operations.tasks.journal import StillAtWork

    for left in earlier:
        with contextlib.suppress(StillAtWork):
            forget_run(session, left.id)


def _document(
    sandbox: Sandbox, plan: MovesPlan, view: RunView, replaced: list[InterruptedRun], *, agreed: bool
) -> dict[str, Any]:
    from core.placement.plans.rows import moves_document
    from tui.cli.plans.options import document

    row = moves_document(plan)
    rows = [{"id": left.id, **run_rows(left.view)} for left in replaced]
    return {**document(sandbox, row, row), "agreed": agreed, **run_rows(view), "replaced": rows}
