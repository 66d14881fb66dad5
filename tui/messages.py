"""What threads and dialogs tell the screens: something happened."""

from dataclasses import dataclass

from textual.message import Message

from core.errors import RealmsError


@dataclass(frozen=True, slots=True)
class Failure:
    """A change that was refused: of which host, and why."""

    host: str
    error: RealmsError


class Changed(Message):
    """Changes of the registry are done, all or some of them."""

    def __init__(
        self, what: str, done: tuple[str, ...], failures: tuple[Failure, ...] = (), warnings: tuple[str, ...] = ()
    ) -> None:
        super().__init__()
        self.what = what
        """As in "h3 and h4: No Scheduling"."""
        self.done = done
        self.failures = failures
        self.warnings = warnings
        self.reported = False
        """Whether a form shows the failures already."""


class Terminated(Message):
    """The process was asked to end by a signal, or its terminal is gone."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code
