"""The model of tables: the cursor follows its row, unknown values sort last, filters never raise, marks last."""

from __future__ import annotations

from dataclasses import replace
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text import natural
from tui.render.cells import Meter, Tone, bar_pieces, cut, lay_out, width_of
from tui.render.rows import Column, Measure, Row, share_width
from tui.state.settings import Sort
from tui.widgets.grid_model import GridModel
from tui.widgets.row_filter import RowFilter, parse_filter

COLUMNS = (
    Column(key="name", title="NAME", letter="N"),
    Column(key="host", title="HOST"),
    Column(key="state", title="STATE"),
    Column(key="cpu", title="CPU %", right=True, ascending=False),
)


def row(name: str, host: str = "h1", state: str = "running", cpu: float | None = 1.0) -> Row:
    """Make a row."""
    cells = (name, host, ((state, Tone.GOOD),), "-" if cpu is None else f"{cpu:g}")
    return Row(name, cells, (natural(name), natural(host), state, cpu))


def model(*rows: Row) -> GridModel:
    """Make a model that holds rows."""
    made = GridModel(COLUMNS)
    made.set_rows(rows)
    return made


def names(of: GridModel) -> list[str]:
    """Return the names shown, from the top."""
    return [str(row.key) for row in of.shown]


def test_the_cursor_stays_on_its_row_when_others_come_and_go() -> None:
    """By key: the line number then means another VM."""
    table = model(row("a"), row("c"), row("d"))
    table.move_to(1)
    table.set_rows([row("a"), row("b"), row("c"), row("d")])
    assert table.cursor_key == "c"
    table.set_rows([row("c"), row("d")])
    assert (table.cursor_key, table.cursor) == ("c", 0)


def test_cursor_and_marks_follow_a_vm_to_its_new_host() -> None:
    """Its row has another key there; while it is on both hosts, nothing moves."""

    def vm(host: str, uuid: str) -> Row:
        return replace(row(uuid, host), key=(host, uuid), identity=uuid)

    table = model(vm("h1", "a"), vm("h1", "b"), vm("h2", "c"))
    table.move_to(1)
    table.toggle_mark()
    table.set_rows([vm("h1", "a"), vm("h1", "b"), vm("h2", "b"), vm("h2", "c")])
    assert (table.cursor_key, table.marks) == (("h1", "b"), {("h1", "b")})
    table.set_rows([vm("h1", "a"), vm("h2", "c"), vm("h2", "b")])
    assert (table.cursor_key, table.marks, table.cursor) == (("h2", "b"), {("h2", "b")}, 2)
    table.set_rows([vm("h1", "a"), vm("h2", "c")])
    assert (table.cursor_key, table.marks) == (("h2", "c"), set())


def test_the_cursor_stays_on_its_row_when_the_sort_moves_it() -> None:
    """Also when the values that are sorted by change under it."""
    table = model(row("a", cpu=1), row("b", cpu=2), row("c", cpu=3))
    table.move_to(0)
    table.sort_by(Sort("cpu", descending=True))
    assert (table.cursor_key, table.cursor) == ("a", 2)
    table.set_rows([row("a", cpu=9), row("b", cpu=2), row("c", cpu=3)])
    assert (names(table), table.cursor_key) == (["a", "c", "b"], "a")


def test_the_cursor_stays_near_where_its_row_was_removed() -> None:
    """It never points past the end."""
    table = model(row("a"), row("b"), row("c"))
    table.move_to(2)
    table.set_rows([row("a"), row("b")])
    assert table.cursor_key == "b"
    table.set_rows([])
    assert (table.cursor_key, table.chosen()) == (None, ())


def test_unknown_values_sort_last_in_both_directions() -> None:
    """A VM whose load nobody knows is neither the idlest nor the busiest."""
    table = model(row("a", cpu=None), row("b", cpu=2), row("c", cpu=None), row("d", cpu=1))
    table.sort_by(Sort("cpu"))
    assert names(table) == ["d", "b", "a", "c"]
    table.sort_by(Sort("cpu", descending=True))
    assert names(table) == ["b", "d", "a", "c"]


