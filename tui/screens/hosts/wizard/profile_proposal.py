"""A hardware profile proposed from what a host is: to look at, to copy, to save; never put anywhere by itself."""

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

from core.config.model import Configuration
from core.driver.hosts.survey import HostSurvey
from core.errors import UnwritableFile
from core.operations.hardware.discover import identifier, propose
from core.operations.hardware.profile_hocon import write_hocon
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control
from core.text import printable
from tui.context import WithContext
from tui.render.cells import Piece, Tone
from tui.render.hosts.findings import hanging
from tui.widgets.flow import Flow
from tui.widgets.modal import Modal


def free_id(survey: HostSurvey, configuration: Configuration) -> str:
    """Make an id of the host's name that no profile has."""
    wanted = free = identifier(survey.host_name)
    number = 2
    while free in configuration.hardware_profiles:
        free, number = f"{wanted}-{number}", number + 1
    return free


def save(path: Path, text: str) -> None:
    """Write a new file, for its owner to look through; raises UnwritableFile, also for one that exists."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise UnwritableFile(f"{path} already exists and is not overwritten", hint="choose another name") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnwritableFile(f"{path}: {reason.lower()}", hint="choose another place") from error


class ProposalDialog(Modal[None], WithContext):
    """Shows the text; the user's configuration is never touched."""

    BINDINGS: ClassVar = [
        Binding("escape", "dismiss(None)", "Close"),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
    ]
    CSS_PATH: ClassVar = ["../../dialogs/dialogs.tcss", "wizard.tcss"]

    def __init__(self, survey: HostSurvey) -> None:
        super().__init__()
        self._survey = survey
        self.text = ""
        """The proposal, as it is copied and saved."""

    def compose(self) -> ComposeResult:
        """Lay out the text, where it goes, and what can be done with it."""
        configuration = self.realms.session.configuration
        proposal = propose(self._survey, configuration, profile_id=free_id(self._survey, configuration))
        self.text = write_hocon(proposal)
        with Vertical(classes="dialog proposal") as dialog:
            dialog.border_title = Content(printable(f"Proposed profile {proposal.profile.id}"))
            dialog.border_subtitle = Content("PgUp and PgDn scroll, Esc closes")
            with VerticalScroll(id="hocon"):
                yield Flow(id="text")
            yield Flow(id="where")
            with Horizontal(classes="row"):
                yield Label("Save as", classes="label")
                yield Input(f"{proposal.profile.id}.conf", id="file", classes="field", select_on_focus=False)
            with Horizontal(classes="buttons"):
                yield Button("Close", id="close", compact=True)
                yield Button("Save", id="save", compact=True)
                yield Button("Copy", id="copy", compact=True)

    def on_mount(self) -> None:
        """Say where the text goes, and begin where a hasty Enter does no harm."""
        path, text = self.realms.session.configuration_path, self.text
        self.query_one("#text", Flow).show(lambda width: _hocon_lines(text, width))
        self.query_one("#where", Flow).show(lambda width: _where_lines(path, width))
        self.query_one("#copy").focus()

    def action_page(self, direction: int) -> None:
        """Scroll the text."""
        text = self.query_one("#hocon")
        text.scroll_relative(y=direction * max(1, text.size.height - 1), animate=False)

    @on(Button.Pressed)
    def press(self, event: Button.Pressed) -> None:
        """Do what the button says."""
        match event.button.id:
            case "copy":
                self.app.copy_to_clipboard(self.text)
                self.realms.tell("Proposal copied to the clipboard (OSC 52).")
            case "save":
                self._save()
            case _:
                self.dismiss(None)

    @on(Input.Submitted)
    def _save(self) -> None:
        """Save under the name that stands there."""
        name = self.query_one("#file", Input).value.strip()
        if not name:
            self.query_one("#file").focus()
            return
        path = Path(os.path.expanduser(name)).absolute()
        text = self.text

        def job(control: Control) -> str:
            with control.step(StepKind.WRITE, f"write {path}"):
                save(path, text)
            return f"{path} written; configuration unchanged"

        self.realms.run_task("save profile", str(path), job)


def _hocon_lines(text: str, width: int) -> list[tuple[Piece, ...]]:
    """Break lines that are too long, so that what follows stays within its block."""
    lines: list[tuple[Piece, ...]] = []
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        comment = line.lstrip().startswith("#")
        further = " " * indent + ("#   " if comment else "    ")
        tone = Tone.MUTED if comment else Tone.PLAIN
        lines += [((part, tone),) for part in textwrap.wrap(line, width, subsequent_indent=further) or [""]]
    return lines


def _where_lines(path: Path | None, width: int) -> list[tuple[Piece, ...]]:
    file = str(path) if path is not None else "the configuration's main file"
    told = (
        f"The configuration is not changed. Review this, append it to {file}, run realms check, and restart realms: "
        "this wizard then offers it. Or choose another profile now and edit the host later."
    )
    return [(), *hanging("", Tone.PLAIN, told, Tone.MUTED, width)]
