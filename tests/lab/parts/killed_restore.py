"""A program that restores a snapshot and is killed: `killed_restore.py CONFIGURATION REGISTRY VM SNAPSHOT WHERE:WHAT`.

WHERE is `step` (before a step whose words begin with WHAT is begun), `midway` (when such a step has made progress),
`journal` (when a step of that name has been written down), or `delete` (before a volume is deleted whose name has WHAT
in it, once the disks were exchanged).
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[3]))

from core.config.reader import load
from core.operations.session import Session
from core.operations.tasks.task import Step, Task
from core.operations.vms import restore_disks as restored_disks
from core.operations.vms.lookup import vm_at_hand
from core.operations.vms.restore import restore_snapshot
from core.registry.hosts import HostRegistry
from tests.operations.scheduling.racer import die_before


def die_at(where: str, what: str) -> None:
    """Have this process killed there."""
    begin, update, delete = Task.begin, Task.update_step, restored_disks.delete_known

    def begin_or_die(self: Task[Any], step: Step) -> int:
        _die_if(where == "step" and step.what.startswith(what))
        return begin(self, step)

    def update_or_die(self: Task[Any], index: int, **changes: Any) -> None:
        update(self, index, **changes)
        _die_if(where == "midway" and changes.get("done", 0) > 0 and self.view.steps[index].what.startswith(what))

    def delete_or_die(connection: Any, pool: str, name: str) -> None:
        _die_if(where == "delete" and what in name)
        delete(connection, pool, name)

    if where == "journal":
        die_before(what, 1)
    Task.begin = begin_or_die  # type: ignore[method-assign]  # in this process alone
    Task.update_step = update_or_die  # type: ignore[method-assign]
    restored_disks.delete_known = delete_or_die


def _die_if(now: bool) -> None:
    if now:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    configuration, registry, vm, snapshot, point = sys.argv[1:]
    where, _, what = point.partition(":")
    session = Session(load(Path(configuration)), registry=HostRegistry(Path(registry)))
    at_hand = vm_at_hand(session, vm, timeout=30)
    die_at(where, what)
    task = session.tasks.run("restore", vm, lambda control: restore_snapshot(session, control, at_hand, snapshot))
    task.outcome.result()
