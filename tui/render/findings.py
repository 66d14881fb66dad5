"""What a doctor found, as lines: how bad, where, what, and how to mend it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from core.operations.findings import Severity
from core.text import one_line
from tui.widgets.cells import ELLIPSIS, Piece, Tone, cut

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.operations.findings import Finding

Line = tuple[Piece, ...]

SEVERITY_TONES = {
    Severity.ERROR: Tone.BAD,
    Severity.WARNING: Tone.WARN,
    Severity.INFO: Tone.MUTED,
    Severity.OK: Tone.GOOD,
}
INDENT = 9
"""Columns of the word that says how bad it is."""

MOST_LINES = 5
"""Lines that one message takes at most; libvirt's can be long."""


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Sort by severity; what is equally bad stays in its order."""
    return sorted(findings, key=lambda finding: finding.severity.rank)


def finding_lines(finding: Finding, width: int, *, mend: bool = True) -> list[Line]:
    """Write one finding, and below it how to mend it."""
    word, tone = finding.severity.value, SEVERITY_TONES[finding.severity]
    plain = Tone.MUTED if finding.severity in (Severity.OK, Severity.INFO) else Tone.PLAIN
    lines = hanging(f"{word:<{INDENT}}", tone, f"{finding.check}: {finding.what}", plain, width)
    if mend and finding.mend:
        lines += hanging(" " * INDENT, Tone.DIM, f"\N{RIGHTWARDS ARROW} {finding.mend}", Tone.ACCENT, width)
    return lines


def hanging(label: str, label_tone: Tone, text: str, tone: Tone, width: int, *, most: int = MOST_LINES) -> list[Line]:
    """Write a text beside a label, as many lines as it needs but for `most`; an option of a command is never broken."""
    room = max(1, width - len(label))
    shown = one_line(text, (most + 1) * room)
    broken = textwrap.wrap(shown, room, max_lines=most, placeholder=ELLIPSIS, break_on_hyphens=False)
    return [
        ((label if number == 0 else " " * len(label), label_tone), (cut(line, room), tone))
        for number, line in enumerate(broken)
    ]
