"""A guest's console in a real terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.terminal import terminal

from .parts.guests import Boot

if TYPE_CHECKING:
    from pathlib import Path

    from .parts.administrator import Serial
    from .parts.host import LabHost
    from .parts.lab import Lab


def test_a_console_takes_the_terminal_and_gives_it_back(
    lab: Lab, places: dict[str, str], tmp_path: Path, running: tuple[LabHost, Serial]
) -> None:
    """Its keys go to the guest, Ctrl-C too; Ctrl-] ends it."""
    _, serial = running
    serial.leave()
    with terminal(tmp_path, "vms", "console", "web", "--force", environment=places) as pane:
        pane.wait_for("Escape character is ^]")
        pane.press("Enter")
        pane.write("sh -c \"echo be''gun; exec sleep 99\"")  # one process, whenever the key comes
        pane.press("Enter")
        pane.wait_for("begun")
        pane.press("C-c")
        pane.write("echo answer-$((6*7))")
        pane.press("Enter")
        pane.wait_for("answer-42")
        pane.press("C-]")
        assert pane.wait_for_end() == 0


def test_a_console_that_cannot_be_opened_says_why(lab: Lab, places: dict[str, str], tmp_path: Path) -> None:
    """Of a VM that is off, for one."""
    lab.hosts[0].define_guest("web", boot=Boot.NOTHING, network=None)
    with terminal(tmp_path, "vms", "console", "web", environment=places) as pane:
        pane.wait_for("web is off: it has no console", "realms vms start h1/web")
        assert pane.wait_for_end() == 1


def test_a_console_that_someone_else_has_can_be_taken_over(
    places: dict[str, str], tmp_path: Path, running: tuple[LabHost, Serial]
) -> None:
    """The other session goes on, and we say what would end it."""
    with terminal(tmp_path, "vms", "console", "web", environment=places) as pane:
        pane.wait_for("Active console session exists", "realms vms console --force web")
        assert pane.wait_for_end() == 1
