"""The area of hosts: all of them in a table, the chosen one's figures below."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tui.commands import Command, bindings
from tui.render.hosts import HOST_COLUMNS, host_rows
from tui.screens.area import AreaScreen
from tui.widgets.grid import Grid

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from core.fleet import Fleet


class HostsScreen(AreaScreen):
    """Hosts with their state, use and cost."""

    KEYS: ClassVar[tuple[Command, ...]] = ()
    BINDINGS: ClassVar = bindings(KEYS)

    def compose_body(self) -> ComposeResult:
        yield Grid(HOST_COLUMNS, heading="Hosts", empty="No hosts yet. Press a to add the first.", id="hosts")

    def show_fleet(self, fleet: Fleet) -> None:
        self.query_one(Grid).set_rows(host_rows(fleet, self.realms.workplace.configuration))
