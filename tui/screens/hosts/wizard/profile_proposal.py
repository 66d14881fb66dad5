"""A hardware profile proposed from what a host is: to look at, to copy, to save; never put anywhere by itself."""

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.widgets import Button

from core.config.model import Configuration
from core.driver.hosts.survey import HostSurvey
from core.errors import UnwritableFile
from core.operations.hardware.discover import identifier, propose
from core.operations.hardware.profile_hocon import write_hocon
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Control
from tui.render.cells import Piece, Tone
from tui.render.hosts.findings import hanging
from tui.screens.dialogs.text_file import TextFileDialog, write_new


def free_id(survey: HostSurvey, configuration: Configuration) -> str:
    """Make an id of the host's name that no profile has."""
    wanted = free = identifier(survey.host_name)
    number = 2
    while free in configuration.hardware_profiles:
        free, number = f"{wanted}-{number}", number + 1
    return free


def save(path: Path, text: str) -> None:
    """Write a new file, for its owner to look through; raises UnwritableFile, also for one that exists."""
    if not write_new(path, text):
        raise UnwritableFile(f"{path} already exists and is not overwritten", hint="choose another name")


class ProposalDialog(TextFileDialog):
    """Shows the text; the user's configuration is never touched."""

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
        identity = proposal.profile.id
        yield from self.lay_out(f"Proposed profile {identity}", f"{identity}.conf", classes="dialog proposal")

    def on_mount(self) -> None:
        """Say where the text goes."""
        path = self.realms.session.configuration_path
        self.show_text(self.text, lambda width: _where_lines(path, width))

    @on(Button.Pressed, "#copy")
    def copy_proposal(self) -> None:
        """Copy the proposal."""
        self.copy(self.text, "Proposal")

    def save(self, path: Path) -> None:
        """Save as a new file, as a task."""
        text = self.text

        def job(control: Control) -> str:
            with control.step(StepKind.WRITE, f"write {path}"):
                save(path, text)
            return f"{path} written; configuration unchanged"

        self.realms.run_task("save profile", str(path), job)


def _where_lines(path: Path | None, width: int) -> list[tuple[Piece, ...]]:
    file = str(path) if path is not None else "the configuration's main file"
    told = (
        f"The configuration is not changed. Review this, append it to {file}, run realms check, and restart realms: "
        "this wizard then offers it. Or choose another profile now and edit the host later."
    )
    return [(), *hanging("", Tone.PLAIN, told, Tone.MUTED, width)]
