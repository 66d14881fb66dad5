"""A what-if by hand: a limit is raised, a refused host accepts, the step is undone and redone, and exported."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from core.config.export import format_configuration
from core.fleet.file import write_file
from tests.terminal import REALMS, terminal
from tests.tui.screens.costs.costs_world import configuration, usual_fleet

if TYPE_CHECKING:
    from pathlib import Path


def test_a_what_if_from_the_first_key_to_the_exported_file(tmp_path: Path) -> None:
    """In a real terminal, on a saved fleet; the file is one that `realms check` and `realms place` read."""
    main, saved, file = tmp_path / "ticrypt-vm.conf", tmp_path / "fleet.json", tmp_path / "what-if.conf"
    main.write_text(format_configuration(configuration()))
    write_file(saved, usual_fleet(), configuration())
    arguments = ("--config", str(main), "--fleet", str(saved))
    with terminal(tmp_path, *arguments, environment={"XDG_CONFIG_HOME": str(tmp_path / "home")}) as pane:
        pane.wait_for("main ▸ Hosts", "h8")
        pane.press("3")
        pane.wait_for("can take it: best h4")
        pane.press("m")
        pane.wait_for("Request", without="/ Filter")  # the keys of a table are gone: the field has the focus
        pane.write("96")
        pane.wait_for("Hosts for 4 vCPUs, 96 GiB")
        pane.press("Enter")
        pane.wait_for("/ Filter")
        pane.press("Tab")
        pane.wait_for("h5 ─ cpu-node ─ not connected")
        pane.press("Home")
        pane.wait_for("h2 ─ cpu-node ─ memory infinite", "What would help: free 78 GiB")
        pane.press("e")
        pane.wait_for("Cost function cpu", "memory.hard", "ticrypt-vm.conf:")
        pane.press("Enter")
        pane.wait_for("A size, such as 800 GiB")
        pane.write("950 GiB")
        pane.wait_for("5 of 8 hosts can take it", "WHAT IF  1 change, simulation only", "19 → 23 fit")
        pane.press("Enter")
        pane.wait_for("+ - step, Enter edit, Del reset")
        pane.press("u")
        pane.wait_for("4 of 8 hosts can take it", without="WHAT IF")
        pane.press("U")
        pane.wait_for("WHAT IF  1 change, simulation only", "5 of 8 hosts can take it")
        pane.press("x")
        pane.wait_for("Export the what-if", "ticrypt.vm.cost-functions.cpu.memory.hard = 950 GiB")
        pane.press("BTab", "BTab", "BTab", "BTab", "C-u")
        pane.wait_for("Save as", without="what-if.conf")
        pane.write(str(file))
        pane.press("Enter")
        pane.wait_for("Cost function cpu", without="Export the what-if")
        pane.press("q")
        assert pane.wait_for_end() == 0
    assert main.read_text() == format_configuration(configuration())
    checked = subprocess.run([REALMS, "check", str(file)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    place = ["place", "--vcpus", "4", "--memory", "96 GiB", "--json"]
    before, after = (
        json.loads(
            subprocess.run(
                [REALMS, "--config", str(of), "--fleet", str(saved), *place],
                capture_output=True, text=True, check=True,
            ).stdout
        )
        for of in (main, file)
    )  # fmt: skip
    able = [{each["host"] for each in answer["verdicts"] if each["feasible"]} for answer in (before, after)]
    assert able[1] - able[0] == {"h2"}
