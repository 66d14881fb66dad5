"""What the cost explorer says: sentences, rows and bars, from an exploration alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.config.model import Configuration
from core.costs import CostFunction
from core.curves import Constant, Invalid, Linear
from core.hosts import HostState
from core.placement.engine.request import Request
from core.units import parse_size
from tests.curve_strategies import EXTREME_CURVES
from tests.tui.screens.costs.costs_world import GIB, configuration, fleet, host, usual_fleet
from tui.forms.request import (
    MOST_VMS,
    FieldKind,
    FieldRefused,
    RequestField,
    fields_for,
    read,
    read_field,
    show_exactly,
    stepped,
)
from tui.render.cells import plain, width_of
from tui.render.costs.exploration import Exploration, explore
from tui.render.costs.ranking import (
    capacity,
    headline,
    ranking_columns,
    ranking_rows,
    refused_rows,
    remark,
    where_they_go,
)
from tui.render.costs.term_bars import term_bars
from tui.render.figures import cost_text, decimals, tick
from tui.render.ink import Ink, line_text
from tui.render.wrapping import cut_middle, wrapped
from tui.screens.costs.layout import share_lines

if TYPE_CHECKING:
    from core.fleet.fleet import Fleet

USUAL = Request(4, 8 * GIB)


def judged(given_fleet: Fleet, request: Request = USUAL, count: int = 1) -> Exploration:
    """Judge a request by the usual configuration."""
    return explore(configuration(), given_fleet, request, count)


def by_vms(scale: float = 1.0, offset: float = 0.0) -> Configuration:
    """Make a configuration whose costs are the numbers of VMs alone."""
    usual = configuration()
    function = CostFunction(id="cpu", name="cpu", vms=Linear(slope=1.0, base=0.0), scale=scale, offset=offset)
    return Configuration({**usual.cost_functions, "cpu": function}, usual.hardware_profiles, usual.realms)


@pytest.mark.parametrize(
    ("hosts", "sentence"),
    [
        (fleet(), "No hosts"),
        (fleet(host("h1")), "The only host, h1, can take it"),
        (fleet(host("h1", state=HostState.DISABLED)), "The only host can't take it: disabled"),
        (
            fleet(host("h1", state=HostState.DISABLED), host("h2", (126, 1)), host("h3", (126, 1))),
            "None of 3 hosts can take it: vcpus infinite on 2, disabled on 1",
        ),
        (fleet(host("h1"), host("h2", (126, 1))), "Only h1 of 2 hosts can take it"),
        (
            fleet(host("h1", (1, 1)), host("h2")),
            "2 of 2 hosts can take it: best h2, 1.3 cheaper than h1 (vms decides)",
        ),
        (
            fleet(host("h1"), host("g1", profile="a100-node")),
            "2 of 2 hosts can take it: best h1, 99 999.7 cheaper than g1 (offset decides)",
        ),
    ],
)
def test_the_sentence_on_top_says_who_wins_and_what_decides(hosts: Fleet, sentence: str) -> None:
    """Each kind of answer in words."""
    assert headline(judged(hosts)).replace("\N{NO-BREAK SPACE}", " ") == sentence


def test_ties_are_explained_by_the_rule_that_decides_them() -> None:
    """Equal costs: the smaller rise, then fewer VMs, then the name."""
    assert "as cheap as h2 (name decides)" in headline(judged(fleet(host("h2"), host("h1"))))
    flat = configuration(vms=Constant(value=1.0), vcpus=Constant(value=1.0), memory=Constant(value=1.0))
    answer = explore(flat, fleet(host("h1", (1, 1)), host("h2")), USUAL)
    assert "best h2, as cheap as h1 (fewer VMs decide)" in headline(answer)


def test_the_scale_counts_in_what_decides() -> None:
    """Terms are compared as they enter the total."""
    answer = explore(by_vms(scale=10.0), fleet(host("h1", (1, 1)), host("h2")), USUAL)
    assert "10.0 cheaper than h1 (vms decides)" in headline(answer)


def test_where_several_vms_go_is_said_with_what_stops_the_next() -> None:
    """All, some, none."""
    assert where_they_go(judged(fleet(host("h1")))) == ""
    assert where_they_go(judged(fleet(host("h1"), host("h2")), count=2)) == "All 2 VMs can be placed: 1 on h1, 1 on h2"
    some = where_they_go(judged(fleet(host("h1")), Request(64, GIB), 3))
    assert some == "2 of 3 VMs can be placed: 2 on h1. Next: vcpus infinite"
    assert where_they_go(judged(fleet(host("h1")), Request(500, GIB), 3)) == "None of 3 VMs can be placed"


def test_a_host_is_compared_with_the_best_summand_by_summand() -> None:
    """The differences add up to the distance."""
    answer = judged(usual_fleet())
    assert remark(answer, "h6") == "44.8 more expensive than h4: memory +16.8, vms +14.0, vcpus +14.0"
    assert remark(answer, "h4") == "44.8 cheaper than h6: memory -16.8, vms -14.0, vcpus -14.0; memory decides"
    assert remark(answer, "h8").startswith("Refused: the host is disabled; also not connected")
    assert remark(answer, "nobody") == ""


def test_every_row_has_a_cell_and_an_order_for_each_column() -> None:
    """Also with several VMs and several realms."""
    for count in (1, 3):
        answer = judged(usual_fleet(), count=count)
        width = len(ranking_columns(answer))
        assert {len(row.cells) for row in ranking_rows(answer, {})} == {width}
        assert {len(row.order) for row in ranking_rows(answer, {})} == {width}


def test_capacity_is_said_once_it_is_counted() -> None:
    """Nothing while a host is missing; a plus where counting stopped."""
    answer = judged(fleet(host("h1"), host("h2")))
    assert capacity(answer, {"h1": 3}) == ""
    assert capacity(answer, {"h1": 3, "h2": 4}) == "7 more fit"
    assert capacity(answer, {"h1": 10_000, "h2": 4}) == "10004+ more fit"
    assert capacity(judged(fleet(host("h1", (128, 1)))), {}) == "none fit"


def test_every_host_is_in_one_of_the_two_tables() -> None:
    """Ranked or refused, never both."""
    answer = judged(usual_fleet(), Request(4, 64 * GIB))
    keys = [row.key for row in (*ranking_rows(answer, {}), *refused_rows(answer))]
    assert sorted(str(key) for key in keys) == [f"h{number}" for number in range(1, 9)]


def test_the_reason_carries_its_numbers() -> None:
    """What it needs, what there is, and by how much it misses."""
    (row,) = (row for row in refused_rows(judged(usual_fleet(), Request(4, 64 * GIB))) if row.key == "h2")
    assert plain(row.cells[1]) == "memory infinite"
    expected = "memory infinite: 896 GiB after placing is past the limit of 850 GiB; 46 GiB too much"
    assert plain(row.cells[2]) == expected


@settings(max_examples=150, deadline=None)
@given(EXTREME_CURVES, EXTREME_CURVES, st.integers(0, 90), st.integers(0, 14), st.integers(1, 4))
def test_bars_fill_exactly_their_room_whatever_the_curves(
    first: object, second: object, width: int, height: int, count: int
) -> None:
    """Infinite, negative and huge terms alike."""
    world = configuration(vms=first, memory=second)  # type: ignore[arg-type]
    answer = explore(world, fleet(host("h1", (4, 24), (2, 8))), USUAL, count)
    close_up = answer.close_up("h1")
    assert close_up is not None
    lines = term_bars(close_up, remark(answer, "h1"), width, height)
    assert [width_of(line_text(line)) for line in lines] == ([width] * height if width else [])


def test_an_infinite_term_has_an_infinite_bar() -> None:
    """The sum is infinite then, and no rise is given."""
    answer = explore(configuration(memory=Invalid()), fleet(host("h1")), USUAL)
    close_up = answer.close_up("h1")
    assert close_up is not None
    lines = term_bars(close_up, "", 60, 8)
    memory = next(line for line in lines if line_text(line).startswith("memory"))
    assert Ink.INFINITE in {stroke.ink for stroke in memory}
    assert line_text(memory).rstrip().endswith("∞ → ∞") or "→" in line_text(memory)
    assert close_up.matters_most == "memory"


def test_use_beyond_what_the_host_has_is_called_overcommitted() -> None:
    """112 cores, 124 vCPUs after placing."""
    close_up = judged(fleet(host("h1", (120, 8)))).close_up("h1")
    assert close_up is not None
    text = "\n".join(line_text(line) for line in term_bars(close_up, "", 110, 9))
    assert "120 → 124 of 112 overcommitted" in text


def test_a_close_up_counts_all_vms_that_the_host_takes() -> None:
    """Cost and inputs after are those with every placed VM."""
    answer = judged(fleet(host("h1"), host("h2", (60, 8))), count=5)
    close_up = answer.close_up("h1")
    assert close_up is not None
    assert close_up.added == answer.placed_on["h1"] > 1
    inputs = {change.attribute: change.after.input for change in close_up.changes if change.after is not None}
    assert inputs["vms"] == close_up.added
    assert inputs["vcpus"] == 4 * close_up.added


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1024, "1 024"), (2.5, "2.5"), (1e300, "1e300"), (-50, "-50"), (1234567, "1.2e6"), (5e-324, "4.9e-324")],
)
def test_ticks_are_short(value: float, text: str) -> None:
    """A group separator that doesn't break, or an exponent."""
    assert tick(value).replace("\N{NO-BREAK SPACE}", " ") == text


