"""`realms volumes`: the boot volumes of VMs, and those that no VM has any more."""

from __future__ import annotations

import click

from tui.cli.options import LazyGroup
from tui.cli.storage.image_commands import delete_command, list_command


@click.group("volumes", cls=LazyGroup)
def volumes() -> None:
    """List VM volumes and delete orphaned ones."""


_LIST = """
List the volumes in the volumes pools of all realms, with the VMs that have them: asks every host.

Changes nothing. With --json: {"volumes": [...], "unasked": [...], "hosts_answering", "hosts_total"}, with entries
as in `realms bricks list --json`, each also with "orphaned": true|false, or null if unknown: a host that
might use it could not be asked, or something uses it "perhaps". "used_by" is of kind "disk" (a VM has it),
"overlay", "perhaps", or "operation": something is being done with it ("active": true), or was when its program was
killed."""
_DELETE = """
Permanently delete a volume and its data. A volume used by a VM, running or off, can't be deleted.
"""
volumes.add_command(list_command("volumes", "List VM volumes and the VMs that use them.", _LIST))
volumes.add_command(delete_command("volumes", "Delete an orphaned volume.", _DELETE, never="a VM uses it"))
