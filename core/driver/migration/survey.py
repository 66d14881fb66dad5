"""Questions to both sides of a migration before it: what the domain needs, and what the target has of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any
from xml.etree import ElementTree as ET

import libvirt

from core.driver.connection.connection import HostConnection
from core.driver.connection.errors import is_gone
from core.driver.lanes.session import machine_uuid
from core.driver.migration.migration import Sight, see
from core.driver.migration.traits import DomainTraits, read_traits
from core.driver.xml.reader import XmlRefused, parse
from core.errors import DriverError
from core.text import one_line

Version = tuple[int, int, int]


class CpuMatch(StrEnum):
    """How a target's CPU suits a domain's."""

    SUITS = "suits"
    LACKS = "lacks"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ActivePool:
    """An active pool: where it is, and what it is mounted from (`server:/export`), empty for a plain folder."""

    name: str
    path: str
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReport:
    """What the source says of the domain, as it stands now."""

    traits: DomainTraits
    sight: Sight
    snapshots: int
    checkpoints: int
    saved: bool
    """Whether a saved state (managed save) waits for its next start."""
    autostart: bool
    host_cpu: str
    """The host's own `<cpu>`, for a domain that was given all of it."""
    libvirt: Version
    hypervisor: Version
    pools: tuple[ActivePool, ...]
    machine_uuid: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetReport:
    """What the target says of everything that the domain needs."""

    same_uuid: Sight
    same_uuid_name: str
    """Name of the domain that has the UUID there; empty where none has."""
    same_name_uuid: str
    """UUID of the domain that has the name there; empty where none has."""
    machine_refusal: str
    """Why the target can't run such a machine; empty where it can."""
    cpu: CpuMatch
    cpu_words: str
    networks: Mapping[str, tuple[bool, str]] = field(default_factory=dict)
    """Those that were asked for and exist: whether active, and how they forward (`nat`; empty: isolated)."""
    missing_filters: frozenset[str] = frozenset()
    missing_secrets: frozenset[str] = frozenset()
    """Of those that the domain's disks need, by UUID or usage."""
    bridges: frozenset[str] | None = None
    """Names of the host's network devices; None where it doesn't tell."""
    libvirt: Version
    hypervisor: Version
    pools: tuple[ActivePool, ...]
    machine_uuid: str | None


def ask_source(connection: HostConnection, uuid: str) -> SourceReport:
    """Ask the source for a domain. Raises DriverError, also where it is gone."""
    handle = connection.handle
    try:
        domain = handle.lookupByUUIDString(uuid)
        flags = libvirt.VIR_DOMAIN_XML_MIGRATABLE | (0 if domain.isActive() else libvirt.VIR_DOMAIN_XML_INACTIVE)
        live, moving = str(domain.XMLDesc()), str(domain.XMLDesc(flags))
        return SourceReport(
            traits=_traits(connection, live, moving),
            sight=see(connection, uuid),
            snapshots=_supported(lambda: int(domain.snapshotNum()), 0),
            checkpoints=_supported(lambda: len(domain.listAllCheckpoints()), 0),
            saved=bool(_supported(domain.hasManagedSaveImage, 0)),
            autostart=bool(domain.isPersistent() and domain.autostart()),
            host_cpu=_host_cpu(handle),
            libvirt=_version(handle.getLibVersion()),
            hypervisor=_version(handle.getVersion()),
            pools=_pools(handle),
            machine_uuid=_machine(handle),
        )
    except libvirt.libvirtError as error:
        if is_gone(error):
            raise DriverError(connection.host, f"it no longer has VM {uuid}", hint="realms vms list") from error
        raise connection.failed(error, "ask for the VM") from error


def ask_target(connection: HostConnection, source: SourceReport) -> TargetReport:
    """Ask the target for what the domain needs. Raises DriverError."""
    handle, traits = connection.handle, source.traits
    try:
        wanted = {nic.source for nic in traits.nics if nic.kind == "network"}
        filters = {nic.filter for nic in traits.nics if nic.filter}
        cpu, cpu_words = _compare_cpu(handle, source)
        namesake, holder = _by_name(handle, traits.name), _by_uuid(handle, traits.uuid)
        return TargetReport(
            same_uuid=see(connection, traits.uuid),
            same_uuid_name="" if holder is None else str(holder.name()),
            same_name_uuid="" if namesake is None else str(namesake.UUIDString()),
            machine_refusal=_machine_refusal(handle, traits),
            cpu=cpu,
            cpu_words=cpu_words,
            networks={
                str(network.name()): (bool(network.isActive()), _forward(str(network.XMLDesc())))
                for network in _supported(handle.listAllNetworks, [])
                if network.name() in wanted
            },
            missing_filters=frozenset(name for name in filters if not _has_filter(handle, name)),
            missing_secrets=frozenset(traits.ties.secrets) - _secrets(handle) if traits.ties.secrets else frozenset(),
            bridges=_net_devices(handle) if any(nic.kind in ("bridge", "direct") for nic in traits.nics) else None,
            libvirt=_version(handle.getLibVersion()),
            hypervisor=_version(handle.getVersion()),
            pools=_pools(handle),
            machine_uuid=_machine(handle),
        )
    except libvirt.libvirtError as error:
        raise connection.failed(error, "ask whether the VM can run there") from error


def _traits(connection: HostConnection, live: str, moving: str) -> DomainTraits:
    try:
        # The migratable form has CPU and networks as the target must give them; the live one has the disks' chains.
        seen, moved = read_traits(live), read_traits(moving)
    except XmlRefused as error:
        raise DriverError(connection.host, f"its definition can't be read: {error}") from error
    return replace(seen, cpu=moved.cpu, cpu_mode=moved.cpu_mode, nics=moved.nics)


