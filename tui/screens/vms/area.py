"""The area of VMs: those of all hosts, as they were seen last."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult

from core.fleet.fleet import VM, Fleet
from core.operations.tasks.task import TaskView
from tui.commands import Command, bindings
from tui.forms.vm_spec import Draft
from tui.render.rows import RowKey
from tui.render.vms.progress import NOTHING, under_way
from tui.render.vms.table import VM_COLUMNS, VMRows
from tui.screens.area import AreaScreen
from tui.screens.vms.actions import VMActions
from tui.screens.vms.detail import VMScreen
from tui.screens.vms.keys import NEW_VM, VM_KEYS
from tui.widgets.grid import Grid


class VMsScreen(VMActions, AreaScreen):
    """The VMs of all hosts; what is done to them applies to the marked ones."""

    KEYS: ClassVar[tuple[Command, ...]] = (
        NEW_VM,
        *VM_KEYS,
        Command("h", "open_host", "Host", "Show the host of the VM.", footer=True),
        Command("i", "open_vm", "Details", "Show VM details (also Enter).", footer=True),
    )
    BINDINGS: ClassVar = bindings(KEYS)

    def compose_body(self) -> ComposeResult:
        """Lay out the table."""
        yield self.grid(VM_COLUMNS, "vms", heading="VMs", empty="No VMs on the hosts that answer.")

    def __init__(self) -> None:
        super().__init__()
        self._doing = NOTHING
        self._awaited: tuple[str, frozenset[str], RowKey | None] | None = None
        """A VM that is being created: its name, the UUIDs of others of that name, and the row under the cursor then."""
        self._draft: Draft | None = None
        """What was typed into the form of a new VM: kept until that is made."""

    def on_mount(self) -> None:
        """Keep what was made of hosts that did not answer since."""
        self._rows = VMRows(self.realms.cpu_history)

    def show_fleet(self, fleet: Fleet) -> None:
        """Show all VMs."""
        self._doing = under_way(self.realms.session.tasks.running(), fleet.vms())
        self._show(fleet)

    def _show(self, fleet: Fleet) -> None:
        self.query_one(Grid).set_rows(self._rows.rows(fleet, self.realms.session.configuration, self._doing))
        self._go_to_awaited(fleet)

    def show_tasks(self, views: Sequence[TaskView]) -> None:
        """Show in the rows what is being done to their VMs."""
        fleet = self.realms.fleet
        if fleet is None:
            return
        doing = under_way(views, fleet.vms())
        if doing != self._doing:
            self._doing = doing
            self._show(fleet)

    @on(Grid.Chosen)
    def action_open_vm(self) -> None:
        """Show the VM under the cursor."""
        key = self.query_one(Grid).cursor_key
        if isinstance(key, tuple):
            self.app.push_screen(VMScreen(key))

    def action_open_host(self) -> None:
        """Show the host of the VM under the cursor."""
        key = self.query_one(Grid).cursor_key
        if isinstance(key, tuple):
            self.realms.navigation.open_host(str(key[0]))

    def action_create(self) -> None:
        """Fill in a new VM, from where that was left."""
        if not self.may_change():
            return
        from tui.forms.vm_spec import Draft
        from tui.screens.vms.create import CreateVM

        if self._draft is None:
            self._draft = Draft.begin(self.realms.session.configuration, self.realms.request)
        self.app.push_screen(CreateVM(self._draft, self._await))

    def _await(self, name: str) -> None:
        """Put the cursor on a new VM once it is there, unless it has been moved meanwhile."""
        fleet = self.realms.fleet
        known = frozenset(vm.uuid for vm in fleet.vms() if vm.name == name) if fleet is not None else frozenset()
        self._awaited = (name, known, self.query_one(Grid).cursor_key)

    def _go_to_awaited(self, fleet: Fleet) -> None:
        if self._awaited is None:
            return
        name, known, at = self._awaited
        grid = self.query_one(Grid)
        if grid.cursor_key != at or not self.is_current:
            self._awaited = None
        elif new := next((vm for vm in fleet.vms() if vm.name == name and vm.uuid not in known), None):
            self._awaited = None
            if grid.model.position(new.key) is not None:
                grid.go_to(new.key)

    def go_to_row(self, key: RowKey) -> None:
        """Put the cursor on a VM."""
        self.query_one(Grid).go_to(key)

    def chosen_vms(self) -> tuple[VM, ...]:
        """Return the marked VMs, or the one under the cursor."""
        return self.vms_keyed(self.query_one(Grid).chosen())

    def after_action(self) -> None:
        """Take the marks off: what they were for is done."""
        self.query_one(Grid).clear_marks()
