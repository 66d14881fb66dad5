"""What keeps a long-lived thread alive: a defect in one of its rounds is logged and reported, and the next begins."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from core.errors import RealmsError
from core.text import one_line

_log = logging.getLogger(__name__)


@contextmanager
def guarded(what: str, report: Callable[[str], object] | None = None) -> Iterator[None]:
    """Keep a defect within one round of a thread: it is logged, and `report` gets it as a line. Raises nothing.

    Errors that are foreseen are handled by the round itself.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it is, the thread must go on
        _log.exception("%s", what)
        if report is not None:
            report(message_of(error))


def message_of(error: BaseException) -> str:
    """Return what went wrong as a line for the user; a defect is called an internal error."""
    if isinstance(error, RealmsError):
        return error.message
    return one_line(f"internal error: {type(error).__name__}: {error}")