def _compare_cpu(handle: Any, source: SourceReport) -> tuple[CpuMatch, str]:
    traits = source.traits
    if traits.cpu_mode == "host-passthrough":
        # Such a guest has seen the source's very CPU.
        if not source.host_cpu:
            return CpuMatch.UNKNOWN, "the source does not report its CPU"
        return _compared(lambda: handle.compareCPU(source.host_cpu, libvirt.VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE))
    if not traits.cpu or traits.cpu_mode in ("host-model", "maximum"):
        return CpuMatch.UNKNOWN, "the guest uses its host's CPU"
    flags = libvirt.VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE
    return _compared(
        lambda: handle.compareHypervisorCPU(
            traits.emulator or None, traits.arch or None, traits.machine or None, traits.virt_type, traits.cpu, flags
        )
    )


def _compared(compare: Callable[[], int]) -> tuple[CpuMatch, str]:
    try:
        answer = compare()
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_CPU_INCOMPATIBLE:
            return CpuMatch.LACKS, one_line(str(error).partition(": ")[2] or str(error))
        if error.get_error_code() in _CAN_NOT:
            return CpuMatch.UNKNOWN, one_line(str(error))
        raise
    if answer in (libvirt.VIR_CPU_COMPARE_IDENTICAL, libvirt.VIR_CPU_COMPARE_SUPERSET):
        return CpuMatch.SUITS, ""
    return CpuMatch.LACKS, "its CPU lacks what the guest was given"


_CAN_NOT = frozenset({
    libvirt.VIR_ERR_NO_SUPPORT, libvirt.VIR_ERR_OPERATION_UNSUPPORTED, libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
    libvirt.VIR_ERR_INVALID_ARG, libvirt.VIR_ERR_XML_ERROR, libvirt.VIR_ERR_INTERNAL_ERROR,
})  # fmt: skip
"""How libvirt says that it can't answer, unlike a connection that is lost."""


def _machine_refusal(handle: Any, traits: DomainTraits) -> str:
    """Ask for the capabilities of the very emulator and machine type: libvirt refuses those that it doesn't have."""
    try:
        handle.getDomainCapabilities(
            traits.emulator or None, traits.arch or None, traits.machine or None, traits.virt_type or None
        )
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_SUPPORT:
            return ""
        if error.get_error_code() in _CAN_NOT or error.get_error_domain() in (
            libvirt.VIR_FROM_QEMU,
            libvirt.VIR_FROM_CAPABILITIES,
        ):
            return one_line(str(error).removeprefix("invalid argument: "))
        raise
    return ""


def _by_name(handle: Any, name: str) -> Any:
    return _found(lambda: handle.lookupByName(name))


def _by_uuid(handle: Any, uuid: str) -> Any:
    return _found(lambda: handle.lookupByUUIDString(uuid))


def _found(look: Callable[[], Any]) -> Any:
    try:
        return look()
    except libvirt.libvirtError as error:
        if is_gone(error):
            return None
        raise


def _has_filter(handle: Any, name: str) -> bool:
    try:
        handle.nwfilterLookupByName(name)
    except libvirt.libvirtError as error:
        if error.get_error_code() in (libvirt.VIR_ERR_NO_NWFILTER, libvirt.VIR_ERR_NO_SUPPORT):
            return False
        raise
    return True


def _secrets(handle: Any) -> frozenset[str]:
    known: set[str] = set()
    for secret in _supported(handle.listAllSecrets, []):
        known |= {str(secret.UUIDString()), str(secret.usageID())}
    return frozenset(known)


def _net_devices(handle: Any) -> frozenset[str] | None:
    flag = libvirt.VIR_CONNECT_LIST_NODE_DEVICES_CAP_NET
    listed = _supported(lambda: handle.listAllDevices(flag), None)
    if listed is None:
        return None
    names = set()
    for device in listed:
        try:
            names.add(parse(str(device.XMLDesc()), "device").findtext("capability/interface", ""))
        except (XmlRefused, libvirt.libvirtError):  # gone by now
            continue
    return frozenset(names) if "lo" in names else None  # without udev there is nothing to list


def _forward(text: str) -> str:
    try:
        forward = parse(text, "network").find("forward")
    except XmlRefused:
        return ""
    return forward.get("mode", "nat") if forward is not None else ""


def _pools(handle: Any) -> tuple[ActivePool, ...]:
    pools = []
    for pool in _supported(lambda: handle.listAllStoragePools(libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE), []):
        try:
            document = parse(str(pool.XMLDesc()), "pool")
        except (XmlRefused, libvirt.libvirtError):  # gone by now
            continue
        server, folder = document.find("source/host"), document.find("source/dir")
        source = ""
        if document.get("type") == "netfs" and server is not None and folder is not None:
            source = f"{server.get('name', '')}:{folder.get('path', '')}"
        pools.append(ActivePool(str(pool.name()), document.findtext("target/path", "").strip().rstrip("/"), source))
    return tuple(pools)


def _host_cpu(handle: Any) -> str:
    try:
        cpu = parse(str(handle.getCapabilities()), "capabilities").find("host/cpu")
    except XmlRefused:
        return ""
    return "" if cpu is None else ET.tostring(cpu, encoding="unicode")


def _machine(handle: Any) -> str | None:
    return machine_uuid(str(handle.getCapabilities()))


def _supported(call: Callable[[], Any], otherwise: Any) -> Any:
    try:
        return call()
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_SUPPORT:
            return otherwise
        raise


def _version(number: int) -> Version:
    return number // 1_000_000, number // 1_000 % 1_000, number % 1_000
