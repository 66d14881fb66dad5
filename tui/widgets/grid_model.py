"""What a table holds: rows, their order, the filter, marks, and a cursor that follows its row. No screen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tui.render.cells import natural_width
from tui.render.rows import Column, Row, RowKey, SortValue
from tui.state.settings import Sort
from tui.widgets.row_filter import RowFilter, parse_filter


@dataclass(frozen=True, slots=True)
class GridChange:
    """What a step changed: positions of lines, or everything where rows came, went or moved."""

    lines: tuple[int, ...] = ()
    everything: bool = False

    def __bool__(self) -> bool:
        return self.everything or bool(self.lines)


NOTHING = GridChange()
EVERYTHING = GridChange(everything=True)


class GridModel:
    """Rows by key in the order given, and those of them that are shown, sorted and filtered."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = tuple(columns)
        self.shown: list[Row] = []
        self.sort: Sort | None = None
        self.filter = RowFilter()
        self.seen: frozenset[int] | None = None
        """The columns that there is room for, in which a filter looks; None: all."""
        self.marks: set[RowKey] = set()
        self.cursor = 0
        """Position of the cursor in `shown`; 0 where nothing is shown."""
        self.wanted = [0] * len(self.columns)
        """What each column's content would like to have, in terminal columns; grows, and shrinks when measured anew."""
        self._rows: dict[RowKey, Row] = {}
        self._position: dict[RowKey, int] = {}
        self._anchor: RowKey | None = None
        self._heir: RowKey | None = None
        """The row that the cursor goes on to, as its own is gone."""

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def cursor_row(self) -> Row | None:
        """The row under the cursor."""
        return self.shown[self.cursor] if self.shown else None

    @property
    def cursor_key(self) -> RowKey | None:
        """Key of the row under the cursor; None where nothing is shown."""
        return self.shown[self.cursor].key if self.shown else None

    def row(self, key: RowKey) -> Row | None:
        """Find a row, shown or not."""
        return self._rows.get(key)

    def position(self, key: RowKey) -> int | None:
        """Where a row is shown; None where it isn't."""
        return self._position.get(key)

    # Rows ----------------------------------------------------------------------------------------------------------

    def set_rows(self, rows: Sequence[Row]) -> GridChange:
        """Take a new state of all rows, and say which lines differ. A row that is the same object costs little."""
        before = self._rows
        after = {row.key: row for row in rows}
        changed = [row for key, row in after.items() if (old := before.get(key)) is not row and old != row]
        same_keys = len(after) == len(before) and all(key in before for key in after)
        moved = not same_keys or (self.sort is None and list(after) != list(before))
        self._rows = after
        if not changed and not moved:
            return NOTHING
        self._measure(changed)
        if not same_keys:
            self._follow(before)
        if not moved:
            moved = self._order_changes(changed, before)
        drawn = [row for row in changed if (old := before.get(row.key)) is None or not _looks_like(row, old)]
        if moved:
            shown_before = list(self._position)
            self._arrange()
            if list(self._position) != shown_before:
                return EVERYTHING
        else:
            for row in changed:
                if (position := self._position.get(row.key)) is not None:
                    self.shown[position] = row
        positions = (self._position.get(row.key) for row in drawn)
        return GridChange(tuple(position for position in positions if position is not None))

    def _follow(self, before: dict[RowKey, Row]) -> None:
        """Let cursor and marks go on to the row that is about the same thing, where theirs is gone."""
        watched = {*self.marks, self._anchor, self.cursor_key}
        gone = {before[key].identity: key for key in watched if key in before and key not in self._rows}
        gone.pop(None, None)
        heirs = {gone[row.identity]: row.key for row in self._rows.values() if row.identity in gone} if gone else {}
        self.marks = {heirs.get(key, key) for key in self.marks} & self._rows.keys()
        self._anchor = heirs.get(self._anchor, self._anchor)
        self._heir = heirs.get(self.cursor_key)

    def _order_changes(self, changed: Iterable[Row], before: dict[RowKey, Row]) -> bool:
        """Return whether rows with the same keys change their order, or whether they pass the filter."""
        index = self._sort_index()
        for row in changed:
            if index is not None and _value(row, index) != _value(before[row.key], index):
                return True
            if self.filter and self.filter.passes(row, self.seen) != (row.key in self._position):
                return True
        return False

    def _sort_index(self) -> int | None:
        if self.sort is None:
            return None
        return next((index for index, column in enumerate(self.columns) if column.key == self.sort.column), None)

    def _arrange(self) -> GridChange:
        key, position = self.cursor_key, self.cursor
        rows: Iterable[Row] = self._rows.values()
        if self.filter:
            rows = (row for row in rows if self.filter.passes(row, self.seen))
        index = self._sort_index()
        if index is None or self.sort is None:
            self.shown = list(rows)
        else:
            listed = list(rows)
            values: list[Any] = [row.order[index] if index < len(row.order) else None for row in listed]
            known = [place for place, value in enumerate(values) if value is not None]
            known.sort(key=values.__getitem__, reverse=self.sort.descending)
            self.shown = [listed[place] for place in known]
            if len(known) < len(listed):
                self.shown += [row for row, value in zip(listed, values, strict=True) if value is None]
        self._position = {row.key: place for place, row in enumerate(self.shown)}
        found = self._position.get(key, self._position.get(self._heir))
        self._heir = None
        self.cursor = found if found is not None else max(0, min(position, len(self.shown) - 1))
        return EVERYTHING

    def _measure(self, rows: Iterable[Row]) -> None:
        wanted = self.wanted
        for row in rows:
            for index, cell in enumerate(row.cells):
                width = natural_width(cell)
                wanted[index] = max(wanted[index], width)

    def measure_anew(self) -> None:
        """Forget the widths of rows that are gone."""
        self.wanted = [0] * len(self.columns)
        self._measure(self._rows.values())

    # Order and filter ----------------------------------------------------------------------------------------------

    def sort_by(self, sort: Sort | None) -> GridChange:
        """Sort by a column; None: the order in which the rows are given. Stable, unknown values last."""
        self.sort = sort if sort is None or any(column.key == sort.column for column in self.columns) else None
        return self._arrange()

    def next_sort(self, column: Column) -> Sort:
        """Return the sort that choosing a column means: its own direction, then the opposite one."""
        if self.sort is not None and self.sort.column == column.key:
            return Sort(column.key, descending=not self.sort.descending)
        return Sort(column.key, descending=not column.ascending)

    def filter_by(self, text: str) -> GridChange:
        """Show only the rows that pass a filter; one that can't be read shows all, and says so in `filter.error`."""
        self.filter = parse_filter(text, self.columns)
        return self._arrange()

    def see(self, columns: Iterable[int]) -> None:
        """Take over which columns are seen: a filter looks in no others."""
        seen = frozenset(columns)
        if seen != self.seen:
            self.seen = seen
            if self.filter:
                self._arrange()

    # Cursor and marks ----------------------------------------------------------------------------------------------

    def move_to(self, position: int) -> GridChange:
        """Put the cursor on a line, or on the nearest that there is."""
        before = self.cursor
        self.cursor = max(0, min(position, len(self.shown) - 1))
        return GridChange((before, self.cursor)) if self.cursor != before else NOTHING

    def move_to_key(self, key: RowKey) -> bool:
        """Put the cursor on a row; False where it isn't shown."""
        position = self._position.get(key)
        if position is not None:
            self.cursor = position
        return position is not None

    def toggle_mark(self) -> GridChange:
        """Mark the row under the cursor, or unmark it."""
        key = self.cursor_key
        if key is None:
            return NOTHING
        self.marks ^= {key}
        self._anchor = key
        return GridChange((self.cursor,))

    def mark_range(self) -> GridChange:
        """Mark all rows from the one that was marked last to the cursor."""
        if not self.shown:
            return NOTHING
        start = self._position.get(self._anchor, self.cursor)
        low, high = sorted((start, self.cursor))
        self.marks.update(row.key for row in self.shown[low : high + 1])
        self._anchor = self.cursor_key
        return EVERYTHING

    def mark_shown(self) -> GridChange:
        """Mark all rows that the filter shows; unmark them where they are marked already."""
        keys = self._position.keys()
        self.marks = self.marks - keys if keys <= self.marks else self.marks | keys
        return EVERYTHING

    def clear_marks(self) -> GridChange:
        """Unmark every row."""
        self.marks = set()
        return EVERYTHING

    def chosen(self) -> tuple[RowKey, ...]:
        """Name what an action is for: the marked rows in order (hidden ones last), else the one under the cursor."""
        if self.marks:
            hidden = [key for key in self._rows if key in self.marks and key not in self._position]
            return (*(row.key for row in self.shown if row.key in self.marks), *hidden)
        key = self.cursor_key
        return () if key is None else (key,)


def _looks_like(row: Row, other: Row) -> bool:
    """Return whether two states of a row are drawn alike; what they are sorted by may differ."""
    return row.cells == other.cells and row.dim == other.dim


def _value(row: Row, index: int) -> SortValue:
    return row.order[index] if index < len(row.order) else None
