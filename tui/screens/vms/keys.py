"""The keys for what can be done to VMs."""

from tui.commands import Command

VM_KEYS = (
    Command("u", "act('start')", "Start", "Start VMs.", footer=True, changes=True),
    Command("d", "act('shutdown')", "Shut down", "Shut down VMs (ask the guest).", footer=True, changes=True),
    Command("m", "migrate", "Migrate", "Migrate VMs to the best or a chosen host.", footer=True, changes=True),
    Command("c", "console", "Console", "Open the serial console; Ctrl-] exits.", footer=True, changes=True),
    Command("t", "snapshot", "Snapshot", "Take snapshots of VMs.", changes=True),
    Command("b", "snapshots", "Restore", "List a VM's snapshots: restore or delete.", changes=True),
    Command("v", "drives", "Drives", "List a VM's drives: attach or detach.", footer=True, changes=True),
    Command("r", "act('reboot')", "Reboot", "Reboot VMs (ask the guest).", changes=True),
    Command("R", "act('reset')", "Reset", "Hard-reset VMs.", changes=True),
    Command("p", "act('pause')", "Pause", "Pause VMs: vCPUs stop.", changes=True),
    Command("P", "act('resume')", "Resume", "Resume paused or suspended VMs.", changes=True),
    Command("x", "act('off')", "Force off", "Power off VMs immediately.", changes=True),
    Command("z", "act('save')", "Save", "Save the memory of VMs and stop them.", changes=True),
    Command("Z", "act('discard-save')", "Discard save", "Discard the saved memory of VMs.", changes=True),
    Command("delete", "delete", "Delete", "Delete VMs that are shut off, with or without volumes.", changes=True),
)
NEW_VM = Command("n", "create", "New", "Create a VM; hosts are ranked as you type.", footer=True, changes=True)
