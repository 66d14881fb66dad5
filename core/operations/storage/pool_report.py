"""A realm's pools on its hosts, as they were found, and whether their storage is shared (specification, section 10)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from core.text import shell_command

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from core.driver.storage.pool_setup import PoolFacts
    from core.errors import RealmsError
    from core.hosts import Host
    from core.realms import Realm

NEED = 10 * 1024**3
"""Bytes free below which a pool gets a warning, whatever is asked for."""


class PoolRole(StrEnum):
    """What a realm's pool is for, in the order of `Realm.pools`."""

    VOLUMES = "volumes"
    DRIVES = "drives"
    BRICKS = "bricks"
    SNAPSHOTS = "snapshots"


def pool_name(realm: Realm, role: PoolRole, on_host: Container[str] = ()) -> str:
    """Return the name of a realm's pool, as a host has it whose pools are named."""
    return realm.pools_among(on_host)[list(PoolRole).index(role)]


def removal_command(realm: Realm, hosts: Sequence[str] = (), roles: Sequence[PoolRole] = ()) -> str:
    """Return the command that takes pools away: from all hosts where none is named, and all pools likewise."""
    words = [word for host in hosts for word in ("--host", host)]
    words += [word for role in roles for word in ("--pool", role.value)]
    return shell_command("realms pools remove --realm", realm.id, *words)


class PoolStep(StrEnum):
    """What setting a pool up takes."""

    DEFINE = "define"
    BUILD = "build"
    START = "start"
    AUTOSTART = "autostart"


@dataclass(frozen=True, slots=True)
class RealmPool:
    """One of a realm's pools on one host. `changes` is what setting it up did, empty where nothing was missing."""

    role: PoolRole
    facts: PoolFacts
    changes: tuple[str, ...] = ()
    unread: str = ""
    """Why its host's libvirt could not look into it: its sizes are None then, as what it knew before may be wrong."""
    silent: bool = False
    """Whether it could not because the storage does not answer."""


@dataclass(frozen=True, slots=True)
class HostPools:
    """A realm's pools on one host; where it could not be asked, or set up, the error says why."""

    host: Host
    pools: tuple[RealmPool, ...] = ()
    error: RealmsError | None = None

    def pool(self, role: PoolRole) -> PoolFacts | None:
        """Find a pool by what it is for."""
        return next((pool.facts for pool in self.pools if pool.role is role), None)


@dataclass(frozen=True, slots=True)
class PoolSharing:
    """Whether the hosts that have a pool active see the same storage.

    `groups` are the hosts that see each other's volumes, the largest group first; empty where nobody looked.
    """

    role: PoolRole
    pool: str
    groups: tuple[tuple[str, ...], ...] = ()
    by: str = ""
    """How it is known: `proof` (a volume made on each host was looked for on the others), `source` (the same network
    file system is mounted), or empty."""
    error: str = ""
    """Why it could not be found out for some hosts."""

    @property
    def shared(self) -> bool | None:
        """Whether all hosts that were compared share it; None where there was nothing to compare."""
        if len(self.groups) > 1:
            return False
        return True if self.groups and len(self.groups[0]) > 1 else None

    def shared_by(self, host: str) -> bool | None:
        """Return whether a host shares the pool with most others; None where that is unknown."""
        if self.shared is None or not any(host in group for group in self.groups):
            return None
        largest = self.groups[0]
        return host in largest and len(largest) > 1

    @property
    def message(self) -> str:
        """The same in words."""
        if self.shared is False:
            return f"pool {self.pool} is not shared: " + " | ".join(", ".join(group) for group in self.groups)
        if self.shared:
            how = "the same source" if self.by == "source" else "verified with test volumes"
            return f"pool {self.pool} is shared by {', '.join(self.groups[0])} ({how})"
        return f"unknown whether pool {self.pool} is shared" + (f": {self.error}" if self.error else "")


@dataclass(frozen=True, slots=True)
class PoolsReport:
    """A realm's pools on many hosts."""

    realm: Realm
    hosts: tuple[HostPools, ...] = ()
    sharing: tuple[PoolSharing, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every host that is not disabled answered for every pool, and none was found unshared or unproven."""
        return (
            all(host.error is None or not host.host.state.connects for host in self.hosts)
            and not any(pool.silent for host in self.hosts for pool in host.pools)
            and not any(sharing.shared is False or sharing.error for sharing in self.sharing)
        )
