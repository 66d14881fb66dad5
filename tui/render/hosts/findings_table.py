"""What the doctor found at all hosts, as rows of a table, the worst first."""

from collections.abc import Iterator
from dataclasses import dataclass

from core.diagnostics import Severity
from core.fleet.fleet import Fleet
from core.operations.findings import Finding, in_words
from core.text import natural, plural
from tui.render.cells import Piece, Tone
from tui.render.hosts.findings import SEVERITY_TONES, finding_lines, hanging, made
from tui.render.rows import Column, Row
from tui.state.checkups import Checkups, HostCheckup

Line = tuple[Piece, ...]

HERE = "this machine"

FINDING_COLUMNS = (
    Column(key="severity", title="SEVERITY", least=8, most=8, letter="S"),
    Column(key="host", title="HOST", least=8, most=28, letter="N"),
    Column(key="check", title="CHECK", least=8, most=16, priority=2, letter="C"),
    Column(key="what", title="WHAT", least=36, most=200, stretch=True),
    Column(key="made", title="FOUND UTC", whole=True, least=9, most=9, priority=3, letter="F", ascending=False),
)


@dataclass(frozen=True, slots=True)
class Found:
    """One finding with the checkup that it is of."""

    finding: Finding
    checkup: HostCheckup

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from all others, also after the next examination."""
        return (self.finding.host, self.finding.check, self.finding.what)


def all_found(fleet: Fleet, checkups: Checkups) -> tuple[Found, ...]:
    """Return all findings of the hosts that are registered, and of this machine; the worst first, then by host."""
    known = [checkup for snapshot in fleet.hosts if (checkup := checkups.of(snapshot.host)) is not None]
    known += [checkups.own] if checkups.own is not None else []
    found = {each.key: each for checkup in known for each in (Found(finding, checkup) for finding in checkup.findings)}
    return tuple(sorted(found.values(), key=lambda each: (each.finding.severity.rank, natural(each.finding.host))))


def finding_rows(found: tuple[Found, ...], *, with_ok: bool) -> tuple[Row, ...]:
    """Make a row of each finding; what is well is left out unless it is asked for."""
    return tuple(_row(each) for each in found if with_ok or each.finding.severity is not Severity.OK)


def _row(found: Found) -> Row:
    finding = found.finding
    tone = SEVERITY_TONES[finding.severity]
    at = made(found.checkup).removesuffix(" UTC")
    cells = (((finding.severity.value, tone),), finding.host or HERE, finding.check, finding.what, at)
    order = (finding.severity.rank, natural(finding.host), natural(finding.check), None, found.checkup.made_at)
    return Row(found.key, cells, order)


def found_lines(found: Found, width: int) -> tuple[Line, ...]:
    """Show one finding in full, with how to mend it."""
    lines = finding_lines(found.finding, width, mend=False)
    if found.finding.mend:
        lines += [(), *hanging("Fix  ", Tone.MUTED, found.finding.mend, Tone.ACCENT, width, most=20)]
    return tuple(lines)


def checkup_note(fleet: Fleet, checkups: Checkups) -> str:
    """Return in a few words what was found at all hosts; empty where nothing was examined."""
    known = [checkup for snapshot in fleet.hosts if (checkup := checkups.of(snapshot.host)) is not None]
    if not known:
        return ""
    findings = [finding for checkup in known for finding in checkup.findings]
    of = f" at {len(known)} of {plural(len(fleet.hosts), 'host')}" if len(known) < len(fleet.hosts) else ""
    return f"Doctor{of}: {in_words(findings)}"


def examined(fleet: Fleet, checkups: Checkups) -> Iterator[str]:
    """Name the hosts that have a checkup."""
    return (snapshot.name for snapshot in fleet.hosts if checkups.of(snapshot.host) is not None)
