"""What adding a host does: the entry that is written, and what follows from it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.config.model import Configuration
from core.diagnostics import Severity
from core.driver.hosts.survey import HostSurvey
from core.hosts import Host, HostState, StaticAddress
from core.operations.findings import Finding
from core.text import one_line, plural, shell_command
from core.units import format_duration
from tui.render.cells import Piece, Tone
from tui.render.hosts.findings import finding_lines, hanging
from tui.render.hosts.profiles import size_of

Line = tuple[Piece, ...]

LABEL = 16
"""Columns of the words before values, as in forms."""

_STATES = {
    HostState.ENABLED: "Connected; accepts new VMs.",
    HostState.NO_SCHEDULING: "Connected; its VMs are managed, but it accepts no new VMs.",
    HostState.DISABLED: "Not connected; only listed.",
}


@dataclass(frozen=True, slots=True)
class HostPlan:
    """A host that is about to be added, and what is known of it. `survey` is None where it has not answered."""

    host: Host
    configuration: Configuration
    survey: HostSurvey | None
    findings: tuple[Finding, ...]
    """How it fits its realm and profile."""
    registry: str
    """The file that the entry goes into."""


def state_lines(state: HostState, width: int) -> list[Line]:
    """Return what a state means."""
    return [*hanging(" " * LABEL, Tone.PLAIN, _STATES[state], Tone.MUTED, width), ()]


def translation_lines(address: StaticAddress | None, guests: Sequence[str], width: int) -> list[Line]:
    """Return where VMs are reached with a static address translation; `guests` are addresses of some that run."""
    blank = " " * LABEL
    if address is None:
        told = "Without it, VMs are reached at their own addresses. With it, each VM is reached at this address, port "
        return hanging(blank, Tone.PLAIN, told + "base port + last octet of its IPv4 address.", Tone.MUTED, width)
    examples = list(guests[:3]) or ["10.2.0.17"]
    lines: list[Line] = []
    for guest in examples:
        there = address.endpoint(guest)
        arrow = "\N{RIGHTWARDS ARROW}"
        lines += hanging(blank, Tone.PLAIN, f"{guest} {arrow} {there or 'not translated'}", Tone.MUTED, width)
    return lines


def summary_lines(plan: HostPlan, refusal: Sequence[Line], width: int) -> list[Line]:
    """Write down the whole plan; a refusal of the registry before it."""
    lines: list[Line] = [*refusal, ()] if refusal else []
    lines.append((("Registry entry", Tone.STRONG), (f" in {plan.registry}", Tone.MUTED)))
    for label, value in _entry(plan):
        lines += hanging(f"{label:<{LABEL}}", Tone.MUTED, value, Tone.PLAIN, width)
    lines += [(), (("Effect", Tone.STRONG),)]
    for text, tone in _what_follows(plan):
        lines += hanging("\N{MIDDLE DOT} ", Tone.MUTED, text, tone, width)
    wrong = [finding for finding in plan.findings if finding.severity in (Severity.ERROR, Severity.WARNING)]
    if wrong:
        lines += [(), (("To fix", Tone.STRONG), ("  d (Doctor) lists it again once the host is added", Tone.MUTED))]
        for finding in wrong:
            lines += finding_lines(finding, width)
    lines += [(), (("Equivalent command", Tone.STRONG),)]
    return lines + hanging("", Tone.PLAIN, command_of(plan.host), Tone.MUTED, width, most=40)


def command_of(host: Host) -> str:
    """Write the command that adds the same host."""
    words = ["--realm", host.realm, "--uri", host.uri, "--profile", host.profile]
    if host.state is not HostState.ENABLED:
        words += ["--state", host.state.value]
    if host.static_address is not None:
        words += ["--static-address", str(host.static_address)]
    return shell_command("realms hosts add", *words, "--", host.name)


def _entry(plan: HostPlan) -> Iterator[tuple[str, str]]:
    host = plan.host
    profile = plan.configuration.hardware_profiles.get(host.profile)
    yield "Name", host.name
    yield "URI", host.uri
    yield "Realm", host.realm
    yield "Profile", f"{host.profile}: {size_of(profile)}" if profile is not None else host.profile
    yield "State", host.state.label
    yield "Static address", str(host.static_address) if host.static_address is not None else "none"


def _what_follows(plan: HostPlan) -> Iterator[tuple[str, Tone]]:
    host = plan.host
    realm = plan.configuration.realms.get(host.realm)
    if realm is not None and realm.disabled:
        yield f"Realm {host.realm} is disabled: the host is not connected.", Tone.WARN
    elif not host.state.connects:
        yield "Not connected until it is enabled.", Tone.PLAIN
    else:
        often = format_duration(realm.poll_frequency) if realm is not None else "few seconds"
        yield f"Connects at once and polls every {often}. Nothing on the host is changed.", Tone.PLAIN
        if host.state is HostState.ENABLED:
            yield "Accepts new VMs after the first answer.", Tone.PLAIN
        else:
            yield "Accepts no new VMs.", Tone.PLAIN
    if plan.survey is None:
        told = "No answer yet: hardware and VMs are unknown."
        yield told, Tone.WARN
    elif host.state.connects:
        yield _vms(plan.survey, host.realm), Tone.PLAIN


def _vms(survey: HostSurvey, realm: str) -> str:
    marks = survey.occupation.by_realm
    total = sum(marks.values())
    if not total:
        return "No VMs yet."
    parts = [f"{marks[realm]} of this realm"] if marks.get(realm) else []
    others = {identity: count for identity, count in marks.items() if identity not in ("", realm)}
    parts += [f"{count} of realm {one_line(identity, 40)}" for identity, count in sorted(others.items())]
    foreign = marks.get("", 0)
    if foreign:
        parts.append(f"{foreign} unmanaged")
    shown = f"Shows its {plural(total, 'VM')}: {', '.join(parts)}."
    if foreign or others:
        shown += " Unmanaged VMs count as load and are changed only after a warning."
    return shown
