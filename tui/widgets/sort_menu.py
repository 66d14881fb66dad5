"""Asks which column to sort a table by."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui.render.rows import Column
from tui.state.settings import Sort
from tui.widgets.modal import Modal


class SortMenu(Modal[str | None]):
    """A list of columns; gives the key of the one chosen. The column sorted by now turns its direction."""

    BINDINGS: ClassVar = [
        Binding("escape,q", "dismiss(None)", "Cancel"),
        Binding("j", "down", show=False),
        Binding("k", "up", show=False),
    ]
    DEFAULT_CSS = """
    SortMenu {
        align: center middle;
        OptionList {
            width: 34; height: auto; max-height: 80%; border: round $line-focus; background: $surface; padding: 0 1;
            &:focus { border: round $line-focus; background-tint: transparent 0%; }
            & > .option-list--option-highlighted { background: $cursor; color: $foreground; text-style: bold; }
            &:ansi > .option-list--option-highlighted { background: ansi_default; text-style: reverse; }
        }
    }
    """

    def __init__(self, columns: Sequence[Column], sort: Sort | None) -> None:
        super().__init__()
        self._columns = columns
        self._sort = sort

    def compose(self) -> ComposeResult:
        """List the columns, the sorted one with its arrow."""
        menu = OptionList(*(Option(self._prompt(column), id=column.key) for column in self._columns))
        menu.border_title = "Sort by"
        yield menu

    def _prompt(self, column: Column) -> Content:
        arrow = ""
        if self._sort is not None and self._sort.column == column.key:
            arrow = (
                "\N{BLACK DOWN-POINTING SMALL TRIANGLE}"
                if self._sort.descending
                else "\N{BLACK UP-POINTING SMALL TRIANGLE}"
            )
        letter = f"Shift+{column.letter}" if column.letter else ""
        return Content.assemble(f"{column.title or column.key:<14}{arrow:<3}", (letter, "$muted"))

    def on_mount(self) -> None:
        """Begin at the column that is sorted by now."""
        keys = [column.key for column in self._columns]
        if self._sort is not None and self._sort.column in keys:
            self.query_one(OptionList).highlighted = keys.index(self._sort.column)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Give the column."""
        self.dismiss(event.option.id)

    def action_down(self) -> None:
        """Go to the next column."""
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        """Go to the previous column."""
        self.query_one(OptionList).action_cursor_up()
