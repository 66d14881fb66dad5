"""The area of plans: what fits, what a failure would mean, how hosts are emptied, evened out, and room is made."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.containers import Horizontal

from core.errors import RealmsError
from core.placement.plans.demand import DEFAULT_POLICY
from core.text import natural
from tui.commands import Command, bindings
from tui.render.ages import freshness
from tui.render.cells import cut
from tui.render.plans.hosts import NO_HOSTS
from tui.render.plans.progress import with_progress
from tui.render.plans.sheet import PlanKind, Sheet, age_note, drawing_of
from tui.screens.background import Latest
from tui.screens.plans.apply import APPLY_KEYS, PlansApplying
from tui.screens.plans.planner import Desk, Question
from tui.screens.plans.tabs import PlanTab, tabs
from tui.widgets.grid import Grid
from tui.widgets.panel import Panel

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from core.fleet.fleet import Fleet
    from core.placement.engine.request import Request
    from core.placement.plans.demand import MovePolicy
    from tui.forms.mix import Mix
    from tui.render.rows import RowKey
    from tui.screens.plans.tabs import Tab

REST_SECONDS = 3.0
"""A fleet that keeps changing is planned for so often; what is asked anew, always at once."""

REST_FACTOR = 10.0
"""Planning takes at most about one part in so many of the time."""

AGE_SECONDS = 1.0
"""How often the age of the figures is looked at while the area is in front."""

MOST_SENTENCE_LINES = 3

_BESIDE_SENTENCES = 4
_NAME_IN_TAB = 10

PLANNING = "Planning. On a large fleet that takes a moment."


class PlansScreen(PlansApplying):
    """Plans over the fleet as it is, made off the screen's thread; those that are moves are carried out from here."""

    KEYS: ClassVar[tuple[Command, ...]] = (
        Command(
            "c", "plan('capacity')", "Plan", "Capacity: how many more VMs fit, and what stops the next.",
            footer=True, shown="cmfdbo",
        ),
        Command("m", "plan('mix')", "Mix", "Mix: how often a mix of sizes fits, and where one mix would go."),
        Command("f", "plan('failure')", "Failure", "Failure: which VMs would have no place if a host failed."),
        Command("d", "plan('drain')", "Drain", "Drain: where the VMs of the host under the cursor would go."),
        Command("b", "plan('rebalance')", "Rebalance", "Rebalance: moves that even out the hosts' costs."),
        Command("o", "plan('room')", "Make room", "Make room: moves after which a host takes the request."),
        *APPLY_KEYS,
        Command("e", "edit_request", "Request", "Edit the request, or the mix: what capacity and room are for.",
                footer=True),
        Command("h", "choose_host", "Host", "Choose the host to be drained.", footer=True),
        Command("r,f5", "plan_again", "Refresh", "Plan again, for the fleet as it is now.", footer=True),
    )  # fmt: skip
    BINDINGS: ClassVar = bindings(KEYS)
    CSS_PATH = "plans.tcss"
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012 - an instance variable by its declaration
        (0, "-short"),
        (30, "-normal"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.kind = PlanKind.CAPACITY
        self._drained = ""
        """The host to be drained; empty until one was chosen."""
        self._mix: Mix = ()
        """The sizes of the mix; empty until they were typed."""
        self._policies: dict[PlanKind, MovePolicy] = {}
        """Which VMs a plan may move, where that was chosen."""
        self._desks = {kind: Desk() for kind in PlanKind}
        self._planning = {
            kind: Latest(
                self, ("plan", kind), Question.answer, self._take_outcome, self._take_outcome,
                rest=lambda _, seconds: max(REST_SECONDS, REST_FACTOR * seconds), rested=partial(self._rested, kind),
            )
            for kind in PlanKind
        }  # fmt: skip
        self._tabs: tuple[Tab, ...] = ()

    # Layout --------------------------------------------------------------------------------------------------------

    def compose_body(self) -> ComposeResult:
        """Lay out the plans' names, what is said of the one in front, its table, and the row under the cursor."""
        self._tabs = tabs(len(self.realms.workplace.configuration.realms))
        with Horizontal(id="tabs"):
            for tab in self._tabs:
                yield PlanTab(tab)
        yield Panel(id="plan-left")
        yield Panel(id="plan-said")
        for tab in self._tabs:
            yield self.grid(tab.columns, tab.grid, heading=tab.title, empty="")
        yield self.course_grid()
        yield Panel(id="plan-row")

    def on_mount(self) -> None:
        """Begin with the capacity."""
        self.query_one("#plan-row").display = False
        self.query_one("#plan-left").display = False
        self.bring_to_front()
        self.set_interval(AGE_SECONDS, self._grow_older)

    @property
    def table(self) -> Grid:
        """The table in front."""
        if self.course is not None:
            return self.query_one("#plan-course", Grid)
        return self.query_one(f"#plan-{self.kind}", Grid)

    @property
    def desk(self) -> Desk:
        """The plan in front, as far as it is made."""
        return self._desks[self.kind]

    @property
    def is_planning(self) -> bool:
        """Whether the plan in front is being made."""
        return self._planning[self.kind].is_busy

    @property
    def drained(self) -> str:
        """The host that the drain in front is of; empty for other plans."""
        return self._drained if self.kind is PlanKind.DRAIN else ""

    @property
    def policy(self) -> MovePolicy:
        """Which VMs the plan in front may move."""
        return self._policies.get(self.kind, DEFAULT_POLICY)

    def bring_to_front(self) -> None:
        """Show the table that is to be seen now, and nothing of the others."""
        in_front = self.table
        for grid in self.query(Grid):
            grid.display = grid is in_front
        self._write_tabs()
        in_front.focus()

    def _write_tabs(self) -> None:
        for tab in self._tabs:
            about = cut(self._drained, _NAME_IN_TAB) if tab.kind is PlanKind.DRAIN and self._drained else ""
            self.query_one(f"#tab-{tab.kind}", PlanTab).write(about, chosen=tab.kind is self.kind)

    # Planning ------------------------------------------------------------------------------------------------------

    def show_fleet(self, fleet: Fleet) -> None:
        """Plan for the newest fleet, unless it was planned for just now."""
        self._consider(fleet)

    def _consider(self, fleet: Fleet, *, at_once: bool = False) -> None:
        if not self._drained or fleet.host(self._drained) is None:
            self._drained = self._first_host(fleet)
            self._write_tabs()
        if self.course is not None:
            self.show_plan()
            return
        if self.kind is PlanKind.DRAIN and not self._drained:
            self.desk.forget()
            self._planning[self.kind].forget()
            self.table.set_heading("Drain")
            self.table.empty = NO_HOSTS
            self.table.set_rows(())
            self.show_plan()
            return
        question, desk, planning = self._question(fleet), self.desk, self._planning[self.kind]
        other = desk.asked is None or desk.asked.subject != question.subject
        if (
            other
            or at_once
            or (not planning.is_resting and desk.asked is not None and desk.asked.state != question.state)
        ):
            desk.asked = question
            planning.ask(question)
        self.show_plan()

    def _first_host(self, fleet: Fleet) -> str:
        """Choose a host that has something to move, where there is one."""
        hosts = sorted(fleet.hosts, key=lambda host: (not any(host.active_vms()), natural(host.name)))
        return hosts[0].name if hosts else ""

    def _question(self, fleet: Fleet) -> Question:
        configuration, request = self.realms.workplace.configuration, self.realms.request
        return Question(
            self.kind, configuration, fleet, request, self._drained, self._state(fleet), self.policy, self._mix
        )

    def _state(self, fleet: Fleet) -> tuple[object, ...]:
        """Give what tells fleets apart: as long as it stays the same, so does every plan."""
        workplace = self.realms.workplace
        realms = workplace.configuration.realms
        worth = tuple(freshness(snapshot, fleet.taken, realms) for snapshot in fleet.hosts)
        return (workplace.generation, worth, workplace.configuration)

    def _take_outcome(self, question: Question, outcome: Sheet | RealmsError) -> None:
        """Show what was planned, or why it can't be, unless it is no longer asked for."""
        if self._desks[question.kind].take(question, outcome) and question.kind is self.kind:
            self.show_plan()

    def _rested(self, kind: PlanKind) -> None:
        if kind is self.kind and self.is_current and self.realms.fleet is not None:
            self._consider(self.realms.fleet)

    # What is shown -------------------------------------------------------------------------------------------------

    @property
    def sheet(self) -> Sheet | None:
        """What is in front: a plan that is carried out, else the plan, where there is one."""
        if self.course is not None:
            return self.course_sheet()
        outcome = self.desk.outcome
        return outcome if isinstance(outcome, Sheet) else None

    def show_plan(self) -> None:
        """Show what is in front as it stands now."""
        grid, sheet, outcome = self.table, self.sheet, self.desk.outcome
        if not grid.display:
            self.bring_to_front()
        self._write_note()
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

    def _say(self, sheet: Sheet | None) -> None:
        """Write the sentences, in as many lines as they take."""
        draw = with_progress(sheet)
        panel = self.query_one("#plan-said", Panel)
        panel.styles.height = max(1, len(draw(self.size.width - _BESIDE_SENTENCES, MOST_SENTENCE_LINES)))
        panel.show((), draw)
        self.show_left()

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

    def _write_note(self) -> None:
        desk, workplace = self.desk, self.realms.workplace
        if self.course is not None:
            self.table.set_note(self.course_note())
            return
        if desk.shown is None or desk.asked is None:
            self.table.set_note("planning" if self.is_planning else "")
            return
        fleet = self.realms.fleet
        is_newest = fleet is not None and self._state(fleet) == desk.shown.state
        age = 0.0 if is_newest else workplace.clock.now() - desk.shown.fleet.taken
        awaited = self.is_planning and desk.asked.subject != desk.shown.subject
        self.table.set_note(age_note(age, working=awaited, saved=not workplace.is_live))

    def _grow_older(self) -> None:
        if self.is_current:
            self._write_note()

    # What is done --------------------------------------------------------------------------------------------------

    @on(PlanTab.Clicked)
    def _open_clicked(self, event: PlanTab.Clicked) -> None:
        self._open(event.kind)

    def action_plan(self, kind: str) -> None:
        """Bring a plan to the front; a drain is that of the host under the cursor, where there is one."""
        wanted = PlanKind(kind)
        under_cursor = self._host_under_cursor()
        if wanted is PlanKind.DRAIN and under_cursor:
            self._drained = under_cursor
        self._open(wanted)

    def _open(self, kind: PlanKind) -> None:
        self.kind = kind
        self.bring_to_front()
        if self.realms.fleet is not None:
            self._consider(self.realms.fleet)
        else:
            self.show_plan()

    def _host_under_cursor(self) -> str:
        key = self.table.cursor_key
        return key if isinstance(key, str) else ""

    def drain(self, host: str) -> None:
        """Show the plan that empties a host."""
        self.open_plan(PlanKind.DRAIN, host)

    def open_plan(self, kind: PlanKind, host: str) -> None:
        """Bring a plan to the front; of a host where it is one of a host."""
        self._drained = host or self._drained
        self._open(kind)

    def action_plan_again(self) -> None:
        """Plan again, for the fleet as it is now; what was carried out is put away."""
        self.put_course_away()
        self.look_for_left()
        if self.realms.fleet is not None:
            self._consider(self.realms.workplace.fleet(), at_once=True)

    def action_edit_request(self) -> None:
        """Ask for another request, which counts for the whole program as that of Costs does; or for another mix."""
        if self.kind is PlanKind.MIX:
            from tui.screens.plans.mix_form import MixForm

            self.app.push_screen(MixForm(self._mix or ((self.realms.request, 1),)), self._use_mix)
            return
        from tui.screens.plans.request_form import RequestForm

        self.app.push_screen(RequestForm(self.realms.request), self._use_request)

    def _use_request(self, request: Request | None) -> None:
        if request is None:
            return
        self.realms.request = request
        if self.kind not in (PlanKind.CAPACITY, PlanKind.ROOM):
            self.kind = PlanKind.CAPACITY
        self._open(self.kind)

    def _use_mix(self, mix: Mix | None) -> None:
        if mix is not None:
            self._mix = mix
            self._open(PlanKind.MIX)

    def use_policy(self, policy: MovePolicy) -> None:
        """Plan anew with other VMs that may move."""
        self._policies[self.kind] = policy
        self._open(self.kind)

    def action_choose_host(self) -> None:
        """Ask which host is to be drained."""
        from tui.screens.plans.host_picker import HostPicker

        if self.realms.fleet is not None:
            self.app.push_screen(HostPicker(self.realms.fleet, self._drained), self._use_host)

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
            self.realms.navigation.go_to_vm((self.now_on(event.key) or host, uuid))

    def go_to_row(self, key: RowKey) -> None:
        """Put the cursor on a host."""
        if self.kind in (PlanKind.CAPACITY, PlanKind.MIX, PlanKind.FAILURE):
            self.table.go_to(key)
