"""The area of plans: what fits, what a failure would mean, how hosts are emptied, evened out, and room is made."""

from collections.abc import Sequence
from functools import cached_property, partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal

from core.errors import RealmsError
from core.fleet.fleet import Fleet
from core.operations.plans.run import InterruptedRun, left_runs
from core.operations.session import Session
from core.operations.tasks.task import TaskView
from core.placement.engine.request import Request
from tui.commands import Command, bindings
from tui.forms.mix import Mix
from tui.render.cells import cut
from tui.render.plans.hosts import NO_HOSTS
from tui.render.plans.progress import COURSE_COLUMNS, with_progress
from tui.render.plans.sheet import PlanKind, PlanView, drawing_of
from tui.render.rows import RowKey
from tui.screens.area import AreaScreen
from tui.screens.background import Latest
from tui.screens.plans.apply import PlanActions
from tui.screens.plans.host_picker import HostPicker
from tui.screens.plans.mix_form import MixForm
from tui.screens.plans.planner import Planner, PlanQuestion, PlanSlot
from tui.screens.plans.request_form import RequestForm
from tui.screens.plans.runs import AppliedPlan, PlanRuns
from tui.screens.plans.tabs import PLAN_KEYS, PlanTab, Tab, tabs
from tui.widgets.grid import Grid
from tui.widgets.panel import Panel

REST_SECONDS = 3.0
"""A fleet that keeps changing is planned for so often; what is asked anew, always at once."""

REST_FACTOR = 10.0
"""Planning takes at most about one part in so many of the time."""

AGE_SECONDS = 1.0
"""How often the age of the figures is looked at while the area is in front."""

LOOK_SECONDS = 5.0
"""How often it is looked for what other programs begin, stop and end, while the area is in front."""

MOST_SENTENCE_LINES = 3

_BESIDE_SENTENCES = 4
_NAME_IN_TAB = 10

PLANNING = "Planning. This can take a moment on a large fleet."


