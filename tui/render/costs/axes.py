"""Axes of a plot: a scale of costs with few round ticks, and labels set beside one another under the inputs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.curves import INFINITY
from tui.render.canvas import DOTS_DOWN
from tui.render.figures import tick
from tui.render.ink import Ink, Line, Stroke

_OUT_OF_PROPORTION = 100.0
"""A cost so many times the next smaller one is cut off, unless the use lies there."""

_ABOVE_CUT = 1.25
_ROWS_PER_TICK = 3
_NOTHING = 1e-300
"""Costs smaller than this are drawn as 0: their ratios would not be exact any more."""


@dataclass(frozen=True, slots=True)
class ValueAxis:
    """A scale of costs from `low` to `high` over a number of rows; 0 is always on it.

    Costs are kept as they are, and divided by `power` before they are compared, so that none overflows.
    """

    low: float
    high: float
    power: float
    rows: int
    ticks: tuple[tuple[float, str], ...]

    @classmethod
    def spanning(cls, extents: Sequence[tuple[float, float]], marked: Iterable[float], rows: int) -> ValueAxis:
        """Make the scale for stretches with these lowest and highest costs, all finite.

        A stretch that is out of proportion to all others is cut, except for costs that are `marked`.
        """
        marked = [cost for cost in marked if cost != INFINITY]
        peaks = [max(low, high, key=abs) for low, high in extents]
        ceiling = _ceiling([*peaks, *marked], max((abs(cost) for cost in marked), default=0.0))
        finite = [cost for extent in extents for cost in extent] + marked
        low = min([0.0, *(max(cost, -ceiling) for cost in finite)])
        high = max([0.0, *(min(cost, ceiling) for cost in finite)])
        largest = max(high, -low)
        if largest < _NOTHING:
            return cls(0.0, 1.0, 1.0, rows, ((0.0, "0"),) if finite else ())
        power = 10.0 ** math.floor(math.log10(largest))
        return cls(low, high, power, rows, _ticks(low / power, high / power, power, rows))

    def fraction(self, cost: float) -> float:
        """Where a cost lies between `low` (0) and `high` (1); outside of both for what is cut off."""
        low = self.low / self.power
        return (cost / self.power - low) / (self.high / self.power - low)

    def row(self, cost: float) -> int | None:
        """Row of the dot that a curve sets for a cost, counted from the top; None where it is cut off."""
        fraction = self.fraction(cost)
        if not 0.0 <= fraction <= 1.0:
            return None
        return round((1.0 - fraction) * (self.rows * DOTS_DOWN - 1)) // DOTS_DOWN

    def show(self, cost: float) -> str:
        """Write a cost as the ticks are written."""
        return tick(cost)


def _ceiling(finite: Iterable[float], marked: float) -> float:
    levels = sorted({abs(cost) for cost in finite if abs(cost) >= _NOTHING})
    ceiling = INFINITY
    while len(levels) > 1 and levels[-1] > marked and levels[-1] / levels[-2] > _OUT_OF_PROPORTION:
        levels.pop()
        ceiling = levels[-1] * _ABOVE_CUT
    return ceiling


def _ticks(low: float, high: float, power: float, rows: int) -> tuple[tuple[float, str], ...]:
    """Return multiples of a round step between two costs, given in units of `power`: 0 and at least one more."""
    wanted = max(1, (rows - 1) // _ROWS_PER_TICK)
    rough = (high - low) / wanted
    magnitude = 10.0 ** math.floor(math.log10(rough))
    steps = [step * magnitude for step in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)]
    step = next(step for step in steps if step >= rough * 0.999)
    if step > max(high, -low):
        step = max(step for step in steps if step <= max(high, -low))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    values = [min(high, max(low, multiple * step)) * power for multiple in range(first, last + 1)]
    return tuple((value, tick(value)) for value in values)


@dataclass(frozen=True, slots=True)
class AxisLabel:
    """A text that belongs under a column."""

    column: int
    text: str
    ink: Ink


def place_labels(labels: Sequence[tuple[AxisLabel, Sequence[int]]], rows: int, width: int) -> tuple[Line, ...]:
    """Set labels on lines of `width` characters, each as near its column as the more important ones allow.

    They come in order of importance, each with the rows that it may stand on, the best first. Labels of one row keep
    the order of their columns; one that finds no room is left out.
    """
    placed: list[list[tuple[int, AxisLabel]]] = [[] for _ in range(rows)]
    for label, choices in labels:
        for row in choices:
            start = _nearest_room(label, placed[row], width)
            if start is not None:
                placed[row].append((start, label))
                break
    return tuple(_set(row, width) for row in placed)


def _set(placed: Sequence[tuple[int, AxisLabel]], width: int) -> Line:
    line: list[Stroke] = []
    position = 0
    for start, label in sorted(placed, key=lambda item: item[0]):
        line += [Stroke(" " * (start - position), Ink.BLANK), Stroke(label.text, label.ink)]
        position = start + len(label.text)
    line.append(Stroke(" " * (width - position), Ink.BLANK))
    return tuple(piece for piece in line if piece.text)


def _nearest_room(label: AxisLabel, placed: Sequence[tuple[int, AxisLabel]], width: int) -> int | None:
    length = len(label.text)
    low, high = 0, width - length
    for start, other in placed:
        if other.column <= label.column:
            low = max(low, start + len(other.text) + 2)
        else:
            high = min(high, start - length - 2)
    if low > high:
        return None
    start = min(high, max(low, label.column - length // 2))
    return start if start - length <= label.column <= start + 2 * length else None
