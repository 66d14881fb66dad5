"""The parameters of a cost function, edited in thought: a list, a line to type in, and the curve as it would be."""

from collections.abc import Callable, Mapping
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Label, Static

from core.config.settings import Setting
from core.config.syntax import SourcePlace, render_path
from core.costs import CostFunction
from core.errors import RealmsError, UsageError
from core.text import printable
from tui.render.cells import Tone, width_of
from tui.render.costs.curves import x_range
from tui.render.costs.exploration import CloseUp
from tui.render.costs.parameter_plot import complaint, curve_of, hint, marks_of, plot_title
from tui.render.costs.parameters import EXAMPLE, NONE, Parameter, ParameterKind, parameters, written
from tui.render.costs.refusals import short_name
from tui.render.figures import Unit
from tui.render.rows import Column, Row
from tui.render.wrapping import cut_middle, wrapped
from tui.screens.background import BackgroundWork
from tui.screens.costs.what_if.parameter_table import ParameterTable, ValueInput
from tui.screens.costs.what_if.session import Subject, WhatIfSession
from tui.widgets.grid import Grid
from tui.widgets.plot import CurvePlot

_COLUMNS = (
    Column(key="parameter", title="PARAMETER", least=10, most=40),
    Column(key="value", title="VALUE", least=9, most=24),
    Column(key="was", title="WAS", least=9, most=24, priority=1),
)
_MOST_LABEL = 24
_DASH = " \N{BOX DRAWINGS LIGHT HORIZONTAL} "


def _setting(path: tuple[str, ...], value: str) -> Setting:
    return Setting.parse(f"{render_path(path)} = {written(value)}")


