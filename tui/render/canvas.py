"""Dots on a terminal: a braille character has two columns of four dots."""

DOTS_ACROSS = 2
DOTS_DOWN = 4

_BLANK_BRAILLE = 0x2800
_BITS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""Bit of a dot by its column and row in the cell: the order of Unicode's braille block."""


class Canvas:
    """A field of dots, `columns` by `rows` characters large; (0, 0) is the dot at the top left.

    Dots outside are dropped, so that a line may leave the field.
    """

    __slots__ = ("_cells", "columns", "rows")

    def __init__(self, columns: int, rows: int) -> None:
        self.columns = max(0, columns)
        self.rows = max(0, rows)
        self._cells = [0] * (self.columns * self.rows)

    @property
    def dots_across(self) -> int:
        """Number of dots in a row."""
        return self.columns * DOTS_ACROSS

    @property
    def dots_down(self) -> int:
        """Number of dots in a column."""
        return self.rows * DOTS_DOWN

    def dot(self, x: int, y: int) -> None:
        """Set one dot."""
        if 0 <= x < self.dots_across and 0 <= y < self.dots_down:
            cell = y // DOTS_DOWN * self.columns + x // DOTS_ACROSS
            self._cells[cell] |= _BITS[x % DOTS_ACROSS][y % DOTS_DOWN]

    def line(self, start: tuple[float, float], end: tuple[float, float], *, every: int = 1) -> None:
        """Draw a straight line, both ends included; only each `every`-th dot of it, for a dotted one."""
        (x0, y0), (x1, y1) = start, end
        steps = max(1, round(max(abs(x1 - x0), abs(y1 - y0))))
        for step in range(0, steps + 1, every):
            t = step / steps
            self.dot(round(x0 + (x1 - x0) * t), round(y0 + (y1 - y0) * t))

    def cell(self, column: int, row: int) -> str:
        """Return the character of a cell; a blank where no dot is set."""
        bits = self._cells[row * self.columns + column]
        return chr(_BLANK_BRAILLE + bits) if bits else " "
