"""Where a curve is finite, to the last whole unit: bytes, vCPUs, VMs, devices."""

import math
from collections.abc import Iterator

from core.curves import INFINITY, Curve, HardSoft, Piecewise, Unavailable


def largest_finite_input(curve: Curve, least: int, most: int) -> int | None:
    """Largest whole input from `least` to `most` at which a curve is finite; None where there is none.

    A curve may be finite again beyond a stretch where it is not. A finite spot inside a stretch whose both ends
    overflow a double is not looked for.
    """
    if least > most:
        return None
    points = sorted(
        {least, most}
        | {
            point
            for bend in _bends(curve)
            for point in (math.floor(bend), math.floor(bend) + 1)
            if least < point < most
        }
    )
    high = points.pop()
    if curve.cost(high) != INFINITY:
        return high
    while points:
        low = points.pop()
        if curve.cost(low) != INFINITY:
            return _last_finite(curve, low, high)
        high = low
    return None


def _last_finite(curve: Curve, low: int, high: int) -> int:
    """Halve between a finite and an infinite input of one stretch, on which a curve is straight."""
    while high - low > 1:
        middle = (low + high) // 2
        if curve.cost(middle) == INFINITY:
            high = middle
        else:
            low = middle
    return low


def _bends(curve: Curve) -> Iterator[float]:
    """Return the inputs at which a curve may become finite or infinite, or change its slope."""
    if curve.max is not None:
        yield curve.max
    match curve:
        case HardSoft():
            yield curve.soft
            yield curve.hard
        case Unavailable():
            yield 0.0
        case Piecewise():
            yield curve.cutoff
            yield from _bends(curve.low)
            yield from _bends(curve.high)
        case _:
            return
