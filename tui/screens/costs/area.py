"""The cost explorer: which host takes a VM, what decides, where its use lies on its curves; and what if."""

from collections.abc import Mapping
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal

from core.config.model import Configuration
from core.errors import RealmsError
from core.fleet.fleet import Fleet
from core.text import one_line
from tui.commands import Command, bindings
from tui.forms.request import FieldRefused, fields_for
from tui.render.costs.exploration import Exploration
from tui.render.costs.ranking import capacity, remark
from tui.render.costs.what_if import Counted
from tui.render.rows import RowKey
from tui.screens.area import AreaScreen
from tui.screens.costs.answer_panel import AnswerPanel
from tui.screens.costs.evaluation import Evaluation
from tui.screens.costs.host_detail import CloseUpPanel
from tui.screens.costs.keys import COSTS_KEYS
from tui.screens.costs.layout import share_lines
from tui.screens.costs.ranking_table import BY_TOTAL, HostTable
from tui.screens.costs.request_panel import RequestPanel
from tui.screens.costs.what_if.banner import WhatIfBanner
from tui.screens.costs.what_if.dialogs import WhatIfDialogs
from tui.screens.costs.what_if.function_editor import ParameterEditor
from tui.screens.costs.what_if.parameter_table import ParameterTable
from tui.screens.costs.what_if.session import WhatIfSession
from tui.widgets.grid import Grid

_HEADLINE_PADDING = 2
_LEAST_PANEL = 24
_NARROW = 100
_SHORT = 30


