"""The real program in a real terminal, as an administrator uses it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.terminal import terminal

if TYPE_CHECKING:
    from pathlib import Path

CONFIGURATION = """
ticrypt.vm {
  cost-functions {
    cpu {
      vms { curve: linear, slope: 1, base: 0 }
      memory { curve: hard-soft, soft: 24 GiB, hard: 32 GiB }
    }
  }
  hardware-profiles { node { cores: 8, memory: 32 GiB, cost-function: cpu } }
  realms {
    main { disabled: off, driver: libvirt, name: "Main", poll-frequency: 1 second, drives.lazy-allocation: on }
  }
}
"""
MACHINE = """
<node>
  <cpu><mhz>3000</mhz><model>x86_64</model><active>8</active>
    <nodes>1</nodes><sockets>1</sockets><cores>8</cores><threads>1</threads></cpu>
  <memory>33554432</memory>
  <domain type="test">
    <name>orchard-7</name><memory>2097152</memory><vcpu>2</vcpu><os><type>hvm</type></os>
  </domain>
  <domain type="test">
    <name>evil [b] name</name><memory>1048576</memory><vcpu>1</vcpu><os><type>hvm</type></os>
  </domain>
</node>
"""


@pytest.fixture
def realm(tmp_path: Path) -> Path:
    """Make a folder with a configuration, a machine of the test driver, and no hosts yet."""
    (tmp_path / "ticrypt-vm.conf").write_text(CONFIGURATION)
    (tmp_path / "machine.xml").write_text(MACHINE)
    return tmp_path


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 40)])
def test_an_administrator_adds_a_host_sees_its_vms_disables_it_and_quits(realm: Path, columns: int, rows: int) -> None:
    """The whole path, from an empty registry to a clean end."""
    registry = realm / "registry.json"
    options = ("--config", str(realm / "ticrypt-vm.conf"), "--registry", str(registry))
    with terminal(realm, *options, columns=columns, rows=rows, environment={"HOME": str(realm)}) as screen:
        screen.wait_for("No hosts yet")
        screen.press("a")
        screen.wait_for("Add a host")
        screen.write("h1")
        screen.press("Tab")
        screen.write(f"test://{realm / 'machine.xml'}")  # at once: it takes the place of the URI proposed from the name
        screen.wait_for("machine.xml")
        for page in ("Answers as", "Profile  ", "Static address", "Registry entry"):
            screen.press("C-s")
            screen.wait_for("Add a host", page)
        screen.press("C-s")
        screen.wait_for("h1", "live", "3/8", without="Add a host")
        screen.press("2")
        screen.wait_for("orchard-7", "evil [b] name", "running")
        screen.press("1")
        screen.wait_for("3/8")
        screen.press("x")
        screen.wait_for("Cancel", "unmonitored")
        screen.press("Tab", "Enter")
        screen.wait_for("not connected", without="unmonitored")
        assert '"disabled"' in registry.read_text()
        screen.press("q")
        assert screen.wait_for_end() == 0
    assert json.loads(registry.read_text())


def test_a_terminal_that_can_draw_nothing_gets_a_sentence(realm: Path) -> None:
    """It names the commands that work there."""
    with terminal(realm, "demo", environment={"TERM": "dumb"}) as screen:
        text = screen.wait_for("TERM is dumb", "realms hosts")
        assert screen.wait_for_end() == 2
    assert "Traceback" not in text


def test_without_a_configuration_a_welcome_offers_the_demo(tmp_path: Path) -> None:
    """It says what was looked for, never a traceback; the demo it opens is alive, and ends well."""
    environment = {"HOME": str(tmp_path), "REALMS_CONFIG": str(tmp_path / "nowhere.conf")}
    with terminal(tmp_path, environment=environment) as screen:
        text = screen.wait_for("nowhere.conf", "Demo")
        assert "Traceback" not in text
        screen.press("C-d")
        screen.wait_for("cpu-01", "live", "6 of 7 hosts")
        screen.press("q")
        assert screen.wait_for_end() == 0


def test_the_welcome_is_left_without_a_failure(tmp_path: Path) -> None:
    """Nothing was wrong: nobody has configured anything yet."""
    with terminal(tmp_path, "--config", str(tmp_path / "nowhere.conf"), environment={"HOME": str(tmp_path)}) as screen:
        screen.wait_for("nowhere.conf", "Quit")
        screen.press("Escape")
        assert screen.wait_for_end() == 0
