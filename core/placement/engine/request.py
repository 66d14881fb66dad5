"""What a VM asks of a host."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from core.costs import NO_DEVICES, Use
from core.errors import UsageError
from core.units import MAX_BYTES

_MOST = 2**31 - 1
"""Libvirt counts vCPUs and devices in 32 bits."""


RequestKey = tuple[int, int, tuple[tuple[str, int], ...], str | None, bool]
"""What tells requests apart: vCPUs, bytes, devices by type, realm, whether the drives pool is needed."""


@dataclass(frozen=True, slots=True)
class Request:
    """A VM to be placed: its maxima, the number of devices it wants by type, and the realm if only one will do.

    Types asked for zero times are dropped. Raises UsageError where no VM could be like that.
    """

    vcpus: int
    memory_bytes: int
    devices: Mapping[str, int] = field(default_factory=lambda: NO_DEVICES)
    realm: str | None = None
    needs_drives_pool: bool = False
    """Whether the VM has drives, so that the realm's drives pool must be there too."""
    use: Use = field(init=False, repr=False, compare=False)
    """What the VM adds to the use of its host."""

    def __post_init__(self) -> None:
        if not 1 <= self.vcpus <= _MOST:
            raise UsageError(f"a VM needs at least 1 vCPU, not {self.vcpus}")
        if not 1 <= self.memory_bytes <= MAX_BYTES:
            raise UsageError(f"a VM needs at least 1 byte of memory, below 2^63, not {self.memory_bytes}")
        for kind, count in self.devices.items():
            if not kind:
                raise UsageError("a device type needs a name", hint="such as nvidia-gpu=1")
            if not 0 <= count <= _MOST:
                raise UsageError(f"the number of devices must be at least 0 for type {kind}, not {count}")
        asked = {kind: self.devices[kind] for kind in sorted(self.devices) if self.devices[kind]}
        object.__setattr__(self, "devices", MappingProxyType(asked))
        object.__setattr__(self, "use", Use(1, self.vcpus, self.memory_bytes, self.devices))

    @property
    def key(self) -> RequestKey:
        """What tells it from other requests, to find it by."""
        return (self.vcpus, self.memory_bytes, tuple(self.devices.items()), self.realm, self.needs_drives_pool)
