"""The area of VMs: those of all hosts."""

from __future__ import annotations

from tui.screens.area import AreaScreen


class VMsScreen(AreaScreen):
    """The VMs of all hosts."""
