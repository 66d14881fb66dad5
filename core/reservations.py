"""Room on a host that is promised to a VM before the host shows it as active (specification, section 8)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.hardware import PciAddress
from core.workers import Worker


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """A promise of room on a host to the domain `uuid`; times in seconds since the epoch.

    It counts until a snapshot of the host newer than `taken_at` shows the UUID active, or until it ends: while the
    process that works for it lives, else some time after it was last renewed, by the clock of whoever looks.
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
    worker: Worker | None = field(default=None, compare=False)
    """The process that renews it; None where an older program did not say."""
    lasts: float = field(default=0.0, compare=False)
    """Seconds from its last renewal to its end; 0 where an older program did not say."""
    ends: Mapping[str, float] = field(default_factory=dict, compare=False)
    """For boots of machines that have seen its last renewal: its end by their monotonic clocks, in seconds."""