def test_equal_rows_keep_the_order_in_which_they_were_given() -> None:
    """The sort is stable, downwards too."""
    table = model(row("b", cpu=1), row("a", cpu=1), row("c", cpu=1))
    table.sort_by(Sort("cpu", descending=True))
    assert names(table) == ["b", "a", "c"]


def test_names_are_sorted_as_people_count() -> None:
    """h2 comes before h10."""
    table = model(row("h10"), row("H2"), row("h1"))
    table.sort_by(Sort("name"))
    assert names(table) == ["h1", "H2", "h10"]


def test_choosing_a_column_again_turns_its_direction() -> None:
    """The first time it has the direction that suits it."""
    table = model()
    cpu = COLUMNS[3]
    assert table.next_sort(cpu) == Sort("cpu", descending=True)
    table.sort_by(Sort("cpu", descending=True))
    assert table.next_sort(cpu) == Sort("cpu", descending=False)


def test_a_remembered_sort_by_a_column_that_is_gone_is_none() -> None:
    """Settings outlive columns."""
    table = model(row("b"), row("a"))
    table.sort_by(Sort("no-such-column"))
    assert (table.sort, names(table)) == (None, ["b", "a"])


def test_only_lines_that_differ_are_named() -> None:
    """What a slow terminal has to be sent depends on it."""
    rows = [row("a", cpu=1), row("b", cpu=2), row("c", cpu=3)]
    table = model(*rows)
    assert not table.set_rows([row("a", cpu=1), row("b", cpu=2), row("c", cpu=3)])
    change = table.set_rows([rows[0], row("b", cpu=5), rows[2]])
    assert (change.lines, change.everything) == ((1,), False)
    assert table.set_rows([rows[0], row("b", cpu=5)]).everything


def test_a_row_that_only_sorts_differently_is_not_drawn_again() -> None:
    """An uptime grows all the time; what is written of it rarely changes."""
    rows = [Row("a", ("x",) * 4, ("a", "h", "s", 1.0)), Row("b", ("x",) * 4, ("b", "h", "s", 2.0))]
    table = model(*rows)
    table.sort_by(Sort("cpu"))
    assert not table.set_rows([Row("a", ("x",) * 4, ("a", "h", "s", 1.5)), rows[1]])
    assert table.set_rows([Row("a", ("x",) * 4, ("a", "h", "s", 2.5)), rows[1]]).everything
    assert names(table) == ["b", "a"]


FLEET = (row("web-1", "h1"), row("web-2", "h3", "paused", 60), row("db[prod]", "h3", cpu=80), row("Old", "h30", "off"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("web", ["web-1", "web-2"]),
        ("WEB", ["web-1", "web-2"]),
        ("HOST:H3$", ["web-2", "db[prod]"]),
        ("^h1", ["web-1"]),
        (r"b\[.*h3", []),
        ("(w+)+$", []),
        ("Old", ["Old"]),
        ("old", ["Old"]),
        ("!web", ["db[prod]", "Old"]),
        ("host:h3", ["web-2", "db[prod]", "Old"]),
        ("host:^h3$", ["web-2", "db[prod]"]),
        ("host:^h3$ state:running", ["db[prod]"]),
        ("host:^h3$ !state:running", ["web-2"]),
        ("st:paused", ["web-2"]),
        ("cpu>50", ["web-2", "db[prod]"]),
        ("cpu<=60 host:h3", ["web-2", "Old"]),
        (r"db\[", ["db[prod]"]),
        ("41:00", []),
        ("   ", ["web-1", "web-2", "db[prod]", "Old"]),
        ("!", ["web-1", "web-2", "db[prod]", "Old"]),
    ],
)
def test_the_filter_language(text: str, shown: list[str]) -> None:
    """Terms between blanks must all hold; a column's name, or a beginning of it, limits where is looked."""
    table = model(*FLEET)
    table.filter_by(text)
    assert names(table) == shown


