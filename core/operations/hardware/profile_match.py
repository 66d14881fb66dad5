"""Which hardware profiles describe a real machine, the best fitting first (specification, section 5)."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from core.config.model import Configuration
from core.driver.hosts.survey import HostSurvey
from core.hardware import HardwareProfile
from core.operations.hardware.pci_candidates import candidates
from core.operations.hosts.probe import MEMORY_TOLERANCE
from core.units import show_size


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a profile describes a machine. `misfits` says in words what differs; `distance` how far sizes are off.

    `missing` counts listed devices that aren't there, or that no VM can be given; `unlisted` those that VMs could be
    given, and that the profile doesn't list.
    """

    profile: HardwareProfile
    misfits: tuple[str, ...]
    missing: int
    unlisted: int
    distance: float

    @property
    def fits(self) -> bool:
        """Whether nothing differs that matters."""
        return not self.misfits


def rank_profiles(configuration: Configuration, survey: HostSurvey) -> tuple[Fit, ...]:
    """Judge every configured profile; the best first, the same order each time."""
    fits = [judge(profile, survey) for profile in configuration.hardware_profiles.values()]
    return tuple(sorted(fits, key=lambda fit: (fit.missing, not fit.fits, fit.unlisted, fit.distance, fit.profile.id)))


def judge(profile: HardwareProfile, survey: HostSurvey) -> Fit:
    """Compare one profile with a machine. Where libvirt lists no devices there, nothing is said about them."""
    hardware = survey.hardware
    missing = unlisted = 0
    if hardware.devices is not None:
        real = (hardware.device_at(device.address) for device in profile.devices)
        missing = sum(device is None or device.is_bridge for device in real)
        listed = {device.address for device in profile.devices}
        found = candidates(hardware, survey.occupation.devices)
        unlisted = sum(each.proposed and each.device.address not in listed for each in found)
    distance = _ratio(profile.cores, hardware.cores) + _ratio(profile.memory_bytes, hardware.memory_bytes)
    return Fit(profile, tuple(_misfits(profile, survey, missing, unlisted)), missing, unlisted, distance)


def _misfits(profile: HardwareProfile, survey: HostSurvey, missing: int, unlisted: int) -> Iterator[str]:
    hardware = survey.hardware
    if profile.cores != hardware.cores:
        yield f"{profile.cores} cores, not {hardware.cores}"
    if abs(hardware.memory_bytes - profile.memory_bytes) > MEMORY_TOLERANCE * profile.memory_bytes:
        yield f"{show_size(profile.memory_bytes)}, not {show_size(hardware.memory_bytes)}"
    if missing:
        yield f"{missing} of its {len(profile.devices)} devices {'is' if missing == 1 else 'are'} not there"
    if unlisted:
        yield f"{unlisted} device{'s' if unlisted > 1 else ''} of the host {'are' if unlisted > 1 else 'is'} not in it"


def _ratio(one: float, other: float) -> float:
    return abs(math.log(max(one, 1) / max(other, 1)))
