"""The area of VMs: those of all hosts, as they were seen last."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on

from tui.commands import Command, bindings
from tui.render.vms import VM_COLUMNS, VMRows
from tui.screens.area import AreaScreen
from tui.screens.vm_work import VMWork
from tui.vm_actions import VM_KEYS
from tui.widgets.grid import Grid

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from core.fleet import VM, Fleet
    from tui.widgets.rows import RowKey


class VMsScreen(VMWork, AreaScreen):
    """The VMs of all hosts; what is done to them applies to the marked ones."""

    KEYS: ClassVar[tuple[Command, ...]] = (
        *VM_KEYS,
        Command("h", "open_host", "Host", "Show the host of the VM.", footer=True),
        Command("i", "open_vm", "Details", "Show the VM in detail (Enter does too).", footer=True),
    )
    BINDINGS: ClassVar = bindings(KEYS)

    def compose_body(self) -> ComposeResult:
        """Lay out the table."""
        yield self.grid(VM_COLUMNS, "vms", heading="VMs", empty="No VMs on any host that answers.")

    def on_mount(self) -> None:
        """Keep what was made of hosts that did not answer since."""
        self._rows = VMRows(self.realms.cpu_history)

    def show_fleet(self, fleet: Fleet) -> None:
        """Show all VMs."""
        self.query_one(Grid).set_rows(self._rows.rows(fleet, self.realms.workplace.configuration))

    @on(Grid.Chosen)
    def action_open_vm(self) -> None:
        """Show the VM under the cursor."""
        from tui.screens.vm import open_vm

        open_vm(self, self.query_one(Grid).cursor_key)

    def action_open_host(self) -> None:
        """Show the host of the VM under the cursor."""
        from tui.screens.host import HostScreen

        key = self.query_one(Grid).cursor_key
        if isinstance(key, tuple):
            self.app.push_screen(HostScreen(str(key[0])))

    def go_to_row(self, key: RowKey) -> None:
        """Put the cursor on a VM."""
        self.query_one(Grid).go_to(key)

    def chosen_vms(self) -> tuple[VM, ...]:
        """Give the marked VMs, or the one under the cursor."""
        return self.vms_keyed(self.query_one(Grid).chosen())

    def after_action(self) -> None:
        """Take the marks off: what they were for is done."""
        self.query_one(Grid).clear_marks()
