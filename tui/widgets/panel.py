"""A bordered panel of drawn lines: facts about one thing, laid out anew when they or the size change."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from tui.render.cells import Piece, lay_out
from tui.widgets.tones import TONE_CLASSES, TONE_CSS, content

Line = tuple[Piece, ...]


class Panel(Widget):
    """Shows what a drawing gives for its size; draws nothing where that gives the same lines as before."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(TONE_CLASSES)
    DEFAULT_CSS = (
        """
    Panel {
        border: round $line; border-title-color: $foreground; padding: 0 1;
        background: $background; color: $foreground; height: auto;
    """
        + TONE_CSS
        + "}"
    )

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self._drawing: Callable[[int, int], Sequence[Line]] | None = None
        self._lines: Sequence[Line] = ()
        self._title: tuple[Piece, ...] = ()

    def show(self, title: tuple[Piece, ...], drawing: Callable[[int, int], Sequence[Line]]) -> None:
        """Show a title in the border, and the lines that `drawing` gives for a width and a height."""
        if title != self._title:
            self._title = title
            self.border_title = content(title)
        self._drawing = drawing
        self._draw()

    def on_resize(self) -> None:
        """Lay out for the new size."""
        self._draw()

    def _draw(self) -> None:
        if self._drawing is None or not self.size:
            return
        lines = tuple(self._drawing(self.size.width, self.size.height))
        if lines != self._lines:
            self._lines = lines
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        width = self.size.width
        base = self.rich_style
        if y >= len(self._lines):
            return Strip.blank(width, base)
        pieces = lay_out(self._lines[y], width)
        return Strip(
            [
                Segment(text, base + self.get_component_rich_style(f"tone--{tone}", partial=True) if tone else base)
                for text, tone in pieces
            ],
            width,
        )
