"""Cost functions: whether a use fits a host, and at what cost (specification, section 4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from core.curves import INFINITY, Curve, Unavailable, as_cost

NO_DEVICES: Mapping[str, int] = MappingProxyType({})

_DEVICE_PREFIX = "devices."
_WITHOUT_CURVE = Unavailable()


@dataclass(frozen=True, slots=True)
class Use:
    """What is in use on a host, or asked for: numbers of VMs, vCPUs and devices by type, memory in bytes."""

    vms: int = 0
    vcpus: int = 0
    memory_bytes: int = 0
    devices: Mapping[str, int] = field(default_factory=lambda: NO_DEVICES)

    def __add__(self, other: Use) -> Use:
        devices = self.devices
        if other.devices:
            devices = dict(devices)
            for kind, count in other.devices.items():
                devices[kind] = devices.get(kind, 0) + count
        return Use(self.vms + other.vms, self.vcpus + other.vcpus, self.memory_bytes + other.memory_bytes, devices)


class CostState(StrEnum):
    """What a missing number in the JSON means."""

    FINITE = "finite"
    INFINITE = "infinite"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Term:
    """One summand of a cost, before the function's scale.

    `attribute` is vms, vcpus, memory or `devices.TYPE`; `curve` is None where the function has none (it costs 0),
    except that a device type without a curve is Unavailable.
    """

    attribute: str
    input: int
    cost: float
    curve: Curve | None

    @property
    def feasible(self) -> bool:
        """Whether this term allows the use."""
        return self.cost != INFINITY

    @property
    def largest_finite_input(self) -> int | None:
        """Largest whole input that this term allows; None where there is no single limit."""
        limit = self.curve.limit() if self.curve is not None else None
        return None if limit is None or limit == INFINITY else int(limit // 1)


@dataclass(frozen=True, slots=True)
class Cost:
    """A cost, with the terms it is the sum of: total = scale * sum(terms) + offset."""

    terms: tuple[Term, ...]
    scale: float
    offset: float
    total: float

    @property
    def feasible(self) -> bool:
        """Whether the use fits at all."""
        return self.total != INFINITY

    @property
    def state(self) -> CostState:
        """Whether the total is a number."""
        return CostState.FINITE if self.feasible else CostState.INFINITE


@dataclass(frozen=True, slots=True, kw_only=True)
class CostFunction:
    """Curves for the attributes of a host's use, with a scale for their sum and an offset beside it.

    A curve that is None contributes nothing. Device types in use without a curve can't be used.
    """

    id: str
    name: str
    description: str = ""
    vms: Curve | None = None
    vcpus: Curve | None = None
    memory: Curve | None = None
    devices: Mapping[str, Curve] = field(default_factory=dict)
    scale: float = 1.0
    offset: float = 0.0

    def terms(self, use: Use, mention: Iterable[str] = ()) -> tuple[Term, ...]:
        """Every term at this use, in the order in which they are added: vms, vcpus, memory, devices by type.

        `mention` names device types to list even where they have neither a curve nor a use.
        """
        terms = [
            Term(attribute, amount, curve.cost(amount) if curve is not None else 0.0, curve)
            for attribute, amount, curve in (
                ("vms", use.vms, self.vms),
                ("vcpus", use.vcpus, self.vcpus),
                ("memory", use.memory_bytes, self.memory),
            )
        ]
        for kind in sorted({*self.devices, *use.devices, *mention}):
            curve = self.devices.get(kind, _WITHOUT_CURVE)
            amount = use.devices.get(kind, 0)
            terms.append(Term(_DEVICE_PREFIX + kind, amount, curve.cost(amount), curve))
        return tuple(terms)

    def cost(self, use: Use, mention: Iterable[str] = ()) -> Cost:
        """Cost of a host under this use, broken down by term (specification, section 4)."""
        terms = self.terms(use, mention)
        return Cost(terms, self.scale, self.offset, self._combine(term.cost for term in terms))

    def total(self, use: Use) -> float:
        """Cost of a host under this use without its breakdown: the same number as `cost(use).total`, sooner."""
        costs = [
            curve.cost(amount)
            for curve, amount in ((self.vms, use.vms), (self.vcpus, use.vcpus), (self.memory, use.memory_bytes))
            if curve is not None
        ]
        if self.devices or use.devices:
            costs += [
                self.devices.get(kind, _WITHOUT_CURVE).cost(use.devices.get(kind, 0))
                for kind in sorted({*self.devices, *use.devices})
            ]
        return self._combine(costs)

    def _combine(self, costs: Iterable[float]) -> float:
        total = 0.0
        for cost in costs:
            total += cost
        if as_cost(total) != INFINITY:
            total = as_cost(as_cost(total * self.scale) + self.offset)
        return as_cost(total)
