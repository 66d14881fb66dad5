"""`realms volumes`: the boot volumes of VMs, and those that no VM has any more."""

import click

from tui.cli.options import LazyGroup
from tui.cli.storage.image_commands import delete_command, list_command


@click.group("volumes", cls=LazyGroup)
def volumes() -> None:
    """List VM volumes and delete orphaned ones."""


_LIST = """
List the volumes in the volumes pools of all realms, with the VMs that have them.

Asks every host; changes nothing. It is unknown whether a volume is orphaned if a host that might use it can't be
asked, or if it is possibly in use ("perhaps"). An operation in progress or an interrupted one is a user too."""
_DELETE = """
Permanently delete a volume and its data. A volume used by a VM, running or off, can't be deleted.
"""
volumes.add_command(list_command("volumes", "List VM volumes and the VMs that use them.", _LIST))
volumes.add_command(delete_command("volumes", "Delete an orphaned volume.", _DELETE, never="a VM uses it"))
