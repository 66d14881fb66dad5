"""What a doctor found, as lines: how bad, where, what, and how to mend it."""

import textwrap
from collections.abc import Iterable
from datetime import UTC, datetime

from core.diagnostics import Severity
from core.operations.findings import Finding
from core.text import one_line
from tui.render.cells import ELLIPSIS, Piece, Tone, cut
from tui.state.checkups import HostCheckup

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


def made(checkup: HostCheckup) -> str:
    """Return when a checkup was made."""
    return f"{datetime.fromtimestamp(checkup.made_at, UTC):%H:%M} UTC"


def checkup_lines(checkup: HostCheckup, width: int, room: int, *, mend: bool) -> list[Line]:
    """Return in so many lines what was found at a host: how bad it is, then the worst first, with how to mend it."""
    tone = SEVERITY_TONES[checkup.worst] if checkup.worst is not Severity.INFO else Tone.GOOD
    head: Line = (("Doctor  ", Tone.MUTED), (checkup.words, tone), (f"  {made(checkup)}", Tone.DIM))
    wrong = [each for each in worst_first(checkup.findings) if each.severity in (Severity.ERROR, Severity.WARNING)]
    if room < 2:
        return [(*head, (f"  {wrong[0].check}: {wrong[0].what}", Tone.PLAIN))] if wrong else [head]
    lines: list[Line] = [head]
    for number, finding in enumerate(wrong):
        further = finding_lines(finding, width, mend=True) if mend else [_in_one_line(finding)]
        last = number == len(wrong) - 1
        if len(lines) + len(further) + (0 if last else 1) > room:
            left = len(wrong) - number
            lines.append(((f"{' ' * INDENT}and {left} more: f lists them", Tone.DIM),))
            break
        lines += further
    return lines


def _in_one_line(finding: Finding) -> Line:
    word = f"{finding.severity.value:<{INDENT}}"
    mend = ((f"  \N{RIGHTWARDS ARROW} {one_line(finding.mend)}", Tone.ACCENT),) if finding.mend else ()
    what = one_line(f"{finding.check}: {finding.what}")
    return ((word, SEVERITY_TONES[finding.severity]), (what, Tone.PLAIN), *mend)


def hanging(label: str, label_tone: Tone, text: str, tone: Tone, width: int, *, most: int = MOST_LINES) -> list[Line]:
    """Write a text beside a label, as many lines as it needs but for `most`; an option of a command is never broken."""
    room = max(1, width - len(label))
    shown = one_line(text, (most + 1) * room)
    broken = textwrap.wrap(shown, room, max_lines=most, placeholder=ELLIPSIS, break_on_hyphens=False)
    return [
        ((label if number == 0 else " " * len(label), label_tone), (cut(line, room), tone))
        for number, line in enumerate(broken)
    ]
