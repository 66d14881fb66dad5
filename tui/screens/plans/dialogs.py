"""The questions before a plan is carried out, stopped and resumed."""

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button

from core.operations.plans.order import DEFAULT_PARALLEL, MOST_PARALLEL
from core.text import printable
from tui.forms.fields import YES, FormField
from tui.render.question import Question
from tui.screens.dialogs.confirm import Asking
from tui.widgets.fields import FieldRow

_PARALLEL = FormField(
    key="parallel",
    label="Parallel moves per host",
    value=str(DEFAULT_PARALLEL),
    choices=tuple((str(number), str(number)) for number in range(1, MOST_PARALLEL + 1)),
)
_PARALLEL_WIDTH = 25


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a plan is to be carried out: `cordon` sets its host to No Scheduling first."""

    cordon: bool = False
    parallel: int = DEFAULT_PARALLEL


class ApplyPlan(Asking[Agreement | None]):
    """Gives how a plan is to be carried out, None where it is not."""

    BINDINGS: ClassVar = [
        Binding("escape", "dismiss(None)", "Cancel"),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
        Binding("pageup", "scroll(-1)", show=False),
        Binding("pagedown", "scroll(1)", show=False),
    ]
    CSS_PATH: ClassVar = ["../dialogs/dialogs.tcss", "plans.tcss"]
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012 - an instance variable by its declaration
        (0, "-short"),
        (30, "-normal"),
    ]

    def __init__(self, question: Question, *, cordons: str = "") -> None:
        super().__init__(question)
        self._cordons = cordons
        """The host that can be set to No Scheduling; empty: none."""

    def compose(self) -> ComposeResult:
        """Lay out the moves, the options, the field where something has to be typed, and the buttons."""
        question = self.question
        with Vertical(classes="dialog destructive") as dialog:
            dialog.border_title = Content(printable(question.title))
            dialog.border_subtitle = Content("Ctrl+S apply, Esc cancel")
            yield from self.words()
            with Vertical(classes="fields"):
                if self._cordons:
                    words = f"set {self._cordons} to No Scheduling first"
                    yield FieldRow(FormField(key="cordon", tick=words, value=YES), label_width=0)
                yield FieldRow(_PARALLEL, label_width=_PARALLEL_WIDTH)
            if question.to_type:
                with Horizontal(classes="typing"):
                    yield from self.typing()
            yield from self.buttons()

    def on_mount(self) -> None:
        """Begin where a hasty Enter does no harm: where something has to be typed, else on Cancel."""
        self.query_one("#typed" if self.question.to_type else "#cancel").focus()

    def action_scroll(self, direction: int) -> None:
        """Show what of the moves has no room, from wherever the focus is."""
        told = self.query_one(".told", VerticalScroll)
        told.scroll_relative(y=direction * max(1, told.size.height - 1), animate=False)

    @on(Button.Pressed)
    def press(self, event: Button.Pressed) -> None:
        """Give the answer."""
        if event.button.id != "do":
            self.dismiss(None)
            return
        values = {row.field.key: row.value for row in self.query(FieldRow)}
        self.dismiss(Agreement(values.get("cordon") == YES, int(values[_PARALLEL.key])))


class ResumePlan(Asking[bool | None]):
    """Gives True where a plan is to be resumed, False where it is given up, None where it stays as it is."""

    BINDINGS: ClassVar = [
        Binding("escape", "dismiss(None)", "Cancel"),
        Binding("left,h", "app.focus_previous", show=False),
        Binding("right,l", "app.focus_next", show=False),
    ]
    CSS_PATH: ClassVar = ["../dialogs/dialogs.tcss", "plans.tcss"]

    def compose(self) -> ComposeResult:
        """Lay out what is left, and the buttons."""
        question = self.question
        with Vertical(classes="dialog destructive") as dialog:
            dialog.border_title = Content(printable(question.title))
            yield from self.words()
            yield from self.buttons(Button("Discard", id="forget", compact=True))

    def on_mount(self) -> None:
        """Begin where a hasty Enter does no harm."""
        self.query_one("#cancel").focus()

    @on(Button.Pressed)
    def press(self, event: Button.Pressed) -> None:
        """Give the answer."""
        self.dismiss({"do": True, "forget": False}.get(event.button.id or ""))