def test_a_filter_finds_a_row_by_its_other_words_too() -> None:
    """The state's value in scripts, and the name that a column had."""
    columns = (Column(key="state", title="STATE"), Column(key="unplaced", title="UNPLACED", also="homeless"))
    row = Row("h1", ("No sched", "3"), (1, 3), also={0: "no-scheduling cordon"})
    for text, found in {"cordon": True, "state:no-sched": True, "!state:cordon": False, "homeless>2": True,
                        "homeless>3": False, "unplaced:cordon": False}.items():  # fmt: skip
        assert parse_filter(text, columns).passes(row) is found, text


def test_a_filter_that_cannot_be_read_says_so_and_hides_nothing() -> None:
    """One is in the middle of typing it."""
    table = model(*FLEET)
    table.filter_by("web(")
    assert table.filter.error.startswith("web(")
    assert len(table.shown) == len(FLEET)


def test_a_filter_looks_in_the_columns_that_are_seen() -> None:
    """Others are asked by their names."""
    table = model(row("a1", "b1"), row("b2", "a2"))
    table.see([0])
    table.filter_by("a")
    assert names(table) == ["a1"]
    table.filter_by("host:a")
    assert names(table) == ["b2"]
    table.filter_by("a")
    table.see([0, 1])
    assert names(table) == ["a1", "b2"]


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("mem>=32", True), ("mem>32", False), ("mem>=32GiB", True), ("memory<33000MiB", True), ("mem<=31.9", False),
        ("up>1h", True), ("up>120m", False), ("up>7000", True), ("MEM>1", True),
    ],
)  # fmt: skip
def test_numbers_are_compared_in_the_unit_that_is_shown_or_given(text: str, passes: bool) -> None:
    """Bytes are GiB, times seconds."""
    columns = (Column(key="memory", title="MEM GiB", measure=Measure.SIZE),
               Column(key="uptime", title="UPTIME", measure=Measure.DURATION))  # fmt: skip
    parsed = parse_filter(text, columns)
    assert (parsed.error, parsed.passes(Row("a", ("32", "2h"), (32 * 1024**3, 7200.0)))) == ("", passes)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("nothing:like", "no column nothing: name, host, state, cpu"),
        ("naem:web", "no column naem; did you mean name?"),
        ("mem>5", "no column mem: name, host, state, cpu"),
        ("cpu>many", "many is not a number: cpu>5"),
        ("cpu>", "nothing is not a number: cpu>5"),
        ("(?=a)", "(?=a): invalid perl operator: (?="),
    ],
)
def test_a_filter_that_means_nothing_says_so(text: str, error: str) -> None:
    """And hides nothing."""
    assert parse_filter(text, COLUMNS) == RowFilter(text, (), error)


def test_no_expression_backtracks() -> None:
    """What would take hours by trying all ways is linear here."""
    rows = [row("a" * 300 + "!") for _ in range(20)]
    begun = process_time()
    parsed = parse_filter("(a+)+$ (a|a)*b (.*)*x", COLUMNS)
    assert not any(parsed.passes(each) for each in rows)
    assert process_time() - begun < 1


@given(st.text(max_size=40))
def test_no_filter_raises(text: str) -> None:
    """Whatever is typed or pasted."""
    parsed = parse_filter(text, COLUMNS)
    passing = [row for row in FLEET if parsed.passes(row)]
    assert not parsed.error or passing == list(FLEET)


def test_a_row_that_stops_to_pass_the_filter_goes() -> None:
    """The filter is live."""
    table = model(*FLEET)
    table.filter_by("state:running")
    table.set_rows([row("web-1", "h1", "paused"), *FLEET[1:]])
    assert names(table) == ["db[prod]"]


def test_marks_survive_refresh_sort_and_filter() -> None:
    """They are of rows, not of lines."""
    table = model(*FLEET)
    table.toggle_mark()
    table.move_to(2)
    table.toggle_mark()
    table.sort_by(Sort("name", descending=True))
    table.filter_by("web")
    table.set_rows([row("web-1", cpu=9), *FLEET[1:]])
    assert table.chosen() == ("web-1", "db[prod]")


