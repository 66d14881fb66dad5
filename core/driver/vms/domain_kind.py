"""What kind of domain a host can run: with hardware virtualization where it works, else emulated."""

from dataclasses import dataclass
from enum import StrEnum
from xml.etree import ElementTree as ET

import libvirt

from core.driver.connection.connection import HostConnection
from core.driver.xml.reader import XmlRefused, parse
from core.errors import DriverError


class Virtualization(StrEnum):
    """How the CPUs of a VM are made: by the host's own (KVM), or emulated, which is many times slower."""

    KVM = "kvm"
    QEMU = "qemu"


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainKind:
    """Type, architecture and machine of a domain; empty fields are left to libvirt."""

    type: str
    arch: str = ""
    machine: str = ""
    cpu_mode: str = ""

    @property
    def is_embedded(self) -> bool:
        """Whether it is for libvirt's test driver, which runs nothing."""
        return self.type == "test"

    @property
    def is_x86(self) -> bool:
        """Whether the VM is a PC."""
        return self.arch in ("x86_64", "i686")


EMBEDDED = DomainKind(type="test")


def choose_kind(connection: HostConnection, wanted: Virtualization | None = None) -> DomainKind:
    """Choose the kind of a new domain: KVM where it is usable, unless another is wanted.

    Raises DriverError where the host can't run what is wanted.
    """
    if connection.is_embedded:
        return EMBEDDED
    try:
        arch = _architecture(str(connection.handle.getCapabilities()))
    except libvirt.libvirtError as error:
        raise connection.failed(error, "ask for its capabilities") from error
    refused = ""
    for kind in (wanted,) if wanted is not None else tuple(Virtualization):
        try:
            text = str(connection.handle.getDomainCapabilities(None, arch or None, None, kind.value))
            return _kind(kind, arch, parse(text, "domainCapabilities"))
        except libvirt.libvirtError as error:
            if not connection.is_alive():
                raise connection.failed(error, "ask what it can run") from error
            refused = str(error)
        except XmlRefused as error:
            refused = str(error)
    hint = "is /dev/kvm there? On the host: virt-host-validate qemu" if wanted is not Virtualization.QEMU else ""
    raise DriverError(connection.host, f"it can't run VMs of type {wanted or 'kvm or qemu'}: {refused}", hint=hint)


def _kind(virtualization: Virtualization, arch: str, capabilities: ET.Element) -> DomainKind:
    modes = {
        mode.get("name")
        for mode in capabilities.iterfind("cpu/mode")
        if mode.get("supported") == "yes" and mode.get("name")
    }
    # The host's model, and not the very CPU, so that VMs can move between hosts that differ a little.
    mode = "host-model" if virtualization is Virtualization.KVM and "host-model" in modes else ""
    return DomainKind(type=virtualization.value, arch=arch, cpu_mode=mode)


def _architecture(capabilities: str) -> str:
    try:
        return (parse(capabilities, "capabilities").findtext("host/cpu/arch") or "").strip()
    except XmlRefused:
        return ""
