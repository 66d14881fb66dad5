"""One host in the cost explorer: its cost by term, and as many of its curves as there is room for."""

from textual.app import ComposeResult
from textual.containers import Container

from core.curves import Curve, curve_name
from core.text import printable
from tui.render.costs.curves import x_range
from tui.render.costs.exploration import Change, CloseUp
from tui.render.costs.plot import Marks
from tui.render.costs.refusals import short_name, why
from tui.render.figures import Unit, cost_text, decimals
from tui.widgets.plot import CurvePlot, TermBars

COST = "cost"
"""The view of the terms, where it takes its turn with the curves."""

_PLOT_WIDTH = 56
_PLOT_HEIGHT = 11
_DASH = " \N{BOX DRAWINGS LIGHT HORIZONTAL} "


class CloseUpPanel(Container):
    """The chosen host: bars for its terms and plots for its curves, the most telling one first.

    Where only one of them fits, they take turns; `turn` goes to the next.
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._close_up: CloseUp | None = None
        self._picked: str | None = None
        """The view that the user turned to; None: the one that matters most."""
        self._remark = ""
        self._before: CloseUp | None = None
        self._across, self._down = 1, 1
        self._plots = [CurvePlot()]

    def compose(self) -> ComposeResult:
        """Return the bars and a first plot; more plots come with more room."""
        yield TermBars(id="terms")
        yield from self._plots

    @property
    def views(self) -> tuple[str, ...]:
        """What can be turned to: the terms where they have no place of their own, and every curve."""
        changes = self._close_up.changes if self._close_up is not None else ()
        curves = tuple(change.attribute for change in changes if change.curve is not None)
        return curves if self._has_terms_aside else (COST, *curves)

    @property
    def _has_terms_aside(self) -> bool:
        return self._across * self._down > 1

    @property
    def view(self) -> str | None:
        """The view in front: the user's choice where the host has it, else the curve that matters most."""
        if self._picked in self.views:
            return self._picked
        most = self._close_up.matters_most if self._close_up is not None else None
        return most if most is not None else next(iter(self.views), None)

    def show(self, close_up: CloseUp | None, remark: str = "", before: CloseUp | None = None) -> None:
        """Show a host and why it stands where it does; None: there is none to show.

        `before` is the same host without the changes of a what-if.
        """
        if (close_up, remark, before) != (self._close_up, self._remark, self._before):
            self._close_up, self._remark, self._before = close_up, remark, before
            self._share_room()

    def turn(self, direction: int) -> None:
        """Go to the next view, or the one before."""
        views, view = self.views, self.view
        if view is not None and len(views) > 1:
            self._picked = views[(views.index(view) + direction) % len(views)]
            self._show()

    def on_resize(self) -> None:
        """Set as many plots beside the bars as fit."""
        self._share_room()

    def _share_room(self) -> None:
        """Choose how many views stand side by side and above one another, and have a plot for each curve."""
        changes = self._close_up.changes if self._close_up is not None else ()
        views = 1 + max(1, sum(change.curve is not None for change in changes))
        fit_across, fit_down = max(1, self.size.width // _PLOT_WIDTH), max(1, self.size.height // _PLOT_HEIGHT)
        self._down = min(fit_down, -(-views // fit_across))
        self._across = min(fit_across, -(-views // self._down))
        self.styles.grid_size_columns = self._across
        self.styles.grid_size_rows = self._down
        for _ in range(self._across * self._down - 1 - len(self._plots)):
            plot = CurvePlot()
            self._plots.append(plot)
            self.mount(plot)
        self._show()

    def _show(self) -> None:
        close_up, view = self._close_up, self.view
        terms = self.query_one(TermBars)
        terms.display = self._has_terms_aside or view == COST or close_up is None or not close_up.changes
        terms.show(close_up, self._remark)
        terms.set_title(*self._title())
        shown = self._in_front() if self._has_terms_aside or view != COST else []
        for index, plot in enumerate(self._plots):
            plot.display = index < len(shown)
            if index < len(shown) and close_up is not None:
                self._show_curve(plot, close_up, shown[index])

    @property
    def _room(self) -> int:
        return max(1, self._across * self._down - 1)

    def _in_front(self) -> list[Change]:
        """Choose which curves are shown: in their order, the one in front among them."""
        if self._close_up is None:
            return []
        changes = [change for change in self._close_up.changes if change.curve is not None]
        position = next((index for index, change in enumerate(changes) if change.attribute == self.view), 0)
        room = self._room
        start = max(0, min(position - room // 2, len(changes) - room))
        return changes[start : start + room]

    def _show_curve(self, plot: CurvePlot, close_up: CloseUp, change: Change) -> None:
        if change.curve is None:
            return
        marks = Marks(
            float(change.before.input) if change.before is not None else None,
            float(change.after.input) if change.after is not None else None,
            close_up.capacity(change.attribute),
        )
        unit = Unit.of(change.attribute, x_range(change.curve, marks.used, marks.capacity))
        was = self._curve_before(change)
        plot.show(change.curve, marks, unit, was)
        in_front = change.attribute == self.view
        plot.set_class(in_front and len(self.views) > 1 and self._has_terms_aside, "-in-front")
        parts: list[str | tuple[str, str]] = [(printable(short_name(change.attribute)), "bold")]
        parts.append((f"{_DASH}{curve_name(change.curve)}", "$muted"))
        if change.before is not None and change.after is not None:
            digits = decimals((0.0, change.rise))
            before, after = (cost_text(term.cost, digits) for term in (change.before, change.after))
            parts += [(_DASH, "$muted"), before, (" → ", "$muted"), (after, "bold")]
        if not self._has_terms_aside:
            parts.insert(0, f"{printable(close_up.host)}{_DASH}")
        if was is not None:
            parts.append((f"{_DASH}dashed: configured", "$muted"))
        if in_front and (turns := self._turns()):
            parts.append((f"{_DASH}{turns}", "$muted"))
        plot.set_title(*parts)

    def _curve_before(self, change: Change) -> Curve | None:
        """Return the curve without the changes of a what-if, where that is another one."""
        changes = self._before.changes if self._before is not None else ()
        curve = next((each.curve for each in changes if each.attribute == change.attribute), None)
        return curve if curve != change.curve else None

    def _title(self) -> list[str | tuple[str, str]]:
        close_up = self._close_up
        if close_up is None:
            return []
        parts: list[str | tuple[str, str]] = [(printable(close_up.host), "bold")]
        if close_up.profile is not None:
            parts.append((f"{_DASH}{printable(close_up.profile.name)}", "$muted"))
        if close_up.verdict.refusal is not None:
            parts += [(_DASH, "$muted"), (f"{printable(why(close_up.verdict.refusal))}", "$warning")]
        elif close_up.added > 1:
            parts += [(_DASH, "$muted"), f"with {close_up.added} more VMs"]
        if self.view == COST and (turns := self._turns()):
            parts.append((f"{_DASH}{turns}", "$muted"))
        return parts

    def _turns(self) -> str:
        views = self.views
        if self.view is None or len(views) <= self._room:
            return ""
        return f"← {views.index(self.view) + 1} of {len(views)} →"
