"""State and CPU time of all domains of a host: in one call, or in several where a domain holds that one up."""

from dataclasses import dataclass, replace
from typing import Any

import libvirt

from core.clock import Clock
from core.driver.connection.connection import HostConnection
from core.driver.connection.errors import is_gone
from core.driver.vms.saved_memory import saved_uuids
from core.fleet.fleet import IO_ERROR, VMState

_STATE = libvirt.VIR_DOMAIN_STATS_STATE
"""Asks no QEMU's monitor; sizes come from the XML."""

_GROUPS = _STATE | libvirt.VIR_DOMAIN_STATS_CPU_TOTAL
"""Since libvirt 8.9 the CPU time asks the monitor of a QEMU from 7.1 on, and a stuck one holds up the whole answer."""

_WITH_VCPUS = _GROUPS | libvirt.VIR_DOMAIN_STATS_VCPU

VM_STATES = {
    libvirt.VIR_DOMAIN_RUNNING: VMState.RUNNING,
    libvirt.VIR_DOMAIN_BLOCKED: VMState.RUNNING,
    libvirt.VIR_DOMAIN_PAUSED: VMState.PAUSED,
    libvirt.VIR_DOMAIN_SHUTDOWN: VMState.SHUTTING_DOWN,
    libvirt.VIR_DOMAIN_SHUTOFF: VMState.OFF,
    libvirt.VIR_DOMAIN_CRASHED: VMState.CRASHED,
    libvirt.VIR_DOMAIN_PMSUSPENDED: VMState.SUSPENDED,
}

_PAUSED_FOR = {
    libvirt.VIR_DOMAIN_PAUSED_IOERROR: IO_ERROR,
    libvirt.VIR_DOMAIN_PAUSED_WATCHDOG: "watchdog",
    libvirt.VIR_DOMAIN_PAUSED_CRASHED: "the guest has crashed",
    libvirt.VIR_DOMAIN_PAUSED_POSTCOPY_FAILED: "a migration has failed",
}
"""Reasons that nobody asked for."""

SHORTEST_INTERVAL = 0.5
"""Seconds between two samples below which a share of CPU would be noise."""

MOST_UNEVEN = 0.25
"""Part of the time between two samples by which their answers may have taken longer or shorter."""


@dataclass(frozen=True, slots=True)
class DomainSample:
    """One domain in one poll. `id` is None where it is not active; `cpu_ns` None where libvirt doesn't say."""

    domain: Any
    uuid: str
    name: str
    id: int | None
    state: VMState
    cpu_ns: int | None
    cpu_at: float | None = None
    """Monotonic seconds at which the CPU time was asked for, where that was not with everything else."""
    cpu_was_asked: bool = True
    """False: it was another domain's turn."""
    state_reason: str = ""
    """Why it is paused, where nobody asked for it."""


class Sampler:
    """Asks a host for all its domains at once, and remembers what that host leaves out.

    With `asks_monitors` one call tells everything, unless the monitor of one domain is stuck: then it never ends.
    Without, the state comes in a call that always ends, and CPU times one by one, as many as `cpu_seconds` allow.
    """

    def __init__(
        self, connection: HostConnection, clock: Clock, *, asks_monitors: bool, cpu_seconds: float = 0.0
    ) -> None:
        self.asks_monitors = asks_monitors
        """May be changed between two samples."""
        self._connection = connection
        self._clock = clock
        self._cpu_seconds = cpu_seconds
        self._groups = _GROUPS
        self._turns: dict[str, float] = {}
        """When each domain was last asked for its CPU time by itself."""

    def sample(self) -> tuple[DomainSample, ...]:
        """Ask for all domains, active or not; raises DriverError. Each UUID comes once."""
        connection = self._connection
        one_by_one = not self.asks_monitors and not connection.is_embedded
        try:
            # NOWAIT: a VM whose monitor is held by another job gives what is known without it.
            answers = connection.handle.getAllDomainStats(
                _STATE if one_by_one else self._groups, libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
            )
            read = _from_embedded_driver if connection.is_embedded else _from_statistics
            samples: dict[str, DomainSample] = {}
            for domain, fields in answers:
                sample = read(domain, fields)
                if sample is not None and (sample.uuid not in samples or sample.id is not None):
                    samples[sample.uuid] = sample
            if any(sample.id is None for sample in samples.values()):
                for uuid in saved_uuids(connection) & samples.keys():
                    if samples[uuid].id is None:
                        samples[uuid] = replace(samples[uuid], state=VMState.SAVED)
            if one_by_one:
                self._ask_cpu_times(samples)
                return tuple(samples.values())
        except libvirt.libvirtError as error:
            raise connection.failed(error, "ask for its VMs") from error
        if any(sample.id is not None and sample.cpu_ns is None for sample in samples.values()):
            # A host without the cpuacct control group knows no total: the sum over the vCPUs stands in for it.
            self._groups = _WITH_VCPUS
        return tuple(samples.values())

    def _ask_cpu_times(self, samples: dict[str, DomainSample]) -> None:
        """Ask the domains whose turn it is; those that were not asked for the longest time come first."""
        active = [sample for sample in samples.values() if sample.id is not None]
        self._turns = {sample.uuid: self._turns.get(sample.uuid, 0.0) for sample in active}
        until = self._clock.monotonic() + self._cpu_seconds
        for sample in sorted(active, key=lambda sample: self._turns[sample.uuid]):
            now = self._clock.monotonic()
            if now >= until:
                samples[sample.uuid] = replace(sample, cpu_was_asked=False)
                continue
            self._turns[sample.uuid] = now
            try:
                cpu_ns = int(sample.domain.info()[4])
            except libvirt.libvirtError as error:
                if not is_gone(error):
                    raise
                del samples[sample.uuid]
            else:
                samples[sample.uuid] = replace(sample, cpu_ns=cpu_ns, cpu_at=now)


