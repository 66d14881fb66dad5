"""State and CPU time of all domains of a host, in one call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import libvirt

from core.driver.errors import is_gone
from core.fleet import VMState

if TYPE_CHECKING:
    from core.driver.connection import HostConnection

_GROUPS = libvirt.VIR_DOMAIN_STATS_STATE | libvirt.VIR_DOMAIN_STATS_CPU_TOTAL
"""Neither asks QEMU's monitor, so that one stuck VM costs the others nothing; sizes come from the XML."""

_WITH_VCPUS = _GROUPS | libvirt.VIR_DOMAIN_STATS_VCPU

_STATES = {
    libvirt.VIR_DOMAIN_RUNNING: VMState.RUNNING,
    libvirt.VIR_DOMAIN_BLOCKED: VMState.RUNNING,
    libvirt.VIR_DOMAIN_PAUSED: VMState.PAUSED,
    libvirt.VIR_DOMAIN_SHUTDOWN: VMState.SHUTTING_DOWN,
    libvirt.VIR_DOMAIN_SHUTOFF: VMState.OFF,
    libvirt.VIR_DOMAIN_CRASHED: VMState.CRASHED,
    libvirt.VIR_DOMAIN_PMSUSPENDED: VMState.SUSPENDED,
}

SHORTEST_INTERVAL = 0.5
"""Seconds between two samples below which a share of CPU would be noise."""


@dataclass(frozen=True, slots=True)
class DomainSample:
    """One domain in one poll. `id` is None where it is not active; `cpu_ns` None where libvirt doesn't say."""

    domain: Any
    uuid: str
    name: str
    id: int | None
    state: VMState
    cpu_ns: int | None


class Sampler:
    """Asks a host for all its domains at once, and remembers what that host leaves out."""

    def __init__(self, connection: HostConnection) -> None:
        self._connection = connection
        self._groups = _GROUPS

    def sample(self) -> tuple[DomainSample, ...]:
        """Ask for all domains, active or not; raises DriverError. Each UUID comes once."""
        connection = self._connection
        try:
            # NOWAIT: a VM whose monitor is held by another job gives what is known without it.
            answers = connection.handle.getAllDomainStats(
                self._groups, libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
            )
            read = _from_embedded_driver if connection.is_embedded else _from_statistics
            samples: dict[str, DomainSample] = {}
            for domain, fields in answers:
                sample = read(domain, fields)
                if sample is not None and (sample.uuid not in samples or sample.id is not None):
                    samples[sample.uuid] = sample
        except libvirt.libvirtError as error:
            raise connection.failed(error, "ask for its VMs") from error
        if any(sample.id is not None and sample.cpu_ns is None for sample in samples.values()):
            # A host without the cpuacct control group knows no total: the sum over the vCPUs stands in for it.
            self._groups = _WITH_VCPUS
        return tuple(samples.values())


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
    return DomainSample(
        domain=domain,
        uuid=str(domain.UUIDString()),
        name=str(domain.name()),
        id=identity if identity >= 0 else None,
        state=_STATES.get(fields.get("state.state", -1), VMState.UNKNOWN),
        cpu_ns=cpu_ns,
    )


class CpuMeter:
    """Share of its vCPUs that each domain has used between two samples, in percent: 100 where all were busy."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[int, int, float, float | None]] = {}
        """By UUID: the domain's id, its CPU time in nanoseconds, when that was, the last share."""

    def measure(self, sample: DomainSample, vcpus: int, at: float) -> float | None:
        """Take a sample of a domain with so many vCPUs online; None before a second one since it started."""
        if sample.id is None or sample.cpu_ns is None:
            self._last.pop(sample.uuid, None)
            return None
        last = self._last.get(sample.uuid)
        if last is None or last[0] != sample.id or sample.cpu_ns < last[1]:
            self._last[sample.uuid] = (sample.id, sample.cpu_ns, at, None)
            return None
        elapsed = at - last[2]
        if elapsed < SHORTEST_INTERVAL:
            return last[3]
        share = (sample.cpu_ns - last[1]) / (elapsed * 1e9 * max(1, vcpus)) * 100
        percent = round(min(100.0, share), 1)  # QEMU's own threads count in the total; rounded, idle VMs stay equal
        self._last[sample.uuid] = (sample.id, sample.cpu_ns, at, percent)
        return percent

    def keep_only(self, uuids: set[str]) -> None:
        """Forget domains that are gone."""
        for uuid in self._last.keys() - uuids:
            del self._last[uuid]