class CostsScreen(AreaScreen):
    """Hosts ranked for a request, the refused with their reasons, and the chosen host's curves or the editor."""

    CSS_PATH = "costs.tcss"
    KEYS: ClassVar = COSTS_KEYS
    BINDINGS: ClassVar = bindings(KEYS)

    def __init__(self) -> None:
        super().__init__()
        self.session = WhatIfSession()
        self.evaluation = Evaluation(self, self.session, self._show_answer, self._look_again)
        self._dialogs = WhatIfDialogs(self, self.session, self._follow_changes)
        self._shown: Exploration | None = None
        self._fits: Mapping[str, int] = {}
        self._refused = ""
        """Why what is typed can't be asked for."""

    # Layout --------------------------------------------------------------------------------------------------------

    def compose_body(self) -> ComposeResult:
        """Lay out the request, the two tables and the chosen host, or the editor in its place."""
        yield WhatIfBanner()
        with Horizontal(id="question"):
            yield RequestPanel(fields_for(self.realms.session.configuration), id="request")
            yield AnswerPanel(wide="ranking" in self.realms.settings.wide, id="answer")
        yield CloseUpPanel(id="close-up")
        yield ParameterEditor(self.session, self._follow_changes)

    def on_mount(self) -> None:
        """Start at the ranking."""
        super().on_mount()
        self.session.asked = self.query_one(RequestPanel).asked()
        self.query_one(AnswerPanel).ranking.focus()

    def on_resize(self, event: events.Resize) -> None:
        """Fold what has no room."""
        self._fold(event.size.width, event.size.height)

    def _fold(self, width: int, height: int) -> None:
        """Share the lines: the tables take what their rows need, up to a part; the chosen host has the rest."""
        narrow, short = width < _NARROW, height < _SHORT
        self.set_class(narrow, "-narrow")
        self.set_class(short, "-short")
        panel, answer, exploration = self.query_one(RequestPanel), self.query_one(AnswerPanel), self.exploration
        panel.lay_out(width - 2 if narrow else None)
        hidden = short and self.is_editing
        panel_height = 0 if hidden else min(3, panel.rows_needed(width - 2)) if narrow else len(panel.fields) + 2
        panel_width = max(_LEAST_PANEL, panel.natural_width)
        panel.styles.height = panel_height if narrow and not hidden else None
        panel.styles.width = None if narrow else panel_width
        room = self.size.width - 2 * _HEADLINE_PADDING - (0 if narrow else panel_width)
        sentences = answer.tell(exploration, self._refused, room, short=short)
        ranked = len(exploration.ranked) if exploration is not None else 0
        refused = len(exploration.refused) + len(exploration.dropped) if exploration is not None else 0
        banner = bool(self.session.changes)
        above = sentences + (panel_height if narrow else 0) + banner
        lines = share_lines(height, above=above, ranked=ranked, refused=refused, short=short, editing=self.is_editing)
        answer.refused.display = refused > 0
        answer.refused.styles.height = lines.refused
        beside = 0 if narrow else min(lines.most, panel_height)
        self.query_one("#question").styles.height = max(above - banner + lines.ranking + lines.refused, beside)

    @property
    def place(self) -> tuple[str, ...]:
        """Return in the line above too that this is a what-if."""
        return ("what if",) if self.session.changes else ()

    def allows(self, command: Command) -> bool:
        """Dim what there is nothing for."""
        match command.action:
            case "undo":
                return self.session.history.can_undo
            case "redo":
                return self.session.history.can_redo
            case "reset" | "list_changes" | "export":
                return bool(self.session.history.changes)
            case _:
                return super().allows(command)

    # Judging -------------------------------------------------------------------------------------------------------

    def show_fleet(self, fleet: Fleet) -> None:
        """Judge the newest fleet; where only more of the headroom is known by now, show that."""
        configuration = self.realms.session.configuration
        if fields_for(configuration) != self.query_one(RequestPanel).fields:
            self.run_worker(self._use_fields(configuration), exclusive=True, group="fields")
        if not self.evaluation.judge_newer(self.realms.session, fleet) and self.exploration is not None:
            self._show(self.exploration)

    async def _use_fields(self, configuration: Configuration) -> None:
        panel = self.query_one(RequestPanel)
        await panel.use_fields(fields_for(configuration))
        try:
            self.session.asked, self._refused = panel.asked(), ""
        except FieldRefused as error:
            self._refused = str(error)
        self._judge()

    def _judge(self) -> None:
        if self.realms.fleet is not None:
            self.evaluation.judge(self.realms.session.configuration, self.realms.fleet)

    def _look_again(self) -> None:
        if self.is_current and self.realms.fleet is not None:
            self.show_fleet(self.realms.fleet)

    def _show_answer(self) -> None:
        self._tell_banner()
        if self.exploration is None:
            self._shown = None
            self.query_one(AnswerPanel).ranking.fail(one_line(self.session.trouble))
        elif self.session.answer.exploration is not None:
            self._show(self.exploration)

    def _tell_banner(self) -> None:
        before, after = self.session.answer.counted or (None, None)
        self.query_one(WhatIfBanner).tell(len(self.session.changes), before, after, self.session.trouble)

    def _show(self, exploration: Exploration) -> None:
        before, self._shown = self._shown, exploration
        self.realms.request = exploration.request
        fits, counted = self._fit(exploration)
        if before is not None and exploration.says_the_same_as(before) and fits == self._fits:
            return
        self._fits = fits
        self.query_one(RequestPanel).say_below(capacity(exploration, fits, counted))
        sort = self.realms.settings.sorts.get("ranking", BY_TOTAL)
        self.query_one(AnswerPanel).show(exploration, self.session.rows(exploration, fits), sort)
        self._fold(self.size.width, self.size.height)
        self._follow()

    def _fit(self, exploration: Exploration) -> tuple[Mapping[str, int], Counted | None]:
        """Tell how many such VMs each host takes; in a what-if, as far as that is counted, also without its changes."""
        if exploration.before is None:
            return self.realms.fits(self.realms.fleet or exploration.fleet), None
        if self.session.answer.counted is None:
            return {}, None
        before, after = self.session.answer.counted
        return after.fits, before

    @property
    def exploration(self) -> Exploration | None:
        """What is shown; None until the first fleet."""
        return self.session.exploration

    # The chosen host -----------------------------------------------------------------------------------------------

    @property
    def chosen(self) -> str | None:
        """The host whose curves are shown."""
        return self.session.chosen

    def _follow(self) -> None:
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
        self._show_subject()

    def _choose(self, table: HostTable) -> None:
        if isinstance(table.cursor_key, str) and self.session.choose(table.cursor_key):
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
            self.session.stay_with(key)
            self._follow()

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

    # The request ---------------------------------------------------------------------------------------------------

    @on(RequestPanel.Edited)
    def ask_anew(self, event: RequestPanel.Edited) -> None:
        """Judge the hosts for the new request, or say what can't be asked for."""
        self._refused = event.refused
        if event.asked is not None:
            self.session.asked = event.asked
        if self.realms.fleet is not None and event.asked is not None:
            self._judge()
        else:
            self._fold(self.size.width, self.size.height)

    @on(RequestPanel.Done)
    def back_to_the_ranking(self) -> None:
        """Leave the fields."""
        tables = [table for table in self.query(HostTable) if self.chosen in [row.key for row in table.model.shown]]
        (tables[0] if tables else self.query_one(AnswerPanel).ranking).focus()

    def action_leave(self) -> None:
        """Leave the fields, then the editor, then the zoom, then the filter."""
        if isinstance(self.focused, ParameterTable):
            if not self.focused.clear():
                self._close_editor()
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

    # What if -------------------------------------------------------------------------------------------------------

    def _follow_changes(self) -> None:
        """Show the changes as they are now: the editor at once, the ranking as soon as it is made."""
        self._show_subject()
        self._tell_banner()
        self.show_lines()
        self._judge()

    def action_undo(self) -> None:
        """Take the last step back."""
        if self.session.history.undo():
            self._follow_changes()
        else:
            self.realms.tell("Nothing to undo.")

    def action_redo(self) -> None:
        """Take the step again that was taken back last."""
        if self.session.history.redo():
            self._follow_changes()
        else:
            self.realms.tell("Nothing to redo.")

    def action_reset(self) -> None:
        """Take every change back."""
        if not self.session.history.changes:
            self.realms.tell("No changes.")
        else:
            self.session.history.become(())
            self._follow_changes()
            self.realms.tell("What-if reset; press u to restore it.")

    def action_change_host(self) -> None:
        """Offer what could be otherwise with the host under the cursor: the chosen one, or one that is only listed."""
        key = self.focused.cursor_key if isinstance(self.focused, HostTable) else None
        self._dialogs.change_host(key if isinstance(key, str) else self.chosen)

    def action_add_vms(self) -> None:
        """Let the VMs of the request run where placement puts them."""
        self._dialogs.add_vms()

    def action_list_changes(self) -> None:
        """List the changes, each of which can be taken back."""
        self._dialogs.list_changes()

    def action_export(self) -> None:
        """Show what would make the changes real."""
        self._dialogs.export()

    # The editor ----------------------------------------------------------------------------------------------------

    @property
    def is_editing(self) -> bool:
        """Whether the editor is shown."""
        return self.has_class("-editing")

    def action_edit_function(self) -> None:
        """Edit the cost function of the chosen host, beside its curve."""
        if self.realms.session.configuration.cost_functions:
            self._open_editor(None)
        else:
            self.realms.tell("The configuration has no cost functions.")

    def action_choose_function(self) -> None:
        """Ask which cost function to edit."""
        self._dialogs.choose_function(self._open_editor)

    def _open_editor(self, function: str | None) -> None:
        """Edit a function, and stay with it and its host, whichever is best by what is typed."""
        self.session.edit(function, self.realms.session.configuration)
        editor, path = self.query_one(ParameterEditor), self.realms.session.configuration_path
        if path is not None:
            editor.find_places(path, self._tell_places_are_missing)
        self.add_class("-editing")
        self._fold(self.size.width, self.size.height)
        self._show_subject()
        editor.table.focus()

    def _close_editor(self) -> None:
        self.session.function = None
        self.remove_class("-editing")
        self._fold(self.size.width, self.size.height)
        self.back_to_the_ranking()

    def _show_subject(self) -> None:
        if not self.is_editing:
            return
        subject = self.session.subject(self.realms.session.configuration)
        if subject is None:
            self._close_editor()
        else:
            self.query_one(ParameterEditor).show(subject)

    def _tell_places_are_missing(self, error: RealmsError) -> None:
        self.realms.tell(f"Can't locate values in the files: {error.message}", "warning", hint=error.hint)
