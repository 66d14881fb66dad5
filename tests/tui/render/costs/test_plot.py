"""Curves drawn in characters: exact sizes, honest steps, and infinity where the cost is infinite."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.curves import INFINITY, Constant, Curve, HardSoft, Invalid, Linear, Piecewise
from tests.curve_strategies import EXTREME_CURVES, INPUTS
from tui.render.canvas import Canvas
from tui.render.costs.axes import AxisLabel, ValueAxis, place_labels
from tui.render.costs.curves import landmarks, stretches, x_range
from tui.render.costs.plot import Marks, plot
from tui.render.figures import Unit
from tui.render.ink import Ink, line_text

GIB = 1024**3
amounts = st.none() | st.just(0.0) | INPUTS
marks = st.builds(Marks, before=amounts, after=amounts, capacity=amounts)


def text_of(curve: Curve, given_marks: Marks) -> list[str]:
    """Draw a curve in 60 columns and 12 lines."""
    return [line_text(line) for line in plot(curve, given_marks, 60, 12)]


@settings(max_examples=400, deadline=None)
@given(EXTREME_CURVES, marks, st.integers(0, 130), st.integers(0, 30))
@example(Linear(slope=1e308, base=0), Marks(20, 24), 60, 12)
@example(Constant(value=5e-324), Marks(), 60, 12)
@example(Piecewise(cutoff=-5, low=Invalid(), high=Linear(slope=-1.7e308, base=1.7e308)), Marks(1, 2, 3), 60, 12)
def test_every_curve_is_drawn_in_exactly_the_room_given(
    curve: Curve, given_marks: Marks, width: int, height: int
) -> None:
    """No curve, however hostile, raises or breaks the picture's size."""
    lines = plot(curve, given_marks, width, height)
    assert [len(line_text(line)) for line in lines] == [width] * (height if width else 0)


@settings(max_examples=200, deadline=None)
@given(EXTREME_CURVES)
def test_what_is_shaded_is_infinite_and_what_is_infinite_is_not_blank(curve: Curve) -> None:
    """The shaded band stands exactly over inputs of infinite cost, measured at the dots of each column."""
    width, rows = 80, 11
    lines = plot(curve, Marks(), width, 12)[:9]
    end = x_range(curve, (), None)
    inks = [[stroke.ink for stroke in line for _ in stroke.text] for line in lines]
    gutter = next(index for index, character in enumerate(line_text(lines[0])) if character in "│┤") + 1
    dots = (width - gutter) * 2 - 1
    for column in range(gutter, width):
        infinite = all(curve.cost(end * (2 * (column - gutter) + dot) / dots) == INFINITY for dot in (0, 1))
        shaded = any(inks[row][column] in (Ink.INFINITE, Ink.INFINITE_LABEL) for row in range(len(lines)))
        curve_or_limit = {Ink.CURVE, Ink.LIMIT}
        assert not shaded or infinite
        assert not infinite or shaded or curve_or_limit & {inks[row][column] for row in range(rows - 2)}


@settings(max_examples=200, deadline=None)
@given(EXTREME_CURVES)
def test_between_landmarks_a_curve_is_straight_or_infinite(curve: Curve) -> None:
    """No change of shape escapes the landmarks: halfway between the ends of a stretch lies the mean of its ends."""
    for stretch in stretches(curve, 250.0):
        first, last = stretch[0], stretch[-1]
        middle = curve.cost((first.at + last.at) / 2)
        if max(abs(first.cost), abs(last.cost)) < 1e300 and math.isfinite(middle):
            size = max(abs(first.cost), abs(last.cost), 1e-9)  # below, subnormal parameters round to nothing
            assert abs(middle - (first.cost + last.cost) / 2) <= size * 1e-6


def test_the_infinite_band_begins_after_the_hard_limit_and_is_labelled() -> None:
    """Soft and hard are named under the axis; right of hard everything is shaded."""
    lines = text_of(HardSoft(soft=8, hard=16), Marks(2, 4))
    assert {min(line.find("▒"), line.find(" infinite ") % 60) for line in lines[:9]} == {lines[9].rindex("┴") + 1}
    assert sum("infinite" in line for line in lines) == 1
    assert "soft 8" in lines[-1]
    assert "hard 16" in lines[-1]
    assert "● 2 → ○ 4" in lines[-2]


def test_memory_is_marked_in_gib() -> None:
    """Bytes are never shown on the axis."""
    curve = HardSoft(soft=900 * GIB, hard=1024 * GIB)
    lines = [line_text(line) for line in plot(curve, Marks(612 * GIB, 676 * GIB), 60, 12, Unit.GIB)]
    assert "● 612 → ○ 676 GiB" in lines[-2]
    assert "soft 900" in lines[-1]


def test_a_step_has_no_slope() -> None:
    """Between the two levels of a jump there is only a dotted riser, in one column."""
    lines = text_of(Piecewise(cutoff=8, low=Constant(value=1), high=Constant(value=10)), Marks(capacity=16.0))
    between = {
        column for line in lines[2:7] for column, character in enumerate(line) if "\u2800" < character <= "\u28ff"
    }
    assert len(between) <= 1


