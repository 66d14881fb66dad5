"""Eight programs that create VMs at the same moment, round after round: nothing is ever given twice.

REALMS_RACE_ROUNDS says how many rounds (3 by default, 50 for a long night).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.driver.xml.domain_xml import read_domain
from core.registry.hosts import HostRegistry
from tests.driver.worlds import Guest
from tests.operations.vms.world import GPUS, world

if TYPE_CHECKING:
    from collections.abc import Sequence

ROUNDS = int(os.environ.get("REALMS_RACE_ROUNDS", "3"))
PROGRAMS = 8
RACER = Path(__file__).with_name("racer.py")

FULL = Guest(name="full", memory_mib=15 * 1024, devices=(GPUS[0],))
"""Leaves a host one gigabyte and one GPU."""


def race(folder: Path, wanted: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
    """Let programs create VMs of so many GPUs and MiB, all at once; give what each tells while all are still there."""
    programs = [
        subprocess.Popen(
            [sys.executable, str(RACER), str(folder), f"vm{number}", str(gpus), str(mebibytes)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for number, (gpus, mebibytes) in enumerate(wanted)
    ]  # fmt: skip
    try:
        for program in programs:
            assert json.loads(program.stdout.readline()) == {"ready": True}
        for program in programs:
            program.stdin.write("go\n")
            program.stdin.flush()
        return [json.loads(program.stdout.readline()) for program in programs]
    finally:
        for program in programs:
            program.stdin.close()
        for program in programs:
            assert program.wait(60) == 0
            program.stdout.close()


@pytest.mark.slow
@pytest.mark.timeout(60 + 40 * ROUNDS)
def test_the_last_gpu_and_the_last_gigabyte_of_two_hosts_are_given_once(tmp_path: Path) -> None:
    """Of eight programs two get them, whatever the order; reservations and domains agree."""
    for number in range(ROUNDS):
        folder = tmp_path / str(number)
        folder.mkdir()
        with world(folder, hosts=2, guests=((FULL,), (FULL,)), poll="20 s"):
            pass
        told = race(folder, [(1, 512)] * (PROGRAMS // 2) + [(0, 1024)] * (PROGRAMS // 2))
        winners = [each for each in told if "host" in each]
        assert {each["refused"] for each in told if "refused" in each} == {"NoRoom"}
        reserved = HostRegistry(folder / "registry.json").reservations()
        assert len(reserved) == len(winners) > 0
        for host in ("h1", "h2"):
            facts = [read_domain(each["xml"]) for each in winners if each["host"] == host]
            assert 0 < sum(fact.memory_bytes for fact in facts) <= 2**30
            held = Counter(str(address) for fact in facts for address in fact.devices)
            assert set(held) <= {GPUS[1]}
            assert all(count == 1 for count in held.values())
            promised = [each for each in reserved if each.host == host]
            assert sum(each.memory_bytes for each in promised) == sum(fact.memory_bytes for fact in facts)
            assert Counter(str(a) for each in promised for a in each.devices) == held
        assert list((folder / "registry.journal").iterdir()) == []
