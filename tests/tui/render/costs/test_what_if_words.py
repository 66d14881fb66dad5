"""The words and values of a what-if, without a screen: parameters, steps, what differs, what is exported."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from core.config.export import format_configuration
from core.config.model import Configuration
from core.config.reader import read
from core.config.settings import Setting, apply_settings
from core.config.syntax import render_path
from core.errors import UnwritableFile
from core.hosts import HostState
from core.placement.engine.request import Request
from core.placement.what_if.changes import HostGone, HostInState, VMGone, VMMore
from core.placement.what_if.sandbox import Sandbox
from tests.cli.program import runner
from tests.strategies import configurations
from tests.tui.screens.costs.costs_world import GIB, NOW, configuration, fleet, host, usual_fleet
from tui.render.costs.exploration import Exploration, explore, explore_what_if
from tui.render.costs.parameters import ParameterKind, parameters, written
from tui.render.costs.what_if import before_sentence
from tui.render.costs.what_if_export import command_line, overlay
from tui.screens.costs.what_if.export import check_target, write
from tui.screens.costs.what_if.history import History, with_change

if TYPE_CHECKING:
    from pathlib import Path

    from core.placement.what_if.sandbox import Change

HARD = Setting.parse("cost-functions.cpu.memory.hard=960 GiB")


def what_if(*changes: Change, memory: int = 96) -> Exploration:
    """Judge the usual fleet with changes."""
    sandbox = Sandbox.of(configuration(), usual_fleet()).with_changes(*changes)
    return explore_what_if(sandbox, explore(configuration(), usual_fleet(), Request(4, memory * GIB)))


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(configurations())
def test_each_parameter_typed_as_it_is_shown_changes_nothing(of: Configuration) -> None:
    """So that what stands in the line is what the configuration says."""
    for function in of.cost_functions.values():
        alone = Configuration({function.id: function})
        for parameter in parameters(function):
            setting = Setting.parse(f"{render_path(parameter.path)} = {written(parameter.text)}")
            if not parameter.text.startswith("none"):
                assert apply_settings(alone, [setting])[0] == alone


@settings(max_examples=25, deadline=None)
@given(configurations())
def test_steps_go_up_and_down(of: Configuration) -> None:
    """A step up is more, a step down is less, and curves have none."""
    for function in of.cost_functions.values():
        for parameter in parameters(function):
            more, less = parameter.next(1), parameter.next(-1)
            assert (more is None) == (less is None)
            if parameter.kind is ParameterKind.CURVE:
                assert more is None
            elif parameter.kind is ParameterKind.NUMBER and more is not None and less is not None:
                assert float(less) < float(parameter.text) < float(more)


def test_a_later_change_takes_the_place_of_what_it_overrides() -> None:
    """Of a parameter, of all that a block holds, of a host's state; equal VMs are counted together."""
    lower = Setting.parse("cost-functions.cpu.memory.hard=900 GiB")
    block = Setting.parse("cost-functions.cpu.memory={ curve: constant, value: 1 }")
    assert with_change((lower,), HARD) == (HARD,)
    assert with_change((HARD,), block) == (block,)
    assert with_change((block,), HARD) == (block, HARD)
    gone, disabled = HostGone("h1"), HostInState("h1", HostState.DISABLED)
    assert with_change((gone, HARD), disabled) == (HARD, disabled)
    vm = VMMore("h1", Request(1, GIB))
    assert with_change((vm, HARD), VMMore("h1", Request(1, GIB), 2)) == (VMMore("h1", Request(1, GIB), 3), HARD)


def test_a_new_step_forgets_what_was_undone() -> None:
    """And the same changes are no step."""
    history = History()
    history.make(HARD)
    history.undo()
    assert (history.can_undo, history.can_redo) == (False, True)
    history.become(())
    assert history.can_redo
    history.make(HostGone("h1"))
    assert (history.changes, history.can_redo) == ((HostGone("h1"),), False)


