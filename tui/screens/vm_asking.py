"""Questions to hosts for a screen: asked in threads, answered on its own, forgotten when it closes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from core.errors import Cancelled, RealmsError
from core.operations.tasks import Tasks

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.screen import Screen
    from textual.timer import Timer

    from core.clock import Clock
    from core.operations.tasks import Control, Task, TaskView

T = TypeVar("T")

LOOK_SECONDS = 0.1
"""How often answers are looked for, while any is awaited."""


@dataclass(slots=True)
class _Asked(Generic[T]):
    task: Task[T]
    then: Callable[[T], None]
    failed: Callable[[RealmsError], None]
    progress: Callable[[TaskView], None] | None
    seen: TaskView | None = None


class Inquiries:
    """What a screen has asked and not heard of yet, each under a key: a new question takes the old one's place.

    Nothing is waited for on the screen's thread, and an answer that comes after the screen is gone goes nowhere. These
    are no tasks of the program: nobody wants to see them listed.
    """

    def __init__(self, screen: Screen[Any], clock: Clock) -> None:
        self._screen = screen
        self._tasks = Tasks(clock)
        self._asked: dict[str, _Asked[Any]] = {}
        self._timer: Timer | None = None

    def ask(
        self,
        key: str,
        job: Callable[[Control], T],
        then: Callable[[T], None],
        failed: Callable[[RealmsError], None],
        progress: Callable[[TaskView], None] | None = None,
    ) -> None:
        """Ask in a thread; `then` gets the answer, `failed` why there is none, `progress` each step meanwhile."""
        self.forget(key)
        self._asked[key] = _Asked(self._tasks.run(key, "", job), then, failed, progress)
        if self._timer is None:
            self._timer = self._screen.set_interval(LOOK_SECONDS, self._look)
        else:
            self._timer.resume()

    def awaits(self, key: str) -> bool:
        """Whether an answer is still to come."""
        return key in self._asked

    @property
    def pending(self) -> bool:
        """Whether any answer is still to come."""
        return bool(self._asked)

    def forget(self, key: str) -> None:
        """Want no answer any more: whoever works on it ends at the next step."""
        asked = self._asked.pop(key, None)
        if asked is not None:
            asked.task.cancel()

    def close(self) -> None:
        """Forget all."""
        for key in tuple(self._asked):
            self.forget(key)

    def _look(self) -> None:
        for key, asked in tuple(self._asked.items()):
            if asked.task.outcome.done():
                if self._asked.get(key) is asked:
                    del self._asked[key]
                    _tell(asked)
            elif asked.progress is not None and asked.task.view is not asked.seen:
                asked.seen = asked.task.view
                asked.progress(asked.seen)
        if not self._asked and self._timer is not None:
            self._timer.pause()


def _tell(asked: _Asked[Any]) -> None:
    error = asked.task.outcome.exception()
    if error is None:
        asked.then(asked.task.outcome.result())
    elif isinstance(error, RealmsError):
        if not isinstance(error, Cancelled):
            asked.failed(error)
    else:  # a defect: told like any failure, with what the task says of it
        asked.failed(RealmsError(asked.task.view.error, hint=asked.task.view.hint))
