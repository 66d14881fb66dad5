"""One decision of the scheduling log in full: made again, with every host's terms, reasons and remedies."""

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult

from core.config.model import Configuration
from core.errors import RealmsError
from core.operations.scheduling.explain import DecisionAgain
from core.operations.scheduling.log_summary import DecisionSummary
from core.operations.scheduling.log_tail import LinePlace
from tui.commands import bindings
from tui.render.cells import Piece, Tone
from tui.render.plans.sheet import drawing_of
from tui.render.tasks.decision import VERDICT_COLUMNS, sentences, verdict_detail, verdict_rows
from tui.screens.area import AreaScreen
from tui.widgets.grid import Grid
from tui.widgets.panel import Panel

MOST_SENTENCE_LINES = 6
_BESIDE_SENTENCES = 4


def make_decision_again(log: Path, place: LinePlace, today: Configuration) -> DecisionAgain:
    """Read a line of the log and make its decision again; raises RealmsError where it can't be."""
    from core.operations.scheduling.explain import explain_decision
    from core.operations.scheduling.log_tail import LogFollower

    return explain_decision(log, LogFollower(log).read(place), today)


class DecisionScreen(AreaScreen):
    """A place within the log: what was decided and why, every host, and the one under the cursor in full."""

    BINDINGS: ClassVar = bindings(())
    CSS_PATH = "tasks.tcss"
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012 - an instance variable by its declaration
        (0, "-short"),
        (30, "-normal"),
    ]

    def __init__(self, log: Path, place: LinePlace, decision: DecisionSummary) -> None:
        super().__init__()
        self.outcome: DecisionAgain | RealmsError | None = None
        """What came of making it again; None until then."""
        self._log = log
        self._line = place
        self._decision = decision

    @property
    def place(self) -> tuple[str, ...]:
        """Within the log, this one."""
        decision = self._decision
        return ("Scheduling log", f"{decision.operation} {decision.vm}".strip() or decision.id)

    def compose_body(self) -> ComposeResult:
        """Lay out what is said of the decision, the hosts, and the one under the cursor."""
        yield Panel(id="log-said")
        yield self.grid(VERDICT_COLUMNS, "decision", heading="Hosts", empty="No hosts were considered.")
        yield Panel(id="decision-host")

    def on_mount(self) -> None:
        """Begin to make it again."""
        self.query_one("#decision-host").display = False
        self.query_one(Grid).focus()
        configuration = self.realms.session.configuration
        self.background.ask(
            "decision", lambda _: make_decision_again(self._log, self._line, configuration), self._show, self._show
        )
        self._say()

    def show_trouble(self, why: str) -> None:
        """Show the decision anyway: it doesn't need a fleet."""
        del why

    def _show(self, outcome: DecisionAgain | RealmsError) -> None:
        self.outcome = outcome
        grid = self.query_one(Grid)
        if isinstance(outcome, RealmsError):
            grid.fail("The decision can't be replayed.")
        else:
            grid.set_rows(verdict_rows(outcome))
        self._say()
        self._show_host()

    def _say(self) -> None:
        outcome = self.outcome
        told: tuple[Piece, ...] = ()
        if isinstance(outcome, RealmsError):
            told = ((str(outcome), Tone.BAD),)
        elif outcome is not None:
            told = sentences(outcome)
        panel, draw = self.query_one("#log-said", Panel), drawing_of(told)
        panel.display = bool(told)
        panel.styles.height = max(1, len(draw(self.size.width - _BESIDE_SENTENCES, MOST_SENTENCE_LINES)))
        panel.show((), draw)

    def on_resize(self) -> None:
        """Break the sentences to the new width."""
        self._say()

    @on(Grid.Moved)
    def _show_host(self) -> None:
        outcome, key = self.outcome, self.query_one(Grid).cursor_key
        panel = self.query_one("#decision-host", Panel)
        detail = None
        if outcome is not None and not isinstance(outcome, RealmsError) and isinstance(key, str):
            detail = verdict_detail(outcome, key)
        panel.display = detail is not None
        if detail is not None:
            panel.show(detail.title, drawing_of(detail.paragraphs))

    @on(Grid.Chosen)
    def open_host(self, event: Grid.Chosen) -> None:
        """Go to the host as it is now, where it is still there."""
        if isinstance(event.key, str) and self.hosts_now(event.key):
            self.realms.navigation.open_host(event.key)

    def hosts_now(self, name: str) -> bool:
        """Whether there is such a host now; says so where there is none."""
        fleet = self.realms.fleet
        if fleet is not None and fleet.host(name) is not None:
            return True
        self.realms.tell("The host no longer exists.", "warning")
        return False
