"""A realm's pools on one host with their sizes as they are now (specification, section 10).

A host's libvirt tells them as they were when it last looked into a pool, and other hosts write there too. Looking may
never end where storage is dead, and nothing can interrupt it: so it has a deadline, past which the sizes are unknown.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from threading import Event

from core.driver.connection.asking import answer_within
from core.driver.connection.connection import HostConnection
from core.driver.connection.jobs import job_connection
from core.driver.storage.pool_setup import PoolFacts, look_up_pool
from core.driver.storage.volumes import refreshed
from core.errors import DriverError, HostTimeout
from core.fleet.fleet import PoolState
from core.hosts import Host
from core.operations.storage.pool_report import PoolRole, RealmPool
from core.operations.storage.pool_setup import look_up_realm_pools
from core.realms import Realm

LOOK_SECONDS = 30.0
"""Seconds that a host has to look into its pools, where its deadline is nobody's choice."""


def look_anew(
    host: Host, realm: Realm, deadline: float = LOOK_SECONDS, *, stop: Event | None = None
) -> tuple[RealmPool, ...]:
    """Have a host's libvirt look into each of the realm's pools, and tell them; blocks up to `deadline` seconds.

    What it could not look into is told as `unread`. Raises DriverError, HostTimeout where it told of no pool at all,
    and Cancelled soon after `stop` is set.
    """
    round_ = _Round()

    def look() -> tuple[RealmPool, ...]:
        with job_connection(host, deadline) as connection:
            round_.look(connection, realm)
        return tuple(round_.pools(""))

    try:
        return answer_within(host.name, deadline, look, stop)
    except HostTimeout:
        if not round_.before:
            raise
        return tuple(round_.pools(f"does not answer within {deadline:g} s: is its storage down?"))


@dataclass(slots=True)
class _Round:
    """What one round through the pools has found so far: read by another thread where the round never ends."""

    before: dict[PoolRole, PoolFacts] = field(default_factory=dict)
    after: dict[PoolRole, RealmPool] = field(default_factory=dict)

    def look(self, connection: HostConnection, realm: Realm) -> None:
        self.before = look_up_realm_pools(connection, realm)
        for role, facts in self.before.items():
            if facts.state is not PoolState.ACTIVE:
                self.after[role] = RealmPool(role, facts)
                continue
            unread = ""
            try:
                refreshed(connection, facts.name)
            except DriverError as error:
                if not connection.is_alive():
                    raise
                unread = error.bare_message
            now = look_up_pool(connection, facts.name)  # one that can't be looked into has been stopped by libvirt
            self.after[role] = RealmPool(role, _without_sizes(now) if unread else now, unread=unread)

    def pools(self, silence: str) -> Iterator[RealmPool]:
        """Return what was found; pools that were not looked into are told to be so by the first's silence."""
        for role, facts in self.before.items():
            seen = self.after.get(role)
            if seen is None:
                silent = next(each.name for other, each in self.before.items() if other not in self.after)
                seen = RealmPool(role, _without_sizes(facts), unread=f"pool {silent} {silence}", silent=True)
            yield seen


def _without_sizes(facts: PoolFacts) -> PoolFacts:
    return replace(facts, capacity=None, allocation=None, available=None)
