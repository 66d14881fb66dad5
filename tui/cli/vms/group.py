"""`realms vms`: the virtual machines; each command is a module of its own."""

import click

from tui.cli.options import LazyGroup

COMMANDS = {
    "list": ("tui.cli.vms.list:list_vms", "List the VMs of all hosts that answer."),
    "create": ("tui.cli.vms.create:create", "Create a VM from a brick on the cheapest host."),
    "start": ("tui.cli.vms.power:start", "Start VMs and wait for them to register."),
    "shutdown": ("tui.cli.vms.power:shutdown", "Shut VMs down through the guest."),
    "reboot": ("tui.cli.vms.power:reboot", "Reboot VMs through the guest."),
    "reset": ("tui.cli.vms.power:reset", "Hard reset VMs; unsaved data is lost."),
    "pause": ("tui.cli.vms.power:pause", "Pause VMs."),
    "resume": ("tui.cli.vms.power:resume", "Resume paused or suspended VMs."),
    "off": ("tui.cli.vms.power:off", "Force VMs off; unsaved data is lost."),
    "save": ("tui.cli.vms.power:save", "Save the memory of VMs on their hosts and stop them."),
    "discard-save": ("tui.cli.vms.power:discard_save", "Discard the saved memory of VMs; unsaved data is lost."),
    "delete": ("tui.cli.vms.delete:delete", "Delete VMs; volumes are kept by default."),
    "recover": ("tui.cli.vms.recover:recover", "List and clean up interrupted operations."),
    "migrate": ("tui.cli.vms.migrate:migrate", "Migrate a VM to a given host or the best one."),
    "attach-drive": ("tui.cli.vms.drives:attach_drive", "Attach a drive to a VM, running or off."),
    "detach-drive": ("tui.cli.vms.drives:detach_drive", "Detach a drive from a VM, running or off."),
    "snapshot": ("tui.cli.vms.snapshots:snapshot", "Copy a VM's disks into the snapshots pool, running or off."),
    "snapshots": ("tui.cli.vms.snapshots:snapshots", "List the snapshots of a VM, or all."),
    "restore": ("tui.cli.vms.restore:restore", "Restore a VM's disks from a snapshot."),
    "delete-snapshot": ("tui.cli.vms.snapshots:delete_snapshot", "Delete a snapshot of a VM."),
    "console": ("tui.cli.vms.console:console", "Open a VM's serial console."),
}
"""Every command, where it is defined, and its line of help."""


@click.group("vms", cls=LazyGroup, lazy=COMMANDS)
def vms() -> None:
    """Virtual machines. A VM is named by its NAME, by HOST/NAME, or by its UUID."""
