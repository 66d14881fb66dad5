"""Profiles held against a machine: each in a line, the best first, and what differs."""

from collections.abc import Sequence

from core.config.model import Configuration
from core.diagnostics import Severity
from core.driver.hosts.survey import HostSurvey
from core.hardware import HardwareProfile
from core.operations.doctor.doctor import check_answer
from core.operations.findings import Checkup, Finding, in_words
from core.operations.hardware.profile_match import Fit
from core.text import plural
from core.units import show_size
from tui.render.cells import Piece, Tone
from tui.render.hosts.findings import finding_lines, worst_first

Line = tuple[Piece, ...]


def size_of(profile: HardwareProfile) -> str:
    """Return what a profile describes: "128 cores, 900 GiB, 4 a100"."""
    kinds = [f"{len(profile.addresses(kind))} {kind}" for kind in profile.device_types]
    return ", ".join([plural(profile.cores, "core"), show_size(profile.memory_bytes), *kinds])


def profile_words(fit: Fit) -> str:
    """Return of a profile in one line what it describes, and whether that is this machine."""
    verdict = "fits" if fit.fits else "; ".join(fit.misfits)
    return f"{fit.profile.id}  {size_of(fit.profile)}  \N{EN DASH} {verdict}"


def answers_to(name: str, realm: str, profile: str, configuration: Configuration, survey: HostSurvey) -> list[Finding]:
    """Compare a host with a realm and a profile, as a doctor would; worst first."""
    known = configuration.realms.get(realm), configuration.hardware_profiles.get(profile)
    return worst_first(check_answer(Checkup(name), *known, survey))


def fit_lines(fits: Sequence[Fit], findings: Sequence[Finding], survey: HostSurvey | None, width: int) -> list[Line]:
    """Return how profile and realm fit the machine, what is well left out."""
    if survey is None:
        return [(("Not compared: the host has not answered.", Tone.WARN),)]
    lines: list[Line] = []
    if not any(fit.fits for fit in fits):
        size = f"{plural(survey.hardware.cores, 'core')}, {show_size(survey.hardware.memory_bytes)}"
        lines += [((f"No profile matches this host: {size}. ", Tone.WARN), ("Propose one?", Tone.PLAIN)), ()]
    shown = [finding for finding in findings if finding.severity is not Severity.OK]
    lines.append((("This profile and realm: ", Tone.MUTED), (in_words(findings), _tone(findings))))
    for finding in shown:
        lines += finding_lines(finding, width)
    return lines


def _tone(findings: Sequence[Finding]) -> Tone:
    worst = min((finding.severity.rank for finding in findings), default=Severity.OK.rank)
    return {Severity.ERROR.rank: Tone.BAD, Severity.WARNING.rank: Tone.WARN}.get(worst, Tone.GOOD)
