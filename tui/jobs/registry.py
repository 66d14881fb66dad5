"""Changes of the registry, made off the screen's thread: they take a lock and wait for the disk."""

from collections.abc import Callable, Sequence

from core.errors import RealmsError
from tui.messages import Changed, Failure

Step = tuple[str, "Callable[[], object]"]
"""A host, and what is done to it; gives warnings as a tuple, or anything else."""


def carry_out(what: str, steps: Sequence[Step]) -> Changed:
    """Do the steps one after another; one that is refused does not stop the others."""
    done: list[str] = []
    failures: list[Failure] = []
    warnings: list[str] = []
    for host, step in steps:
        try:
            outcome = step()
        except RealmsError as error:
            failures.append(Failure(host, error))
        except OSError as error:
            failures.append(Failure(host, RealmsError(f"cannot write the registry: {error}")))
        else:
            done.append(host)
            warnings += outcome if isinstance(outcome, tuple) else ()
    return Changed(what, tuple(done), tuple(failures), tuple(warnings))
