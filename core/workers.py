"""Which process works on something, so that others can tell whether it still lives."""

import hashlib
import os
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

_MACHINE_IDS = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_PROC = Path("/proc")
_ENDED = frozenset({"Z", "X", "x"})


class WorkerState(StrEnum):
    """Whether a process works, as far as this one can tell."""

    ALIVE = "alive"
    ENDED = "ended"
    UNKNOWN = "unknown"
    """It is on another machine or in another container, or it can't be identified."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A process, as no other process of any machine has ever been or will be."""

    machine: str
    """Machine id and host name, as a hash: machines cloned with their id are told apart by their names."""
    boot: str
    """Boot of that machine, with the container in which process numbers count."""
    pid: int
    started: int
    """When it started, in clock ticks since the boot."""

    def state(self) -> WorkerState:
        """Tell whether the process lives, as seen from this one."""
        here = this_worker()
        if not self.machine or not here.machine or self.machine != here.machine:
            return WorkerState.UNKNOWN
        if self.boot != here.boot:
            same_boot = self.boot.partition("/")[0] == here.boot.partition("/")[0]
            return WorkerState.UNKNOWN if same_boot else WorkerState.ENDED
        return _state(self.pid, self.started)

    def as_mapping(self) -> dict[str, object]:
        """Write it for a file."""
        return {"machine": self.machine, "boot": self.boot, "pid": self.pid, "started": self.started}


def worker_from(fields: Any) -> Worker | None:
    """Read what `as_mapping` has written; None for anything else, as older programs leave it."""
    if not isinstance(fields, dict):
        return None
    machine, boot, pid, started = (fields.get(key) for key in ("machine", "boot", "pid", "started"))
    if not (isinstance(machine, str) and isinstance(boot, str) and isinstance(pid, int) and isinstance(started, int)):
        return None
    return Worker(machine, boot, pid, started) if 0 < pid < 2**31 and 0 <= started < 2**63 else None


def this_worker() -> Worker:
    """Return this process."""
    return _worker(os.getpid())  # cached by number: a child process is another one


@cache
def _worker(pid: int) -> Worker:
    machine_id = next(filter(None, map(_word, _MACHINE_IDS)), "")
    named = f"libvirt-realms {machine_id} {os.uname().nodename}"
    machine = hashlib.sha256(named.encode()).hexdigest()[:32] if machine_id else ""
    status = _status(pid)
    boot = f"{_word(_BOOT_ID)}/{_container()}"
    return Worker(machine, boot, pid, status[1] if status else 0)


def _word(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _container() -> str:
    """Return the namespaces in which numbers of processes and their clocks count."""
    names = []
    for name in ("pid", "time"):
        try:
            names.append(str(os.stat(f"/proc/self/ns/{name}").st_ino))
        except OSError:
            names.append("")
    return "-".join(names)


def _status(pid: int) -> tuple[str, int] | None:
    """Return a process's state and when it started; None where it can't be seen."""
    try:
        words = _PROC.joinpath(str(pid), "stat").read_bytes().rpartition(b")")[2].split()
        return words[0].decode("ascii"), int(words[19])
    except (OSError, IndexError, ValueError):
        return None


def _state(pid: int, started: int) -> WorkerState:
    status = _status(pid)
    if status is not None:
        return WorkerState.ALIVE if status[1] == started and status[0] not in _ENDED else WorkerState.ENDED
    try:  # /proc may hide other users' processes
        os.kill(pid, 0)
    except ProcessLookupError:
        return WorkerState.ENDED
    except OSError:
        return WorkerState.UNKNOWN
    return WorkerState.UNKNOWN
