"""Hosts as rows of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from core.config.model import Configuration
from core.costs import Cost, Use
from core.diagnostics import Severity
from core.fleet.fleet import Connection, Fleet, HostSnapshot
from core.hardware import HardwareProfile
from core.hosts import Host, HostState
from core.text import natural
from tui.render.ages import Freshness, connection_text, freshness
from tui.render.cells import Cell, Meter, Tone
from tui.render.costs.headroom import MOST
from tui.render.figures import NONE, cost_text, gib
from tui.render.rows import Column, Measure, Row, SortValue
from tui.state.checkups import Checkups, HostCheckup

HOST_COLUMNS = (
    Column(key="state", title="STATE", whole=True, letter="S"),
    Column(key="name", title="NAME", least=8, most=32, letter="N"),
    Column(key="profile", title="PROFILE", least=8, most=20, priority=4, letter="P"),
    Column(key="connection", title="CONNECTION", whole=True, most=20, letter="O"),
    Column(key="vms", title="VMS", right=True, least=4, letter="V", ascending=False),
    Column(key="vcpus", title="VCPUS", elastic=True, least=7, most=28, priority=1, letter="C", ascending=False),
    Column(
        key="memory",
        title="MEM GiB",
        elastic=True,
        least=8,
        most=28,
        priority=2,
        letter="M",
        ascending=False,
        measure=Measure.SIZE,
    ),
    Column(key="devices", title="DEVICES", least=8, most=24, priority=5, letter="D", ascending=False),
    Column(key="cost", title="COST", right=True, least=7, most=14, letter="T"),
    Column(key="fits", title="FITS", right=True, least=5, priority=3, letter="F", ascending=False),
    Column(key="doctor", title="DOCTOR", least=6, most=9, whole=True, priority=4, letter="R", ascending=True),
    Column(key="realm", title="REALM", most=20, wide_only=True),
    Column(key="uri", title="URI", most=60, wide_only=True),
    Column(key="static", title="STATIC ADDRESS", most=24, wide_only=True),
)

STATE_WORDS = {
    HostState.ENABLED: ("Enabled", Tone.GOOD, "on"),
    HostState.NO_SCHEDULING: ("No sched", Tone.WARN, "no-scheduling cordon"),
    HostState.DISABLED: ("Disabled", Tone.MUTED, "off"),
}
"""A host's state as a column shows it, and other words by which a filter finds it."""

_AFTER_DOCTOR = 3
"""Columns behind the doctor's: those that only a wide table shows."""

UNKNOWN = "?"
ABOUT = "~"
"""Before a figure that was true when the host was last seen."""


@dataclass(frozen=True, slots=True)
class HostFigures:
    """What is known of a host: its profile, its use and its cost; None where nobody can say."""

    snapshot: HostSnapshot
    freshness: Freshness
    profile: HardwareProfile | None
    use: Use | None
    """As last seen, also where that is long ago."""
    cost: Cost | None
    """Only of current figures."""


def figures(snapshot: HostSnapshot, now: float, configuration: Configuration) -> HostFigures:
    """Work out what is known of a host."""
    worth = freshness(snapshot, now, configuration.realms)
    profile = configuration.hardware_profiles.get(snapshot.host.profile)
    use = snapshot.use(profile) if snapshot.is_known else None
    cost = None
    if worth.is_current and use is not None and profile is not None:
        cost = configuration.cost_function_of(profile).cost(use)
    return HostFigures(snapshot, worth, profile, use, cost)


def host_rows(
    fleet: Fleet, configuration: Configuration, fits: Mapping[str, int], checkups: Checkups | None = None
) -> tuple[Row, ...]:
    """Make a row of each host, by name; `fits` is how many more of the current request each takes."""
    known = sorted(
        (figures(snapshot, fleet.taken, configuration) for snapshot in fleet.hosts),
        key=lambda host: natural(host.snapshot.name),
    )
    numbers = _Digits.of(known)
    rows = (_row(host, fleet.taken, configuration, numbers, fits) for host in known)
    return tuple(_with_checkup(row, host.snapshot.host, checkups) for row, host in zip(rows, known, strict=True))


def _with_checkup(row: Row, host: Host, checkups: Checkups | None) -> Row:
    """Put what the doctor found behind the figures."""
    checkup = checkups.of(host) if checkups is not None else None
    cell: Cell = ((NONE, Tone.DIM),)
    order: SortValue = None
    if checkups is not None and checkups.is_running(host.name):
        cell = (("asking", Tone.ACCENT),)
    elif checkup is not None:
        cell, order = checkup_cell(checkup), checkup.worst.rank * 1000 - min(999, checkup.count(checkup.worst))
    at = len(row.cells) - _AFTER_DOCTOR
    return replace(row, cells=(*row.cells[:at], cell, *row.cells[at:]), order=(*row.order[:at], order, *row.order[at:]))


def checkup_cell(checkup: HostCheckup) -> Cell:
    """Return how bad the worst is that was found, and how often: "2 err"."""
    match checkup.worst:
        case Severity.ERROR:
            return ((f"{checkup.count(Severity.ERROR)} err", Tone.BAD),)
        case Severity.WARNING:
            return ((f"{checkup.count(Severity.WARNING)} warn", Tone.WARN),)
        case _:
            return (("ok", Tone.GOOD),)


