"""The peer: Ganeti's htools (package ganeti-htools), asked the same questions about the same fleets."""

from __future__ import annotations

import json
import re
import resource
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.fleets import write_htools

if TYPE_CHECKING:
    from core.fleet.fleet import Fleet

HAIL = Path("/usr/lib/ganeti/iallocators/hail")
ABSENT = "htools are not installed (apt-get install ganeti-htools): no peer for placement in this run"
_ONE_VM = ["--standard-alloc=20g,4g,2", "--tiered-alloc=256m,64m,1", "--machine-readable", "-q", "--no-capacity-checks"]
_REQUEST = {
    "version": 2, "cluster_name": "bench", "cluster_tags": [], "enabled_hypervisors": ["kvm"], "ipolicy": {},
    "nodegroups": {}, "nodes": {}, "instances": {},
    "request": {
        "type": "allocate", "name": "new", "memory": 4096, "vcpus": 2, "disks": [{"size": 20480, "mode": "w"}],
        "disk_space_total": 20480, "required_nodes": 1, "disk_template": "ext", "os": "none", "tags": [], "nics": [],
        "hypervisor": "kvm", "spindle_use": 1,
    },
}  # fmt: skip


def installed() -> bool:
    """Return whether they are there."""
    return shutil.which("hspace") is not None and shutil.which("hbal") is not None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool wrote, and how many seconds of processor time it took."""

    text: str
    seconds: float

    def find(self, pattern: str) -> str:
        """Return the first group of a pattern in it."""
        match = re.search(pattern, self.text)
        if match is None:
            message = f"{pattern!r} is not in {self.text[-400:]!r}"
            raise ValueError(message)
        return match[1]


def _run(*command: str) -> Answer:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Answer(done.stdout + done.stderr, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def _on_fleet(fleet: Fleet, *command: str) -> Answer:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "fleet.data")
        write_htools(path, fleet)
        return _run(*(str(path) if word == "DATA" else word for word in command))


def capacity(fleet: Fleet) -> tuple[int, float]:
    """Count how many more VMs of 2 vCPUs and 4 GiB fit; with the seconds that it took to say so."""
    answer = _on_fleet(fleet, "hspace", "-t", "DATA", "--disk-template=ext", *_ONE_VM)
    return int(answer.find(r"HTS_ALLOC_INSTANCES=(\d+)")), answer.seconds


def stream(hosts: int, count: int) -> float:
    """Placements each second on an empty fleet."""
    simulated = f"--simulate=p,{hosts},8T,256g,64,8"
    answer = _run("hspace", simulated, "--disk-template=plain", *_ONE_VM, "-l", str(count))
    return int(answer.find(r"HTS_ALLOC_INSTANCES=(\d+)")) / answer.seconds


def place_one(fleet: Fleet) -> float | None:
    """Seconds to place one VM; None where hail doesn't answer."""
    if not HAIL.exists():
        return None
    with tempfile.TemporaryDirectory() as folder:
        data, request = Path(folder, "fleet.data"), Path(folder, "request.json")
        write_htools(data, fleet)
        request.write_text(json.dumps(_REQUEST))
        answer = _run(str(HAIL), "-t", str(data), "--no-capacity-checks", str(request))
    return answer.seconds if '"success":true' in answer.text else None


def failure(fleet: Fleet) -> float:
    """Seconds to say whether the fleet survives the loss of a host."""
    return _on_fleet(fleet, "hcheck", "-t", "DATA", "--no-simulation").seconds


def rebalance(fleet: Fleet) -> tuple[list[tuple[str, str]], float]:
    """Return the moves (VM, target) that hbal would make, and the seconds that it took."""
    answer = _on_fleet(
        fleet, "hbal", "-t", "DATA", "--ignore-dynu", "-g", "0.0001", "--min-gain-limit", "0.001", "-e", "0.0000001"
    )
    return re.findall(r"^\s*\d+\. (\S+) \S+\s+=> (\S+)", answer.text, re.MULTILINE), answer.seconds
