"""A what-if to take away: its lines for the configuration and the command that asks the same, copied or saved."""

import os
import textwrap
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Label

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
from tui.widgets.flow import Flow
from tui.widgets.modal import Modal

FILE = "what-if.conf"

_AROUND = 14
"""Lines of the dialog, and around it, beside the text."""


def write(path: Path, text: str, *, replace: bool) -> bool:
    """Write the file; False where there is one already that is not to be replaced. Raises UnwritableFile.

    A file that is replaced is never half one and half the other.
    """
    try:
        if not replace:
            with path.open("x", encoding="utf-8") as new:
                new.write(text)
            return True
        replace_file(path, text.encode(), mode=PRIVATE)
    except FileExistsError:
        if path.is_file():
            return False
        raise UnwritableFile(f"{path} is not a regular file", hint="choose another name") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnwritableFile(f"{path}: {reason.lower()}", hint="choose another location") from error
    return True


def check_target(path: Path, main_file: Path | None) -> None:
    """Refuse to write over the configuration itself; raises UnwritableFile."""
    try:
        same = main_file is not None and path.exists() and main_file.exists() and path.samefile(main_file)
    except (OSError, ValueError):  # what can't even be looked at can't be written either, and says so then
        return
    if same:
        message = f"{path} is the active configuration: a what-if never changes it"
        raise UnwritableFile(message, hint="choose another name")


class ExportDialog(Modal[None], BackgroundWork):
    """Shows what would make the what-if real; nothing does so by itself."""

    BINDINGS: ClassVar = [
        Binding("escape", "dismiss(None)", "Close"),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
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
        """Lay out the text, where it goes, and what can be done with it."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content("Export the what-if")
            dialog.border_subtitle = Content("PgUp/PgDn scroll, Esc close")
            with VerticalScroll(id="hocon"):
                yield Flow(id="text")
            yield Flow(id="where")
            with Horizontal(classes="row"):
                yield Label("Save as", classes="label")
                yield Input(FILE, id="file", classes="field", select_on_focus=False)
            with Horizontal(classes="buttons"):
                yield Button("Close", id="close", compact=True)
                yield Button("Save", id="save", compact=True)
                yield Button("Copy command", id="copy-command", compact=True)
                yield Button("Copy", id="copy", compact=True)

    def on_mount(self) -> None:
        """Show the file as it would be written here, and begin where a hasty Enter does no harm."""
        text = self.text(Path.cwd())
        room = max(3, self.size.height - _AROUND)
        self.query_one("#hocon").styles.height = min(room, len(_hocon_lines(text, min(self.size.width - 8, 104))))
        self.query_one("#text", Flow).show(lambda width: _hocon_lines(text, width))
        self.query_one("#where", Flow).show(lambda width: _said(self._where(), width))
        self.query_one("#copy").focus()

    def _where(self) -> str:
        if not self._sandbox.settings:
            return "The configuration is not changed: use the commands above to change hosts and VMs."
        if self._main_file is None:
            return "Nothing is applied yet. To apply, append these lines to the main configuration file."
        return (
            "Nothing is applied yet. Save it as a separate configuration, check it with realms check FILE, "
            "and use it with realms --config FILE."
        )

    def action_page(self, direction: int) -> None:
        """Scroll the text."""
        text = self.query_one("#hocon")
        text.scroll_relative(y=direction * max(1, text.size.height - 1), animate=False)

    @on(Button.Pressed)
    def press(self, event: Button.Pressed) -> None:
        """Do what the button says."""
        match event.button.id:
            case "copy":
                self.app.copy_to_clipboard(self.text(Path.cwd()))
                self.realms.tell("What-if copied to the clipboard (OSC 52).")
            case "copy-command":
                self.app.copy_to_clipboard(self.command)
                self.realms.tell("Command copied to the clipboard (OSC 52).")
            case "save":
                self._save(replace=False)
            case _:
                self.dismiss(None)

    @on(Input.Submitted)
    def submit(self) -> None:
        """Save under the name that stands there."""
        self._save(replace=False)

    def _save(self, *, replace: bool) -> None:
        name = self.query_one("#file", Input).value.strip()
        if not name:
            self.query_one("#file").focus()
            return
        path, main_file = Path(os.path.expanduser(name)).absolute(), self._main_file
        text = self.text(path.parent)

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
        self.app.push_screen(Confirm(question), lambda wanted: self._save(replace=True) if wanted else None)

    def _failed(self, error: RealmsError) -> None:
        self.realms.tell(error.message, "error", hint=error.hint)


def _hocon_lines(text: str, width: int) -> list[tuple[Piece, ...]]:
    """Break lines that are too long; what follows stays a comment to the eye where it is one."""
    lines: list[tuple[Piece, ...]] = []
    for line in text.splitlines():
        tone = Tone.MUTED if line.startswith("#") else Tone.PLAIN
        further = "#     " if line.startswith("#") else "    "
        broken = textwrap.wrap(line, width, subsequent_indent=further, break_on_hyphens=False)
        lines += [((part, tone),) for part in broken or [""]]
    return lines


def _said(text: str, width: int) -> list[tuple[Piece, ...]]:
    return [(), *(((line, Tone.MUTED),) for line in textwrap.wrap(text, width))]
