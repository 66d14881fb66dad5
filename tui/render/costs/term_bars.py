"""A host's cost by term, before and after placing, as bars with their numbers, and how they add up."""

import math
from collections.abc import Sequence

from core.curves import INFINITY
from tui.render.cells import cut, width_of
from tui.render.costs.exploration import Change, CloseUp
from tui.render.costs.refusals import short_name
from tui.render.figures import Unit, cost_text, decimals
from tui.render.ink import Ink, Line, Stroke
from tui.render.wrapping import cut_middle, wrapped

BEFORE_BAR = "█"
RISE_BAR = "▓"
FALL_BAR = "░"
INFINITE_BAR = "▒"

_LONGEST_NAME = 16
_LEAST_BAR = 6
_BAR_BESIDE_AMOUNTS = 10


def term_bars(close_up: CloseUp, remark: str, width: int, height: int) -> tuple[Line, ...]:
    """Draw the terms of a host's cost in `height` lines of `width` columns: what is there, and what placing adds.

    The remark stands below, each of its lines broken to the width, in the lines that are left.
    """
    if width <= 0 or height <= 0:
        return ()
    lines = _Bars(close_up, width, height).lines()
    if remark and len(lines) + 1 < height:
        if len(_remarks(remark, width, height)) < height - len(lines):
            lines.append(())
        lines += [(Stroke(line, Ink.QUIET),) for line in _remarks(remark, width, height - len(lines))]
    return tuple(_fit(line, width) for line in [*lines, *[()] * height][:height])


def _remarks(remark: str, width: int, height: int) -> list[str]:
    """Break the lines of a remark; where there is too little room for all, the longest are cut first."""
    paragraphs = remark.split("\n")[:height]
    needed = [len(wrapped(paragraph, width, height)) for paragraph in paragraphs]
    while sum(needed) > height:
        needed[needed.index(max(needed))] -= 1
    return [
        line for paragraph, lines in zip(paragraphs, needed, strict=True) for line in wrapped(paragraph, width, lines)
    ]


