"""What a cancelled task could not undo at once, as its host goes on copying: undone when that has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.operations.tasks.journal import Journal
from core.operations.tasks.step_kinds import StepKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.operations.session import Session
    from core.operations.storage.volume_copy import CopyGoesOn
    from core.operations.tasks.journal import Record
    from core.operations.tasks.task import Control

    Settle = Callable[[Session, Control, Record], object]

_LOOK_EVERY = 0.5


def recover_when_copied(session: Session, identity: str, vm: str, error: CopyGoesOn, settle: Settle) -> None:
    """Start a task that waits for the end of a copy, and then settles the operation that was left in the journal.

    Where this program ends before, `realms vms recover` does that.
    """
    registry = session.require_writable()

    def job(control: Control) -> None:
        with control.step(StepKind.WAIT, "wait for the copy, which libvirt cannot interrupt"):
            while not error.copying.done():
                control.wait(_LOOK_EVERY)
        for record in Journal(registry.path, session.clock).left_behind():
            if record.id == identity:
                settle(session, control, record)

    session.tasks.run(f"clean up after {vm}", vm, job)
