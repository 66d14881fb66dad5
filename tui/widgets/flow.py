"""Lines of text that are laid out anew for each width: sentences with a hanging indent, within a form or a wizard."""

from collections.abc import Callable, Sequence

from textual.content import Content
from textual.css.styles import RulesMap
from textual.selection import Selection
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions, Visual
from textual.widgets import Static

from tui.render.cells import Piece
from tui.widgets.tones import paragraphs

LEAST_WIDTH = 20
Drawing = Callable[[int], Sequence[tuple[Piece, ...]]]


class Flow(Static):
    """Shows what a drawing gives for its width, as high as that is."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self._drawn: _Drawn | None = None

    def show(self, drawing: Drawing) -> None:
        """Show what `drawing` gives, now and for every width to come."""
        self._drawn = _Drawn(drawing)
        self.update(self._drawn)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the text that is selected, for copying."""
        return (selection.extract(str(self._drawn)), "\n") if self._drawn is not None else None


class _Drawn(Visual):
    """A drawing as Textual lays it out: height and text follow from the width that the layout has found."""

    def __init__(self, drawing: Drawing) -> None:
        self._drawing = drawing
        self._width = 0
        self._content = Content("")

    def __str__(self) -> str:
        return self._content.plain

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:  # noqa: ARG002 - what Textual calls
        """Return all the width there is."""
        return container_width

    def get_height(self, rules: RulesMap, width: int) -> int:
        """Return how many lines the drawing has in this width."""
        return self._laid_out(width).get_height(rules, width)

    def render_strips(self, width: int, height: int | None, style: Style, options: RenderOptions) -> list[Strip]:
        """Return the lines as Textual draws them."""
        return self._laid_out(width).render_strips(width, height, style, options)

    def _laid_out(self, width: int) -> Content:
        if width != self._width:
            self._width, self._content = width, paragraphs(self._drawing(max(LEAST_WIDTH, width)))
        return self._content
