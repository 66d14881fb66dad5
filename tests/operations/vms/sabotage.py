"""A task's control that does something real at a step: what happens to that step then is libvirt's doing."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from core.operations.tasks.task import Control

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from core.operations.tasks.step_kinds import StepKind
    from core.operations.tasks.task import StepControl


class Saboteur(Control):
    """Does its deed once, just before the first step whose name begins with `at`."""

    def __init__(self, control: Control, at: str, deed: Callable[[], object]) -> None:
        super().__init__(control.steps)
        self.struck: list[str] = []
        self._at = at
        self._deed = deed

    @contextlib.contextmanager
    def step(self, kind: StepKind, what: str, host: str = "", **more: Any) -> Iterator[StepControl]:
        """Strike, then work on the step."""
        if what.startswith(self._at) and not self.struck:
            self.struck.append(what)
            self._deed()
        with super().step(kind, what, host, **more) as step:
            yield step

    def branch(self) -> Saboteur:
        """Return another of the same task that strikes at the same step."""
        branch = Saboteur(self, self._at, self._deed)
        branch.struck = self.struck
        return branch


class Rival(Control):
    """Does its deed before each step whose name begins with `at`: what another program does at the worst moment."""

    def __init__(self, control: Control, at: str, deed: Callable[[], object]) -> None:
        super().__init__(control.steps)
        self._at = at
        self._deed = deed

    @contextlib.contextmanager
    def step(self, kind: StepKind, what: str, host: str = "", **more: Any) -> Iterator[StepControl]:
        """Strike, then work on the step."""
        if what.startswith(self._at):
            self._deed()
        with super().step(kind, what, host, **more) as step:
            yield step
