"""What was seen of the realms' pools beyond their state: figures, what is in them, and whether they are shared."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from textual.message import Message

from core.errors import RealmsError
from core.operations.on_hosts import AT_ONCE, Crew
from core.operations.realm_pools import HostPools, PoolRole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from textual.message_pump import MessagePump

    from core.clock import Clock
    from core.fleet import PoolState
    from core.hosts import Host
    from core.operations.realm_pools import PoolsReport, RealmPool, Sharing
    from core.operations.storage_use import HostStorage
    from core.operations.workplace import Workplace
    from core.realms import Realm


_crew = Crew(AT_ONCE)
"""Each question has an ssh client of its own, and goes to every host of the fleet when the area is opened."""


class PoolsSeen(Message):
    """A host told of its pools, or why it can't, at a moment in seconds since the epoch."""

    def __init__(self, pools: HostPools, at: float) -> None:
        super().__init__()
        self.pools = pools
        self.at = at


class StorageSeen(Message):
    """A host told what lies in its pools, or why it can't; `number` says which of the questions this answers."""

    def __init__(self, number: int, host: str, outcome: HostStorage | RealmsError) -> None:
        super().__init__()
        self.number = number
        self.host = host
        self.outcome = outcome


def ask_for_pools(workplace: Workplace, realm: Realm, hosts: Iterable[Host], reply_to: MessagePump) -> None:
    """Ask hosts for their pools, many at once: one that hangs holds up nobody for long."""

    def ask(host: Host) -> None:
        pools = workplace.look_at_pools(host, realm)
        reply_to.post_message(PoolsSeen(pools, workplace.clock.now()))

    for host in hosts:
        _crew.do(partial(ask, host))


def ask_for_storage(
    workplace: Workplace, realm: Realm, hosts: Iterable[Host], reply_to: MessagePump, number: int
) -> None:
    """Ask hosts what lies in their pools, many at once."""

    def ask(host: Host) -> None:
        outcome: HostStorage | RealmsError
        try:
            outcome = workplace.look_at_storage(host, realm)
        except RealmsError as error:
            outcome = error
        reply_to.post_message(StorageSeen(number, host.name, outcome))

    for host in hosts:
        _crew.do(partial(ask, host))


@dataclass(slots=True)
class HostSight:
    """What one host told last. `at` is when, None before it told anything; `error` why it told nothing since."""

    pools: HostPools | None = None
    at: float | None = None
    error: RealmsError | None = None
    asked_for: Mapping[str, PoolState] | None = None
    """The states of its pools when it was asked last: other ones are a reason to ask again."""
    asking: bool = False


@dataclass(frozen=True, slots=True)
class Proof:
    """How one pool was found to be shared, and when."""

    sharing: Sharing
    at: float


@dataclass(slots=True)
class PoolSight:
    """All of it, for the whole program; for the screen's thread alone."""

    clock: Clock
    hosts: dict[str, HostSight] = field(default_factory=dict)
    proofs: dict[tuple[str, PoolRole], Proof] = field(default_factory=dict)
    contents: dict[str, tuple[Mapping[PoolRole, int], float]] = field(default_factory=dict)
    """How many things lie in each pool of a realm, and when they were counted."""

    def of(self, host: str) -> HostSight:
        """Give what is known of a host."""
        return self.hosts.setdefault(host, HostSight())

    def seen(self, host: str, role: PoolRole) -> RealmPool | None:
        """Give what a host told of a pool, with why it could not look into it."""
        sight = self.hosts.get(host)
        told = () if sight is None or sight.pools is None else sight.pools.pools
        return next((pool for pool in told if pool.role is role), None)

    def take(self, pools: HostPools, at: float) -> None:
        """Take a host's answer; figures stay as they were where it gives none."""
        sight = self.of(pools.host.name)
        sight.asking, sight.error = False, pools.error
        if pools.error is None:
            sight.pools, sight.at = pools, at

    def take_report(self, report: PoolsReport) -> None:
        """Take what a task found on many hosts: figures of the pools it dealt with, and its proof."""
        now = self.clock.now()
        for found in report.hosts:
            known = self.of(found.host.name).pools
            if found.error is None:
                roles = {pool.role for pool in found.pools}
                others = tuple(pool for pool in known.pools if pool.role not in roles) if known is not None else ()
                ordered = sorted((*found.pools, *others), key=lambda pool: list(PoolRole).index(pool.role))
                self.take(HostPools(found.host, tuple(ordered)), now)
        for sharing in report.sharing:
            if sharing.by == "proof":
                self.proofs[report.realm.id, sharing.role] = Proof(sharing, now)

    def sharing(self, realm: str, hosts: Iterable[str], role: PoolRole) -> Proof | None:
        """Tell how it is known whether hosts share a pool: by proof, else by the same source; None where it isn't."""
        proof = self.proofs.get((realm, role))
        if proof is not None:
            return proof
        seen = [self.hosts[name] for name in hosts if name in self.hosts]
        found = [sight.pools for sight in seen if sight.pools is not None]
        if not any(pools.pool(role) for pools in found):
            return None
        from core.operations.shared_storage import told_by_source

        told = next(sharing for sharing in told_by_source(found) if sharing.role is role)
        return Proof(told, max(sight.at for sight in seen if sight.at is not None)) if told.by else None
