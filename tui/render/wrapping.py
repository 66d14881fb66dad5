"""Names and sentences that have to fit."""

import textwrap

from rich.cells import set_cell_size

from core.text import one_line, printable
from tui.render.cells import ELLIPSIS, cut, width_of


def cut_middle(name: str, width: int) -> str:
    """Make a name printable and at most `width` columns wide; what tells names apart is mostly at their ends."""
    shown = printable(name)
    if width_of(shown) <= width:
        return shown
    if width < 3:
        return set_cell_size(shown, max(0, width))
    tail = (width - 1) // 2
    return set_cell_size(shown, width - 1 - tail).rstrip() + ELLIPSIS + set_cell_size(shown[::-1], tail).rstrip()[::-1]


def wrapped(text: str, width: int, lines: int) -> list[str]:
    """Break a text into at most so many lines, an ellipsis at the end of the last where there is more."""
    width = max(1, width)
    broken = textwrap.wrap(one_line(text, (lines + 1) * width), width, max_lines=max(1, lines), placeholder=ELLIPSIS)
    return [cut(line, width) for line in broken]
