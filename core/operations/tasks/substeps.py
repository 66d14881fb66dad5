"""Many steps told as one: a part of a task that has steps of its own, where only how far the part is matters."""

import threading
from collections.abc import Callable

from core.operations.tasks.task import Control, Progress, Step, StepControl, Steps


class SubtaskSteps:
    """Steps that are shown as the detail of one step of a task, with its bytes where they send any.

    `saw` gets the words and the bytes, done and in total, of each change, `warns` each warning. Those of a part that
    must be finished, whatever the task is told, are `unstoppable`.
    """

    def __init__(
        self,
        steps: Steps,
        index: int,
        saw: Callable[[str, float, float], None],
        warns: Callable[[str], None],
        *,
        unstoppable: bool = False,
    ) -> None:
        self.cancel_asked = threading.Event() if unstoppable else steps.cancel_asked
        self._steps = steps
        self._index = index
        self._saw = saw
        self._warns = warns
        self._count = 0
        self._words = ""
        self._done = self._total = 0.0

    @property
    def what(self) -> str:
        """What the task does that they are a part of."""
        return self._steps.what

    def allow_change(self) -> None:
        """Raise ReadOnly where nothing may be changed."""
        self._steps.allow_change()

    def begin(self, step: Step) -> int:
        """Begin one of them; gives its index."""
        self._count += 1
        self._words, self._done, self._total = f"{step.host}: {step.what}" if step.host else step.what, 0.0, 0.0
        self._tell()
        return self._count

    def settle_step(self, index: int, progress: Progress, detail: str | None = None) -> None:
        """Hear that one has ended: the next one, or the end of all, will be told."""

    def update_step(self, index: int, **changes: object) -> None:
        """Tell how the newest is; others go on unseen."""
        if index != self._count:
            return
        done, total = changes.get("done"), changes.get("total")
        if isinstance(done, float | int) and isinstance(total, float | int) and changes.get("unit") == "bytes":
            self._done, self._total = float(done), float(total)
        if isinstance(detail := changes.get("detail"), str) and detail:
            self._words = detail
        self._tell()

    def warn(self, text: str) -> None:
        """Add a warning."""
        self._warns(text)

    def _tell(self) -> None:
        self._steps.update_step(
            self._index, detail=self._words, done=self._done, total=self._total, unit="bytes" if self._total else ""
        )
        self._saw(self._words, self._done, self._total)


def as_substep(
    step: StepControl,
    saw: Callable[[str, float, float], None],
    warns: Callable[[str], None],
    *,
    unstoppable: bool = False,
) -> Control:
    """Return a control whose steps are told as the detail of one step."""
    return Control(SubtaskSteps(step.control.steps, step.index, saw, warns, unstoppable=unstoppable))
