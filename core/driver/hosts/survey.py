"""What libvirt tells about a host: everything that makes it fit, or unfit, for a realm."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Any
from xml.etree import ElementTree as ET

import libvirt

from core.clock import Clock, SystemClock
from core.driver.connection.asking import ask_within
from core.driver.connection.connection import HostConnection
from core.driver.hosts.node_devices import PciDevice, read_pci_devices
from core.driver.lanes.session import HostPoller
from core.driver.xml.reader import XmlRefused, parse
from core.fleet.fleet import PoolState
from core.hardware import PciAddress
from core.units import whole_number

Version = tuple[int, int, int]

SLOWEST_ADDRESSES = 4
"""Guests whose address is looked up, to try the static address translation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Software:
    """Versions, and what the hypervisor can do. None: libvirt doesn't tell, as the embedded driver."""

    hypervisor: str
    hypervisor_version: Version
    libvirt: Version
    kvm: bool | None
    live_migration: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """The machine itself. `cpu_features` are those a VM with the host's own CPU model would get."""

    cores: int
    """Logical CPUs."""
    memory_bytes: int
    machine_uuid: str | None
    cpu_vendor: str = ""
    cpu_model: str = ""
    cpu_features: frozenset[str] = frozenset()
    iommu: bool | None = None
    devices: tuple[PciDevice, ...] | None = None
    """PCI devices by address; None where libvirt lists none at all."""

    def device_at(self, address: PciAddress) -> PciDevice | None:
        """Return the device at an address."""
        return next((device for device in self.devices or () if device.address == address), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyedPool:
    """A storage pool; sizes in bytes, 0 where it is not active."""

    name: str
    state: PoolState
    autostart: bool
    persistent: bool
    kind: str = ""
    source: str = ""
    """Where it comes from (`server:/export`), as far as its kind has a source."""
    path: str = ""
    capacity_bytes: int = 0
    available_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyedNetwork:
    """A virtual network."""

    name: str
    active: bool
    autostart: bool
    persistent: bool
    forward: str = ""
    """nat, route, bridge and so on; empty for an isolated one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occupation:
    """What the active domains of a host hold."""

    vms: int
    vcpus: int
    memory_bytes: int
    devices: frozenset[PciAddress]
    addresses: tuple[str, ...]
    """IPv4 addresses of some running guests."""
    off: int = 0
    """Domains that are not active."""
    by_realm: Mapping[str, int] = field(default_factory=dict)
    """All domains, also those that are off, by the realm that they are marked with; empty: with none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSurvey:
    """All that was learned in one visit. Names are as libvirt gives them."""

    uri: str
    host_name: str
    software: Software
    hardware: Hardware
    pools: tuple[SurveyedPool, ...]
    networks: tuple[SurveyedNetwork, ...]
    filters: frozenset[str] | None
    """Names of the network filters; None where libvirt has no such thing there."""
    occupation: Occupation


def survey(
    uri: str,
    deadline: float,
    *,
    host: str = "",
    addresses: bool = False,
    clock: Clock | None = None,
    stop: Event | None = None,
) -> HostSurvey:
    """Visit a host once, in a thread of its own; blocks up to `deadline` seconds. Changes nothing there.

    With `addresses` those of some guests are looked up too. Raises HostTimeout, HostUnreachable, DriverError, and
    Cancelled soon after `stop` is set.
    """

    def question(connection: HostConnection) -> HostSurvey:
        return _survey(connection, clock or SystemClock(), with_addresses=addresses)

    return ask_within(host, uri, deadline, question, stop)


def client_version() -> Version:
    """Return the version of libvirt's client library in this process."""
    return _version(libvirt.getVersion())


def _survey(connection: HostConnection, clock: Clock, *, with_addresses: bool) -> HostSurvey:
    handle = connection.handle
    capabilities = _document(str(handle.getCapabilities()), "capabilities")
    domains = _document(_supported(handle.getDomainCapabilities) or "", "domainCapabilities")
    return HostSurvey(
        uri=connection.uri.text,
        host_name=str(handle.getHostname()),
        software=_software(handle, capabilities, domains),
        hardware=_hardware(connection, capabilities, domains),
        pools=tuple(_pool(pool) for pool in handle.listAllStoragePools()),
        networks=tuple(_network(network) for network in handle.listAllNetworks()),
        filters=_filters(connection),
        occupation=_occupation(connection, clock, with_addresses=with_addresses),
    )


def _software(handle: Any, capabilities: ET.Element | None, domains: ET.Element | None) -> Software:
    return Software(
        hypervisor=str(handle.getType()),
        hypervisor_version=_version(handle.getVersion()),
        libvirt=_version(handle.getLibVersion()),
        kvm=_has_kvm(handle, capabilities) if domains is not None else None,
        live_migration=None
        if domains is None or capabilities is None
        else capabilities.find("host/migration_features/live") is not None,
    )


def _has_kvm(handle: Any, capabilities: ET.Element | None) -> bool:
    """Return whether KVM works for the host's own kind of CPU: libvirt refuses to describe such a domain where not."""
    arch = capabilities.findtext("host/cpu/arch") if capabilities is not None else None
    try:
        handle.getDomainCapabilities(None, arch, None, "kvm")
    except libvirt.libvirtError as error:
        if error.get_error_code() in _REFUSALS:
            return False
        raise
    return True


_REFUSALS = frozenset({
    libvirt.VIR_ERR_INVALID_ARG, libvirt.VIR_ERR_NO_SUPPORT, libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
    libvirt.VIR_ERR_OPERATION_UNSUPPORTED,
})  # fmt: skip
"""How libvirt says that it has no such thing, unlike a connection that is lost."""


def _hardware(connection: HostConnection, capabilities: ET.Element | None, domains: ET.Element | None) -> Hardware:
    information = connection.handle.getInfo()
    iommu = capabilities.find("host/iommu") if capabilities is not None else None
    model, vendor, features = _cpu(capabilities, domains)
    uuid = capabilities.findtext("host/uuid", "").strip().lower() if capabilities is not None else ""
    return Hardware(
        cores=int(information[2]),
        memory_bytes=int(information[1]) * 1024**2,
        machine_uuid=uuid or None,
        cpu_vendor=vendor,
        cpu_model=model,
        cpu_features=features,
        iommu=None if iommu is None else iommu.get("support") == "yes",
        devices=_pci_devices(connection),
    )


def _cpu(capabilities: ET.Element | None, domains: ET.Element | None) -> tuple[str, str, frozenset[str]]:
    """Model, vendor and features of the CPU that a VM gets with host-model; else of the host's as libvirt sees it."""
    mode = domains.find("cpu/mode[@name='host-model']") if domains is not None else None
    if mode is not None and mode.findtext("model"):
        features = frozenset(
            ("" if each.get("policy") == "require" else "-") + each.get("name", "") for each in mode.findall("feature")
        )
        return mode.findtext("model", "").strip(), mode.findtext("vendor", "").strip(), features
    cpu = capabilities.find("host/cpu") if capabilities is not None else None
    if cpu is None:
        return "", "", frozenset()
    features = frozenset(each.get("name", "") for each in cpu.findall("feature"))
    return cpu.findtext("model", "").strip(), cpu.findtext("vendor", "").strip(), features


def _filters(connection: HostConnection) -> frozenset[str] | None:
    listed = _optional(connection, connection.handle.listAllNWFilters)
    return None if listed is None else frozenset(str(each.name()) for each in listed)


def _pci_devices(connection: HostConnection) -> tuple[PciDevice, ...] | None:
    flag = libvirt.VIR_CONNECT_LIST_NODE_DEVICES_CAP_PCI_DEV
    listed = _optional(connection, lambda: connection.handle.listAllDevices(flag))
    if listed is None:
        return None
    texts = (_supported(device.XMLDesc) for device in listed)  # one may be gone by now
    return read_pci_devices(str(text) for text in texts if text is not None)


def _pool(pool: Any) -> SurveyedPool:
    document = _document(str(pool.XMLDesc()), "pool")
    active = bool(pool.isActive())
    return SurveyedPool(
        name=str(pool.name()),
        state=PoolState.ACTIVE if active else PoolState.INACTIVE,
        autostart=bool(pool.autostart()),
        persistent=bool(pool.isPersistent()),
        kind=document.get("type", "") if document is not None else "",
        source=_source(document.find("source")) if document is not None else "",
        path=document.findtext("target/path", "").strip() if document is not None else "",
        capacity_bytes=_number(document, "capacity") if active else 0,
        available_bytes=_number(document, "available") if active else 0,
    )


def _source(source: ET.Element | None) -> str:
    """Write a pool's source on one line: server, folder, device, name, as far as it has them."""
    if source is None:
        return ""
    server = source.find("host")
    folder = source.find("dir")
    parts = [
        server.get("name", "") if server is not None else "",
        folder.get("path", "") if folder is not None else "",
        *(device.get("path", "") for device in source.findall("device")),
        source.findtext("name", "").strip(),
    ]
    return ":".join(part for part in parts if part)


def _network(network: Any) -> SurveyedNetwork:
    document = _document(str(network.XMLDesc()), "network")
    forward = document.find("forward") if document is not None else None
    return SurveyedNetwork(
        name=str(network.name()),
        active=bool(network.isActive()),
        autostart=bool(network.autostart()),
        persistent=bool(network.isPersistent()),
        forward=forward.get("mode", "nat") if forward is not None else "",
    )


def _occupation(connection: HostConnection, clock: Clock, *, with_addresses: bool) -> Occupation:
    session = HostPoller(connection, clock, lambda: None)
    session.poll()
    if with_addresses:
        left = [SLOWEST_ADDRESSES]

        def go_on() -> bool:
            left[0] -= 1
            return left[0] >= 0

        session.look_up_addresses(go_on)
    active = [domain for domain in session.seen if domain.id is not None]
    addresses = (session.addresses.of(domain.uuid) for domain in active)
    return Occupation(
        vms=len(active),
        vcpus=sum(domain.facts.vcpus for domain in active),
        memory_bytes=sum(domain.facts.memory_bytes for domain in active),
        devices=frozenset(address for domain in active for address in domain.facts.devices),
        addresses=tuple(address for address in addresses if address),
        off=len(session.seen) - len(active),
        by_realm=Counter(domain.facts.mark.realm if domain.facts.mark else "" for domain in session.seen),
    )


def _supported(call: Callable[[], Any]) -> Any:
    """Make a call that some drivers don't have; None where this one hasn't, or what it was about is gone."""
    try:
        return call()
    except libvirt.libvirtError as error:
        if error.get_error_code() in {libvirt.VIR_ERR_NO_SUPPORT, libvirt.VIR_ERR_NO_NODE_DEVICE}:
            return None
        raise


def _optional(connection: HostConnection, call: Callable[[], Any]) -> Any:
    """Ask a part of libvirt that may not be installed, or be a daemon of its own that doesn't run; None without it."""
    try:
        return call()
    except libvirt.libvirtError:
        if connection.is_alive():
            return None
        raise


def _document(text: str, root: str) -> ET.Element | None:
    try:
        return parse(text, root)
    except XmlRefused:
        return None


def _number(document: ET.Element | None, name: str) -> int:
    return whole_number(document.findtext(name) if document is not None else None) or 0


def _version(number: int) -> Version:
    return number // 1_000_000, number // 1_000 % 1_000, number % 1_000
