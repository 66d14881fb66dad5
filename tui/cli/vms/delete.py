"""`realms vms delete`: VMs removed from their hosts, their volumes only where that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tui.cli.options import GlobalOptions, RealmsCommand, dry_run_option, unasked_option, yes_option
from tui.cli.vms.power import common_options, row, warn_foreign

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.operations.session import Session
    from core.operations.tasks.task import Control
    from core.operations.vms.delete import Deleted
    from core.operations.vms.power import Done
    from core.operations.vms.target import Target


@click.command("delete", cls=RealmsCommand)
@click.option("--volumes", is_flag=True, help="Also delete its boot volume and snapshots.")
@click.option("--drives", is_flag=True, help="Also delete its drives, without asking.")
@click.option("--force", is_flag=True, help="Force it off first if it is running.")
@unasked_option
@dry_run_option
@yes_option
@common_options
def delete(
    options: GlobalOptions, *, volumes: bool, drives: bool, force: bool, unasked: bool, dry_run: bool, yes: bool,
    **common: Any,
) -> int:  # fmt: skip
    """Delete VMs that are off. Volumes and snapshots are kept and listed, unless --volumes deletes them.

    Drives are deleted only with --drives; on a terminal --volumes asks about them. Never deletes volumes that another
    VM uses. If that cannot be verified, volumes are deleted only with --unasked: a host is unreachable or disabled, or
    a VM has what may be the same file.
    """
    from core.operations.vms.delete import delete_vm, volumes_of
    from core.operations.vms.power import STARTS_AT_ONCE, Done, on_each_host
    from core.operations.vms.target import find_targets
    from tui.cli.output import say
    from tui.cli.task_output import confirmed, run_task

    as_json = common["as_json"]
    with options.changing_session() as session:
        targets = find_targets(session, common["names"], foreign=common["foreign"], timeout=common["timeout"])
        warn_foreign(targets)
        refused = _refused(targets) if not force else []
        if refused and as_json:  # nothing is done to any, and each still has its row
            return _report(refused, {}, as_json=True)
        if refused and refused[0].error is not None:
            raise refused[0].error
        what = ", ".join(target.name for target in targets)
        if not confirmed(f"Delete {what}{' with boot volume and snapshots' if volumes else ''}?", yes=yes or dry_run):
            say("nothing was deleted", error=True)
            return 1
        if volumes and not drives and not yes and not as_json and not dry_run:
            drives = _drives_too(session, targets, volumes_of)
        gone: dict[Target, Deleted] = {}

        def job(control: Control, target: Target) -> Done:
            gone[target] = delete_vm(
                session, control, target,
                volumes=volumes, drives=drives, force=force, unasked=unasked, dry_run=dry_run,
                patience=common["timeout"],
            )  # fmt: skip
            return Done(target, changed=not dry_run)

        outcomes = run_task(
            session,
            f"delete {what}",
            what,
            lambda control: on_each_host(control, targets, job, at_once=STARTS_AT_ONCE),
            quiet=as_json,
        )
    return _report(outcomes, gone, as_json=as_json, dry_run=dry_run)


def _refused(targets: Sequence[Target]) -> list[Done]:
    """Return what came of the VMs, where some of them are active and may not be: nothing, for all of them."""
    from core.operations.vms.delete import VMActive
    from core.operations.vms.power import Done

    active = ", ".join(target.name for target in targets if target.vm.active)
    if not active:
        return []
    error = VMActive(f"{active}: active; nothing was deleted", hint="shut down first, or use --force")
    return [Done(target, changed=False, error=error) for target in targets]


def _drives_too(session: Session, targets: Sequence[Target], volumes_of: Any) -> bool:
    """Ask on a terminal whether the drives go too; what nobody is asked about stays."""
    import sys

    from core.text import printable

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    names = [volume.name for target in targets for volume in volumes_of(session, target).drives]
    question = f"Also delete {', '.join(names)}? These drives hold user data."
    return bool(names) and click.confirm(printable(question), default=False, err=True)


def _report(outcomes: Sequence[Done], gone: dict[Target, Deleted], *, as_json: bool, dry_run: bool = False) -> int:
    from tui.cli.output import print_json, say

    if as_json:
        print_json(
            {
                "action": "delete",
                "dry_run": dry_run,
                "ok": all(done.error is None for done in outcomes),
                "vms": [{**row(done), **_volumes(gone.get(done.target))} for done in outcomes],
            }
        )
    for message in dict.fromkeys(str(done.error) for done in outcomes if done.error is not None):
        say(message, error=True)
    for done in outcomes:
        deleted = gone.get(done.target)
        if deleted is not None and done.error is None and not as_json:
            also = (*deleted.volumes, *(f"snapshot {name}" for name in deleted.snapshots))
            word = "would be deleted" if dry_run else "deleted"
            say(f"{done.target.name}: {word}" + (f", with {', '.join(also)}" if also else ""))
            for kept in deleted.stays:
                say(f"  {kept} is kept")
            if deleted.kept:
                say("  (to find unused ones: realms volumes list --orphaned, drives list, bricks list)")
    return 0 if all(done.error is None for done in outcomes) else 1


def _volumes(deleted: Deleted | None) -> dict[str, Any]:
    return {
        "deleted_volumes": list(deleted.volumes) if deleted is not None else [],
        "kept_volumes": list(deleted.kept) if deleted is not None else [],
        "deleted_snapshots": list(deleted.snapshots) if deleted is not None else [],
        "kept_snapshots": list(deleted.kept_snapshots) if deleted is not None else [],
    }
