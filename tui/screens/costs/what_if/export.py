"""A what-if to take away: its lines for the configuration and the command that asks the same, copied or saved."""

import os
import textwrap
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Button

from core.errors import RealmsError, UnwritableFile
from core.files import PRIVATE, replace_file
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control
from core.placement.what_if.sandbox import Sandbox
from tui.forms.request import Asked
from tui.render.cells import Piece, Tone
from tui.render.costs.what_if_export import command_line, overlay
from tui.render.question import Question
from tui.screens.background import BackgroundWork
from tui.screens.dialogs.confirm import Confirm
from tui.screens.dialogs.text_file import TextFileDialog, hocon_lines, write_new

FILE = "what-if.conf"

_AROUND = 14
"""Lines of the dialog, and around it, beside the text."""


def write(path: Path, text: str, *, replace: bool) -> bool:
    """Write the file; False where there is one already that is not to be replaced. Raises UnwritableFile.

    A file that is replaced is never half one and half the other.
    """
    if not replace:
        if write_new(path, text):
            return True
        if not os.path.isfile(path):
            raise UnwritableFile(f"{path} is not a regular file", hint="choose another name")
        return False
    try:
        replace_file(path, text.encode(), mode=PRIVATE)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnwritableFile(f"{path}: {reason.lower()}", hint="choose another location") from error
    return True


def check_target(path: Path, main_file: Path | None) -> None:
    """Refuse to write over the configuration itself; raises UnwritableFile."""
    try:
        same = main_file is not None and os.path.exists(path) and os.path.exists(main_file) and path.samefile(main_file)
    except (OSError, ValueError):  # what can't even be looked at can't be written either, and says so then
        return
    if same:
        message = f"{path} is the active configuration: a what-if never changes it"
        raise UnwritableFile(message, hint="choose another name")


class ExportDialog(TextFileDialog, BackgroundWork):
    """Shows what would make the what-if real; nothing does so by itself."""

    BINDINGS: ClassVar = [
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
    ]
    CSS_PATH: ClassVar = ["../../dialogs/dialogs.tcss", "what_if.tcss"]

    def __init__(self, sandbox: Sandbox, asked: Asked) -> None:
        super().__init__()
        self._sandbox = sandbox
        self._asked = asked
        self.command = command_line(sandbox.changes, asked.request, asked.count)
        """The command that asks the same."""

    @property
    def _main_file(self) -> Path | None:
        path = self.realms.session.configuration_path
        return path.absolute() if path is not None else None

    def text(self, folder: Path) -> str:
        """Return the file as it would be written into a folder."""
        return overlay(self._sandbox, self._main_file, folder, self._asked.request, self._asked.count)

    def compose(self) -> ComposeResult:
        """Lay out the text, and copying the command beside it."""
        yield from self.lay_out("Export the what-if", FILE, Button("Copy command", id="copy-command", compact=True))

    def on_mount(self) -> None:
        """Show the file as it would be written here."""
        text = self.text(Path.cwd())
        room = max(3, self.size.height - _AROUND)
        self.query_one("#hocon").styles.height = min(room, len(hocon_lines(text, min(self.size.width - 8, 104))))
        self.show_text(text, lambda width: _said(self._where(), width))

    def _where(self) -> str:
        if not self._sandbox.settings:
            return "The configuration is not changed: use the commands above to change hosts and VMs."
        if self._main_file is None:
            return "Nothing is applied yet. To apply, append these lines to the main configuration file."
        return (
            "Nothing is applied yet. Save it as a separate configuration, check it with realms check FILE, "
            "and use it with realms --config FILE."
        )

    @on(Button.Pressed, "#copy")
    def copy_file(self) -> None:
        """Copy the file as it would be written here."""
        self.copy(self.text(Path.cwd()), "What-if")

    @on(Button.Pressed, "#copy-command")
    def copy_command(self) -> None:
        """Copy the command that asks the same."""
        self.copy(self.command, "Command")

    def save(self, path: Path, *, replace: bool = False) -> None:
        """Save as this file, once it is known that another one may be replaced."""
        main_file, text = self._main_file, self.text(path.parent)

        def job(control: Control) -> bool:
            with control.step(StepKind.WRITE, f"write {path}"):
                check_target(path, main_file)
                return write(path, text, replace=replace)

        self.background.ask("save", job, lambda done: self._saved(path, done=done), self._failed)

    def _saved(self, path: Path, *, done: bool) -> None:
        if done:
            self.realms.tell(f"{path} written; the configuration is unchanged.")
            self.dismiss(None)
            return
        lines = (((f"{path} already exists.", Tone.PLAIN),), (("Its current content is lost.", Tone.MUTED),))
        question = Question("Replace the file?", lines, "Replace", destructive=True)
        self.app.push_screen(Confirm(question), lambda wanted: self.save(path, replace=True) if wanted else None)

    def _failed(self, error: RealmsError) -> None:
        self.realms.tell(error.message, "error", hint=error.hint)


def _said(text: str, width: int) -> list[tuple[Piece, ...]]:
    return [(), *(((line, Tone.MUTED),) for line in textwrap.wrap(text, width))]
