"""Room on a host that is promised to a VM before the host shows it as active (specification, section 8)."""

from __future__ import annotations

from dataclasses import dataclass

from core.hardware import PciAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """A promise of room on a host to the domain `uuid`; times in seconds since the epoch.

    It counts until a snapshot of the host newer than `taken_at` shows the UUID active, or until `expires_at`, which
    the process that works for it keeps pushing forward.
    """

    uuid: str
    vm: str
    host: str
    vcpus: int
    memory_bytes: int
    devices: tuple[PciAddress, ...] = ()
    taken_at: float = 0.0
    expires_at: float = 0.0
    owner: str = ""
    """Who works for it: user, machine and process id, for other administrators to see.

    Empty once the work is done: it then only bridges the time until every program has looked at the host again.
    """
