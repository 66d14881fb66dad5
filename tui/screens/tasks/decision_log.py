"""The scheduling log: decisions as they are made, each opening into its explanation, within the area of tasks."""

from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult

from core.errors import RealmsError
from core.operations.scheduling.log_summary import DecisionSummary
from core.operations.scheduling.log_tail import LinePlace
from tui.commands import Command, bindings
from tui.render.plans.sheet import drawing_of
from tui.render.rows import Row, RowKey
from tui.render.tasks.decision_log import LOG_COLUMNS, LogTold, counted, log_detail, log_row, told_of
from tui.screens.area import AreaScreen
from tui.screens.tasks.log_reader import MOST_DECISIONS, LogRead, LogReader
from tui.widgets.grid import Grid
from tui.widgets.panel import Panel

LOOK_SECONDS = 1.0
"""How often the log is looked at while it is in front."""

MOST_SENTENCE_LINES = 4
_BESIDE_SENTENCES = 4

NO_LOG = "A saved fleet has no scheduling log."
NO_DECISIONS = "No decisions logged yet."
OFF = "No decisions logged: log-scheduling is off."


class SchedulingLogScreen(AreaScreen):
    """All decisions of the log, the newest first; what is appended comes by itself."""

    KEYS: ClassVar[tuple[Command, ...]] = (
        Command(
            "enter",
            "explain",
            "Explain",
            "Explain the decision: hosts, terms, reasons and fixes.",
            footer=True,
            palette=False,
        ),
    )
    BINDINGS: ClassVar = bindings(())
    CSS_PATH = "tasks.tcss"
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012 - an instance variable by its declaration
        (0, "-short"),
        (30, "-normal"),
    ]

    def __init__(self, log: Path | None) -> None:
        super().__init__()
        self.complete = False
        """Whether all that was in the log has been read."""
        self._log = log
        self._reader: LogReader | None = None
        self._decisions: dict[RowKey, tuple[LinePlace, DecisionSummary]] = {}
        self._rows: deque[Row] = deque()
        """The newest first."""
        self._told = LogTold()
        self._number = 0

    @property
    def place(self) -> tuple[str, ...]:
        """Within the tasks."""
        return ("Scheduling log",)

    def compose_body(self) -> ComposeResult:
        """Lay out what is said of the log, the table, and the decision under the cursor."""
        yield Panel(id="log-said")
        yield self.grid(LOG_COLUMNS, "scheduling-log", heading="Decisions", empty=NO_DECISIONS)
        yield Panel(id="log-row")

    def on_mount(self) -> None:
        """Begin to read."""
        self.query_one(Grid).focus()
        self._told = told_of(self.realms.session.configuration, self._told)
        if self._log is None:
            self.complete = True
            self._told = LogTold()
            self.query_one(Grid).empty = NO_LOG
            self._show()
        else:
            self._reader = LogReader(self._log)
            self._read()
            self.set_interval(LOOK_SECONDS, self.look)
        self._say()

    def on_unmount(self) -> None:
        """Let go of the log."""
        if self._reader is not None:
            self._reader.stop()

    def look(self) -> None:
        """Look whether decisions were appended, where anybody sees them."""
        if self.is_current:
            self._read()

    def _read(self) -> None:
        if (reader := self._reader) is not None and not self.background.awaits("log"):
            self.background.ask_in_parts("log", lambda _: reader.read(), self._take, lambda: None, self._fail)

    def show_trouble(self, why: str) -> None:
        """Show the log anyway: it doesn't need a fleet."""
        del why

    def _fail(self, error: RealmsError) -> None:
        self._take(LogRead(complete=True, trouble=str(error)))

    def _take(self, read: LogRead) -> None:
        told = replace(self._told, trouble=read.trouble)
        if read.anew:
            self._decisions, self._rows = {}, deque()
            told = replace(told, damaged=0, first_damage="", left_out=False)
        self.complete = self.complete or read.complete
        rows = []
        for place, decision in read.entries:
            self._number += 1
            self._decisions[self._number] = (place, decision)
            rows.append(log_row(self._number, decision))
        if read.newer:
            self._rows.extendleft(reversed(rows))
        else:
            self._rows.extend(rows)
        while len(self._rows) > MOST_DECISIONS:
            del self._decisions[self._rows.pop().key]
            told = replace(told, left_out=True)
        self._told = replace(
            told,
            damaged=told.damaged + read.damaged,
            first_damage=told.first_damage or read.first_damage,
            left_out=told.left_out or read.left_out,
        )
        if rows or read.anew or read.complete:
            self._show()
        self._say()

    def _show(self) -> None:
        grid = self.query_one(Grid)
        if self._told.off and not self._told.on:
            grid.empty = OFF
        grid.set_rows(tuple(self._rows))
        grid.set_note(counted(decision for _, decision in self._decisions.values()) if self.complete else "reading")
        self._show_row()

    def _say(self) -> None:
        sentences = self._told.sentences()
        panel, draw = self.query_one("#log-said", Panel), drawing_of(sentences)
        panel.display = bool(sentences)
        panel.styles.height = max(1, len(draw(self.size.width - _BESIDE_SENTENCES, MOST_SENTENCE_LINES)))
        panel.show((), draw)

    def on_resize(self) -> None:
        """Break the sentences to the new width."""
        self._say()

    @on(Grid.Moved)
    def _show_row(self) -> None:
        panel = self.query_one("#log-row", Panel)
        found = self._decisions.get(self.query_one(Grid).cursor_key)
        panel.display = found is not None
        if found is not None:
            detail = log_detail(found[1])
            panel.show(detail.title, drawing_of(detail.paragraphs))

    @on(Grid.Chosen)
    def open_decision(self, event: Grid.Chosen) -> None:
        """Explain a decision."""
        found = self._decisions.get(event.key)
        if found is not None and self._log is not None:
            from tui.screens.tasks.decision import DecisionScreen

            self.app.push_screen(DecisionScreen(self._log, *found))
