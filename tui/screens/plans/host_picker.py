"""A list of hosts, to choose one from that is to be drained."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content

from core.fleet.fleet import Fleet
from core.text import natural
from tui.render.rows import Column, Row
from tui.state.settings import Sort
from tui.widgets.grid import Grid
from tui.widgets.modal import Modal

_COLUMNS = (
    Column(key="host", title="HOST", least=8, most=40, stretch=True, letter="N"),
    Column(key="state", title="STATE", least=8, most=16, letter="S"),
    Column(key="vms", title="ACTIVE VMS", right=True, least=4, letter="V", ascending=False),
)


class HostPicker(Modal[str | None]):
    """Gives the name of a host, None where none was wanted."""

    BINDINGS: ClassVar = [Binding("escape", "leave", "Cancel")]
    CSS_PATH: ClassVar = ["../dialogs/dialogs.tcss", "plans.tcss"]

    def __init__(self, fleet: Fleet, chosen: str) -> None:
        super().__init__()
        self._fleet = fleet
        self._chosen = chosen

    def compose(self) -> ComposeResult:
        """Lay out the list."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content("Drain which host?")
            dialog.border_subtitle = Content("Enter select, / filter, Esc cancel")
            yield Grid(_COLUMNS, heading="", empty="No hosts.", sort=Sort("host"), id="drainable")

    def on_mount(self) -> None:
        """List the hosts, the present choice under the cursor."""
        grid = self.query_one(Grid)
        rows = []
        for snapshot in self._fleet.hosts:
            name, state, active = snapshot.name, snapshot.host.state.label, len(list(snapshot.active_vms()))
            known = str(active) if snapshot.is_known else "?"
            order = (natural(name), state, active if snapshot.is_known else None)
            rows.append(Row(name, (name, state, known), order, dim=not snapshot.is_known))
        grid.set_rows(rows)
        grid.go_to(self._chosen)
        grid.focus()

    @on(Grid.Chosen)
    def take(self, event: Grid.Chosen) -> None:
        """Take the host under the cursor."""
        event.stop()
        self.dismiss(str(event.key))

    def action_leave(self) -> None:
        """Lift the filter, or else cancel."""
        if not self.query_one(Grid).clear():
            self.dismiss(None)