@given(st.integers(1, 200), st.integers(30, 120), st.integers(8, 30))
def test_the_use_is_marked_on_the_curve(used: int, width: int, height: int) -> None:
    """A mark takes the place of a character of the curve: its neighbours, or those above and below, go on with it."""
    curve = Linear(slope=1.0, base=0.0)
    with_mark = [line_text(line) for line in plot(curve, Marks(float(used)), width, height)]
    row = next(index for index, line in enumerate(with_mark) if "●" in line)
    column = with_mark[row].index("●")
    around = [line[max(0, column - 1) : column + 2] for line in with_mark[max(0, row - 1) : row + 2]]
    assert any("\u2800" < character <= "\u28ff" for line in around for character in line)


def test_use_beyond_the_limit_is_marked_in_the_infinite_band() -> None:
    """An overcommitted host shows both marks in the shade, at its top."""
    top = text_of(HardSoft(soft=8, hard=16), Marks(20, 24))[0]
    assert "▒●▒" in top
    assert "▒○▒" in top


def test_a_value_out_of_proportion_is_cut_at_a_stated_maximum() -> None:
    """One huge constant does not flatten the rest of the curve."""
    curve = Piecewise(cutoff=8, low=Linear(slope=1, base=0), high=Constant(value=1e300))
    lines = text_of(curve, Marks(3, 4, 12))
    assert "cut at 10: goes to 1e300" in lines[0]
    assert "↑↑↑" in lines[0]


def test_a_marked_cost_is_never_cut_off() -> None:
    """Where the use itself lies in the huge part, the scale goes up to it."""
    curve = Piecewise(cutoff=8, low=Linear(slope=1, base=0), high=Constant(value=1e300))
    assert not any("cut at" in line or "↑" in line for line in text_of(curve, Marks(3, 9, 12)))


def test_an_unusable_attribute_is_one_infinite_band() -> None:
    """A curve that is infinite everywhere has no ticks of cost, and says infinite."""
    lines = text_of(Invalid(), Marks(3, 4))
    assert "infinite" in lines[4]
    assert not any(character.isdigit() for line in lines[:9] for character in line)


def test_negative_costs_lie_under_a_line_at_zero() -> None:
    """Zero is on the axis wherever costs go."""
    lines = text_of(Linear(slope=-2, base=5), Marks(3, 40))
    assert "0 ┤" in lines[0]
    assert "┄┄" in lines[0]
    assert any(line.startswith("-50 ┤") for line in lines)


def test_only_parameters_that_take_effect_are_landmarks() -> None:
    """A hard limit beyond the cutoff of a piecewise curve never acts, so it is not on the axis."""
    low = HardSoft(soft=4, hard=100)
    curve = Piecewise(cutoff=8, low=low, high=Constant(value=3, max=20), max=30)
    assert [(mark.name, mark.at) for mark in landmarks(curve)] == [("soft", 4.0), ("cutoff", 8.0), ("max", 20.0)]


def test_a_limit_absurdly_far_out_does_not_press_the_use_into_one_column() -> None:
    """A maximum of 1e300 VMs is left off the picture."""
    assert x_range(Linear(slope=1, base=0, max=1e300), (3.0, 4.0), 12.0) == pytest.approx(12 * 1.08)


def test_labels_keep_the_order_of_their_columns_and_never_touch() -> None:
    """A label without room is left out rather than set in a wrong place."""
    labels = [
        AxisLabel(20, "hard 1024", Ink.TICK),
        AxisLabel(12, "soft 900", Ink.TICK),
        AxisLabel(15, "host", Ink.TICK),
    ]
    (line,) = place_labels([(label, (0,)) for label in labels], 1, 28)
    assert line_text(line) == "      soft 900  hard 1024   "


def test_ticks_are_few_and_round() -> None:
    """Zero and some round numbers, at most one for three rows."""
    axis = ValueAxis.spanning([(0.0, 487.3)], [12.0], 12)
    assert [text for _, text in axis.ticks] == ["0", "200", "400"]


def test_a_dot_lands_in_its_place_in_the_braille_cell() -> None:
    """Two columns of four dots; what is outside is dropped."""
    canvas = Canvas(2, 1)
    canvas.dot(0, 0)
    canvas.dot(3, 3)
    canvas.dot(99, -1)
    assert [canvas.cell(0, 0), canvas.cell(1, 0)] == ["⠁", "⢀"]


def test_a_line_joins_its_ends() -> None:
    """A diagonal over one cell of height four sets one dot in each row."""
    canvas = Canvas(2, 1)
    canvas.line((0, 0), (3, 3))
    assert canvas.cell(0, 0) + canvas.cell(1, 0) == "⠑⢄"


def test_a_canvas_without_room_takes_dots_and_has_no_cells() -> None:
    """Sizes of nothing and less are no errors."""
    canvas = Canvas(0, -3)
    canvas.line((0, 0), (5, 5))
    assert (canvas.dots_across, canvas.dots_down) == (0, 0)
