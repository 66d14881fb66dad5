"""PCI addresses, devices and hardware profiles (specification, section 5)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ADDRESS = re.compile(
    r"(?:(?P<domain>[0-9a-fA-F]{1,4}|[1-9a-fA-F][0-9a-fA-F]{4,7}):)?"  # longer ones begin at 10000: Intel VMD's
    r"(?P<bus>[0-9a-fA-F]{1,2}):(?P<slot>[0-9a-fA-F]{1,2})\.(?P<function>[0-9a-fA-F])"
)


class NotAPciAddress(ValueError):
    """A text is no PCI address; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True, order=True)
class PciAddress:
    """A PCI address; its text is canonical lower case, `dddd:bb:ss.f`."""

    domain: int
    bus: int
    slot: int
    function: int

    @classmethod
    def parse(cls, text: str) -> PciAddress:
        """Read `[domain:]bus:slot.function`, all hexadecimal; raises NotAPciAddress."""
        match = _ADDRESS.fullmatch(text.strip())
        if match is None:
            message = (
                f"{text!r} is not a PCI address: expected [domain:]bus:slot.function in hexadecimal, such "
                "as 0000:41:00.0"
            )
            raise NotAPciAddress(message)
        domain, bus, slot, function = (int(match[part] or "0", 16) for part in ("domain", "bus", "slot", "function"))
        if slot > 0x1F:
            message = f"slot {match['slot']} of {text!r} is above 1f"
            raise NotAPciAddress(message)
        if function > 7:
            message = f"function {match['function']} of {text!r} is above 7"
            raise NotAPciAddress(message)
        return cls(domain, bus, slot, function)

    def __str__(self) -> str:
        return f"{self.domain:04x}:{self.bus:02x}:{self.slot:02x}.{self.function}"


@dataclass(frozen=True, slots=True)
class Device:
    """A PCI device that VMs can be given."""

    type: str
    address: PciAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class HardwareProfile:
    """A kind of host. `cores` and `memory_bytes` describe it; what limits scheduling is the cost function."""

    id: str
    name: str
    cores: int
    memory_bytes: int
    cost_function: str
    """Id of a cost function that the configuration defines."""
    description: str = ""
    devices: tuple[Device, ...] = ()

    def type_of(self, address: PciAddress) -> str | None:
        """Type of the device at an address; None where the profile has no device there."""
        return next((device.type for device in self.devices if device.address == address), None)

    def addresses(self, kind: str) -> tuple[PciAddress, ...]:
        """Addresses of all devices of a type, in the order in which they are assigned."""
        return tuple(device.address for device in self.devices if device.type == kind)

    @property
    def device_types(self) -> tuple[str, ...]:
        """Types of the profile's devices, each once, in order of appearance."""
        return tuple(dict.fromkeys(device.type for device in self.devices))
