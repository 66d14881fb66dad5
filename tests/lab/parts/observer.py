"""An observer of a watched fleet: looks as often as the screen does, and tells afterwards what could be seen."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from core.fleet.fleet import Connection, VMState

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from core.driver.lanes.watch import FleetWatch

EVERY = 0.1
"""Seconds between two looks."""


@dataclass(frozen=True, slots=True)
class Sight:
    """One host as it was shown at a moment (monotonic seconds); `age` in seconds, None before the first answer."""

    at: float
    connection: Connection
    age: float | None
    states: tuple[VMState, ...]
    """What each of its VMs is shown as."""

    @property
    def is_connected(self) -> bool:
        """Whether it was shown as connected, with data."""
        return self.connection is Connection.CONNECTED and self.age is not None


class Observer:
    """Looks at the newest snapshots of a watch from a thread of its own, in a `with` block."""

    def __init__(self, watch: FleetWatch) -> None:
        self._watch = watch
        self._sights: dict[str, list[Sight]] = {}
        self._end = threading.Event()
        self._looked = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="observer", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()

    def sights(self, host: str, since: float = 0.0, until: float = float("inf")) -> tuple[Sight, ...]:
        """Return what was seen of a host between two moments."""
        with self._looked:
            return tuple(sight for sight in self._sights.get(host, ()) if since <= sight.at <= until)

    def wait(self, host: str, *, connected: bool, since: float, seconds: float) -> float | None:
        """Wait until a host is shown as connected with data, or as unknown; seconds since then, None if never."""

        def first() -> float | None:
            sights = self._sights.get(host, ())
            return next((each.at for each in sights if each.at >= since and each.is_connected is connected), None)

        with self._looked:
            self._looked.wait_for(lambda: first() is not None, seconds)
            at = first()
        return None if at is None else at - since

    def oldest(self, host: str, since: float = 0.0, until: float = float("inf")) -> float:
        """Age of the oldest data that were shown of a host as connected, in seconds."""
        return max((sight.age or 0.0 for sight in self.sights(host, since, until) if sight.is_connected), default=0.0)

    def _run(self) -> None:
        while not self._end.wait(EVERY):
            fleet, now = self._watch.fleet(), time.monotonic()
            with self._looked:
                for host in fleet.hosts:
                    states = tuple(host.state_of(vm) for vm in host.vms)
                    sight = Sight(now, host.connection, fleet.age(host), states)
                    self._sights.setdefault(host.name, []).append(sight)
                self._looked.notify_all()


@dataclass(frozen=True, slots=True)
class Holdings:
    """What this process holds."""

    threads: int
    ssh_clients: int
    descriptors: int
    memory_mib: float

    @classmethod
    def now(cls) -> Holdings:
        """Count."""
        status = Path("/proc/self/status").read_text()
        resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return cls(
            threads=sum(1 for _ in Path("/proc/self/task").iterdir()),
            ssh_clients=Counter(_children())["ssh"],
            descriptors=sum(1 for _ in Path("/proc/self/fd").iterdir()),
            memory_mib=int(resident.split()[1]) / 1024,
        )

    def exceeds(self, other: Holdings) -> bool:
        """Whether there is more of anything countable."""
        return (
            self.threads > other.threads or self.ssh_clients > other.ssh_clients or self.descriptors > other.descriptors
        )


def _children() -> Iterator[str]:
    """Names of all children of this process, those that have ended and were not waited for included."""
    for task in Path("/proc/self/task").iterdir():
        try:
            children = (task / "children").read_text().split()
        except OSError:
            continue  # a thread that has ended meanwhile
        for child in children:
            try:
                yield Path(f"/proc/{child}/comm").read_text().strip()
            except OSError:
                continue


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out figures in columns."""
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    lines = (heads, ["-" * width for width in widths], *rows)
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
                     for row in lines)  # fmt: skip


def seconds(value: float | None) -> str:
    """Write seconds in a table."""
    return "never" if value is None else f"{value:.1f} s"
