"""What is done to VMs that are there, several at once: `realms vms start`, `shutdown`, `pause`, `save` and so on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tui.cli.options import (
    GlobalOptions,
    RealmsCommand,
    WaitType,
    json_option,
    pass_options,
    timeout_option,
    yes_option,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from core.operations.session import Session
    from core.operations.tasks.task import Control
    from core.operations.vms.power import Action, Done
    from core.operations.vms.target import Target

Options = dict[str, Any]
"""The options that all these commands share, as click gives them."""


def common_options(function: Callable[..., int]) -> Callable[..., int]:
    """Add what every command on VMs takes: the VMs, --foreign, --timeout, --json."""
    foreign = click.option("--foreign", is_flag=True, help="Also foreign VMs.")
    names = click.argument("names", metavar="VM...", nargs=-1, required=True)
    decorated: Callable[..., int] = names(foreign(timeout_option(json_option(pass_options(function)))))
    return decorated


@click.command("start", cls=RealmsCommand)
@click.option(
    "--force", is_flag=True, help="Start it even if a host that might run it or use its drives can't be asked."
)
@click.option("--no-wait", is_flag=True, help="Don't wait for it to register.")
@common_options
def start(options: GlobalOptions, *, force: bool, no_wait: bool, **common: Any) -> int:
    """Start VMs and wait for them to register; past the realm's timeout they are stopped again.

    Each starts on its current host, with free devices of the types it was created with.
    """
    from core.operations.vms.start import start_vm

    def job(session: Session) -> Callable[[Control, Target], Done]:
        patience = common["timeout"]
        return lambda control, target: start_vm(
            session, control, target, force=force, wait=not no_wait, patience=patience
        )

    return _run(options, "start", common, job)


@click.command("shutdown", cls=RealmsCommand)
@click.option("--within", type=WaitType(min=0.1, max=86400), default=120.0, show_default=True, metavar="SECONDS",
              help="Timeout for each VM.")  # fmt: skip
@click.option("--force", is_flag=True, help="Force it off after the timeout.")
@click.option("--no-wait", is_flag=True, help="Send the request and don't wait.")
@yes_option
@common_options
def shutdown(options: GlobalOptions, *, within: float, force: bool, no_wait: bool, yes: bool, **common: Any) -> int:
    """Shut VMs down through the guest and wait; offers to force off those that don't stop."""
    from core.operations.vms.power import Action, NotShutDown, act

    def job(session: Session) -> Callable[[Control, Target], Done]:
        return lambda control, target: act(
            session, control, target, Action.SHUTDOWN, timeout=within, force=force, wait=not no_wait
        )

    def settle(session: Session, outcomes: Sequence[Done]) -> Sequence[Done]:
        """Ask about those that still run; only on a terminal, as cutting the power is never a script's default."""
        stuck = [done for done in outcomes if isinstance(done.error, NotShutDown)]
        names = ", ".join(done.target.name for done in stuck)
        if not stuck or common["as_json"] or not (yes or _asked(f"{names} did not shut down. Force off?")):
            return outcomes
        targets = [done.target for done in stuck]
        turned_off = _do(
            session, "off", targets, common, lambda control, target: act(session, control, target, Action.OFF)
        )
        again = {done.target: done for done in turned_off}
        return [again.get(done.target, done) for done in outcomes]

    return _run(options, "shutdown", common, job, settle=settle)


def _action_command(word: str, help_text: str, question: str = "") -> click.Command:
    """Make the command of an action that takes nothing but VMs; it asks first where there is a question."""

    def command(options: GlobalOptions, *, yes: bool = True, **common: Any) -> int:
        from core.operations.vms.power import Action, act

        action: Action = Action(word)

        def job(session: Session) -> Callable[[Control, Target], Done]:
            return lambda control, target: act(session, control, target, action)

        return _run(options, word, common, job, question=question, yes=yes)

    decorated = common_options(command)
    return click.command(word, cls=RealmsCommand, help=help_text)(yes_option(decorated) if question else decorated)


