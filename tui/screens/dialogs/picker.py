"""A list to choose one from."""

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
    """Gives the key of a row, None where none was wanted. The list filters, sorts and scrolls like any other."""

    BINDINGS: ClassVar = [Binding("escape", "leave", "Cancel")]
    CSS_PATH: ClassVar = ["dialogs.tcss", "forms.tcss"]
    LISTING: ClassVar = "dialog listing"

    def __init__(
        self, title: str, grid: str, columns: Sequence[Column], rows: Sequence[Row], *, empty: str, chosen: str = ""
    ) -> None:
        super().__init__()
        self._heading = title
        self._rows = rows
        self._chosen = chosen
        self._grid = Grid(columns, heading="", empty=empty, sort=Sort(columns[0].key), id=grid)

    def compose(self) -> ComposeResult:
        """Lay out the list."""
        with Vertical(classes=self.LISTING) as dialog:
            dialog.border_title = Content(printable(self._heading))
            dialog.border_subtitle = Content("Enter select, / filter, Esc cancel")
            yield self._grid

    def on_mount(self) -> None:
        """Fill the list, the present choice under the cursor."""
        self._grid.set_rows(self._rows)
        if self._chosen:
            self._grid.go_to(self._chosen)
        self._grid.focus()

    @on(Grid.Chosen)
    def take(self, event: Grid.Chosen) -> None:
        """Give what is under the cursor."""
        event.stop()
        self.dismiss(str(event.key))

    def action_leave(self) -> None:
        """Lift the filter, or else cancel."""
        if not self._grid.clear():
            self.dismiss(None)


class VolumePicker(Picker):
    """Lists volumes by name, with those who use them where that is known."""

    def __init__(
        self,
        title: str,
        volumes: Sequence[Volume],
        names: Collection[str],
        users: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        shown = len(_COLUMNS) if users else len(_COLUMNS) - 1
        rows = [_row(volume, users or {}, shown) for volume in volumes if volume.name in names]
        super().__init__(title, "volumes", _COLUMNS[:shown], rows, empty="None.")


def _row(volume: Volume, users: Mapping[str, Sequence[str]], shown: int) -> Row:
    having = ", ".join(users.get(volume.name, ()))
    cells = (volume.name, volume.format, show_size(volume.capacity), show_size(volume.allocation), having)
    order = (natural(volume.name), volume.format, volume.capacity, volume.allocation, having)
    return Row(volume.name, cells[:shown], order[:shown])
