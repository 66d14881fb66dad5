"""A hardware profile held against the real machine: cores, memory, PCI devices, and what VMs take of them."""

from collections.abc import Iterator

from core.codes import Check
from core.driver.hosts.node_devices import PciDevice
from core.driver.hosts.survey import Hardware, HostSurvey, Occupation
from core.hardware import Device, HardwareProfile
from core.operations.findings import Checkup, Finding
from core.operations.hardware.iommu import VFIO, iommu_group_peers
from core.operations.hosts.probe import MEMORY_TOLERANCE
from core.text import shell_command
from core.units import format_size, show_size

_IOMMU = "enable VT-d or AMD-Vi in the firmware, boot with intel_iommu=on or amd_iommu=on"


def check_profile(at: Checkup, profile: HardwareProfile, survey: HostSurvey) -> Iterator[Finding]:
    """Compare a profile with the machine (specification, section 5)."""
    hardware = survey.hardware
    yield from _check_size(at, profile, hardware)
    yield from _check_overcommit(at, profile, hardware, survey.occupation)
    yield from _check_devices(at, profile, survey)


def _check_size(at: Checkup, profile: HardwareProfile, hardware: Hardware) -> Iterator[Finding]:
    good = True
    if profile.cores != hardware.cores:
        good = False
        message = f"profile {profile.id} has {profile.cores} cores, the host {hardware.cores}"
        yield at.warning(Check.CORES, message, f"cores: {hardware.cores} in a profile of this kind of host")
    difference = hardware.memory_bytes - profile.memory_bytes
    if abs(difference) > MEMORY_TOLERANCE * profile.memory_bytes:
        good = False
        real, described = show_size(hardware.memory_bytes), show_size(profile.memory_bytes)
        message = f"profile {profile.id} has {described} of memory, the host {real}"
        mend = f"memory: {format_size(hardware.memory_bytes)} in a profile of this kind of host"
        yield at.warning(Check.MEMORY, message, mend) if difference < 0 else at.info(Check.MEMORY, message, mend)
    if good:
        yield at.ok(Check.PROFILE, f"cores and memory match {profile.id}")


def _check_overcommit(
    at: Checkup, profile: HardwareProfile, hardware: Hardware, occupation: Occupation
) -> Iterator[Finding]:
    if occupation.memory_bytes > hardware.memory_bytes:
        used, real = show_size(occupation.memory_bytes), show_size(hardware.memory_bytes)
        message = f"its active VMs may take {used} of memory, the host has {real}: it may swap or kill VMs"
        drain = shell_command("realms plan drain", at.host)
        yield at.warning(Check.OVERCOMMIT, message, f"{drain} shows where VMs could move")
    elif occupation.memory_bytes > profile.memory_bytes:
        used, described = show_size(occupation.memory_bytes), show_size(profile.memory_bytes)
        message = f"its active VMs may take {used} of memory, profile {profile.id} has {described}"
        yield at.warning(Check.OVERCOMMIT, message, f"lower memory's limit in cost function {profile.cost_function}")
    else:
        yield at.ok(Check.OVERCOMMIT, "its active VMs fit into its memory")
    if occupation.vcpus > profile.cores:
        message = f"its active VMs have {occupation.vcpus} vCPUs for {profile.cores} cores"
        yield at.info(Check.OVERCOMMIT, message, "allowed by the cost function; change the limit of vcpus there")


def _check_devices(at: Checkup, profile: HardwareProfile, survey: HostSurvey) -> Iterator[Finding]:
    hardware, occupation = survey.hardware, survey.occupation
    stray = sorted(occupation.devices - {device.address for device in profile.devices})
    if stray:
        message = (
            f"VMs hold {', '.join(map(str, stray))}, which profile {profile.id} does not list: they are not counted"
        )
        yield at.warning(Check.DEVICES, message, "add them to the profile")
    if not profile.devices:
        return
    if survey.software.hypervisor != "QEMU":
        yield at.info(Check.DEVICES, "not compared: the embedded driver has no PCI devices")
        return
    if hardware.devices is None:
        yield at.info(Check.DEVICES, "cannot compare PCI devices: libvirt there does not list them",
                      "install libvirt's node-device driver on the host")  # fmt: skip
        return
    good = True
    if hardware.iommu is False:
        good = False
        yield at.error(Check.IOMMU, "the IOMMU is off: PCI devices cannot be assigned to VMs", _IOMMU)
    for device in profile.devices:
        for finding in _check_device(at, device, profile, survey):
            good = False
            yield finding
    if good:
        count = len(profile.devices)
        yield at.ok(
            Check.DEVICES, f"all {count} devices of {profile.id} are present" if count > 1 else "its device is present"
        )


def _check_device(at: Checkup, listed: Device, profile: HardwareProfile, survey: HostSurvey) -> Iterator[Finding]:
    hardware, in_use = survey.hardware, listed.address in survey.occupation.devices
    look = shell_command("realms hosts discover", survey.uri)
    check, label = Check.DEVICES, f"{listed.type} {listed.address}"
    real = hardware.device_at(listed.address)
    if real is None:
        message = f"{label} of profile {profile.id} is missing"
        yield at.error(check, message, f"{look} shows the real addresses; correct the profile")
        return
    if real.is_bridge:
        message = f"{label} is a bridge ({real.name}), which cannot be assigned to a VM"
        yield at.error(check, message, f"{look} shows assignable devices; correct the profile")
        return
    if real.iommu_group is None and hardware.iommu is not False:  # where it is off, that has been said already
        yield at.error(check, f"{label} ({real.name}) is in no IOMMU group: it cannot be assigned to a VM", _IOMMU)
    partners = iommu_group_peers(real, hardware)
    if partners:
        names = ", ".join(f"{each.address} ({each.name}{_driven(each)})" for each in partners)
        mend = "bind them to vfio-pci too and assign all to one VM; or use a slot with its own group, or ACS"
        yield at.warning(check, f"{label} shares IOMMU group {real.iommu_group} with {names}", mend)
    if real.driver not in {"", VFIO} and not in_use:
        message = f"{label} ({real.name}) is driven by {real.driver} on the host, not {VFIO}"
        mend = (
            f"boot the host with vfio-pci.ids={real.vendor_id:04x}:{real.product_id:04x}, so that the host does "
            "not use it"
        )
        yield at.warning(check, message + ": libvirt detaches it when a VM starts", mend)


def _driven(device: PciDevice) -> str:
    return f", driven by {device.driver}" if device.driver else ""
