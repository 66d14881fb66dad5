"""Loading NumPy costs more than most questions: only what pays for it does."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from core.fleet.file import dump
from tests.placement.world import CONFIGURATION, fleet, snapshot, vm

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import sys
from core.placement.arrays import quick
from core.placement.plans import batch, capacity, drain, failure, make_room, mix, rebalance, rows
from core.placement.engine.request import Request
from tests.placement.world import CONFIGURATION, GIB, fleet, snapshot, vm

hosts = fleet(snapshot("a", vm("a", "1", managed=True)), snapshot("b"))
request = Request(1, GIB)
quick.place(CONFIGURATION, hosts, request, 100)
capacity.capacity(CONFIGURATION, hosts, request)
drain.drain(CONFIGURATION, hosts, "a")
failure.failure(CONFIGURATION, hosts)
rebalance.rebalance(CONFIGURATION, hosts)
make_room.make_room(CONFIGURATION, hosts, request)
mix.capacity_of_mix(CONFIGURATION, hosts, [(request, 2)], most=100)
batch.compare_orders(CONFIGURATION, hosts, [request] * 10)
print("numpy" in sys.modules)
"""

CONFIGURED = """ticrypt.vm {
  cost-functions { cpu { name: "c", memory { curve: linear, slope: 1, base: 0, max: 1e12 } } }
  hardware-profiles { cpu-node { name: "n", cores: 8, memory: 64 GiB, cost-function: cpu } }
  realms { main { disabled: false, driver: libvirt, name: "Main", drives.lazy-allocation: on } }
}
"""


def test_plans_of_small_fleets_load_no_numpy() -> None:
    """Every plan and placement of a few hosts."""
    outcome = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert outcome.stdout.strip() == "False"


@pytest.mark.parametrize("command", [["place", "--vcpus", "1", "--memory", "1 GiB"]])
def test_the_command_loads_no_numpy(tmp_path: Path, command: list[str]) -> None:
    """On a saved fleet of two hosts."""
    (tmp_path / "c.conf").write_text(CONFIGURED)
    hosts = fleet(snapshot("a", vm("a", "1")), snapshot("b"))
    (tmp_path / "fleet.json").write_text(dump(hosts, CONFIGURATION))
    program = (
        "import sys\nfrom tui.__main__ import main\n"
        "try:\n    main()\nfinally:\n    print('numpy' in sys.modules, file=sys.stderr)\n"
    )
    options = ["--config", str(tmp_path / "c.conf"), "--fleet", str(tmp_path / "fleet.json")]
    arguments = [sys.executable, "-c", program, *options, *command]
    outcome = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert (outcome.returncode, outcome.stderr.strip()) == (0, "False")
