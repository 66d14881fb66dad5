"""A question before a change: what it will do, and a way out that has the focus."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from core.text import printable
from tui.screens.dialog import Dialog
from tui.widgets.tones import paragraphs

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from tui.render.host_changes import Question


class Confirm(Dialog[bool]):
    """Gives True where the change is wanted. Destructive changes begin on Cancel; some want a name typed first."""

    BINDINGS: ClassVar = [
        Binding("escape", "dismiss(False)", "Cancel"),
        Binding("left,h", "app.focus_previous", show=False),
        Binding("right,l", "app.focus_next", show=False),
    ]
    CSS_PATH = "dialogs.tcss"

    def __init__(self, question: Question) -> None:
        super().__init__()
        self.question = question

    def compose(self) -> ComposeResult:
        """Lay out the question, the field where one is needed, and the buttons."""
        question = self.question
        with Vertical(classes="dialog" + (" destructive" if question.destructive else "")) as dialog:
            dialog.border_title = Content(printable(question.title))
            with VerticalScroll(classes="told", can_focus=False):
                yield Static(paragraphs(question.lines))
            if question.to_type:
                asked = Content.assemble("Type ", (printable(question.to_type), "bold"), " to go on:")
                yield Static(asked, classes="asked")
                yield Input(id="typed", select_on_focus=False)
            with Horizontal(classes="buttons"):
                yield Button(Content(question.otherwise), id="cancel", compact=True)
                verb = Button(Content(question.verb), id="do", compact=True)
                verb.disabled = bool(question.to_type)
                yield verb

    def on_mount(self) -> None:
        """Begin where a hasty Enter does no harm."""
        question = self.question
        if question.to_type:
            self.query_one("#typed").focus()
        else:
            self.query_one("#cancel" if question.destructive else "#do").focus()

    @on(Input.Changed)
    def compare(self, event: Input.Changed) -> None:
        """Let the button work once exactly the right words are typed."""
        self.query_one("#do", Button).disabled = event.value.strip() != self.question.to_type

    @on(Input.Submitted)
    def submit(self) -> None:
        """Do it on Enter, where the words are right."""
        self.action_do()

    @on(Button.Pressed)
    def press(self, event: Button.Pressed) -> None:
        """Give the answer."""
        self.dismiss(event.button.id == "do")
