"""One of several things, chosen from a list."""

from collections.abc import Hashable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content

from core.text import printable
from tui.render.rows import Column, Row
from tui.widgets.grid import Grid
from tui.widgets.modal import Modal

_AROUND = 4
"""Lines of the frame, of the heads, and a blank one."""
_MOST_LINES = 24


class Choice(Modal["Hashable | None"]):
    """Gives the key of a row, None where none was wanted. The list filters, sorts and scrolls like any other."""

    BINDINGS: ClassVar = [
        Binding("escape", "leave", "Cancel"),
        Binding("delete,backspace", "take_under_cursor", show=False),
    ]
    CSS_PATH: ClassVar = ["dialogs.tcss", "../costs/what_if/what_if.tcss"]

    def __init__(
        self,
        title: str,
        does: str,
        columns: Sequence[Column],
        rows: Sequence[Row],
        *,
        empty: str = "",
        at: Hashable | None = None,
        delete: bool = False,
    ) -> None:
        super().__init__()
        self._heading = title
        self._does = does
        self._columns = columns
        self._rows = rows
        self._empty = empty
        self._at = at
        self._delete = delete
        """Whether Delete does what Enter does: the list is of things to be taken away."""

    def compose(self) -> ComposeResult:
        """Lay out the list."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(printable(self._heading))
            dialog.border_subtitle = Content(f"Enter {self._does}, Esc cancels")
            yield Grid(self._columns, heading="", empty=self._empty, id="choices")

    def on_mount(self) -> None:
        """Fill the list."""
        grid = self.query_one(Grid)
        grid.set_rows(self._rows)
        if self._at is not None:
            grid.go_to(self._at)
        self.query_one(".dialog").styles.height = min(max(1, len(self._rows)) + _AROUND, _MOST_LINES)
        grid.focus()

    @on(Grid.Chosen)
    def take(self, event: Grid.Chosen) -> None:
        """Give the row's key."""
        event.stop()
        self.dismiss(event.key)

    def action_take_under_cursor(self) -> None:
        """Give the key of the row under the cursor, where the list is of things to be taken away."""
        key = self.query_one(Grid).cursor_key
        if self._delete and key is not None:
            self.dismiss(key)

    def action_leave(self) -> None:
        """Lift the filter, or else cancel."""
        if not self.query_one(Grid).clear():
            self.dismiss(None)
