"""Checks of a host by itself: its libvirt and QEMU, and whether VMs can run there at full speed."""

from collections.abc import Iterator

from core.codes import Check
from core.driver.hosts.survey import HostSurvey, Software, Version
from core.operations.findings import Checkup, Finding

OLDEST_LIBVIRT: Version = (6, 0, 0)
OLDEST_QEMU: Version = (4, 2, 0)
"""Snapshots of running VMs are made with libvirt's backups, which begin there."""

_CLIENT_FAULT_MENDED: Version = (10, 4, 0)

_FAULTS: tuple[tuple[Version, str], ...] = (((10, 1, 0), "CVE-2024-1441"), ((10, 2, 0), "CVE-2024-2494"))
"""Faults of the daemon, and the first version without them."""


def show_version(version: Version) -> str:
    """Write a version as its project does."""
    return ".".join(map(str, version))


def check_client(version: Version) -> Iterator[Finding]:
    """Check the libvirt of this program itself."""
    here = Checkup("")
    if version < _CLIENT_FAULT_MENDED:
        message = (
            f"libvirt {show_version(version)} here may have CVE-2024-4418: two concurrent calls on a connection "
            "can crash a client when its host stops answering; realms avoids it by one call at a time"
        )
        yield here.info(Check.LIBVIRT_CLIENT, message, "consider updating libvirt on this machine to 10.4 or later")
    else:
        yield here.ok(Check.LIBVIRT_CLIENT, f"libvirt {show_version(version)}")


def check_software(at: Checkup, survey: HostSurvey) -> Iterator[Finding]:
    """Check the versions of libvirt and QEMU, and KVM."""
    software = survey.software
    if software.hypervisor != "QEMU":
        yield at.info(
            Check.HYPERVISOR, f"{software.hypervisor}: libvirt's embedded test driver; its VMs do not really run"
        )
        return
    yield from _check_versions(at, software)
    if software.kvm is False:
        mend = "enable virtualization in the firmware, then on the host: modprobe kvm_intel or kvm_amd; ls -l /dev/kvm"
        yield at.error(Check.KVM, "KVM is unavailable: VMs would be emulated, many times slower", mend)
    elif software.kvm:
        yield at.ok(Check.KVM, "KVM is available")
    if software.live_migration is False:
        yield at.warning(Check.MIGRATION, "libvirt there does not support live migration")


def _check_versions(at: Checkup, software: Software) -> Iterator[Finding]:
    libvirt, qemu = show_version(software.libvirt), show_version(software.hypervisor_version)
    if software.libvirt < OLDEST_LIBVIRT:
        message = f"libvirt {libvirt}: running VMs can't be snapshotted before {show_version(OLDEST_LIBVIRT)}"
        yield at.warning(Check.LIBVIRT, message, "update libvirt on the host")
    else:
        yield at.ok(Check.LIBVIRT, f"libvirt {libvirt}")
    faults = [name for mended, name in _FAULTS if software.libvirt < mended]
    if faults:
        message = (
            f"libvirt {libvirt} has {', '.join(faults)} (a client can crash it), unless the distribution has fixed it"
        )
        yield at.info(Check.LIBVIRT, message, "keep the host's packages up to date")
    if software.hypervisor_version < OLDEST_QEMU:
        message = f"QEMU {qemu}: running VMs can't be snapshotted before {show_version(OLDEST_QEMU)}"
        yield at.warning(Check.QEMU, message, "update QEMU on the host")
    else:
        yield at.ok(Check.QEMU, f"QEMU {qemu}")
