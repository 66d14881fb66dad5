"""A question before a change: what it will do, and a way out that has the focus."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from core.text import plural, printable
from tui.render.question import Question
from tui.screens.dialogs.dialog import Dialog, T
from tui.widgets.tones import paragraphs


class Asking(Dialog[T]):
    """What asks a question: its words, the field where something has to be typed, and the buttons."""

    def __init__(self, question: Question) -> None:
        super().__init__()
        self.question = question

    @property
    def is_cautious(self) -> bool:
        """Whether keys that were typed before it was drawn could do harm."""
        return self.question.destructive

    def show_dropped(self, count: int) -> None:
        """Say that keys were ignored."""
        keys = plural(count, "key")
        self.query_one(".dialog").border_subtitle = f"{keys} typed before this was drawn: ignored"

    def words(self) -> ComposeResult:
        """Lay out what is told."""
        with VerticalScroll(classes="told", can_focus=False):
            yield Static(paragraphs(self.question.lines))

    def typing(self) -> ComposeResult:
        """Lay out what has to be typed, where something has to be."""
        if self.question.to_type:
            asked = Content.assemble("Type ", (printable(self.question.to_type), "bold"), " to confirm:")
            yield Static(asked, classes="asked")
            yield Input(id="typed", select_on_focus=False)

    def buttons(self, *between: Button) -> ComposeResult:
        """Lay out the way out, what else can be chosen, and the button that does it: not before the words are typed."""
        with Horizontal(classes="buttons"):
            yield Button(Content(self.question.otherwise), id="cancel", compact=True)
            yield from between
            verb = Button(Content(self.question.verb), id="do", compact=True)
            verb.disabled = bool(self.question.to_type)
            yield verb

    @on(Input.Changed, "#typed")
    def compare(self, event: Input.Changed) -> None:
        """Let the button work once exactly the right words are typed."""
        self.query_one("#do", Button).disabled = event.value.strip() != self.question.to_type

    @on(Input.Submitted, "#typed")
    def submit(self) -> None:
        """Do it on Enter, where the words are right."""
        self.action_do()


class Confirm(Asking[bool]):
    """Gives True where the change is wanted. Destructive changes begin on Cancel; some want a name typed first."""

    BINDINGS: ClassVar = [
        Binding("escape", "dismiss(False)", "Cancel"),
        Binding("left,h", "app.focus_previous", show=False),
        Binding("right,l", "app.focus_next", show=False),
    ]
    CSS_PATH = "dialogs.tcss"

    def compose(self) -> ComposeResult:
        """Lay out the question, the field where one is needed, and the buttons."""
        question = self.question
        with Vertical(classes="dialog" + (" destructive" if question.destructive else "")) as dialog:
            dialog.border_title = Content(printable(question.title))
            yield from self.words()
            yield from self.typing()
            yield from self.buttons()

    def on_mount(self) -> None:
        """Begin where a hasty Enter does no harm."""
        question = self.question
        if question.to_type:
            self.query_one("#typed").focus()
        else:
            self.query_one("#cancel" if question.destructive else "#do").focus()

    @on(Button.Pressed)
    def press(self, event: Button.Pressed) -> None:
        """Give the answer."""
        self.dismiss(event.button.id == "do")
