"""Changes of the registry, made off the screen's thread: they take a lock and wait for the disk."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from core.errors import RealmsError
from tui.messages import Changed, Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.message_pump import MessagePump

Step = tuple[str, "Callable[[], object]"]
"""A host, and what is done to it; gives warnings as a tuple, or anything else."""


def start_change(what: str, steps: Sequence[Step], reply_to: MessagePump, otherwise: MessagePump) -> None:
    """Do the steps one after another in a thread; one that fails does not stop the others.

    Changed brings the outcome to `reply_to`, or to `otherwise` where that is gone by then.
    """

    def work() -> None:
        changed = _carry_out(what, steps)
        if not reply_to.is_running or not reply_to.post_message(changed):
            otherwise.post_message(changed)

    threading.Thread(target=work, name="change", daemon=True).start()


def _carry_out(what: str, steps: Sequence[Step]) -> Changed:
    done: list[str] = []
    failures: list[Failure] = []
    warnings: list[str] = []
    for host, step in steps:
        try:
            outcome = step()
        except RealmsError as error:
            failures.append(Failure(host, error))
        except OSError as error:
            failures.append(Failure(host, RealmsError(f"the registry can't be written: {error}")))
        else:
            done.append(host)
            warnings += outcome if isinstance(outcome, tuple) else ()
    return Changed(what, tuple(done), tuple(failures), tuple(warnings))
