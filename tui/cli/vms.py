"""`realms vms`: the virtual machines; each command is a module of its own."""

from __future__ import annotations

import click

from tui.cli.options import LazyGroup

COMMANDS = {
    "list": ("tui.cli.vms_list:list_vms", "List the VMs of all hosts that answer."),
}
"""Every command, where it is defined, and its line of help."""


@click.group("vms", cls=LazyGroup, lazy=COMMANDS)
def vms() -> None:
    """Virtual machines. A VM is named by its NAME, by HOST/NAME, or by its UUID."""
