"""What is wrong with a configuration, where, and how to mend it."""

from dataclasses import dataclass
from enum import StrEnum

from core.codes import DiagnosticCode


class Severity(StrEnum):
    """An error keeps things from working; a warning will hurt some day, or is surely not meant; an info is to know."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    OK = "ok"

    @property
    def rank(self) -> int:
        """Worst first."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake. `line` and `column` count from 1; `file` is relative to the main file's folder."""

    severity: Severity
    code: DiagnosticCode
    file: str
    line: int
    column: int
    path: str
    """Path of the key, as in `ticrypt.vm.realms.main.drives.cache`; empty for a mistake of syntax."""
    message: str
    hint: str = ""
