"""Rows and columns of a table, and how the columns share its width."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from tui.render.cells import Cell

RowKey = Hashable
SortValue = float | int | str | tuple[tuple[int, int, str], ...] | None
"""What a cell is sorted by; all of a column are of one type, None sorts last in both directions."""

GAP = 2
"""Blank columns between two columns."""


class Measure(Enum):
    """What the numbers of a column are, where a filter may give them a unit."""

    COUNT = "count"
    SIZE = "size"
    """Bytes; a number without a unit is of GiB."""
    DURATION = "duration"
    """Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table. Widths are terminal columns.

    `priority`: the highest is hidden first where the table is narrow, 0 never. `letter` sorts by it (Shift+letter).
    """

    key: str
    title: str
    right: bool = False
    least: int = 3
    most: int = 40
    stretch: bool = False
    """Takes a share of the room that is left over."""
    whole: bool = False
    """Hidden rather than cut: addresses. Numbers (`right`) never are cut either: half a number is another number."""
    elastic: bool = False
    """Its content adapts to any width (meters): it grows only once the others have what they want."""
    priority: int = 0
    wide_only: bool = False
    also: str = ""
    """Another name of it in filters."""
    measure: Measure = Measure.COUNT
    letter: str = ""
    ascending: bool = True
    """The direction of the first sort by it."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its key, a cell for each column, and what each is sorted by (shorter or empty: by nothing)."""

    key: RowKey
    cells: tuple[Cell, ...]
    order: tuple[SortValue, ...] = ()
    dim: bool = False
    """Old or switched off: drawn faint as a whole."""
    also: Mapping[int, str] = field(default_factory=dict)
    """By column: other words by which a filter finds the row."""
    numbers: Mapping[int, float] = field(default_factory=dict)
    """By column: what a filter compares where that isn't what is sorted by."""
    identity: Hashable = None
    """What it is about where that outlives its key: a VM that is on another host now."""

    def number(self, column: int) -> float | None:
        """Return what a filter compares in a column; None where there is no number."""
        value = self.numbers.get(column, self.order[column] if column < len(self.order) else None)
        return value if isinstance(value, int | float) else None


def share_width(
    columns: Sequence[Column], wanted: Sequence[int], room: int, *, wide: bool = False
) -> tuple[tuple[int, int], ...]:
    """Decide which columns are shown, in which widths: (index, width) from left to right.

    `wanted` is what each column's content would like. Narrow: columns are hidden by priority until the rest fits at
    its least, then the room is shared by priority. Wide: every column at its natural width, whatever the room.
    """
    natural_widths = [
        max(min(column.most, want), len(column.title) + column.right)
        for column, want in zip(columns, wanted, strict=True)
    ]
    if wide:
        chosen = list(range(len(columns)))
        widths = dict(zip(chosen, natural_widths, strict=True))
    else:
        chosen = [index for index, column in enumerate(columns) if not column.wide_only]
        least = {
            index: natural_widths[index] if column.right or column.whole else min(natural_widths[index], column.least)
            for index, column in enumerate(columns)
        }
        for index in sorted(chosen, key=lambda i: (-columns[i].priority, -i)):
            if _total(least[i] for i in chosen) <= room:
                break
            if columns[index].priority > 0:
                chosen.remove(index)
        widths = {index: least[index] for index in chosen}
        left = room - _total(widths.values())
        for index in sorted((i for i in chosen if not columns[i].elastic), key=lambda i: (columns[i].priority, i)):
            more = max(0, min(left, natural_widths[index] - widths[index]))
            widths[index] += more
            left -= more
        elastic = [index for index in chosen if columns[index].elastic]
        for position, index in enumerate(elastic):
            more = max(0, min(left // (len(elastic) - position), columns[index].most - widths[index]))
            widths[index] += more
            left -= more
    left = room - _total(widths.values())
    stretching = [index for index in chosen if columns[index].stretch]
    for position, index in enumerate(stretching):
        share = max(0, left) // (len(stretching) - position)
        widths[index] += share
        left -= share
    return tuple((index, widths[index]) for index in chosen)


def _total(widths: Iterable[int]) -> int:
    listed = list(widths)
    return sum(listed) + GAP * max(0, len(listed) - 1)
