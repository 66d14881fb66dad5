"""The devices that a placement gives a VM."""

from core.hardware import Device, HardwareProfile
from core.placement.engine.verdicts import Placement


def typed_devices(profile: HardwareProfile | None, placement: Placement) -> tuple[Device, ...]:
    """Return the devices of a placement with their types by the host's profile."""
    kinds = ((address, profile.type_of(address) if profile is not None else None) for address in placement.devices)
    return tuple(Device(kind or "", address) for address, kind in kinds)
