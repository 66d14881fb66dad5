"""The cost explorer: which host takes a VM, what decides, and where its use lies on its curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from tui.commands import Command, bindings
from tui.forms.request import FieldRefused, fields_for
from tui.render.costs.headroom import in_words
from tui.render.costs.ranking import (
    REFUSED_COLUMNS,
    REFUSED_COLUMNS_WHAT_IF,
    capacity,
    headline,
    ranking_columns,
    refused_rows,
    remark,
    where_they_go,
)
from tui.render.costs.what_if import before_sentence
from tui.render.rows import Column
from tui.render.wrapping import wrapped
from tui.screens.costs.evaluation import JudgingScreen
from tui.screens.costs.host_detail import CloseUpPanel
from tui.screens.costs.layout import share_lines
from tui.screens.costs.ranking_table import BY_TOTAL, HostTable
from tui.screens.costs.request_panel import RequestPanel
from tui.screens.costs.what_if.base import WHAT_IF_KEYS, WhatIfBanner
from tui.screens.costs.what_if.function_editor import ParameterEditor
from tui.screens.costs.what_if.parameter_table import ParameterTable
from tui.widgets.grid import Grid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual import events
    from textual.app import ComposeResult

    from core.config.model import Configuration
    from core.fleet.fleet import Fleet
    from tui.render.costs.exploration import Exploration
    from tui.render.costs.what_if import Counted
    from tui.render.rows import RowKey

_FIRST_COLUMNS = (Column(key="host", title="HOST"), Column(key="total", title="TOTAL", right=True))
"""What the ranking shows until the first fleet says which terms there are."""

_HEADLINE_PADDING = 2
_LEAST_PANEL = 24
_NARROW = 100
_SHORT = 30


class CostsScreen(JudgingScreen):
    """Hosts ranked for a request, the refused with their reasons, and the chosen host's curves; and what if."""

    CSS_PATH = "costs.tcss"
    KEYS: ClassVar = (
        Command("v", "edit('vcpus')", "Request", "Edit the request: here the vCPUs.", footer=True, shown="v m d n"),
        Command("m", "edit('memory')", "Memory", "Edit the memory: a number is GiB, or write a unit."),
        Command("d", "edit_devices", "Devices", "Edit the number of devices; again for the next type."),
        Command("n", "edit('count')", "Count", "Edit how many such VMs are placed."),
        *WHAT_IF_KEYS,
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
        self._refused = ""
        self._columns: tuple[Column, ...] = ()
        self._picked: str | None = None
        """The host that the user chose; None: whichever is best."""
        self._fits: Mapping[str, int] = {}
        self._said: tuple[list[str], list[str], str] | None = None

    # Layout --------------------------------------------------------------------------------------------------------

    def compose_body(self) -> ComposeResult:
        """Lay out the request, the two tables and the chosen host, or the editor in its place."""
        yield WhatIfBanner()
        with Horizontal(id="question"):
            yield RequestPanel(fields_for(self.realms.workplace.configuration), id="request")
            with Vertical(id="answer"):
                yield Static(id="headline", markup=False)
                wide = "ranking" in self.realms.settings.wide
                yield HostTable(_FIRST_COLUMNS, heading="Hosts", sort=BY_TOTAL, wide=wide, id="ranking")
                yield HostTable(REFUSED_COLUMNS, heading="Refused", empty="None.", id="refused")
        yield CloseUpPanel(id="close-up")
        yield ParameterEditor(id="editor")

    def on_mount(self) -> None:
        """Start at the ranking."""
        super().on_mount()
        self.asked = self.query_one(RequestPanel).asked()
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
        hidden = short and self.is_editing
        panel_height = 0 if hidden else min(3, panel.rows_needed(width - 2)) if narrow else len(panel.fields) + 2
        panel.styles.height = panel_height if narrow and not hidden else None
        panel.styles.width = None if narrow else max(_LEAST_PANEL, panel.natural_width)
        sentences = self._say()
        self.query_one("#headline").styles.height = sentences
        exploration = self.exploration
        ranked = len(exploration.ranked) if exploration is not None else 0
        refused = len(exploration.refused) + len(exploration.dropped) if exploration is not None else 0
        above = sentences + (panel_height if narrow else 0) + bool(self.changes)
        lines = share_lines(height, above=above, ranked=ranked, refused=refused, short=short, editing=self.is_editing)
        table = self.query_one("#refused", HostTable)
        table.display = refused > 0
        table.styles.height = lines.refused
        beside = 0 if narrow else min(lines.most, panel_height)
        taken = above - bool(self.changes) + lines.ranking + lines.refused
        self.query_one("#question").styles.height = max(taken, beside)

    # What is shown -------------------------------------------------------------------------------------------------

    def show_fleet(self, fleet: Fleet) -> None:
        """Judge the newest fleet; where only more of the headroom is known by now, show that."""
        configuration = self.realms.workplace.configuration
        panel = self.query_one(RequestPanel)
        if fields_for(configuration) != panel.fields:
            self.run_worker(self._use_fields(configuration), exclusive=True, group="fields")
        self.judge_newer(fleet)

    async def _use_fields(self, configuration: Configuration) -> None:
        panel = self.query_one(RequestPanel)
        await panel.use_fields(fields_for(configuration))
        try:
            self.asked, self._refused = panel.asked(), ""
        except FieldRefused as error:
            self._refused = str(error)
        if self.realms.fleet is not None:
            self.judge(self.realms.fleet)

    def show_exploration(self, exploration: Exploration) -> None:
        """Show what the hosts were judged to be."""
        before, self.exploration = self.exploration, exploration
        self.realms.request = exploration.request
        fits, counted = self._fit(exploration)
        if before is not None and exploration.says_the_same_as(before) and fits == self._fits:
            return
        self._fits = fits
        self.query_one(RequestPanel).say_below(capacity(exploration, fits, counted))
        self._show_ranking(exploration)
        refused = self.query_one("#refused", HostTable)
        columns = REFUSED_COLUMNS if exploration.before is None else REFUSED_COLUMNS_WHAT_IF
        if refused.model.columns != columns:
            refused.use_columns(columns, refused.model.sort)
        refused.set_rows(refused_rows(exploration))
        self._fold(self.size.width, self.size.height)
        self._follow()

    def _fit(self, exploration: Exploration) -> tuple[Mapping[str, int], Counted | None]:
        """Tell how many such VMs each host takes; in a what-if, as far as that is counted, also without its changes."""
        if exploration.before is None:
            return self.realms.fits(self.realms.fleet or exploration.fleet), None
        if self._counted is None:
            return {}, None
        return self._counted[1].fits, self._counted[0]

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
        ranking.set_rows(self.rows_of(exploration, self._fits))

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
        if self.exploration is None:
            return ""
        return ". ".join(filter(None, (where_they_go(self.exploration), before_sentence(self.exploration))))

    # The chosen host -----------------------------------------------------------------------------------------------

    @property
    def under_cursor(self) -> str | None:
        """The host under the cursor of the table that has the focus, else the one that is shown."""
        key = self.focused.cursor_key if isinstance(self.focused, HostTable) else None
        return key if isinstance(key, str) else self.chosen

    def keep_chosen(self) -> None:
        """Stay with the host in front, even if another becomes the best."""
        self._picked = self.chosen

    def show_editor(self, *, shown: bool) -> None:
        """Put the editor in the place of the chosen host's terms and curves, or take it away."""
        self.set_class(shown, "-editing")
        self._fold(self.size.width, self.size.height)
        if not shown:
            self.back_to_the_ranking()

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
            before = exploration.before.close_up(chosen) if exploration.before is not None else None
            panel.show(exploration.close_up(chosen), remark(exploration, chosen), before)
        self.show_subject()

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
            self.asked = event.asked
        if self.realms.fleet is not None and event.asked is not None:
            self.judge(self.realms.fleet)
        else:
            self._fold(self.size.width, self.size.height)

    @on(RequestPanel.Done)
    def back_to_the_ranking(self) -> None:
        """Leave the fields."""
        tables = [table for table in self.query(HostTable) if self.chosen in [row.key for row in table.model.shown]]
        (tables[0] if tables else self.query_one("#ranking")).focus()

    def action_leave(self) -> None:
        """Leave the fields, then the editor, then the zoom, then the filter."""
        if isinstance(self.focused, ParameterTable):
            if not self.focused.clear():
                self.close_editor()
        elif self.focused is not None and not isinstance(self.focused, Grid):
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
    def zoom_in(self, event: Grid.Chosen) -> None:
        """Look at a host with the whole screen."""
        if isinstance(event.grid, HostTable):
            self.action_zoom()
