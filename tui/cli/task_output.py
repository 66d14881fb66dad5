"""Shows a task while it works: bars and steps on a terminal, plain lines where there is none, nothing with --json.

All of it goes to standard error: what a command prints on standard output is its result.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click
from rich.progress import TaskID

from core.operations.session import Session
from core.operations.tasks.task import Control, Step, Task, TaskView
from core.text import one_line
from tui.cli.interrupts import interrupts
from tui.cli.output import say

T = TypeVar("T")

_TICK = 0.1


def run_task(
    session: Session,
    what: str,
    target: str,
    job: Callable[[Control], T],
    *,
    quiet: bool = False,
    only_reads: bool = False,
    gently: Callable[[], str] | None = None,
) -> T:
    """Run a job as a task, show it until it has ended, and give what came of it; raises what it raised.

    Ctrl-C asks the task to end, and waits until it has undone what it did. A task that `only_reads` has nothing to
    undo: it is left behind at once, whatever host it waits for. `gently` is asked first where it can end otherwise: it
    gives the words to tell, or none where there is no gentler way left. `quiet` shows no steps (--json).
    """
    with interrupts() as asked_to_end:
        task = session.tasks.run(what, target, job)
        show = _follow if quiet else (_draw if sys.stderr.isatty() else _tell)
        show(_Watched(session, task, asked_to_end, only_reads=only_reads, gently=gently))
    for warning in task.view.warnings:
        say(f"warning: {warning}", error=True)
    return task.outcome.result()


@dataclass(frozen=True, slots=True)
class _Watched:
    """A task that is being shown, and what tells whether someone wants it to end."""

    session: Session
    task: Task[Any]
    asked_to_end: Callable[[], bool]
    only_reads: bool = False
    gently: Callable[[], str] | None = None


def _say(text: str) -> None:
    say(text, error=True)


def _follow(
    watched: _Watched, see: Callable[[TaskView], None] = lambda _: None, tell: Callable[[str], None] = _say
) -> None:
    """Look at every change of a task until it has ended. Raises click.Abort where one that only reads was to end."""
    task, generation = watched.task, -1
    while not task.outcome.done():
        see(task.view)
        generation = watched.session.tasks.wait_for_change(generation, _TICK)
        if watched.asked_to_end():
            _cancel(watched, tell)
    see(task.view)


def _cancel(watched: _Watched, tell: Callable[[str], None]) -> None:
    task = watched.task
    if watched.only_reads:
        task.cancel()
        raise click.Abort
    if watched.gently is not None and (words := watched.gently()):
        tell(words)
    elif task.view.cancelling:
        tell("rollback in progress: please wait")
    else:
        tell("cancelling; rolling back ...")
        task.cancel()


def _tell(watched: _Watched) -> None:
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

    _follow(watched, see)


def _line(step: Step) -> str:
    where = f"{step.host}: " if step.host else ""
    detail = f" ({_detail(step)})" if _detail(step) else ""
    return f"{where}{step.what}: {step.progress.value}{detail}"


def _detail(step: Step) -> str:
    """Return a word about a step that has ended; why one failed is told once, at the end, with how to mend it."""
    return "" if step.progress.value == "failed" else one_line(step.detail)


def _draw(watched: _Watched) -> None:
    """Draw the steps that work now, with bars where their totals are known; what has ended stays above as a line."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn
    from rich.text import Text

    class Words(ProgressColumn):
        """What the step is, and on which host."""

        def render(self, task: Any) -> Text:
            """Draw it."""
            return Text(_words(task.fields["step"]))

    class Bar(BarColumn):
        """A bar, where the total is known."""

        def render(self, task: Any) -> Any:
            """Draw it."""
            return super().render(task) if task.total else Text("")

    class Amount(ProgressColumn):
        """How far it is, or a word about it."""

        def render(self, task: Any) -> Text:
            """Draw it."""
            return Text(one_line(amount(task.fields["step"], task.speed)), style="dim")

    bars: dict[int, TaskID] = {}
    ended: set[int] = set()
    with Progress(SpinnerColumn(), Words(), Bar(), Amount(), console=Console(stderr=True), transient=True) as progress:

        def see(view: TaskView) -> None:
            for index, step in enumerate(view.steps):
                if index in ended:
                    continue
                if index not in bars:
                    bars[index] = progress.add_task("", total=step.total or None, step=step)
                progress.update(bars[index], total=step.total or None, completed=step.done, step=step)
                if step.ended_at is not None:
                    ended.add(index)
                    progress.remove_task(bars[index])
                    mark, style = _MARKS.get(step.progress.value, ("?", ""))
                    detail = f"  {_detail(step)}" if _detail(step) else ""
                    progress.console.print(Text.assemble((mark, style), f" {_words(step)}", (detail, "dim")))

        # Past the console a line would stick to the one that is being drawn.
        _follow(watched, see, lambda text: progress.console.print(Text(text)))


_MARKS = {
    "done": ("\N{CHECK MARK}", "green"),
    "failed": ("\N{BALLOT X}", "red"),
    "cancelled": ("\N{EN DASH}", "yellow"),
    "undone": ("\N{LEFTWARDS ARROW}", "yellow"),
}


def _words(step: Step) -> str:
    return one_line(f"{step.host}  {step.what}" if step.host else step.what)


def amount(step: Step, speed: float | None = None) -> str:
    """Return how far a step is: bytes with their speed, else its own detail."""
    from core.units import show_size

    if step.ended_at is None and step.total > 0 and step.unit == "bytes":
        pace = f" at {show_size(speed)}/s" if speed else ""
        return f"{show_size(step.done)} of {show_size(step.total)}{pace}"
    if step.ended_at is None and step.total > 0:
        return f"{step.done:.0f} of {step.total:.0f} {step.unit}".rstrip()
    return step.detail


def confirmed(question: str, *, yes: bool) -> bool:
    """Ask on a terminal; a script, or --yes, has decided already."""
    from core.text import printable

    if yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    return click.confirm(printable(question), default=False, err=True)
