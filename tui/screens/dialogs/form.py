"""A question about VMs with a few fields to fill in: how long, under which name, what else."""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static

from core.text import printable
from tui.forms.fields import FormField
from tui.forms.host import Fault
from tui.render.question import Question
from tui.screens.dialogs.dialog import FormDialog
from tui.widgets.fields import FieldRow
from tui.widgets.tones import paragraphs

Check = Callable[[Mapping[str, str]], Mapping[str, Fault]]


class VMForm(FormDialog[dict[str, str] | None]):
    """Gives what is in the fields, None where nothing is to be done. What is wrong with a field is said at once."""

    CSS_PATH: ClassVar = ["dialogs.tcss", "forms.tcss"]

    def __init__(self, question: Question, fields: Sequence[FormField], check: Check | None = None) -> None:
        super().__init__()
        self.question = question
        self._fields = tuple(fields)
        self._check = check
        self.values = {field.key: field.value for field in fields}

    def compose(self) -> ComposeResult:
        """Lay out the question, the fields and the buttons."""
        question = self.question
        with Vertical(classes="dialog" + (" destructive" if question.destructive else "")) as dialog:
            dialog.border_title = Content(printable(question.title))
            with VerticalScroll(classes="told", can_focus=False):
                yield Static(paragraphs(question.lines))
            with Vertical(classes="fields"):
                for field in self._fields:
                    yield FieldRow(field, label_width=0) if field.tick else FieldRow(field)
            with Horizontal(classes="buttons"):
                yield Button(Content(question.otherwise), id="cancel", compact=True)
                yield Button(Content(question.verb), id="do", compact=True)

    def on_mount(self) -> None:
        """Begin where a hasty Enter does no harm; in a field, where nothing is lost."""
        if self.question.destructive:
            self.query_one("#cancel").focus()
        else:
            self.query(FieldRow).first().edit()
        self._look()

    @on(FieldRow.Changed)
    def take_over(self, event: FieldRow.Changed) -> None:
        """Check all fields again."""
        self.values[event.row.field.key] = event.row.value
        self._look()

    def _look(self) -> None:
        faults = self._check(self.values) if self._check is not None else {}
        for row in self.query(FieldRow):
            fault = faults.get(row.field.key)
            row.complain(fault.text if fault is not None else "", warning=fault is not None and not fault.refused)
        self.query_one("#do", Button).disabled = any(fault.refused for fault in faults.values())

    @on(FieldRow.Submitted)
    def go_on(self) -> None:
        """Go to the next field on Enter, then to the button."""
        self.focus_next()

    @on(Button.Pressed)
    def press(self, event: Button.Pressed) -> None:
        """Give the answer."""
        self.dismiss(dict(self.values) if event.button.id == "do" else None)
