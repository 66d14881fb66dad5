"""A program that creates one VM and tells where: `racer.py FOLDER NAME GPUS MIB [KILLED-BEFORE-STEP]`.

It stands ready, begins when a line comes on standard input, and keeps its hosts until standard input ends. With a
step it is killed, as by kill -9, right after that step is in its journal and before it is taken.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from core.config.reader import load
from core.errors import RealmsError
from core.operations.session import Session
from core.operations.tasks.journal import JournalEntry
from core.operations.vms.create import create_vm
from core.operations.vms.spec import NewDrive
from core.registry.hosts import HostRegistry
from tests.operations.vms.world import MIB, order


def say(**facts: object) -> None:
    """Tell the test."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def die_before(step: str, number: int) -> None:
    """Have this process killed when the `number`-th step of that name has been written down."""
    written, met = JournalEntry.step, []

    def write_and_die(self: JournalEntry, name: str, **facts: object) -> None:
        written(self, name, **facts)
        met.append(name)
        if met.count(step) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    JournalEntry.step = write_and_die  # type: ignore[method-assign]  # in this process alone


def main(folder: Path, name: str, gpus: int, mebibytes: int, killed: str = "") -> None:
    """Create the VM."""
    if killed:
        step, _, number = killed.partition(":")
        die_before(step, int(number or 1))
    configuration = load(folder / "ticrypt-vm.conf")
    session = Session(configuration, registry=HostRegistry(folder / "registry.json"))
    session.settled_fleet(60)
    say(ready=True)
    sys.stdin.readline()
    wanted = order(
        name,
        devices={"gpu": gpus},
        memory_bytes=mebibytes * MIB,
        drives=(NewDrive(16 * MIB),) if killed else (),
        wait=bool(killed),
    )
    try:
        created = session.tasks.run("race", name, lambda control: create_vm(session, control, wanted))
        placement = created.outcome.result().placement
        host = placement.host
        xml = session.connect().submit(host, lambda c: c.handle.lookupByName(name).XMLDesc(0)).result()
        say(host=host, devices=[str(address) for address in placement.devices], xml=str(xml))
    except RealmsError as error:
        say(refused=type(error).__name__, message=error.message)
    sys.stdin.read()
    session.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), *sys.argv[5:])
