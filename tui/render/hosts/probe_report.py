"""What a host answered to a test, compared with how it is described."""

from core.config.model import Configuration
from core.driver.hosts.probe import HostReport
from core.errors import RealmsError
from core.fleet.fleet import PoolState
from core.text import plural
from core.units import show_size
from tui.render.cells import Piece, Tone

Line = tuple[Piece, ...]

_NEAR = 0.1
"""A machine reports less memory than it has: the kernel's share. A tenth is no difference."""


def report_lines(report: HostReport, realm: str, profile: str, configuration: Configuration) -> tuple[Line, ...]:
    """Return what the host is, and where it differs from its profile and its realm's pools."""
    lines: list[Line] = [
        (
            ("answers", Tone.GOOD),
            (f" in {report.duration:.1f} s as {report.host_name}: ", Tone.PLAIN),
            (f"{report.hypervisor} {report.hypervisor_version}, libvirt {report.libvirt_version}, ", Tone.MUTED),
            (f"{plural(report.active_domains, 'VM')} active of {report.domains}", Tone.MUTED),
        ),
        *_hardware(report, profile, configuration),
        *_pools(report, realm, configuration),
    ]
    return tuple(lines)


def _hardware(report: HostReport, profile: str, configuration: Configuration) -> list[Line]:
    described = configuration.hardware_profiles.get(profile)
    found = f"{plural(report.cores, 'core')}, {show_size(report.memory_bytes)}"
    if described is None:
        return [((found, Tone.PLAIN),)]
    wanted = f"{profile} says {plural(described.cores, 'core')}, {show_size(described.memory_bytes)}"
    less_memory = report.memory_bytes < described.memory_bytes * (1 - _NEAR)
    more_memory = report.memory_bytes > described.memory_bytes * (1 + _NEAR)
    if report.cores == described.cores and not less_memory and not more_memory:
        return [((f"{found}: matches {profile}", Tone.PLAIN),)]
    return [((f"{found}; {wanted}", Tone.WARN),)]


def _pools(report: HostReport, realm: str, configuration: Configuration) -> list[Line]:
    known = configuration.realms.get(realm)
    if known is None:
        return []
    wrong = [
        f"{name} {state.value}"
        for name in known.pools
        if (state := report.pools.get(name, PoolState.MISSING)) is not PoolState.ACTIVE
    ]
    if not wrong:
        return [(("all four pools are active", Tone.PLAIN),)]
    return [((f"pools: {', '.join(wrong)}", Tone.WARN),)]


def failure_lines(error: RealmsError) -> tuple[Line, ...]:
    """Return why a host did not answer, and what to do."""
    lines: list[Line] = [((error.message, Tone.BAD),)]
    if error.hint:
        lines.append(((error.hint, Tone.MUTED),))
    return tuple(lines)
