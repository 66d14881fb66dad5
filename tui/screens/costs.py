"""The cost explorer: which host takes a VM, what decides, and where its use lies on its curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from tui.commands import Command, bindings
from tui.render.ages import shown_ages
from tui.render.costs import (
    REFUSED_COLUMNS,
    capacity,
    headline,
    ranking_columns,
    ranking_rows,
    refused_rows,
    remark,
    where_they_go,
)
from tui.render.headroom import in_words
from tui.render.names import wrapped
from tui.screens.area import AreaScreen
from tui.screens.costs_close_up import CloseUpPanel
from tui.screens.costs_lines import share_lines
from tui.screens.costs_panel import RequestPanel
from tui.screens.costs_question import Explored, Question
from tui.screens.costs_request import Asked, FieldRefused, fields_for
from tui.screens.costs_table import BY_TOTAL, HostTable
from tui.widgets.grid import Grid
from tui.widgets.rows import Column

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual import events
    from textual.app import ComposeResult
    from textual.timer import Timer

    from core.config.model import Configuration
    from core.fleet import Fleet
    from tui.render.exploration import Exploration
    from tui.widgets.rows import RowKey

AT_ONCE = 100
"""Hosts that are judged between two frames; more are left to a thread."""

REST_SECONDS = 1.0
"""A larger fleet that keeps changing is judged so often; a changed request always at once."""

_PLACED_AS_FAST = 4
"""VMs that are placed in the time in which one host is judged."""

_FIRST_COLUMNS = (Column(key="host", title="HOST"), Column(key="total", title="TOTAL", right=True))
"""What the ranking shows until the first fleet says which terms there are."""

_HEADLINE_PADDING = 2
_LEAST_PANEL = 24
_NARROW = 100
_SHORT = 30


class CostsScreen(AreaScreen):
    """Hosts ranked for a request, the refused with their reasons, and the chosen host's curves."""

    CSS_PATH = "costs.tcss"
    KEYS: ClassVar = (
        Command("v", "edit('vcpus')", "Request", "Edit the request: here the vCPUs.", footer=True, shown="v m d n"),
        Command("m", "edit('memory')", "Memory", "Edit the memory: a number is GiB, or write a unit."),
        Command("d", "edit_devices", "Devices", "Edit the number of devices; again for the next type."),
        Command("n", "edit('count')", "Count", "Edit how many such VMs are placed."),
        Command(
            "plus,equals_sign",
            "step(1)",
            "Change",
            "More, or less, of the field edited last.",
            footer=True,
            shown="+ -",
        ),
        Command("minus", "step(-1)", "Less", "Less of the field edited last.", shown="-"),
        Command(
            "right_square_bracket",
            "turn(1)",
            "Curve",
            "Show another curve, as ] and [ do.",
            footer=True,
            shown="← →",
        ),
        Command("left_square_bracket", "turn(-1)", "Curve before", "Show the curve before.", shown="["),
        Command("z", "zoom", "Zoom", "Give the chosen host the whole screen, or take it back."),
    )
    BINDINGS: ClassVar = bindings(KEYS)

    def __init__(self) -> None:
        super().__init__()
        self.exploration: Exploration | None = None
        """What is shown; None until the first fleet."""
        self._asked: Asked | None = None
        self._refused = ""
        self._columns: tuple[Column, ...] = ()
        self._picked: str | None = None
        """The host that the user chose; None: whichever is best."""
        self._question = 0
        """Number of the newest question: a thread's late answer to an older one is not shown over a newer."""
        self._is_judging = False
        self._waiting: Question | None = None
        """The newest question that came while a thread was judging: those between are dropped."""
        self._judged: tuple[object, ...] = ()
        """What told apart the fleet that was judged last."""
        self._rest: Timer | None = None
        """Runs while a large fleet that was just judged is left alone."""
        self._fits: Mapping[str, int] = {}
        self._said: tuple[list[str], list[str], str] | None = None

    # Layout --------------------------------------------------------------------------------------------------------

    def compose_body(self) -> ComposeResult:
        """Lay out the request, the two tables and the chosen host."""
        with Horizontal(id="question"):
            yield RequestPanel(fields_for(self.realms.workplace.configuration), id="request")
            with Vertical(id="answer"):
                yield Static(id="headline", markup=False)
                wide = "ranking" in self.realms.settings.wide
                yield HostTable(_FIRST_COLUMNS, heading="Hosts", sort=BY_TOTAL, wide=wide, id="ranking")
                yield HostTable(REFUSED_COLUMNS, heading="Refused", empty="None.", id="refused")
        yield CloseUpPanel(id="close-up")

    def on_mount(self) -> None:
        """Start at the ranking."""
        super().on_mount()
        self._asked = self.query_one(RequestPanel).asked()
        self.query_one("#ranking").focus()

    def on_resize(self, event: events.Resize) -> None:
        """Fold what has no room."""
        self._fold(event.size.width, event.size.height)

    def _fold(self, width: int, height: int) -> None:
        """Share the lines: the tables take what their rows need, up to a part; the chosen host has the rest."""
        narrow, short = width < _NARROW, height < _SHORT
        self.set_class(narrow, "-narrow")
        self.set_class(short, "-short")
        panel = self.query_one(RequestPanel)
        panel.lay_out(width - 2 if narrow else None)
        panel_height = min(3, panel.rows_needed(width - 2)) if narrow else len(panel.fields) + 2
        panel.styles.height = panel_height if narrow else None
        panel.styles.width = None if narrow else max(_LEAST_PANEL, panel.natural_width)
        sentences = self._say()
        self.query_one("#headline").styles.height = sentences
        exploration = self.exploration
        ranked, refused = (len(exploration.ranked), len(exploration.refused)) if exploration is not None else (0, 0)
        above = sentences + (panel_height if narrow else 0)
        lines = share_lines(height, above=above, ranked=ranked, refused=refused, short=short)
        table = self.query_one("#refused", HostTable)
        table.display = refused > 0
        table.styles.height = lines.refused
        beside = 0 if narrow else min(lines.most, panel_height)
        self.query_one("#question").styles.height = max(above + lines.ranking + lines.refused, beside)

    # What is shown -------------------------------------------------------------------------------------------------

    def show_fleet(self, fleet: Fleet) -> None:
        """Judge the newest fleet; where only more of the headroom is known by now, show that."""
        workplace = self.realms.workplace
        configuration = workplace.configuration
        panel = self.query_one(RequestPanel)
        if fields_for(configuration) != panel.fields:
            self.run_worker(self._use_fields(configuration), exclusive=True, group="fields")
        state = (workplace.generation, shown_ages(fleet, configuration.realms), configuration)
        if self.exploration is not None and not self._is_judging and (state == self._judged or self._rest is not None):
            self._show(self.exploration)
            return
        self._judged = state
        if len(fleet.hosts) > AT_ONCE:
            self._rest = self.set_timer(REST_SECONDS, self._look_again)
        self._ask(fleet)

    def _look_again(self) -> None:
        self._rest = None
        if self.is_current and self.realms.fleet is not None:
            self.show_fleet(self.realms.fleet)

    async def _use_fields(self, configuration: Configuration) -> None:
        panel = self.query_one(RequestPanel)
        await panel.use_fields(fields_for(configuration))
        try:
            self._asked, self._refused = panel.asked(), ""
        except FieldRefused as error:
            self._refused = str(error)
        if self.realms.fleet is not None:
            self._ask(self.realms.fleet)

    def _ask(self, fleet: Fleet) -> None:
        """Judge a fleet for the request: at once, or in a thread, of which there is one at a time."""
        if self._asked is None:
            return
        self._question += 1
        question = Question(self._question, self.realms.workplace.configuration, fleet, self._asked)
        if len(fleet.hosts) + self._asked.count // _PLACED_AS_FAST <= AT_ONCE:
            self._waiting = None
            self._show(question.answer())
        elif self._is_judging:
            self._waiting = question
        else:
            self._judge_aside(question)

    def _judge_aside(self, question: Question) -> None:
        self._is_judging, self._waiting = True, None
        self._work(question)

    @work(thread=True, group="judge")
    def _work(self, question: Question) -> None:
        self.post_message(Explored(question.number, question.answer()))

    def on_explored(self, message: Explored) -> None:
        """Show a thread's answer, unless something else was asked at once since; then judge what waits."""
        self._is_judging = False
        if self._waiting is not None:
            self._judge_aside(self._waiting)
            self._show(message.exploration)
        elif message.number == self._question:
            self._show(message.exploration)

    def _show(self, exploration: Exploration) -> None:
        before, self.exploration = self.exploration, exploration
        self.realms.request = exploration.request
        fits = self.realms.fits(self.realms.fleet or exploration.fleet)
        if before is not None and exploration.says_the_same_as(before) and fits == self._fits:
            return
        self._fits = fits
        self.query_one(RequestPanel).say_below(capacity(exploration, fits))
        self._show_ranking(exploration)
        refused = self.query_one("#refused", HostTable)
        refused.set_rows(refused_rows(exploration))
        self._fold(self.size.width, self.size.height)
        self._follow()

    def _show_ranking(self, exploration: Exploration) -> None:
        ranking = self.query_one("#ranking", HostTable)
        columns = ranking_columns(exploration)
        if columns != self._columns:
            self._columns = columns
            ranking.use_columns(columns, self.realms.settings.sorts.get("ranking", BY_TOTAL))
        ranking.empty = (
            "No host can take it." if exploration.refused else "No hosts yet: add one in the Hosts area (1)."
        )
        ranking.set_heading(f"Hosts for {in_words(exploration.request)}")
        ranking.set_rows(ranking_rows(exploration, self._fits))

    def _say(self) -> int:
        """Write the sentences as wide as there is room; gives the number of lines that they take."""
        width = self.size.width - 2 * _HEADLINE_PADDING
        if not self.has_class("-narrow"):
            width -= max(_LEAST_PANEL, self.query_one(RequestPanel).natural_width)
        first = headline(self.exploration) if self.exploration is not None else ""
        upper = wrapped(first, width, 2)
        lower = wrapped(self._second_sentence(), width, 1 if self.has_class("-short") else 2)
        said = (upper, lower, "$error" if self._refused else "$muted")
        if said != self._said:
            self._said = said
            lines: list[str | tuple[str, str]] = [("\n".join(upper), "bold")]
            if lower:
                lines += ["\n", ("\n".join(lower), said[2])]
            self.query_one("#headline", Static).update(Content.assemble(*lines), layout=False)
        return max(1, len(upper) + len(lower))

    def _second_sentence(self) -> str:
        if self._refused:
            return f"{self._refused}. Shown is the last request that made sense"
        return where_they_go(self.exploration) if self.exploration is not None else ""

    # The chosen host -----------------------------------------------------------------------------------------------

    @property
    def chosen(self) -> str | None:
        """The host whose curves are shown: the user's choice while it is there, else the best, else the first."""
        exploration = self.exploration
        if exploration is None or not exploration.placements.verdicts:
            return None
        if self._picked is not None and exploration.verdict(self._picked) is not None:
            return self._picked
        return exploration.placements.verdicts[0].host

    def _follow(self) -> None:
        """Put the cursor on the chosen host, wherever it is listed now, and show it."""
        exploration, chosen = self.exploration, self.chosen
        if exploration is None:
            return
        if chosen is not None:
            for table in self.query(HostTable):
                if table.cursor_key != chosen and table.model.position(chosen) is not None:
                    table.go_to(chosen)
        panel = self.query_one(CloseUpPanel)
        panel.visible = chosen is not None
        if chosen is None:
            panel.show(None)
        else:
            panel.show(exploration.close_up(chosen), remark(exploration, chosen))

    def _choose(self, table: HostTable) -> None:
        host = table.cursor_key
        if self.exploration is None or not isinstance(host, str) or host == self.chosen:
            return
        best = self.exploration.placements.verdicts[0].host
        self._picked = None if host == best else host
        self._follow()

    @on(Grid.Moved)
    def follow_the_cursor(self, event: Grid.Moved) -> None:
        """Show the host under the cursor of the table that has the focus."""
        if isinstance(event.grid, HostTable) and event.grid.has_focus:
            self._choose(event.grid)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Show the host under the cursor of the table that one went to."""
        if isinstance(event.widget, HostTable):
            self._choose(event.widget)

    def go_to_row(self, key: RowKey) -> None:
        """Show a host."""
        if isinstance(key, str):
            self._picked = key
            self._follow()

    # The request ---------------------------------------------------------------------------------------------------

    @on(RequestPanel.Edited)
    def ask_anew(self, event: RequestPanel.Edited) -> None:
        """Judge the hosts for the new request, or say what can't be asked for."""
        self._refused = event.refused
        if event.asked is not None:
            self._asked = event.asked
        if self.realms.fleet is not None and event.asked is not None:
            self._ask(self.realms.fleet)
        else:
            self._fold(self.size.width, self.size.height)

    @on(RequestPanel.Done)
    def back_to_the_ranking(self) -> None:
        """Leave the fields."""
        tables = [table for table in self.query(HostTable) if self.chosen in [row.key for row in table.model.shown]]
        (tables[0] if tables else self.query_one("#ranking")).focus()

    def action_leave(self) -> None:
        """Leave the fields, then the zoom, then the filter."""
        if self.focused is not None and not isinstance(self.focused, Grid):
            self.back_to_the_ranking()
        elif self.has_class("-zoomed"):
            self.action_zoom()
        else:
            super().action_leave()

    def action_edit(self, key: str) -> None:
        """Edit a field."""
        self.query_one(RequestPanel).go_to(key)

    def action_edit_devices(self) -> None:
        """Edit the number of devices."""
        self.query_one(RequestPanel).go_to_devices()

    def action_step(self, direction: int) -> None:
        """Change the field that was edited last."""
        self.query_one(RequestPanel).step(direction)

    def action_turn(self, direction: int) -> None:
        """Show another curve."""
        self.query_one(CloseUpPanel).turn(direction)

    def action_zoom(self) -> None:
        """Give the chosen host the whole screen, or take it back."""
        self.toggle_class("-zoomed")

    @on(Grid.Chosen)
    def zoom_in(self) -> None:
        """Look at a host with the whole screen."""
        self.action_zoom()
