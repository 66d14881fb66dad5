"""The plans that are carried out, and those that were stopped or broken off. Nothing here is of the screen."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from core.errors import RealmsError
from core.operations.plans.order import PlanOrder
from core.operations.plans.run import InterruptedRun, MoveState, PlanRun
from core.operations.tasks.task import Progress, TaskView
from core.text import one_line
from core.units import show_age
from tui.render.cells import Piece, Tone
from tui.render.plans.progress import course_sheet, keyed, left_line
from tui.render.plans.sheet import PlanKind, PlanView
from tui.render.rows import RowKey

PlanKey = tuple[str, str]
"""What a plan is known by: its kind, and the host that a drain is of."""


def key_of(order: PlanOrder) -> PlanKey:
    """Return what the plan of an order is known by."""
    return (order.kind.value, order.host)


@dataclass(frozen=True, slots=True)
class AppliedPlan:
    """A plan that was begun here: how it stands, its task, and when that began."""

    run: PlanRun
    task: int
    began: float

    def moved_to(self, row: RowKey) -> str:
        """Return the host that the VM of a row has moved to; empty where it has not."""
        move = keyed(self.run.view).get(row)
        return move.target if move is not None and move.state is MoveState.DONE else ""


class PlanRuns:
    """The plans begun here, one of each key, and those that the journal tells of. For the screen's thread alone."""

    def __init__(self, task_view: Callable[[int], TaskView | None]) -> None:
        self._task_view = task_view
        self._courses: dict[PlanKey, AppliedPlan] = {}
        self._ended: set[int] = set()
        self._left: tuple[InterruptedRun, ...] = ()
        self._left_error = ""

    def begin(self, run: PlanRun, task: int, now: float) -> None:
        """Keep a plan that a task carries out from now on."""
        self._courses[key_of(run.view.order)] = AppliedPlan(run, task, now)

    def course(self, key: PlanKey) -> AppliedPlan | None:
        """Return a plan that is carried out, or was just now."""
        return self._courses.get(key)

    def has_ended(self, course: AppliedPlan) -> bool:
        """Return whether its task is over."""
        view = self._task_view(course.task)
        return view is None or not view.is_running

    @property
    def under_way(self) -> list[AppliedPlan]:
        """Those that are carried out now."""
        return [course for course in self._courses.values() if not self.has_ended(course)]

    def some_ended(self) -> bool:
        """Return whether any has ended since this was asked last."""
        before = self._ended
        self._ended = {course.task for course in self._courses.values() if self.has_ended(course)}
        return bool(self._ended - before)

    def put_away(self, key: PlanKey) -> None:
        """Forget one that has ended: its plan is to be seen again."""
        course = self.course(key)
        if course is not None and self.has_ended(course):
            del self._courses[key]

    def in_the_way(self, kind: PlanKind) -> PlanOrder | None:
        """Return a plan under way that one of a kind must not be carried out beside; hosts may be drained together."""
        orders = [course.run.view.order for course in self.under_way]
        return next((order for order in orders if not (order.host and kind is PlanKind.DRAIN)), None)

    def to_stop(self, key: PlanKey) -> AppliedPlan | None:
        """Return the one under way that is meant: that in front, else the only one."""
        running, course = self.under_way, self.course(key)
        return course if course in running else running[0] if len(running) == 1 else None

    def take_left(self, left: tuple[InterruptedRun, ...] | RealmsError) -> None:
        """Take what the journal tells of, oldest first, or why it can't be read: what was read before stands then."""
        self._left_error = str(left) if isinstance(left, RealmsError) else ""
        self._left = self._left if isinstance(left, RealmsError) else left

    def resumable(self, key: PlanKey) -> list[InterruptedRun]:
        """Return what was left and nobody works on, that of the plan in front first."""
        own = {course.run.view.id for course in self.under_way}
        found = [left for left in self._left if not left.at_work and not left.is_unknown and left.id not in own]
        return sorted(found, key=lambda left: key_of(left.order) != key)

    def left_notice(self, key: PlanKey, now: float) -> tuple[Piece, ...]:
        """Return the line that offers what was left besides the plan in front, else tells what other programs do."""
        if self._left_error:
            return ((one_line(f"Can't read interrupted plans: {self._left_error}"), Tone.BAD),)
        own = {course.run.view.id for course in self._courses.values()}
        course = self.course(key)
        in_front = course.run.view.id if course is not None else None
        left = [each for each in self.resumable(key) if each.id != in_front]
        left = left or [each for each in self._left if (each.at_work or each.is_unknown) and each.id not in own]
        return left_line(left[0], len(left) - 1, now) if left else ()

    def sheet(self, course: AppliedPlan) -> PlanView:
        """Return one as it stands now."""
        sheet, task = course_sheet(course.run.view), self._task_view(course.task)
        if task is None or task.progress is not Progress.FAILED:
            return sheet
        why = one_line(f"{task.error} ({task.hint})" if task.hint else task.error)
        return replace(sheet, said=((sheet.said[0][0], Tone.WARN), (why, Tone.BAD)))

    def note(self, course: AppliedPlan, now: float) -> str:
        """Return since when one is under way, or how long it took."""
        task = self._task_view(course.task)
        if task is None:
            return ""
        if task.is_running:
            if task.cancelling:
                return "cancelling running moves"
            return f"for {show_age(max(0.0, now - course.began))}, task {task.id} in Tasks (6)"
        return f"took {show_age(max(0.0, (task.ended_at or now) - course.began))}"