reboot = _action_command("reboot", "Reboot VMs through the guest, which may ignore the request.")
reset = _action_command("reset", "Hard reset VMs: unsaved data is lost.", "Reset {}? Unsaved data is lost.")
pause = _action_command("pause", "Pause VMs: vCPUs stop; memory and devices stay allocated.")
resume = _action_command("resume", "Resume paused or suspended VMs.")
off = _action_command("off", "Force VMs off: unsaved data is lost.", "Force off {}? Unsaved data is lost.")
save = _action_command(
    "save",
    """Save the memory of VMs on their hosts and stop them; the next start goes on from there.

    Until then a VM can't be moved, and its disks and drives stay as they are. VMs with PCI devices can't be saved.
    """,
)
discard_save = _action_command(
    "discard-save",
    "Discard the saved memory of VMs: the next start boots; unsaved data is lost.",
    "Discard the saved memory of {}? Unsaved data is lost.",
)


def _asked(question: str) -> bool:
    import sys

    from core.text import printable

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    return click.confirm(printable(question), default=False, err=True)


def _run(
    options: GlobalOptions,
    word: str,
    common: Options,
    job: Callable[[Session], Callable[[Control, Target], Done]],
    *,
    settle: Callable[[Session, Sequence[Done]], Sequence[Done]] | None = None,
    question: str = "",
    yes: bool = True,
) -> int:
    """Find the VMs, ask where there is a question, do the job for each, and print what came of it."""
    from core.operations.vms.target import find_targets
    from tui.cli.output import say
    from tui.cli.task_output import confirmed

    with options.changing_session() as session:
        targets = find_targets(session, common["names"], foreign=common["foreign"], timeout=common["timeout"])
        warn_foreign(targets)
        if question and not confirmed(question.format(", ".join(target.name for target in targets)), yes=yes):
            say("nothing was changed", error=True)
            return 1
        outcomes = _do(session, word, targets, common, job(session))
        if settle is not None:
            outcomes = settle(session, outcomes)
    return report(word, outcomes, as_json=common["as_json"])


def _do(
    session: Session, word: str, targets: Sequence[Target], common: Options, job: Callable[[Control, Target], Done]
) -> Sequence[Done]:
    from core.operations.vms.power import MOST_AT_ONCE, STARTS_AT_ONCE, on_each_host
    from tui.cli.task_output import run_task

    at_once = STARTS_AT_ONCE if word == "start" else MOST_AT_ONCE
    names = ", ".join(target.vm.name for target in targets)
    return run_task(
        session, f"{word} {names}", names, lambda control: on_each_host(control, targets, job, at_once=at_once),
        quiet=common["as_json"],
    )  # fmt: skip


def warn_foreign(targets: Sequence[Target]) -> None:
    """Print which of the VMs are not the realm's own."""
    from tui.cli.output import say

    for target in targets:
        if not target.vm.managed:
            say(f"warning: {target.name} is foreign: realm {target.realm.id} did not create it", error=True)


def report(word: str, outcomes: Sequence[Done], *, as_json: bool) -> int:
    """Print what came of each VM; gives the exit code: 1 where one failed."""
    from tui.cli.output import print_json, say

    if as_json:
        print_json(
            {
                "action": word,
                "ok": all(done.error is None for done in outcomes),
                "vms": [row(done) for done in outcomes],
            }
        )
    for done in outcomes:
        if done.error is not None:
            say(_failure(done.target, done.error.message), error=True)
            if done.error.hint:
                say(f"  {done.error.hint}", error=True)
        elif not as_json:
            state = done.state.label if done.state is not None else "request sent"
            say(f"{done.target.name}: {state if done.changed else f'no changes ({state})'}")
    return 0 if all(done.error is None for done in outcomes) else 1


def _failure(target: Target, message: str) -> str:
    """Return what went wrong with a VM, which many a message begins with."""
    named = any(message.startswith((f"{name} ", f"{name}: ")) for name in (target.vm.name, target.name))
    return message if named else f"{target.vm.name}: {message}"


def row(done: Done) -> dict[str, Any]:
    """Return what came of one VM as a row of JSON."""
    from tui.cli.output import error_row

    vm = done.target.vm
    return {
        "name": vm.name,
        "uuid": vm.uuid,
        "host": vm.host,
        "realm": vm.realm,
        "managed": vm.managed,
        "ok": done.error is None,
        "changed": done.changed,
        "state": done.state.value if done.state is not None else None,
        **error_row(done.error),
    }
