"""Whatever takes longer than a blink: steps with progress, cancelled and undone, shown by screen and commands alike."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from core.clock import Clock
from core.errors import Cancelled, RealmsError
from core.guard import guarded, message_of
from core.operations.tasks.step_kinds import StepKind, StepOutcome

T = TypeVar("T")


class Progress(StrEnum):
    """How far a task or one of its steps is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNDONE = "undone"
    """The step was done, and has been undone since."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a task, as it stands now. `done` of `total` are in `unit` (bytes, seconds); total 0: unknown.

    `what` and `detail` are words to show; whoever decides something does so by the other fields.
    """

    kind: StepKind
    what: str
    host: str = ""
    progress: Progress = Progress.RUNNING
    detail: str = ""
    done: float = 0.0
    total: float = 0.0
    unit: str = ""
    started_at: float = 0.0
    ended_at: float | None = None
    vm: str = ""
    """Name of the VM that it is about, where it is about one of several."""
    role: str = ""
    """Role of the pool that it is about."""
    to: str = ""
    """Host that it brings the VM to."""
    outcome: StepOutcome | None = None

    @property
    def fraction(self) -> float | None:
        """Part that is done, between 0 and 1; None while the total is unknown."""
        if self.progress is Progress.DONE:
            return 1.0
        return min(1.0, self.done / self.total) if self.total > 0 else None


@dataclass(frozen=True, slots=True)
class TaskView:
    """A task as it stands now; immutable, for screens to compare and show. Times are seconds since the epoch."""

    id: int
    what: str
    target: str
    """The VM, host or pool that it is about."""
    user: str
    started_at: float
    progress: Progress = Progress.RUNNING
    steps: tuple[Step, ...] = ()
    ended_at: float | None = None
    error: str = ""
    hint: str = ""
    warnings: tuple[str, ...] = ()
    cancelling: bool = False
    result: str = ""
    """What came of it, where its job gave a sentence."""

    @property
    def is_running(self) -> bool:
        """Whether it still works, undoing included."""
        return self.progress is Progress.RUNNING


class Steps(Protocol):
    """What steps are told to: a task, or one step of a task that stands for all of them."""

    cancel_asked: threading.Event

    @property
    def what(self) -> str:
        """What is done."""

    def allow_change(self) -> None:
        """Raise ReadOnly where nothing may be changed."""

    def begin(self, step: Step) -> int:
        """Add a step; gives its index."""

    def settle_step(self, index: int, progress: Progress, detail: str | None = None) -> None:
        """Say how a step ended."""

    def update_step(self, index: int, **changes: object) -> None:
        """Change a step."""

    def warn(self, text: str) -> None:
        """Add a warning."""