def test_marks_of_rows_that_are_gone_are_gone() -> None:
    """An action never names what is not there."""
    table = model(*FLEET)
    table.mark_shown()
    table.set_rows(FLEET[:2])
    assert table.chosen() == ("web-1", "web-2")


def test_a_range_is_marked_from_the_last_mark_to_the_cursor() -> None:
    """In both directions."""
    table = model(*FLEET)
    table.move_to(3)
    table.toggle_mark()
    table.move_to(1)
    table.mark_range()
    assert table.chosen() == ("web-2", "db[prod]", "Old")


def test_marking_all_takes_only_what_the_filter_shows_and_the_second_time_unmarks() -> None:
    """What is hidden is not acted upon by surprise."""
    table = model(*FLEET)
    table.filter_by("web")
    table.mark_shown()
    assert table.chosen() == ("web-1", "web-2")
    table.mark_shown()
    assert not table.marks


def test_without_marks_the_row_under_the_cursor_is_chosen() -> None:
    """As everywhere."""
    table = model(*FLEET)
    table.move_to(1)
    assert table.chosen() == ("web-2",)


# Cells and columns ---------------------------------------------------------------------------------------------------

tricky = st.text(
    st.characters() | st.sampled_from("\x1b\x9b\u202e\u200b\u3042\U0001f600e\u0301[/]"), min_size=0, max_size=30
)


@given(st.lists(tricky, max_size=4), st.integers(0, 40), st.booleans())
def test_a_cell_takes_exactly_its_width(texts: list[str], width: int, right: bool) -> None:
    """Whatever the text: wide characters, controls, markup."""
    laid = lay_out(tuple((text, Tone.PLAIN) for text in texts), width, right=right)
    assert sum(width_of(text) for text, _ in laid) == width
    assert not any("\x1b" in text or "\u202e" in text for text, _ in laid)


def test_a_cell_that_is_too_long_ends_with_an_ellipsis() -> None:
    """Wide characters are never cut in half."""
    assert cut("名前が長い", 6) == "名前…"
    assert cut("abcdef", 4) == "abc…"
    assert cut("abc", 3) == "abc"


def test_numbers_stand_at_the_right() -> None:
    """So that they compare at a glance."""
    assert lay_out("42", 5, right=True) == [("   ", Tone.PLAIN), ("42", Tone.PLAIN)]


@given(st.floats(0, 3), st.integers(0, 60))
def test_a_bar_takes_exactly_its_width(fraction: float, width: int) -> None:
    """And is full only where nothing is left."""
    pieces = bar_pieces(fraction, width, Tone.BAR)
    text = "".join(text for text, _ in pieces)
    assert len(text) == width
    if 0 < fraction < 1 and width:
        assert set(text) != {"\u2501"}
        assert set(text) != {"\u2500"}


def test_a_meter_without_room_is_its_numbers() -> None:
    """A bar of two columns says nothing."""
    meter = Meter(0.5, "64/128")
    assert "".join(text for text, _ in lay_out(meter, 9)) == "   64/128"
    assert "".join(text for text, _ in lay_out(meter, 12)) == "\u2501\u2501\u2578\u2500\u2500 64/128"


@given(st.lists(st.integers(0, 60), min_size=4, max_size=4), st.integers(20, 200))
def test_columns_never_exceed_the_room_where_they_may_be_hidden(wanted: list[int], room: int) -> None:
    """Hidden by priority, not cut off at the edge."""
    columns = [
        Column(key="a", title="A", least=4),
        Column(key="b", title="B", right=True, most=12, priority=1),
        Column(key="c", title="C", priority=3),
        Column(key="d", title="D", elastic=True, priority=2, least=5),
    ]
    laid = share_width(columns, wanted, room)
    assert sum(width for _, width in laid) + 2 * (len(laid) - 1) <= room
    assert laid[0][0] == 0
    for index, width in laid:
        if index == 1:
            assert width >= min(12, wanted[1])  # a number is never cut
