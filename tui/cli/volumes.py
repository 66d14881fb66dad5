"""`realms volumes`: the boot volumes of VMs, and those that no VM has any more."""

from __future__ import annotations

from typing import Any

import click

from tui.cli.image_options import deleting, timeout_option
from tui.cli.options import GlobalOptions, LazyGroup, RealmsCommand, json_option, pass_options

COMMANDS = {
    "list": ("tui.cli.volumes:list_volumes", "List the VMs' volumes, and which VM has which."),
    "delete": ("tui.cli.volumes:delete", "Delete a volume that no VM has."),
}


@click.group("volumes", cls=LazyGroup, lazy=COMMANDS)
def volumes() -> None:
    """List VMs' volumes, and delete those that no VM has any more."""


@click.command("list", cls=RealmsCommand)
@click.option("--orphaned", is_flag=True, help="Only those that nothing is known to use.")
@click.option("--realm", metavar="ID", help="Only this realm.")
@timeout_option
@json_option
@pass_options
def list_volumes(options: GlobalOptions, *, orphaned: bool, realm: str | None, timeout: float, as_json: bool) -> int:
    """List the volumes in the volumes pools of all realms, with the VMs that have them: asks every host.

    Changes nothing. With --json: {"volumes": [...], "unasked": [...], "hosts_answering", "hosts_total"}, with entries
    as in `realms bricks list --json`, each also with "orphaned": true|false, or null where nobody can tell: a host
    could not be asked that might use it, or something uses it "perhaps". "used_by" is of kind "disk" (a VM has it),
    "overlay", "perhaps", or "operation": something is being done with it ("active": true), or was when its program was
    killed. Ends with 1 where a host that is not disabled could not be asked.
    """
    from tui.cli.images import list_images

    return list_images(options, "volumes", realm, timeout=timeout, as_json=as_json, orphaned=orphaned)


@click.command("delete", cls=RealmsCommand)
@deleting("a VM is known to have it")
def delete(options: GlobalOptions, name: str, **how: Any) -> int:
    """Delete a volume and all that is on it, for good. One that a VM has, running or off, can't be deleted.

    Every host is asked first, also of realms that may share the storage; where nobody can tell whether it is in use, as
    a host can't be asked or is disabled, --force is needed.
    With --json: {"deleted": NAME, "realm"}.
    """
    from tui.cli.images import delete_one

    return delete_one(options, "volumes", name, **how)
