"""Collects the diagnostics of one reading: each mistake once, in the order of the files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.codes import DiagnosticCode
from core.config.syntax import SourcePlace, render_path
from core.diagnostics import Diagnostic, Severity

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


_Key = tuple[SourcePlace, DiagnosticCode, str]


@dataclass(slots=True)
class DiagnosticReport:
    """Mistakes found so far. What is found twice at one place (in a file included twice) is kept once."""

    _found: dict[_Key, Diagnostic] = field(default_factory=dict)
    _also: dict[_Key, list[str]] = field(default_factory=dict)

    @property
    def errors(self) -> int:
        """Number of errors so far."""
        return sum(found.severity is Severity.ERROR for found in self._found.values())

    def error(
        self,
        code: DiagnosticCode,
        place: SourcePlace,
        path: Path,
        message: str,
        hint: str = "",
        *,
        via: Sequence[SourcePlace] = (),
    ) -> None:
        """Add what makes the configuration unusable; `via` are the substitutions that the value came through."""
        self._add(Severity.ERROR, code, place, path, message, hint=hint, via=via)

    def warning(
        self,
        code: DiagnosticCode,
        place: SourcePlace,
        path: Path,
        message: str,
        hint: str = "",
        *,
        via: Sequence[SourcePlace] = (),
    ) -> None:
        """Add what is legal and surely not meant."""
        self._add(Severity.WARNING, code, place, path, message, hint=hint, via=via)

    def _add(
        self,
        severity: Severity,
        code: DiagnosticCode,
        place: SourcePlace,
        path: Path,
        message: str,
        *,
        hint: str,
        via: Sequence[SourcePlace],
    ) -> None:
        key = (place, code, message)
        shown = show_path(path)
        if key in self._found:
            if shown not in (self._found[key].path, *self._also.get(key, ())):
                self._also.setdefault(key, []).append(shown)
            return
        used = f"used at {', '.join(str(other) for other in dict.fromkeys(via))}" if via else ""
        hint = "; ".join(part for part in (hint, used) if part)
        self._found[key] = Diagnostic(severity, code, place.file, place.line, place.column, shown, message, hint)

    def diagnostics(
        self, files: Sequence[str], included_at: Mapping[str, Sequence[SourcePlace]]
    ) -> tuple[Diagnostic, ...]:
        """Return all diagnostics by file (in the order read), line and column, with the places that include them."""
        order = {file: index for index, file in enumerate(files)}
        diagnostics = [self._complete(key, included_at) for key in self._found]
        return tuple(sorted(diagnostics, key=lambda d: (order.get(d.file, len(order)), d.line, d.column)))

    def _complete(self, key: _Key, included_at: Mapping[str, Sequence[SourcePlace]]) -> Diagnostic:
        found = self._found[key]
        hints = [found.hint] if found.hint else []
        if also := self._also.get(key):
            hints.append(f"also at {_some(also)}")
        if includes := included_at.get(found.file):
            hints.append(f"included at {_some([str(place) for place in dict.fromkeys(includes)])}")
        return replace(found, hint="; ".join(hints))


def _some(texts: Sequence[str]) -> str:
    return ", ".join(texts[:3]) + (f" and {len(texts) - 3} more" if len(texts) > 3 else "")
