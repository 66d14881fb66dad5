"""Lines of text that are laid out anew for each width: sentences with a hanging indent, within a form or a wizard."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.widgets import Static

from tui.render.cells import Piece
from tui.widgets.tones import paragraphs

LEAST_WIDTH = 20


class Flow(Static):
    """Shows what a drawing gives for its width, as high as that is."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self._drawing: Callable[[int], Sequence[tuple[Piece, ...]]] | None = None
        self._lines: Sequence[tuple[Piece, ...]] = ()

    def show(self, drawing: Callable[[int], Sequence[tuple[Piece, ...]]]) -> None:
        """Show what `drawing` gives, now and for every width to come."""
        self._drawing = drawing
        if not self.size.width:
            self.styles.min_height = 1  # what has no height is never given a width
        self._draw()

    def on_resize(self) -> None:
        """Lay out for the new width."""
        self._draw()

    def _draw(self) -> None:
        if self._drawing is None or not self.size.width:
            return
        self.styles.min_height = None
        lines = tuple(self._drawing(max(LEAST_WIDTH, self.size.width)))
        if lines != self._lines:
            self._lines = lines
            self.update(paragraphs(lines))
