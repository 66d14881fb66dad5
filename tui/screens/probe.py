"""Connects to hosts once and reports, each in its own time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Static

from core.errors import RealmsError
from tui.render.reports import failure_lines, report_lines
from tui.widgets.cells import Piece, Tone
from tui.widgets.tones import paragraphs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.message_pump import MessagePump

    from core.driver.probe import HostReport
    from core.hosts import Host
    from core.operations.workplace import Workplace
    from tui.app import RealmsApp

AT_ONCE = 16
"""Hosts that are asked at the same time: a thread each."""


class Probed(Message):
    """A host answered, or didn't; `number` says which of the attempts this was."""

    def __init__(self, number: int, outcome: HostReport | RealmsError) -> None:
        super().__init__()
        self.number = number
        self.outcome = outcome


def start_probe(workplace: Workplace, uri: str, number: int, reply_to: MessagePump) -> None:
    """Ask a host in a daemon thread of its own; Probed brings the outcome."""

    def ask() -> None:
        outcome: HostReport | RealmsError
        try:
            outcome = workplace.probe(uri)
        except RealmsError as error:
            outcome = error
        reply_to.post_message(Probed(number, outcome))

    threading.Thread(target=ask, name="probe", daemon=True).start()


class ProbeDialog(ModalScreen[None]):
    """Shows each host's answer as it comes."""

    BINDINGS: ClassVar = [Binding("escape,q,enter", "dismiss(None)", "Close")]
    CSS_PATH = "dialogs.tcss"

    def __init__(self, hosts: Sequence[Host]) -> None:
        super().__init__()
        self.hosts = tuple(hosts)
        self.outcomes: dict[int, HostReport | RealmsError] = {}
        self._next = 0

    def compose(self) -> ComposeResult:
        """Lay out a text that grows."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content("Test of the connection")
            dialog.border_subtitle = Content("Esc closes")
            with VerticalScroll(classes="told"):
                yield Static(id="answers")

    def on_mount(self) -> None:
        """Ask the first hosts."""
        self._show()
        for _ in range(min(AT_ONCE, len(self.hosts))):
            self._ask_next()

    def _ask_next(self) -> None:
        if self._next < len(self.hosts):
            number, self._next = self._next, self._next + 1
            start_probe(self._realms.workplace, self.hosts[number].uri, number, self)

    @property
    def _realms(self) -> RealmsApp:
        return cast("RealmsApp", self.app)

    def on_probed(self, message: Probed) -> None:
        """Show an answer, and ask the next host."""
        self.outcomes[message.number] = message.outcome
        self._show()
        self._ask_next()

    def _show(self) -> None:
        configuration = self._realms.workplace.configuration
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
