"""`realms drives`: the users' drives."""

from __future__ import annotations

from typing import Any

import click

from tui.cli.image_options import deleting, realm_option, timeout_option
from tui.cli.options import SIZE, GlobalOptions, LazyGroup, RealmsCommand, json_option, pass_options

COMMANDS = {
    "list": ("tui.cli.drives:list_drives", "List the drives, and which VM has which."),
    "create": ("tui.cli.drives:create", "Create an empty drive."),
    "delete": ("tui.cli.drives:delete", "Delete a drive that no VM has."),
}


@click.group("drives", cls=LazyGroup, lazy=COMMANDS)
def drives() -> None:
    """List, create and delete users' drives."""


@click.command("list", cls=RealmsCommand)
@click.option("--realm", metavar="ID", help="Only this realm.")
@timeout_option
@json_option
@pass_options
def list_drives(options: GlobalOptions, *, realm: str | None, timeout: float, as_json: bool) -> int:
    """List the drives of all realms, with the VMs that have them, running or off: asks every host. Changes nothing.

    With --json: {"drives": [...], "unasked": [...], "hosts_answering", "hosts_total"}, with entries as in
    `realms bricks list --json`; a drive's "used_by" is of kind "disk" (a VM has it) or "overlay".
    Ends with 1 where a host that is not disabled could not be asked.
    """
    from tui.cli.images import list_images

    return list_images(options, "drives", realm, timeout=timeout, as_json=as_json)


@click.command("create", cls=RealmsCommand)
@click.argument("name")
@click.option("--size", type=SIZE, required=True, help="Such as '20 GiB', within the realm's bounds.")
@click.option("--host", metavar="NAME", help="Create it through this host, else through the first that answers.")
@realm_option
@timeout_option
@json_option
@pass_options
def create(
    options: GlobalOptions, name: str, *, size: int, host: str | None, realm: str | None, timeout: float, as_json: bool
) -> int:
    """Create an empty drive in the drives pool: qcow2, which grows as it is used where the realm allocates lazily.

    Its size is bounded by drives.min-size and drives.max-size of the realm. With --json: {"drive": {...}} as for a
    brick that was uploaded.
    """
    from core.operations.images import check_drive_size, check_name, create_drive
    from core.operations.on_hosts import hosts_of, one_realm
    from tui.cli.images import print_made
    from tui.cli.task_output import run_task

    workplace = options.changing_workplace()
    chosen = one_realm(workplace, realm)
    hosts = hosts_of(workplace, chosen, (host,) if host else ())
    check_name(name)
    check_drive_size(size, chosen.drives)
    volume = run_task(
        workplace, "create a drive", name,
        lambda control: create_drive(control, chosen, hosts, name, size=size, deadline=timeout), quiet=as_json,
    )  # fmt: skip
    print_made("drive", volume, chosen.id, as_json=as_json)
    return 0


@click.command("delete", cls=RealmsCommand)
@deleting("a VM is known to have it")
def delete(options: GlobalOptions, name: str, **how: Any) -> int:
    """Delete a drive and all that is on it, for good. One that a VM has, running or off, can't be deleted.

    Every host is asked first, also of realms that may share the storage; where nobody can tell whether it is in use, as
    a host can't be asked or is disabled, --force is needed.
    With --json: {"deleted": NAME, "realm"}.
    """
    from tui.cli.images import delete_one

    return delete_one(options, "drives", name, **how)
