"""Draws a curve of a cost function in characters, honestly: steps as steps, infinity as a labelled band.

Pure: gives lines of strokes, each with an ink that a widget turns into a colour.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from core.curves import INFINITY, Curve
from tui.render.canvas import DOTS_ACROSS, DOTS_DOWN, Canvas
from tui.render.costs.axes import AxisLabel, ValueAxis, place_labels
from tui.render.costs.curves import Landmark, Sample, landmarks, stretches, x_range
from tui.render.figures import Unit, tick
from tui.render.ink import Ink, Line, Stroke

MARK_BEFORE = "●"
MARK_AFTER = "○"
MARK_BOTH = "◉"
SHADE = "▒"

_WAS_EVERY = 2
"""The curve before a what-if's changes is broken: one column in so many."""

_STEP_DOTS = 3
"""A jump is drawn as a dotted riser, one dot in so many."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What is marked on a curve, in inputs: the use before and after placing, what the host has.

    None: not known or not to be shown.
    """

    before: float | None = None
    after: float | None = None
    capacity: float | None = None

    @property
    def used(self) -> tuple[float, ...]:
        """The uses that are known."""
        return tuple(amount for amount in (self.before, self.after) if amount is not None)


class _Field:
    """Characters with inks, to be overwritten from the background to the foreground."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self._cells = [[(" ", Ink.BLANK)] * columns for _ in range(rows)]

    def put(self, column: int, row: int, character: str, ink: Ink) -> None:
        if 0 <= row < self.rows and 0 <= column < self.columns:
            self._cells[row][column] = (character, ink)

    def write(self, column: int, row: int, text: str, ink: Ink) -> None:
        for offset, character in enumerate(text):
            self.put(column + offset, row, character, ink)

    def is_blank(self, column: int, row: int) -> bool:
        return self._cells[row][column][1] is Ink.BLANK

    def runs_of_shade(self, row: int, start: int, stop: int) -> Iterator[range]:
        """Return runs of shaded columns between two columns of a row."""
        for is_shade, run in groupby(
            range(start, stop), key=lambda column: self._cells[row][column][1] is Ink.INFINITE
        ):
            columns = list(run)
            if is_shade:
                yield range(columns[0], columns[-1] + 1)

    def line(self, row: int) -> Line:
        return tuple(
            Stroke("".join(character for character, _ in group), ink)
            for ink, group in groupby(self._cells[row], key=lambda cell: cell[1])
        )


def plot(
    curve: Curve, marks: Marks, width: int, height: int, unit: Unit = Unit.COUNT, *, was: Curve | None = None
) -> tuple[Line, ...]:
    """Draw a curve with its limits and the use before (●) and after (○), `height` lines of `width` characters.

    Inputs go from 0 to somewhat past the limits, the capacity and the use. Costs are cut where single values are out
    of all proportion to the rest (↑, with the maximum stated); what is infinite is shaded. `was` is the curve that a
    what-if has changed: broken, and behind the other one.
    """
    if width <= 0 or height <= 0:
        return ()
    return _Plot(curve, marks, width, height, unit, was).lines()


class _Plot:
    """One drawing: the sizes and scales that its steps share."""

    def __init__(  # noqa: PLR0917 - private: what `plot` is given, in its order
        self, curve: Curve, marks: Marks, width: int, height: int, unit: Unit, was: Curve | None
    ) -> None:
        self.curve, self.marks, self.unit, self.was = curve, marks, unit, was
        self.width, self.height = width, height
        self.label_rows = 2 if height >= 7 else 1 if height >= 5 else 0
        self.rows = max(1, height - self.label_rows - (1 if height >= 3 else 0))
        curves = [curve] if was is None else [curve, was]
        self.end = max(x_range(each, marks.used, marks.capacity) for each in curves)
        rough = [self.end * step / width for step in range(1, width)]
        extents = [
            extent
            for each in curves
            for stretch in stretches(each, self.end, rough)
            if (extent := _extent(stretch)) is not None
        ]
        marked = [curve.cost(amount) for amount in marks.used]
        self.axis = ValueAxis.spanning(extents, marked, self.rows)
        self.gutter = self._gutter_width()
        self.columns = width - self.gutter
        self.field = _Field(self.columns, self.rows)
        dots = self.columns * DOTS_ACROSS
        self.grid = [self.end * dot / max(1, dots - 1) for dot in range(dots)]
        self.samples = stretches(curve, self.end, self.grid)

    def _gutter_width(self) -> int:
        gutter = max((len(text) for _, text in self.axis.ticks), default=0) + 2
        return gutter if self.width >= gutter + 10 else 0

    def column(self, amount: float) -> int:
        """Column of an input."""
        return min(self.columns - 1, max(0, round(self._dot(amount)) // DOTS_ACROSS))

    def _dot(self, amount: float) -> float:
        return amount / self.end * (self.columns * DOTS_ACROSS - 1)

    def limits(self) -> tuple[Landmark, ...]:
        """Everything that stands on the axis of inputs."""
        limits = [landmark for landmark in landmarks(self.curve) if landmark.at <= self.end]
        capacity = self.marks.capacity
        if capacity is not None and 0 < capacity <= self.end:
            same = next((index for index, limit in enumerate(limits) if limit.at == capacity), None)
            if same is None:
                limits.append(Landmark(capacity, "host"))
            else:
                limits[same] = Landmark(capacity, f"{limits[same].name} = host")
        return tuple(limits)

    def lines(self) -> tuple[Line, ...]:
        """Draw everything, from the background to the foreground."""
        self._shade()
        self._limit_lines()
        if self.was is not None:
            self._curve(stretches(self.was, self.end, self.grid), Ink.WAS, every=_WAS_EVERY)
        self._curve(self.samples, Ink.CURVE)
        self._label_bands()
        self._say_what_is_cut()
        self._mark_use()
        lines = [(*self._gutter(row), *self.field.line(row)) for row in range(self.rows)]
        if self.height >= 3:
            lines.append(self._inputs_axis())
        lines.extend(self._labels())
        blank = (Stroke(" " * self.width, Ink.BLANK),)
        return tuple((lines + [blank] * self.height)[: self.height])

    def _bands(self) -> Iterator[tuple[int, int]]:
        """Return runs of columns, first and one past the last, over whose whole width the cost is infinite."""
        infinite = [self.curve.cost(amount) == INFINITY for amount in self.grid]
        whole = [all(infinite[column * DOTS_ACROSS : (column + 1) * DOTS_ACROSS]) for column in range(self.columns)]
        start = 0
        for is_infinite, run in groupby(whole):
            stop = start + len(list(run))
            if is_infinite:
                yield start, stop
            start = stop

    def _shade(self) -> None:
        for start, stop in self._bands():
            for row in range(self.rows):
                self.field.write(start, row, SHADE * (stop - start), Ink.INFINITE)

    def _label_bands(self) -> None:
        """Write "infinite" into the longest shaded run of each band, in its middle row."""
        row = self.rows // 2
        for start, stop in self._bands():
            run = max(self.field.runs_of_shade(row, start, stop), key=len, default=range(0))
            text = next((label for label in (" infinite ", "infinite", " ∞ ", "∞") if len(label) <= len(run)), "")
            self.field.write(run.start + (len(run) - len(text)) // 2, row, text, Ink.INFINITE_LABEL)

    def _limit_lines(self) -> None:
        for limit in self.limits():
            for row in range(self.rows):
                self.field.put(self.column(limit.at), row, "┊", Ink.LIMIT)
        if (zero := self.axis.row(0.0)) is not None and self.axis.low < 0:
            for column in range(self.columns):
                if self.field.is_blank(column, zero):
                    self.field.put(column, zero, "┄", Ink.AXIS)

    def _curve(self, stretched: Sequence[Sequence[Sample]], ink: Ink, *, every: int = 1) -> None:
        canvas = Canvas(self.columns, self.rows)
        last: Sample | None = None
        for stretch in stretched:
            if last is not None:
                self._riser(canvas, last, stretch[0])
            for sample in stretch:
                if sample.cost != INFINITY:
                    canvas.line(self._point(sample), self._point(sample))
            for left, right in pairwise(stretch):
                if INFINITY not in (left.cost, right.cost):
                    canvas.line(self._point(left), self._point(right))
            last = stretch[-1]
        for row in range(self.rows):
            for column in range(0, self.columns, every):
                if (character := canvas.cell(column, row)) != " ":
                    self.field.put(column, row, character, ink)

    def _riser(self, canvas: Canvas, left: Sample, right: Sample) -> None:
        if INFINITY not in (left.cost, right.cost) and left.cost != right.cost:
            canvas.line(self._point(left), self._point(right), every=_STEP_DOTS)

    def _point(self, sample: Sample) -> tuple[float, float]:
        depth = self.rows * DOTS_DOWN - 1
        down = (1.0 - self.axis.fraction(sample.cost)) * depth
        return self._dot(sample.at), min(2.0 * depth + 8, max(-depth - 8.0, down))

    def _say_what_is_cut(self) -> None:
        highest = lowest = 0.0
        for sample in (sample for stretch in self.samples for sample in stretch if sample.cost != INFINITY):
            column = self.column(sample.at)
            if sample.cost > self.axis.high:
                highest = max(highest, sample.cost)
                self._arrow(column, 0, "↑")
            elif sample.cost < self.axis.low:
                lowest = min(lowest, sample.cost)
                self._arrow(column, self.rows - 1, "↓")
        if highest:
            self._remark(f"↑ cut at {self.axis.show(self.axis.high)}: goes to {tick(highest)}", 0)
        if lowest:
            self._remark(f"↓ cut at {self.axis.show(self.axis.low)}: goes to {tick(lowest)}", self.rows - 1)

    def _arrow(self, column: int, row: int, character: str) -> None:
        if self.field.is_blank(column, row):
            self.field.put(column, row, character, Ink.CUT)

    def _remark(self, text: str, row: int) -> None:
        """Write a remark where the row has room for it, or leave it out: the arrows stay."""
        for start in range(1, self.columns - len(text)):
            if all(self.field.is_blank(start + offset, row) for offset in range(-1, len(text) + 1)):
                self.field.write(start, row, text, Ink.CUT)
                return

    def _mark_use(self) -> None:
        places = []
        for amount, character, ink in (
            (self.marks.before, MARK_BEFORE, Ink.BEFORE),
            (self.marks.after, MARK_AFTER, Ink.AFTER),
        ):
            if amount is not None:
                place = (self.column(amount), self._row(self.curve.cost(amount)))
                self.field.put(*place, MARK_BOTH if place in places else character, ink)
                places.append(place)

    def _row(self, cost: float) -> int:
        if cost == INFINITY:
            return 0
        row = self.axis.row(cost)
        return row if row is not None else 0 if cost > 0 else self.rows - 1

    def _gutter(self, row: int) -> Line:
        if not self.gutter:
            return ()
        text = next((text for value, text in self.axis.ticks if self.axis.row(value) == row), None)
        if text is None:
            return (Stroke(" " * (self.gutter - 1) + "│", Ink.AXIS),)
        return (Stroke(text.rjust(self.gutter - 2) + " ", Ink.TICK), Stroke("┤", Ink.AXIS))

    def _inputs_axis(self) -> Line:
        axis = ["─"] * self.columns
        for limit in self.limits():
            axis[self.column(limit.at)] = "┴"
        for amount in self.marks.used:
            axis[self.column(amount)] = "┬"
        corner = " " * (self.gutter - 1) + "└" if self.gutter else ""
        return (Stroke(corner + "".join(axis), Ink.AXIS),)

    def _labels(self) -> tuple[Line, ...]:
        rows = range(self.label_rows)
        labels: list[tuple[AxisLabel, Sequence[int]]] = []
        if (use := self._use_label()) is not None:
            labels.append((use, rows))
        for limit in sorted(self.limits(), key=_importance):
            text = f"{limit.name} {self.unit.show(limit.at)}"
            labels.append((AxisLabel(self.gutter + self.column(limit.at), text, Ink.TICK), rows[::-1]))
        return place_labels(labels, self.label_rows, self.width)

    def _use_label(self) -> AxisLabel | None:
        before, after = self.marks.before, self.marks.after
        if not self.marks.used:
            return None
        if before == after and after is not None:
            parts = [f"{MARK_BOTH} {self.unit.show(after)}"]
        else:
            marked = ((MARK_BEFORE, before), (MARK_AFTER, after))
            parts = [f"{mark} {self.unit.show(amount)}" for mark, amount in marked if amount is not None]
        text = " → ".join(parts) + (f" {self.unit.label}" if self.unit.label else "")
        middle = math.fsum(self.column(amount) for amount in self.marks.used) / len(self.marks.used)
        return AxisLabel(self.gutter + round(middle), text, Ink.AFTER)


def _extent(stretch: Sequence[Sample]) -> tuple[float, float] | None:
    """Return the lowest and highest finite cost of a stretch, where it has one."""
    finite = [sample.cost for sample in stretch if sample.cost != INFINITY]
    return (min(finite), max(finite)) if finite else None


def _importance(limit: Landmark) -> int:
    order = ("hard", "max", "soft", "cutoff", "host")
    return next(rank for rank, name in enumerate(order) if limit.name.startswith(name))
