"""Connect to a URI once and report what is there: `realms hosts test`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import libvirt

from core.clock import Clock, SystemClock
from core.driver.connection.asking import answer_within
from core.driver.connection.connection import open_connection
from core.driver.lanes.session import machine_uuid
from core.driver.storage.pools import list_pools
from core.fleet.fleet import PoolState


@dataclass(frozen=True, slots=True, kw_only=True)
class HostReport:
    """What a host says about itself. Names are as libvirt gives them."""

    uri: str
    host_name: str
    hypervisor: str
    """Libvirt's name of the hypervisor: `QEMU`, or `TEST` for the embedded driver."""
    hypervisor_version: str
    libvirt_version: str
    cores: int
    """Logical CPUs."""
    memory_bytes: int
    machine_uuid: str | None
    domains: int
    """All of them, also those that are off."""
    active_domains: int
    pools: Mapping[str, PoolState]
    duration: float
    """Seconds that connecting and asking took."""


def probe(uri: str, deadline: float, *, host: str = "", clock: Clock | None = None) -> HostReport:
    """Connect and ask, in a thread of its own; blocks up to `deadline` seconds.

    Raises HostTimeout past it, HostUnreachable or another DriverError with a hint; they name `host` where it is given.
    """
    clock = clock or SystemClock()
    started = clock.monotonic()
    report = answer_within(host, deadline, lambda: _ask(host, uri), uri=uri)
    return replace(report, duration=clock.monotonic() - started)


def _ask(host: str, uri: str) -> HostReport:
    connection = open_connection(host, uri)
    try:
        handle = connection.handle
        information = handle.getInfo()
        # The id is in the object, so this is one call; asking each domain whether it is active would be one for each.
        domains = [domain.ID() >= 0 for domain in handle.listAllDomains()]
        return HostReport(
            uri=uri,
            host_name=str(handle.getHostname()),
            hypervisor=str(handle.getType()),
            hypervisor_version=_version(handle.getVersion()),
            libvirt_version=_version(handle.getLibVersion()),
            cores=int(information[2]),
            memory_bytes=int(information[1]) * 1024**2,
            machine_uuid=machine_uuid(str(handle.getCapabilities())),
            domains=len(domains),
            active_domains=sum(domains),
            pools=list_pools(connection),
            duration=0.0,
        )
    except libvirt.libvirtError as error:
        raise connection.failed(error, "ask what it is") from error
    finally:
        connection.close()


def _version(number: int) -> str:
    return f"{number // 1_000_000}.{number // 1_000 % 1_000}.{number % 1_000}"