def _from_statistics(domain: Any, fields: dict[str, Any]) -> DomainSample | None:
    cpu_ns = fields.get("cpu.time")
    if cpu_ns is None:
        times = [value for key, value in fields.items() if key.startswith("vcpu.") and key.endswith(".time")]
        cpu_ns = sum(times) if times else None
    return _sample(domain, fields, cpu_ns)


def _from_embedded_driver(domain: Any, fields: dict[str, Any]) -> DomainSample | None:
    # The test driver's statistics hold the state alone; CPU time is in info(), which costs no round trip there.
    try:
        return _sample(domain, fields, int(domain.info()[4]))
    except libvirt.libvirtError as error:
        if is_gone(error):
            return None
        raise


def _sample(domain: Any, fields: dict[str, Any], cpu_ns: int | None) -> DomainSample:
    identity = int(domain.ID())
    state = VM_STATES.get(fields.get("state.state", -1), VMState.UNKNOWN)
    return DomainSample(
        domain=domain,
        uuid=str(domain.UUIDString()),
        name=str(domain.name()),
        id=identity if identity >= 0 else None,
        state=state,
        cpu_ns=cpu_ns,
        state_reason=_PAUSED_FOR.get(fields.get("state.reason", -1), "") if state is VMState.PAUSED else "",
    )


@dataclass(frozen=True, slots=True)
class _Measured:
    id: int
    cpu_ns: int
    at: float
    took: float
    percent: float | None


class CpuMeter:
    """Share of its vCPUs that each domain has used between two samples, in percent: 100 where all were busy."""

    def __init__(self) -> None:
        self._last: dict[str, _Measured] = {}
        """By UUID."""

    def measure(self, sample: DomainSample, vcpus: int, at: float, took: float = 0.0) -> float | None:
        """Take a sample of a domain with so many vCPUs online, asked for at a time; the answer took so many seconds.

        None before a second sample since the domain started, and where one of two answers took so much longer than
        the other that it is unknown how much time lies between the samples.
        """
        last = self._last.get(sample.uuid)
        if not sample.cpu_was_asked and last is not None and last.id == sample.id:
            return last.percent
        if sample.id is None or sample.cpu_ns is None:
            self._last.pop(sample.uuid, None)
            return None
        if sample.cpu_at is not None:
            at, took = sample.cpu_at, 0.0
        percent = None
        if last is not None and last.id == sample.id and sample.cpu_ns >= last.cpu_ns:
            elapsed = at - last.at
            if elapsed < SHORTEST_INTERVAL:
                return last.percent
            if abs(took - last.took) <= elapsed * MOST_UNEVEN:
                share = (sample.cpu_ns - last.cpu_ns) / (elapsed * 1e9 * max(1, vcpus)) * 100
                # QEMU's own threads count in the total; rounded, idle VMs stay equal.
                percent = round(min(100.0, share), 1)
        self._last[sample.uuid] = _Measured(sample.id, sample.cpu_ns, at, took, percent)
        return percent

    def keep_only(self, uuids: set[str]) -> None:
        """Forget domains that are gone."""
        for uuid in self._last.keys() - uuids:
            del self._last[uuid]
