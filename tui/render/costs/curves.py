"""A curve as geometry: where its shape changes, over which inputs to look at it, and its values there.

Between two neighbouring landmarks every curve is a straight line or infinite, and a landmark belongs to the stretch
that it ends. So sampling just after each landmark and at the next one shows steps as steps.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import assert_never

from core.curves import INFINITY, Constant, Curve, HardSoft, Invalid, Linear, Piecewise, Unavailable

_FAR = 100.0
"""A limit so many times further than use and capacity is left off the picture."""

_MARGIN = 1.08
_MARGIN_TO_INFINITY = 1.25
"""What is shown past the last landmark; more where an infinite stretch follows it and needs room for its label."""


@dataclass(frozen=True, slots=True)
class Landmark:
    """An input at which a curve changes, and the name of the parameter that says so."""

    at: float
    name: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A curve's cost at one input; infinity where it can't be used that far."""

    at: float
    cost: float


def landmarks(curve: Curve, after: float = 0.0, until: float = INFINITY) -> tuple[Landmark, ...]:
    """Return the inputs above `after`, up to `until`, at which a curve changes; in order, each place once.

    Parameters that never take effect, such as a `hard` beyond the cutoff, are left out.
    """
    found: dict[float, Landmark] = {}
    for landmark in _landmarks(curve, after, until):
        if curve.cost(landmark.at) != INFINITY or curve.cost(math.nextafter(landmark.at, INFINITY)) != INFINITY:
            found.setdefault(landmark.at, landmark)
    return tuple(sorted(found.values(), key=lambda landmark: landmark.at))


def _landmarks(curve: Curve, after: float, until: float) -> Iterator[Landmark]:
    if curve.max is not None and curve.max < until:
        if curve.max > after:
            yield Landmark(curve.max, "max")
        until = curve.max
    match curve:
        case HardSoft():
            if after < curve.hard <= until:
                yield Landmark(curve.hard, "hard")
            if after < curve.soft <= until:
                yield Landmark(curve.soft, "soft")
        case Piecewise():
            if after < curve.cutoff < until:
                yield Landmark(curve.cutoff, "cutoff")
            yield from _landmarks(curve.low, after, min(until, curve.cutoff))
            yield from _landmarks(curve.high, max(after, curve.cutoff), until)
        case Constant() | Invalid() | Linear() | Unavailable():
            return
        case _:
            assert_never(curve)


def x_range(curve: Curve, used: Iterable[float], capacity: float | None) -> float:
    """Choose the largest input to show: somewhat past the limits, the host's capacity and the use.

    Limits that lie absurdly far out are left off: they would press everything else into one column.
    """
    near = max([amount for amount in (*used, capacity or 0.0) if math.isfinite(amount)], default=0.0)
    near = max(near, 1.0)
    limits = [landmark.at for landmark in landmarks(curve) if landmark.at <= near * _FAR]
    last = max([near, *limits])
    ends = curve.cost(last * _MARGIN_TO_INFINITY) == INFINITY
    return last * (_MARGIN_TO_INFINITY if ends else _MARGIN)


def stretches(curve: Curve, end: float, inputs: Sequence[float] = ()) -> tuple[tuple[Sample, ...], ...]:
    """Sample a curve from 0 to `end` in stretches without a jump, each in order of inputs.

    The first stretch is the single input 0. `inputs` (sorted) are sampled besides the ends of each stretch. A stretch
    may turn infinite on its way only where its values overflow.
    """
    edges = [0.0, *(landmark.at for landmark in landmarks(curve) if landmark.at < end), end]
    sampled: list[tuple[Sample, ...]] = [(Sample(0.0, curve.cost(0.0)),)]
    position = 0
    for start, stop in pairwise(edges):
        xs = [math.nextafter(start, INFINITY)]
        while position < len(inputs) and inputs[position] < stop:
            if inputs[position] > xs[0]:
                xs.append(inputs[position])
            position += 1
        if stop > xs[-1]:
            xs.append(stop)
        sampled.append(tuple(Sample(x, curve.cost(x)) for x in xs))
    return tuple(sampled)
