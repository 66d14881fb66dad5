"""The six curves (specification, section 3): from one attribute of a host's use to a cost.

Inputs are doubles: numbers of VMs, vCPUs or devices, or bytes; never negative. A cost is finite or plus infinity,
never NaN: what overflows in either direction is infinity, and infinity stays infinity under any scale.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

INFINITY = math.inf


def as_cost(value: float) -> float:
    """Make of a computed number a cost: overflow of either sign (and what comes of it) is infinity."""
    return value + 0.0 if math.isfinite(value) else INFINITY


@dataclass(frozen=True, slots=True, kw_only=True)
class _Curve:
    """What all curves share: `scale` multiplies a finite result, an input greater than `max` costs infinity."""

    scale: float = 1.0
    max: float | None = None

    def cost(self, amount: float) -> float:
        """Cost of using `amount` of the attribute; infinity where it can't be used that far."""
        x = float(amount)
        if self.max is not None and x > self.max:
            return INFINITY
        value = as_cost(self._shape(x))
        return value if value == INFINITY else as_cost(value * self.scale)

    def limit(self) -> float | None:
        """Largest input of finite cost; infinity where there is none, None where no single limit exists.

        None means that nothing is finite from 0 on, or that finite and infinite inputs alternate. Overflow of a
        computed cost is no limit.
        """
        if self.cost(0.0) == INFINITY:
            return None
        end = self.finite_until(0.0)
        return end if end == INFINITY or self.infinite_beyond(end) else None

    def finite_until(self, start: float) -> float:
        """End of the finite stretch that begins just after `start`; `start` itself where there is none."""
        end = self._finite_until(start)
        return end if self.max is None else min(end, max(self.max, start))

    def infinite_beyond(self, start: float) -> bool:
        """Return whether every input greater than `start` costs infinity."""
        return (self.max is not None and self.max <= start) or self._infinite_beyond(start)

    def _shape(self, x: float) -> float:
        raise NotImplementedError

    def _finite_until(self, start: float) -> float:  # noqa: ARG002 - overridden where a shape has an end
        return INFINITY

    def _infinite_beyond(self, start: float) -> bool:
        return self._finite_until(start) <= start


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant(_Curve):
    """The same cost at every input."""

    value: float

    def _shape(self, x: float) -> float:  # noqa: ARG002 - a constant does not look at its input
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Invalid(_Curve):
    """Infinite at every input: prevents scheduling; mostly the far side of a piecewise curve."""

    def _shape(self, x: float) -> float:  # noqa: ARG002 - as above
        return INFINITY

    def _finite_until(self, start: float) -> float:
        return start


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear(_Curve):
    """slope times input plus base."""

    slope: float
    base: float

    def _shape(self, x: float) -> float:
        return self.slope * x + self.base


@dataclass(frozen=True, slots=True, kw_only=True)
class HardSoft(_Curve):
    """Straight from (0, 0) to (soft, soft_amt), steeper from there to (hard, hard_amt), infinite beyond.

    `soft` > 0 and `hard` >= `soft`; equal limits leave no second stretch. Aliases: hard-soft, soft-hard.
    """

    soft: float
    hard: float
    soft_amt: float = 1.0
    hard_amt: float = 10.0

    def _shape(self, x: float) -> float:
        if x <= self.soft:
            return self.soft_amt * (x / self.soft)
        if x > self.hard:
            return INFINITY
        # Weighing both ends is exact at each of them and can't overflow between them.
        t = (x - self.soft) / (self.hard - self.soft)
        return self.soft_amt * (1.0 - t) + self.hard_amt * t

    def _finite_until(self, start: float) -> float:
        return max(start, self.hard)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable(_Curve):
    """Free while nothing is used, infinite from the first unit on: the default of device types without a curve."""

    def _shape(self, x: float) -> float:
        return 0.0 if x <= 0 else INFINITY

    def _finite_until(self, start: float) -> float:
        return max(start, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piecewise(_Curve):
    """`low` up to and including the cutoff, `high` beyond. Aliases: piecewise, low-high, high-low."""

    cutoff: float
    low: Curve
    high: Curve

    def _shape(self, x: float) -> float:
        return self.low.cost(x) if x <= self.cutoff else self.high.cost(x)

    def _finite_until(self, start: float) -> float:
        if start < self.cutoff:
            end = min(self.low.finite_until(start), self.cutoff)
            if end < self.cutoff:
                return end
        return self.high.finite_until(max(start, self.cutoff))

    def _infinite_beyond(self, start: float) -> bool:
        low_is_over = self.cutoff <= start or self.low.infinite_beyond(start)
        return low_is_over and self.high.infinite_beyond(max(start, self.cutoff))


Curve = Constant | Invalid | Linear | HardSoft | Unavailable | Piecewise

CURVE_NAMES: dict[str, type[Curve]] = {
    "constant": Constant,
    "invalid": Invalid,
    "linear": Linear,
    "hard-soft": HardSoft,
    "soft-hard": HardSoft,
    "unavailable": Unavailable,
    "piecewise": Piecewise,
    "low-high": Piecewise,
    "high-low": Piecewise,
}
"""Every name that `curve:` takes; the first name of a type is its canonical one."""

PARAMETERS: dict[str, str] = {
    "value": "value", "slope": "slope", "base": "base", "soft": "soft", "hard": "hard", "softAmt": "soft_amt",
    "hardAmt": "hard_amt", "cutoff": "cutoff", "low": "low", "high": "high", "scale": "scale", "max": "max",
}  # fmt: skip
"""A curve's parameters as the configuration spells them, and the attributes that hold them."""


def curve_name(curve: Curve) -> str:
    """Name a curve by the first of its aliases."""
    return next(name for name, kind in CURVE_NAMES.items() if kind is type(curve))


def as_mapping(curve: Curve) -> dict[str, object]:
    """Return a curve as the configuration would spell it out, every default filled in (`max` None: no maximum)."""
    spelled: dict[str, object] = {"curve": curve_name(curve)}
    for parameter, attribute in PARAMETERS.items():
        if hasattr(curve, attribute):
            value = getattr(curve, attribute)
            spelled[parameter] = as_mapping(value) if isinstance(value, _Curve) else value  # type: ignore[arg-type]
    return spelled


def format_curve(curve: Curve) -> str:
    """Write a curve in HOCON, on one line; reading it again gives an equal curve."""
    parts = [f"curve: {curve_name(curve)}"]
    defaults = {"scale": 1.0, "max": None, "soft_amt": 1.0, "hard_amt": 10.0}
    for parameter, attribute in PARAMETERS.items():
        if not hasattr(curve, attribute):
            continue
        value = getattr(curve, attribute)
        if attribute in defaults and value == defaults[attribute]:
            continue
        parts.append(f"{parameter}: {format_curve(value) if isinstance(value, _Curve) else repr(value)}")  # type: ignore[arg-type]
    return "{ " + ", ".join(parts) + " }"
