"""What dialogs share that end in doing something."""

from typing import ClassVar, TypeVar

from textual.binding import Binding
from textual.widgets import Button

from tui.widgets.modal import Modal

T = TypeVar("T")


class Dialog(Modal[T]):
    """Ctrl+S presses the button that does it, `#do`, from wherever the focus is, as in every form."""

    BINDINGS: ClassVar = [Binding("ctrl+s", "do", show=False)]

    def action_do(self) -> None:
        """Do it, where it can be done as things stand."""
        self.query_one("#do", Button).press()


class FormDialog(Dialog[T]):
    """Esc gives None; up and down go from field to field."""

    BINDINGS: ClassVar = [
        Binding("escape", "dismiss(None)", "Cancel"),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]
