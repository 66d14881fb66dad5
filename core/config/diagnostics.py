"""What is wrong with a configuration, where, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """An error makes the configuration unusable; a warning is legal and surely not meant."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake. `line` and `column` count from 1; `file` is relative to the main file's folder."""

    severity: Severity
    file: str
    line: int
    column: int
    path: str
    """Path of the key, as in `ticrypt.vm.realms.main.drives.cache`; empty for a mistake of syntax."""
    message: str
    hint: str = ""