class ParameterEditor(Horizontal, BackgroundWork):
    """Edits one cost function of a session in thought; `changed` is called whenever its changes or draft are others."""

    def __init__(self, session: WhatIfSession, changed: Callable[[], None]) -> None:
        super().__init__(id="editor")
        self._session = session
        self._changed = changed
        self._subject: Subject | None = None
        self._places: Mapping[tuple[str, ...], SourcePlace] | None = None
        """Where values stand in the files, as far as that is known; None until it is asked."""
        self._now: CostFunction | None = None
        """The function with the settings of the what-if."""
        self._tried: CostFunction | None = None
        """The function with what is being typed; None while nothing is, or that makes no sense."""
        self._parameters: dict[tuple[str, ...], Parameter] = {}
        self._typing: Parameter | None = None
        self._setting: Setting | None = None
        """What is typed, as far as it makes sense."""
        self.table = ParameterTable(_COLUMNS, heading="Parameters", empty="No parameters.", id="parameters")

    def compose(self) -> ComposeResult:
        """Lay out the list above the line to type in, and the curve beside them."""
        with Vertical(id="editing"):
            yield self.table
            with Horizontal(id="typing"):
                yield Label(id="typed-name", markup=False)
                yield ValueInput()
            yield Static(id="said", markup=False)
        yield CurvePlot(id="curve")

    # What is shown -------------------------------------------------------------------------------------------------

    @property
    def function(self) -> CostFunction | None:
        """The function that is edited, as it would be."""
        return self._tried or self._now

    def show(self, subject: Subject) -> None:
        """Edit this function; the cursor stays on its parameter."""
        other = self._subject is None or self._subject.configured.id != subject.configured.id
        self._subject = subject
        try:
            self._now, _ = subject.changed()
        except UsageError:  # the configuration has become another one: what was set there makes no sense any more
            self._now = subject.configured
        self.table.set_heading(f"Cost function {subject.configured.id}")
        self._fill()
        if other and subject.close_up is not None:
            self._go_to_what_matters(subject.close_up)
        self._draw()

    def find_places(self, path: Path, failed: Callable[[RealmsError], None]) -> None:
        """Look up, once and aside, where values stand in the files; `failed` is told why that is not known."""
        from core.config.value_places import value_places

        if self._places is None:
            self._places = {}
            self.background.ask("places", lambda _: value_places(path), self._use_places, failed)

    def _use_places(self, places: Mapping[tuple[str, ...], SourcePlace]) -> None:
        self._places = places
        self._draw()

    def _fill(self) -> None:
        subject, now = self._subject, self._now
        if subject is None or now is None:
            return
        before = {parameter.path: parameter for parameter in parameters(subject.configured)}
        self._parameters = {parameter.path: parameter for parameter in parameters(now)}
        rows = []
        for path, parameter in self._parameters.items():
            old = before.get(path)
            differs = old is None or (
                old.shown != parameter.shown if parameter.kind is ParameterKind.CURVE else old.text != parameter.text
            )
            shown = old.shown if old is not None else "-"
            unset = parameter.text == NONE
            value = ((parameter.shown, Tone.ACCENT if differs else Tone.DIM if unset else Tone.PLAIN),)
            name = ((parameter.name, Tone.STRONG if differs else Tone.MUTED if unset else Tone.PLAIN),)
            rows.append(Row(path, (name, value, shown if differs else "")))
        self.table.set_rows(rows)

    def _go_to_what_matters(self, close_up: CloseUp) -> None:
        """Put the cursor on the limit that refuses the host, else on the first number of the heaviest term."""
        most = close_up.matters_most
        refusal = close_up.verdict.refusal
        wanted = ("hard", "max", "cutoff") if refusal is not None and refusal.term == most else ()
        own = [parameter for parameter in self._parameters.values() if parameter.attribute == most]
        numbers = [parameter for parameter in own if parameter.kind is not ParameterKind.CURVE]
        by_name = [parameter for name in wanted for parameter in numbers if parameter.path[-1] == name]
        for parameter in (*by_name, *numbers, *own):
            if parameter.text != NONE or parameter in own[:1]:
                self.table.go_to(parameter.path)
                return

    @property
    def parameter(self) -> Parameter | None:
        """The parameter under the cursor."""
        key = self.table.cursor_key
        return self._parameters.get(key) if isinstance(key, tuple) else None

    def _draw(self) -> None:
        """Draw the curve of the parameter under the cursor, as it would be, and behind it as it is configured."""
        plot, subject, now = self.query_one(CurvePlot), self._subject, self.function
        parameter = self._typing or self.parameter
        self._say_name(parameter)
        if subject is None or now is None or parameter is None:
            plot.clear()
            return
        attribute = parameter.attribute or (subject.close_up.matters_most if subject.close_up is not None else None)
        curve, was = curve_of(now, attribute), curve_of(subject.configured, attribute)
        if attribute is None or (curve is None and was is None):
            plot.clear()
            plot.set_title((printable(short_name(attribute or now.id)), "bold"), f"{_DASH}no curve: costs 0")
            return
        drawn = curve or was
        if drawn is None:  # one of the two is there
            return
        marks = marks_of(subject.close_up, attribute)
        unit = Unit.of(attribute, max(x_range(each, marks.used, marks.capacity) for each in (curve, was) if each))
        differs = curve != was
        plot.show(drawn, marks, unit, was if differs and curve is not None else None)
        plot.set_title(*plot_title(attribute, curve, was, marks, differs=differs))

    def _say_name(self, parameter: Parameter | None) -> None:
        label = self.query_one("#typed-name", Label)
        name = cut_middle(parameter.name, _MOST_LABEL) if parameter is not None else ""
        label.update(Content(name))
        label.styles.width = width_of(name) + 1
        line = self.query_one(ValueInput)
        if self._typing is None:
            line.value = parameter.text if parameter is not None else ""
            self._say(self._hint(parameter))

    def _hint(self, parameter: Parameter | None) -> str:
        """Return where the value stands, as far as that is known, and what can be done with it."""
        if parameter is None:
            return ""
        place = self._places.get(parameter.path) if self._places is not None else None
        told = hint(parameter, typing=self._typing is not None)
        return f"{place}: {told}" if place is not None else told

    def _say(self, text: str, style: str = "$muted") -> None:
        said = self.query_one("#said", Static)
        lines = wrapped(text, max(20, said.size.width), 2 if self.screen.has_class("-short") else 3)
        said.update(Content.assemble(("\n".join(lines), style)))

    @on(Grid.Moved)
    def follow(self, event: Grid.Moved) -> None:
        """Show the curve of another parameter."""
        event.stop()
        if self._typing is None:
            self._draw()

    # Changing ------------------------------------------------------------------------------------------------------

    def type_value(self) -> None:
        """Go to the line, with the present value there."""
        self.query_one(ValueInput).focus()

    def on_descendant_focus(self) -> None:
        """Begin to type where the line has the focus now."""
        line = self.query_one(ValueInput)
        if line.has_focus and self._typing is None and self.parameter is not None:
            self._typing = self.parameter
            line.placeholder = EXAMPLE if self._typing.kind is ParameterKind.CURVE else ""
            line.value = "" if self._typing.text == NONE else self._typing.text
            line.cursor_position = len(line.value)
            if self._typing.kind is not ParameterKind.CURVE:
                line.select_all()
            self._say(self._hint(self._typing))

    def on_descendant_blur(self) -> None:
        """Take what was typed, where it makes sense and the line was left for elsewhere."""
        if self._typing is not None and not self.query_one(ValueInput).has_focus:
            self.end_typing(keep=self._setting is not None, go_back=False)

    @on(Input.Changed)
    def try_out(self, event: Input.Changed) -> None:
        """Draw the curve with what is typed, or say what is wrong with it."""
        event.stop()
        if self._typing is None or self._subject is None:
            return
        if event.value.strip() == self._typing.text or (not event.value.strip() and self._typing.text == NONE):
            self._setting, self._tried = None, None
            self._say(self._hint(self._typing))
            self._draw()
            self._draft(None)
            return
        try:
            setting = _setting(self._typing.path, event.value)
            self._tried, warnings = self._subject.changed(setting)
        except UsageError as error:
            self._setting, self._tried = None, None
            self._say(complaint(error), "$error")
            return
        self._setting = setting
        self._say(warnings[0].message if warnings else self._hint(self._typing), "$warning" if warnings else "$muted")
        self._draw()
        self._draft(setting)

    @on(Input.Submitted)
    def take(self, event: Input.Submitted) -> None:
        """Take the value, unless something is wrong with it."""
        event.stop()
        self.end_typing(keep=True)

    def end_typing(self, *, keep: bool, go_back: bool = True) -> bool:
        """Take what is typed or leave the value as it was; False where it can't be taken and is to be mended."""
        typing, setting = self._typing, self._setting
        if typing is None:
            return True
        typed = self.query_one(ValueInput).value.strip()
        if keep and setting is None and typed not in (typing.text, "" if typing.text == NONE else typing.text):
            return False
        self._typing, self._setting, self._tried = None, None, None
        if go_back:
            self.table.focus()
        if keep and setting is not None:
            self._set(setting)
        else:
            self._draw()
            self._draft(None)
        return True

    def step(self, direction: int) -> None:
        """Give the parameter under the cursor its next round value."""
        parameter, subject = self.parameter, self._subject
        if parameter is None or subject is None:
            return
        value = parameter.next(direction)
        if value is None:
            why = "a curve" if parameter.kind is ParameterKind.CURVE else "not set"
            self._say(f"{parameter.name} is {why}: press Enter to set it")
            return
        setting = _setting(parameter.path, value)
        try:
            subject.changed(setting)
        except UsageError as error:
            self._say(complaint(error), "$error")
            return
        self._set(setting)

    def revert(self) -> None:
        """Take back what was changed of the parameter under the cursor."""
        if self.parameter is not None:
            self._session.unset_parameter(self.parameter.path)
            self._changed()

    def _set(self, setting: Setting) -> None:
        if self._subject is not None:
            self._session.set_parameter(self._subject.configured, setting)
            self._changed()

    def _draft(self, setting: Setting | None) -> None:
        if setting != self._session.history.draft:
            self._session.history.draft = setting
            self._changed()