@dataclass(frozen=True, slots=True)
class _Digits:
    """How many digits the largest figures have, so that the bars beside them end in one line."""

    vcpus: int
    cores: int
    used_gib: int
    gib: int

    @classmethod
    def of(cls, hosts: Sequence[HostFigures]) -> _Digits:
        uses = [host.use for host in hosts if host.use is not None]
        profiles = [host.profile for host in hosts if host.profile is not None]
        return cls(
            max((len(str(use.vcpus)) for use in uses), default=1),
            max((len(str(profile.cores)) for profile in profiles), default=1),
            max((len(gib(use.memory_bytes)) for use in uses), default=1),
            max((len(gib(profile.memory_bytes)) for profile in profiles), default=1),
        )


def _row(host: HostFigures, now: float, configuration: Configuration, digits: _Digits, fits: Mapping[str, int]) -> Row:
    snapshot, use, profile = host.snapshot, host.use, host.profile
    described = snapshot.host
    about = "" if host.freshness.is_current else ABOUT
    word, tone, others = STATE_WORDS[described.state]
    cells: tuple[Cell, ...] = (
        ((word, tone),),
        snapshot.name,
        described.profile if profile is not None else ((f"{described.profile} ?", Tone.BAD),),
        ((connection_text(snapshot, now, configuration.realms), connection_tone(host)),),
        f"{about}{use.vms}" if use is not None else NONE,
        _vcpus_cell(host, digits),
        _memory_cell(host, digits),
        devices_cell(host),
        cost_cell(host),
        _fits_cell(snapshot.name, fits),
        described.realm,
        described.uri,
        str(described.static_address) if described.static_address is not None else NONE,
    )  # fmt: skip
    order: tuple[SortValue, ...] = (
        list(HostState).index(described.state),
        natural(snapshot.name),
        natural(described.profile),
        _connection_rank(host, now),
        use.vms if use is not None else None,
        use.vcpus / profile.cores if use is not None and profile is not None else None,
        use.memory_bytes / profile.memory_bytes if use is not None and profile is not None else None,
        sum(use.devices.values()) if use is not None else None,
        host.cost.total if host.cost is not None else None,
        fits.get(snapshot.name),
        natural(described.realm),
        described.uri,
        str(described.static_address) if described.static_address is not None else None,
    )
    numbers = {5: float(use.vcpus), 6: float(use.memory_bytes)} if use is not None else {}
    return Row(snapshot.name, cells, order, dim=not host.freshness.is_current, also={0: others}, numbers=numbers)


def _vcpus_cell(host: HostFigures, digits: _Digits) -> Cell:
    if host.use is None:
        return NONE
    used, cores = host.use.vcpus, host.profile.cores if host.profile is not None else None
    numbers = f"{_about(host, str(used), digits.vcpus)}/{cores or UNKNOWN:>{digits.cores}}"
    return _meter(host, used, cores, numbers, Tone.WARN)


def _memory_cell(host: HostFigures, digits: _Digits) -> Cell:
    if host.use is None:
        return NONE
    used, size = host.use.memory_bytes, host.profile.memory_bytes if host.profile is not None else None
    of = gib(size) if size is not None else UNKNOWN
    numbers = f"{_about(host, gib(used), digits.used_gib)}/{of:>{digits.gib}}"
    return _meter(host, used, size, numbers, Tone.BAD)


def _about(host: HostFigures, figure: str, digits: int) -> str:
    return f"{figure:>{digits}}" if host.freshness.is_current else f"{ABOUT + figure:>{digits}}"


def _meter(host: HostFigures, used: int, total: int | None, numbers: str, beyond: Tone) -> Meter:
    """Draw a bar only for figures that hold now; use beyond the machine's own size wears `beyond`."""
    if total is None or not host.freshness.is_current:
        return Meter(None, numbers)
    return Meter(used / total, numbers, beyond if used > total else Tone.BAR)


def connection_tone(host: HostFigures) -> Tone:
    """Return how bad it is how the program stands with a host."""
    if host.freshness is Freshness.LIVE:
        return Tone.GOOD
    if host.freshness is Freshness.OFF:
        return Tone.DIM
    return Tone.WARN if host.snapshot.connection in (Connection.CONNECTING, Connection.CONNECTED) else Tone.BAD


def _connection_rank(host: HostFigures, now: float) -> float:
    """Sort by how well a host answers: live first, then by age, then those never seen, then those off."""
    ranks = list(Freshness)
    age = host.snapshot.age(now) if host.freshness is not Freshness.LIVE else None
    return ranks.index(host.freshness) * 1e9 + min(age or 0.0, 1e8)


def devices_cell(host: HostFigures) -> Cell:
    """Show the devices in use of each type that the profile has: "a100 3/4"."""
    if host.profile is None or not host.profile.devices:
        return NONE
    used = host.use.devices if host.use is not None else None
    about = "" if host.freshness.is_current else ABOUT
    parts = []
    for kind in host.profile.device_types:
        count = f"{about}{used.get(kind, 0)}" if used is not None else UNKNOWN
        parts.append(f"{kind} {count}/{len(host.profile.addresses(kind))}")
    return "  ".join(parts)


def cost_cell(host: HostFigures) -> Cell:
    """Show a host's cost now: a number, infinity, or "?" where it can't be known."""
    if host.freshness is Freshness.OFF:
        return NONE
    if host.cost is None:
        return ((UNKNOWN, Tone.WARN),)
    return cost_text(host.cost.total) if host.cost.feasible else (("\N{INFINITY}", Tone.BAD),)


def _fits_cell(name: str, fits: Mapping[str, int]) -> Cell:
    """Show how many more fit; what was not counted yet is blank."""
    count = fits.get(name)
    if count is None:
        return ""
    if count >= MOST:
        return f"{MOST}+"
    return str(count) if count else ((NONE, Tone.DIM),)
