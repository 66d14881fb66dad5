"""Pure drawings on the screen: lines of strokes in inks, painted in the theme's colours."""

from typing import ClassVar, Self

from rich.segment import Segment
from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from core.curves import Curve
from tui.render.costs.exploration import CloseUp
from tui.render.costs.plot import Marks, plot
from tui.render.costs.term_bars import term_bars
from tui.render.figures import Unit
from tui.render.ink import Ink, Line


class Drawing(Widget):
    """Draws itself anew when its subject, its size or the theme changes. Subclasses give `draw`."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"drawing--{ink.value}" for ink in Ink}

    DEFAULT_CSS = """
    Drawing {
        width: 1fr; height: 1fr; background: $background; color: $foreground;
        .drawing--strong { text-style: bold; }
        .drawing--quiet { color: $muted; }
        .drawing--axis { color: $faint; }
        .drawing--tick { color: $muted; }
        .drawing--curve { color: $accent; text-style: bold; }
        .drawing--was { color: $muted; }
        .drawing--limit { color: $faint; }
        .drawing--cut { color: $warning; }
        .drawing--infinite { color: $error-muted; }
        &:ansi .drawing--infinite { color: ansi_bright_black; }
        .drawing--infinite-label { color: $error; text-style: bold; }
        .drawing--before { color: $primary; text-style: bold; }
        .drawing--after { color: $warning; text-style: bold; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        self._is_titling = False
        super().__init__(id=id)
        self._title: tuple[str | tuple[str, str], ...] = ()
        self._lines: tuple[Line, ...] = ()
        self._strips: list[Strip] | None = None
        """The lines as painted; None until they are needed again."""

    def draw(self, width: int, height: int) -> tuple[Line, ...]:
        """Give `height` lines of `width` columns; none while there is nothing to draw."""
        raise NotImplementedError

    def draw_anew(self) -> None:
        """Draw the subject, and bring to the screen the lines that differ from what is there."""
        before = self._lines if self._strips is not None else None
        width, height = self.size
        self._lines = self.draw(width, height)
        self._strips = None
        if before is None or len(before) != len(self._lines):
            self.refresh()
            return
        changed = [y for y, (old, new) in enumerate(zip(before, self._lines, strict=True)) if old != new]
        if changed:
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def set_title(self, *parts: str | tuple[str, str]) -> None:
        """Write texts, with their styles, into the border."""
        if parts == self._title:
            return
        self._title = parts
        self._is_titling = True
        self.border_title = Content.assemble(*parts)
        self._is_titling = False
        left, top = self.content_offset
        self.refresh(Region(-left, -top, self.outer_size.width, 1))

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Repaint; but setting a title would repaint the whole widget, and a drawing is most of the screen."""
        if self._is_titling:
            return self
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def on_resize(self) -> None:
        """Draw for the new size."""
        self._strips = None
        self.draw_anew()

    def notify_style_update(self) -> None:
        """Take over the colours of another theme."""
        super().notify_style_update()
        self._strips = None

    def render_line(self, y: int) -> Strip:
        """Return one line of the drawing."""
        width = self.size.width
        if self._strips is None:
            base = self.rich_style
            styles = {ink: base + self.get_component_rich_style(f"drawing--{ink.value}", partial=True) for ink in Ink}
            self._strips = [
                Strip([Segment(stroke.text, styles[stroke.ink]) for stroke in line]).adjust_cell_length(width, base)
                for line in self._lines
            ]
        return self._strips[y] if y < len(self._strips) else Strip.blank(width, self.rich_style)


class CurvePlot(Drawing):
    """One curve with its limits, and the use before and after."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._subject: tuple[Curve, Marks, Unit, Curve | None] | None = None

    def show(self, curve: Curve, marks: Marks, unit: Unit = Unit.COUNT, was: Curve | None = None) -> None:
        """Draw this curve, and broken behind it what it was; does nothing where it is the one drawn."""
        if (curve, marks, unit, was) != self._subject:
            self._subject = (curve, marks, unit, was)
            self.draw_anew()

    def clear(self) -> None:
        """Draw nothing."""
        self._subject = None
        self.draw_anew()

    def draw(self, width: int, height: int) -> tuple[Line, ...]:
        """Draw the curve."""
        if self._subject is None:
            return ()
        curve, marks, unit, was = self._subject
        return plot(curve, marks, width, height, unit, was=was)


class TermBars(Drawing):
    """A host's cost by term, before and after, and a remark on it."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._subject: CloseUp | None = None
        self._remark = ""

    def show(self, close_up: CloseUp | None, remark: str = "") -> None:
        """Draw this host's cost."""
        if (close_up, remark) != (self._subject, self._remark):
            self._subject, self._remark = close_up, remark
            self.draw_anew()

    def draw(self, width: int, height: int) -> tuple[Line, ...]:
        """Draw the bars."""
        return term_bars(self._subject, self._remark, width, height) if self._subject is not None else ()
