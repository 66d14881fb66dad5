"""Plans of moves carried out from their area: begun after asking, watched, stopped, and resumed after a break."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.errors import RealmsError
from core.hosts import HostState
from core.operations.plans.order import PlanKind as OrderKind
from core.operations.plans.order import PlanOrder
from core.operations.plans.run import MoveState, Run
from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Progress
from core.placement.plans.demand import MovePolicy
from core.text import one_line
from core.units import show_age
from tui.commands import Command
from tui.forms.fields import YES, FormField
from tui.render.cells import Tone, cut
from tui.render.plans.progress import (
    COURSE_COLUMNS,
    capital,
    course_sheet,
    keyed,
    left_line,
    order_in_words,
)
from tui.render.plans.sheet import PlanKind
from tui.render.summary import plural
from tui.screens.plans.resumable import PlansLeft
from tui.widgets.panel import Panel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from core.operations.plans.run import LeftRun
    from core.operations.tasks.task import Control, TaskView
    from tui.render.plans.sheet import Sheet
    from tui.render.rows import RowKey
    from tui.screens.plans.dialogs import Agreement
    from tui.screens.plans.planner import Desk
    from tui.widgets.grid import Grid

DEADLINE = 20.0
"""Seconds that connecting to a host may take."""

APPLY_KEYS = (
    Command("a,ctrl+s", "apply", "Apply", "Apply: make the plan's moves, after asking.", footer=True, changes=True),
    Command("x", "stop", "Stop", "Stop the plan that is carried out; it can be resumed.", footer=True, changes=True),
    Command("u", "resume", "Resume", "Resume a plan that was stopped or broken off, or give it up.", changes=True),
    Command("t", "take_along", "Take along", "Which VMs may move: foreign ones, those that hold devices."),
)


@dataclass(frozen=True, slots=True)
class Course:
    """A plan that was begun here: how it stands, its task, and when that began."""

    run: Run
    task: int
    began: float


class PlansApplying(PlansLeft):
    """The part of the area that carries plans out. The other part says which plan is in front."""

    def __init__(self) -> None:
        super().__init__()
        self.kind = PlanKind.CAPACITY
        """The plan in front."""
        self._courses: dict[tuple[PlanKind, str], Course] = {}
        self._ended: set[int] = set()
        """Tasks of courses that were seen to have ended."""

    @property
    def drained(self) -> str:
        """The host that the drain in front is of; empty for other plans."""
        raise NotImplementedError

    @property
    def policy(self) -> MovePolicy:
        """Which VMs the plan in front may move."""
        raise NotImplementedError

    @property
    def desk(self) -> Desk:
        """The plan in front, as far as it is made."""
        raise NotImplementedError

    def show_plan(self) -> None:
        """Show what is in front as it stands now."""
        raise NotImplementedError

    def open_plan(self, kind: PlanKind, host: str) -> None:
        """Bring a plan to the front."""
        raise NotImplementedError

    def use_policy(self, policy: MovePolicy) -> None:
        """Plan anew with other VMs that may move."""
        raise NotImplementedError

    # What is under way -----------------------------------------------------------------------------------------------

    @property
    def course(self) -> Course | None:
        """The plan in front, where it is carried out or was just now."""
        return self._courses.get((self.kind, self.drained))

    def _under_way(self) -> list[Course]:
        return [course for course in self._courses.values() if not self._has_ended(course)]

    def _has_ended(self, course: Course) -> bool:
        view = self.realms.task_view(course.task)
        return view is None or not view.is_running

    def course_grid(self) -> Grid:
        """Make the table of a plan that is carried out."""
        grid = self.grid(COURSE_COLUMNS, "plan-course", heading="", empty="No moves.")
        grid.display = False
        return grid

    def course_sheet(self) -> Sheet | None:
        """Show the course in front as it stands now."""
        course = self.course
        if course is None:
            return None
        sheet, task = course_sheet(course.run.view), self.realms.task_view(course.task)
        if task is None or task.progress is not Progress.FAILED:
            return sheet
        why = one_line(f"{task.error} ({task.hint})" if task.hint else task.error)
        return replace(sheet, said=((sheet.said[0][0], Tone.WARN), (why, Tone.BAD)))

    def course_note(self) -> str:
        """Say below the table since when it is under way, or how long it took."""
        course = self.course
        task = self.realms.task_view(course.task) if course is not None else None
        if course is None or task is None:
            return ""
        if task.cancelling and task.is_running:
            return "calling off what is under way"
        now = self.realms.workplace.clock.now()
        if task.is_running:
            return f"for {show_age(max(0.0, now - course.began))}, task {task.id} in Tasks (6)"
        took = max(0.0, (task.ended_at or now) - course.began)
        return f"took {show_age(took)}"

    def now_on(self, key: RowKey) -> str:
        """Name the host that a VM of the course in front has moved to; empty where it has not."""
        move = keyed(self.course.run.view).get(key) if self.course is not None else None
        return move.target if move is not None and move.state is MoveState.DONE else ""

    def put_course_away(self) -> None:
        """Let the plan be seen again where one was carried out that has ended."""
        if self.course is not None and self._has_ended(self.course):
            del self._courses[self.kind, self.drained]

    def show_tasks(self, views: Sequence[TaskView]) -> None:
        """Show how far the course in front is; once one has ended, look what it left."""
        del views
        ended = {course.task for course in self._courses.values() if self._has_ended(course)}
        if ended - self._ended:
            self.look_for_left()
        self._ended = ended
        if self.course is not None and self.is_mounted:
            self.show_plan()

    def allows(self, command: Command) -> bool:
        """Tell whether a command can be done here and now."""
        if not super().allows(command):
            return False
        match command.action:
            case "apply":
                return self.kind.moves and (self.course is None or self._has_ended(self.course))
            case "stop":
                return bool(self._under_way())
            case "resume":
                return bool(self._resumable())
        return True

    def _may_change(self) -> bool:
        workplace = self.realms.workplace
        if not workplace.can_change:
            self.realms.tell(f"Nothing can be changed: {workplace.why_not}.", "warning")
        return workplace.can_change

    # What was left ---------------------------------------------------------------------------------------------------

    def _resumable(self) -> list[LeftRun]:
        """Give what was left and nobody works on, that of the plan in front first."""
        own = {course.run.view.id for course in self._under_way()}
        found = [left for left in self.left if not left.at_work and left.id not in own]
        return sorted(found, key=lambda left: (left.order.kind.value, left.order.host) != (self.kind, self.drained))

    def show_left(self) -> None:
        """Write the line that offers what was left; that of the course in front says so itself."""
        own = {each.run.view.id for each in self._courses.values()}
        in_front = self.course.run.view.id if self.course is not None else None
        left = [each for each in self._resumable() if each.id != in_front]
        left = left or [each for each in self.left if each.at_work and each.id not in own]
        panel = self.query_one("#plan-left", Panel)
        panel.display = bool(left or self.left_error)
        if self.left_error:
            told = one_line(f"Which plans were left can't be read: {self.left_error}")
            panel.show((), lambda width, height: (((cut(told, width), Tone.BAD),),) * min(1, height))
        elif left:
            line = left_line(left[0], len(left) - 1, self.realms.workplace.clock.now())
            panel.show((), lambda width, height: (line,)[: max(0, min(width, height))])

    # What is done ----------------------------------------------------------------------------------------------------

    def action_apply(self) -> None:
        """Ask, then carry out the plan in front, as a task."""
        if not self._may_change():
            return
        if not self.kind.moves:
            self.realms.tell("Drain, rebalance and make room are plans of moves: d, b and o. Nothing else is applied.")
            return
        if (course := self.course) is not None:
            if not self._has_ended(course):
                self.realms.tell(f"{capital(order_in_words(course.run.view.order))} is under way.")
                return
            self.put_course_away()
            self.use_policy(self.policy)
            self.realms.tell("Planned anew: look at it, then apply it.")
            return
        if resumable := [left for left in self._resumable() if self._is_of(left.order)]:
            self._ask_to_resume(resumable[0])
            return
        if (others := self._in_the_way()) is not None:
            self.realms.tell(f"{capital(order_in_words(others))} is under way: one plan after the other.", "warning")
            return
        self._ask_to_apply()

    def _is_of(self, order: PlanOrder) -> bool:
        wanted = self.realms.request if self.kind is PlanKind.ROOM else None
        return (order.kind.value, order.host, order.request) == (self.kind.value, self.drained, wanted)

    def _in_the_way(self) -> PlanOrder | None:
        """Give a plan under way that this one must not be carried out beside; several hosts may be drained at once."""
        orders = [course.run.view.order for course in self._under_way()]
        return next((order for order in orders if not (order.host and self.kind is PlanKind.DRAIN)), None)

    def _ask_to_apply(self) -> None:
        from tui.render.plans.questions import ask_apply, can_cordon
        from tui.screens.plans.dialogs import ApplyPlan

        desk, fleet = self.desk, self.realms.fleet
        sheet = desk.outcome
        current = desk.asked is not None and desk.shown is not None and desk.asked.subject == desk.shown.subject
        if fleet is None or not current or sheet is None or isinstance(sheet, RealmsError):
            self.realms.tell("The plan isn't made yet.", "warning")
            return
        if not sheet.moves:
            self.realms.tell("There is nothing to move.", hint=sheet.said[0][0] if sheet.said else "")
            return
        order = self._order(sheet)
        cordons = order.host if order.host and can_cordon(fleet.host(order.host)) else ""

        def answered(agreement: Agreement | None) -> None:
            if agreement is not None:
                self._begin(replace(order, parallel=agreement.parallel), sheet, cordons if agreement.cordon else "")

        self.app.push_screen(ApplyPlan(ask_apply(order, sheet, fleet.hosts), cordons=cordons), answered)

    def _order(self, sheet: Sheet) -> PlanOrder:
        """Say what would be carried out: the plan in front, no further than it goes."""
        return PlanOrder(
            kind=OrderKind(self.kind.value),
            host=self.drained,
            policy=self.policy,
            most=len(sheet.moves) if self.kind is PlanKind.REBALANCE else None,
            request=sheet.request,
        )

    def _begin(self, order: PlanOrder, sheet: Sheet, cordons: str) -> None:
        workplace = self.realms.workplace

        def first(control: Control) -> None:
            if cordons:
                with control.step(StepKind.CONTROL, "set it to No Scheduling", cordons):
                    workplace.set_state(cordons, HostState.NO_SCHEDULING)

        self._start_run(Run(order, sheet.moves), first, sheet.gain if order.request is not None else "")

    def _start_run(self, run: Run, first: Callable[[Control], None], gain: str = "") -> None:
        """Carry a run out as a task; `gain` is what it is good for, said once all its moves are made."""
        workplace, order = self.realms.workplace, run.view.order

        def job(control: Control) -> str:
            from core.operations.plans.apply import carry_out

            try:
                first(control)
            except RealmsError:
                run.change(ended=True)
                raise
            return carry_out(control, workplace, run, deadline=DEADLINE)

        def ended(told: str) -> None:
            view = run.view
            bad = view.count(MoveState.FAILED, MoveState.IN_DOUBT, MoveState.WAITING)
            then = f". {gain}" if gain and view.count(MoveState.DONE) == len(view.moves) else ""
            self.realms.tell(f"{capital(order.what)}: {told}{then}", "warning" if bad else "information")

        target = order.host or plural(len(run.view.moves), "VM")
        what = order.kind.value if order.request is None else "make room by moving"
        self.follow(run, self.realms.run_task(what, target, job, ended))

    def follow(self, run: Run, task: int) -> None:
        """Bring a plan to the front that a task carries out."""
        order = run.view.order
        kind = PlanKind(order.kind.value)
        self._courses[kind, order.host] = Course(run, task, self.realms.workplace.clock.now())
        self.open_plan(kind, order.host)

    def action_stop(self) -> None:
        """Ask, then begin no further move of a plan that is carried out."""
        running = self._under_way()
        course = self.course if self.course in running else running[0] if len(running) == 1 else None
        if course is None:
            told = "Go to the one that is to be stopped." if running else "No plan is carried out here now."
            self.realms.tell(told)
            return
        from tui.render.plans.questions import ask_stop
        from tui.screens.dialogs.form import VMForm

        tick = FormField(key="off", tick="call off what is under way too: those VMs stay where they were")
        run, number = course.run, course.task

        def answered(values: dict[str, str] | None) -> None:
            if values is None:
                return
            run.stop()
            if values["off"]:
                self.realms.workplace.tasks.cancel(number)
            self.realms.tick()

        self.app.push_screen(VMForm(ask_stop(run.view), [tick]), answered)

    def action_resume(self) -> None:
        """Ask, then go on with a plan that was stopped or broken off, or give it up."""
        if not self._may_change():
            return
        resumable = self._resumable()
        if not resumable:
            self.realms.tell("No plan was left to be resumed.")
            return
        self._ask_to_resume(resumable[0])

    def _ask_to_resume(self, left: LeftRun) -> None:
        from tui.render.plans.questions import ask_resume
        from tui.screens.plans.dialogs import ResumePlan

        def answered(wanted: bool | None) -> None:
            if wanted:
                self._start_run(Run.resumed(left), lambda _: None)
            elif wanted is not None:
                self._give_up(left)

        self.app.push_screen(ResumePlan(ask_resume(left)), answered)

    def _give_up(self, left: LeftRun) -> None:
        workplace = self.realms.workplace

        def job(control: Control) -> str:
            from core.operations.plans.run import forget_run

            with control.step(StepKind.NOTE, "forget what was left"):
                forget_run(workplace, left.id)
            return f"{capital(order_in_words(left.order))} is given up: what has moved stays where it is"

        def ended(told: str) -> None:
            self.realms.tell(told)
            self.look_for_left()

        self.realms.run_task("give up", left.order.what, job, ended)

    def action_take_along(self) -> None:
        """Ask which VMs the plan in front may move."""
        if not self.kind.moves or (self.course is not None and not self._has_ended(self.course)):
            self.realms.tell("Which VMs may move is asked for drain, rebalance and make room: d, b and o.")
            return
        from tui.render.plans.questions import ask_policy
        from tui.screens.dialogs.form import VMForm

        policy = self.policy
        fields = [
            FormField(key="foreign", tick="foreign VMs, which no realm has made", value=YES * policy.foreign),
            FormField(
                key="devices", tick="VMs that hold devices: shut down on the way", value=YES * policy.with_devices
            ),
        ]

        def answered(values: dict[str, str] | None) -> None:
            if values is not None:
                self.put_course_away()
                self.use_policy(MovePolicy(foreign=bool(values["foreign"]), with_devices=bool(values["devices"])))

        self.app.push_screen(VMForm(ask_policy(), fields), answered)