class Control:
    """What a job holds of its task: it tells its steps, asks whether to go on, and says how to undo what it did."""

    def __init__(self, task: Steps) -> None:
        self._task = task
        self._undo: list[tuple[Step, Callable[[], object]]] = []

    @contextlib.contextmanager
    def step(
        self, kind: StepKind, what: str, host: str = "", *, vm: str = "", role: str = "", to: str = "",
        always: bool = False,
    ) -> Iterator[StepControl]:  # fmt: skip
        """Work on one step; it is done when the block ends, failed when it raises. Raises Cancelled at its begin.

        This is the gate of all changes: one that changes something raises ReadOnly where nothing may be changed.

        `always` is for what has to be found out or put right even in a task that has been told to end.
        """
        if not always:
            self.check()
        if kind.changes:
            self._task.allow_change()
        index = self._task.begin(Step(kind, what, host, vm=vm, role=role, to=to))
        try:
            yield StepControl(self, index)
        except BaseException as error:
            cancelled = isinstance(error, Cancelled)
            message = error.message if isinstance(error, RealmsError) else str(error)
            self._task.settle_step(
                index, Progress.CANCELLED if cancelled else Progress.FAILED, "" if cancelled else message
            )
            raise
        self._task.settle_step(index, Progress.DONE)

    def check(self) -> None:
        """Raise Cancelled where the task has been told to end."""
        if self._task.cancel_asked.is_set():
            raise Cancelled(f"{self._task.what}: cancelled")

    @property
    def steps(self) -> Steps:
        """What its steps are told to."""
        return self._task

    @property
    def cancel_asked(self) -> threading.Event:
        """Set once the task has been told to end: for what waits and can be told so."""
        return self._task.cancel_asked

    def wait(self, seconds: float) -> None:
        """Wait, and raise Cancelled as soon as the task is told to end."""
        if self._task.cancel_asked.wait(seconds):
            self.check()

    def on_failure(self, what: str, undo: Callable[[], object], host: str = "", *, vm: str = "") -> None:
        """Have something undone, last first, where a later step fails or the task is cancelled."""
        self._undo.append((Step(StepKind.UNDO, what, host, vm=vm), undo))

    def branch(self) -> Control:
        """Return a control of the same task with an undo of its own: for one host's part, in a thread of its own."""
        return Control(self._task)

    def keep(self) -> None:
        """Let what was done so far stand, whatever happens from here on."""
        self._undo.clear()

    def warn(self, text: str) -> None:
        """Tell something that the administrator should know although the task goes on."""
        self._task.warn(text)

    def undo_all(self) -> None:
        """Undo what was registered, last first; what can't be undone becomes a warning and does not stop the rest."""
        while self._undo:
            step, undo = self._undo.pop()
            index = self._task.begin(step)
            try:
                undo()
            except Exception as error:  # noqa: BLE001 - a defect in one of them leaves the rest to be undone too
                self._task.settle_step(index, Progress.FAILED, message_of(error))
                why = error if isinstance(error, RealmsError) else message_of(error)
                self._task.warn(f"left behind: {step.what} failed: {why}")
            else:
                self._task.settle_step(index, Progress.DONE)


@dataclass(frozen=True, slots=True)
class StepControl:
    """What a job holds of one of its steps."""

    control: Control
    index: int

    def progress(self, done: float, total: float, unit: str = "bytes") -> None:
        """Tell how far the step is. Raises Cancelled where the task has been told to end."""
        self.control._task.update_step(self.index, done=done, total=total, unit=unit)
        self.control.check()

    def detail(self, text: str) -> None:
        """Say a word about the step: what was chosen, what was found."""
        self.control._task.update_step(self.index, detail=text)

    def outcome(self, outcome: StepOutcome, text: str) -> None:
        """Say what came of the step, and in words."""
        self.control._task.update_step(self.index, outcome=outcome, detail=text)