class _Bars:
    """One drawing: the widths that its lines share."""

    def __init__(self, close_up: CloseUp, width: int, height: int) -> None:
        self.close_up, self.width, self.height = close_up, width, height
        self.changes = [change for change in close_up.changes if change.curve is not None]
        names = [short_name(change.attribute) for change in self.changes]
        self.name_width = min(_LONGEST_NAME, max([width_of(name) for name in (*names, "offset")]))
        costs = [term.cost for change in self.changes for term in (change.before, change.after) if term is not None]
        self.digits = decimals([0.0, *(change.rise for change in self.changes if math.isfinite(change.rise))])
        self.largest = max((abs(cost) for cost in costs if cost != INFINITY), default=0.0)
        before, after = close_up.before, close_up.after
        totals = [cost.total for cost in (before, after) if cost is not None]
        self.number_width = max([len(cost_text(cost, self.digits)) for cost in (*costs, *totals)], default=1)
        rises = [change.rise for change in self.changes]
        if before is not None and after is not None and before.feasible and after.feasible:
            rises.append(after.total - before.total)
        self.rise_width = max([len(cost_text(rise, self.digits, signed=True)) for rise in rises], default=0)
        self.amounts = [_amounts(close_up, change) for change in self.changes]
        bar_width = width - (self.name_width + 2 + 2 + 2 * self.number_width + 3 + 2 + self.rise_width)
        amount_width = max([len(text) for text, _ in self.amounts], default=0) + 2
        self.amount_width = amount_width if bar_width - amount_width >= _BAR_BESIDE_AMOUNTS else 0
        """Columns for the inputs of the terms beside their costs; 0 where there is no room."""
        self.bar_width = bar_width - self.amount_width

    def lines(self) -> list[Line]:
        """Return a line for each term, then the sum."""
        if not self.close_up.changes:
            return [(Stroke("No cost function.", Ink.QUIET),)]
        if not self.changes:
            text = f"Cost function {self.close_up.function.id} has no curves." if self.close_up.function else ""
            return [(Stroke(text, Ink.QUIET),), *self._sum()]
        summed = self._sum()
        room = max(1, self.height - len(summed))
        shown = self.changes if len(self.changes) <= room else self.changes[: room - 1]
        lines = [self._term(change, amount) for change, amount in zip(shown, self.amounts, strict=False)]
        if len(shown) < len(self.changes):
            lines.append((Stroke(f"… and {len(self.changes) - len(shown)} more terms", Ink.QUIET),))
        if len(lines) + len(summed) < self.height and summed:
            lines.insert(0, self._heads())
        return [*lines, *summed]

    def _heads(self) -> Line:
        before, after = "● now", "○ after"
        bar = self.bar_width + 2 if self.bar_width >= _LEAST_BAR else 2
        end = self.name_width + 2 + bar + 2 * self.number_width + 3 + 2 + self.rise_width
        room = max(0, self.number_width - len(after))
        rise = " " * room + "rise".rjust(2 + self.rise_width)
        taken = len(before) + 3 + len(after) + len(rise)
        return (
            Stroke(" " * max(0, end - taken)),
            Stroke(before, Ink.BEFORE),
            Stroke(" → ", Ink.QUIET),
            Stroke(after, Ink.AFTER),
            Stroke(rise, Ink.QUIET),
        )

    def _term(self, change: Change, amount: tuple[str, Ink]) -> Line:
        name = _column(short_name(change.attribute), self.name_width)
        if change.before is None or change.after is None:
            return (Stroke(f"{name}  "), Stroke("use unknown", Ink.QUIET))
        before, after = change.before.cost, change.after.cost
        amounts = (Stroke(amount[0].rjust(self.amount_width), amount[1]),) if self.amount_width else ()
        return (Stroke(f"{name}  "), *self._bar(before, after), Stroke("  "), *self._numbers(before, after), *amounts)

    def _bar(self, before: float, after: float) -> Line:
        width = self.bar_width
        if width < _LEAST_BAR:
            return ()
        if INFINITY in (before, after):
            start = self._length(before) if before != INFINITY else 0
            start = min(start, width - _LEAST_BAR)
            return (Stroke(BEFORE_BAR * start, Ink.BEFORE), Stroke(INFINITE_BAR * (width - start), Ink.INFINITE))
        low, high = sorted((self._length(before), self._length(after)))
        rises = abs(after) >= abs(before)
        return (
            Stroke(BEFORE_BAR * low, Ink.BEFORE),
            Stroke((RISE_BAR if rises else FALL_BAR) * (high - low), Ink.AFTER),
            Stroke(" " * (width - high), Ink.BLANK),
        )

    def _length(self, cost: float) -> int:
        if not self.largest or not cost:
            return 0
        return max(1, round(abs(cost) / self.largest * self.bar_width))

    def _numbers(self, before: float, after: float) -> Line:
        width = self.number_width
        strokes = [
            Stroke(
                cost_text(before, self.digits).rjust(width), Ink.INFINITE_LABEL if before == INFINITY else Ink.PLAIN
            ),
            Stroke(" → ", Ink.QUIET),
            Stroke(cost_text(after, self.digits).rjust(width), Ink.INFINITE_LABEL if after == INFINITY else Ink.PLAIN),
        ]
        rise = "" if INFINITY in (before, after) else cost_text(after - before, self.digits, signed=True)
        ink = Ink.QUIET if after == before else Ink.AFTER
        return (*strokes, Stroke("  " + rise.rjust(self.rise_width), ink))

    def _sum(self) -> list[Line]:
        before, after = self.close_up.before, self.close_up.after
        if before is None or after is None:
            return []
        name = self.name_width
        indent = Stroke(" " * (max(0, self.bar_width) + 2 if self.bar_width >= _LEAST_BAR else 2))
        factors: list[Line] = []
        if after.scale != 1.0:
            factors.append((Stroke(f"{_column('scale', name)}  \N{MULTIPLICATION SIGN} {cost_text(after.scale, 2)}"),))
        if after.offset != 0.0:
            factors.append((Stroke(f"{_column('offset', name)}  {cost_text(after.offset, 1, signed=True)}"),))
        total = (Stroke(_column("cost", name + 2), Ink.STRONG), indent, *self._numbers(before.total, after.total))
        return [*factors, total]


def _amounts(close_up: CloseUp, change: Change) -> tuple[str, Ink]:
    """Write a term's inputs: `96 → 104 of 128`; what the host doesn't have is overcommit and stands out."""
    if change.before is None or change.after is None:
        return "", Ink.QUIET
    before, after = change.before.input, change.after.input
    capacity = close_up.capacity(change.attribute)
    if not (before or after or capacity):
        return "none", Ink.QUIET
    unit = Unit.of(change.attribute, max(float(after), capacity or 0.0))
    text = unit.show(before) if before == after else f"{unit.show(before)} → {unit.show(after)}"
    if capacity is not None:
        text += f" of {unit.show(capacity)}"
    text += f" {unit.label}" if unit.label else ""
    over = capacity is not None and after > capacity
    return (f"{text} overcommitted", Ink.CUT) if over else (text, Ink.QUIET)


def _column(text: str, width: int) -> str:
    shown = cut_middle(text, width)
    return shown + " " * (width - width_of(shown))


def _fit(line: Sequence[Stroke], width: int) -> Line:
    """Make a line exactly `width` columns wide, an ellipsis at its end where it is cut."""
    fitted: list[Stroke] = []
    room = width
    for stroke in line:
        taken = width_of(stroke.text)
        if taken > room:
            fitted.append(Stroke(shortened := cut(stroke.text, room), stroke.ink))
            room -= width_of(shortened)
            break
        fitted.append(stroke)
        room -= taken
    if room > 0:
        fitted.append(Stroke(" " * room, Ink.BLANK))
    return tuple(stroke for stroke in fitted if stroke.text)
