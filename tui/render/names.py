"""Names that have to fit."""

from __future__ import annotations

from rich.cells import set_cell_size

from core.text import printable
from tui.widgets.cells import ELLIPSIS, width_of


def cut_middle(name: str, width: int) -> str:
    """Make a name printable and at most `width` columns wide; what tells names apart is mostly at their ends."""
    shown = printable(name)
    if width_of(shown) <= width:
        return shown
    if width < 3:
        return set_cell_size(shown, max(0, width))
    tail = (width - 1) // 2
    return set_cell_size(shown, width - 1 - tail).rstrip() + ELLIPSIS + set_cell_size(shown[::-1], tail).rstrip()[::-1]
