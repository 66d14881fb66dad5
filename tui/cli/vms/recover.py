"""`realms vms recover`: what killed programs left behind, told, and cleaned up where that is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from core.errors import RealmsError, UsageError
from tui.cli.options import GlobalOptions, RealmsCommand, json_option, pass_options, timeout_option, unasked_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.operations.session import Session
    from core.operations.tasks.task import Control
    from core.operations.vms.cleanup import InterruptedOperation

Outcome = tuple[str | None, RealmsError | None]
"""What was done about an operation, or the error that was met; both None where nothing was done."""


@click.command("recover", cls=RealmsCommand)
@click.option("--yes", is_flag=True, help="Clean up without confirmation; without it a script only gets the list.")
@unasked_option
@click.option("--force", is_flag=True, help="Take over operations of other machines too: none of them may be running.")
@timeout_option
@json_option
@pass_options
def recover(options: GlobalOptions, *, yes: bool, unasked: bool, force: bool, timeout: float, as_json: bool) -> int:
    """List operations interrupted by a crash, and clean them up or resume them.

    With --read-only it only lists. Never deletes volumes that another VM uses. If that cannot be verified, because a
    host is unreachable or disabled, volumes are deleted only with --unasked. Operations of another machine, or of an
    older program, may be running: they are left alone without --force. Exit code 1 while anything is left.
    """
    import sys

    from core.operations.recovery import survey
    from tui.cli.output import print_json, say

    with options.changing_session() if yes else options.session() as session:
        if not session.is_live:
            raise UsageError("a saved fleet has no operations to recover", hint="leave out --fleet")
        left = survey(session, settle=timeout, force=force)
        if not as_json:
            _print(left)
        asked = session.is_writable and sys.stdin.isatty() and sys.stderr.isatty() and not as_json and bool(left)
        outcomes: dict[str, Outcome] = {}
        if left and (yes or (asked and click.confirm("Clean up?", default=False, err=True))):
            outcomes = _clean_up(session, left, unasked=unasked, quiet=as_json)
        elif left and not as_json and not asked and session.is_writable:
            say("nothing was changed; use --yes to clean up", error=True)
        if as_json:
            print_json(_document(session, left, outcomes))
    return 0 if all(outcomes.get(each.record.id, (None, None))[0] for each in left) else 1


def _clean_up(
    session: Session, left: Sequence[InterruptedOperation], *, unasked: bool, quiet: bool
) -> dict[str, Outcome]:
    from core.operations import recovery
    from tui.cli.output import say
    from tui.cli.task_output import run_task

    outcomes: dict[str, Outcome] = {}
    for each in left:
        vm = each.record.vm
        try:

            def job(control: Control, each: InterruptedOperation = each) -> str:
                return recovery.recover(session, control, each, unasked=unasked).value

            done = run_task(session, f"recover {vm}", vm, job, quiet=quiet)
        except RealmsError as error:
            outcomes[each.record.id] = (None, error)
            say(f"{vm}: {error}", error=True)
        else:
            outcomes[each.record.id] = (done, None)
            if not quiet:
                say(f"{vm}: {_told(each, done)}")
    return outcomes


def _told(each: InterruptedOperation, done: str) -> str:
    from core.operations.tasks.journal import Operation
    from core.operations.vms.cleanup import CleanupAction

    if each.record.operation == Operation.MIGRATE:
        return each.message.removesuffix(": record that and clean up")
    return {
        CleanupAction.FORGET: "nothing left to clean up; record dropped",
        CleanupAction.REMOVE: "leftovers removed",
        CleanupAction.COMPLETE: "complete; recorded",
        CleanupAction.WAIT: "resolved: see realms vms list",
        CleanupAction.FINISH: "finished",
    }.get(CleanupAction(done), done)


def _print(left: Sequence[InterruptedOperation]) -> None:
    import time

    from core.units import show_age
    from tui.cli.output import headings, print_table, say

    if not left:
        say("nothing to clean up")
        return
    columns = headings("Operation", "VM", "Host", ">Age", "VM there", "Action")  # fmt: skip
    rows = [
        [
            each.record.operation,
            each.record.vm,
            each.host or "-",
            show_age(time.time() - each.record.began_at),
            each.domain,
            each.message,
        ]
        for each in left
    ]
    print_table(columns, rows)
    for each in left:
        say(f"{each.record.vm}: started by {each.record.owner}")
        for pool, volume in each.volumes:
            say(f"  volume {pool}/{volume}")


def _document(session: Session, left: Sequence[InterruptedOperation], outcomes: dict[str, Outcome]) -> dict[str, Any]:
    now = session.clock.now()
    return {"left_behind": [_row(each, now, *outcomes.get(each.record.id, (None, None))) for each in left]}


def _row(each: InterruptedOperation, now: float, done: str | None, error: RealmsError | None) -> dict[str, Any]:
    record = each.record
    return {
        "id": record.id,
        "operation": record.operation,
        "vm": record.vm,
        "uuid": record.uuid,
        "realm": record.realm,
        "host": each.host or None,
        "owner": record.owner,
        "age": round(max(0.0, now - record.began_at), 3),
        "steps": [step["step"] for step in record.steps],
        "state": each.domain,
        "volumes": [f"{pool}/{volume}" for pool, volume in each.volumes],
        "plan": each.plan.value,
        "message": each.message,
        "done": done,
        "error": error.message if error is not None else None,
        "code": error.code if error is not None else None,
    }
