"""Capacity: how many more VMs of a size fit, per host and realm, and what stops the next one (section 11).

Worked out from the limits of the curves, without placing them one by one; as many as placing would place.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from core.config.model import Configuration
from core.costs import NO_DEVICES, Use
from core.curves import INFINITY, Constant, Curve, HardSoft, Linear, Piecewise
from core.fleet.fleet import Fleet
from core.placement.engine import reasons
from core.placement.engine.ledger import HostLine, Ledger
from core.placement.engine.request import Request
from core.placement.engine.tariff import Tariff
from core.placement.engine.verdicts import Refusal

_WHOLE = 2**53
"""Whole numbers below this are doubles without loss."""
_FAR_FROM_OVERFLOW = 1e300
_LARGEST_INPUT = float(2**63)
_MOST_STEPS = 100_000
"""VMs that are tried one by one where costs come near to what a double can hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostCapacity:
    """How many more VMs a host takes; None where nothing limits them. `stopped_by` is the reason against the next.

    `left` is what would be left then of each attribute that has a limit (its cost function's, or the number of its
    devices): what the other limits strand. Bytes for `memory`; empty where the host takes none because of its state.
    """

    host: str
    realm: str
    fits: int | None
    stopped_by: Refusal | None
    left: Mapping[str, int] = field(default_factory=lambda: NO_DEVICES)


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many more VMs of one request fit, host by host, by name."""

    request: Request
    hosts: tuple[HostCapacity, ...]

    @property
    def unbounded(self) -> bool:
        """Whether some host takes them without limit."""
        return any(host.fits is None for host in self.hosts)

    @property
    def total(self) -> int | None:
        """How many fit on all hosts together; None where nothing limits them."""
        return _total(self.hosts)

    def by_realm(self) -> dict[str, int | None]:
        """How many fit in each realm; None where nothing limits them."""
        realms = sorted({host.realm for host in self.hosts})
        return {realm: _total(tuple(host for host in self.hosts if host.realm == realm)) for realm in realms}


def _total(hosts: tuple[HostCapacity, ...]) -> int | None:
    total = 0
    for host in hosts:
        if host.fits is None:
            return None
        total += host.fits
    return total


def capacity(configuration: Configuration, fleet: Fleet, request: Request, *, ledger: Ledger | None = None) -> Capacity:
    """Count how many such VMs fit on the hosts of the request's realm, or of all. The fleet stays as it is."""
    ledger = Ledger(configuration, fleet) if ledger is None else ledger
    able = set(ledger.candidates(request))
    return Capacity(
        request,
        tuple(
            _on_host(ledger, line, request, may_take=host in able)
            for host, line in enumerate(ledger.hosts)
            if request.realm in (None, line.realm)
        ),
    )


def _on_host(ledger: Ledger, line: HostLine, request: Request, *, may_take: bool) -> HostCapacity:
    if line.refusals:
        return HostCapacity(host=line.name, realm=line.realm, fits=0, stopped_by=line.refusals[0])
    tariff = line.tariff
    if tariff is None:  # a host whose use is unknown has a reason by state
        raise AssertionError(line.name)
    fits = _fits(line, tariff, request) if may_take else 0
    if fits is None:
        return HostCapacity(host=line.name, realm=line.realm, fits=None, stopped_by=None)
    stopped_by = next(_against_next(ledger, line, tariff, request, fits), None)
    left = dict(left_over(line, tariff, request, fits))
    return HostCapacity(host=line.name, realm=line.realm, fits=fits, stopped_by=stopped_by, left=left)


def _fits(line: HostLine, tariff: Tariff, request: Request) -> int | None:
    most: int | None = None
    for kind, asked in request.devices.items():
        if kind not in tariff.kinds:
            return 0
        place = tariff.kinds.index(kind)
        free = (line.owned[place] - line.devices[place]) // asked
        most = free if most is None else min(most, free)
    for curve, start, step in _terms(line, tariff, request):
        steps = _steps(curve, start, step)
        if steps is not None:
            most = steps if most is None else min(most, steps)
    if _may_overflow(line, tariff, request, most):
        return _count(line, tariff, request, most)
    return most


def _terms(line: HostLine, tariff: Tariff, request: Request) -> Iterator[tuple[Curve, int, int]]:
    """Return each curve, its input now, and what one VM adds."""
    attributes = (
        (tariff.vms.curve, line.vms, 1),
        (tariff.vcpus.curve, line.vcpus, request.vcpus),
        (tariff.memory.curve, line.memory, request.memory_bytes),
        *(
            (table.curve, count, request.devices.get(kind, 0))
            for table, count, kind in zip(tariff.devices, line.devices, tariff.kinds, strict=True)
        ),
    )
    return ((curve, start, step) for curve, start, step in attributes if curve is not None)