def test_the_sentence_says_how_it_was() -> None:
    """Who was best, and how many hosts differ."""
    assert before_sentence(what_if(HARD)) == "Before: 4 of 8, best h4 at 26.0. 3 hosts differ"
    gone = what_if(HostGone("h8"))
    assert before_sentence(gone) == "Before: 4 of 8, best h4 at 26.0. 1 host differs"
    assert [verdict.host for verdict in gone.dropped] == ["h8"]
    same = what_if(Setting.parse("cost-functions.cpu.description=x"))
    assert before_sentence(same) == "The changes do not affect the ranking"


CHANGES = (
    HARD,
    Setting.parse("cost-functions.cpu.vms={ curve: constant, value: 2 }"),
    HostInState("h7", HostState.ENABLED),
    HostGone("h2"),
    VMGone(("h1", "none"), "it's one"),
    VMMore("h4", Request(2, GIB, {"a100": 1}), 2),
)


def test_the_command_asks_the_same() -> None:
    """Quoted for a shell; each change is an option."""
    command = command_line(CHANGES, Request(4, 8 * GIB, {"a100": 1}, "main"), 3)
    assert shlex.split(command) == [
        "realms", "place", "--vcpus", "4", "--memory", "8 GiB", "--device", "a100=1", "--realm", "main", "--count", "3",
        "--set", "cost-functions.cpu.memory.hard=960 GiB",
        "--set", "cost-functions.cpu.vms={ curve: constant, value: 2 }",
        "--host-state", "h7=enabled", "--without", "h2", "--without-vm", "h1/it's one",
        "--with-vm", "h4=2,1 GiB,a100=1", "--with-vm", "h4=2,1 GiB,a100=1",
    ]  # fmt: skip


@pytest.mark.parametrize("beside", [True, False])
def test_the_exported_file_is_a_configuration_that_realms_checks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, beside: bool
) -> None:
    """Beside the main file and elsewhere; it means what the what-if meant."""
    main = tmp_path / "ticrypt-vm.conf"
    main.write_text(format_configuration(configuration()))
    folder = tmp_path if beside else tmp_path / "else where"
    folder.mkdir(exist_ok=True)
    known = [change for change in CHANGES if not isinstance(change, VMGone)]
    sandbox = Sandbox.of(read(main).configuration or Configuration(), usual_fleet()).with_changes(*known[:-1])
    target = folder / "what-if.conf"
    assert write(target, overlay(sandbox, main, folder, Request(4, 8 * GIB), 1), replace=False)
    assert read(target).configuration == sandbox.after.configuration
    assert runner(monkeypatch, capsys)("check", target).code == 0
    assert "# realms hosts enable h7\n# realms hosts remove h2\n" in target.read_text()


def test_the_exported_file_is_never_written_over_another_unasked(tmp_path: Path) -> None:
    """Nor ever over the configuration, nor half."""
    there = tmp_path / "there.conf"
    there.write_text("mine")
    assert not write(there, "new", replace=False)
    assert there.read_text() == "mine"
    assert write(there, "new", replace=True)
    assert there.read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["there.conf"]
    with pytest.raises(UnwritableFile, match="is the active configuration"):
        check_target(tmp_path / ".." / tmp_path.name / "there.conf", there)
    with pytest.raises(UnwritableFile, match="no such file"):
        write(tmp_path / "no" / "where.conf", "new", replace=False)
    with pytest.raises(UnwritableFile, match="is not a regular file"):
        write(tmp_path, "new", replace=False)


def test_hostile_names_stay_in_their_comment(tmp_path: Path) -> None:
    """A line break in a VM's name can't become a line of the configuration."""
    evil = "x\nticrypt.vm.cost-functions.cpu.offset = 7 //"
    there = fleet(host("h1", (4, 24)))
    sandbox = Sandbox.of(configuration(), there)
    changes = (VMGone(("h1", there.hosts[0].vms[0].uuid), evil), HARD)
    text = overlay(sandbox.with_changes(*changes), None, tmp_path, Request(1, GIB), 1)
    main = tmp_path / "main.conf"
    main.write_text(format_configuration(configuration()) + text)
    found = read(main).configuration
    assert found is not None
    assert found.cost_functions["cpu"].offset == 0.0
    assert there.taken == NOW
