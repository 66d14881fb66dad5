"""The table of all lists: drawn line by line over a plain model, so that ten thousand rows move like ten."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from core.text import printable
from tui.commands import Command, bindings
from tui.render.cells import Tone, cut, plain
from tui.render.rows import Column, Row, RowKey, share_width
from tui.state.settings import Sort
from tui.widgets.filter_line import FilterLine
from tui.widgets.grid_keys import GRID_KEYS
from tui.widgets.grid_lines import GUTTER, LinePainter, LineStyles
from tui.widgets.grid_look import GRID_COMPONENTS, GRID_CSS, GRID_PARTS
from tui.widgets.grid_model import GridChange, GridModel
from tui.widgets.grid_title import title

HEADER = 1
"""Lines above the first row."""


class Grid(ScrollView, can_focus=True):
    """A table of rows with a cursor that follows its row, sorting, a live filter in the border, and marks.

    Feed it with `set_rows` (as often as you like: only lines that changed are drawn), `fail` or nothing. It posts
    Chosen (Enter), Moved (the cursor is on another row) and Arranged (sort or width were changed by the user).
    """

    KEYS: ClassVar[tuple[Command, ...]] = GRID_KEYS
    BINDINGS: ClassVar = bindings(KEYS)

    COMPONENT_CLASSES: ClassVar[set[str]] = set(GRID_COMPONENTS)

    DEFAULT_CSS = GRID_CSS

    class GridMessage(Message):
        """Something that happened in a table."""

        def __init__(self, grid: Grid, key: RowKey | None) -> None:
            super().__init__()
            self.grid = grid
            self.key = key

        @property
        def control(self) -> Grid:
            """The table."""
            return self.grid

    class Chosen(GridMessage):
        """Enter or a double click on a row."""

    class Moved(GridMessage):
        """The cursor is on another row now (`key`; None where no row is shown)."""

    class Arranged(GridMessage):
        """The user changed the sort or the width: worth remembering."""

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        heading: str,
        empty: str = "Nothing here.",
        sort: Sort | None = None,
        wide: bool = False,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.model = GridModel(columns)
        self.model.sort_by(sort)
        self.heading = heading
        self.empty = empty
        self.wide = wide
        self.trouble = ""
        """Why there is nothing to show, where that is a failure."""
        self._waiting = True
        self._draft: FilterLine | None = None
        self._painter: LinePainter | None = None
        self._title: tuple[object, ...] = ()
        self._told: RowKey | None = None
        self._note = ""

    # What is shown -------------------------------------------------------------------------------------------------

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Show this state of all rows: only lines that differ are drawn again."""
        first = self._waiting or bool(self.trouble)
        self._waiting, self.trouble = False, ""
        change = self.model.set_rows(rows)
        self._apply(GridChange(everything=True) if first else change)
        self._write_title()

    def fail(self, why: str) -> None:
        """Say why there are no rows; what was shown stays known and comes back with the next rows."""
        self.trouble = why
        self._apply(GridChange(everything=True))

    def set_heading(self, heading: str) -> None:
        """Change the words in the border."""
        self.heading = heading
        self._write_title()

    def set_note(self, note: str) -> None:
        """Write a remark into the lower border."""
        if note != self._note:
            self._note = note
            self.border_subtitle = Content(printable(note))

    def shows(self, key: str) -> bool:
        """Whether a column is among those that there is room for."""
        return self.is_attached and any(self.model.columns[index].key == key for index, _ in self._share())

    @property
    def cursor_key(self) -> RowKey | None:
        """Key of the row under the cursor."""
        return self.model.cursor_key

    def chosen(self) -> tuple[RowKey, ...]:
        """Name what an action is for: the marked rows, else the one under the cursor."""
        return self.model.chosen()

    def go_to(self, key: RowKey) -> bool:
        """Put the cursor on a row, lifting a filter that hides it; False where there is no such row."""
        if self.model.row(key) is None:
            return False
        if self.model.position(key) is None:
            self.model.filter_by("")
        found = self.model.move_to_key(key)
        self._apply(GridChange(everything=True))
        return found

    def sort_by(self, sort: Sort) -> None:
        """Sort as the user asked, and tell it."""
        self._apply(self.model.sort_by(sort))
        self.post_message(self.Arranged(self, self.cursor_key))

    def filter_by(self, text: str) -> None:
        """Filter the rows; see `parse_filter` for the language."""
        self._apply(self.model.filter_by(text))

    def clear_marks(self) -> None:
        """Unmark every row."""
        self._apply(self.model.clear_marks())

    def _apply(self, change: GridChange) -> None:
        if not self.is_attached or not change:
            return
        if change.everything:
            self._lay_out()
            self.refresh()
        else:
            if self._needs_layout():
                self._lay_out()
                self.refresh()
            self._refresh_rows(change.lines)
        self._write_title()
        if (key := self.cursor_key) != self._told:
            self._told = key
            self.post_message(self.Moved(self, key))

    def _refresh_rows(self, lines: Sequence[int]) -> None:
        top, height, width = self.scroll_offset.y, self._page, self._room
        regions = [Region(0, line - top + HEADER, width, 1) for line in lines if 0 <= line - top < height]
        if regions:
            self.refresh(*regions)

    @property
    def _room(self) -> int:
        return self.size.width - self.scrollbar_size_vertical

    @property
    def _page(self) -> int:
        return self.size.height - HEADER - self.scrollbar_size_horizontal

    # Layout --------------------------------------------------------------------------------------------------------

    def _needs_layout(self) -> bool:
        return self._painter is None or self._painter.layout != self._share()

    def _share(self) -> tuple[tuple[int, int], ...]:
        return share_width(self.model.columns, self.model.wanted, self._room - GUTTER - 1, wide=self.wide)

    def _lay_out(self) -> None:
        layout = self._share()
        self.model.see(index for index, _ in layout)
        if self._painter is None or self._painter.layout != layout:
            self._painter = LinePainter(self._line_styles(), self.model.columns, layout)
        width = max(self._painter.width, self._room) if self.wide else self._room
        self.styles.overflow_x = "auto" if self.wide else "hidden"
        self.virtual_size = Size(width, len(self.model.shown) + HEADER)
        self._keep_cursor_in_view()

    def _line_styles(self) -> LineStyles:
        base = self.rich_style

        part = {name: self.get_component_rich_style(f"grid--{name}", partial=True) for name in GRID_PARTS}
        cursor = part["cursor"] if self.has_focus else part["cursor-blurred"]
        return LineStyles(
            line=base,
            cursor=base + cursor,
            cursor_bar=part["bar"],
            mark=part["mark"],
            header=base + part["header"],
            sorted_header=base + part["sorted"],
            tones={tone: self.get_component_rich_style(f"tone--{tone}", partial=True) for tone in Tone if tone},
        )

    def _repaint(self) -> None:
        self._painter = None
        if self.is_attached:
            self._lay_out()
            self.refresh()

    def notify_style_update(self) -> None:
        """Take over the colours of another theme."""
        super().notify_style_update()
        if self._painter is not None:
            self._repaint()

    def watch_show_vertical_scrollbar(self) -> None:
        """Give the columns the room that the scroll bar took or left."""
        self._repaint()

    def on_resize(self) -> None:
        """Share the new width."""
        self.model.measure_anew()
        self._repaint()
        self._write_title()

    def on_focus(self) -> None:
        """Show the cursor as the one that keys move."""
        self._repaint()

    def on_blur(self) -> None:
        """Show the cursor faintly; an unfinished filter is kept as it is."""
        self._draft = None
        self._repaint()
        self._write_title()

    def _keep_cursor_in_view(self) -> None:
        page = max(1, self._page)
        top, cursor = self.scroll_offset.y, self.model.cursor
        if cursor < top:
            self.scroll_to(y=cursor, animate=False, force=True)
        elif cursor >= top + page:
            self.scroll_to(y=cursor - page + 1, animate=False, force=True)

    # Drawing -------------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """Draw one line of the visible part."""
        width = self._room
        if self._painter is None:
            self._lay_out()
        painter = self._painter
        if painter is None:  # not laid out yet
            return Strip.blank(width, self.rich_style)
        left, top = self.scroll_offset
        room = max(width, painter.width) if self.wide else width
        if y < HEADER:
            return painter.header(self.model.sort, room).crop(left, left + width)
        shown = self.model.shown
        line = top + y - HEADER
        if line >= len(shown) or self.trouble:
            return self._sentence(y - HEADER)
        row = shown[line]
        marked = row.key in self.model.marks
        return painter.row(row, cursor=line == self.model.cursor, marked=marked, room=room).crop(left, left + width)

    def _sentence(self, line: int) -> Strip:
        width = self._room
        style = self.rich_style
        if line != 1 or (self.model.shown and not self.trouble):
            return Strip.blank(width, style)
        tone = self.get_component_rich_style("tone--bad" if self.trouble else "grid--empty", partial=True)
        if self.trouble:
            text = self.trouble
        elif self._waiting:
            text = "Waiting for the first answer."
        elif len(self.model):
            text = f"0 of {len(self.model)} match the filter. Esc clears it."
        else:
            text = self.empty
        shown = cut(text, max(0, width - GUTTER))
        return Strip([Segment(" " * GUTTER, style), Segment(shown, style + tone)]).adjust_cell_length(width, style)

    def _write_title(self) -> None:
        model = self.model
        draft = None if self._draft is None else self._draft.text
        counts = (len(model.shown), len(model), len(model.marks))
        state = (self.heading, draft, model.filter.text, model.filter.error, counts, self._waiting)
        if state == self._title:
            return
        self._title = state
        self.border_title = title(model, self.heading, draft, waiting=self._waiting)

    # Keys ----------------------------------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """Take the filter's letters while it is written, and Shift+letter as the column to sort by."""
        if self._draft is not None:
            self._edit_filter(self._draft, event)
        elif event.character and event.character.isupper():
            for column in self.model.columns:
                if column.letter == event.character:
                    self.sort_by(self.model.next_sort(column))
                    event.stop()
                    event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        """Paste into the filter while it is written."""
        if self._draft is not None:
            self._draft.insert(event.text)
            self.filter_by(self._draft.text)
            event.stop()

    def _edit_filter(self, draft: FilterLine, event: events.Key) -> None:
        if event.key == "enter":
            self._draft = None
            self._write_title()
        elif event.key == "escape":
            self._draft = None
            self.filter_by("")
        elif draft.edit(event):
            self.filter_by(draft.text)
        else:
            return
        event.stop()
        event.prevent_default()

    def action_filter(self) -> None:
        """Start to write the filter, from the one that is set."""
        self._draft = FilterLine(self.model.filter.text)
        self._write_title()

    def clear(self) -> bool:
        """Lift the filter, or else the marks: what Esc does before it leaves. False where there is neither."""
        if self.model.filter:
            self.filter_by("")
        elif self.model.marks:
            self.clear_marks()
        else:
            return False
        return True

    def action_sort_menu(self) -> None:
        """Ask which column to sort by."""
        from tui.widgets.sort_menu import SortMenu

        def sort(key: str | None) -> None:
            for column in self.model.columns:
                if column.key == key:
                    self.sort_by(self.model.next_sort(column))

        self.app.push_screen(SortMenu(self.model.columns, self.model.sort), sort)

    def action_wide(self) -> None:
        """Show every column, or only those that fit."""
        self.wide = not self.wide
        self.scroll_to(x=0, animate=False, force=True)
        self._repaint()
        self.post_message(self.Arranged(self, self.cursor_key))

    def action_mark(self) -> None:
        """Mark the row and go to the next."""
        self._apply(self.model.toggle_mark())
        self._apply(self.model.move_to(self.model.cursor + 1))
        self._keep_cursor_in_view()

    def action_mark_range(self) -> None:
        """Mark from the last mark to the cursor."""
        self._apply(self.model.mark_range())

    def action_mark_all(self) -> None:
        """Mark all that the filter shows."""
        self._apply(self.model.mark_shown())

    def action_copy(self) -> None:
        """Copy the names of the marked rows, or of the one under the cursor: through the terminal, also over ssh."""
        keys = [column.key for column in self.model.columns]
        index = next((keys.index(key) for key in ("name", "host") if key in keys), 0)
        rows = (self.model.row(key) for key in self.chosen())
        text = "\n".join(printable(plain(row.cells[index])) for row in rows if row is not None)
        if text:
            self.app.copy_to_clipboard(text)

    def action_choose(self) -> None:
        """Tell that a row was chosen."""
        if self.cursor_key is not None:
            self.post_message(self.Chosen(self, self.cursor_key))

    def action_move(self, by: int) -> None:
        """Move the cursor by so many rows."""
        self._move_to(self.model.cursor + by)

    def action_page(self, direction: int) -> None:
        """Move the cursor by a page."""
        self._move_to(self.model.cursor + direction * max(1, self._page - 1))

    def action_edge(self, last: bool) -> None:
        """Move the cursor to the first or the last row."""
        self._move_to(len(self.model.shown) - 1 if last else 0)

    def action_aside(self, by: int) -> None:
        """Scroll sideways."""
        self.scroll_to(x=self.scroll_offset.x + by, animate=False, force=True)

    def _move_to(self, position: int) -> None:
        self._apply(self.model.move_to(position))
        self._keep_cursor_in_view()

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the row under the mouse; a click on a title sorts, a double click opens."""
        offset = event.get_content_offset(self)
        if offset is None or self._painter is None:
            return
        if offset.y < HEADER:
            column = self._painter.column_at(offset.x + self.scroll_offset.x)
            if column is not None:
                self.sort_by(self.model.next_sort(column))
            return
        line = offset.y - HEADER + self.scroll_offset.y
        if line < len(self.model.shown):
            self._move_to(line)
            if event.chain == 2:
                self.action_choose()
