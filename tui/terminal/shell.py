"""What every full-screen application here has: the themes, the gate before the terminal, and a quiet end."""

import os
from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

from rich.console import RenderableType
from textual import events
from textual.app import App
from textual.binding import Binding
from textual.filter import LineFilter
from textual.notifications import SeverityLevel
from textual.screen import Screen

from core.text import printable
from tui.terminal.keyboard import Keyboard
from tui.terminal.lifeline import ExitGuard
from tui.terminal.sanitize import PrintableOnly
from tui.terminal.theme import THEMES, VARIABLE_DEFAULTS, theme_for

Result = TypeVar("Result")


class Shell(App[Result], Generic[Result]):
    """An application in our colours, from which nothing reaches the terminal that could act on it."""

    TITLE = "Libvirt Realms"
    CSS_PATH = "base.tcss"
    NOTIFICATION_TIMEOUT = 6
    BINDINGS: ClassVar = [
        # With priority they act before the next key is handed out: text typed right after Tab, or pasted with it,
        # must not go into the field before.
        Binding("tab", "app.focus_next", show=False, priority=True),
        Binding("shift+tab", "app.focus_previous", show=False, priority=True),
    ]

    def __init__(self, theme: str = "", *, colors: int | None = None, lifeline: ExitGuard | None = None) -> None:
        super().__init__()
        self.failure: BaseException | None = None
        """An error that nobody foresaw: to be raised again once the terminal is restored."""
        self.lifeline = lifeline
        self.keyboard = Keyboard(self, super().on_event)
        self._sanitizer = PrintableOnly()
        for known in THEMES:
            self.register_theme(known)
        self.theme = theme_for(theme, colors)

    def tell(self, text: str, severity: SeverityLevel = "information", *, hint: str = "") -> None:
        """Show a short message, and a hint below it; the only way to, as it is never read as markup."""
        shown = printable(text) + (f"\n{printable(hint)}" if hint else "")
        self.notify(shown, severity=severity, markup=False)

    async def on_event(self, event: events.Event) -> None:
        """Hand out keys one by one, all else at once."""
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            self.keyboard.take(event)
        else:
            await super().on_event(event)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        self.keyboard.draws(screen)
        super()._display(screen, renderable)

    def on_load(self) -> None:
        """Notice each screen that comes to the front."""
        self.screen_change_signal.subscribe(self, self.keyboard.look, immediate=True)

    def on_app_blur(self, event: events.AppBlur) -> None:
        """Keep the focus where it is while another window has the keyboard.

        The key that comes first afterwards is then not lost, and nothing is drawn for a change of windows.
        """
        event.prevent_default()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Let nothing reach the terminal that could act on it, whichever widget drew it."""
        return [*super().get_line_filters(), self._sanitizer]

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return Textual's own themes the variables that ours define."""
        return VARIABLE_DEFAULTS

    def exit(self, result: Result | None = None, return_code: int = 0, message: object = None) -> None:
        """Leave, at the latest when the last resort strikes."""
        del message  # nothing is printed over the user's shell
        if self.lifeline is not None:
            self.lifeline.arm(return_code)
        super().exit(result, return_code)

    def _handle_exception(self, error: Exception) -> None:
        self.failure = error
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        # Textual's own traceback prints local variables, and with them whatever secrets they hold.
        self._close_messages_no_wait()


def terminal_colors() -> int | None:
    """Return how many colours the terminal has where it says that it has few; None otherwise."""
    if os.environ.get("COLORTERM") in ("truecolor", "24bit"):
        return None
    term = os.environ.get("TERM", "")
    if "256color" in term or "direct" in term:
        return None
    few = ("linux", "vt100", "vt220", "ansi", "xterm", "xterm-16color", "screen", "tmux", "rxvt")
    return 16 if term in few else None