class PlansScreen(AreaScreen):
    """Plans over the fleet as it is, made off the screen's thread; those that are moves are carried out from here."""

    KEYS: ClassVar = PLAN_KEYS
    BINDINGS: ClassVar = bindings(KEYS)
    CSS_PATH = "plans.tcss"
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012 - an instance variable by its declaration
        (0, "-short"),
        (30, "-normal"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.planner = Planner()
        self.planning = {
            kind: Latest(
                self, ("plan", kind), PlanQuestion.answer, self._take_outcome, self._take_outcome,
                rest=lambda _, seconds: max(REST_SECONDS, REST_FACTOR * seconds), rested=partial(self._rested, kind),
            )
            for kind in PlanKind
        }  # fmt: skip
        self._looking = Latest(
            self, "left plans", lambda session: (left_runs(session),), self._take_left, self._take_left
        )
        self._tabs: tuple[Tab, ...] = ()

    @cached_property
    def runs(self) -> PlanRuns:
        """The plans that are carried out, and those that were left."""
        return PlanRuns(self.realms.task_view)

    @cached_property
    def actions(self) -> PlanActions:
        """What is done with plans of moves."""
        return PlanActions(self.realms, self.planner, self.runs, self.app.push_screen, self._open, self.look_for_left)

    # Layout --------------------------------------------------------------------------------------------------------

    def compose_body(self) -> ComposeResult:
        """Lay out the plans' names, what is said of the one in front, its table, and the row under the cursor."""
        self._tabs = tabs(len(self.realms.session.configuration.realms))
        with Horizontal(id="tabs"):
            for tab in self._tabs:
                yield PlanTab(tab)
        yield Panel(id="plan-left")
        yield Panel(id="plan-said")
        for tab in self._tabs:
            yield self.grid(tab.columns, tab.grid, heading=tab.title, empty="")
        yield self.grid(COURSE_COLUMNS, "plan-course", heading="", empty="No moves.")
        yield Panel(id="plan-row")

    def on_mount(self) -> None:
        """Begin with the capacity."""
        self.query_one("#plan-row").display = False
        self.query_one("#plan-left").display = False
        self.bring_to_front()
        self.set_interval(AGE_SECONDS, self._grow_older)
        self.set_interval(LOOK_SECONDS, self.look_for_left)

    def on_screen_resume(self) -> None:
        """Look for what was stopped or broken off meanwhile."""
        self.look_for_left()

    @property
    def table(self) -> Grid:
        """The table in front."""
        name = self.planner.kind if self.course is None else "course"
        return self.query_one(f"#plan-{name}", Grid)

    @property
    def desk(self) -> PlanSlot:
        """The plan in front, as far as it is made."""
        return self.planner.desk

    @property
    def course(self) -> AppliedPlan | None:
        """The plan in front, where it is carried out or was just now."""
        return self.runs.course(self.planner.key)

    @property
    def is_planning(self) -> bool:
        """Whether the plan in front is being made."""
        return self.planning[self.planner.kind].is_busy

    def bring_to_front(self) -> None:
        """Show the table that is to be seen now, and nothing of the others."""
        in_front = self.table
        for grid in self.query(Grid):
            grid.display = grid is in_front
        self._write_tabs()
        in_front.focus()

    def _write_tabs(self) -> None:
        for tab in self._tabs:
            about = cut(self.planner.host, _NAME_IN_TAB) if tab.kind is PlanKind.DRAIN else ""
            self.query_one(f"#tab-{tab.kind}", PlanTab).write(about, chosen=tab.kind is self.planner.kind)

    # Planning ------------------------------------------------------------------------------------------------------

    def show_fleet(self, fleet: Fleet, *, at_once: bool = False) -> None:
        """Plan for the newest fleet, unless it was planned for just now."""
        planner, planning = self.planner, self.planning[self.planner.kind]
        if planner.keep_host(fleet):
            self._write_tabs()
        if self.course is None and planner.kind is PlanKind.DRAIN and not planner.host:
            planner.desk.forget()
            planning.forget()
            self.table.set_heading("Drain")
            self.table.empty = NO_HOSTS
            self.table.set_rows(())
        elif self.course is None:
            question = planner.ask(
                self.realms.session, fleet, self.realms.request, at_once=at_once, is_resting=planning.is_resting
            )
            if question is not None:
                planning.ask(question)
        self.show_plan()

    def _take_outcome(self, question: PlanQuestion, outcome: PlanView | RealmsError) -> None:
        """Show what was planned, or why it can't be, unless it is no longer asked for."""
        if self.planner.take(question, outcome):
            self.show_plan()

    def _rested(self, kind: PlanKind) -> None:
        if kind is self.planner.kind and self.is_current and self.realms.fleet is not None:
            self.show_fleet(self.realms.fleet)

    def look_for_left(self) -> None:
        """Read aside what was left while the area is in front; once more where something ends meanwhile."""
        session = self.realms.session
        if self.is_current and session.is_live and session.registry is not None:
            self._looking.ask(session)

    def _take_left(self, _: Session, left: tuple[InterruptedRun, ...] | RealmsError) -> None:
        self.runs.take_left(left)
        if self.is_mounted:
            self._show_left()
            self.show_lines()

    def show_tasks(self, views: Sequence[TaskView]) -> None:
        """Show how far the course in front is; once one has ended, look what it left."""
        del views
        if self.runs.some_ended():
            self.look_for_left()
        if self.course is not None and self.is_mounted:
            self.show_plan()

    # What is shown -------------------------------------------------------------------------------------------------

    @property
    def sheet(self) -> PlanView | None:
        """What is in front: a plan that is carried out, else the plan, where there is one."""
        return self.desk.sheet if self.course is None else self.runs.sheet(self.course)

    def show_plan(self) -> None:
        """Show what is in front as it stands now."""
        grid, sheet, outcome = self.table, self.sheet, self.desk.outcome
        if not grid.display:
            self.bring_to_front()
        self.show_note()
        if sheet is not None:
            grid.empty = sheet.empty
            grid.set_heading(sheet.heading)
            grid.set_rows(sheet.rows)
        elif isinstance(outcome, RealmsError):
            grid.fail(str(outcome))
        elif self.is_planning:
            grid.empty = PLANNING
            grid.set_rows(())
        self._say(sheet)
        self._show_row()

    def _say(self, sheet: PlanView | None) -> None:
        draw = with_progress(sheet)
        panel = self.query_one("#plan-said", Panel)
        panel.styles.height = max(1, len(draw(self.size.width - _BESIDE_SENTENCES, MOST_SENTENCE_LINES)))
        panel.show((), draw)
        self._show_left()

    def _show_left(self) -> None:
        panel, line = self.query_one("#plan-left", Panel), self.runs.left_notice(self.planner.key, self._now())
        panel.display = bool(line)
        panel.show((), lambda width, height: (line,)[: max(0, min(width, height))])

    def _now(self) -> float:
        return self.realms.session.clock.now()

    def on_resize(self) -> None:
        """Break the sentences to the new width."""
        self._say(self.sheet)

    @on(Grid.Moved)
    def _show_row(self) -> None:
        panel, sheet = self.query_one("#plan-row", Panel), self.sheet
        detail = None if sheet is None else sheet.details.get(self.table.cursor_key)
        panel.display = detail is not None
        if detail is not None:
            panel.show(detail.title, drawing_of(detail.paragraphs))

    def show_note(self) -> None:
        """Say below the table of what age it is, or since when it is carried out."""
        if self.course is not None:
            note = self.runs.note(self.course, self._now())
        else:
            note = self.planner.note(self.realms.session, self.realms.fleet, is_planning=self.is_planning)
        self.table.set_note(note)

    def _grow_older(self) -> None:
        if self.is_current:
            self.show_note()

    # What is done --------------------------------------------------------------------------------------------------

    @on(PlanTab.Clicked)
    def _open_clicked(self, event: PlanTab.Clicked) -> None:
        self._open(event.kind)

    def action_plan(self, kind: str) -> None:
        """Bring a plan to the front; a drain is that of the host under the cursor, where there is one."""
        key = self.table.cursor_key
        self._open(PlanKind(kind), key if kind == PlanKind.DRAIN and isinstance(key, str) else "")

    def drain(self, host: str) -> None:
        """Show the plan that empties a host."""
        self._open(PlanKind.DRAIN, host)

    def _open(self, kind: PlanKind, host: str = "") -> None:
        self.planner.kind = kind
        self.planner.host = host or self.planner.host
        self.bring_to_front()
        if self.realms.fleet is not None:
            self.show_fleet(self.realms.fleet)
        else:
            self.show_plan()

    def action_plan_again(self) -> None:
        """Plan again, for the fleet as it is now; what was carried out is put away."""
        self.runs.put_away(self.planner.key)
        self.look_for_left()
        if self.realms.fleet is not None:
            self.show_fleet(self.realms.session.fleet(), at_once=True)

    def action_edit_request(self) -> None:
        """Ask for another request, which counts for the whole program as that of Costs does; or for another mix."""
        if self.planner.kind is PlanKind.MIX:
            self.app.push_screen(MixForm(self.planner.mix or ((self.realms.request, 1),)), self._use_mix)
        else:
            self.app.push_screen(RequestForm(self.realms.request), self._use_request)

    def _use_request(self, request: Request | None) -> None:
        if request is None:
            return
        self.realms.request = request
        kind = self.planner.kind
        self._open(kind if kind in (PlanKind.CAPACITY, PlanKind.ROOM) else PlanKind.CAPACITY)

    def _use_mix(self, mix: Mix | None) -> None:
        if mix is not None:
            self.planner.mix = mix
            self._open(PlanKind.MIX)

    def action_choose_host(self) -> None:
        """Ask which host is to be drained."""
        if self.realms.fleet is not None:
            self.app.push_screen(HostPicker(self.realms.fleet, self.planner.host), self._use_host)

    def _use_host(self, host: str | None) -> None:
        if host is not None:
            self.drain(host)

    @on(Grid.Chosen)
    def _go_in(self, event: Grid.Chosen) -> None:
        """Go to what the row is about: a host, or the VM that moves or stays."""
        if isinstance(event.key, str):
            self.realms.navigation.open_host(event.key)
        elif isinstance(event.key, tuple):
            host, uuid = str(event.key[0]), str(event.key[1])
            moved = "" if self.course is None else self.course.moved_to(event.key)
            self.realms.navigation.go_to_vm((moved or host, uuid))

    def go_to_row(self, key: RowKey) -> None:
        """Put the cursor on a host."""
        if self.planner.kind in (PlanKind.CAPACITY, PlanKind.MIX, PlanKind.FAILURE):
            self.table.go_to(key)

    def allows(self, command: Command) -> bool:
        """Return whether a command can be done here and now."""
        return super().allows(command) and self.actions.allows(command)

    def action_apply(self) -> None:
        """Ask, then carry out the plan in front, as a task."""
        self.actions.apply()

    def action_stop(self) -> None:
        """Ask, then begin no further move of a plan that is carried out."""
        self.actions.stop()

    def action_resume(self) -> None:
        """Ask, then go on with a plan that was stopped or broken off, or give it up."""
        self.actions.resume()

    def action_take_along(self) -> None:
        """Ask which VMs the plan in front may move."""
        self.actions.take_along()
