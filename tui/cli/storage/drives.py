"""`realms drives`: the users' drives."""

import functools
from typing import Any

import click

from tui.cli.options import SIZE, GlobalOptions, LazyGroup, RealmsCommand
from tui.cli.storage.image_commands import delete_command, list_command, make_image, making


@click.group("drives", cls=LazyGroup)
def drives() -> None:
    """List, create and delete users' drives."""


_LIST = """
List the drives of all realms, with the VMs that have them, running or off. Asks every host; changes nothing.

"""
drives.add_command(list_command("drives", "List drives and the VMs that use them.", _LIST))


@drives.command("create", cls=RealmsCommand, short_help="Create an empty drive.")
@click.argument("name")
@click.option("--size", type=SIZE, required=True, help="Size, such as '20 GiB', within the realm's limits.")
@making("Create it")
def create(options: GlobalOptions, name: str, *, size: int, **how: Any) -> int:
    """Create an empty qcow2 drive in the drives pool, thin if the realm allocates lazily.

    Its size is bounded by drives.min-size and drives.max-size of the realm.
    """
    from core.operations.storage.images import create_drive

    return make_image(options, "create a drive", name, functools.partial(create_drive, name=name, size=size), **how)


_DELETE = """
Permanently delete a drive and its data. A drive attached to a VM, running or off, can't be deleted.
"""
drives.add_command(delete_command("drives", "Delete an unattached drive.", _DELETE, never="a VM uses it"))
