"""What a doctor found at the hosts since the program was started: kept with its time until it is run again."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.diagnostics import Severity
from core.operations.findings import in_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.clock import Clock
    from core.hosts import Host
    from core.operations.doctor.doctor import HostDiagnosis
    from core.operations.findings import Diagnosis, Finding


@dataclass(frozen=True, slots=True)
class HostCheckup:
    """What was found at one host; `host` is None for this machine itself."""

    host: Host | None
    findings: tuple[Finding, ...]
    made_at: float
    """Seconds since the epoch."""

    @property
    def worst(self) -> Severity:
        """How bad it is."""
        return min((finding.severity for finding in self.findings), key=lambda each: each.rank, default=Severity.OK)

    def count(self, severity: Severity) -> int:
        """Count the findings of a severity."""
        return sum(finding.severity is severity for finding in self.findings)

    @property
    def words(self) -> str:
        """How bad it is, in a few words."""
        return in_words(self.findings)


class Checkups:
    """The last checkup of each host. Visits may be added from any thread; a generation grows with each change."""

    def __init__(self, clock: Clock) -> None:
        self.generation = 0
        self._clock = clock
        self._lock = threading.Lock()
        self._by_host: dict[str, HostCheckup] = {}
        self._running: set[str] = set()
        self.own: HostCheckup | None = None
        """What was found at this machine."""

    def begin(self, names: Iterable[str]) -> None:
        """Note that hosts are being examined."""
        with self._lock:
            self._running.update(names)
            self.generation += 1

    def end(self, names: Iterable[str]) -> None:
        """Note that the examination of hosts has ended, however it did."""
        with self._lock:
            self._running.difference_update(names)
            self.generation += 1

    def take(self, visit: HostDiagnosis) -> None:
        """Keep what a visit found, in the place of what was found before."""
        host = visit.patient.host
        with self._lock:
            self._by_host[host.name] = HostCheckup(host, visit.findings, self._clock.now())
            self._running.discard(host.name)
            self.generation += 1

    def settle(self, diagnosis: Diagnosis, names: Iterable[str]) -> None:
        """Add what comes of comparing the visited hosts, and what was found at this machine."""
        with self._lock:
            for name in names:
                known = self._by_host.get(name)
                if known is not None:
                    self._by_host[name] = replace(known, findings=tuple(diagnosis.of(name)))
            self.own = HostCheckup(None, tuple(diagnosis.of("")), self._clock.now())
            self.generation += 1

    def is_running(self, name: str) -> bool:
        """Whether a host is being examined."""
        return name in self._running

    def of(self, host: Host) -> HostCheckup | None:
        """Return a host's last checkup; None where it has none as it is described now."""
        known = self._by_host.get(host.name)
        if known is None or known.host is None:
            return None
        same = (known.host.uri, known.host.realm, known.host.profile) == (host.uri, host.realm, host.profile)
        return known if same else None
