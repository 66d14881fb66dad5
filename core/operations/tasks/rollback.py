"""Steps that are in the journal before they are taken, and undone where a later one fails."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from core.operations.tasks.journal import JournalEntry
from core.operations.tasks.task import Control


class Rollback:
    """How an operation is undone, as a context: what leaves it by an exception is undone, unless it was `done`."""

    def __init__(self, control: Control, entry: JournalEntry, vm: str) -> None:
        self.control = control.branch()
        """Of the same task, with an undo of its own."""
        self.entry = entry
        self.vm = vm
        """Name of the VM that it is about."""
        self._left: list[str] = []

    def before(self, step: str, what: str, undo: Callable[[], object], host: str = "", **facts: object) -> None:
        """Write a step down that is about to be taken, and remember how it is undone.

        `undo` must do nothing where the step came to nothing: it is unknown how far a failed step got.
        """
        self.entry.step(step, host=host, **facts)

        def run() -> None:
            try:
                undo()
            except Exception:
                self._left.append(what)
                raise

        self.control.on_failure(what, run, host, vm=self.vm)

    def done(self) -> None:
        """Let all that was done stand."""
        self.control.keep()
        self.entry.close()

    def leave(self) -> None:
        """Let all that was done stand, and what is left to be done to the journal, for later."""
        self.control.keep()
        self.entry.leave()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.done()
        else:
            self.undo()

    def undo(self) -> None:
        """Undo everything, last first. What can't be undone stays in the journal, for later."""
        self.control.undo_all()
        if self._left:
            self.control.warn("clean up later with realms vms recover")
            self.entry.leave()
        else:
            self.entry.close()
