"""One VM: everything that is known of it."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult

from core.fleet.fleet import VM, Fleet, VMKey
from core.operations.tasks.task import TaskView
from tui.commands import Command, bindings
from tui.render.vms.detail import VMDetail
from tui.render.vms.progress import under_way
from tui.screens.area import AreaScreen
from tui.screens.vms.actions import VMActions
from tui.screens.vms.keys import VM_KEYS
from tui.widgets.panel import Panel


class VMScreen(VMActions, AreaScreen):
    """A place within an area: one VM; what is done here is done to it."""

    KEYS: ClassVar[tuple[Command, ...]] = VM_KEYS
    BINDINGS: ClassVar = bindings(KEYS)
    CSS_PATH = "detail.tcss"

    def __init__(self, key: VMKey) -> None:
        super().__init__()
        self._key = key
        self._name_of_vm = ""

    @property
    def place(self) -> tuple[str, ...]:
        """Host and VM."""
        return (self._key[0], self._name_of_vm or self._key[1])

    def compose_body(self) -> ComposeResult:
        """Lay out the panel."""
        yield Panel(id="vm")

    def show_fleet(self, fleet: Fleet) -> None:
        """Show the VM as it was seen last; one that is gone says so."""
        host, uuid = self._key
        snapshot = fleet.host(host)
        vm = next((vm for vm in snapshot.vms if vm.uuid == uuid), None) if snapshot is not None else None
        realms = self.realms
        if vm is not None and vm.name != self._name_of_vm:
            self._name_of_vm = vm.name
            self.show_lines()
        curve = realms.cpu_history.curve(self._key)
        doing = under_way(realms.session.tasks.running(), () if vm is None else (vm,)).of_host(host).get(uuid, "")
        detail = VMDetail(snapshot, vm, fleet.taken, realms.session.configuration, curve, self._key, doing)
        self.query_one(Panel).show(detail.title(), detail.lines)

    def show_tasks(self, views: Sequence[TaskView]) -> None:
        """Show what is being done to the VM."""
        del views
        if self.realms.fleet is not None:
            self.show_fleet(self.realms.fleet)

    def chosen_vms(self) -> tuple[VM, ...]:
        """Return this VM."""
        return self.vms_keyed((self._key,))
