"""Tasks that the screens started and whose end is still to be told."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from core.operations.tasks.task import Control, Task, Tasks

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Started(Generic[T]):
    """A task, and who wants to know what came of it; told only where it came to a good end."""

    task: Task[T]
    then: Callable[[T], None]


class StartedTasks:
    """Starts tasks, and gives each once when it has ended. For the screen's thread alone; waits for nothing."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._started: list[Started[Any]] = []

    def run(self, what: str, target: str, job: Callable[[Control], T], then: Callable[[T], None]) -> int:
        """Start a task in a thread of its own; gives its number."""
        task = self._tasks.run(what, target, job)
        self._started.append(Started(task, then))
        return task.view.id

    @property
    def count(self) -> int:
        """How many have not been given yet, whether or not they have ended."""
        return len(self._started)

    def ended(self) -> list[Started[Any]]:
        """Return those that have ended since this was asked last."""
        ended = [started for started in self._started if started.task.outcome.done()]
        if ended:
            self._started = [started for started in self._started if started not in ended]
        return ended
