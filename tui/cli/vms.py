"""`realms vms`: the virtual machines; each command is a module of its own."""

from __future__ import annotations

import click

from tui.cli.options import LazyGroup

COMMANDS = {
    "list": ("tui.cli.vms_list:list_vms", "List the VMs of all hosts that answer."),
    "create": ("tui.cli.vms_create:create", "Create a VM from a brick, on the host of lowest cost."),
    "start": ("tui.cli.vms_lifecycle:start", "Start VMs that are off, and wait until they have registered."),
    "shutdown": ("tui.cli.vms_lifecycle:shutdown", "Ask VMs to shut themselves down."),
    "reboot": ("tui.cli.vms_lifecycle:reboot", "Ask VMs to reboot."),
    "reset": ("tui.cli.vms_lifecycle:reset", "Reset VMs as by the button."),
    "pause": ("tui.cli.vms_lifecycle:pause", "Stop the CPUs of VMs."),
    "resume": ("tui.cli.vms_lifecycle:resume", "Let paused VMs go on."),
    "off": ("tui.cli.vms_lifecycle:off", "Cut the power of VMs."),
    "delete": ("tui.cli.vms_delete:delete", "Delete VMs; their volumes stay unless asked for."),
    "recover": ("tui.cli.vms_recover:recover", "Show and clean up what killed programs left behind."),
    "migrate": ("tui.cli.vms_migrate:migrate", "Move a VM to a chosen or to the best host."),
    "attach-drive": ("tui.cli.vms_drives:attach_drive", "Attach a drive to a VM, running or off."),
    "detach-drive": ("tui.cli.vms_drives:detach_drive", "Detach a drive from a VM, running or off."),
    "snapshot": ("tui.cli.vms_snapshots:snapshot", "Copy a VM's disks into the snapshots pool, running or off."),
    "snapshots": ("tui.cli.vms_snapshots:snapshots", "List the snapshots of a VM, or all."),
    "restore": ("tui.cli.vms_restore:restore", "Put a VM's disks back to a snapshot."),
    "delete-snapshot": ("tui.cli.vms_snapshots:delete_snapshot", "Delete a snapshot of a VM."),
    "console": ("tui.cli.vms_console:console", "Open a VM's serial console."),
}
"""Every command, where it is defined, and its line of help."""


@click.group("vms", cls=LazyGroup, lazy=COMMANDS)
def vms() -> None:
    """Virtual machines. A VM is named by its NAME, by HOST/NAME, or by its UUID."""
