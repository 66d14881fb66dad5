"""The settings of a realm, with every default (specification, section 6)."""

from collections.abc import Container
from dataclasses import dataclass, field
from enum import StrEnum

STALE_AFTER_POLLS = 3
"""A host's data are too old for placement past this many poll periods."""


class CacheMode(StrEnum):
    """Cache mode of a drive; DEFAULT writes no attribute, so that QEMU decides."""

    DEFAULT = "default"
    WRITETHROUGH = "writethrough"
    WRITEBACK = "writeback"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class DriveSettings:
    """How the users' drives are made; sizes in bytes, None for no bound."""

    lazy_allocation: bool = True
    cache: CacheMode = CacheMode.DEFAULT
    min_size: int | None = None
    max_size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Realm:
    """An environment that runs VMs on hosts reached through libvirt. Durations are seconds."""

    id: str
    name: str
    disabled: bool = False
    driver: str = "libvirt"
    volumes_pool: str = "ticrypt-vm"
    drives_pool: str = "ticrypt-vm-drives"
    bricks_pool: str = "ticrypt-bricks"
    snapshots_pool: str = "ticrypt-vm-snapshots"
    log_scheduling: bool = False
    registration_timeout: float = 300.0
    poll_frequency: float = 5.0
    network_filter: str | None = None
    network: str = "default"
    registration_port: int = 22
    drives: DriveSettings = field(default_factory=DriveSettings)

    @property
    def stale_after(self) -> float:
        """Age in seconds past which a host's data are too old for placement (specification, section 8)."""
        return STALE_AFTER_POLLS * self.poll_frequency

    @property
    def pools(self) -> tuple[str, ...]:
        """The realm's four pools: volumes, drives, bricks, snapshots."""
        return (self.volumes_pool, self.drives_pool, self.bricks_pool, self.snapshots_pool)

    def pools_among(self, names: Container[str]) -> tuple[str, ...]:
        """Return the four pools under the names that they have on a host which has pools of these names.

        They differ from `pools` where a host has only `ticrypt-vm-snapshot`, the older name of the snapshots pool
        (specification, section 6).
        """
        older = self.volumes_pool + "-snapshot"
        if self.snapshots_pool == older + "s" and self.snapshots_pool not in names and older in names:
            return (*self.pools[:3], older)
        return self.pools
