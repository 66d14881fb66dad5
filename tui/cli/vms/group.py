"""`realms vms`: the virtual machines; each command is a module of its own."""

from __future__ import annotations

import click

from tui.cli.options import LazyGroup

COMMANDS = {
    "list": ("tui.cli.vms.list:list_vms", "List the VMs of all hosts that answer."),
    "create": ("tui.cli.vms.create:create", "Create a VM from a brick, on the host of lowest cost."),
    "start": ("tui.cli.vms.power:start", "Start VMs that are off, and wait until they have registered."),
    "shutdown": ("tui.cli.vms.power:shutdown", "Ask VMs to shut themselves down."),
    "reboot": ("tui.cli.vms.power:reboot", "Ask VMs to reboot."),
    "reset": ("tui.cli.vms.power:reset", "Reset VMs as by the button."),
    "pause": ("tui.cli.vms.power:pause", "Stop the CPUs of VMs."),
    "resume": ("tui.cli.vms.power:resume", "Let paused VMs go on."),
    "off": ("tui.cli.vms.power:off", "Cut the power of VMs."),
    "delete": ("tui.cli.vms.delete:delete", "Delete VMs; their volumes stay unless asked for."),
    "recover": ("tui.cli.vms.recover:recover", "Show and clean up what killed programs left behind."),
    "migrate": ("tui.cli.vms.migrate:migrate", "Move a VM to a chosen or to the best host."),
    "attach-drive": ("tui.cli.vms.drives:attach_drive", "Attach a drive to a VM, running or off."),
    "detach-drive": ("tui.cli.vms.drives:detach_drive", "Detach a drive from a VM, running or off."),
    "snapshot": ("tui.cli.vms.snapshots:snapshot", "Copy a VM's disks into the snapshots pool, running or off."),
    "snapshots": ("tui.cli.vms.snapshots:snapshots", "List the snapshots of a VM, or all."),
    "restore": ("tui.cli.vms.restore:restore", "Put a VM's disks back to a snapshot."),
    "delete-snapshot": ("tui.cli.vms.snapshots:delete_snapshot", "Delete a snapshot of a VM."),
    "console": ("tui.cli.vms.console:console", "Open a VM's serial console."),
}
"""Every command, where it is defined, and its line of help."""


@click.group("vms", cls=LazyGroup, lazy=COMMANDS)
def vms() -> None:
    """Virtual machines. A VM is named by its NAME, by HOST/NAME, or by its UUID."""
