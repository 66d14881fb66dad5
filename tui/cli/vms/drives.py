"""`realms vms attach-drive` and `detach-drive`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tui.cli.options import GlobalOptions, RealmsCommand, WaitType, json_option, pass_options, timeout_option

if TYPE_CHECKING:
    from core.operations.vms.drives import AttachedDrive
    from core.operations.vms.lookup import ResolvedVM

foreign_option = click.option("--foreign", is_flag=True, help="Also change a foreign VM.")


@click.command("attach-drive", cls=RealmsCommand)
@click.argument("vm")
@click.argument("drive")
@click.option("--target", metavar="NAME", help="Target name in the VM, such as vdb (default: first free).")
@click.option(
    "--format", "form", type=click.Choice(["raw", "qcow2"]), help="Format (default: detected from the content)."
)
@click.option("--force", is_flag=True, help="Attach even if a host that might run a VM with it can't be asked.")
@foreign_option
@timeout_option
@json_option
@pass_options
def attach_drive(
    options: GlobalOptions,
    vm: str,
    drive: str,
    *,
    target: str | None,
    form: str | None,
    force: bool,
    foreign: bool,
    timeout: float,
    as_json: bool,
) -> int:
    """Attach a drive to a VM: now if it is running, and at every start.

    Every host of the realm is asked first. A drive used by another running VM is always refused; if a host is
    unreachable or disabled, --force is required. The cache mode is the realm's.
    """
    from core.operations.vms import drives as drives_attached
    from core.operations.vms.lookup import vm_at_hand
    from tui.cli.task_output import run_task

    with options.changing_session() as session:
        at_hand = vm_at_hand(session, vm, timeout=timeout, foreign=foreign)
        attached = run_task(
            session, f"attach drive {drive}", at_hand.vm.name,
            lambda control: drives_attached.attach_drive(
                session, control, at_hand, drive, target=target, format=form, force=force, deadline=timeout
            ),
            quiet=as_json,
        )  # fmt: skip
    _print("attached", at_hand, attached, as_json=as_json)
    return 0


@click.command("detach-drive", cls=RealmsCommand)
@click.argument("vm")
@click.argument("drive")
@click.option("--wait", type=WaitType(min=0.0, max=86400), default=60.0, show_default=True, metavar="SECONDS",
              help="How long a running guest may take to release it.")  # fmt: skip
@foreign_option
@timeout_option
@json_option
@pass_options
def detach_drive(
    options: GlobalOptions, vm: str, drive: str, *, wait: float, foreign: bool, timeout: float, as_json: bool
) -> int:
    """Detach a drive from a VM; DRIVE is its name, or its target in the VM. The drive itself is kept.

    A running guest must release it: unmount it there first. If it does not in time, it keeps the drive and the exit
    code is 1.
    """
    from core.operations.vms import drives as drives_attached
    from core.operations.vms.lookup import vm_at_hand
    from tui.cli.task_output import run_task

    with options.changing_session() as session:
        at_hand = vm_at_hand(session, vm, timeout=timeout, foreign=foreign)
        detached = run_task(
            session, f"detach drive {drive}", at_hand.vm.name,
            lambda control: drives_attached.detach_drive(
                session, control, at_hand, drive, patience=wait, deadline=timeout
            ),
            quiet=as_json,
        )  # fmt: skip
    _print("detached", at_hand, detached, as_json=as_json)
    return 0


def _print(what: str, at_hand: ResolvedVM, drive: AttachedDrive, *, as_json: bool) -> None:
    from tui.cli.output import print_json, say

    if as_json:
        print_json({what: _row(at_hand, drive)})
        return
    vm = f"{at_hand.vm.name} on {at_hand.host.name}"
    if what == "detached":
        say(f"drive {drive.drive} detached from {vm} ({drive.target})")
    elif drive.running or not at_hand.vm.active:
        say(f"drive {drive.drive} attached to {vm} as {drive.target}")
    else:
        say(f"drive {drive.drive} will be attached to {vm} as {drive.target} at its next start")


def _row(at_hand: ResolvedVM, drive: AttachedDrive) -> dict[str, Any]:
    return {
        "vm": at_hand.vm.name,
        "uuid": at_hand.vm.uuid,
        "host": at_hand.host.name,
        "realm": at_hand.realm.id,
        "drive": drive.drive,
        "pool": drive.pool,
        "path": drive.path,
        "target": drive.target,
        "format": drive.format,
        "running": drive.running,
        "stored": drive.stored,
    }
