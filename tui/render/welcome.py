"""What the first start has to say: where files are looked for, or what is wrong with the one found."""

import os
from collections.abc import Sequence
from pathlib import Path

from core.diagnostics import Severity
from core.errors import ConfigurationInvalid, RealmsError
from core.text import one_line, plural
from tui.render.cells import Piece, Tone

Line = tuple[Piece, ...]


def welcome_lines(searched: Sequence[Path], error: RealmsError | None) -> list[Line]:
    """Return what is wrong with the configuration found, or that none was, and where it was looked for."""
    lines: list[Line] = [(("No configuration found.", Tone.STRONG),)]
    if error is not None:
        lines = diagnostics_lines(error)
    if isinstance(error, ConfigurationInvalid) or not searched:
        return lines
    lines += [(), (("Searched, in this order:", Tone.PLAIN),)]
    lines += [
        ((f"  {path}", Tone.ACCENT), ("  found" if os.path.isfile(path) else "  not found", Tone.MUTED))
        for path in searched
    ]
    return [*lines, (), (("To use another file: --config or REALMS_CONFIG.", Tone.MUTED),)]


def diagnostics_lines(error: RealmsError) -> list[Line]:
    """Return what is wrong with a configuration: each mistake with its place and how to mend it."""
    lines: list[Line] = [((one_line(error.message), Tone.BAD),)]
    if error.hint:
        lines.append(((one_line(error.hint), Tone.MUTED),))
    if not isinstance(error, ConfigurationInvalid):
        return lines
    errors = sum(diagnostic.severity is Severity.ERROR for diagnostic in error.diagnostics)
    warnings = len(error.diagnostics) - errors
    counted = plural(errors, "error") + (f", {plural(warnings, 'warning')}" if warnings else "")
    lines.append(((f"{counted}. Fix the files and restart; `realms check` lists them too.", Tone.MUTED),))
    for diagnostic in sorted(error.diagnostics, key=lambda found: found.severity is not Severity.ERROR):
        tone = Tone.BAD if diagnostic.severity is Severity.ERROR else Tone.WARN
        place = f"{diagnostic.file}:{diagnostic.line}:{diagnostic.column}"
        lines.append(())
        head: Line = ((f"{diagnostic.severity.value} ", tone), (place, Tone.STRONG))
        lines.append((*head, (f"  {one_line(diagnostic.path)}", Tone.MUTED)) if diagnostic.path else head)
        lines.append(((f"  {one_line(diagnostic.message)}", Tone.PLAIN),))
        if diagnostic.hint:
            lines.append(((f"  {one_line(diagnostic.hint)}", Tone.ACCENT),))
    return lines
