"""`realms vms restore`."""

import click

from tui.cli.options import GlobalOptions, RealmsCommand, json_option, pass_options, timeout_option, yes_option
from tui.cli.vms.drives import foreign_option


@click.command("restore", cls=RealmsCommand)
@click.argument("vm")
@click.argument("snapshot")
@click.option("--disk", "targets", multiple=True, metavar="TARGET",
              help="Only this disk of the snapshot, such as vda; can be repeated.")  # fmt: skip
@click.option("--force", is_flag=True, help="Force the VM off first; also restore if a host can't be asked.")
@click.option("--start", is_flag=True, help="Start the VM afterwards, placed like any start.")
@yes_option
@foreign_option
@timeout_option
@json_option
@pass_options
def restore(
    options: GlobalOptions,
    vm: str,
    snapshot: str,
    *,
    targets: tuple[str, ...],
    force: bool,
    start: bool,
    yes: bool,
    foreign: bool,
    timeout: float,
    as_json: bool,
) -> int:
    """Restore a VM's disks from a snapshot; later changes are lost. The VM must be off.

    The present disks are kept until the copies are complete; if anything fails, the VM still has them. Disks that are
    not in the snapshot are unchanged.
    """
    from core.operations.vms.lookup import vm_at_hand
    from core.operations.vms.restore import restore_snapshot
    from tui.cli.output import print_json, say
    from tui.cli.task_output import confirmed, run_task

    with options.changing_session() as session:
        at_hand = vm_at_hand(session, vm, timeout=timeout, foreign=foreign)
        name = at_hand.vm.name
        if not confirmed(f"Restore the disks of {name} from {snapshot}? Later changes are lost.", yes=yes):
            say("nothing was changed", error=True)
            return 1
        restored = run_task(
            session, f"restore {snapshot}", name,
            lambda control: restore_snapshot(
                session, control, at_hand, snapshot, targets=targets, force=force, start=start, deadline=timeout
            ),
            quiet=as_json,
        )  # fmt: skip
    if as_json:
        volumes = sorted(restored.volumes.items())
        disks = [{"target": target, "pool": pool, "volume": volume} for target, (pool, volume) in volumes]
        row = {
            "vm": name,
            "uuid": at_hand.vm.uuid,
            "host": at_hand.host.name,
            "realm": at_hand.realm.id,
            "snapshot": restored.snapshot.name,
            "stopped": restored.stopped,
            "started": restored.started,
            "disks": disks,
        }
        print_json({"restored": row})
    else:
        state = "it is running" if restored.started else "it is off"
        say(f"{name} restored to {snapshot}: {', '.join(sorted(restored.volumes))}; {state}")
    return 0
