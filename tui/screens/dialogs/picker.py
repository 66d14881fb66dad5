"""A list of volumes to choose one from."""

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content

from core.driver.storage.volumes import Volume
from core.text import natural, printable
from core.units import show_size
from tui.render.rows import Column, Row
from tui.state.settings import Sort
from tui.widgets.grid import Grid
from tui.widgets.modal import Modal

_COLUMNS = (
    Column(key="name", title="NAME", least=12, most=60, stretch=True, letter="N"),
    Column(key="format", title="FORMAT", least=6, most=8, priority=1),
    Column(key="size", title="SIZE", right=True, least=8, letter="S", ascending=False),
    Column(key="used", title="ON DISK", right=True, least=8, priority=2),
    Column(key="users", title="USED BY", least=8, most=40, priority=3),
)


class Picker(Modal[str | None]):
    """Gives the name of a volume, None where none was wanted. The list filters, sorts and scrolls like any other."""

    BINDINGS: ClassVar = [Binding("escape", "leave", "Cancel")]
    CSS_PATH: ClassVar = ["dialogs.tcss", "forms.tcss"]

    def __init__(
        self,
        title: str,
        volumes: Sequence[Volume],
        names: Collection[str],
        users: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        super().__init__()
        self._heading = title
        self._users = users or {}
        self._volumes = [volume for volume in volumes if volume.name in names]

    def compose(self) -> ComposeResult:
        """Lay out the list."""
        with Vertical(classes="dialog listing") as dialog:
            dialog.border_title = Content(printable(self._heading))
            dialog.border_subtitle = Content("Enter select, / filter, Esc cancel")
            columns = _COLUMNS if self._users else _COLUMNS[:-1]
            yield Grid(columns, heading="", empty="None.", sort=Sort("name"), id="volumes")

    def on_mount(self) -> None:
        """Fill the list."""
        grid = self.query_one(Grid)
        grid.set_rows([self._row(volume) for volume in self._volumes])
        grid.focus()

    def _row(self, volume: Volume) -> Row:
        users = ", ".join(self._users.get(volume.name, ()))
        cells = (volume.name, volume.format, show_size(volume.capacity), show_size(volume.allocation), users)
        order = (natural(volume.name), volume.format, volume.capacity, volume.allocation, users)
        shown = len(cells) if self._users else len(cells) - 1
        return Row(volume.name, cells[:shown], order[:shown])

    @on(Grid.Chosen)
    def take(self, event: Grid.Chosen) -> None:
        """Give the name."""
        self.dismiss(str(event.key))

    def action_leave(self) -> None:
        """Lift the filter, then close."""
        if not self.query_one(Grid).clear():
            self.dismiss(None)
