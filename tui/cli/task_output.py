"""Shows a task while it works: bars and steps on a terminal, plain lines where there is none, nothing with --json.

All of it goes to standard error: what a command prints on standard output is its result.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any, TypeVar

import click

from core.text import one_line
from tui.cli.output import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import TaskID

    from core.operations.tasks import Control, Step, Task, TaskView
    from core.operations.workplace import Workplace

T = TypeVar("T")

_TICK = 0.1


def run_task(workplace: Workplace, what: str, target: str, job: Callable[[Control], T], *, quiet: bool = False) -> T:
    """Run a job as a task, show it until it has ended, and give what came of it; raises what it raised.

    Ctrl-C asks the task to end, and waits until it has undone what it did. `quiet` shows no steps (--json).
    """
    task = workplace.tasks.run(what, target, job)
    show = _follow if quiet else (_draw if sys.stderr.isatty() else _tell)
    show(workplace, task)
    for warning in task.view.warnings:
        say(f"warning: {warning}", error=True)
    return task.outcome.result()


def _follow(workplace: Workplace, task: Task[Any], see: Callable[[TaskView], None] = lambda _: None) -> None:
    """Look at every change of a task until it has ended."""
    generation = -1
    while True:
        try:
            view = task.view
            see(view)
            if task.outcome.done():
                see(task.view)
                return
            generation = workplace.tasks.wait_for_change(generation, _TICK)
        except KeyboardInterrupt:
            if not task.view.cancelling:
                say("cancelling; what was done is being undone ...", error=True)
                task.cancel()
            else:
                say("still undoing: it ends when that is done", error=True)


def _tell(workplace: Workplace, task: Task[Any]) -> None:
    told = 0
    later: set[int] = set()

    def see(view: TaskView) -> None:
        nonlocal told
        for index in sorted({*later, *range(told, len(view.steps))}):
            step = view.steps[index]
            if step.ended_at is None:
                later.add(index)
            else:
                later.discard(index)
                say(_line(step), error=True)
        told = len(view.steps)

    _follow(workplace, task, see)


def _line(step: Step) -> str:
    where = f"{step.host}: " if step.host else ""
    detail = f" ({one_line(step.detail)})" if step.detail else ""
    return f"{where}{step.what}: {step.progress.value}{detail}"


def _draw(workplace: Workplace, task: Task[Any]) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, TextColumn
    from rich.text import Text

    from core.operations.tasks import Progress as How

    marks = {How.DONE: ("\N{CHECK MARK}", "green"), How.FAILED: ("\N{BALLOT X}", "red"),
             How.CANCELLED: ("\N{EN DASH}", "yellow"), How.UNDONE: ("\N{LEFTWARDS ARROW}", "yellow")}  # fmt: skip

    class Mark(SpinnerColumn):
        """A spinner while a step works, then how it ended."""

        def render(self, task: Any) -> Any:
            """Draw it."""
            mark = marks.get(task.fields["step"].progress)
            return super().render(task) if mark is None else Text(*mark)

    class Words(ProgressColumn):
        """What the step is, and on which host."""

        def render(self, task: Any) -> Any:
            """Draw it."""
            step = task.fields["step"]
            return Text(one_line(f"{step.host}  {step.what}" if step.host else step.what))

    class Amount(ProgressColumn):
        """How far it is, or a word about it."""

        def render(self, task: Any) -> Any:
            """Draw it."""
            return Text(one_line(amount(task.fields["step"], task.speed)), style="dim")

    console = Console(stderr=True)
    bars: dict[int, TaskID] = {}
    lock = threading.Lock()
    with Progress(
        Mark(), Words(), BarColumn(bar_width=24), TextColumn("{task.percentage:>3.0f} %"), Amount(),
        console=console, transient=False, redirect_stdout=False, redirect_stderr=False,
    ) as progress:  # fmt: skip

        def see(view: TaskView) -> None:
            with lock:
                for index, step in enumerate(view.steps):
                    if index not in bars:
                        bars[index] = progress.add_task("", total=step.total or None, step=step)
                    total = step.total or (1.0 if step.ended_at is not None else None)
                    done = total if step.progress is How.DONE and total else step.done
                    progress.update(bars[index], total=total, completed=done, step=step)

        _follow(workplace, task, see)


def amount(step: Step, speed: float | None = None) -> str:
    """Say how far a step is: bytes with their speed, else its own detail."""
    from core.units import show_size

    if step.ended_at is None and step.total > 0 and step.unit == "bytes":
        pace = f" at {show_size(speed)}/s" if speed else ""
        return f"{show_size(step.done)} of {show_size(step.total)}{pace}"
    if step.ended_at is None and step.total > 0:
        return f"{step.done:g} of {step.total:g} {step.unit}".rstrip()
    return step.detail


def confirmed(question: str, *, yes: bool) -> bool:
    """Ask on a terminal; a script, or --yes, has decided already."""
    from core.text import printable

    if yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    return click.confirm(printable(question), default=False, err=True)
