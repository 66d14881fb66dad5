"""Cost functions on arrays: the same doubles as one by one, for all hosts at once.

NumPy's arithmetic on doubles rounds each operation as Python's does, so the same operations in the same order give the
same bits. Only infinity is settled later: what is not finite stays so through every following operation, and becomes
infinity at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.curves import INFINITY, Constant, Curve, HardSoft, Invalid, Linear, Piecewise, Unavailable
from core.placement.engine.tariff import Tariff

Doubles: TypeAlias = "NDArray[np.float64]"


def curve_costs(curve: Curve | None, x: Doubles) -> Doubles | float:
    """Return a curve's costs at these inputs, not settled; one number where all are the same."""
    if curve is None:
        return 0.0
    value = _shape(curve, x)
    if curve.scale != 1.0:
        value = value * curve.scale
    if curve.max is not None:
        value = np.where(x > curve.max, INFINITY, value)
    return value


def _shape(curve: Curve, x: Doubles) -> Doubles | float:
    match curve:
        case Constant():
            return curve.value
        case Invalid():
            return INFINITY
        case Linear():
            return curve.slope * x + curve.base
        case HardSoft():
            return _hard_soft(curve, x)
        case Unavailable():
            return np.where(x <= 0, 0.0, INFINITY)
        case Piecewise():
            return np.where(x <= curve.cutoff, curve_costs(curve.low, x), curve_costs(curve.high, x))


def _hard_soft(curve: HardSoft, x: Doubles) -> Doubles:
    low = curve.soft_amt * (x / curve.soft)
    largest = x.max(initial=0.0)
    if largest <= curve.soft:
        return low
    if curve.hard == curve.soft:  # no second stretch
        return np.where(x <= curve.soft, low, INFINITY)
    t = (x - curve.soft) / (curve.hard - curve.soft)
    value = np.where(x <= curve.soft, low, curve.soft_amt * (1.0 - t) + curve.hard_amt * t)
    return value if largest <= curve.hard else np.where(x > curve.hard, INFINITY, value)


def term_costs(
    tariff: Tariff, vms: Doubles, vcpus: Doubles, memory: Doubles, devices: Sequence[Doubles]
) -> dict[str, Doubles | float]:
    """Return every term of the cost, by attribute, in the order in which they are added; not settled."""
    terms = {
        "vms": curve_costs(tariff.vms.curve, vms),
        "vcpus": curve_costs(tariff.vcpus.curve, vcpus),
        "memory": curve_costs(tariff.memory.curve, memory),
    }
    for kind, table, count in zip(tariff.kinds, tariff.devices, devices, strict=True):
        terms[f"devices.{kind}"] = curve_costs(table.curve, count)
    return terms


def total_costs(tariff: Tariff, terms: dict[str, Doubles | float], shape: tuple[int, ...]) -> Doubles:
    """Add terms up to costs of hosts, settled."""
    total: Doubles | float = 0.0
    for cost in terms.values():
        total = total + cost
    if tariff.scale != 1.0 or tariff.offset != 0.0:
        total = total * tariff.scale + tariff.offset
    array = np.broadcast_to(np.asarray(total, dtype=np.float64), shape)
    return np.where(np.isfinite(array), array + 0.0, INFINITY)