def test_costs_get_as_many_decimals_as_tell_them_apart() -> None:
    """What doubles leave behind doesn't count."""
    assert decimals([1.0, 2.0, 3.5]) == 1
    assert decimals([1.01, 1.02]) == 2
    assert decimals([2.4, 2.4000000000000004]) == 1
    assert cost_text(-0.0) == "0.0"
    assert cost_text(100031.7).replace("\N{NO-BREAK SPACE}", " ") == "100 031.7"


MEMORY = RequestField("memory", "Memory", FieldKind.SIZE, "8 GiB", 1)
COUNT = RequestField("count", "Count", FieldKind.NUMBER, "1", 1, MOST_VMS)


@pytest.mark.parametrize(
    ("text", "size"),
    [("64", 64 * GIB), ("1.5", 3 * GIB // 2), ("64 GiB", 64 * GIB), ("512M", GIB // 2), ("68719476736", 64 * GIB)],
)
def test_a_bare_number_of_memory_is_gib(text: str, size: int) -> None:
    """Units are HOCON's; nobody asks for a million GiB, so that such a number is bytes."""
    assert read_field(MEMORY, text) == size


@pytest.mark.parametrize(
    "text", ["", "-1", "0", "64 Gib", "1e400", "nan", "inf", "9" * 400, "1 2", "\x1b[2J", "²", "٣"]
)
def test_what_is_no_size_is_refused(text: str) -> None:
    """With the name of the field."""
    with pytest.raises(FieldRefused, match="Memory"):
        read_field(MEMORY, text)


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "ten", "10001", "9" * 400, "²", "٣"])
def test_what_is_no_count_is_refused(text: str) -> None:
    """One VM at least, and no more than can be placed at once."""
    with pytest.raises(FieldRefused, match="Count"):
        read_field(COUNT, text)


