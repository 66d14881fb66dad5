"""A text in HOCON to look at, to copy and to save: what dialogs share that propose a file."""

import os
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Label

from core.errors import UnwritableFile
from core.text import printable
from tui.context import WithContext
from tui.render.cells import Piece, Tone
from tui.widgets.flow import Flow
from tui.widgets.modal import Modal

Lines = list[tuple[Piece, ...]]


def write_new(path: Path, text: str) -> bool:
    """Write a new file; False where there is one already. Raises UnwritableFile."""
    try:
        with path.open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError:
        return False
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnwritableFile(f"{path}: {reason.lower()}", hint="choose another location") from error
    return True


def hocon_lines(text: str, width: int) -> Lines:
    """Break lines that are too long: what follows stays within its block, and a comment to the eye where it is one."""
    lines: Lines = []
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        comment = line.lstrip().startswith("#")
        further = " " * indent + ("#     " if comment else "    ")
        tone = Tone.MUTED if comment else Tone.PLAIN
        broken = textwrap.wrap(line, width, subsequent_indent=further, break_on_hyphens=False)
        lines += [((part, tone),) for part in broken or [""]]
    return lines


class TextFileDialog(Modal[None], WithContext):
    """Shows the text; `text_of` says what it is in a file of a folder, `save` writes it."""

    BINDINGS: ClassVar = [
        Binding("escape", "dismiss(None)", "Close"),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
    ]

    def lay_out(self, title: str, file: str, *more: Button, classes: str = "dialog") -> ComposeResult:
        """Lay out the text, where it goes, and what can be done with it."""
        with Vertical(classes=classes) as dialog:
            dialog.border_title = Content(printable(title))
            dialog.border_subtitle = Content("PgUp/PgDn scroll, Esc close")
            with VerticalScroll(id="hocon"):
                yield Flow(id="text")
            yield Flow(id="where")
            with Horizontal(classes="row"):
                yield Label("Save as", classes="label")
                yield Input(file, id="file", classes="field", select_on_focus=False)
            with Horizontal(classes="buttons"):
                yield Button("Close", id="close", compact=True)
                yield Button("Save", id="save", compact=True)
                yield from more
                yield Button("Copy", id="copy", compact=True)

    def show_text(self, text: str, where: Callable[[int], Lines]) -> None:
        """Show the text and where it goes, and begin where a hasty Enter does no harm."""
        self.query_one("#text", Flow).show(lambda width: hocon_lines(text, width))
        self.query_one("#where", Flow).show(where)
        self.query_one("#copy").focus()

    def action_page(self, direction: int) -> None:
        """Scroll the text."""
        text = self.query_one("#hocon")
        text.scroll_relative(y=direction * max(1, text.size.height - 1), animate=False)

    def copy(self, text: str, what: str) -> None:
        """Copy by the terminal, and say so."""
        self.app.copy_to_clipboard(text)
        self.realms.tell(f"{what} copied to the clipboard (OSC 52).")

    @on(Button.Pressed, "#close")
    def close_dialog(self) -> None:
        """Close."""
        self.dismiss(None)

    @on(Button.Pressed, "#save")
    @on(Input.Submitted)
    def save_under_name(self) -> None:
        """Save under the name that stands there."""
        name = self.query_one("#file", Input).value.strip()
        if name:
            self.save(Path(os.path.expanduser(name)).absolute())
        else:
            self.query_one("#file").focus()

    def save(self, path: Path) -> None:
        """Save as this file."""
