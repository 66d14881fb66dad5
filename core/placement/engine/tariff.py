"""A cost function that remembers what its curves said: the same totals, several times sooner.

Hosts of one profile share a tariff. VMs come in few sizes, so the inputs of curves repeat.
"""

import math
from collections.abc import Sequence

from core.costs import CostFunction
from core.curves import INFINITY, Curve, Unavailable

_MOST_REMEMBERED = 1 << 16
"""Inputs that one curve remembers before it forgets them all."""

_WITHOUT_CURVE = Unavailable()


class CurveTable(dict[int, float]):
    """What a curve costs, by input; an absent curve costs 0 everywhere."""

    __slots__ = ("curve", "limit")

    def __init__(self, curve: Curve | None) -> None:
        super().__init__()
        self.curve = curve
        limit = None if curve is None else curve.limit()
        self.limit = None if limit is None or limit == INFINITY else int(limit // 1)
        """Largest whole input that the curve allows; None where there is no single limit."""

    def __missing__(self, amount: int) -> float:
        cost = 0.0 if self.curve is None else self.curve.cost(amount)
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        self[amount] = cost
        return cost


class Tariff:
    """Totals of a cost function for hosts whose profile lists these device types.

    `kinds` are the device types that can have a term: those with a curve and those of the profile, sorted. Numbers of
    devices are given in this order.
    """

    __slots__ = ("devices", "function", "kinds", "memory", "offset", "scale", "vcpus", "vms")

    def __init__(self, function: CostFunction, device_types: Sequence[str] = ()) -> None:
        self.function = function
        self.kinds = tuple(sorted({*function.devices, *device_types}))
        self.vms = CurveTable(function.vms)
        self.vcpus = CurveTable(function.vcpus)
        self.memory = CurveTable(function.memory)
        self.devices = tuple(CurveTable(function.devices.get(kind, _WITHOUT_CURVE)) for kind in self.kinds)
        self.scale = function.scale
        self.offset = function.offset

    def total(self, vms: int, vcpus: int, memory_bytes: int, devices: Sequence[int] = ()) -> float:
        """Return the cost of a host under this use: to the last bit what `CostFunction.total` says."""
        total = self.vms[vms] + self.vcpus[vcpus] + self.memory[memory_bytes]
        for table, count in zip(self.devices, devices, strict=True):
            total += table[count]
        # Whatever overflows on the way stays infinite or becomes NaN, so one look at the end is enough.
        total = total * self.scale + self.offset
        return total + 0.0 if math.isfinite(total) else INFINITY
