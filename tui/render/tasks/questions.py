"""What ending tasks will do, said before it is done."""

from collections.abc import Sequence

from core.operations.tasks.task import TaskView
from core.text import plural
from tui.render.cells import Tone
from tui.render.question import Question
from tui.render.tasks.table import Line, steps_done, task_title

MOST_NAMED = 8
"""Tasks that a dialog names one by one; the rest are counted."""


def ask_cancel(views: Sequence[TaskView]) -> Question:
    """Ask before running tasks are told to end."""
    title = f"Cancel {task_title(views[0])}?" if len(views) == 1 else f"Cancel {len(views)} tasks?"
    told = "The task stops after the current step and is rolled back; failed rollbacks are reported as warnings."
    return Question(
        title, (*_named(views), (), ((told, Tone.MUTED),)), "Cancel task", destructive=True, otherwise="Keep running"
    )


def ask_quit(views: Sequence[TaskView], *, again: bool) -> Question:
    """Ask before the program ends while tasks run; `again`: they have been told to end already."""
    told = (
        "The tasks are being rolled back. If you quit now, the rollback is incomplete: "
        "finish it with realms vms recover."
        if again
        else "The tasks are cancelled; the program exits when they are rolled back."
    )
    verb = "is" if len(views) == 1 else "are"
    return Question(
        f"Quit while {plural(len(views), 'task')} {verb} running?",
        (*_named(views), (), ((told, Tone.WARN if again else Tone.MUTED),)),
        "Quit now" if again else "Cancel and quit",
        destructive=True,
        otherwise="Stay",
    )


def _named(views: Sequence[TaskView]) -> list[Line]:
    lines: list[Line] = [
        ((task_title(view), Tone.STRONG), (f"  {steps_done(view)} steps", Tone.MUTED)) for view in views[:MOST_NAMED]
    ]
    if len(views) > MOST_NAMED:
        lines.append(((f"and {len(views) - MOST_NAMED} more", Tone.PLAIN),))
    return lines
