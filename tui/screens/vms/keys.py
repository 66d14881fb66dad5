"""The keys for what can be done to VMs."""

from __future__ import annotations

from tui.commands import Command

VM_KEYS = (
    Command("u", "act('start')", "Start", "Start VMs that are off.", footer=True, changes=True),
    Command("d", "act('shutdown')", "Shut down", "Ask VMs to shut themselves down.", footer=True, changes=True),
    Command("m", "migrate", "Migrate", "Move VMs to the best or to a chosen host.", footer=True, changes=True),
    Command("c", "console", "Console", "Open the serial console here; Ctrl-] ends it.", footer=True, changes=True),
    Command("t", "snapshot", "Snapshot", "Take a snapshot of VMs.", changes=True),
    Command("b", "snapshots", "Restore", "List the snapshots of a VM: go back to one, or delete it.", changes=True),
    Command("v", "drives", "Drives", "List the drives of a VM: attach and detach them.", footer=True, changes=True),
    Command("r", "act('reboot')", "Reboot", "Ask VMs to reboot.", changes=True),
    Command("R", "act('reset')", "Reset", "Reset VMs as by the button.", changes=True),
    Command("p", "act('pause')", "Pause", "Stop the CPUs of VMs.", changes=True),
    Command("P", "act('resume')", "Resume", "Let paused VMs go on, wake those that sleep.", changes=True),
    Command("x", "act('off')", "Force off", "Cut the power of VMs.", changes=True),
    Command("delete", "delete", "Delete", "Delete VMs that are off, with or without volumes.", changes=True),
)
NEW_VM = Command("n", "create", "New", "Create a VM; the hosts are judged while you write.", footer=True, changes=True)
