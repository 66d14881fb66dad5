"""Draws the lines of a table as strips."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.render.cells import Tone, lay_out
from tui.render.rows import GAP, Column, Row
from tui.state.settings import Sort

GUTTER = 3
"""Columns before the first: the cursor's bar, the mark, and a blank."""

CURSOR_BAR = "\N{LEFT HALF BLOCK}"
MARK = "\N{BULLET}"
_KEPT_STRIPS = 2000


@dataclass(frozen=True, slots=True)
class LineStyles:
    """Styles of a table as its theme gives them; `tones` are laid over the line's own style."""

    line: Style
    cursor: Style
    cursor_bar: Style
    mark: Style
    header: Style
    sorted_header: Style
    tones: Mapping[Tone, Style]


@dataclass(slots=True)
class LinePainter:
    """Paints rows in given widths, and keeps what it has painted until the row or the look changes."""

    styles: LineStyles
    columns: Sequence[Column]
    layout: tuple[tuple[int, int], ...]
    """(index of the column, width) from left to right."""
    _kept: dict[tuple[int, bool, bool], tuple[Row, Strip]] = field(default_factory=dict)

    @property
    def width(self) -> int:
        """Width of a line without what fills it up to the table's edge."""
        return GUTTER + sum(width for _, width in self.layout) + GAP * max(0, len(self.layout) - 1)

    def row(self, row: Row, *, cursor: bool, marked: bool, room: int) -> Strip:
        """Paint a row, filled up to `room` columns."""
        key = (id(row), cursor, marked)
        kept = self._kept.get(key)
        if kept is not None and kept[0] is row:
            return kept[1]
        styles = self.styles
        base = styles.cursor if cursor else styles.line
        segments = [
            Segment(CURSOR_BAR, base + styles.cursor_bar) if cursor else Segment(" ", base),
            Segment(f"{MARK} ", base + styles.mark) if marked else Segment("  ", base),
        ]
        gap = Segment(" " * GAP, base)
        dim = row.dim
        plain = bool(base.reverse)  # colours would turn into backgrounds
        for position, (index, width) in enumerate(self.layout):
            if position:
                segments.append(gap)
            for text, tone in lay_out(row.cells[index], width, right=self.columns[index].right):
                shown = Tone.DIM if dim and tone in _FAINT_WHEN_DIM else tone
                if plain:
                    shown = Tone.PLAIN
                segments.append(Segment(text, base + styles.tones[shown] if shown else base))
        if room > self.width:
            segments.append(Segment(" " * (room - self.width), base))
        strip = Strip(segments, max(room, self.width))
        if len(self._kept) > _KEPT_STRIPS:
            self._kept.clear()
        self._kept[key] = (row, strip)
        return strip

    def header(self, sort: Sort | None, room: int) -> Strip:
        """Paint the line of titles, an arrow at the column that is sorted by."""
        styles = self.styles
        segments = [Segment(" " * GUTTER, styles.header)]
        for position, (index, width) in enumerate(self.layout):
            column = self.columns[index]
            if position:
                segments.append(Segment(" " * GAP, styles.header))
            style = styles.header
            title = column.title
            if sort is not None and sort.column == column.key:
                style = styles.sorted_header
                arrow = (
                    "\N{BLACK DOWN-POINTING SMALL TRIANGLE}"
                    if sort.descending
                    else "\N{BLACK UP-POINTING SMALL TRIANGLE}"
                )
                title = f"{title[: width - 1]}{arrow}" if width < len(title) + 2 else f"{title} {arrow}"
            segments += [Segment(text, style) for text, _ in lay_out(title, width, right=column.right)]
        if room > self.width:
            segments.append(Segment(" " * (room - self.width), styles.header))
        return Strip(segments, max(room, self.width))

    def column_at(self, x: int) -> Column | None:
        """Find the column under a position of an unscrolled line."""
        left = GUTTER
        for index, width in self.layout:
            if left <= x < left + width + GAP:
                return self.columns[index]
            left += width + GAP
        return None


_FAINT_WHEN_DIM = frozenset({Tone.PLAIN, Tone.GOOD, Tone.STRONG, Tone.ACCENT, Tone.MUTED, Tone.BAR})
"""What a dimmed row loses; warnings keep their colour."""