@given(st.integers(1, 2**52))
def test_a_size_shown_reads_as_the_same_size(size: int) -> None:
    """To the byte."""
    assert parse_size(show_exactly(size)) == size


@given(st.integers(1, 60))
def test_less_takes_back_what_more_did(steps: int) -> None:
    """Stepping goes over the same round values in both directions."""
    text, values = "8 GiB", []
    for _ in range(steps):
        values.append(text)
        text = stepped(MEMORY, text, 1)
    for value in reversed(values):
        text = stepped(MEMORY, text, -1)
        assert text == value


def test_steps_stay_within_bounds() -> None:
    """Nothing below one VM, nothing above the most."""
    assert stepped(COUNT, "1", -1) == "1"
    assert stepped(COUNT, str(MOST_VMS), 1) == str(MOST_VMS)
    assert stepped(COUNT, "rubbish", 1) == "1"


def test_every_device_type_of_the_configuration_can_be_asked_for() -> None:
    """Types that only a profile or only a cost function knows are fields too; the request takes their numbers."""
    fields = fields_for(configuration())
    assert [field.label for field in fields] == ["vCPUs", "Memory", "a100", "Count"]
    asked = read(fields, {"devices.a100": "2", "count": "3"})
    assert dict(asked.request.devices) == {"a100": 2}
    assert asked.count == 3


@given(st.integers(20, 90), st.integers(1, 5), st.integers(0, 40), st.integers(0, 40), st.booleans())
def test_every_table_has_a_row_and_the_chosen_host_its_part(
    height: int, above: int, ranked: int, refused: int, short: bool
) -> None:
    """Lines are shared so that nothing needed is pushed off the screen, and no table has empty lines for nothing."""
    lines = share_lines(height, above=above, ranked=ranked, refused=refused, short=short)
    frame = 2 if short else 3
    assert frame + 1 <= lines.ranking <= (ranked or 2) + frame
    assert lines.refused == 0 if not refused else frame + 1 <= lines.refused <= refused + frame
    if lines.most >= above + 2 * (frame + 1):
        assert above + lines.ranking + lines.refused <= lines.most


@given(st.text(max_size=30), st.integers(0, 20))
def test_a_name_cut_in_its_middle_keeps_its_ends_and_its_width(name: str, width: int) -> None:
    """Wide and unprintable characters included."""
    assert width_of(cut_middle(name, width)) <= max(0, width)
    assert cut_middle("nvidia-type-07-80gb", 11) == "nvidi…-80gb"


@given(st.text(max_size=200), st.integers(-3, 40), st.integers(1, 4))
def test_a_sentence_is_broken_into_few_lines_that_fit(text: str, width: int, lines: int) -> None:
    """Wide and unprintable characters included."""
    broken = wrapped(text, width, lines)
    assert len(broken) <= lines
    assert all(width_of(line) <= max(1, width) for line in broken)
