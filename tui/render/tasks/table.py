"""Tasks as rows of a table, one in detail, and all that run in a few words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from core.operations.tasks.task import Progress, Step, TaskView
from core.text import natural, one_line, plural
from core.units import show_age, show_size
from tui.render.cells import Cell, Meter, Piece, Tone
from tui.render.rows import Column, Measure, Row
from tui.render.wrapping import cut_middle, wrapped

Line = tuple[Piece, ...]

TASK_COLUMNS = (
    Column(key="task", title="TASK", least=8, most=20, letter="T"),
    Column(key="name", title="TARGET", least=12, most=36, letter="N"),
    Column(key="started", title="STARTED UTC", whole=True, least=11, most=11, priority=3, letter="S", ascending=False),
    Column(
        key="took", title="TOOK", right=True, least=7, priority=2, letter="O", ascending=False, measure=Measure.DURATION
    ),
    Column(key="steps", title="STEPS", right=True, least=5),
    Column(key="progress", title="PROGRESS", least=8, most=16, elastic=True, priority=1),
    Column(key="result", title="RESULT", least=28, most=160, stretch=True, letter="R"),
    Column(key="user", title="USER", most=20, wide_only=True),
)

_MARKS = {
    Progress.RUNNING: (">", Tone.ACCENT),
    Progress.DONE: ("\N{CHECK MARK}", Tone.GOOD),
    Progress.FAILED: ("\N{BALLOT X}", Tone.BAD),
    Progress.CANCELLED: ("\N{EN DASH}", Tone.WARN),
    Progress.UNDONE: ("\N{LEFTWARDS ARROW}", Tone.WARN),
}
_TONES = {progress: tone for progress, (_, tone) in _MARKS.items()}
_LONGEST = 2000
"""Characters of a message that are shown at most."""


def task_title(view: TaskView) -> str:
    """Name a task: what it does, and to what."""
    return f"{view.what} {view.target}".strip()


def steps_done(view: TaskView) -> str:
    """Count the steps that are done, of those begun so far."""
    return f"{sum(step.progress is Progress.DONE for step in view.steps)}/{len(view.steps)}" if view.steps else "-"


def running_summary(running: Sequence[TaskView]) -> str:
    """Return what runs, in the few words that fit beside other things: "1 task: create web-9 3/7"."""
    if not running:
        return ""
    newest = running[-1]
    steps = f" {steps_done(newest)}" if newest.steps else ""
    return f"{plural(len(running), 'task')}: {cut_middle(one_line(task_title(newest)), 28)}{steps}"


def task_rows(views: Sequence[TaskView], now: float) -> list[Row]:
    """Make a row of each task, the newest first."""
    return [_row(view, now) for view in reversed(views)]


def _row(view: TaskView, now: float) -> Row:
    took = _took(view.started_at, view.ended_at, now)
    cells: tuple[Cell, ...] = (
        view.what,
        view.target,
        f"{datetime.fromtimestamp(view.started_at, UTC):%H:%M:%S}",
        show_age(took),
        steps_done(view),
        _meter(view),
        _result(view),
        view.user,
    )
    order = (natural(view.what), natural(view.target), view.started_at, took, None, None, view.progress.value, None)
    return Row(view.id, cells, order)


def _took(started_at: float, ended_at: float | None, now: float) -> float:
    return max(0.0, (now if ended_at is None else ended_at) - started_at)


def _current(view: TaskView) -> Step | None:
    return next((step for step in reversed(view.steps) if step.ended_at is None), None)


def _meter(view: TaskView) -> Cell:
    step = _current(view) if view.is_running else None
    fraction = step.fraction if step is not None else None
    return Meter(fraction, f"{100 * fraction:.0f} %") if fraction is not None else ""


def _result(view: TaskView) -> Cell:
    if view.is_running:
        step = _current(view)
        word = "cancelling" if view.cancelling else "running"
        told = f": {_words(step)}" if step is not None else ""
        return ((word, Tone.WARN if view.cancelling else Tone.ACCENT), (told, Tone.PLAIN))
    pieces: list[Piece] = [(view.progress.value, _TONES[view.progress])]
    if view.error or view.result:
        pieces.append((f": {one_line(view.error or view.result)}", Tone.PLAIN))
    if view.warnings:
        pieces.append((f", {plural(len(view.warnings), 'warning')}", Tone.WARN))
    return tuple(pieces)


def _words(step: Step) -> str:
    return one_line(f"{step.host}: {step.what}" if step.host else step.what)


@dataclass(frozen=True, slots=True)
class TaskDetail:
    """What a panel shows of one task: how it ended and how to mend it, warnings, and its steps."""

    view: TaskView
    now: float

    def title(self) -> Line:
        """Name the task, and say how it stands."""
        view = self.view
        word = "cancelling" if view.is_running and view.cancelling else view.progress.value
        return ((task_title(view), Tone.STRONG), ("  ", Tone.PLAIN), (word, _TONES[view.progress]))

    def lines(self, width: int, height: int) -> tuple[Line, ...]:
        """Return what fits: where not all steps do, the latest."""
        told, steps = self._told(width), self._steps(width)
        if not steps:
            steps = [(("no steps yet" if self.view.is_running else "no steps", Tone.MUTED),)]
        if len(told) + len(steps) <= height:
            return (*told, *steps)
        told = told[: max(2, height // 2)]
        room = max(1, height - len(told) - 1)
        left_out = len(steps) - room
        earlier: Line = ((f"{plural(left_out, 'earlier line')}: Enter shows all", Tone.MUTED),)
        return (*told, earlier, *steps[-room:]) if left_out > 0 else (*told, *steps)

    def everything(self, width: int) -> tuple[Line, ...]:
        """Return all lines, however many."""
        return self.lines(width, 1_000_000)

    def _told(self, width: int) -> list[Line]:
        view = self.view
        lines: list[Line] = []
        if view.result:
            lines += _labelled("Result", view.result, Tone.PLAIN, width)
        if view.error:
            lines += _labelled(
                "Error", view.error, Tone.WARN if view.progress is Progress.CANCELLED else Tone.BAD, width
            )
        if view.hint:
            lines += _labelled("Hint", view.hint, Tone.PLAIN, width)
        for warning in view.warnings:
            lines += _labelled("Warning", warning, Tone.WARN, width)
        return lines

    def _steps(self, width: int) -> list[Line]:
        lines: list[Line] = []
        for step in self.view.steps:
            mark, tone = _MARKS[step.progress]
            took = show_age(_took(step.started_at, step.ended_at, self.now))
            amount = f"  {_amount(step)}" if _amount(step) else ""
            lines.append(
                ((f"{mark} ", tone), (_words(step), Tone.PLAIN), (amount, Tone.PLAIN), (f"  {took}", Tone.MUTED))
            )
            if step.detail:
                tone = Tone.BAD if step.progress is Progress.FAILED else Tone.MUTED
                lines += [(("  ", Tone.PLAIN), (line, tone)) for line in wrapped(step.detail, width - 2, 6)]
        return lines


def _labelled(label: str, text: str, tone: Tone, width: int) -> list[Line]:
    return [
        ((f"{label if number == 0 else '':<9}", Tone.MUTED), (line, tone))
        for number, line in enumerate(wrapped(text[:_LONGEST], width - 9, 8))
    ]


def _amount(step: Step) -> str:
    if step.ended_at is not None or step.total <= 0:
        return ""
    if step.unit == "bytes":
        return f"{show_size(step.done)} of {show_size(step.total)}"
    return f"{step.done:g} of {step.total:g} {step.unit}".rstrip()
