"""One host: what it costs and why, its pools, and all its VMs."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult

from core.fleet.fleet import Fleet, HostSnapshot
from core.operations.tasks.task import TaskView
from tui.commands import Command, bindings
from tui.render.hosts.detail import HostDetail
from tui.render.hosts.table import figures
from tui.render.vms.table import HOST_VM_COLUMNS, VMRows
from tui.screens.area import AreaScreen
from tui.screens.hosts.actions import HOST_KEYS, HostActions
from tui.widgets.grid import Grid
from tui.widgets.panel import Panel

_NOT_HERE = ("add_host",)

LEAST_PANEL = 8
LEAST_VMS = 12
"""Lines that the panel has at least, and those that it leaves to the VMs and to what is above and below."""


class HostScreen(HostActions, AreaScreen):
    """A place within the area of hosts; what is done here applies to its host."""

    KEYS: ClassVar[tuple[Command, ...]] = tuple(command for command in HOST_KEYS if command.action not in _NOT_HERE)
    BINDINGS: ClassVar = bindings(KEYS)
    CSS_PATH = "detail.tcss"

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name_of_host = name
        self._checkups_shown = 0

    @property
    def place(self) -> tuple[str, ...]:
        """Within the hosts, this one."""
        return (self._name_of_host,)

    def compose_body(self) -> ComposeResult:
        """Lay out the panel and the table of VMs."""
        yield Panel(id="host")
        yield self.grid(HOST_VM_COLUMNS, "host-vms", heading="VMs", empty="No VMs on this host.")

    def on_mount(self) -> None:
        """Keep what was made of the VMs."""
        self._rows = VMRows(self.realms.cpu_history)
        self.query_one(Grid).focus()

    def show_fleet(self, fleet: Fleet) -> None:
        """Show the host as it is now; one that was removed stays with what was seen last."""
        snapshot = fleet.host(self._name_of_host)
        grid = self.query_one(Grid)
        if snapshot is None:
            grid.fail("The host is no longer registered. Esc goes back.")
            return
        configuration = self.realms.session.configuration
        checkup = self.realms.checkups.of(snapshot.host)
        self._checkups_shown = self.realms.checkups.generation
        seen = figures(snapshot, fleet.taken, configuration)
        request = self.realms.request
        detail = HostDetail(seen, fleet.taken, configuration, with_vms=False, checkup=checkup, request=request)
        panel = self.query_one(Panel)
        wanted = detail.needed_height(self.size.width - panel.gutter.width) + panel.gutter.height
        panel.styles.height = min(wanted, max(LEAST_PANEL, self.size.height - LEAST_VMS))
        panel.show(detail.title(), detail.lines)
        only = type(fleet)(fleet.taken, (snapshot,))
        if not snapshot.is_known:
            grid.fail(snapshot.error or "The host has not answered yet: VMs unknown.")
            return
        grid.set_rows(self._rows.rows(only, configuration))

    def show_tasks(self, views: Sequence[TaskView]) -> None:
        """Show what the doctor found meanwhile."""
        del views
        fleet = self.realms.fleet
        if fleet is not None and self.realms.checkups.generation != self._checkups_shown:
            self.show_fleet(fleet)

    @on(Grid.Chosen)
    def open_vm(self, event: Grid.Chosen) -> None:
        """Show a VM."""
        if isinstance(event.key, tuple):
            self.realms.navigation.open_vm(event.key)

    def chosen_hosts(self) -> tuple[HostSnapshot, ...]:
        """Return this host."""
        return self.hosts_named((self._name_of_host,))

    def host_under_cursor(self) -> HostSnapshot | None:
        """Return this host."""
        named = self.chosen_hosts()
        return named[0] if named else None
