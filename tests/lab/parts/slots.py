"""Slots keep labs apart: each running lab holds the lock of one, which gives it its folder, subnet and link name.

A slot whose lock is free belongs to no living process: whatever is left of its lab is torn down.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .waiting import eventually

HOME = Path("/var/lib/libvirt-realms-lab")
"""Folders of running labs. Outside of /run, which every host replaces by its own; short, for the sake of sockets."""

_SLOTS = range(1, 251)


@dataclass(slots=True)
class Slot:
    """A lab's place on the machine; `number` is the third part of its addresses, 10.77.NUMBER.0/24."""

    number: int
    _lock: int

    @property
    def folder(self) -> Path:
        """Everything the lab writes is in here."""
        return HOME / str(self.number)

    @property
    def link(self) -> str:
        """The machine's network link into the lab: the only thing of a lab that shows outside of its namespaces."""
        return f"rlab{self.number}"

    @property
    def mark(self) -> str:
        """An argument of the process that holds the lab's namespaces, by which it is found."""
        return f"libvirt-realms-lab={self.number}"

    def address(self, host_part: int) -> str:
        """Return an address on the lab's bridge."""
        return f"10.77.{self.number}.{host_part}"

    def clear(self) -> None:
        """Tear down what a lab left in this slot: processes, and with them namespaces and mounts; link; folder."""
        for pid in holders(self.mark):
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: not holders(self.mark), f"end of the processes marked {self.mark}")
        if Path("/sys/class/net", self.link).exists():
            # The kernel may be about to remove it together with the namespace of its other end.
            subprocess.run(["ip", "link", "delete", self.link], capture_output=True, check=False)
        eventually(lambda: not Path("/sys/class/net", self.link).exists(), f"end of the link {self.link}")
        for mount in mounts_below(self.folder):
            subprocess.run(["umount", "--lazy", mount], check=True)
        if self.folder.exists():
            shutil.rmtree(self.folder)

    def release(self) -> None:
        """Clear the slot and let others have it."""
        self.clear()
        self.leave()

    def leave(self) -> None:
        """Let others have the slot, as it is."""
        os.close(self._lock)


def take() -> Slot:
    """Tear down all stale labs, then take the first free slot whose subnet the machine doesn't use otherwise."""
    HOME.mkdir(mode=0o700, parents=True, exist_ok=True)
    for number in sorted({int(path.stem) for path in HOME.iterdir() if path.stem.isdigit()}):
        slot = _try(number)
        if slot is not None:
            slot.release()
    for number in _SLOTS:
        slot = _try(number)
        if slot is None:
            continue
        if not _addresses_within(f"10.77.{number}.0/24"):
            slot.clear()
            return slot
        slot.leave()
    message = "all labs of this machine are taken"
    raise RuntimeError(message)


def _try(number: int) -> Slot | None:
    lock = os.open(HOME / f"{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return Slot(number, lock)


def holders(mark: str) -> list[int]:
    """Return the processes that have the mark among their arguments."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                arguments = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue  # ended meanwhile
            if mark.encode() in arguments:
                found.append(int(entry.name))
    return found


def mounts_below(folder: Path) -> list[str]:
    """Mount points in the machine's own namespace that lie in a folder, the innermost first."""
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return [point for point in reversed(points) if Path(point).is_relative_to(folder)]


def _addresses_within(subnet: str) -> bool:
    answer = subprocess.run(
        ["ip", "-json", "-4", "address", "show", "to", subnet], capture_output=True, text=True, check=True
    )
    return any(link for link in json.loads(answer.stdout or "[]"))
