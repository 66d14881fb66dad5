"""What commands print, on terminals of any width and where standard output is not there or full."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

from core.operations.tasks.step_kinds import StepKind
from core.operations.tasks.task import Progress, Step
from tests.driver.worlds import write_node
from tests.terminal import REALMS
from tui.cli.output import Heading, fit, headings, print_table
from tui.cli.task_output import amount

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.program import Outcome

    Run = Callable[..., Outcome]

COLUMNS = [Heading("Host"), Heading("Reason"), Heading("Memory", right=True)]
CELLS = [["kvm-rack7-12", "last answer a minute ago: its data are too old", "336 of 1024 GiB"]]


def test_seconds_are_told_whole() -> None:
    """Nobody wants to read their fractions while they run."""
    assert amount(Step(StepKind.REGISTER, "wait", done=3.0078, total=180.0, unit="s")) == "3 of 180 s"
    assert (
        amount(Step(StepKind.REGISTER, "wait", done=3.0, total=180.0, unit="s", ended_at=1.0, progress=Progress.DONE))
        == ""
    )


def test_a_name_of_any_length_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    """Where it is piped, too: it would make every line as long as itself."""
    print_table(headings("name", "host"), [["x" * 10_000, "h1"], ["web", "h2"]])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) < 600
    assert lines[1].split() == ["x" * 499 + "\u2026", "h1"]


def test_a_table_that_has_room_keeps_its_widths() -> None:
    """Every column as wide as its widest cell."""
    assert fit(COLUMNS, CELLS, 80) == [12, 46, 15]


def test_long_texts_give_way_before_names_and_numbers() -> None:
    """The text is folded; the host's name and the size stay whole."""
    assert fit(COLUMNS, CELLS, 50) == [12, 23, 15]


def test_a_terminal_too_narrow_for_words_and_numbers_draws_no_table() -> None:
    """Nothing is cut, so there is no way to draw it."""
    assert fit(COLUMNS, CELLS, 30) is None


def test_a_long_name_is_folded_where_it_has_to_be() -> None:
    """A word of a hundred letters does not forbid the drawing."""
    assert fit([Heading("VM"), Heading("CPU", right=True)], [["x" * 100, "12 %"]], 40) == [36, 4]


def test_wide_characters_count_twice() -> None:
    """As terminals draw them."""
    assert fit([Heading("VM")], [["\N{CJK UNIFIED IDEOGRAPH-6A5F}" * 4]], 80) == [8]


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_no_terminal_hides_a_host_s_name(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int
) -> None:
    """Neither the names nor the costs of the ranking are cut, drawn or not."""
    monkeypatch.setattr("tui.cli.output.sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "dumb")
    shown = run("--fleet", "fleet.json", "place", "--vcpus", "8", "--memory", "8GiB").out
    assert "\N{HORIZONTAL ELLIPSIS}" not in shown
    assert {f"h{number}" for number in range(1, 7)} <= set(shown.split())
    assert columns == 40 or max(map(cell_len, shown.splitlines())) <= max(columns, 110)


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_no_error(places: Path, closed: str) -> None:
    """A caller may close what it doesn't want to read."""
    command = f"'{REALMS}' --fleet fleet.json hosts list {closed}"
    ended = subprocess.run(["sh", "-c", command], cwd=places, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("arguments", ["hosts list", "vms list --json", "--help"])
def test_a_full_disk_is_said_in_one_line(places: Path, arguments: str) -> None:
    """It is no defect of the program."""
    command = f"'{REALMS}' --fleet fleet.json {arguments} >/dev/full"
    ended = subprocess.run(["sh", "-c", command], cwd=places, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (1, "realms: can't write: No space left on device\n")


@pytest.mark.parametrize("seconds", ["nan", "inf", "1e300", "0", "-1"])
@pytest.mark.parametrize("command", ["vms list", "hosts list", "place --vcpus 1 --memory 1GiB", "fleet save x.json"])
def test_a_wait_that_no_clock_can_add_is_refused(run: Run, command: str, seconds: str) -> None:
    """Wrong usage, before anything is asked."""
    ended = run(*command.split(), "--timeout", seconds)
    assert ended.code == 2
    assert "--timeout" in ended.err


def test_a_column_that_may_be_cut_gives_way_before_those_that_are_folded() -> None:
    """A URI's beginning tells the host; the sentence beside it stays on its line."""
    columns = [Heading("URI", cut=True), Heading("Why")]
    assert fit(columns, [["qemu+ssh://root@h1/" + "x" * 60, "no answer in time"]], 50) == [33, 17]


def on_a_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """Let the program take its standard output for a terminal of this width."""
    monkeypatch.setattr("tui.cli.output.sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "dumb")


LONG_URI = "test://" + "/a-folder-of-a-long-name" * 6 + "/node.xml"


def test_long_uris_leave_a_host_its_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut on a terminal, whole where it is piped."""
    assert run("hosts", "add", "h1", "--realm", "main", "--uri", LONG_URI, "--profile", "cpu-node").code == 0
    assert LONG_URI in run("hosts", "list").out
    on_a_terminal(monkeypatch, 80)
    shown = run("hosts", "list").out
    assert max(map(cell_len, shown.splitlines())) <= 80
    assert len([line for line in shown.splitlines() if line.strip()]) == 2


def test_a_uri_that_is_tested_does_not_widen_the_report(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It has a line of its own there; all that the host answered stands below it."""
    node = tmp_path / ("x" * 60) / "node.xml"
    node.parent.mkdir()
    uri = write_node(node, [])
    on_a_terminal(monkeypatch, 80)
    told = run("hosts", "test", uri).out.splitlines()
    assert told[0] == uri
    assert max(map(len, told[1:])) <= 80
    assert "ok in" in told[1]
    assert "cores" in told[2]


def test_a_narrow_terminal_folds_texts_between_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every word stays whole, each column below its title, and no line is wider than the terminal."""
    on_a_terminal(monkeypatch, 50)
    print_table(COLUMNS, CELLS)
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 50
    assert set(" ".join(CELLS[0]).split()) <= set(shown.split())
    assert {line.index("336") + len("336 of 1024 GiB") for line in shown.splitlines() if "336" in line} == {50}
