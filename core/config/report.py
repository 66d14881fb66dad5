"""Collects the diagnostics of one reading: each mistake once, in the order of the files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.config.diagnostics import Diagnostic, Severity
from core.config.syntax import Place, render_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Path = tuple[str | int, ...]


def show_path(path: Path) -> str:
    """Write a path: keys joined with dots, list elements in brackets."""
    text = ""
    for element in path:
        if isinstance(element, int):
            text += f"[{element}]"
        else:
            text += ("." if text else "") + render_path((element,))
    return text


@dataclass(slots=True)
class Report:
    """Mistakes found so far. What is found twice at one place (in a file included twice) is kept once."""

    _found: dict[tuple[Place, Severity, str], Diagnostic] = field(default_factory=dict)
    _also: dict[tuple[Place, Severity, str], list[str]] = field(default_factory=dict)

    @property
    def errors(self) -> int:
        """Number of errors so far."""
        return sum(severity is Severity.ERROR for _, severity, _ in self._found)

    def error(self, place: Place, path: Path, message: str, hint: str = "", via: Sequence[Place] = ()) -> None:
        """Add what makes the configuration unusable; `via` are the substitutions that the value came through."""
        self._add(Severity.ERROR, place, path, message, hint, via)

    def warning(self, place: Place, path: Path, message: str, hint: str = "", via: Sequence[Place] = ()) -> None:
        """Add what is legal and surely not meant."""
        self._add(Severity.WARNING, place, path, message, hint, via)

    def _add(self, severity: Severity, place: Place, path: Path, message: str, hint: str, via: Sequence[Place]) -> None:  # noqa: PLR0917 - private, called by the two above
        key = (place, severity, message)
        shown = show_path(path)
        if key in self._found:
            if shown not in (self._found[key].path, *self._also.get(key, ())):
                self._also.setdefault(key, []).append(shown)
            return
        used = f"used at {', '.join(str(other) for other in dict.fromkeys(via))}" if via else ""
        hint = "; ".join(part for part in (hint, used) if part)
        self._found[key] = Diagnostic(severity, place.file, place.line, place.column, shown, message, hint)

    def diagnostics(self, files: Sequence[str], included_at: Mapping[str, Sequence[Place]]) -> tuple[Diagnostic, ...]:
        """Give all diagnostics by file (in the order read), line and column, with the places that include them."""
        order = {file: index for index, file in enumerate(files)}
        diagnostics = [self._complete(key, included_at) for key in self._found]
        return tuple(sorted(diagnostics, key=lambda d: (order.get(d.file, len(order)), d.line, d.column)))

    def _complete(self, key: tuple[Place, Severity, str], included_at: Mapping[str, Sequence[Place]]) -> Diagnostic:
        found = self._found[key]
        hints = [found.hint] if found.hint else []
        if also := self._also.get(key):
            hints.append(f"the same at {_some(also)}")
        if includes := included_at.get(found.file):
            hints.append(f"included at {_some([str(place) for place in dict.fromkeys(includes)])}")
        return Diagnostic(
            found.severity, found.file, found.line, found.column, found.path, found.message, "; ".join(hints)
        )


def _some(texts: Sequence[str]) -> str:
    return ", ".join(texts[:3]) + (f" and {len(texts) - 3} more" if len(texts) > 3 else "")
