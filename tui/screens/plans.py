"""The area of plans: what fits, what a failure would mean, how hosts are emptied, evened out, and room is made."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from core.errors import RealmsError
from tui.commands import Command, bindings
from tui.render.ages import freshness
from tui.render.plans import PlanKind, age_note, drawing_of
from tui.render.plans_hosts import FAILURE_COLUMNS, NO_HOSTS, capacity_columns
from tui.render.plans_moves import DRAIN_COLUMNS, MOVE_COLUMNS, REBALANCE_COLUMNS
from tui.screens.area import AreaScreen
from tui.screens.plans_question import Desk, Planned, Question, start_planning
from tui.widgets.cells import cut
from tui.widgets.grid import Grid
from tui.widgets.panel import Panel
from tui.widgets.rows import natural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from core.fleet import Fleet
    from core.placement.request import Request
    from tui.app import RealmsApp
    from tui.widgets.rows import Column, RowKey

REST_SECONDS = 3.0
"""A fleet that keeps changing is planned for so often; what is asked anew, always at once."""

REST_FACTOR = 10.0
"""Planning takes at most about one part in so many of the time."""

AGE_SECONDS = 1.0
"""How often the age of the figures is looked at while the area is in front."""

MOST_SENTENCE_LINES = 3

_BESIDE_SENTENCES = 4
_NAME_IN_TAB = 16


@dataclass(frozen=True, slots=True)
class _Tab:
    kind: PlanKind
    key: str
    title: str
    columns: Sequence[Column]

    @property
    def grid(self) -> str:
        """Id of its table, and what its sort is kept by."""
        return f"plan-{self.kind}"


_TABS = (
    _Tab(PlanKind.CAPACITY, "c", "Capacity", capacity_columns(1)),
    _Tab(PlanKind.FAILURE, "f", "Failure", FAILURE_COLUMNS),
    _Tab(PlanKind.DRAIN, "d", "Drain", DRAIN_COLUMNS),
    _Tab(PlanKind.REBALANCE, "b", "Rebalance", REBALANCE_COLUMNS),
    _Tab(PlanKind.ROOM, "o", "Make room", MOVE_COLUMNS),
)


class PlanTab(Static):
    """The name of a plan, with the key that leads to it; a click does too."""

    class Clicked(Message):
        """The plan is wanted."""

        def __init__(self, kind: PlanKind) -> None:
            super().__init__()
            self.kind = kind

    def __init__(self, kind: PlanKind) -> None:
        super().__init__(id=f"tab-{kind}", classes="tab")
        self.kind = kind

    def on_click(self) -> None:
        """Ask for the plan."""
        self.post_message(self.Clicked(self.kind))


class PlansScreen(AreaScreen):
    """Plans over the fleet as it is, made off the screen's thread. Nothing is carried out here."""

    KEYS: ClassVar[tuple[Command, ...]] = (
        Command(
            "c", "plan('capacity')", "Plan", "Capacity: how many more VMs fit, and what stops the next.",
            footer=True, shown="c f d b o",
        ),
        Command("f", "plan('failure')", "Failure", "Failure: which VMs would have no place if a host failed."),
        Command("d", "plan('drain')", "Drain", "Drain: where the VMs of the host under the cursor would go."),
        Command("b", "plan('rebalance')", "Rebalance", "Rebalance: moves that even out the hosts' costs."),
        Command("o", "plan('room')", "Make room", "Make room: moves after which a host takes the request."),
        Command("e", "edit_request", "Request", "Edit the request: what capacity and room are for.", footer=True),
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
        self._desks = {kind: Desk() for kind in PlanKind}
        self._number = 0

    # Layout --------------------------------------------------------------------------------------------------------

    def compose_body(self) -> ComposeResult:
        """Lay out the plans' names, what is said of the one in front, its table, and the row under the cursor."""
        with Horizontal(id="tabs"):
            for tab in _TABS:
                yield PlanTab(tab.kind)
        yield Panel(id="plan-said")
        realms = len(self.realms.workplace.configuration.realms)
        for tab in _TABS:
            columns = capacity_columns(realms) if tab.kind is PlanKind.CAPACITY else tab.columns
            yield self.grid(columns, tab.grid, heading=tab.title, empty="")
        yield Panel(id="plan-row")

    def on_mount(self) -> None:
        """Begin with the capacity."""
        self.query_one("#plan-row").display = False
        self._bring_to_front()
        self.set_interval(AGE_SECONDS, self._grow_older)

    @property
    def _table(self) -> Grid:
        return self.query_one(f"#plan-{self.kind}", Grid)

    @property
    def desk(self) -> Desk:
        """The plan in front, as far as it is made."""
        return self._desks[self.kind]

    def _bring_to_front(self) -> None:
        for tab in _TABS:
            self.query_one(f"#{tab.grid}").display = tab.kind is self.kind
        self._write_tabs()
        self._table.focus()

    def _write_tabs(self) -> None:
        for tab in _TABS:
            widget = self.query_one(f"#tab-{tab.kind}", PlanTab)
            chosen = tab.kind is self.kind
            widget.set_class(chosen, "-chosen")
            title = tab.title
            if tab.kind is PlanKind.DRAIN and self._drained:
                title = f"{title} {cut(self._drained, _NAME_IN_TAB)}"
            widget.update(Content.assemble((tab.key, "$accent"), " ", (title, "bold underline" if chosen else "")))

    # Planning ------------------------------------------------------------------------------------------------------

    def show_fleet(self, fleet: Fleet) -> None:
        """Plan for the newest fleet, unless it was planned for just now."""
        self._consider(fleet)

    def _consider(self, fleet: Fleet, *, at_once: bool = False) -> None:
        if not self._drained or fleet.host(self._drained) is None:
            self._drained = self._first_host(fleet)
            self._write_tabs()
        if self.kind is PlanKind.DRAIN and not self._drained:
            self.desk.forget()
            self._table.set_heading("Drain")
            self._table.empty = NO_HOSTS
            self._table.set_rows(())
            self._show()
            return
        question, desk = self._question(fleet), self.desk
        other = desk.asked is None or desk.asked.subject != question.subject
        if (
            other
            or at_once
            or (desk.resting_after is None and desk.asked is not None and desk.asked.state != question.state)
        ):
            self._ask(desk, question)
        self._show()

    def _first_host(self, fleet: Fleet) -> str:
        """Choose a host that has something to move, where there is one."""
        hosts = sorted(fleet.hosts, key=lambda host: (not any(host.active_vms()), natural(host.name)))
        return hosts[0].name if hosts else ""

    def _question(self, fleet: Fleet) -> Question:
        self._number += 1
        configuration, request = self.realms.workplace.configuration, self.realms.request
        return Question(self._number, self.kind, configuration, fleet, request, self._drained, self._state(fleet))

    def _state(self, fleet: Fleet) -> tuple[object, ...]:
        """Give what tells fleets apart: as long as it stays the same, so does every plan."""
        workplace = self.realms.workplace
        realms = workplace.configuration.realms
        worth = tuple(freshness(snapshot, fleet.taken, realms) for snapshot in fleet.hosts)
        return (workplace.generation, worth, workplace.configuration)

    def _ask(self, desk: Desk, question: Question) -> None:
        desk.asked = question
        if desk.is_working:
            desk.waiting = question
        else:
            self._start(desk, question)

    def _start(self, desk: Desk, question: Question) -> None:
        desk.is_working, desk.waiting = True, None
        start_planning(question, self.realms.workplace.clock, self)

    def on_planned(self, message: Planned) -> None:
        """Show what a thread has planned, unless it is no longer asked for; then plan what waits."""
        kind = message.question.kind
        desk = self._desks[kind]
        desk.is_working = False
        taken = desk.take(message)
        if desk.waiting is not None:
            self._start(desk, desk.waiting)
        desk.resting_after = message.question.number
        self.set_timer(max(REST_SECONDS, REST_FACTOR * message.seconds), partial(self._rested, message.question))
        if taken and kind is self.kind:
            self._show()

    def _rested(self, question: Question) -> None:
        """Go on after a rest, unless another has begun since."""
        desk = self._desks[question.kind]
        if desk.resting_after != question.number:
            return
        desk.resting_after = None
        if question.kind is self.kind and self.is_current and self.realms.fleet is not None:
            self._consider(self.realms.fleet)

    # What is shown -------------------------------------------------------------------------------------------------

    def _show(self) -> None:
        outcome, grid = self.desk.outcome, self._table
        self._write_note()
        if isinstance(outcome, RealmsError):
            grid.fail(str(outcome))
        elif outcome is not None:
            grid.empty = outcome.empty
            grid.set_heading(outcome.heading)
            grid.set_rows(outcome.rows)
        self._say()
        self._show_row()

    def _say(self) -> None:
        """Write the sentences, in as many lines as they take."""
        outcome = self.desk.outcome
        draw = drawing_of(() if outcome is None or isinstance(outcome, RealmsError) else outcome.said)
        panel = self.query_one("#plan-said", Panel)
        panel.styles.height = max(1, len(draw(self.size.width - _BESIDE_SENTENCES, MOST_SENTENCE_LINES)))
        panel.show((), draw)

    def on_resize(self) -> None:
        """Break the sentences to the new width."""
        self._say()

    @on(Grid.Moved)
    def _show_row(self) -> None:
        panel, outcome = self.query_one("#plan-row", Panel), self.desk.outcome
        key = self._table.cursor_key
        detail = None if outcome is None or isinstance(outcome, RealmsError) else outcome.details.get(key)
        panel.display = detail is not None
        if detail is not None:
            panel.show(detail.title, drawing_of(detail.paragraphs))

    def _write_note(self) -> None:
        desk, workplace = self.desk, self.realms.workplace
        if desk.shown is None or desk.asked is None:
            self._table.set_note("planning" if desk.is_working else "")
            return
        fleet = self.realms.fleet
        is_newest = fleet is not None and self._state(fleet) == desk.shown.state
        age = 0.0 if is_newest else workplace.clock.now() - desk.shown.fleet.taken
        awaited = desk.is_working and desk.asked.subject != desk.shown.subject
        self._table.set_note(age_note(age, working=awaited, saved=not workplace.is_live))

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
        self._bring_to_front()
        if self.realms.fleet is not None:
            self._consider(self.realms.fleet)
        else:
            self._show()

    def _host_under_cursor(self) -> str:
        key = self._table.cursor_key
        return key if isinstance(key, str) else ""

    def drain(self, host: str) -> None:
        """Show the plan that empties a host."""
        self._drained = host
        self._open(PlanKind.DRAIN)

    def action_plan_again(self) -> None:
        """Plan again, for the fleet as it is now."""
        if self.realms.fleet is not None:
            self._consider(self.realms.workplace.fleet(), at_once=True)

    def action_edit_request(self) -> None:
        """Ask for another request; it counts for the whole program, as that of Costs does."""
        from tui.screens.plans_request import RequestForm

        self.app.push_screen(RequestForm(self.realms.request), self._use_request)

    def _use_request(self, request: Request | None) -> None:
        if request is None:
            return
        self.realms.request = request
        if self.kind not in (PlanKind.CAPACITY, PlanKind.ROOM):
            self.kind = PlanKind.CAPACITY
        self._open(self.kind)

    def action_choose_host(self) -> None:
        """Ask which host is to be drained."""
        from tui.screens.plans_host import HostPicker

        if self.realms.fleet is not None:
            self.app.push_screen(HostPicker(self.realms.fleet, self._drained), self._use_host)

    def _use_host(self, host: str | None) -> None:
        if host is not None:
            self.drain(host)

    @on(Grid.Chosen)
    def _go_in(self, event: Grid.Chosen) -> None:
        """Go to what the row is about: a host, or the VM that moves or stays."""
        if isinstance(event.key, str):
            from tui.screens.host import HostScreen

            self.app.push_screen(HostScreen(event.key))
        elif isinstance(event.key, tuple):
            self.realms.go_to_vm((str(event.key[0]), str(event.key[1])))

    def go_to_row(self, key: RowKey) -> None:
        """Put the cursor on a host."""
        if self.kind in (PlanKind.CAPACITY, PlanKind.FAILURE):
            self._table.go_to(key)


def open_drain_plan(app: RealmsApp, host: str) -> None:
    """Go to the area and show the plan that empties a host."""
    app.action_area("plans")

    def show() -> None:
        if isinstance(app.screen, PlansScreen):
            app.screen.drain(host)

    app.call_after_refresh(show)