class Task(Generic[T]):
    """One job in a daemon thread of its own. `view` is how it stands; `outcome` what came of it."""

    def __init__(self, tasks: Tasks, view: TaskView, job: Callable[[Control], T]) -> None:
        self.view = view
        self.outcome: Future[T] = Future()
        self.cancel_asked = threading.Event()
        self._tasks = tasks
        self._job = job
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"task {view.id}", daemon=True)

    @property
    def what(self) -> str:
        """What it does."""
        return self.view.what

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def cancel(self) -> None:
        """Ask the task to end; it does at its next step or report of progress, and undoes what it did."""
        self.cancel_asked.set()
        self._change(lambda view: replace(view, cancelling=True))

    def allow_change(self) -> None:
        """Raise ReadOnly where nothing may be changed."""
        self._tasks.allow_change()

    def begin(self, step: Step) -> int:
        """Add a step; gives its index."""
        step = replace(step, started_at=self._tasks.clock.now())
        with self._lock:  # several hosts' threads may begin steps of one task
            self.view = replace(self.view, steps=(*self.view.steps, step))
            index = len(self.view.steps) - 1
        self._tasks.tell()
        return index

    def settle_step(self, index: int, progress: Progress, detail: str | None = None) -> None:
        """Say how a step ended."""
        ended = self._tasks.clock.now()
        extra = {} if detail is None else {"detail": detail}
        self.update_step(index, progress=progress, ended_at=ended, **extra)

    def update_step(self, index: int, **changes: object) -> None:
        """Change a step."""

        def change(view: TaskView) -> TaskView:
            steps = list(view.steps)
            steps[index] = replace(steps[index], **changes)  # type: ignore[arg-type]  # names of Step's own fields
            return replace(view, steps=tuple(steps))

        self._change(change)

    def warn(self, text: str) -> None:
        """Add a warning."""
        self._change(lambda view: replace(view, warnings=(*view.warnings, text)))

    def _change(self, change: Callable[[TaskView], TaskView]) -> None:
        with self._lock:
            self.view = change(self.view)
        self._tasks.tell()

    def _run(self) -> None:
        control = Control(self)
        try:
            value = self._job(control)
        except BaseException as error:  # noqa: BLE001 - a defect too: all is undone, and the caller learns of it
            with guarded(f"undoing {self.what}", self.warn):
                control.undo_all()
            progress = Progress.CANCELLED if isinstance(error, Cancelled) else Progress.FAILED
            hint = error.hint if isinstance(error, RealmsError) else "this is a bug"
            self._settle(progress, error=message_of(error), hint=hint)
            self.outcome.set_exception(error)
        else:
            self._settle(Progress.DONE, result=value if isinstance(value, str) else "")
            self.outcome.set_result(value)
        self._tasks.tell()  # only now: whoever is woken finds the view and the outcome both settled

    def _settle(self, progress: Progress, *, error: str = "", hint: str = "", result: str = "") -> None:
        ended = self._tasks.clock.now()
        with self._lock:
            self.view = replace(self.view, progress=progress, ended_at=ended, error=error, hint=hint, result=result)


class Tasks:
    """All tasks of this program, newest last. May be used from any thread."""

    def __init__(
        self, clock: Clock, *, user: str = "", keep: int = 200, allow_change: Callable[[], object] = lambda: None
    ) -> None:
        self.clock = clock
        self.allow_change = allow_change
        """Raises ReadOnly where nothing may be changed; called before each step that changes something."""
        self._user = user
        self._keep = keep
        self._numbers = itertools.count(1)
        self._changed = threading.Condition()
        self._tasks: list[Task[Any]] = []
        self.generation = 0
        """Grows with every change of any task."""

    def run(self, what: str, target: str, job: Callable[[Control], T]) -> Task[T]:
        """Start a task; it works in a thread of its own from now on."""
        view = TaskView(next(self._numbers), what, target, self._user, self.clock.now())
        task: Task[T] = Task(self, view, job)
        with self._changed:
            self._tasks.append(task)
            ended = [old for old in self._tasks if not old.view.is_running]
            for old in ended[: max(0, len(self._tasks) - self._keep)]:
                self._tasks.remove(old)
        self.tell()
        task.start()
        return task

    def views(self) -> tuple[TaskView, ...]:
        """Return every task as it stands now."""
        with self._changed:
            return tuple(task.view for task in self._tasks)

    def running(self) -> tuple[TaskView, ...]:
        """Return the tasks that still work."""
        return tuple(view for view in self.views() if view.is_running)

    def cancel(self, number: int) -> None:
        """Ask a task to end; nothing happens where it has ended already."""
        with self._changed:
            task = next((task for task in self._tasks if task.view.id == number), None)
        if task is not None and task.view.is_running:
            task.cancel()

    def tell(self) -> None:
        """Wake those that wait for a change."""
        with self._changed:
            self.generation += 1
            self._changed.notify_all()

    def wait_for_change(self, generation: int, timeout: float) -> int:
        """Wait until something differs from a generation, at most so many seconds; gives the present one."""
        with self._changed:
            self._changed.wait_for(lambda: self.generation != generation, timeout)
            return self.generation
