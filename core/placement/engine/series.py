"""Equal VMs on one host, one after another: what each next one costs, and which devices it gets."""

from core.costs import Use
from core.curves import INFINITY
from core.hardware import PciAddress
from core.placement.engine.request import Request
from core.placement.engine.room import HostLedger


class Series:
    """A host that takes VMs of one request; its room is as it was until `settle` counts them in.

    Only for a host whose use is known. `placed` is the number of VMs taken so far.
    """

    __slots__ = ("_free", "_function", "_use", "placed", "request", "room")

    def __init__(self, room: HostLedger, request: Request) -> None:
        if room.use is None or room.function is None:
            message = f"the use of {room.host} is unknown"
            raise ValueError(message)
        self.room = room
        self.request = request
        self.placed = 0
        self._use = room.use
        self._function = room.function
        self._free = [(count, room.free(kind)) for kind, count in request.devices.items()]

    def next_cost(self) -> float:
        """Cost of the host with one VM more; infinity where its devices or its cost don't allow it."""
        taken, use, request = self.placed + 1, self._use, self.request
        devices = use.devices
        if request.devices:
            if any(len(free) < taken * count for count, free in self._free):
                return INFINITY
            devices = dict(devices)
            for kind, count in request.devices.items():
                devices[kind] = devices.get(kind, 0) + taken * count
        return self._function.total(
            Use(
                use.vms + taken,
                use.vcpus + taken * request.vcpus,
                use.memory_bytes + taken * request.memory_bytes,
                devices,
            )
        )

    def take(self) -> tuple[PciAddress, ...]:
        """Count one VM more as taken, and give its devices."""
        first, self.placed = self.placed, self.placed + 1
        if not self._free:
            return ()
        return tuple(address for count, free in self._free for address in free[first * count : self.placed * count])

    def settle(self) -> HostLedger:
        """Count the VMs taken so far in the room, and give it."""
        for _ in range(self.placed):
            self.room.take(self.request)
        self.placed = 0
        return self.room
