"""The keys of a view, made from what is bound there."""

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from core.text import printable
from tui.commands import Command
from tui.context import WithContext
from tui.widgets.modal import Modal


class KeysScreen(Modal[None], WithContext):
    """Lists the keys of a screen, of what has the focus there, and of the application."""

    BINDINGS: ClassVar = [Binding("escape,q,question_mark", "dismiss(None)", "Close")]
    CSS_PATH = "key_help.tcss"

    def __init__(self, screen: Screen[object]) -> None:
        super().__init__()
        self._of = screen

    def compose(self) -> ComposeResult:
        """List the groups one below the other."""
        scroll = VerticalScroll()
        scroll.border_title = "Keys"
        scroll.border_subtitle = "Esc closes"
        with scroll:
            place = (*self.realms.place, *getattr(self._of, "place", ()))
            yield from _group(printable(place[-1]) if place else "Here", getattr(self._of, "KEYS", ()))
            focused = self._of.focused
            yield from _group("Table", getattr(focused, "KEYS", ()))
            yield from _group("Everywhere", self.realms.app_commands)

    def on_mount(self) -> None:
        """Let the arrow keys scroll."""
        self.query_one(VerticalScroll).focus()


def _group(title: str, commands: Iterable[Command]) -> ComposeResult:
    lines = [
        Content.assemble((f"  {command.key_text:<10}", "$accent bold"), (command.help, "")) for command in commands
    ]
    if lines:
        yield Static(Content(title), classes="group")
        yield Static(Content("\n").join(lines))
