"""The first start: no configuration was found, or the one found has errors."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from core.errors import RealmsError
from tui.render.welcome import welcome_lines
from tui.state.settings import Settings, default_path
from tui.terminal.lifeline import ExitGuard
from tui.terminal.shell import Shell, terminal_colors
from tui.widgets.tones import paragraphs


@dataclass(frozen=True, slots=True)
class FileChoice:
    """What was chosen: the demo, or a configuration's path; neither: to leave."""

    demo: bool = False
    path: Path | None = None


class WelcomeApp(Shell[FileChoice]):
    """Offers the demo and a path, and shows where files are looked for or what is wrong with the one found."""

    CSS_PATH = "welcome.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar = [
        Binding("escape", "leave", "Quit"),
        Binding("ctrl+q", "leave", "Quit", priority=True),
        Binding("ctrl+d", "demo", "Demo", priority=True),
        Binding("ctrl+z", "suspend_process", "Suspend"),
        Binding("up,left", "app.focus_previous", show=False),
        Binding("down,right", "app.focus_next", show=False),
    ]

    def __init__(
        self,
        searched: Sequence[Path],
        error: RealmsError | None = None,
        *,
        theme: str = "",
        colors: int | None = None,
        lifeline: ExitGuard | None = None,
    ) -> None:
        super().__init__(theme, colors=colors, lifeline=lifeline)
        self.searched = tuple(searched)
        self.error = error

    def compose(self) -> ComposeResult:
        """Lay out what was found, the field for a path, and the buttons."""
        with Vertical(id="welcome") as box:
            box.border_title = Content("Libvirt Realms")
            with VerticalScroll(id="told", can_focus=self.error is not None):
                yield Static(paragraphs(welcome_lines(self.searched, self.error)))
            yield Static(Content("Configuration file:"), id="asked")
            yield Input(placeholder="path of a ticrypt-vm.conf or its folder", id="path")
            yield Static(id="wrong")
            with Horizontal(id="buttons"):
                yield Button("Open", id="open", compact=True)
                yield Button("Demo", id="demo", compact=True)
                yield Button("Quit", id="quit", compact=True)
            demo = "The demo (Ctrl+D) needs no hosts, root or files: it runs on libvirt's test driver."
            yield Static(Content(demo), id="note")

    def on_mount(self) -> None:
        """Begin at the path."""
        self.query_one("#path").focus()

    @on(Button.Pressed)
    def press(self, event: Button.Pressed) -> None:
        """Do what the button says."""
        match event.button.id:
            case "open":
                self.open_path()
            case "demo":
                self.action_demo()
            case _:
                self.action_leave()

    @on(Input.Submitted)
    def open_path(self) -> None:
        """Give the path, where there is such a file."""
        text = self.query_one(Input).value.strip()
        if not text:
            self._complain("Enter a path, or choose the demo.")
            return
        path = Path(os.path.expanduser(text))  # Path's own raises for a user who isn't there
        try:
            if os.path.isdir(path):
                path /= "ticrypt-vm.conf"
            found = os.path.isfile(path)
        except (OSError, ValueError) as error:  # too long, not permitted, a zero byte
            self._complain(f"cannot read {text}: {error}")
            return
        if not found:
            self._complain(f"No such file: {path}.")
            return
        self.exit(FileChoice(path=path))

    def _complain(self, text: str) -> None:
        from core.text import one_line

        self.query_one("#wrong", Static).update(Content(one_line(text)))

    def action_demo(self) -> None:
        """Choose the demo."""
        self.exit(FileChoice(demo=True))

    def action_leave(self) -> None:
        """Leave."""
        self.exit(FileChoice())


def run_welcome(searched: Sequence[Path], error: RealmsError | None = None) -> FileChoice:
    """Ask what to open, where no configuration was found in the paths searched, or where `error` says what is wrong.

    Gives an empty choice where the user wants to leave. The terminal is free again afterwards.
    """
    lifeline = ExitGuard()
    theme = Settings.load(default_path()).theme
    app = WelcomeApp(searched, error, theme=theme, colors=terminal_colors())
    with lifeline.signals(lambda code: app.exit(FileChoice(), return_code=code)):
        choice = app.run()
    if app.failure is not None:
        raise app.failure
    lifeline.disarm()
    return choice or FileChoice()