def _steps(curve: Curve, start: int, step: int) -> int | None:
    """Count the steps from an input to the last finite one before the first infinite; None where all are finite."""
    if step == 0:
        return None if curve.cost(start) != INFINITY else 0
    taken = 0
    while curve.cost(point := start + (taken + 1) * step) != INFINITY:
        end = curve.finite_until(float(point))
        if end == INFINITY:
            return None
        taken = max(taken + 1, _steps_up_to(end, start, step))
    return taken


def _steps_up_to(end: float, start: int, step: int) -> int:
    """Count the steps whose input, as a double, is not past `end`."""
    sure = (math.floor(end) - start) // step
    if end < _WHOLE:
        return sure
    # Inputs a little past the end are rounded down to it.
    beyond = sure + math.ceil(math.ulp(end)) // step + 1
    while sure < beyond:
        middle = (sure + beyond + 1) // 2
        if float(start + middle * step) <= end:
            sure = middle
        else:
            beyond = middle - 1
    return sure


def _may_overflow(line: HostLine, tariff: Tariff, request: Request, most: int | None) -> bool:
    total = 0.0
    for curve, start, step in _terms(line, tariff, request):
        total += _bound(curve, _LARGEST_INPUT if most is None else float(start + (most + 1) * step))
    return not abs(tariff.scale) * total + abs(tariff.offset) < _FAR_FROM_OVERFLOW


def _bound(curve: Curve, x: float) -> float:
    """Return a bound of what a curve's finite costs, and what they are worked out from, come to up to an input."""
    match curve:
        case Constant():
            value = abs(curve.value)
        case Linear():
            value = abs(curve.slope) * x + abs(curve.base)
        case HardSoft():
            value = abs(curve.soft_amt) + abs(curve.hard_amt)
        case Piecewise():
            value = _bound(curve.low, x) + _bound(curve.high, x)
        case _:
            value = 0.0
    return value * max(1.0, abs(curve.scale))


def _count(line: HostLine, tariff: Tariff, request: Request, most: int | None) -> int | None:
    """Try them one by one; give up where they have no end."""
    for taken in range(_MOST_STEPS if most is None else min(most, _MOST_STEPS)):
        use = _use_with(line, tariff, request, taken + 1)
        if tariff.function.total(use) == INFINITY:
            return taken
    return most


def _use_with(line: HostLine, tariff: Tariff, request: Request, count: int) -> Use:
    devices = {kind: used for kind, used in zip(tariff.kinds, line.devices, strict=True) if used}
    for kind, asked in request.devices.items():
        devices[kind] = devices.get(kind, 0) + count * asked
    return Use(
        line.vms + count,
        line.vcpus + count * request.vcpus,
        line.memory + count * request.memory_bytes,
        devices or NO_DEVICES,
    )


def _against_next(ledger: Ledger, line: HostLine, tariff: Tariff, request: Request, fits: int) -> Iterator[Refusal]:
    """Return the reasons against one VM more than fit, as a verdict would."""
    for kind, asked in request.devices.items():
        place = tariff.kinds.index(kind) if kind in tariff.kinds else None
        owned = line.owned[place] if place is not None else 0
        free = owned - line.devices[place] - fits * asked if place is not None else 0
        if free < asked:
            yield reasons.no_free_device(kind, asked, free, owned)
    function = tariff.function
    yield from reasons.infinite_cost(function, function.cost(_use_with(line, tariff, request, fits + 1)))
    yield from reasons.by_pools(ledger.configuration.realms[line.realm], request, line.snapshot)


def left_over(line: HostLine, tariff: Tariff, request: Request, fits: int = 0) -> Iterator[tuple[str, int]]:
    """Return what is left of each attribute that has a limit once so many more VMs are on a host whose use is known."""
    for name, table, used in (
        ("vms", tariff.vms, line.vms + fits),
        ("vcpus", tariff.vcpus, line.vcpus + fits * request.vcpus),
        ("memory", tariff.memory, line.memory + fits * request.memory_bytes),
    ):
        if (limit := table.limit) is not None:
            yield name, max(0, limit - used)
    for place, kind in enumerate(tariff.kinds):
        used = line.devices[place] + fits * request.devices.get(kind, 0)
        limit = tariff.devices[place].limit
        owned = line.owned[place]
        yield f"devices.{kind}", max(0, (owned if limit is None else min(owned, limit)) - used)
