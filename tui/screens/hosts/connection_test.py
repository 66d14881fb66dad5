"""Connects to hosts once and reports, each in its own time."""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from core.driver.hosts.probe import HostReport
from core.errors import RealmsError
from core.hosts import Host
from core.operations.session import Session
from core.operations.tasks.task import Control
from tui.render.cells import Piece, Tone
from tui.render.hosts.probe_report import failure_lines, report_lines
from tui.screens.background import BackgroundWork
from tui.widgets.modal import Modal
from tui.widgets.tones import paragraphs


def probe(session: Session, uri: str, _: Control) -> HostReport:
    """Connect to a host once, as a job; raises DriverError."""
    return session.probe(uri)


class ProbeDialog(Modal[None], BackgroundWork):
    """Shows each host's answer as it comes."""

    BINDINGS: ClassVar = [Binding("escape,q,enter", "dismiss(None)", "Close")]
    CSS_PATH = "../dialogs/dialogs.tcss"

    def __init__(self, hosts: Sequence[Host]) -> None:
        super().__init__()
        self.hosts = tuple(hosts)
        self.outcomes: dict[int, HostReport | RealmsError] = {}

    def compose(self) -> ComposeResult:
        """Lay out a text that grows."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content("Connection test")
            dialog.border_subtitle = Content("Esc closes")
            with VerticalScroll(classes="told"):
                yield Static(id="answers")

    def on_mount(self) -> None:
        """Ask the hosts."""
        session = self.realms.session
        for number, host in enumerate(self.hosts):
            take = partial(self._take, number)
            self.background.ask(number, partial(probe, session, host.uri), take, take)
        self._show()

    def _take(self, number: int, outcome: HostReport | RealmsError) -> None:
        self.outcomes[number] = outcome
        self._show()

    def _show(self) -> None:
        configuration = self.realms.session.configuration
        lines: list[tuple[Piece, ...]] = []
        for number, host in enumerate(self.hosts):
            outcome = self.outcomes.get(number)
            lines.append(((host.name, Tone.STRONG), (f"  {host.uri}", Tone.MUTED)))
            if outcome is None:
                lines.append((("  asking\N{HORIZONTAL ELLIPSIS}", Tone.MUTED),))
                continue
            if isinstance(outcome, RealmsError):
                told = failure_lines(outcome)
            else:
                told = report_lines(outcome, host.realm, host.profile, configuration)
            lines += [(("  ", Tone.PLAIN), *line) for line in told]
        lines.append(())
        self.query_one("#answers", Static).update(paragraphs(lines))
